"""A quantity: a number that follows from the parameters, with its derivatives by them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, nan, zoo

from descend.formula.compile import Compiled, compile_expression
from descend.formula.derivative import derivatives
from descend.formula.symbols import component_symbols
from descend.inference.quantities.features import Feature
from descend.inference.quantities.quadrature import UndefinedError
from descend.models import Model

Array = NDArray[np.float64]
MOST_NAMED = 4
"""Most parameters whose values a message lists."""


@dataclass(frozen=True)
class Used:
    """A feature of the curve in a quantity, and the expressions of its arguments."""

    feature: Feature
    arguments: tuple[Expr, ...]


@dataclass(frozen=True, eq=False)
class Quantity:
    """An expression of parameters and of features of the curve.

    name: what it is called; text: the expression as typed. features: what each symbol of a feature stands for.

    With all parameters phi(theta), fixed and tied ones too, and features F_j(theta, a_j(phi, F)):
        dq/dtheta = dq/dphi dphi/dtheta + sum over j of dq/dF_j dF_j/dtheta
    """

    name: str
    text: str
    model: Model
    expression: Expr
    features: Mapping[Expr, Used]

    def value(self, theta: Array) -> float:
        """Return the number at theta. Raises UndefinedError if there is none."""
        return self.with_gradient(theta)[0]

    def with_gradient(self, theta: Array) -> tuple[float, Array]:
        """Return the number at theta and its derivatives by theta, (p,). Raises UndefinedError if there is none."""
        constraints, everything = self.model.constraints, self.model.every_parameter
        flat = everything.flat(self.model.complete(theta)).tolist()
        spread = np.eye(theta.size) if constraints is None else constraints.jacobian(theta)
        values = dict(zip(self._symbols, flat, strict=True))
        slopes: dict[Expr, Array] = dict(zip(self._symbols, spread, strict=True))
        for symbol, used in self.features.items():
            arguments = [self._evaluated(argument, values, slopes) for argument in used.arguments]
            quantity_value = used.feature.at(theta, [value for value, _ in arguments])
            values[symbol] = quantity_value.value
            slopes[symbol] = quantity_value.by_theta + sum(
                (by * slope for by, (_, slope) in zip(quantity_value.by_arguments, arguments, strict=True) if by),
                np.zeros(theta.size),
            )
        value, gradient = self._evaluated(self.expression, values, slopes)
        if not math.isfinite(value):
            raise UndefinedError(f"its value is {value:g}{self._with_values(values)}")
        return value, gradient

    @cached_property
    def of_free(self) -> Expr | None:
        """The quantity as one expression of components of theta; None if a feature has to be followed along the curve.

        Then it is evaluated at the parameters of many fits at once.
        """
        values_of_arguments: dict[Expr, Expr] = {}
        for symbol, used in self.features.items():
            quantity = used.feature.expression([argument.xreplace(values_of_arguments) for argument in used.arguments])
            if quantity is None:
                return None
            values_of_arguments[symbol] = quantity
        quantity = self.expression.xreplace(values_of_arguments).xreplace(self._held)
        return None if quantity.has(zoo, nan) else quantity

    @cached_property
    def _held(self) -> dict[Expr, Expr]:
        """What stands for each component that is fixed or tied."""
        held = self.model.constraints
        if held is None:
            return {}
        every, slices_of_names = dict(zip(held.parameters.labels, self._symbols, strict=True)), held.parameters.slices
        tied_values: dict[Expr, Expr] = {}
        for name, tied_value in held.given.items():
            labels = held.parameters.labels[slices_of_names[name]]
            parts = tied_value if isinstance(tied_value, tuple) else (tied_value,)
            tied_values |= {every[label]: tied for label, tied in zip(labels, parts, strict=True) if tied is not None}
        return tied_values

    def over(self, thetas: Array) -> tuple[Array, Array]:
        """Return the numbers at many thetas, (fits, p), and their derivatives, (fits, p); NaN where there is none."""
        fits, size = thetas.shape
        values, gradients = np.full(fits, np.nan), np.full((fits, size), np.nan)
        if self.of_free is None:
            for component, theta in enumerate(thetas):
                with suppress(UndefinedError):
                    values[component], gradients[component] = self.with_gradient(theta)
            return values, gradients
        free = self.model.parameters
        places = {symbol: component for component, symbol in enumerate(component_symbols(free.labels, free.shapes))}
        used, function, slopes = _compiled(self.of_free)
        at = [thetas[:, places[symbol]] for symbol in used]
        gradients[:] = 0.0
        with np.errstate(all="ignore"):
            values[:] = function(*at)
            for symbol, slope in zip(used, slopes, strict=True):
                gradients[:, places[symbol]] = slope(*at)
        return values, gradients

    @cached_property
    def _symbols(self) -> tuple[Expr, ...]:
        everything = self.model.every_parameter
        return component_symbols(everything.labels, everything.shapes)

    def _evaluated(
        self, expression: Expr, values: Mapping[Expr, float], slopes: Mapping[Expr, Array]
    ) -> tuple[float, Array]:
        """Return an expression and its derivatives by theta, from those of the symbols in it."""
        if expression.is_infinite:  # the end of a range
            return float(expression), np.zeros(len(next(iter(slopes.values()))))
        used, function, by_symbols = _compiled(expression)
        at = [np.float64(values[symbol]) for symbol in used]
        with np.errstate(all="ignore"):
            value = float(function(*at))
            gradient = np.zeros(len(next(iter(slopes.values()))))
            for symbol, by_symbol in zip(used, by_symbols, strict=True):
                gradient += float(by_symbol(*at)) * slopes[symbol]
        return value, gradient

    def _with_values(self, values: Mapping[Expr, float]) -> str:
        used = sorted(self.expression.free_symbols, key=str)[:MOST_NAMED]
        return " with " + ", ".join(f"{symbol} = {values[symbol]:g}" for symbol in used) if used else ""


@lru_cache(maxsize=256)
def _compiled(expression: Expr) -> tuple[tuple[Expr, ...], Compiled, tuple[Compiled, ...]]:
    """Return the symbols of an expression, and functions of them: its value, and its derivative by each."""
    used = tuple(sorted(expression.free_symbols, key=str))
    slope = derivatives(expression, used)
    return used, compile_expression(expression, used), tuple(compile_expression(slope[each], used) for each in used)
