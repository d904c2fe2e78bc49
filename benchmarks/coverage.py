"""Do 95% intervals hold the true value in 95% of data sets? Each kind of interval, on simulated rows.

    python benchmarks/coverage.py --sets 1000 --resamples 199

Two models with normal errors: a line, and the nonlinear y = a exp(-b x) + c; 100 rows each. For each kind of interval
and parameter the table shows the share of data sets whose interval held the true value; target 93 to 97%. With 1,000
sets a share of 95% is itself uncertain by 1.4 points. The bootstrap makes fewer resamples than its usual 1,000, to be
done in minutes; that costs it a little, for its ends are then quantiles of fewer values.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

import descend

METHODS = ("t", "profile", "sandwich", "bootstrap")
TARGET = (0.93, 0.97)
ROWS = 100


@dataclass(frozen=True)
class Case:
    """A model, its true parameters, and the standard deviation of the errors."""

    formula: str
    truth: dict[str, float]
    deviation: float

    def mean(self, x: np.ndarray) -> np.ndarray:
        """Return y without its errors."""
        if "a" in self.truth:
            return self.truth["a"] * np.exp(-self.truth["b"] * x) + self.truth["c"]
        return self.truth["w"] * x + self.truth["k"]


CASES = (
    Case("y ~ w*x + k", {"w": 2.0, "k": 1.0}, 1.0),
    Case("y ~ a*exp(-b*x) + c", {"a": 2.0, "b": 0.8, "c": 0.5}, 0.1),
)


Counts = tuple[dict[str, dict[str, int]], dict[str, float]]


def counted(case: Case, seeds: range, resamples: int) -> Counts:
    """Return, for each method, how often each parameter was covered, and the seconds that took."""
    x = np.linspace(0.0, 5.0, ROWS)
    hits = {method: dict.fromkeys(case.truth, 0) for method in METHODS}
    seconds = dict.fromkeys(METHODS, 0.0)
    for seed in seeds:
        y = case.mean(x) + case.deviation * np.random.default_rng([7, seed]).normal(size=ROWS)
        fit = descend.fit(case.formula, {"x": x, "y": y}, start=case.truth)
        for method in METHODS:
            began = time.perf_counter()
            intervals = fit.intervals(0.95, method, resamples=resamples, seed=seed)
            seconds[method] += time.perf_counter() - began
            for name, true in case.truth.items():
                low, high = intervals[name]
                hits[method][name] += bool(low <= true <= high)
    return hits, seconds


def covered(case: Case, sets: int, resamples: int) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Return, for each method, the coverage of each parameter, and the milliseconds an interval took.

    The work is shared by as many processes as there are cores.
    """
    workers = os.cpu_count() or 1
    with ProcessPoolExecutor(workers) as pool:
        parts = [pool.submit(counted, case, range(first, sets, workers), resamples) for first in range(workers)]
        found: list[Counts] = [part.result() for part in parts]
    shares = {
        method: {name: sum(hits[method][name] for hits, _ in found) / sets for name in case.truth} for method in METHODS
    }
    return shares, {method: 1e3 * sum(seconds[method] for _, seconds in found) / sets for method in METHODS}


def main() -> None:
    """Print the table; exit 1 if a share is outside the target."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=199)
    options = parser.parse_args()
    missed = False
    for case in CASES:
        shares, spent = covered(case, options.sets, options.resamples)
        print(f"{case.formula}, {ROWS} rows, {options.sets:,} data sets; bootstrap of {options.resamples} resamples")
        print(f"  {'method':<10}" + "".join(f"{name:>8}" for name in case.truth) + f"{'ms':>10}")
        for method in METHODS:
            cells = "".join(f"{100 * share:>7.1f}%" for share in shares[method].values())
            bad = [name for name, share in shares[method].items() if not TARGET[0] <= share <= TARGET[1]]
            missed |= bool(bad)
            print(f"  {method:<10}{cells}{spent[method]:>10.2f}" + (f"  outside: {', '.join(bad)}" if bad else ""))
        print(flush=True)
    raise SystemExit(int(missed))


if __name__ == "__main__":
    main()
