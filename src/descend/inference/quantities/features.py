"""Numbers read off the fitted curve: a prediction, an area, a peak, a root; with exact derivatives."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Float

from descend.inference.quantities.curve import Curve, crossings, root_between
from descend.inference.quantities.quadrature import PIECES, UndefinedError, edges_of, integrals

Array = NDArray[np.float64]
SEARCHED = 401
"""Values of the input at which the curve is looked at first: peaks and crossings in between are then made exact."""


@dataclass(frozen=True)
class Derived:
    """A number with its derivatives by theta, (p,), and by each argument of the feature that it was computed from."""

    value: float
    by_theta: Array
    by_arguments: tuple[float, ...]


@dataclass(frozen=True)
class Feature(ABC):
    """A number read off the curve, as a function of theta and of its arguments.

    varying: the inputs that the feature sets; inputs: the values of all others.
    """

    curve: Curve
    varying: tuple[str, ...]
    inputs: Mapping[str, float]
    name: ClassVar[str]
    arguments: ClassVar[tuple[str, ...]]
    """Their names, in order; those with a default come last."""
    defaults: ClassVar[tuple[float, ...]] = ()
    open_range: ClassVar[bool] = False
    """Whether the range may be infinite."""

    @abstractmethod
    def at(self, theta: Array, arguments: Sequence[float]) -> Derived:
        """Return the number and its derivatives. Raises UndefinedError if there is none."""

    def expression(self, arguments: Sequence[Expr]) -> Expr | None:
        """Return the number as an expression of components of theta; None if it has to be computed from the curve."""
        return None

    @property
    def along(self) -> str:
        """The input along which the curve is followed."""
        return self.varying[0]

    def place(self, value: float) -> dict[str, float]:
        """Return the inputs where the one that varies has a value."""
        return {**self.inputs, self.along: value}

    def _range(self, low: float, high: float) -> None:
        if not low < high:
            raise UndefinedError(f"the range from {low:g} to {high:g} is empty")

    def _along(self, theta: Array, low: float, high: float) -> tuple[Array, Array]:
        """Return values of the input, and the curve there. Raises UndefinedError where it has no value."""
        values = np.linspace(low, high, SEARCHED)
        curve_values = self.curve.along(theta, self.inputs, self.along, values)
        if not np.isfinite(curve_values).all():
            where = values[int(np.argmin(np.isfinite(curve_values)))]
            raise UndefinedError(f"the curve has no finite value at {self.along} = {where:g}")
        return values, curve_values


@dataclass(frozen=True)
class Prediction(Feature):
    """prediction(x=3): the curve at one place."""

    name: ClassVar[str] = "prediction"
    arguments: ClassVar[tuple[str, ...]] = ()

    def at(self, theta: Array, arguments: Sequence[float]) -> Derived:
        inputs_given = dict(zip(self.varying, arguments, strict=True))
        inputs = {**self.inputs, **inputs_given}
        value = self.curve.value(theta, inputs)
        if not math.isfinite(value):
            raise UndefinedError(f"the curve has no finite value at {_listed(inputs_given)}")
        by_inputs = tuple(self.curve.value(theta, inputs, (name,)) for name in self.varying)
        return Derived(value, self.curve.gradient(theta, inputs), by_inputs)

    def expression(self, arguments: Sequence[Expr]) -> Expr | None:
        input_values = {name: Float(value) for name, value in self.inputs.items()}
        return self.curve.at(input_values | dict(zip(self.varying, arguments, strict=True)))


@dataclass(frozen=True)
class Area(Feature):
    """area(x, low, high): the integral of the curve, by quadrature; derivatives are integrated alike."""

    name: ClassVar[str] = "area"
    arguments: ClassVar[tuple[str, ...]] = ("low", "high")
    open_range: ClassVar[bool] = True

    def at(self, theta: Array, arguments: Sequence[float]) -> Derived:
        low, high = arguments
        self._range(low, high)

        def along(x: Array) -> Array:
            """Return the curve and its derivatives by theta, (1 + p, x)."""
            integral = self.curve.along(theta, self.inputs, self.along, x)
            return np.vstack([integral, self.curve.gradients_along(theta, self.inputs, self.along, x)])

        def one(row: int) -> Callable[[float], float]:
            if row == 0:
                return lambda x: self.curve.value(theta, self.place(x))
            return lambda x: float(self.curve.gradient(theta, self.place(x))[row - 1])

        if math.isinf(high - low):
            edges = edges_of(lambda x: self.curve.along(theta, self.inputs, self.along, x), theta, low, high)
        else:
            edges = np.linspace(low, high, PIECES + 1)
        integral = integrals(along, one, 1 + theta.size, low, high, edges)
        if not integral.any():
            raise UndefinedError(
                f"the curve is 0 wherever it was looked at between {low:g} and {high:g}: a narrower range shows more"
            )
        ends = [0.0 if math.isinf(end) else self.curve.value(theta, self.place(end)) for end in (low, high)]
        return Derived(float(integral[0]), integral[1:], (-ends[0], ends[1]))


@dataclass(frozen=True)
class Extreme(Feature):
    """The place of the largest or smallest value of the curve inside a range, or that value.

    At x* inside, df/dx = 0, so that dx*/dtheta = -(d2f/dx dtheta) / (d2f/dx2), and d f(x*)/dtheta = df/dtheta there.
    """

    arguments: ClassVar[tuple[str, ...]] = ("low", "high")
    sign: ClassVar[float] = 1.0
    """1 for the largest value, -1 for the smallest."""

    def _place(self, theta: Array, low: float, high: float) -> tuple[float, int]:
        """Return x*, and -1 or 1 if that is the low or high end of the range, 0 inside."""
        self._range(low, high)
        values, curve_values = self._along(theta, low, high)
        best = int(np.argmax(self.sign * curve_values))

        def slope(x: float) -> float:
            return self.curve.value(theta, self.place(x), (self.along,))

        before, after = float(values[max(best - 1, 0)]), float(values[min(best + 1, len(values) - 1)])
        first, last = self.sign * slope(before), self.sign * slope(after)
        if first > 0.0 > last:
            return root_between(slope, before, after), 0
        if best in (0, len(values) - 1):
            return float(values[best]), -1 if best == 0 else 1
        if first == 0.0 == last:
            raise UndefinedError("the curve is flat there")
        return float(values[best]), 0


@dataclass(frozen=True)
class Maximum(Extreme):
    """maximum(x, low, high): the largest value of the curve."""

    name: ClassVar[str] = "maximum"

    def at(self, theta: Array, arguments: Sequence[float]) -> Derived:
        low, high = arguments
        where, end = self._place(theta, low, high)
        inputs = self.place(where)
        slope = self.curve.value(theta, inputs, (self.along,)) if end else 0.0
        by_ends = (slope if end < 0 else 0.0, slope if end > 0 else 0.0)
        return Derived(self.curve.value(theta, inputs), self.curve.gradient(theta, inputs), by_ends)


@dataclass(frozen=True)
class Minimum(Maximum):
    """minimum(x, low, high): the smallest value of the curve."""

    name: ClassVar[str] = "minimum"
    sign: ClassVar[float] = -1.0


@dataclass(frozen=True)
class Argmax(Extreme):
    """argmax(x, low, high): where the curve is largest."""

    name: ClassVar[str] = "argmax"
    word: ClassVar[str] = "largest"

    def at(self, theta: Array, arguments: Sequence[float]) -> Derived:
        low, high = arguments
        where, end = self._place(theta, low, high)
        if end:
            raise UndefinedError(
                f"the curve is {self.word} at the {'low' if end < 0 else 'high'} end of the range, "
                f"{self.along} = {where:g}, not inside it"
            )
        inputs = self.place(where)
        bend = self.curve.value(theta, inputs, (self.along, self.along))
        if bend == 0.0 or not math.isfinite(bend):
            raise UndefinedError(f"the curve has a corner or is flat where it is {self.word}")
        return Derived(where, -self.curve.gradient(theta, inputs, (self.along,)) / bend, (0.0, 0.0))


@dataclass(frozen=True)
class Argmin(Argmax):
    """argmin(x, low, high): where the curve is smallest."""

    name: ClassVar[str] = "argmin"
    word: ClassVar[str] = "smallest"
    sign: ClassVar[float] = -1.0


@dataclass(frozen=True)
class Root(Feature):
    """root(x, low, high, level=0): where the curve reaches a level.

    f(x*; theta) = level, so that dx*/dtheta = -(df/dtheta) / (df/dx) and dx*/dlevel = 1 / (df/dx).
    """

    name: ClassVar[str] = "root"
    arguments: ClassVar[tuple[str, ...]] = ("low", "high", "level")
    defaults: ClassVar[tuple[float, ...]] = (0.0,)

    def at(self, theta: Array, arguments: Sequence[float]) -> Derived:
        low, high, level = arguments
        self._range(low, high)
        roots = self.crossings(theta, low, high, level)
        if not roots:
            values = self._along(theta, low, high)[1]
            raise UndefinedError(
                f"the curve does not reach {level:g} between {self.along} = {low:g} and {high:g}, where it goes from "
                f"{values.min():g} to {values.max():g}"
            )
        if len(roots) > 1:
            roots_listed = " and ".join(f"{root:g}" for root in roots[:3])
            raise UndefinedError(f"the curve reaches {level:g} more than once, at {self.along} = {roots_listed}")
        inputs = self.place(roots[0])
        slope = self.curve.value(theta, inputs, (self.along,))
        if slope == 0.0:
            raise UndefinedError(f"the curve only touches {level:g} at {self.along} = {roots[0]:g}")
        return Derived(roots[0], -self.curve.gradient(theta, inputs) / slope, (0.0, 0.0, 1.0 / slope))

    def crossings(self, theta: Array, low: float, high: float, level: float) -> list[float]:
        """Return the places in a range where the curve reaches a level, in order."""
        values, curve_values = self._along(theta, low, high)

        def rise(x: float) -> float:
            return self.curve.value(theta, self.place(x)) - level

        return crossings(rise, values, curve_values - level)


def _listed(inputs: Mapping[str, float]) -> str:
    return ", ".join(f"{name} = {value:g}" for name, value in inputs.items())


FEATURES: dict[str, type[Feature]] = {
    each.name: each for each in (Prediction, Area, Maximum, Minimum, Argmax, Argmin, Root)
}
