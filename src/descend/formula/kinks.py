"""Where an expression bends: max, min, abs and where, each as a multiple of the size of something that may be 0."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import sympy
from sympy import Expr

from descend.formula.derivative import derivatives
from descend.formula.functions import absolute, maximum, minimum, where
from descend.formula.symbols import Parameter, Predictor

BELOW, ABOVE = (sympy.StrictLessThan, sympy.LessThan), (sympy.StrictGreaterThan, sympy.GreaterThan)


@dataclass(frozen=True)
class Bend:
    """A part of an expression that bends where ``inside`` is 0: near there it is smooth + factor |inside|.

    gap: of two branches, how far they are apart: what bends is factor * gap, for as far as the gap is closed at
        inside = 0, where it would be a step else; None if ``inside`` says it all.
    """

    inside: Expr
    factor: Expr
    gap: Expr | None


@lru_cache(maxsize=128)
def bends(expression: Expr) -> tuple[Bend, ...]:
    """Return where an expression bends at a place that its parameters can move.

    max(u, v) = (u + v + |u - v|)/2, and where(u < v, p, q) = (p + q + sign(v - u) (p - q))/2.

    >>> x = sympy.Symbol("x", real=True)
    >>> k = Parameter("k")
    >>> (bend,) = bends(3 * maximum(x - k, sympy.Integer(0)))
    >>> bend.inside == x - k, str(bend.factor)
    (True, '3/2')
    """
    found = []
    for node in sympy.preorder_traversal(expression):
        parts = _parts(node)
        if parts is None or not parts[0].atoms(Parameter, Predictor):
            continue
        inside, share, gap = parts
        place = sympy.Dummy(real=True)
        outer = derivatives(expression.xreplace({node: place}), [place])[place].xreplace({place: node})
        found.append(Bend(inside, share * outer, gap))
    return tuple(found)


def _parts(node: Expr) -> tuple[Expr, Expr, Expr | None] | None:
    if node.func in (maximum, minimum):
        first, second = node.args
        half = sympy.Rational(1, 2) if node.func is maximum else -sympy.Rational(1, 2)
        return first - second, half, None
    if node.func in (absolute, sympy.Abs):
        return node.args[0], sympy.Integer(1), None
    if node.func is where and isinstance(node.args[0], BELOW + ABOVE):
        condition, chosen, other = node.args
        gap = chosen - other if isinstance(condition, ABOVE) else other - chosen
        return condition.lhs - condition.rhs, sympy.Rational(1, 2), gap
    return None
