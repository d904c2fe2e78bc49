"""The units of a formula: a walk over its syntax tree that collects what has to be equal, or a pure number."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise

from sympy import Expr, Integer, Rational

from descend.formula import syntax, tree
from descend.formula.build import Builder
from descend.formula.functions import CONSTANTS, function_named
from descend.formula.operator_calls import as_operation
from descend.units.equations import DEGREES, NUMBER, RADIANS, REFERENCE, Amount, Equations
from descend.units.library import is_one, offset_of, ratio, unit_of
from descend.units.unit import Atom, Unit, Unknown

LOGARITHMS = ("log", "log2", "log10")
KELVIN = Unit({Atom("kelvin", "K"): Integer(1)})
RANKINE = Unit({Atom("degree_Rankine", "°R"): Integer(1)})
OF_OFFSET = {"degree_Celsius": KELVIN, "degree_Fahrenheit": RANKINE}
"""What a temperature is in once its zero was added."""

POWERS: dict[str, Expr] = {
    "u": Integer(1),
    "u^2": Integer(2),
    "1/u": Integer(-1),
    "u^(1/2)": Rational(1, 2),
    "u^(1/3)": Rational(1, 3),
}
"""Results that follow from the unit u of the arguments."""
ANGLES = {"rad": RADIANS, "deg": DEGREES}


@lru_cache(maxsize=256)
def signature(text: str, count: int) -> tuple[tuple[str, ...], Unit, Expr]:
    """Return what each of ``count`` arguments is, and the unit of the result with the power of u beside it.

    An argument is ``1``, a pure number; ``rad`` or ``deg``, an angle; ``u``, of any unit, the same for all of them; or
    ``any``. The last one is that of all further arguments.

    >>> wanted, unit, power = signature("u -> u^(1/2)", 1)
    >>> wanted, str(unit), power
    (('u',), '1', 1/2)
    """
    before, _, after = text.partition(" -> ")
    kinds = before.split(", ")
    argument_units = tuple(kinds[min(argument_number, len(kinds) - 1)] for argument_number in range(count))
    return argument_units, ANGLES.get(after, Unit()), POWERS.get(after, Integer(0))


def _of_constant(node: tree.Number) -> Unit:
    """Return the unit of a number: one that a named curve brings along may have that of its x or y, not known yet."""
    if node.unit in ("x", "y"):
        return Unit({Unknown(f"unit of {node.unit}( )", node.start): Integer(1)})
    return (unit_of(node.unit) if node.unit else None) or Unit()


@dataclass
class Reader(Equations):
    """Reads the units of one text.

    vectors: the labels of the components of vectors. grouped: bases of powers with a fitted exponent, which are pure
    numbers where nothing else says so. named: the parameters that were met. calls: functions beside the built-in ones,
    which return the unit of their value.
    """

    vectors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    grouped: list[Unit] = field(default_factory=list)
    named: dict[str, None] = field(default_factory=dict)
    calls: Mapping[str, Callable[[tree.Call], Unit]] = field(default_factory=dict)

    def visit(self, node: tree.Node, expected: Amount | None = None, angle: bool = False) -> Amount | None:
        """Return the amount that a part is; None for 0, which has any unit.

        expected: what the sum has to be, if that is known. angle: whether it is taken as an angle, in which pi is half
        a turn.
        """
        node = as_operation(node)
        match node:
            case tree.Number():
                value = float(node.text)
                return Amount(node, _of_constant(node), (value,)) if value else None
            case tree.Name():
                return self._name(node, angle)
            case tree.Prefix():
                inside_amount = self.visit(node.operand, expected, angle)
                return inside_amount if inside_amount is None else replace(inside_amount, node=node)
            case tree.Chain(rank=syntax.SUM):
                return self._sum(node, expected, angle)
            case tree.Chain(rank=syntax.PRODUCT):
                return self._product(node, angle)
            case tree.Chain():
                self._condition(node)
                return None
            case tree.Power():
                return self._power(node)
            case tree.Grouped():
                return Amount(node, self._parameter(node.parameter.name))
            case tree.Dot():
                return self._dot(node, expected)
            case tree.Call():
                return self._call(node, expected, angle)
            case _:
                raise AssertionError(node)

    def _name(self, node: tree.Name, angle: bool) -> Amount:
        name = node.name
        if name in self.columns:
            unit = self.columns[name] or Unit({Unknown(name, is_column=True): Integer(1)})
            return Amount(node, unit, column=True)
        if name in CONSTANTS and not node.quoted:
            turn = angle and float(CONSTANTS[name]) == math.pi
            return Amount(node, RADIANS if turn else Unit(), (float(CONSTANTS[name]),))
        return Amount(node, self._parameter(name))

    def _parameter(self, name: str, component: int = -1) -> Unit:
        self.named[name] = None
        return Unit({Unknown(name, component): Integer(1)})

    def _sum(self, node: tree.Chain, expected: Amount | None, angle: bool) -> Amount | None:
        amounts = [self.visit(each, None, angle) for each in node.operands]
        operators = ("+", *node.operators)
        reference, first = expected, expected is not None
        for amount, operator in zip(amounts, operators, strict=True):
            if amount is None:
                continue
            if reference is None:
                reference = amount
            elif first:
                self.equal(reference, amount, "left")
                reference, first = replace(reference, node=amount.node), False
            elif (shifted := self._shifted(reference, amount, operator)) is not None:
                reference = shifted
            else:
                reference = self.equal(reference, amount, "adds" if operator == "+" else "subtracts")
        return None if reference is None else replace(reference, node=node, numbers=(), column=False)

    def _shifted(self, left_amount: Amount, right_amount: Amount, operator: str) -> Amount | None:
        """Return a temperature to which the zero of its scale was added, or from which it was subtracted."""
        number, temperature = (left_amount, right_amount) if left_amount.literal else (right_amount, left_amount)
        if not number.literal:
            return None
        unit, value = self.system.resolved(temperature.unit), math.prod(number.numbers)
        unit_offset = offset_of(unit)
        if unit_offset is not None and operator == "+" and math.isclose(value, unit_offset[1], abs_tol=0.2):
            return replace(temperature, unit=OF_OFFSET.get(unit_offset[0].name, unit))
        celsius = operator == "-" and number is right_amount and math.isclose(value, 273.15, abs_tol=0.2)
        if celsius and unit == KELVIN:
            return replace(temperature, unit=Unit({Atom("degree_Celsius", "°C"): Integer(1)}))
        return None

    def _product(self, node: tree.Chain, angle: bool) -> Amount | None:
        unit, numbers, column = Unit(), list[float](), False
        for operand, operator in zip(node.operands, ("*", *node.operators), strict=True):
            amount = self.visit(operand, None, angle)
            if amount is None:
                return None
            if operator == "/":
                self.divisor(amount)
            column |= amount.column
            power = Integer(1 if operator == "*" else -1)
            unit = unit.times(amount.unit, power)
            numbers += [number ** int(power) for number in amount.numbers]
        product_amount = Amount(node, unit, tuple(numbers), column)
        size = ratio(unit) if numbers and unit.known and not angle else None
        if size is not None and not is_one(size) and product_amount.converts(size):
            return Amount(node, Unit())  # a share of %, divided by 100
        if angle and self.system.resolved(unit) == DEGREES * RADIANS and product_amount.converts(math.pi / 180.0):
            return Amount(node, RADIANS)  # so that a phase can be added to it
        return product_amount

    def _condition(self, node: tree.Chain) -> None:
        amounts = [self.visit(each) for each in node.operands]
        if node.rank == syntax.COMPARISON:
            for left_amount, right_amount in pairwise(amounts):
                if left_amount is not None and right_amount is not None:
                    self.equal(left_amount, right_amount, "compares")

    def _power(self, node: tree.Power) -> Amount | None:
        base, exponent = self.visit(node.base), self.exponent(node.exponent)
        if base is None:
            return None
        if exponent.is_number:
            power = exponent if exponent.is_Rational else Rational(str(float(exponent))).limit_denominator(10**6)
            if power < 0:
                self.divisor(base)
            numbers = tuple(abs(number) ** float(power) for number in base.numbers)
            return Amount(node, base.unit**power, numbers)
        self.pure(self.visit(node.exponent), node.exponent, "is an exponent in {}, which is no pure number")
        unit = self.system.resolved(base.unit)
        if unit.powers:
            self.grouped.append(unit)
        return Amount(node, unit**exponent)

    def exponent(self, node: tree.Node) -> Expr:
        """Return an exponent as an expression."""
        return Builder(self.text, tuple(self.columns), starts=None).build(node)

    def _dot(self, node: tree.Dot, expected: Amount | None) -> Amount | None:
        """Take each component times its item as a term of a sum."""
        name, component, reference = node.name.name, 0, expected
        labels = self.vectors.get(name, ())
        for item in node.items:
            if isinstance(item, tree.Pattern):
                items_with_units: list[tree.Node] = []
                while component + len(items_with_units) < len(labels) and fnmatch.fnmatchcase(
                    label := labels[component + len(items_with_units)].strip("`"), item.text
                ):
                    items_with_units.append(tree.Name(item.start, item.end, label, True))
            else:
                items_with_units = [item]
            for each in items_with_units:
                amount = self.visit(each)
                if amount is not None:
                    unit = amount.unit * self._parameter(name, component)
                    term = Amount(node, unit, amount.numbers)
                    reference = term if reference is None else self.equal(reference, term, "adds")
                component += 1
        return None if reference is None else replace(reference, node=node, numbers=())

    def _call(self, node: tree.Call, expected: Amount | None, angle: bool) -> Amount | None:
        if node.function in self.calls:
            return Amount(node, self.calls[node.function](node))
        function = function_named(node.function)
        if node.function == "I" and len(node.arguments) == 1:
            return self.visit(node.arguments[0], expected, angle)
        if function is None:
            for argument in (*node.arguments, *(value for _, value in node.named)):
                self.visit(argument)
            return Amount(node, Unit({Unknown(f"{node.function}( )", node.start): Integer(1)}))
        if function.name == "where":
            self.visit(node.arguments[0])
            branch_units = [self.visit(each, expected, angle) for each in node.arguments[1:]]
            return self._alike(node, branch_units, "chooses")
        units, result, power = signature(function.units, len(node.arguments))
        amounts = [self.visit(each, None, kind in ANGLES) for each, kind in zip(node.arguments, units, strict=True)]
        of = self._alike(node, [a for a, kind in zip(amounts, units, strict=True) if kind == "u"], "compares")
        for amount, kind in zip(amounts, units, strict=True):
            if kind in ANGLES:
                self.angle(amount, node, node.function, ANGLES[kind])
            elif kind == "1":
                hint = REFERENCE if function.name in LOGARITHMS else NUMBER
                self.pure(amount, node, f"takes {node.function} of {{}}, which is no pure number", hint)
        unit = result if of is None else result.times(of.unit, power)
        return Amount(node, unit)

    def _alike(self, node: tree.Node, amounts: Sequence[Amount | None], verb: str) -> Amount | None:
        reference: Amount | None = None
        for amount in amounts:
            if amount is not None:
                reference = amount if reference is None else self.equal(reference, amount, verb)
        return None if reference is None else replace(reference, node=node, numbers=())
