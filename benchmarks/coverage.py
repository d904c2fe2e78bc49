"""Do 95% intervals hold the true value in 95% of data sets? Each kind of interval, on simulated rows.

    python benchmarks/coverage.py --sets 1000 --resamples 199
    python benchmarks/coverage.py --sets 1000 --only "two rates"

Each scenario is a formula, its true parameters, the inputs, and how the response is drawn. For each kind of interval
and parameter the table shows the share of data sets whose interval held the true value. A profile is to hold it in 94
to 97% of them in every scenario, the others in 93 to 97% where many rows make the model nearly linear; elsewhere they
are measured and not judged. With 1,000 sets a share of 95% is itself uncertain by 1.4 points. The bootstrap makes fewer
resamples than its usual 1,000, to be done in minutes; that costs it a little, for its ends are then quantiles of fewer
values. Robust losses and quantiles: benchmarks/coverage_of_losses.py.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import descend

LINEAR = ("t", "profile", "sandwich", "bootstrap")
CURVED = ("t", "profile", "sandwich")
PROFILE, OTHER = (0.94, 0.97), (0.93, 0.97)
DOSES = np.array([0.02, 0.06, 0.11, 0.22, 0.35, 0.56, 1.1])
Draw = Callable[[np.random.Generator, np.ndarray], np.ndarray]


def normal(deviation: float) -> Draw:
    """Return how a response with normal errors is drawn about its mean."""
    return lambda random, mean: mean + deviation * random.normal(size=mean.size)


def counts(random: np.random.Generator, mean: np.ndarray) -> np.ndarray:
    """Draw counts about their mean."""
    return random.poisson(mean).astype(float)


def yes_or_no(random: np.random.Generator, mean: np.ndarray) -> np.ndarray:
    """Draw 1 or 0, where the mean is the log-odds of 1."""
    return (random.random(mean.size) < 1.0 / (1.0 + np.exp(-mean))).astype(float)


@dataclass(frozen=True)
class Scenario:
    """A model, its true parameters, the inputs, and how the response is drawn.

    judged: whether methods other than the profile are held to the target. only: the parameters that are looked at.
    """

    name: str
    formula: str
    truth: dict[str, float]
    x: np.ndarray
    mean: Callable[..., np.ndarray]
    draw: Draw
    options: dict[str, Any] = field(default_factory=dict)
    methods: tuple[str, ...] = CURVED
    judged: bool = False
    only: tuple[str, ...] = ()

    @property
    def looked_at(self) -> tuple[str, ...]:
        return self.only or tuple(self.truth)


def decay(x: np.ndarray, a: float, b: float, c: float) -> np.ndarray:
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


Counts = tuple[dict[str, dict[str, int]], dict[str, int], dict[str, float]]


def counted(scenario: Scenario, seeds: range, resamples: int) -> Counts:
    """Return, for each method, how often each parameter was covered and an interval made, and the seconds."""
    methods = scenario.methods
    hits = {method: dict.fromkeys(scenario.looked_at, 0) for method in methods}
    made, seconds = dict.fromkeys(methods, 0), dict.fromkeys(methods, 0.0)
    for seed in seeds:
        y = scenario.draw(np.random.default_rng([7, seed]), scenario.mean(scenario.x, **scenario.truth))
        fit = descend.fit(scenario.formula, {"x": scenario.x, "y": y}, start=scenario.truth, **scenario.options)
        for method in methods:
            began = time.perf_counter()
            try:
                intervals = fit.intervals(0.95, method, resamples=resamples, seed=seed)
            except descend.ConfigError:
                continue
            seconds[method] += time.perf_counter() - began
            made[method] += 1
            for name in scenario.looked_at:
                low, high = intervals[name]
                hits[method][name] += bool(low <= scenario.truth[name] <= high)
    return hits, made, seconds


def covered(
    number: int, sets: int, resamples: int
) -> tuple[dict[str, dict[str, float]], dict[str, int], dict[str, float]]:
    """Return, for each method, the coverage of each parameter, of how many sets, and the milliseconds an interval took.

    The work is shared by as many processes as there are cores.
    """
    workers = os.cpu_count() or 1
    with ProcessPoolExecutor(workers) as pool:
        parts = [pool.submit(part, number, range(first, sets, workers), resamples) for first in range(workers)]
        found: list[Counts] = [each.result() for each in parts]
    scenario = SCENARIOS[number]
    made = {method: sum(each[1][method] for each in found) for method in scenario.methods}
    shares = {
        method: {
            name: sum(each[0][method][name] for each in found) / max(made[method], 1) for name in scenario.looked_at
        }
        for method in scenario.methods
    }
    spent = {method: 1e3 * sum(each[2][method] for each in found) / max(made[method], 1) for method in scenario.methods}
    return shares, made, spent


def part(number: int, seeds: range, resamples: int) -> Counts:
    """Count over a share of the data sets: scenarios hold functions, which no process can be sent."""
    return counted(SCENARIOS[number], seeds, resamples)


def main() -> None:
    """Print the tables; exit 1 if a share that is judged is outside its target."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=199)
    parser.add_argument("--only", metavar="NAME", choices=[scenario.name for scenario in SCENARIOS])
    options = parser.parse_args()
    missed = False
    for number, scenario in enumerate(SCENARIOS):
        if options.only not in (None, scenario.name):
            continue
        shares, made, spent = covered(number, options.sets, options.resamples)
        print(f"{scenario.name}: {scenario.formula}, {scenario.x.size} rows, {options.sets:,} data sets")
        print(f"  {'method':<10}" + "".join(f"{name:>8}" for name in scenario.looked_at) + f"{'ms':>10}")
        for method in scenario.methods:
            low, high = PROFILE if method == "profile" else OTHER
            cells = "".join(f"{100 * share:>7.1f}%" for share in shares[method].values())
            bad = [name for name, share in shares[method].items() if not low <= share <= high]
            missed |= bool(bad) and (scenario.judged or method == "profile")
            none = options.sets - made[method]
            print(
                f"  {method:<10}{cells}{spent[method]:>10.2f}"
                + (f"  outside: {', '.join(bad)}" if bad else "")
                + (f"  (none for {none:,} sets)" if none else "")
            )
        print(flush=True)
    raise SystemExit(int(missed))


if __name__ == "__main__":
    main()
