"""Curves and lines: each kind of interval of their parameters.

Each scenario is a formula, its true parameters, the inputs, and how the response is drawn. A profile is to hold the
true value in 94 to 97% of the sets in every scenario, the others in 93 to 97% where many rows make the model nearly
linear; elsewhere they are measured and not judged. The bootstrap makes fewer resamples than its usual 1,000, to be done
in minutes; that costs it a little, for its ends are then quantiles of fewer values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

import descend
from coverage_cases.case import TARGET, Array, Case, Held, Range, gathered, holds

LINEAR = ("t", "profile", "sandwich", "bootstrap")
CURVED = ("t", "profile", "sandwich")
PROFILE = (0.94, 0.97)
DOSES = np.array([0.02, 0.06, 0.11, 0.22, 0.35, 0.56, 1.1])
Draw = Callable[[np.random.Generator, Array], Array]
RESAMPLES = 199


def normal(deviation: float) -> Draw:
    """Return how a response with normal errors is drawn about its mean."""
    return lambda random, mean: mean + deviation * random.normal(size=mean.size)


def counts(random: np.random.Generator, mean: Array) -> Array:
    """Draw counts about their mean."""
    return random.poisson(mean).astype(float)


def yes_or_no(random: np.random.Generator, mean: Array) -> Array:
    """Draw 1 or 0, where the mean is the log-odds of 1."""
    return (random.random(mean.size) < 1.0 / (1.0 + np.exp(-mean))).astype(float)


@dataclass(frozen=True)
class Scenario:
    """A model, its true parameters, the inputs, and how the response is drawn.

    judged: whether methods other than the profile are held to the target.
    """

    name: str
    formula: str
    truth: dict[str, float]
    x: Array
    mean: Callable[..., Array]
    draw: Draw
    options: dict[str, Any] = field(default_factory=dict)
    methods: tuple[str, ...] = CURVED
    judged: bool = False


def decay(x: Array, a: float, b: float, c: float) -> Array:
    """Return an exponential decay to a level."""
    return a * np.exp(-b * x) + c


LONG, SHORT = np.linspace(0.0, 5.0, 100), np.linspace(0.0, 5.0, 20)
DECAY = {"a": 2.0, "b": 0.8, "c": 0.5}
SCENARIOS = (
    Scenario(
        "line", "y ~ w*x + k", {"w": 2.0, "k": 1.0}, LONG, lambda x, w, k: w * x + k, normal(1.0), {}, LINEAR, True
    ),
    Scenario("decay", "y ~ a*exp(-b*x) + c", DECAY, LONG, decay, normal(0.1), {}, LINEAR, True),
    Scenario("decay, 20 rows", "y ~ a*exp(-b*x) + c", DECAY, SHORT, decay, normal(0.2), {}, LINEAR),
    Scenario(
        "two rates", "y ~ a1*exp(-b1*x) + a2*exp(-b2*x)", {"a1": 3.0, "a2": 2.0, "b1": 0.3, "b2": 1.5}, SHORT,
        lambda x, a1, a2, b1, b2: a1 * np.exp(-b1 * x) + a2 * np.exp(-b2 * x), normal(0.05),
    ),
    Scenario(
        "two near rates", "y ~ a1*exp(-b1*x) + a2*exp(-b2*x)", {"a1": 3.0, "a2": 2.0, "b1": 0.4, "b2": 0.8}, SHORT,
        lambda x, a1, a2, b1, b2: a1 * np.exp(-b1 * x) + a2 * np.exp(-b2 * x), normal(0.05),
    ),
    Scenario(
        "few doses", "y ~ V*x/(K + x)", {"V": 2.0, "K": 0.1}, DOSES, lambda x, V, K: V * x / (K + x), normal(0.25)
    ),
    Scenario(
        "uptake", "y ~ A*(1 - exp(-k*(x - c)))", {"A": 38.0, "k": 0.006, "c": 50.0},
        np.array([95.0, 175, 250, 350, 500, 675, 1000]), lambda x, A, k, c: A * (1 - np.exp(-k * (x - c))), normal(2.0),
    ),
    Scenario(
        "counts", "y ~ a*exp(-b*x) + c", {"a": 60.0, "b": 0.9, "c": 7.0}, SHORT, decay, counts, {"loss": "poisson"}
    ),
    Scenario(
        "chances", "y ~ a + b*x", {"a": -1.5, "b": 0.7}, LONG, lambda x, a, b: a + b * x, yes_or_no,
        {"loss": "logistic"},
    ),
    Scenario(
        "growth", "y ~ a/(1 + exp(-b*(x - c)))", {"a": 2.0, "b": 2.0, "c": 2.5}, SHORT,
        lambda x, a, b, c: a / (1 + np.exp(-b * (x - c))), normal(0.15),
    ),
    Scenario(
        "bounded", "y ~ a*exp(-b*x) + c", DECAY, SHORT, decay, normal(0.1), {"bounds": ["c >= 0", "b <= 3"]},
    ),
)  # fmt: skip


def counted(number: int, seeds: range) -> Held:
    """Count over the data sets of a scenario."""
    return gathered(_one(SCENARIOS[number], seed) for seed in seeds)


def _one(scenario: Scenario, seed: int) -> Held:
    y = scenario.draw(np.random.default_rng([7, seed]), scenario.mean(scenario.x, **scenario.truth))
    fit = descend.fit(scenario.formula, {"x": scenario.x, "y": y}, start=scenario.truth, **scenario.options)
    found: Held = {}
    for method in scenario.methods:
        try:
            intervals = fit.intervals(0.95, method, resamples=RESAMPLES, seed=seed)
        except descend.ConfigError:
            intervals = dict.fromkeys(scenario.truth, (np.nan, np.nan))
        found[method] = {name: [holds(intervals[name], value)] for name, value in scenario.truth.items()}
    return found


def _targets(scenario: Scenario) -> dict[str, Range]:
    return {"profile": PROFILE} | (dict.fromkeys(("t", "sandwich", "bootstrap"), TARGET) if scenario.judged else {})


CASES: dict[str, Case] = {
    each.name: Case(f"{each.formula}, {each.x.size} rows", partial(counted, number), _targets(each))
    for number, each in enumerate(SCENARIOS)
}
