"""What a function did with the symbols it was called with: a list of operations, each on the results before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from descend.formula.functions import FUNCTIONS

Entry = tuple[object, ...]
"""``("column", name)``, ``("parameter", name)``, ``("number", value)``, or an operation and its operands' places."""
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
LOGICAL = frozenset((*COMPARISONS, "and", "or", "not"))
"""Operations whose result is true or false."""


ARITHMETIC: Mapping[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.true_divide,
    "^": np.float_power,
    "neg": np.negative,
}
UNCHANGED = {"+": 0.0, "-": 0.0, "*": 1.0, "/": 1.0, "^": 1.0}
"""The second operand with which an operation changes nothing."""


class UntraceableError(TypeError):
    """What a function does with its arguments that a formula cannot say, in words that follow "it"."""


class Tape:
    """The operations of one trace, in order; what occurs twice stands on it once.

    rows: how many rows the columns have.
    """

    __slots__ = ("entries", "places", "rows")

    def __init__(self, rows: int) -> None:
        self.entries: list[Entry] = []
        self.places: dict[Entry, int] = {}
        self.rows = rows

    def add(self, entry: Entry) -> int:
        """Return the place of an entry, at the end if it is new."""
        place = self.places.setdefault(entry, len(self.entries))
        if place == len(self.entries):
            self.entries.append(entry)
        return place

    def number(self, value: float) -> int:
        """Return the place of a constant."""
        return self.add(("number", float(value)))

    def apply(self, operation: str, *operands: int) -> int:
        """Return the place of the result of an operation on numbers; of constants it is worked out at once."""
        if operation in LOGICAL or operation == "where":
            return self.add((operation, *self._conditions(operation, operands)))
        places = tuple(self.numeric(place) for place in operands)
        arithmetic = ARITHMETIC.get(operation)
        if arithmetic is None:
            if operation not in FUNCTIONS:
                raise UntraceableError(f"calls `{operation}`, which formulas do not know")
            return self.add((operation, *places))
        values = [self.value(place) for place in places]
        if None not in values:
            with np.errstate(all="ignore"):
                return self.number(float(arithmetic(*values)))
        unchanged = UNCHANGED.get(operation)
        if unchanged is not None and values[1] == unchanged:  # x - 0, x/1, x^1
            return places[0]
        if operation in ("+", "*") and values[0] == unchanged:  # 0 + x, as sum( ) begins; 1*x
            return places[1]
        return self.add((operation, *places))

    def _conditions(self, operation: str, operands: tuple[int, ...]) -> tuple[int, ...]:
        """Return the operands of a comparison, of a choice or of "and", each as what it has to be."""
        true = 0 if operation in COMPARISONS else 1 if operation == "where" else len(operands)
        return (
            *(self.truth(place) for place in operands[:true]),
            *(self.numeric(place) for place in operands[true:]),
        )

    def truth(self, place: int) -> int:
        """Return a place as one of a truth value: whether the number there is not 0."""
        return place if self.logical(place) else self.add(("!=", place, self.number(0.0)))

    def value(self, place: int) -> float | None:
        """Return the constant at a place; None if there is none."""
        entry = self.entries[place]
        return entry[1] if entry[0] == "number" else None  # type: ignore[return-value]

    def logical(self, place: int) -> bool:
        """Whether what stands at a place is true or false."""
        return self.entries[place][0] in LOGICAL

    def numeric(self, place: int) -> int:
        """Return a place as one of a number: 1 where it was true and 0 where it was false."""
        return self.add(("where", place, self.number(1.0), self.number(0.0))) if self.logical(place) else place
