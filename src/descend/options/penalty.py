"""What is asked of a penalty: a number, or that the data choose it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from descend.errors import ConfigError
from descend.options.checks import is_number, is_text, must_be

SETTINGS = {"folds": "5", "rule": "least", "by": "", "order": ""}
RULES = ("least", "one_standard_error")
CALL = re.compile(r"\s*auto\s*(?:\(([^()]*)\))?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Auto:
    """A penalty chosen by cross-validation.

    folds: how many; by: a column whose groups are held out whole; order: a column in whose order the folds follow each
    other, such as time. rule: ``least`` error, or the largest penalty within ``one_standard_error`` of it.
    """

    folds: int = 5
    rule: str = "least"
    by: str | None = None
    order: str | None = None


def read_penalty(key: str, penalty_given: object) -> float | Auto:
    """Read a number, 0 or more, or ``auto``, ``auto(folds=10, rule=one_standard_error)``. Raises ConfigError.

    >>> read_penalty("l2", "0.5"), read_penalty("l2", "auto(by=site)")
    (0.5, Auto(folds=5, rule='least', by='site', order=None))
    """
    if isinstance(penalty_given, str) and (penalty_call := CALL.fullmatch(penalty_given)) is not None:
        return _read_auto(key, penalty_call[1] or "")
    must_be("a number, 0 or more", is_number, is_text)(key, penalty_given)
    try:
        number = float(penalty_given)  # type: ignore[arg-type]
    except (OverflowError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and number >= 0.0):
        raise ConfigError(f"The {key} penalty must be a number, 0 or more, or `auto`; it is {penalty_given!r}.")
    return number


def _read_auto(key: str, auto_text: str) -> Auto:
    values = dict(SETTINGS)
    for auto_part in filter(None, (each.strip() for each in auto_text.split(","))):
        name, sign, value = (each.strip() for each in auto_part.partition("="))
        if not sign or name not in SETTINGS:
            raise ConfigError(
                f"`{auto_part}` is no setting of an {key} penalty that is chosen by cross-validation. It has folds=5, "
                "rule=one_standard_error, by=COLUMN and order=COLUMN."
            )
        values[name] = value
    rule = {"1se": "one_standard_error"}.get(values["rule"], values["rule"])
    if rule not in RULES:
        raise ConfigError(f"The rule by which the {key} penalty is chosen is least or one_standard_error, not {rule}.")
    if not values["folds"].isdecimal() or int(values["folds"]) < 2:
        raise ConfigError(f"The number of folds must be a whole number, 2 or more, not {values['folds']}.")
    if values["by"] and values["order"]:
        raise ConfigError("Folds are groups, by=COLUMN, or follow each other, order=COLUMN, not both. Leave out one.")
    return Auto(int(values["folds"]), rule, values["by"] or None, values["order"] or None)


def is_number_text(penalty_given: object) -> bool:
    """Whether a penalty is written as text, and is no choice of the data."""
    return isinstance(penalty_given, str) and CALL.fullmatch(penalty_given) is None
