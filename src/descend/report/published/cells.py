"""What stands in a published table: sections of rows of cells, before a format writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from descend.errors import ConfigError
from descend.registry import closest
from descend.report.published.rounding import Written, written

ERRORS = ("parentheses", "plus-minus")
"""How an error is written beside its value: 0.1234(56), or 0.1234 ± 0.0056."""


@dataclass(frozen=True)
class Name:
    """The name of a parameter or quantity; a group or component follows in brackets."""

    text: str


@dataclass(frozen=True)
class Estimate:
    """A value and its standard error; None if it has none. exact: the value is given, not estimated."""

    value: float
    error: float | None = None
    exact: bool = False

    @property
    def written(self) -> Written:
        """Both as they are published."""
        return written(self.value, self.error, self.exact)


@dataclass(frozen=True)
class Interval:
    """An interval of an estimate, written to its places; ends may be infinite."""

    low: float
    high: float
    of: Estimate


@dataclass(frozen=True)
class Measure:
    """The unit of the values of a row."""

    unit: str


@dataclass(frozen=True)
class Number:
    """A number that is no estimate, with some significant digits; whole ones in full."""

    value: float
    digits: int = 5

    @property
    def text(self) -> str:
        """Its digits, rounded."""
        return f"{self.value:d}" if isinstance(self.value, int) else f"{self.value:.{self.digits}g}"


Cell = str | Name | Estimate | Interval | Measure | Number | None


@dataclass(frozen=True)
class Published:
    """A table: heads, sections of rows, which a line parts, and sentences below. caption: what it is of."""

    heads: Sequence[str]
    sections: Sequence[Sequence[Sequence[Cell]]]
    caption: str
    notes: Sequence[str] = ()

    @property
    def filled(self) -> list[Sequence[Sequence[Cell]]]:
        """The sections that have rows."""
        return [section for section in self.sections if section]


def checked_errors(errors: str) -> str:
    """Return how errors are written; raises ConfigError for no such way."""
    if errors not in ERRORS:
        raise ConfigError(
            f"Errors of a table are written in parentheses, 0.1234(56), or by plus-minus, 0.1234 ± 0.0056. There is no "
            f"`{errors}`.{closest(str(errors), ERRORS)}"
        )
    return errors


def convention(errors: str) -> str:
    """Say how errors are to be read."""
    if errors == "parentheses":
        return "Standard errors in parentheses, in units of the last digit"
    return "Values ± standard errors"
