"""One fit for each of many groups beside loops over SciPy's curve_fit and lmfit, in one process.

Every program has the same data and, but for the rows "no starts", the same start for all groups; standard errors are
included. The loops are timed on the first groups only, and their times put together from all rounds. Targets: 100 times
curve_fit for decays with starts given, and 500 times lmfit; 30 times curve_fit without starts; 60 times for logistic
curves, peaks, and groups of 3 to 200 rows.

"above" counts those first groups whose RSS is above curve_fit's by more than 1e-9 of it, where that converges; "off"
those more than 1e-9 above the lowest RSS that curve_fit reaches from where descend ended. Both should be 0.

"linear" is the time of a group among 1,000 to a million groups: it should be the same. "memory" is the peak of what
the call allocates, as a multiple of the data: below 3. "pixels" is Gpufit's own workload, a symmetric Gaussian of 5
parameters on 5x5 pixels with Gaussian noise, starts within a tenth of the truth, in fits per second. Published of it,
in single precision on a GPU: up to 42 times its own C++ code on a CPU (Przybylski et al. 2017, Sci. Rep. 7, 15722);
fits per second are in the figures of that paper only.

    python benchmarks/groups.py
    python benchmarks/groups.py --groups 1e5 --scipy 500 --only decays,ragged
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import lmfit
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit

import descend

Array = NDArray[np.float64]
ROWS, FEWEST, MOST = 20, 3, 200
BY_LMFIT = 200
PRECISE = {"xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15}


@dataclass(frozen=True)
class Curve:
    """A curve with noise: how it is written for descend, and for the others, and what its parameters may be."""

    formula: str
    function: Callable[..., Array]
    start: Mapping[str, float]
    ranges: tuple[tuple[float, float], ...]
    noise: float = 0.05


def decay(x: Array, a: float, b: float, c: float) -> Array:
    """Return an exponential decay."""
    curve: Array = a * np.exp(-b * x) + c
    return curve


def logistic(x: Array, low: float, high: float, rate: float, middle: float) -> Array:
    """Return a logistic curve."""
    curve: Array = low + (high - low) / (1.0 + np.exp(-rate * (x - middle)))
    return curve


def peak(x: Array, a: float, m: float, s: float, c: float) -> Array:
    """Return a Gaussian peak on a background."""
    curve: Array = a * np.exp(-((x - m) ** 2) / (2.0 * s**2)) + c
    return curve


DECAY = Curve("y ~ a*exp(-b*x) + c", decay, {"a": 1.0, "b": 1.0, "c": 0.0}, ((1, 4), (0.5, 2), (0, 1)))
LOGISTIC = Curve(
    "y ~ low + (high - low)/(1 + exp(-rate*(x - middle)))",
    logistic,
    {"low": 0.0, "high": 3.0, "rate": 3.0, "middle": 2.0},
    ((0, 1), (2, 4), (2, 5), (1.5, 2.5)),
)
PEAK = Curve(
    "y ~ a*exp(-(x - m)^2/(2*s^2)) + c",
    peak,
    {"a": 1.0, "m": 2.0, "s": 0.6, "c": 0.0},
    ((1, 4), (1.5, 2.5), (0.4, 0.8), (0, 1)),
)


@dataclass(frozen=True)
class Data:
    """Groups of so many rows each, one after the other."""

    sizes: NDArray[np.intp]
    columns: dict[str, Array]

    @classmethod
    def of(cls, curve: Curve, sizes: NDArray[np.intp]) -> Data:
        """Make the rows of groups of these sizes."""
        random = np.random.default_rng(0)
        truth = [random.uniform(*limits, len(sizes)) for limits in curve.ranges]
        group = np.repeat(np.arange(len(sizes)), sizes)
        x = np.concatenate([np.linspace(0.1, 4.0, size) for size in sizes])
        y = curve.function(x, *(each[group] for each in truth)) + random.normal(0.0, curve.noise, len(x))
        return cls(sizes, {"x": x, "y": y, "group": group.astype(np.float64)})

    def each(self, count: int) -> list[tuple[Array, Array]]:
        """Return x and y of the first groups."""
        ends = np.cumsum(self.sizes)[:count]
        rows = [slice(end - size, end) for end, size in zip(ends, self.sizes[:count], strict=True)]
        return [(self.columns["x"][row], self.columns["y"][row]) for row in rows]


def by_scipy(curve: Curve, data: Data, count: int, starts: Array | None = None, **precise: float) -> Array:
    """Return the RSS of the first groups by a loop over curve_fit, NaN where it does not converge."""
    found = np.full(count, np.nan)
    for place, (x, y) in enumerate(data.each(count)):
        start = list(curve.start.values()) if starts is None else starts[place]
        try:
            theta, _ = curve_fit(curve.function, x, y, start, **precise)
        except (RuntimeError, TypeError, ValueError):  # more parameters than rows is a TypeError
            continue
        found[place] = np.sum((curve.function(x, *theta) - y) ** 2)
    return found


def by_lmfit(curve: Curve, data: Data, count: int) -> None:
    """Fit the first groups by a loop over lmfit."""
    fitted = lmfit.Model(curve.function)
    for x, y in data.each(count):
        if len(x) > len(curve.start):
            fitted.fit(y, x=x, **curve.start)


def by_descend(curve: Curve, data: Data, start: Mapping[str, float] | None) -> Any:
    """Fit all groups."""
    return descend.fit(curve.formula, data.columns, by="group", start=start)


def seconds(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def compare(name: str, curve: Curve, data: Data, start: bool, target: float, options: argparse.Namespace) -> None:
    """Print microseconds for each group and how many times faster than the loops descend is."""
    groups, count = len(data.sizes), min(options.scipy, len(data.sizes))
    given, others = curve.start if start else None, min(BY_LMFIT, count)
    times: dict[str, list[float]] = {"descend": [], "curve_fit": [], "lmfit": []}
    for _ in range(options.rounds):
        times["descend"].append(seconds(lambda: by_descend(curve, data, given)) / groups)
        times["curve_fit"].append(seconds(lambda: by_scipy(curve, data, count)) / count)
        times["lmfit"].append(seconds(lambda: by_lmfit(curve, data, others)) / others)
    mine, scipy, other = (1e6 * float(np.median(each)) for each in times.values())
    fits, theirs = by_descend(curve, data, given), by_scipy(curve, data, count)
    rss = (fits.loss * fits.rows)[:count]
    ends = np.column_stack([fits.parameters[parameter][:count] for parameter in curve.start])
    lowest = by_scipy(curve, data, count, ends, **PRECISE)
    slack = 1e-18 * data.sizes[:count]
    above, off = (int(np.sum(rss > other * (1 + 1e-9) + slack)) for other in (theirs, lowest))
    print(
        f"{name:<22}{mine:>9.2f}{scipy:>11.1f}{other:>10.0f}{scipy / mine:>8.0f}x{other / mine:>8.0f}x"
        f"{above:>7}{off:>5} of {np.count_nonzero(np.isfinite(theirs))}   target {target:.0f}x",
        flush=True,
    )


def pixels(fits: int) -> None:
    """Print fits per second of peaks on 5x5 pixels, as Gpufit's authors make them."""
    random = np.random.default_rng(0)
    across, down = (each.ravel().astype(float) for each in np.meshgrid(np.arange(5), np.arange(5)))
    x0, y0 = 2.0 + random.uniform(-0.5, 0.5, (2, fits, 1))
    clean = 500.0 * np.exp(-((across - x0) ** 2 + (down - y0) ** 2) / 2.0) + 10.0
    v = clean + random.normal(0.0, 50.0, clean.shape)
    spot = np.repeat(np.arange(fits), 25)
    columns = {"u": np.tile(across, fits), "w": np.tile(down, fits), "v": v.ravel(), "spot": spot}
    formula = "v ~ amplitude*exp(-((u - x0)^2 + (w - y0)^2)/(2*width^2)) + background"
    start = {"amplitude": 550.0, "x0": 2.0, "y0": 2.0, "width": 1.1, "background": 9.0}
    took = seconds(lambda: descend.fit(formula, columns, by="spot", start=start))
    print(f"pixels: {fits:,} fits in {took:.1f} s, {fits / took:,.0f} a second", flush=True)


def scaling(options: argparse.Namespace) -> Iterator[str]:
    """Yield how time and memory grow with the number of groups."""
    for groups in (1_000, 10_000, 100_000, 1_000_000):
        data = Data.of(DECAY, np.full(groups, ROWS))
        took = min(seconds(lambda data=data: by_descend(DECAY, data, DECAY.start)) for _ in range(options.rounds))  # type: ignore[misc]
        yield f"linear: {groups:>9,} groups {1e6 * took / groups:>9.2f}"
    size = sum(column.nbytes for column in data.columns.values())
    tracemalloc.start()
    by_descend(DECAY, data, DECAY.start)
    yield f"memory: {tracemalloc.get_traced_memory()[1] / size:.2f} times the data of {groups:,} groups"
    tracemalloc.stop()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--groups", type=lambda text: int(float(text)), default=100_000)
    parser.add_argument("--scipy", type=int, default=500, help="groups that curve_fit is timed on")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="decays,logistic,peaks,ragged,linear,pixels", help="which of these to run")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    few = Data.of(DECAY, np.full(100, ROWS))
    by_descend(DECAY, few, None), by_scipy(DECAY, few, 3), by_lmfit(DECAY, few, 3)  # so that all is imported
    even = np.full(options.groups, ROWS)
    uneven = np.random.default_rng(1).integers(FEWEST, MOST + 1, options.groups // 2)
    cases = {"decays": (DECAY, even, 100), "logistic": (LOGISTIC, even, 60)}
    cases |= {"peaks": (PEAK, even, 60), "ragged": (DECAY, uneven, 60)}
    print("microseconds for each group; times faster than curve_fit, lmfit")
    print(f"{'':<22}{'descend':>9}{'curve_fit':>11}{'lmfit':>10}{'':>17}{'above':>8}{'off':>5}")
    for name in options.only.split(","):
        if name in cases:
            curve, sizes, target = cases[name]
            data = Data.of(curve, sizes)
            compare(name, curve, data, True, target, options)
            compare(f"{name}, no starts", curve, data, False, 30, options)
        elif name == "linear":
            for line in scaling(options):
                print(line, flush=True)
        elif name == "pixels":
            pixels(10 * options.groups)


if __name__ == "__main__":
    main()
