"""A named part, such as a loss or an optimizer, with its settings: a value outside its range is refused."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

from descend.errors import ConfigError

BOUNDS = {
    "at least": lambda value, bound: value >= bound,
    "above": lambda value, bound: value > bound,
    "below": lambda value, bound: value < bound,
    "at most": lambda value, bound: value <= bound,
}
"""How a bound is written in a message, and whether a value keeps it."""


def setting(
    default: Any,
    *,
    at_least: float | None = None,
    above: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
    choices: tuple[str, ...] = (),
    auto: bool = False,
) -> Any:
    """Return a dataclass field with a default and the range its values must lie in; ``auto``: or be "auto"."""
    given = dict(zip(BOUNDS, (at_least, above, below, at_most), strict=True))
    bounds = {words: bound for words, bound in given.items() if bound is not None}
    return dataclasses.field(default=default, metadata={"bounds": bounds, "choices": choices, "auto": auto})


@dataclasses.dataclass(frozen=True)
class Part:
    """A part that a registry can hold. Subclasses are frozen dataclasses, and their fields are their settings.

    kind: what it is, such as a loss. name: what it is called. aliases: what other programs call it, to be understood
    where a user types that.

    Raises ConfigError, naming setting and range, for the first setting that is outside its range.
    """

    kind: ClassVar[str]
    name: ClassVar[str]
    aliases: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.metadata and not _inside(value, field):
                raise ConfigError(
                    f"The setting `{field.name}` of {self.kind} `{self.name}` must be {_range(field)}, "
                    f"such as {field.default!r}; it is {value!r}."
                )


def _inside(value: Any, field: dataclasses.Field[Any]) -> bool:
    if field.metadata["auto"] and value == "auto":
        return True
    choices = field.metadata["choices"]
    if isinstance(field.default, str):
        return isinstance(value, str) and (not choices or value in choices)
    if isinstance(value, bool) or not isinstance(value, int if isinstance(field.default, int) else (int, float)):
        return False
    return math.isfinite(value) and all(
        BOUNDS[words](value, bound) for words, bound in field.metadata["bounds"].items()
    )


def _range(field: dataclasses.Field[Any]) -> str:
    if isinstance(field.default, str):
        return " or ".join(map(repr, field.metadata["choices"])) or "text"
    limits = " and ".join(f"{words} {bound:g}" for words, bound in field.metadata["bounds"].items())
    text = f"a {'whole ' if isinstance(field.default, int) else ''}number {limits}"
    return f"{text}, or 'auto'" if field.metadata["auto"] else text
