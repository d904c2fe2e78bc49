"""What a function did with the symbols it was called with: a list of operations, each on the results before it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

import numpy as np

from descend.formula.functions import FUNCTIONS

Value = Any
"""What a user's function computes with: of any type."""
Entry = tuple[object, ...]
"""``("column", name)``, ``("parameter", name)``, ``("number", value)``, or an operation and its operands' places."""
COMPARISON: Mapping[str, Callable[..., Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
COMPARISONS = tuple(COMPARISON)
LOGICAL = frozenset((*COMPARISONS, "and", "or", "not"))
"""Operations whose result is true or false."""
MOST_CONDITIONS = 64
"""Conditions on one way through a function."""


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


RAISED: ContextVar[list[UntraceableError] | None] = ContextVar("RAISED", default=None)
"""What was found untraceable in the call under way, whether or not the function let it pass."""


class UntraceableError(TypeError):
    """What a function does with its arguments that a formula cannot say, in words that follow "it"."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        raised = RAISED.get()
        if raised is not None:
            raised.append(self)


class Rows(int):
    """How many rows there are: a number that a trace makes up, so that only what goes through all rows may use it."""

    tape: Tape


class EachRow(int):
    """The place of any one row, as in `for i in range(len(x))`: what is done at it is done in each row."""

    __slots__ = ()


class Path:
    """One way through the branches of a function: what it was told at each of its conditions.

    decided: the answers to the first of them; later ones are found true.
    """

    __slots__ = ("answers", "decided")

    def __init__(self, decided: tuple[bool, ...] = ()) -> None:
        self.decided = decided
        self.answers: dict[int, bool] = {}

    def taken(self, condition: int) -> bool:
        """Return whether the condition at a place of the tape is true on this way."""
        if condition not in self.answers:
            number = len(self.answers)
            if number == MOST_CONDITIONS:
                raise UntraceableError(
                    "decides too often how to go on, as a loop does that ends when something is small"
                )
            self.answers[condition] = self.decided[number] if number < len(self.decided) else True
        return self.answers[condition]


class Tape:
    """The operations of one trace, in order; what occurs twice stands on it once.

    rows: how many rows the columns have. path: which way the function goes at its branches; None if it may have none,
    nor take its rows one by one.
    """

    __slots__ = ("by_rows", "entries", "path", "places", "rows")

    def __init__(self, rows: int) -> None:
        self.entries: list[Entry] = []
        self.places: dict[Entry, int] = {}
        self.by_rows: dict[int, bool] = {}
        self.rows = Rows(rows)
        self.rows.tape = self
        self.path: Path | None = None

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

    def differs_by_row(self, place: int) -> bool:
        """Whether a column has a part in what stands at a place."""
        known = self.by_rows.get(place)
        if known is None:
            operation, *operands = self.entries[place]
            known = operation == "column" or (
                operation not in ("parameter", "number")
                and any(self.differs_by_row(operand) for operand in operands if type(operand) is int)
            )
            self.by_rows[place] = known
        return known

    def holds(self, place: int) -> bool:
        """Return whether the function is to find the condition at a place true.

        Of constants it is known; otherwise both ways are gone, one after the other. Raises UntraceableError if the
        function may have no branches.
        """
        operation, *operands = self.entries[place]
        if operation == "number":
            return operands[0] != 0.0
        if operation == "not":
            return not self.holds(operands[0])  # type: ignore[arg-type]
        if operation in COMPARISON:
            values = [self.value(operand) for operand in operands]  # type: ignore[arg-type]
            if None not in values:
                return bool(COMPARISON[str(operation)](*values))
        if self.path is None:
            raise UntraceableError("goes one way or another")
        return self.path.taken(self.truth(place))

    def logical(self, place: int) -> bool:
        """Whether what stands at a place is true or false."""
        return self.entries[place][0] in LOGICAL

    def numeric(self, place: int) -> int:
        """Return a place as one of a number: 1 where it was true and 0 where it was false."""
        return self.add(("where", place, self.number(1.0), self.number(0.0))) if self.logical(place) else place
