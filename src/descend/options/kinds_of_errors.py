"""The kinds of standard errors, and how a text such as ``cluster(site)`` names one of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from descend.errors import ConfigError
from descend.registry import closest

USUAL = ("model", "sandwich")
CORRECTED = ("HC0", "HC1", "HC2", "HC3")
"""The sandwich with a correction for few rows: none, n / (n - p), and 1 / (1 - leverage) once or twice."""
KINDS = (*USUAL, "observed", *CORRECTED, "iid", "cluster(COLUMN)")
ALIASES = {"rlm": "iid", "expected": "model", "fisher": "model", "hessian": "observed"}
"""What other programs call a kind: MASS's rlm has the errors of residuals that are independent and alike."""
CLUSTER = re.compile(r"\s*cluster(?:ed)?\s*(?:\((.*)\))?\s*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class ErrorKind:
    """A kind of standard errors.

    name: one of KINDS; ``cluster`` has the columns whose values tell clusters apart.

    >>> read_errors("hc1").text, read_errors("cluster(site, `a year`)").columns
    ('HC1', ('site', 'a year'))
    """

    name: str
    columns: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """How it is written: in the JSON, in a model file, and in the command that repeats a fit."""
        return f"{self.name}({', '.join(map(_quoted, self.columns))})" if self.columns else self.name


@lru_cache(maxsize=64)
def read_errors(text: str) -> ErrorKind:
    """Return the kind that a text names. Raises ConfigError for one that there is not."""
    clustered = CLUSTER.fullmatch(text)
    if clustered is not None:
        named = [name.strip().strip("`") for name in re.findall(r"(?:`[^`]*`|[^,`])+", clustered[1] or "")]
        columns = tuple(dict.fromkeys(name for name in named if name))
        if not columns:
            raise ConfigError("Clustered errors need the column that tells clusters apart, such as `cluster(site)`.")
        return ErrorKind("cluster", columns)
    spelled = {kind.casefold(): kind for kind in KINDS[:-1]} | ALIASES
    error_kind = spelled.get(text.strip().casefold())
    if error_kind is None:
        raise ConfigError(
            f"There are no standard errors of the kind `{text}`.{closest(text, KINDS)} Known: {', '.join(KINDS)}."
        )
    return ErrorKind(error_kind)


def _quoted(name: str) -> str:
    return name if name.isidentifier() else f"`{name}`"
