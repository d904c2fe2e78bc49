"""One fit for each of many groups, a*exp(-b*x) + c, beside loops over SciPy's curve_fit and lmfit, in one process.

Every program has the same data and, but for the row "no starts", the same start for all groups; standard errors are
included. The loops are timed on the first groups only. "above SciPy" counts those of them whose RSS is above
curve_fit's by more than 1e-9 of it, where that converges. Targets: 100 times curve_fit with starts given, 30 times
without, 60 times for groups of 3 to 200 rows, none above SciPy. "linear" is the time of a group among 1,000, 10,000
and all groups: it should be the same.

    python benchmarks/groups.py
    python benchmarks/groups.py --groups 1e5 --scipy 500
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import lmfit
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit

import descend

Array = NDArray[np.float64]
FORMULA = "y ~ a*exp(-b*x) + c"
START = {"a": 1.0, "b": 1.0, "c": 0.0}
TARGETS = {"given starts": 100.0, "no starts": 30.0, "ragged": 60.0}
ROWS, FEWEST, MOST = 20, 3, 200
BY_LMFIT = 50


def model(x: Array, a: float, b: float, c: float) -> Array:
    """Return the curve."""
    curve: Array = a * np.exp(-b * x) + c
    return curve


@dataclass(frozen=True)
class Data:
    """Groups of so many rows each, one after the other."""

    sizes: NDArray[np.intp]
    columns: dict[str, Array]

    @classmethod
    def of(cls, sizes: NDArray[np.intp]) -> Data:
        """Make the rows of groups of these sizes."""
        random = np.random.default_rng(0)
        count = len(sizes)
        truth = random.uniform(1, 4, count), random.uniform(0.5, 2, count), random.uniform(0, 1, count)
        group = np.repeat(np.arange(count), sizes)
        x = np.concatenate([np.linspace(0.1, 4.0, size) for size in sizes])
        y = model(x, *(each[group] for each in truth)) + random.normal(0.0, 0.05, len(x))
        return cls(sizes, {"x": x, "y": y, "group": group.astype(np.float64)})

    def each(self, count: int) -> list[tuple[Array, Array]]:
        """Return x and y of the first groups."""
        ends = np.cumsum(self.sizes)[:count]
        rows = [slice(end - size, end) for end, size in zip(ends, self.sizes[:count], strict=True)]
        return [(self.columns["x"][row], self.columns["y"][row]) for row in rows]


def by_scipy(data: Data, count: int) -> Array:
    """Return the RSS of the first groups by a loop over curve_fit, NaN where it does not converge."""
    found = np.full(count, np.nan)
    for place, (x, y) in enumerate(data.each(count)):
        try:
            theta, _ = curve_fit(model, x, y, list(START.values()))
        except (RuntimeError, TypeError):  # more parameters than rows is a TypeError
            continue
        found[place] = np.sum((model(x, *theta) - y) ** 2)
    return found


def by_lmfit(data: Data, count: int) -> None:
    """Fit the first groups by a loop over lmfit."""
    fitted = lmfit.Model(model)
    for x, y in data.each(count):
        if len(x) > len(START):
            fitted.fit(y, x=x, **START)


def by_descend(data: Data, start: Mapping[str, float] | None) -> Array:
    """Return the RSS of all groups."""
    fits: Any = descend.fit(FORMULA, data.columns, by="group", start=start)
    rss: Array = fits.loss * fits.rows
    return rss


def seconds(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def compare(name: str, data: Data, start: Mapping[str, float] | None, options: argparse.Namespace) -> None:
    """Print microseconds for each group and how many times faster than the loops descend is."""
    groups, count = len(data.sizes), min(options.scipy, len(data.sizes))
    times: dict[str, list[float]] = {"descend": [], "curve_fit": [], "lmfit": []}
    for _ in range(options.rounds):
        times["descend"].append(seconds(lambda: by_descend(data, start)) / groups)
        times["curve_fit"].append(seconds(lambda: by_scipy(data, count)) / count)
        times["lmfit"].append(seconds(lambda: by_lmfit(data, BY_LMFIT)) / BY_LMFIT)
    mine, scipy, other = (1e6 * statistics.median(each) for each in times.values())
    rss, theirs = by_descend(data, start)[:count], by_scipy(data, count)
    above = int(np.count_nonzero(np.isfinite(theirs) & ~(rss <= theirs * (1 + 1e-9) + 1e-18)))
    print(
        f"{name:<14}{mine:>9.2f}{scipy:>11.1f}{other:>10.0f}{scipy / mine:>9.0f}x{other / mine:>8.0f}x"
        f"{above:>9} of {np.count_nonzero(np.isfinite(theirs))}   target {TARGETS[name]:.0f}x",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--groups", type=lambda text: int(float(text)), default=100_000)
    parser.add_argument("--scipy", type=int, default=500, help="groups that curve_fit is timed on")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    even = Data.of(np.full(options.groups, ROWS))
    ragged = Data.of(np.random.default_rng(1).integers(FEWEST, MOST + 1, options.groups // 10))
    print("microseconds for each group; times faster than curve_fit, lmfit")
    print(f"{'':<14}{'descend':>9}{'curve_fit':>11}{'lmfit':>10}{'':>19}{'above SciPy':>15}")
    compare("given starts", even, START, options)
    compare("no starts", even, None, options)
    compare("ragged", ragged, START, options)
    for groups in (1_000, 10_000, options.groups):
        data = Data.of(np.full(groups, ROWS))
        took = statistics.median(seconds(lambda data=data: by_descend(data, START)) for _ in range(options.rounds))  # type: ignore[misc]
        print(f"linear: {groups:>9,} groups {1e6 * took / groups:>9.2f}", flush=True)


if __name__ == "__main__":
    main()
