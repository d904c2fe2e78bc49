"""Quantities and inverse predictions.

Each case draws rows about a known curve, fits it, and asks for a number: a quantity, by the delta method and by
profile; or the input of a new sample, drawn about the curve too, by inversion and by the delta method (Wald). Profile
and inversion are to hold the true number in every case, with 8 rows and a curved model too; the delta method only where
many rows make it nearly linear, elsewhere it is measured and not judged. An interval whose end the data leave open
reaches to infinity there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

import descend
from coverage_cases.case import TARGET, Array, Case, Held, gathered, holds

Curve = Callable[..., Array]


@dataclass(frozen=True)
class Question:
    """A curve, its true parameters, the inputs and the noise, and what is asked of the fit.

    quantity: an expression, with its true value; or else the input of a new sample of so many replicates is asked for,
    or, without replicates, where the curve itself has the height that it has there. judged: methods held to the target.
    """

    name: str
    formula: str
    truth: dict[str, float]
    x: Array
    curve: Curve
    noise: float
    quantity: str = ""
    value: float = 0.0
    replicates: int = 0
    judged: tuple[str, ...] = ("profile", "inversion")

    @property
    def methods(self) -> tuple[str, ...]:
        return ("t", "profile") if self.quantity else ("wald", "inversion")

    def interval(self, fit: descend.Fit, method: str, random: np.random.Generator) -> tuple[float, float]:
        """Return the interval of what is asked for."""
        if self.quantity:
            return fit.quantity(self.quantity, method=method).interval
        height = float(self.curve(np.array([self.value]), **self.truth)[0])
        if not self.replicates:
            return fit.invert(height, interval=method, mean=True).interval
        response = height + self.noise * random.normal(size=self.replicates)
        return fit.invert(response.tolist(), interval=method).interval


def decay(x, a, b, c):
    """An exponential decay to a level."""
    return a * np.exp(-b * x) + c


def saturation(x, V, K):
    """Michaelis and Menten's curve."""
    return V * x / (K + x)


def dose(x, c, d, m, b):
    """A logistic curve of the logarithm of a dose."""
    return c + (d - c) / (1.0 + (x / m) ** b)


def line(x, a, b):
    """A line."""
    return a + b * x


LONG, SHORT, EIGHT = np.linspace(0.0, 5.0, 100), np.linspace(0.0, 5.0, 20), np.linspace(0.0, 5.0, 8)
DECAY, ENZYME = {"a": 2.0, "b": 0.8, "c": 0.5}, {"V": 2.0, "K": 0.1}
DOSE = {"c": 0.5, "d": 8.0, "m": 3.0, "b": 2.0}
DOSES, MANY_DOSES = np.array([0.02, 0.05, 0.11, 0.22, 0.35, 0.56, 0.8, 1.1]), np.repeat(np.geomspace(0.1, 100, 8), 3)
QUESTIONS = (
    Question("half-life, 100 rows", "y ~ a*exp(-b*x) + c", DECAY, LONG, decay, 0.1, "log(2)/b", np.log(2.0) / 0.8,
         judged=("t", "profile")),
    Question("half-life, 8 rows", "y ~ a*exp(-b*x) + c", DECAY, EIGHT, decay, 0.1, "log(2)/b", np.log(2.0) / 0.8),
    Question("efficiency, 8 doses", "y ~ V*x/(K + x)", ENZYME, DOSES, saturation, 0.1, "V/K", 20.0),
    Question("half maximum, 8 doses", "y ~ V*x/(K + x)", ENZYME, DOSES, saturation, 0.1, "root(x, 0.001, 5, level=1)",
             0.1),
    Question("area, 20 rows", "y ~ a*exp(-b*x) + c", DECAY, SHORT, decay, 0.1, "area(x, 0, 5)",
         2.0 / 0.8 * (1.0 - np.exp(-4.0)) + 2.5, judged=("t", "profile")),
    Question("line, one reading", "y ~ a + b*x", {"a": 1.0, "b": 2.0}, EIGHT, line, 0.5, value=2.0, replicates=1),
    Question("line, three readings", "y ~ a + b*x", {"a": 1.0, "b": 2.0}, EIGHT, line, 0.5, value=2.0, replicates=3),
    Question("enzyme, one reading", "y ~ V*x/(K + x)", ENZYME, DOSES, saturation, 0.1, value=0.15, replicates=1),
    Question("decay, 8 rows, mean", "y ~ a*exp(-b*x) + c", DECAY, EIGHT, decay, 0.1, value=1.0),
    Question("dose, 24 wells, two readings", "y ~ c + (d - c)/(1 + (x/m)^b)", DOSE, MANY_DOSES, dose, 0.3, value=2.0,
         replicates=2),
)  # fmt: skip


def counted(number: int, seeds: range) -> Held:
    """Count over the data sets of a question."""
    return gathered(_one(QUESTIONS[number], seed) for seed in seeds)


def _one(case: Question, seed: int) -> Held:
    random = np.random.default_rng([11, seed])
    y = case.curve(case.x, **case.truth) + case.noise * random.normal(size=case.x.size)
    fit, found = descend.fit(case.formula, {"x": case.x, "y": y}, start=case.truth), dict[str, dict[str, list[float]]]()
    sample = random.bit_generator.state
    for method in case.methods:
        random.bit_generator.state = sample  # both methods are asked about the same new sample
        found[method] = {case.quantity or "x": [holds(case.interval(fit, method, random), case.value)]}
    return found


CASES: dict[str, Case] = {
    each.name: Case(each.formula, partial(counted, number), dict.fromkeys(each.judged, TARGET))
    for number, each in enumerate(QUESTIONS)
}
