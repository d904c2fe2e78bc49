"""Stand-ins for the distributions of `scipy.stats`: their densities and cumulative probabilities, said as formulas.

SciPy's own check their arguments first, which symbols do not survive.
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from descend.tracing.array_of_lists import tape_of
from descend.tracing.tape import UntraceableError, Value

Formula = Callable[..., Value]
"""(z, *shapes) -> a value, where z = (x - loc)/scale."""
ROOT = math.sqrt(2.0 * math.pi)


@dataclass(frozen=True)
class Shape:
    """A distribution in its standard form.

    name: what SciPy calls it. density: its density; below: the probability below z, above: that above it, None if no
    formula is known for it. low, high: the ends of what it is a distribution of; closed: whether the lower end belongs
    to it.
    """

    name: str
    density: Formula
    below: Formula | None = None
    above: Formula | None = None
    low: float = -math.inf
    high: float = math.inf
    closed: bool = True

    def inside(self, z: Value) -> Value:
        """Return where z is within both ends; None if there are none."""
        if self.low == -math.inf:
            return None
        after = z >= self.low if self.closed else z > self.low
        return after if self.high == math.inf else after & (z <= self.high)


def _special(name: str, *arguments: Value) -> Value:
    return getattr(sys.modules["scipy.special"], name)(*arguments)


def _bell(z: Value) -> Value:
    return np.exp(-(z**2) / 2.0) / ROOT


OF_SCIPY = (
    Shape("norm", _bell, lambda z: _special("ndtr", z), lambda z: _special("ndtr", -z)),
    Shape("halfnorm", lambda z: 2.0 * _bell(z), low=0.0),
    Shape("skewnorm", lambda z, a: 2.0 * _bell(z) * _special("ndtr", a * z)),
    Shape(
        "exponnorm",
        lambda z, K: np.exp(0.5 / K**2 - z / K) * _special("erfc", (1.0 / K - z) / math.sqrt(2.0)) / (2.0 * K),
    ),
    Shape(
        "lognorm",
        lambda z, s: _bell(np.log(z) / s) / (s * z),
        lambda z, s: _special("ndtr", np.log(z) / s),
        lambda z, s: _special("ndtr", -np.log(z) / s),
        low=0.0,
        closed=False,
    ),
    Shape("expon", lambda z: np.exp(-z), lambda z: -np.expm1(-z), lambda z: np.exp(-z), low=0.0),
    Shape(
        "gamma",
        lambda z, a: z ** (a - 1.0) * np.exp(-z) / _special("gamma", a),
        lambda z, a: _special("gammainc", a, z),
        lambda z, a: _special("gammaincc", a, z),
        low=0.0,
    ),
    Shape(
        "chi2",
        lambda z, df: (z / 2.0) ** (df / 2.0 - 1.0) * np.exp(-z / 2.0) / (2.0 * _special("gamma", df / 2.0)),
        lambda z, df: _special("gammainc", df / 2.0, z / 2.0),
        lambda z, df: _special("gammaincc", df / 2.0, z / 2.0),
        low=0.0,
    ),
    Shape(
        "beta",
        lambda z, a, b: (
            z ** (a - 1.0)
            * (1.0 - z) ** (b - 1.0)
            * _special("gamma", a + b)
            / (_special("gamma", a) * _special("gamma", b))
        ),
        lambda z, a, b: _special("betainc", a, b, z),
        low=0.0,
        high=1.0,
    ),
    Shape(
        "weibull_min",
        lambda z, c: c * z ** (c - 1.0) * np.exp(-(z**c)),
        lambda z, c: -np.expm1(-(z**c)),
        lambda z, c: np.exp(-(z**c)),
        low=0.0,
    ),
    Shape(
        "rayleigh",
        lambda z: z * np.exp(-(z**2) / 2.0),
        lambda z: -np.expm1(-(z**2) / 2.0),
        lambda z: np.exp(-(z**2) / 2.0),
        low=0.0,
    ),
    Shape("maxwell", lambda z: 2.0 * z**2 * _bell(z), low=0.0),
    Shape("pareto", lambda z, b: b * z ** (-b - 1.0), lambda z, b: 1.0 - z**-b, lambda z, b: z**-b, low=1.0),
    Shape(
        "cauchy",
        lambda z: 1.0 / (math.pi * (1.0 + z**2)),
        lambda z: 0.5 + np.arctan(z) / math.pi,
        lambda z: 0.5 - np.arctan(z) / math.pi,
    ),
    Shape(
        "t",
        lambda z, df: (
            _special("gamma", (df + 1.0) / 2.0)
            / (np.sqrt(df * math.pi) * _special("gamma", df / 2.0))
            * (1.0 + z**2 / df) ** (-(df + 1.0) / 2.0)
        ),
    ),
    Shape(
        "logistic",
        lambda z: _special("expit", z) * _special("expit", -z),
        lambda z: _special("expit", z),
        lambda z: _special("expit", -z),
    ),
    Shape("laplace", lambda z: np.exp(-np.abs(z)) / 2.0),
    Shape("gumbel_r", lambda z: np.exp(-z - np.exp(-z)), lambda z: np.exp(-np.exp(-z))),
    Shape("gumbel_l", lambda z: np.exp(z - np.exp(z)), above=lambda z: np.exp(-np.exp(z))),
)
SHAPES: Mapping[str, Shape] = {shape.name: shape for shape in OF_SCIPY}


class Distribution:
    """Stands in for a distribution of `scipy.stats`, or for one with parameters, as ``norm(loc=m)`` makes it."""

    def __init__(self, original: Value, shape: Shape, shape_arguments: Mapping[str, Value] | None = None) -> None:
        self.original = original
        self.shape = shape
        self.bound_arguments = shape_arguments

    def __call__(self, *arguments: Value, **named: Value) -> Value:
        bound = self._bound(arguments, named)
        if tape_of(*bound.values()) is None:
            return self.original(*arguments, **named)
        return Distribution(self.original, self.shape, bound)

    freeze = __call__

    def __getattr__(self, name: str) -> Value:
        if self.bound_arguments is not None:
            raise UntraceableError(f"calls {self.original.name}.{name} of scipy.stats")
        return getattr(self.original, name)

    def pdf(self, x: Value, *arguments: Value, **named: Value) -> Value:
        """Return the density at x."""
        return self._value("pdf", self.shape.density, x, arguments, named)

    def logpdf(self, x: Value, *arguments: Value, **named: Value) -> Value:
        """Return the logarithm of the density at x."""
        return np.log(self.pdf(x, *arguments, **named))

    def cdf(self, x: Value, *arguments: Value, **named: Value) -> Value:
        """Return the probability of less than x."""
        formula = self.shape.below
        if formula is None and (above := self.shape.above) is not None:
            formula = lambda *of: 1.0 - above(*of)  # noqa: E731
        return self._value("cdf", formula, x, arguments, named)

    def sf(self, x: Value, *arguments: Value, **named: Value) -> Value:
        """Return the probability of more than x."""
        formula = self.shape.above
        if formula is None and (below := self.shape.below) is not None:
            formula = lambda *of: 1.0 - below(*of)  # noqa: E731
        return self._value("sf", formula, x, arguments, named)

    def _bound(self, shape_arguments: tuple[Value, ...], named: Mapping[str, Value]) -> dict[str, Value]:
        """Return the parameters by name, as SciPy takes them: shapes, loc, scale."""
        shapes = [each.strip() for each in (self.original.shapes or "").split(",") if each.strip()]
        names = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in (*shapes, "loc", "scale")]
        defaults = {"loc": 0.0, "scale": 1.0}
        signature = inspect.Signature(
            [each.replace(default=defaults.get(each.name, inspect.Parameter.empty)) for each in names]
        )
        bound = signature.bind(*shape_arguments, **named)
        bound.apply_defaults()
        return dict(bound.arguments)

    def _value(
        self, method: str, formula: Formula | None, x: Value, arguments: tuple[Value, ...], named: Mapping[str, Value]
    ) -> Value:
        bound = self._bound(arguments, named) if self.bound_arguments is None else dict(self.bound_arguments)
        if tape_of(x, *bound.values()) is None:
            return getattr(self.original, method)(x, **bound)
        if formula is None:
            raise UntraceableError(f"calls {self.original.name}.{method} of scipy.stats")
        location, scale = bound.pop("loc"), bound.pop("scale")
        z = (x - location) / scale
        value = formula(z, *bound.values())
        if method == "pdf":
            value = value / scale
        density_inside = self.shape.inside(z)
        if density_inside is None:
            return value
        if method == "pdf":
            return np.where(density_inside, value, 0.0)
        before, after = (0.0, 1.0) if method == "cdf" else (1.0, 0.0)
        value = np.where(z >= self.shape.low, value, before)
        return value if self.shape.high == math.inf else np.where(z > self.shape.high, after, value)


def distributions(in_use: bool) -> Iterator[tuple[Value, Distribution]]:
    """Yield each distribution of `scipy.stats`, if that is in use, and what stands in for it."""
    if in_use:
        for name, shape in SHAPES.items():
            original = getattr(sys.modules["scipy.stats"], name)
            yield original, Distribution(original, shape)
