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
        tape_place = self.places.setdefault(entry, len(self.entries))
        if tape_place == len(self.entries):
            self.entries.append(entry)
            if entry[0] in LOGICAL:
                self.truths.add(tape_place)
        return tape_place

    def number(self, value: float) -> int:
        """Return the place of a constant."""
        tape_place = self.by_value.get(value)
        if tape_place is None:
            number = float(value)
            tape_place = self.by_value[number] = self.add(("number", number))
            self.numbers[tape_place] = number
        return tape_place

    def logical_constant(self, value: bool) -> int:
        """Return the place of what is always true, or always false."""
        return self.add(("true",) if value else ("false",))

    def unary(self, operation: str, operand: int) -> int:
        """Return the place of the result of an operation on a number: what `apply` does, fast in the usual case."""
        if operand in self.numbers or operand in self.truths or (operation != "neg" and operation not in FUNCTIONS):
            return self.apply(operation, operand)
        return self.add((operation, operand))

    def binary(self, operation: str, left_place: int, right_place: int) -> int:
        """Return the place of the result of an operation on two numbers: what `apply` does, fast in the usual case."""
        numbers, truths = self.numbers, self.truths
        if operation not in ARITHMETIC or (truths and (left_place in truths or right_place in truths)):
            return self.apply(operation, left_place, right_place)
        if left_place in numbers or right_place in numbers:
            same = self._simplified(operation, left_place, right_place)
            if same is not None:
                return same
        entry = (operation, left_place, right_place)
        tape_place = self.places.get(entry)
        if tape_place is None:
            tape_place = self.places[entry] = len(self.entries)
            self.entries.append(entry)
        return tape_place

    def apply(self, operation: str, *operands: int) -> int:
        """Return the place of the result of an operation on numbers; of constants it is worked out at once."""
        if self.truths:
            if operation in OF_LOGICAL and all(tape_place in self.truths for tape_place in operands):
                operation = OF_LOGICAL[operation]
            if operation not in CONDITIONAL:
                operands = tuple(self.numeric(tape_place) for tape_place in operands)
        if operation in CONDITIONAL:
            return self._conditional(operation, operands)
        if operation not in ARITHMETIC:
            return self._called(operation, operands)
        same = self._simplified(operation, *operands)
        return self.add((operation, *operands)) if same is None else same

    def _called(self, function: str, operands: tuple[int, ...]) -> int:
        if function not in FUNCTIONS:
            raise UntraceableError(f"calls `{function}`, which formulas do not know")
        if all(operand in self.numbers for operand in operands):
            return self.number(constant_call(FUNCTIONS[function], [self.numbers[operand] for operand in operands]))
        return self.add((function, *operands))

    def _simplified(self, operation: str, left_place: int, right_place: int | None = None) -> int | None:
        """Return the place of what is a constant, or one of the operands; None if it is neither."""
        left = self.numbers.get(left_place)
        if right_place is None:
            return None if left is None else self.number(-left)
        right = self.numbers.get(right_place)
        if left is not None and right is not None:
            with np.errstate(all="ignore"):
                return self.number(float(ARITHMETIC[operation](left, right)))
        unchanged = UNCHANGED[operation]
        if right == unchanged:  # x - 0, x/1, x^1
            return left_place
        if left == unchanged and operation in ("+", "*"):  # 0 + x, as sum( ) begins; 1*x
            return right_place
        if left == 0.0 and operation == "-":
            return self.add(("neg", right_place))
        if operation == "^" and right == 0.0:
            return self.number(1.0)
        if operation == "*" and 0.0 in (left, right) and self.never_nan(left_place) and self.never_nan(right_place):
            return self.number(0.0)
        return None

    def _conditional(self, operation: str, operands: tuple[int, ...]) -> int:
        """Return the place of a comparison, of a choice, or of what is made of conditions."""
        if operation == "where":
            return self.choice(self.truth(operands[0]), operands[1], operands[2])
        if operation in COMPARISONS:
            operand_places = tuple(self.numeric(operand_place) for operand_place in operands)
            values = [self.numbers[operand_place] for operand_place in operand_places if operand_place in self.numbers]
            if len(values) == 2:
                return self.logical_constant(COMPARISONS[operation](*values))
            return self.add((operation, *operand_places))
        operand_places = tuple(self.truth(operand_place) for operand_place in operands)
        if operation == "not":
            return self._negated(operand_places[0])
        left_place, right_place = operand_places
        facts = Facts(self.entries)
        facts.learn(left_place, operation == "and", self.compares_numbers(left_place))
        right_place = self.assumed(right_place, facts)
        if self.entries[right_place][0] in ("true", "false"):
            return left_place if (self.entries[right_place][0] == "true") == (operation == "and") else right_place
        decided = self.entries[left_place][0]
        if decided in ("true", "false"):
            return right_place if (decided == "true") == (operation == "and") else left_place
        return self.add((operation, left_place, right_place))

    def _negated(self, condition: int) -> int:
        operation, *operands = self.entries[condition]
        if operation in ("true", "false"):
            return self.logical_constant(operation == "false")
        if operation == "not":
            return int(operands[0])
        if not self.compares_numbers(
            condition
        ):  # of NaN neither x < m holds nor x >= m, which formulas take for opposites
            return self.add(("==", self.numeric(condition), self.number(0.0)))
        return self.add(("not", condition))

    def choice(self, condition: int, place_if: int, other: int) -> int:
        """Return the place of one thing where a condition holds, and of another elsewhere."""
        if any(tape_place in self.truths or self.entries[tape_place][0] == "where" for tape_place in (place_if, other)):
            sure = self.compares_numbers(condition)
            facts = Facts(self.entries)
            place_if = self.assumed(place_if, facts.within(condition, True, sure))
            other = self.assumed(other, facts.within(condition, False, sure))
        operation, *inner = self.entries[condition]
        if place_if == other or operation == "true":
            return place_if
        if operation == "false":
            return other
        if operation == "not":
            return self.choice(inner[0], other, place_if)
        if place_if in self.truths and other in self.truths:
            first, second = self.apply("and", condition, place_if), self.apply("and", self._negated(condition), other)
            return self.apply("or", first, second)
        return self.add(("where", condition, self.numeric(place_if), self.numeric(other)))

    def assumed(self, tape_place: int, facts: Facts) -> int:
        """Return what stands at a place, a choice or a condition, if certain conditions hold."""
        operation, *operands = self.entries[tape_place]
        if operation == "where":
            condition, place_if, place_else = operands
            truth_known = facts.known(condition)
            if truth_known is not None:
                return self.assumed(place_if if truth_known else place_else, facts)
            return self.choice(
                self.assumed(condition, facts), self.assumed(place_if, facts), self.assumed(place_else, facts)
            )
        if tape_place not in self.truths:
            return tape_place
        truth_known = facts.known(tape_place)
        if truth_known is not None:
            return self.logical_constant(truth_known)
        if operation in ("and", "or"):
            return self.apply(str(operation), *(self.assumed(each, facts) for each in operands))
        return tape_place

    def truth(self, tape_place: int) -> int:
        """Return a place as one of a truth value: whether the number there is not 0."""
        return tape_place if tape_place in self.truths else self.apply("!=", tape_place, self.number(0.0))

    def value(self, tape_place: int) -> float | None:
        """Return the constant at a place; None if there is none."""
        return self.numbers.get(tape_place)

    def holds(self, tape_place: int) -> bool:
        """Return whether the function is to find the condition at a place true.

        Of constants it is known; otherwise both ways are gone, one after the other. Raises UntraceableError if the
        function may have no branches.
        """
        operation, *operands = self.entries[tape_place]
        if operation == "number":
            return bool(operands[0])
        if operation in ("true", "false"):
            return bool(operation == "true")
        if operation == "not":
            return not self.holds(operands[0])
        if self.path is None:
            raise UntraceableError("goes one way or another")
        condition = self.truth(tape_place)
        truth_known = self.path.facts.known(condition)
        if truth_known is None:
            truth_known = self.path.taken(condition)
            self.path.facts.learn(condition, truth_known, self.compares_numbers(condition))
        return truth_known

    def numeric(self, tape_place: int) -> int:
        """Return a place as one of a number: 1 where it was true and 0 where it was false."""
        if tape_place not in self.truths:
            return tape_place
        return self.choice(tape_place, self.number(1.0), self.number(0.0))

    def never_nan(self, tape_place: int) -> bool:
        """Whether what stands at a place is a number whatever the parameters are."""
        is_a_number = self.never_nan_at.get(tape_place)
        if is_a_number is None:
            operation, *operands = self.entries[tape_place]
            if operation == "number":
                is_a_number = not np.isnan(operands[0])
            elif operation == "^":
                exponent = self.numbers.get(operands[1])
                is_a_number = exponent is not None and exponent >= 0 and exponent.is_integer()
                is_a_number = is_a_number and self.never_nan(operands[0])
            elif operation == "/":
                is_a_number = self.numbers.get(operands[1], 0.0) != 0.0 and self.never_nan(operands[0])
            else:
                is_a_number = operation in LOGICAL or (
                    operation in NEVER_NAN and all(self.never_nan(each) for each in operands if type(each) is int)
                )
            self.never_nan_at[tape_place] = is_a_number
        return is_a_number

    def compares_numbers(self, condition: int) -> bool:
        """Whether no condition in one compares what may be NaN."""
        return all(
            self.compares_numbers(each) if each in self.truths else self.never_nan(each)
            for each in self.entries[condition][1:]
            if type(each) is int
        )
