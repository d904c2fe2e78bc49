"""Functions of real numbers as SymPy classes: those SymPy lacks, or differentiates for complex numbers only."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import new_class
from typing import ClassVar

import sympy
from sympy import Add, Expr, Integer, Rational


class RealFunction(sympy.Function):  # type: ignore[misc]
    """A function of real numbers that SymPy leaves as it is written, knowing only its derivative.

    orders: the places of arguments that must be whole numbers from 0 on, written as such.
    """

    argument_count: ClassVar[int] = 1
    orders: ClassVar[tuple[int, ...]] = ()

    def _eval_is_extended_real(self) -> bool:
        return True


def real_function(name: str, *derivatives: Callable[..., Expr]) -> type[RealFunction]:
    """Return the SymPy class of a function, given its derivative by each argument, if it has one.

    Where it is to be pickled, the module that calls this has it under its name.

    >>> u, softsign = sympy.Symbol("u", real=True), real_function("softsign", lambda u: (1 + absolute(u)) ** -2)
    >>> softsign(2 * u).diff(u)
    2/(absolute(2*u) + 1)**2
    """

    def fdiff(node: RealFunction, argindex: int = 1) -> Expr:
        return derivatives[argindex - 1](*node.args)

    count, orders = len(derivatives) or 1, tuple(k for k, each in enumerate(derivatives) if each is of_order)
    members: dict[str, object] = {"nargs": count, "argument_count": count, "orders": orders}
    members["__module__"] = sys._getframe(1).f_globals.get("__name__", __name__)
    members |= {"fdiff": fdiff} if derivatives else {}
    return new_class(name, (RealFunction,), exec_body=lambda space: space.update(members))


def of_order(*arguments: Expr) -> Expr:
    """Stand for the derivative by an order, which is a number written out and never moves."""
    raise TypeError("an order is no variable")


def _cosine(side: Expr, longest: Expr) -> Expr:
    """Return a side of a right triangle by the longest; 0 where the triangle is a point."""
    return where(sympy.Eq(longest, 0, evaluate=False), Integer(0), side / longest)


def _sinc_derivative(x: Expr) -> Expr:
    """Return (cos(pi x) - sinc(x)) / x, near 0 by its series."""
    turn = sympy.pi
    terms = ((3, 2), (30, 4), (840, 6), (45360, 8))
    series = Add(*((-1) ** k * turn**power * x ** (power - 1) / n for k, (n, power) in enumerate(terms, 1)))
    near = sympy.Lt(absolute(x), Rational(1, 50), evaluate=False)
    return where(near, series, (sympy.cos(turn * x) - sinc(x)) / x)


log10 = real_function("log10", lambda x: 1 / (x * sympy.log(10)))
log2 = real_function("log2", lambda x: 1 / (x * sympy.log(2)))
# Written as a product that loses no digits in either tail.
sigmoid: type[RealFunction] = real_function("sigmoid", lambda x: sigmoid(x) * sigmoid(-x))
softplus = real_function("softplus", sigmoid)
sign = real_function("sign", lambda x: Integer(0))
absolute = real_function("absolute", sign)  # 0 at the kink
# Equal to its argument, but with the derivative 0: PyTorch's backward passes stop at it.
constant = real_function("constant", lambda x: Integer(0))
log1p = real_function("log1p", lambda x: 1 / (1 + x))
expm1 = real_function("expm1", sympy.exp)
erfc = real_function("erfc", lambda x: -2 * sympy.exp(-(x**2)) / sympy.sqrt(sympy.pi))
cbrt: type[RealFunction] = real_function("cbrt", lambda x: 1 / (3 * cbrt(x) ** 2))
sinc = real_function("sinc", _sinc_derivative)
hypot: type[RealFunction] = real_function(
    "hypot", lambda a, b: _cosine(a, hypot(a, b)), lambda a, b: _cosine(b, hypot(a, b))
)
asinh = real_function("asinh", lambda x: 1 / hypot(1, x))
acosh = real_function("acosh", lambda x: 1 / (sympy.sqrt(x - 1) * sympy.sqrt(x + 1)))
atanh = real_function("atanh", lambda x: 1 / ((1 - x) * (1 + x)))
logit = real_function("logit", lambda p: 1 / (p * (1 - p)))
arctan2 = real_function("arctan2", lambda y, x: x / (x**2 + y**2), lambda y, x: -y / (x**2 + y**2))
# Where both are equal, half of each derivative.
minimum = real_function("minimum", lambda a, b: (1 + sign(b - a)) / 2, lambda a, b: (1 + sign(a - b)) / 2)
maximum = real_function("maximum", lambda a, b: (1 + sign(a - b)) / 2, lambda a, b: (1 + sign(b - a)) / 2)


class where(RealFunction):
    """where(condition, a, b) is a where the condition holds and b elsewhere, and so is its derivative."""

    nargs = argument_count = 3

    @classmethod
    def eval(cls, condition: Expr, value_if: Expr, value_else: Expr) -> Expr | None:
        if condition is sympy.true or value_if == value_else:
            return value_if
        if condition is sympy.false:
            return value_else
        return None

    def _eval_derivative(self, symbol: Expr) -> Expr:
        condition, value_if, value_else = self.args
        return where(condition, value_if.diff(symbol), value_else.diff(symbol))
