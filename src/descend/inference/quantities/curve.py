"""The fitted curve: the prediction of a model at any inputs, with its derivatives by inputs and parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.formula.compile import compile_expression
from descend.formula.derivative import slopes
from descend.formula.symbols import Column, component_symbols, expanded
from descend.models import Model
from descend.models.contract import SymbolicModel
from descend.table.levels import Levels
from descend.table.table import label

Array = NDArray[np.float64]
Inputs = Mapping[str, float]
"""The value of each input."""
STEP = 1e-3
"""Step of the differences, as a share of the value: five points are then right to about 12 digits."""
STENCIL = ((-2.0, 1.0 / 12.0), (-1.0, -2.0 / 3.0), (1.0, 2.0 / 3.0), (2.0, -1.0 / 12.0))
"""Places, in steps, and weights of the derivative from five points, of which the middle one has no weight."""


def inputs_named(model: Model) -> tuple[str, ...]:
    """Return the inputs of a model as a user names them: columns of numbers, and columns that tell groups apart."""
    codings = {coding.name: coding.columns for coding in model.codings}
    return tuple(dict.fromkeys(column for name in model.inputs for column in codings.get(name, (name,))))


def group_columns(model: Model) -> tuple[str, ...]:
    """Return the columns that tell groups apart, as those in ``a[plate, well]``."""
    return tuple(dict.fromkeys(column for coding in model.codings for column in coding.columns))


def placed(model: Model, inputs_given: Mapping[str, object]) -> dict[str, float]:
    """Return the inputs of one row as the numbers that the model reads.

    inputs_given: a value for each of ``inputs_named``; a group by its value, or as text. Raises DataError for others.
    """
    groups = group_columns(model)
    row = {name: [_level(model, name, value) if name in groups else value] for name, value in inputs_given.items()}
    return {name: float(values[0]) for name, values in model.inputs_of(row).items()}


def _level(model: Model, name: str, value: object) -> object:
    """Return a group's value in the type that the levels have, if one of them reads like it."""
    for coding in model.codings:
        if isinstance(coding, Levels) and name in coding.columns:
            keys = {label(key[coding.columns.index(name)]): key[coding.columns.index(name)] for key in coding.keys}
            return keys.get(label(value), value)
    return value


class Curve(ABC):
    """The prediction f(inputs; theta) of a model, on the scale of the left side of its formula.

    ``path`` names the inputs by which it is differentiated first, one after the other: ("x", "x") is d2f/dx2.
    """

    @abstractmethod
    def value(self, theta: Array, inputs: Inputs, path: tuple[str, ...] = ()) -> float:
        """Return f, or its derivative along ``path``."""

    @abstractmethod
    def gradient(self, theta: Array, inputs: Inputs, path: tuple[str, ...] = ()) -> Array:
        """Return the derivatives of that by theta, (p,)."""

    def at(self, inputs: Mapping[str, Expr]) -> Expr | None:
        """Return f at some inputs as an expression of components of theta; None if it is none."""
        return None

    def along(self, theta: Array, inputs: Inputs, name: str, values: Array) -> Array:
        """Return f at several values of one input."""
        return np.array([self.value(theta, {**inputs, name: float(value)}) for value in values])

    def gradients_along(self, theta: Array, inputs: Inputs, name: str, values: Array) -> Array:
        """Return the derivatives of f by theta at several values of one input, (p, values)."""
        return np.array([self.gradient(theta, {**inputs, name: float(value)}) for value in values]).T


def curve_of(model: Model) -> Curve:
    """Return the curve of a model: from its expression, or by differences if it can only be called."""
    return CalledCurve(model) if model.symbolic is None else ExpressedCurve(model.symbolic)


class ExpressedCurve(Curve):
    """The curve of an expression: all derivatives are derived."""

    def __init__(self, model: SymbolicModel) -> None:
        self.inputs = model.inputs
        self.expression, self.symbols = _expanded(model)

    @cached_property
    def arguments(self) -> tuple[Expr, ...]:
        return (*self.symbols, *(Column(name) for name in self.inputs))

    def at(self, inputs: Mapping[str, Expr]) -> Expr | None:
        return self.expression.xreplace({Column(name): inputs[name] for name in self.inputs})

    def value(self, theta: Array, inputs: Inputs, path: tuple[str, ...] = ()) -> float:
        with np.errstate(all="ignore"):
            return float(self._function(_derived(self.expression, path))(*theta, *self._at(inputs)))

    def gradient(self, theta: Array, inputs: Inputs, path: tuple[str, ...] = ()) -> Array:
        slope_functions = _slopes(_derived(self.expression, path), self.symbols)
        with np.errstate(all="ignore"):
            return np.array([float(self._function(slope)(*theta, *self._at(inputs))) for slope in slope_functions])

    def along(self, theta: Array, inputs: Inputs, name: str, values: Array) -> Array:
        with np.errstate(all="ignore"):
            curve_values = self._function(self.expression)(*theta, *self._at({**inputs, name: values}))
        return np.broadcast_to(np.asarray(curve_values, dtype=np.float64), values.shape)

    def gradients_along(self, theta: Array, inputs: Inputs, name: str, values: Array) -> Array:
        curve_arguments = (*theta, *self._at({**inputs, name: values}))
        with np.errstate(all="ignore"):
            slope_values = [self._function(slope)(*curve_arguments) for slope in _slopes(self.expression, self.symbols)]
        return np.array([np.broadcast_to(np.asarray(each, dtype=np.float64), values.shape) for each in slope_values])

    def _function(self, expression: Expr) -> Callable[..., Array]:
        return compile_expression(expression, self.arguments)

    def _at(self, inputs: Mapping[str, float | Array]) -> list[float | Array]:
        return [value if isinstance(value := inputs[name], np.ndarray) else np.float64(value) for name in self.inputs]


@lru_cache(maxsize=64)
def _expanded(model: SymbolicModel) -> tuple[Expr, tuple[Expr, ...]]:
    """Return the prediction as an expression of columns and components, and the symbol of each component of theta."""
    parameters = model.parameters
    symbols = component_symbols(parameters.labels, parameters.shapes)
    return expanded(model.prediction, model.formula.terms, symbols, parameters.slices), symbols


@lru_cache(maxsize=256)
def _derived(expression: Expr, path: tuple[str, ...]) -> Expr:
    for name in path:
        expression = slopes(expression, [Column(name)]).with_limits[Column(name)]
    return expression


@lru_cache(maxsize=256)
def _slopes(expression: Expr, symbols: tuple[Expr, ...]) -> tuple[Expr, ...]:
    slope_expressions = slopes(expression, symbols).with_limits
    return tuple(slope_expressions[symbol] for symbol in symbols)


@dataclass(frozen=True)
class CalledCurve(Curve):
    """The curve of a model that can only be called: derivatives are differences of five points."""

    model: Model

    def value(self, theta: Array, inputs: Inputs, path: tuple[str, ...] = ()) -> float:
        if path:
            *before, name = path
            return float(_difference(lambda x: self.value(theta, {**inputs, name: x}, tuple(before)), inputs[name]))
        columns = {name: np.array([inputs[name]]) for name in self.model.inputs} or {"": np.empty(1)}
        with np.errstate(all="ignore"):
            return float(np.asarray(self.model.predict(theta, columns))[0])

    def gradient(self, theta: Array, inputs: Inputs, path: tuple[str, ...] = ()) -> Array:
        def along(place: int) -> float:
            shifted_theta = theta.copy()

            def at(value: float) -> float:
                shifted_theta[place] = value
                return self.value(shifted_theta, inputs, path)

            return _difference(at, float(theta[place]))

        return np.array([along(component) for component in range(theta.size)])


def root_between(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function crosses 0 between two places at which it has different signs."""
    from scipy.optimize import brentq

    return float(brentq(function, low, high, xtol=1e-300, rtol=4.0 * float(np.finfo(np.float64).eps)))


def crossings(function: Callable[[float], float], places: Array, values: Array) -> list[float]:
    """Return where a function crosses 0, in the order of some places; values: those it has there."""
    roots = [(float(number), float(places[number])) for number in np.flatnonzero(values == 0.0).tolist()]
    for left in np.flatnonzero(np.sign(values[:-1]) * np.sign(values[1:]) < 0.0).tolist():
        between = sorted((float(places[left]), float(places[left + 1])))
        roots.append((left + 0.5, root_between(function, *between)))
    return [root for _, root in sorted(roots)]


def _difference(function: Callable[[float], float], at: float) -> float:
    """Return the derivative of a function of one number, by differences of five points."""
    step = STEP * (abs(at) or 1.0)
    return sum(weight * function(at + stencil_place * step) for stencil_place, weight in STENCIL) / step
