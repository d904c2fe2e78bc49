"""One item to show of a fit, and how a list of fields has it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from descend.inference.fitted import Fitted
    from descend.inference.intervals import Intervals


@dataclass(frozen=True)
class Field:
    """One item to show.

    kind: ``formula``, ``parameter`` (value: the number, its standard error or None, what holds it, such as ``fixed``,
        or "", and the ends of its interval if asked for), ``number``, ``text``, ``success``, ``partial`` or
        ``failure`` (how the run ended), ``advice``, or ``note``. many: whether it is of a parameter with many groups.
    unit: of a parameter or quantity; empty if it is not known.
    """

    label: str
    value: Any
    kind: str
    many: bool = False
    unit: str = ""


Lines = Callable[["Fitted", "Intervals | None"], Iterable[Field]]


@dataclass(frozen=True)
class Entry:
    """One item of information about a fit.

    key: its name in the JSON and in the model file; empty if only people read it. label: what people read before it;
    empty if only the JSON has it, or if ``lines`` shows it otherwise. value: a function of the fit that returns it, or
    None if the fit has no such thing; if not given, the fit's attribute called ``key`` is taken. published: what the
    number is called in a table for print, or a function of the fit that returns it; empty if it is not there.

    >>> half_life = Entry("half_life", "half-life", lambda fit: 0.6931 / fit.parameters["b"])

    ``ENTRIES.append(half_life)`` adds it at the end of the table, the page and the JSON.
    """

    key: str
    label: str = ""
    value: Callable[[Fitted], object] | None = None
    lines: Lines | None = None
    published: str | Callable[[Fitted], str] = ""

    def of(self, fit: Fitted) -> object:
        """Return the value for a fit."""
        field_value: object = getattr(fit, self.key) if self.value is None else self.value(fit)
        return field_value

    def shown(self, fit: Fitted, intervals: Intervals | None) -> Iterable[Field]:
        """Return the fields that people read."""
        if self.lines is not None:
            return self.lines(fit, intervals)
        value = self.of(fit) if self.label else None
        kind = "number" if isinstance(value, int | float) else "text"
        return () if value is None else [Field(self.label, value, kind)]

    def in_print(self, fit: Fitted) -> Iterator[tuple[str, float]]:
        """Yield its name and its number in a table for print, if it has a finite one."""
        name = self.published if isinstance(self.published, str) else self.published(fit)
        value = self.of(fit) if name else None
        if isinstance(value, int | float) and math.isfinite(value):
            yield name, value


def numbers_by_name(values: Mapping[str, float] | None) -> Iterator[Field]:
    """Yield a field for each number; none where there are no numbers."""
    for name, value in (values or {}).items():
        yield Field(name.replace("_", " "), value, "number")
