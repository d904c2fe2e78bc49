"""Where an expression has a value, between which numbers it stays, and where it bends."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr

from descend.formula.compile import compile_expression
from descend.formula.derivative import derivatives
from descend.formula.formula import Formula
from descend.formula.functions import REAL, Function, Interval, constant_call, entry_of
from descend.formula.printers.code import as_text
from descend.formula.symbols import Parameter, Predictor

Array = NDArray[np.float64]


RELATIONS: dict[str, tuple[Callable[[Array], NDArray[np.bool_]], str]] = {
    "> 0": (lambda values: values > 0.0, "<= 0"),
    ">= 0": (lambda values: values >= 0.0, "< 0"),
    "!= 0": (lambda values: values != 0.0, "0"),
    "> -1": (lambda values: values > -1.0, "<= -1"),
    ">= 1": (lambda values: values >= 1.0, "< 1"),
    ">= -1/e": (lambda values: values >= -math.exp(-1.0), "< -1/e"),
    "between -1 and 1": (lambda values: np.abs(values) <= 1.0, "not between -1 and 1"),
    "between 0 and 1": (lambda values: (values >= 0.0) & (values <= 1.0), "not between 0 and 1"),
    "above -1 and below 1": (lambda values: np.abs(values) < 1.0, "not above -1 and below 1"),
    "above 0 and below 2": (lambda values: (values > 0.0) & (values < 2.0), "not above 0 and below 2"),
    "above 0 and below 1": (lambda values: (values > 0.0) & (values < 1.0), "not above 0 and below 1"),
}
"""What a function may ask of an argument: whether values satisfy it, and what holds where they do not."""
ABOVE = ("> 0", "!= 0", ">= 0", "> -1", ">= -1/e")
"""The relations that all positive numbers satisfy; but for the first two, 0 does, too."""
LONG = 30
"""Operations above which the bounds of an argument are not sought."""


@dataclass(frozen=True)
class Limit:
    """A condition that an argument must satisfy for ``expression``, a function of it, to have a value.

    relation: one of ``RELATIONS``.
    """

    expression: Expr
    argument: Expr
    relation: str

    @property
    def of_data_alone(self) -> bool:
        return not self.argument.atoms(Parameter, Predictor)

    def broken(self, values: Array) -> NDArray[np.bool_]:
        """Say where values of the argument break the condition."""
        with np.errstate(invalid="ignore"):
            return ~RELATIONS[self.relation][0](values)

    @property
    def opposite(self) -> str:
        """Say what holds where the condition does not."""
        return RELATIONS[self.relation][1]

    def __str__(self) -> str:
        be = "" if self.relation[0] in "<>!" else "be "
        return f"{as_text(self.expression)} needs {as_text(self.argument)} {'to ' if be else ''}{be}{self.relation}"


@lru_cache(maxsize=128)
def limits(formula: Formula) -> tuple[Limit, ...]:
    """Return the conditions that both sides of a formula set on their arguments and that can fail, innermost first."""
    sides = [formula.response, *(item for term in formula.terms.values() for item in term.each), formula.expression]
    demands: dict[tuple[Expr, str], Limit] = {}
    for side in sides:
        for node in sympy.postorder_traversal(side):
            for argument, relation in _demands(node):
                if not _always(argument, relation):
                    demands.setdefault((argument, relation), Limit(node, argument, relation))
    strict = {argument for argument, relation in demands if relation == "> 0"}
    return tuple(limit for limit in demands.values() if limit.relation == "> 0" or limit.argument not in strict)


def _demands(node: Expr) -> Iterator[tuple[Expr, str]]:
    function = entry_of(node)
    if function is not None and function.domain:
        arguments = enumerate(node.args)
        yield from ((argument, function.domain_of(place)) for place, argument in arguments if function.domain_of(place))
    elif node.is_Pow and not node.base.is_number:
        if not node.exp.is_number or (node.exp.is_negative and not node.exp.is_integer):
            yield node.base, "> 0"
        elif not node.exp.is_integer:
            yield node.base, ">= 0"
        elif node.exp.is_negative:
            yield node.base, "!= 0"


def _always(argument: Expr, relation: str) -> bool:
    """Whether an argument satisfies a relation whatever its symbols are; the bounds of long ones are not sought."""
    if argument.is_number:
        return True
    function = entry_of(argument)
    if relation == "!= 0" and argument.is_zero is False:
        return True
    if relation in ABOVE and (argument.is_positive or (function is not None and function.positive)):
        return True
    if relation in ABOVE[2:]:
        return bool(argument.is_nonnegative)
    if relation in ABOVE or argument.count_ops() > LONG:
        return False
    return bool(RELATIONS[relation][0](np.array(interval(argument, {}))).all())


def innermost_failure(
    expression: Expr, values: Mapping[Expr, float], largest: float = math.inf
) -> tuple[Expr, float] | None:
    """Return the innermost part of ``expression`` whose size at ``values`` is not below ``largest``, and its value."""
    symbols = tuple(values)
    for node in sympy.postorder_traversal(expression):
        if isinstance(node, Expr) and node.args:
            with np.errstate(all="ignore"):
                value = float(compile_expression(node, symbols)(*map(np.float64, values.values())))
            if not abs(value) < largest:
                return node, value
    return None


def interval(expression: Expr, intervals_known: Mapping[Expr, Interval]) -> Interval:
    """Return numbers between which an expression stays wherever it is real; it need not reach them.

    intervals_known: such intervals of its symbols; a symbol that is not among them may be any real number.

    >>> from descend.formula import read_formula
    >>> interval(read_formula("y ~ 3 - 2*sigmoid(a + b*x)", ["x", "y"]).expression, {})
    (1.0, 3.0)
    """
    if expression.is_number:
        value = float(expression)
        return value, value
    if expression.is_Symbol:
        return intervals_known.get(expression, REAL)
    intervals = [interval(argument, intervals_known) for argument in expression.args if isinstance(argument, Expr)]
    if expression.is_Add:
        return sum(low for low, _ in intervals), sum(high for _, high in intervals)
    if expression.is_Mul:
        return _product(expression, intervals, intervals_known)
    if expression.is_Pow:
        return _power(expression.args[1], *intervals)
    function = entry_of(expression)
    if function is None:
        return REAL
    if callable(function.range):
        return function.range(*intervals)
    monotone = function.rising or function.falling
    return _monotone(function, function.range, intervals[0]) if monotone else function.range


def _monotone(function: Function, limits: Interval, argument_interval: Interval) -> Interval:
    def at(value: float, limit: float) -> float:
        reached = math.inf if math.isinf(value) else constant_call(function, [value])
        return reached if math.isfinite(reached) else limit

    first, last = argument_interval if function.rising else argument_interval[::-1]
    return max(limits[0], at(first, limits[0])), min(limits[1], at(last, limits[1]))


def _product(expression: Expr, intervals: list[Interval], intervals_known: Mapping[Expr, Interval]) -> Interval:
    """Return the interval of a product; the ratio of a positive part to the whole lies between 0 and 1."""
    low, high = reduce(_times, intervals)
    number, remainder = expression.as_coeff_Mul()
    if number != 1:
        return _times((float(number), float(number)), interval(remainder, intervals_known))
    above, below = expression.as_numer_denom()
    if below.is_Add and low >= 0.0 and high > 1.0 and interval(sympy.expand(below - above), intervals_known)[0] >= 0.0:
        return low, 1.0
    return low, high


def _times(first_interval: Interval, second_interval: Interval) -> Interval:
    ends = [0.0 if a == 0.0 or b == 0.0 else a * b for a in first_interval for b in second_interval]
    return min(ends), max(ends)


def _power(exponent: Expr, base: Interval, power: Interval) -> Interval:
    """Return the interval of a power, which is real for a base of 0 or more, or for an integer exponent."""
    integer = bool(exponent.is_Integer)
    if integer and exponent < 0:
        return _reciprocal(_power(-exponent, base, (-power[1], -power[0])))
    if integer and exponent % 2 == 1:
        return tuple(math.copysign(_raised(abs(end), power[0]), end) for end in base)  # type: ignore[return-value]
    if integer and base[0] < 0.0:
        low = 0.0 if base[1] >= 0.0 else _raised(-base[1], power[0])
        return low, max(_raised(abs(end), power[0]) for end in base)
    base = max(base[0], 0.0), max(base[1], 0.0)
    ends = [_raised(end, by) for end in base for by in power]
    return min(ends), max(ends)


def _raised(base: float, power: float) -> float:
    """Return the limit of a power with a base of 0 or more; the larger one where there are several."""
    if base == 1.0:
        return 1.0
    try:
        return math.inf if base == 0.0 and power < 0.0 else base**power
    except OverflowError:
        return math.inf


def _reciprocal(interval: Interval) -> Interval:
    low, high = interval
    if low < 0.0 < high:
        return REAL
    at_zero = math.copysign(math.inf, high + low)
    ends = [at_zero if end == 0.0 else 1.0 / end for end in interval]
    return min(ends), max(ends)


@dataclass(frozen=True)
class Bend:
    """A part of an expression that bends where ``inside`` is 0: near there it is smooth + factor |inside|.

    gap: the difference of two branches, for a choice between them: then factor * gap bends, if the gap closes where
        inside = 0; otherwise there is a step. None if ``inside`` describes the bend by itself.
    """

    inside: Expr
    factor: Expr
    gap: Expr | None


@lru_cache(maxsize=128)
def bends(expression: Expr) -> tuple[Bend, ...]:
    """Return where an expression bends at places that move with its parameters.

    max(u, v) = (u + v + |u - v|)/2, and where(u < v, p, q) = (p + q + sign(v - u) (p - q))/2.

    >>> from descend.formula.real_functions import maximum
    >>> x = sympy.Symbol("x", real=True)
    >>> k = Parameter("k")
    >>> (bend,) = bends(3 * maximum(x - k, sympy.Integer(0)))
    >>> bend.inside == x - k, str(bend.factor)
    (True, '3/2')
    """
    bends_found = []
    for node in sympy.preorder_traversal(expression):
        function = entry_of(node)
        bend_parts = function.bend(*node.args) if function is not None and function.bend is not None else None
        if bend_parts is None or not bend_parts[0].atoms(Parameter, Predictor):
            continue
        bent_argument, share, gap = bend_parts
        symbol = sympy.Dummy(real=True)
        outer = derivatives(expression.xreplace({node: symbol}), [symbol])[symbol].xreplace({symbol: node})
        bends_found.append(Bend(bent_argument, share * outer, gap))
    return tuple(bends_found)
