"""What is said before the first step, held against what happens: stable limit, epochs, and what it costs to say so.

Random linear models of 1 to 12 columns of unlike size, far from 0 or not, from random starts. For each optimizer the
largest stable rate is found by bisecting actual runs, and the epochs to a random tolerance at random rates are run.
Targets: the limit within 2%, the epochs within 5%, and no more time than ten epochs.

    python benchmarks/preflight.py --problems 100
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import numpy as np

import descend
from descend.descent.loop import Plan
from descend.descent.stability_watch import preflight
from descend.optimizers import OPTIMIZERS
from descend.options.request import Request
from descend.problem.posing import pose
from descend.stability.spectrum import spectrum_of

FAMILY = ("gd", "momentum", "momentum(momentum=0.5)", "nesterov")
FORMULA = "y ~ w @ [x*] + b"
MOST = 20_000
SIZES = ((100, 1), (10_000, 5), (100_000, 5), (1_000_000, 5), (10_000, 20), (100_000, 50), (20_000, 200))


def quadratic(seed: int) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Make a table and a start."""
    random = np.random.default_rng(seed)
    count = random.integers(1, 13)
    X = random.normal(size=(200, count)) * 10 ** random.uniform(-0.7, 0.5, size=count)
    X += random.normal(size=count) * random.integers(0, 2)
    y = X @ random.normal(size=count) + 3.0 + random.choice([0.0, 0.1, 1.0]) * random.normal(size=200)
    data = {f"x{place:02}": column for place, column in enumerate(X.T)} | {"y": y}
    return data, {"w": random.normal(size=count), "b": 0.5}


def true_limit(data: Any, start: Any, name: str, told: float) -> float:
    """Bisect the largest rate at which 2000 epochs end below where they began."""
    low, high = 0.5 * told, 2.0 * told
    for _ in range(10):
        middle = (low + high) / 2.0
        ran = descend.fit(FORMULA, data, start=start, optimizer=name, learning_rate=middle, epochs=2000)
        grew = not ran.trace[-1].loss <= ran.trace[0].loss
        low, high = (low, middle) if grew else (middle, high)
    return (low + high) / 2.0


def accuracy(problems: int) -> None:
    """Print how far limits and epochs are from what happens."""
    print(f"{'optimizer':24}{'limit off by':>14}{'epochs off by':>16}{'runs':>8}")
    for name in FAMILY:
        optimizer, limits, epochs = OPTIMIZERS.build(name), [], []
        for seed in range(problems):
            data, start = quadratic(seed)
            random = np.random.default_rng([seed, 1])
            found = spectrum_of(pose(FORMULA, data, Request(start=start)))
            assert found is not None
            limit = found.stable_limit(optimizer)
            assert limit is not None
            if seed < problems // 5:
                limits.append(abs(true_limit(data, start, name, limit) / limit - 1.0))
            rate, tolerance = random.uniform(0.05, 0.98) * limit, float(10 ** random.uniform(-8, -2))
            told = found.epochs_to(tolerance, rate, optimizer)
            if told is None or told > MOST:
                continue
            ran = descend.fit(
                FORMULA, data, start=start, optimizer=name, learning_rate=rate, tolerance=tolerance, epochs=MOST
            )
            epochs.append(abs(ran.epochs - told) / max(ran.epochs, 1))
        print(f"{name:24}{max(limits):>13.3%} {max(epochs):>15.3%} {len(epochs):>7}")


def cost() -> None:
    """Print what it takes beside an epoch: in `fit`, at rates below the limit, and for all that `explain` says."""
    heads = f"{'fit at 0.5':>12}{'fit at 0.9':>12}{'explain':>12}"
    print(f"\n{'':>19}{'':>12}{'in epochs: of the largest stable rate':>38}")
    print(f"{'rows':>10}{'columns':>9}{'epoch, ms':>12}{heads}")
    gd = OPTIMIZERS.build("gd")
    for rows, columns in SIZES:
        random = np.random.default_rng(0)
        X = random.normal(size=(rows, columns))
        data = {f"x{place:03}": column for place, column in enumerate(X.T)} | {"y": X.sum(axis=1)}
        problem = pose(FORMULA, data, Request())
        theta = problem.first.theta
        epoch = timed(lambda problem=problem, theta=theta: problem.objective(theta + 0.0))
        found = spectrum_of(problem)
        assert found is not None
        limit = found.stable_limit(gd)
        assert limit is not None
        plans = [Plan(epochs=100, asked=True, rate=share * limit, scales=np.ones(1)) for share in (0.5, 0.9)]

        def everything(problem: Any = problem) -> None:
            found = spectrum_of(problem)
            assert found is not None
            found.epochs_to(1e-9, 1.0 / found.largest, gd), found.culprit, found.condition_standardized

        looks = [
            timed(lambda problem=problem, plan=plan: preflight(problem, problem.first, gd, plan)) for plan in plans
        ]
        cells = "".join(f"{each / epoch:>12.2g}" for each in (*looks, timed(everything)))
        print(f"{rows:>10,}{columns:>9}{1000 * epoch:>12.3g}{cells}")


def timed(call: Any) -> float:
    """Return the median time of many calls."""
    call()
    times = []
    for _ in range(51):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=100)
    accuracy(parser.parse_args().problems)
    cost()


if __name__ == "__main__":
    main()
