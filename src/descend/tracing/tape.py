"""What a function did with the symbols it was called with: a list of operations, each on the results before it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

import numpy as np

from descend.formula.functions import FUNCTIONS, constant_call
from descend.tracing.facts import Entry, Facts

Value = Any
"""What a user's function computes with: of any type."""
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
MOST_CONDITIONS = 64
"""Conditions on one way through a function."""
LOGICAL = frozenset((*COMPARISONS, "and", "or", "not", "true", "false"))
"""Operations whose result is true or false."""
CONDITIONAL = LOGICAL | {"where"}
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
OF_LOGICAL = {"+": "or", "*": "and", "max": "or", "min": "and"}
"""What NumPy does with two truth values in place of an operation on numbers."""
NEVER_NAN = frozenset(
    (
        *("column", "parameter", "component", "+", "-", "*", "neg", "where", "abs", "min", "max", "exp", "sin", "cos"),
        *("atan", "tanh", "sinh", "cosh", "sigmoid", "softplus", "erf", "erfc"),
    )
)
"""Operations that are NaN only if an operand is. (Not that of two infinities; nobody has those on purpose.)"""


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

    decided: the answers to the first of them; later ones are found true. facts: what follows from these answers.
    by_rows: whether the function goes through the rows one by one, so that a list of one stands for all rows.
    """

    __slots__ = ("answers", "by_rows", "decided", "facts")

    def __init__(self, facts: Facts, decided: tuple[bool, ...] = ()) -> None:
        self.decided = decided
        self.answers: dict[int, bool] = {}
        self.facts = facts
        self.by_rows = False

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
    nor take its rows one by one. numbers: the constants, by their places. truths: the places of what is true or false.
    """

    __slots__ = ("by_value", "entries", "never_nan_at", "numbers", "path", "places", "rows", "truths")

    def __init__(self, rows: int) -> None:
        self.entries: list[Entry] = []
        self.places: dict[Entry, int] = {}
        self.numbers: dict[int, float] = {}
        self.by_value: dict[float, int] = {}
        self.truths: set[int] = set()
        self.never_nan_at: dict[int, bool] = {}
        self.rows = Rows(rows)
        self.rows.tape = self
        self.path: Path | None = None

    def add(self, entry: Entry) -> int:
        """Return the place of an entry, at the end if it is new."""
        place = self.places.setdefault(entry, len(self.entries))
        if place == len(self.entries):
            self.entries.append(entry)
            if entry[0] in LOGICAL:
                self.truths.add(place)
        return place

    def number(self, value: float) -> int:
        """Return the place of a constant."""
        place = self.by_value.get(value)
        if place is None:
            number = float(value)
            place = self.by_value[number] = self.add(("number", number))
            self.numbers[place] = number
        return place

    def logical_constant(self, value: bool) -> int:
        """Return the place of what is always true, or always false."""
        return self.add(("true",) if value else ("false",))

    def unary(self, operation: str, place: int) -> int:
        """Return the place of the result of an operation on a number: what `apply` does, fast in the usual case."""
        if place in self.numbers or place in self.truths or (operation != "neg" and operation not in FUNCTIONS):
            return self.apply(operation, place)
        return self.add((operation, place))

    def binary(self, operation: str, one: int, other: int) -> int:
        """Return the place of the result of an operation on two numbers: what `apply` does, fast in the usual case."""
        numbers, truths = self.numbers, self.truths
        if operation not in ARITHMETIC or (truths and (one in truths or other in truths)):
            return self.apply(operation, one, other)
        if one in numbers or other in numbers:
            same = self._simplified(operation, one, other)
            if same is not None:
                return same
        entry = (operation, one, other)
        place = self.places.get(entry)
        if place is None:
            place = self.places[entry] = len(self.entries)
            self.entries.append(entry)
        return place

    def apply(self, operation: str, *operands: int) -> int:
        """Return the place of the result of an operation on numbers; of constants it is worked out at once."""
        if self.truths:
            if operation in OF_LOGICAL and all(place in self.truths for place in operands):
                operation = OF_LOGICAL[operation]
            if operation not in CONDITIONAL:
                operands = tuple(self.numeric(place) for place in operands)
        if operation in CONDITIONAL:
            return self._conditional(operation, operands)
        if operation not in ARITHMETIC:
            return self._called(operation, operands)
        same = self._simplified(operation, *operands)
        return self.add((operation, *operands)) if same is None else same

    def _called(self, function: str, operands: tuple[int, ...]) -> int:
        if function not in FUNCTIONS:
            raise UntraceableError(f"calls `{function}`, which formulas do not know")
        if all(place in self.numbers for place in operands):
            return self.number(constant_call(FUNCTIONS[function], [self.numbers[place] for place in operands]))
        return self.add((function, *operands))

    def _simplified(self, operation: str, one: int, other: int | None = None) -> int | None:
        """Return the place of what is a constant, or one of the operands; None if it is neither."""
        left = self.numbers.get(one)
        if other is None:
            return None if left is None else self.number(-left)
        right = self.numbers.get(other)
        if left is not None and right is not None:
            with np.errstate(all="ignore"):
                return self.number(float(ARITHMETIC[operation](left, right)))
        unchanged = UNCHANGED[operation]
        if right == unchanged:  # x - 0, x/1, x^1
            return one
        if left == unchanged and operation in ("+", "*"):  # 0 + x, as sum( ) begins; 1*x
            return other
        if operation == "^" and right == 0.0:
            return self.number(1.0)
        if operation == "*" and 0.0 in (left, right) and self.never_nan(one) and self.never_nan(other):
            return self.number(0.0)
        return None

    def _conditional(self, operation: str, operands: tuple[int, ...]) -> int:
        """Return the place of a comparison, of a choice, or of what is made of conditions."""
        if operation == "where":
            return self.choice(self.truth(operands[0]), operands[1], operands[2])
        if operation in COMPARISONS:
            places = tuple(self.numeric(place) for place in operands)
            values = [self.numbers[place] for place in places if place in self.numbers]
            if len(values) == 2:
                return self.logical_constant(COMPARISONS[operation](*values))
            return self.add((operation, *places))
        places = tuple(self.truth(place) for place in operands)
        if operation == "not":
            return self._negated(places[0])
        one, other = places
        facts = Facts(self.entries)
        facts.learn(one, operation == "and", self.compares_numbers(one))
        other = self.assumed(other, facts)
        if self.entries[other][0] in ("true", "false"):
            return one if (self.entries[other][0] == "true") == (operation == "and") else other
        decided = self.entries[one][0]
        if decided in ("true", "false"):
            return other if (decided == "true") == (operation == "and") else one
        return self.add((operation, one, other))

    def _negated(self, place: int) -> int:
        operation, *operands = self.entries[place]
        if operation in ("true", "false"):
            return self.logical_constant(operation == "false")
        if operation == "not":
            return int(operands[0])
        if not self.compares_numbers(place):  # of NaN neither x < m holds nor x >= m, which formulas take for opposites
            return self.add(("==", self.numeric(place), self.number(0.0)))
        return self.add(("not", place))

    def choice(self, condition: int, chosen: int, other: int) -> int:
        """Return the place of one thing where a condition holds, and of another elsewhere."""
        if any(place in self.truths or self.entries[place][0] == "where" for place in (chosen, other)):
            sure = self.compares_numbers(condition)
            facts = Facts(self.entries)
            chosen = self.assumed(chosen, facts.within(condition, True, sure))
            other = self.assumed(other, facts.within(condition, False, sure))
        operation, *inner = self.entries[condition]
        if chosen == other or operation == "true":
            return chosen
        if operation == "false":
            return other
        if operation == "not":
            return self.choice(inner[0], other, chosen)
        if chosen in self.truths and other in self.truths:
            first, second = self.apply("and", condition, chosen), self.apply("and", self._negated(condition), other)
            return self.apply("or", first, second)
        return self.add(("where", condition, self.numeric(chosen), self.numeric(other)))

    def assumed(self, place: int, facts: Facts) -> int:
        """Return what stands at a place, a choice or a condition, if certain conditions hold."""
        operation, *operands = self.entries[place]
        if operation == "where":
            condition, chosen, other = operands
            known = facts.known(condition)
            if known is not None:
                return self.assumed(chosen if known else other, facts)
            return self.choice(self.assumed(condition, facts), self.assumed(chosen, facts), self.assumed(other, facts))
        if place not in self.truths:
            return place
        known = facts.known(place)
        if known is not None:
            return self.logical_constant(known)
        if operation in ("and", "or"):
            return self.apply(str(operation), *(self.assumed(each, facts) for each in operands))
        return place

    def truth(self, place: int) -> int:
        """Return a place as one of a truth value: whether the number there is not 0."""
        return place if place in self.truths else self.apply("!=", place, self.number(0.0))

    def value(self, place: int) -> float | None:
        """Return the constant at a place; None if there is none."""
        return self.numbers.get(place)

    def holds(self, place: int) -> bool:
        """Return whether the function is to find the condition at a place true.

        Of constants it is known; otherwise both ways are gone, one after the other. Raises UntraceableError if the
        function may have no branches.
        """
        operation, *operands = self.entries[place]
        if operation == "number":
            return bool(operands[0])
        if operation in ("true", "false"):
            return bool(operation == "true")
        if operation == "not":
            return not self.holds(operands[0])
        if self.path is None:
            raise UntraceableError("goes one way or another")
        condition = self.truth(place)
        known = self.path.facts.known(condition)
        if known is None:
            known = self.path.taken(condition)
            self.path.facts.learn(condition, known, self.compares_numbers(condition))
        return known

    def logical(self, place: int) -> bool:
        """Whether what stands at a place is true or false."""
        return place in self.truths

    def numeric(self, place: int) -> int:
        """Return a place as one of a number: 1 where it was true and 0 where it was false."""
        if place not in self.truths:
            return place
        return self.choice(place, self.number(1.0), self.number(0.0))

    def never_nan(self, place: int) -> bool:
        """Whether what stands at a place is a number whatever the parameters are."""
        known = self.never_nan_at.get(place)
        if known is None:
            operation, *operands = self.entries[place]
            if operation == "number":
                known = not np.isnan(operands[0])
            elif operation == "^":
                exponent = self.numbers.get(operands[1])
                known = exponent is not None and exponent >= 0 and exponent.is_integer()
                known = known and self.never_nan(operands[0])
            elif operation == "/":
                known = self.numbers.get(operands[1], 0.0) != 0.0 and self.never_nan(operands[0])
            else:
                known = operation in LOGICAL or (
                    operation in NEVER_NAN and all(self.never_nan(each) for each in operands if type(each) is int)
                )
            self.never_nan_at[place] = known
        return known

    def compares_numbers(self, condition: int) -> bool:
        """Whether no condition in one compares what may be NaN."""
        return all(
            self.compares_numbers(each) if each in self.truths else self.never_nan(each)
            for each in self.entries[condition][1:]
            if type(each) is int
        )
