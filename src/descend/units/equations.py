"""What a part of a formula says of units: that two are alike, or one is a pure number; what cannot be is a fault."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from sympy import Integer

from descend.formula.tree import Node, names_in
from descend.units.fault import CONSTANT, Fault, in_words, words
from descend.units.library import is_one, offset_of, ratio
from descend.units.system import System
from descend.units.unit import RADIAN, Atom, Unit

RADIANS = Unit({Atom(RADIAN, "rad"): Integer(1)})
DEGREES = Unit({Atom("degree", "°"): Integer(1)})
NEAR = 1e-6
"""Relative difference up to which a number in the formula counts as the factor between two units."""
VERBS = {
    "adds": "adds {} and {}",
    "subtracts": "subtracts {1} from {0}",
    "compares": "compares {} with {}",
    "chooses": "chooses between {} and {}",
    "left": "is {1}, and the left side {0}",
}
"""What is done with two amounts that have to be alike."""
CONVERT = "Convert one of them, in the data or by a number in the formula."
NUMBER = "Divide what is inside by something in that unit, or multiply it by a parameter, as in exp(-b*t)."
REFERENCE = (
    "Divide what is inside by a reference in that unit, as in log(c/c0) with c0 fixed, or say nothing of the unit: "
    "then the numbers are taken as they are."
)
CORRECT = "Correct the formula or the units."
TURN = "Multiply it by pi/180, or write sind, cosd or tand."
TURN_BACK = "Multiply it by 180/pi, or write sin, cos or tan."
PERIOD = "Divide what is inside by a period, or multiply it by a parameter, as in sin(2*pi*f*t)."
ZERO = "Its zero is none of the temperature: add 273.15 to one in °C, and it is in K."


@dataclass(frozen=True)
class Amount:
    """A part of the formula.

    unit: its unit; numbers: those that multiply it, which may convert it. column: whether it is a column, which as a
    temperature is counted from a zero of its own, or that with factors.
    """

    node: Node
    unit: Unit
    numbers: tuple[float, ...] = ()
    column: bool = False

    @property
    def literal(self) -> bool:
        """Whether it is a number that stands in the formula."""
        return not self.unit.powers and bool(self.numbers)

    def converts(self, factor: float) -> bool:
        """Whether a number that multiplies it, or all of them together, is this factor."""
        factors = (*self.numbers, math.prod(self.numbers)) if self.numbers else ()
        return any(math.isclose(abs(each), factor, rel_tol=NEAR) for each in factors)


@dataclass
class Equations:
    """Collects what the parts of one text say.

    columns: the units of columns, None of those that have none. left: the columns on the left side.
    """

    text: str
    columns: Mapping[str, Unit | None]
    system: System
    left: tuple[str, ...] = ()
    faults: list[Fault] = field(default_factory=list)

    def equal(self, amount: Amount, right: Amount, verb: str) -> Amount:
        """Take note that two amounts have one unit; return the one whose unit they have together."""
        units = [self.system.resolved(each.unit) for each in (amount, right)]
        left = self.system.add(amount.unit / right.unit)
        size = 1.0 if left is None else ratio(left)
        if size is None or self._other_zero(*units):
            self._fail_pair(amount, right, verb, units, CORRECT if all(unit.powers for unit in units) else CONSTANT)
        elif right.converts(1.0 / size) or is_one(size):
            return amount
        elif amount.converts(size):
            return right
        else:
            self._fail_pair(
                amount, right, verb, units, CONVERT, f", which differ by a factor of {max(size, 1.0 / size):.6g}"
            )
        return amount

    def _other_zero(self, left_unit: Unit, right_unit: Unit) -> bool:
        """Whether two temperatures are counted from different zeros."""
        zeros = [offset_of(unit) for unit in (left_unit, right_unit)]
        return any(zeros) and left_unit != right_unit and left_unit.known and right_unit.known

    def _fail_pair(self, left: Amount, amount: Amount, verb: str, units: list[Unit], hint: str, more: str = "") -> None:
        sentence = VERBS[verb].format(*map(in_words if verb == "left" else words, units)) + more
        self.fail(amount.node if verb == "left" else left.node, amount.node, sentence, hint, self.left)

    def pure(self, amount: Amount | None, node: Node, sentence: str, hint: str = NUMBER) -> None:
        """Take note that an amount is a pure number. sentence: what is wrong if it is not, ``{}`` being its unit."""
        if amount is not None:
            self._one(amount, amount.unit, node, sentence, hint)

    def angle(self, amount: Amount | None, node: Node, function: str, unit: Unit) -> None:
        """Take note that an amount is an angle, which is a pure number in radians."""
        if amount is None or not self.system.resolved(amount.unit).powers:
            return
        angle_unit = "degrees" if unit is DEGREES else "radians"
        sentence = f"takes {function} of {{}}, and not of an angle in {angle_unit}"
        resolved = self.system.resolved(amount.unit)
        hint = TURN if resolved == DEGREES else TURN_BACK if resolved == RADIANS else PERIOD
        self._one(amount, amount.unit / unit, node, sentence, hint)

    def divisor(self, amount: Amount | None) -> None:
        """Take note of what something is divided by, which can be no temperature that begins elsewhere than at 0 K."""
        if amount is None or not amount.column:
            return
        for base in self.system.resolved(amount.unit).powers:
            if isinstance(base, Atom) and offset_of(Unit({base: Integer(1)})) is not None:
                self.fail(amount.node, amount.node, f"is divided by, and is {in_words(amount.unit)}", ZERO)

    def _one(self, amount: Amount, unit: Unit, node: Node, sentence: str, hint: str) -> None:
        before = self.system.resolved(amount.unit)
        before = before.without(RADIAN) if len(before.powers) > 1 else before
        left = self.system.add(unit)
        size = 1.0 if left is None else ratio(left)
        if size is None or not (is_one(size) or amount.converts(size)):
            self.fail(node, node, sentence.format(words(before)), hint)

    def fail(self, left_node: Node, right_node: Node, sentence: str, hint: str, hints: tuple[str, ...] = ()) -> None:
        """Take note of a fault from the start of one part to the end of another."""
        start, end = balanced(self.text, min(left_node.start, right_node.start), max(left_node.end, right_node.end))
        columns = (name.name for name in names_in(left_node, right_node) if name.name in self.columns)
        if not any(start <= fault.start and fault.end <= end for fault in self.faults):  # of which this may follow
            self.faults.append(Fault(self.text, start, end, sentence, hint, tuple(dict.fromkeys((*columns, *hints)))))


def balanced(text: str, start: int, end: int) -> tuple[int, int]:
    """Extend a part of a formula over the brackets it lacks: nodes begin and end inside those around them.

    >>> text = "y ~ (a + t)*x"
    >>> start, end = balanced(text, 5, 13)
    >>> text[start:end]
    '(a + t)*x'
    """
    depth = lowest = 0
    for sign in text[start:end]:
        depth += (sign in "([") - (sign in ")]")
        lowest = min(lowest, depth)
    while lowest < 0 and start > 0:
        start -= 1
        lowest += text[start] in "(["
        depth += text[start] in "(["
    while depth > 0 and end < len(text):
        depth -= text[end] in ")]"
        end += 1
    return start, end
