"""Random problems: a curve, rows of it with noise, a loss, weights and units, all from one seed.

A case knows its own prediction and loss as plain NumPy, apart from everything in descend, so that what a fit says can
be computed anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import special

import descend

Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class Curve:
    """The right side of a formula, and the same in NumPy.

    ranges: of each parameter, low and high where x and y are measured in 1. units: the powers of the units of y and x
    that it has. linear: whether it is linear in all of them.
    """

    text: str
    value: Callable[..., np.ndarray]
    ranges: Mapping[str, tuple[float, float]]
    units: Mapping[str, tuple[int, int]]
    linear: bool = False


def curve(text: str, value: Callable[..., np.ndarray], linear: bool = False, **parameters: str) -> Curve:
    """Make a curve; each parameter as ``"low high"``, then the powers of y and x in its unit."""
    parts = {name: [float(number) for number in given.split()] for name, given in parameters.items()}
    ranges = {name: (low, high) for name, (low, high, *_) in parts.items()}
    units = {name: (int(of_y), int(of_x)) for name, (*_, of_y, of_x) in parts.items()}
    return Curve(text, value, ranges, units, linear)


CURVES = (
    curve("a + b*x", lambda x, a, b: a + b * x, True, a=".5 2 1 0", b=".5 2 1 -1"),
    curve("w*x", lambda x, w: w * x, True, w=".5 2 1 -1"),
    curve("a + b*x + c*x^2", lambda x, a, b, c: a + b * x + c * x * x, True, a=".5 2 1 0", b=".5 2 1 -1",
          c=".5 2 1 -2"),
    curve("a*exp(-b*x) + c", lambda x, a, b, c: a * np.exp(-b * x) + c, a="1 2 1 0", b=".6 2 0 -1", c=".5 1 1 0"),
    curve("a*(1 - exp(-b*x))", lambda x, a, b: a * -np.expm1(-b * x), a=".5 2 1 0", b=".6 2 0 -1"),
    curve("a*x/(k + x)", lambda x, a, k: a * x / (k + x), a=".5 2 1 0", k=".5 2 0 1"),
    curve("a/(1 + exp(-b*(x - c)))", lambda x, a, b, c: a * special.expit(b * (x - c)), a="1 2 1 0", b="2 4 0 -1",
          c="1 1.6 0 1"),
    curve("a*exp(-(x - m)^2/(2*s^2)) + c", lambda x, a, m, s, c: a * np.exp(-(((x - m) / s) ** 2) / 2) + c,
          a="1 2 1 0", m="1 1.8 0 1", s=".3 .6 0 1", c=".5 1 1 0"),
    curve("a*sin(w*x) + c", lambda x, a, w, c: a * np.sin(w * x) + c, a="1 2 1 0", w="1.5 2.5 0 -1", c="2.5 4 1 0"),
    curve("a*2^(-x/h)", lambda x, a, h: a * 2.0 ** (-x / h), a=".5 2 1 0", h=".5 2 0 1"),
    curve("a*log(1 + b*x)", lambda x, a, b: a * np.log1p(b * x), a=".5 2 1 0", b=".5 2 0 -1"),
    curve("sqrt(a^2 + (b*x)^2)", lambda x, a, b: np.hypot(a, b * x), a=".5 2 1 0", b=".5 2 1 -1"),
)  # fmt: skip
LOSSES = ("squared", "squared", "squared", "huber", "soft_l1", "cauchy", "poisson")
ROW_LOSSES: Mapping[str, Callable[..., np.ndarray]] = {
    "squared": lambda p, y, s: (p - y) ** 2,
    "huber": lambda p, y, s: np.where(np.abs(p - y) <= s, (p - y) ** 2 / 2, s * (np.abs(p - y) - s / 2)),
    "soft_l1": lambda p, y, s: s * s * (np.sqrt(1 + ((p - y) / s) ** 2) - 1),
    "cauchy": lambda p, y, s: s * s / 2 * np.log1p(((p - y) / s) ** 2),
    "poisson": lambda p, y, s: p - y * np.log(p),
}


@dataclass(frozen=True)
class Case:
    """One problem. setting: the delta or scale of a robust loss; 0 for others."""

    curve: Curve
    truth: Mapping[str, float]
    data: Columns
    loss: str
    setting: float
    weights: str | None

    @property
    def formula(self) -> str:
        return f"y ~ {self.curve.text}"

    @property
    def options(self) -> dict[str, Any]:
        """What a fit of this case is asked with."""
        named = {"huber": "delta", "soft_l1": "scale", "cauchy": "scale"}.get(self.loss)
        loss = self.loss if named is None else f"{self.loss}({named}={self.setting!r})"
        return {"loss": loss} | ({} if self.weights is None else {"weights": self.weights})

    @property
    def omega(self) -> np.ndarray:
        return np.ones(len(self.data["y"])) if self.weights is None else self.data[self.weights]

    def fit(self, data: Any = None, formula: str | None = None, **more: Any) -> descend.Fit:
        """Fit it, or the same with other rows or options."""
        return descend.fit(formula or self.formula, self.data if data is None else data, **(self.options | more))

    def predicted(self, parameters: Mapping[str, float], x: np.ndarray | None = None) -> np.ndarray:
        """Compute the curve."""
        at = self.data["x"] if x is None else x
        return np.broadcast_to(self.curve.value(at, **parameters), at.shape)

    def mean_loss(self, parameters: Mapping[str, float]) -> float:
        """Compute J."""
        rows = ROW_LOSSES[self.loss](self.predicted(parameters), self.data["y"], self.setting)
        return float(self.omega @ rows / self.omega.sum())

    def chosen(self, rows: np.ndarray, **columns: np.ndarray) -> Columns:
        """Return some rows, with other columns beside them or in their place."""
        return {name: column[rows] for name, column in self.data.items()} | columns

    def in_units(self, of_y: float, of_x: float) -> Case:
        """Return the same problem measured in other units."""
        data = self.data | {"x": self.data["x"] * of_x, "y": self.data["y"] * of_y}
        return replace(self, data=data, setting=float(self.setting * of_y), truth=self.scaled(self.truth, of_y, of_x))

    def scaled(self, parameters: Mapping[str, float], of_y: float, of_x: float) -> dict[str, float]:
        """Return parameters in other units."""
        powers = self.curve.units
        return {name: value * of_y ** powers[name][0] * of_x ** powers[name][1] for name, value in parameters.items()}


def case(seed: int, losses: tuple[str, ...] = LOSSES, most: int = 400) -> Case:
    """Make the case of a seed."""
    random = np.random.default_rng(seed)
    chosen = CURVES[random.integers(len(CURVES))]
    loss = str(random.choice(losses))
    rows = int(random.integers(30, most))
    x = random.uniform(0.05, 3.0, rows) if random.random() < 0.7 else np.linspace(0.05, 3.0, rows)
    truth = {name: float(random.uniform(*ends)) for name, ends in chosen.ranges.items()}
    of_y = 10.0 if loss == "poisson" else 1.0
    truth = {name: value * of_y ** chosen.units[name][0] for name, value in truth.items()}
    mean, noise = chosen.value(x, **truth), float(random.choice([0.003, 0.03, 0.1]))
    errors = random.normal(size=rows) if loss == "squared" else random.standard_t(3, rows)
    y = random.poisson(mean).astype(float) if loss == "poisson" else mean + noise * errors
    data = {"x": x, "y": y}
    weighted = random.random() < 0.4
    if weighted:
        data["weight"] = random.choice([0.5, 1.0, 2.0, 3.0], rows)
    robust = loss in ("huber", "soft_l1", "cauchy")
    setting = noise * float(random.uniform(1.5, 4.0)) if robust else 0.0
    made = Case(chosen, truth, data, loss, setting, "weight" if weighted else None)
    if loss == "poisson" or random.random() < 0.5:
        return made
    return made.in_units(10.0 ** random.integers(-6, 7), 10.0 ** random.integers(-6, 7))


def assert_alike(one: descend.Fit, other: descend.Fit, times: float = 1.0, rel: float = 1e-7) -> None:
    """Assert that two fits end alike, J of the second being so many times that of the first."""
    assert (one.outcome, one.undetermined) == (other.outcome, other.undetermined)
    assert other.loss == np.float64(one.loss * times).item() or abs(other.loss - one.loss * times) <= rel * abs(
        one.loss * times
    )


def assert_same_parameters(one: Mapping[str, float], other: Mapping[str, float], errors: Mapping[str, float]) -> None:
    """Assert that parameters differ by no more than a small share of their standard errors."""
    for name, value in one.items():
        assert abs(other[name] - value) <= 1e-6 * abs(value) + 1e-3 * errors[name], name


SEEDS = range(4)
"""Those of the fast tests."""
MORE_SEEDS = range(100, 125)
"""Those of the slow ones."""
