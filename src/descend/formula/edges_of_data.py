"""Rows in which data alone make a part of an expression 0 or infinite, whatever the parameters are.

Where x is 0, ``(x/k)^b`` is 0 or infinite for every k, and for every b of one sign: it does not move with them, so its
derivatives by them are 0 there. The rules of calculus would say 0 * inf, which is nan.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import sympy
from sympy import Expr, Integer
from sympy.core.relational import Relational

from descend.formula.functions import entry_of
from descend.formula.real_functions import absolute, constant, maximum, minimum, where
from descend.formula.symbols import Column, number

LARGEST = number(sys.float_info.max)
ZERO = Integer(0)
LONG = 30
"""Operations above which an expression is not tested as a whole."""
Condition = Any
"""A comparison of data and parameters, joined by and, or, not; ``sympy.false`` where it never holds."""


def either(*conditions: Condition) -> Condition:
    """Return the condition that at least one of them holds, without SymPy's search for a shorter form."""
    left = {part for condition in conditions if condition is not sympy.false for part in alternatives(condition)}
    if sympy.true in left:
        return sympy.true
    left = {part for part in left if not (isinstance(part, sympy.And) and left & set(part.args))}
    return sympy.Or(*left, evaluate=False) if len(left) > 1 else next(iter(left), sympy.false)


def both(condition: Condition, second_condition: Condition) -> Condition:
    """Return the condition that both hold."""
    if sympy.false in (condition, second_condition):
        return sympy.false
    if sympy.true in (condition, second_condition):
        return second_condition if condition is sympy.true else condition
    return sympy.And(condition, second_condition, evaluate=False) if condition != second_condition else condition


def alternatives(condition: Condition) -> tuple[Condition, ...]:
    """Return the conditions of which at least one must hold."""
    return condition.args if isinstance(condition, sympy.Or) else (condition,)


def _above(node: Expr) -> Condition:
    return sympy.Gt(node, ZERO, evaluate=bool(node.is_number))


def _below(node: Expr) -> Condition:
    return sympy.Lt(node, ZERO, evaluate=bool(node.is_number))


def of_data(condition: Condition) -> bool:
    """Whether a condition depends on data alone."""
    return all(isinstance(symbol, Column) for symbol in condition.free_symbols)


def _vanishes(node: Expr, expression: Expr) -> bool:
    """Whether an expression is 0 where ``expression`` is, as 1 - exp(-k*t) is at t = 0; long ones are not tested.

    In a formula nested forty levels deep, putting in a 0 may give a number with more digits than there are atoms.
    """
    return not expression.is_positive and node.count_ops() <= LONG and node.xreplace({expression: ZERO}) == 0


def with_limit(expression: Expr, power: Expr) -> Expr | None:
    """Return ``expression`` with v p/(q + p) as v/(1 + q/p), whose limit for infinite p is v; None without such a part.

    >>> x, v, k, h = Column("x"), *sympy.symbols("v k h", real=True)
    >>> with_limit(v * x**h / (k**h + x**h), x**h)
    v/((k/x)**h + 1)
    """
    for node in expression.atoms(sympy.Mul):
        for below in node.args if power in node.args else ():
            if below.is_Pow and below.exp == -1 and below.base.is_Add and power in below.base.args:
                other_factors, factors = below.base - power, [each for each in node.args if each not in (power, below)]
                alike = other_factors.is_Pow and power.is_Pow and other_factors.exp == power.exp
                ratio = (other_factors.base / power.base) ** power.exp if alike else other_factors / power
                return expression.xreplace({node: sympy.Mul(*factors) / (1 + ratio)})
    return None


class Edges:
    """The conditions under which nodes of an expression are 0, or infinite, because of data alone.

    >>> x, k, b = Column("x"), sympy.Symbol("k", real=True), sympy.Symbol("b", real=True)
    >>> edges = Edges()
    >>> edges.zero(x / k), edges.infinite(k / x), sorted(map(str, edges.infinite((x / k) ** b).args))
    (Eq(x, 0), Eq(x, 0), ['Eq(x, 0)', 'b < 0'])
    """

    def __init__(self) -> None:
        self.zero: Callable[[Expr], Condition] = cache(self._where_zero)
        self.infinite: Callable[[Expr], Condition] = cache(self._where_infinite)
        self._of_data: Callable[[Expr], bool] = cache(self._is_of_data)

    def _where_zero(self, node: Expr) -> Condition:
        """Say where ``node`` is 0 whatever the parameters are."""
        if node.is_Mul:
            return either(*map(self.zero, node.args))
        if node.is_Pow:
            base, exponent = node.args
            above, below = _above(exponent), _below(exponent)
            return either(both(self.zero(base), above), both(self.infinite(base), below))
        if node.func is sympy.exp:
            return both(self.infinite(node.args[0]), _below(node.args[0]))
        if node.func in (maximum, minimum) and ZERO in node.args:
            base_of_power = node.args[0] if node.args[1] == ZERO else node.args[1]
            return (sympy.Le if node.func is maximum else sympy.Ge)(base_of_power, ZERO, evaluate=False)
        if self._of_data(node):
            return sympy.false if node.is_positive else sympy.Eq(node, ZERO, evaluate=False)
        return either(
            *(sympy.Eq(part, ZERO, evaluate=False) for part in self._parts_of_data(node) if _vanishes(node, part))
        )

    def _where_infinite(self, node: Expr) -> Condition:
        """Say where ``node`` is infinite whatever the parameters are."""
        if node.is_Symbol or not node.args:
            return sympy.false
        if node.is_Mul or node.is_Add:
            return either(*map(self.infinite, node.args))
        if node.is_Pow:
            base, exponent = node.args
            above, below = _above(exponent), _below(exponent)
            return either(both(self.zero(base), below), both(self.infinite(base), above))
        infinite = either(*(self.infinite(argument) for argument in node.args if not isinstance(argument, _CONDITIONS)))
        function = entry_of(node)
        if function is not None and function.infinite_at_zero:
            return either(self.zero(node.args[0]), infinite)
        if infinite is sympy.false:
            return infinite
        if node.func is sympy.exp:
            return both(infinite, _above(node.args[0]))
        return both(infinite, sympy.Gt(absolute(node), LARGEST, evaluate=False))

    def _is_of_data(self, node: Expr) -> bool:
        if node.is_Symbol:
            return isinstance(node, Column)
        data = all(argument.is_number or self._of_data(argument) for argument in node.args)
        return data and any(map(self._of_data, node.args))

    def _parts_of_data(self, node: Expr) -> Iterator[Expr]:
        """Yield the largest parts of an expression that hold data alone."""
        if self._of_data(node):
            yield node
        elif not isinstance(node, _CONDITIONS) and node.func is not where:
            yield from dict.fromkeys(part for argument in node.args for part in self._parts_of_data(argument))

    def held(self, expression: Expr) -> Expr:
        """Write ``expression`` so that backward passes skip what does not move: it is a constant in those rows."""
        if not expression.args or isinstance(expression, _CONDITIONS):
            return expression
        arguments_held = [self.held(argument) for argument in expression.args]
        edges = [self.beside(expression, argument) for argument in expression.args]
        if len(arguments_held) == 1 or expression.is_Pow:
            return self._split(either(*edges), expression, expression.func(*arguments_held))
        return expression.func(*map(self._split, edges, expression.args, arguments_held))

    def _split(self, edge: Condition, node: Expr, changed: Expr) -> Expr:
        """Return ``node`` as a constant at the edge, and ``changed`` elsewhere, with harmless data at the edge."""
        if edge is sympy.false or self._of_data(node):
            return changed
        zeros = {atom.lhs for atom in edge.atoms(sympy.Eq)}
        return where(edge, constant(node), changed.xreplace({zero: where(edge, Integer(1), zero) for zero in zeros}))

    def beside(self, node: Expr, argument: Expr) -> Condition:
        """Say where ``node`` does not change with ``argument``, one of its arguments, though calculus may give nan."""
        if isinstance(argument, _CONDITIONS) or node.func is where:
            return sympy.false
        infinite = self.infinite(argument)
        if node.is_Pow:
            base, exponent = node.args
            infinite = either(self.infinite(base), self.infinite(exponent))
            flat = exponent.is_number and bool(exponent >= 1)
            return infinite if flat else either(self.zero(base), infinite)
        function = entry_of(node)
        steep = function is not None and function.steep_at_zero
        return either(self.zero(argument), infinite) if steep else infinite


_CONDITIONS = (Relational, sympy.logic.boolalg.BooleanFunction, sympy.logic.boolalg.BooleanAtom)
