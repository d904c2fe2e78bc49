"""Functions that can only be called: how often descend and SciPy's curve_fit call them, and to how many digits.

DIR holds NIST's nonlinear problems (see nist.py). Each function is fitted from both starts in three guises: as it
stands, where complex numbers and many points at once may be passed; `single`, which takes one point at a time, as one
with an `if` does; and `real`, which takes one point of real numbers, as one that solves a differential equation does.

    python benchmarks/opaque.py tests/results/nist
"""

from __future__ import annotations

import argparse
import functools
import statistics
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from nist import Problem, digits, read

import descend

GUISES = ("as it stands", "single", "real")


class Counted:
    """A function with the signature of another, which counts its calls and refuses what its guise does not take."""

    def __init__(self, function: Callable[..., Any], guise: str) -> None:
        self.function, self.guise, self.count = function, guise, 0
        functools.update_wrapper(self, function)

    def __call__(self, *columns: Any, **named: Any) -> Any:
        self.count += 1
        values = list(named.values())
        if self.guise != "as it stands" and any(np.ndim(value) > 1 for value in values):
            raise ValueError("The truth value of an array is ambiguous.")
        if self.guise == "real" and any(np.iscomplexobj(value) for value in values):
            raise TypeError("real numbers only")
        return self.function(*columns, **named)


def by_descend(problem: Problem, start: dict[str, float], guise: str) -> tuple[tuple[float, float], int]:
    """Return the digits of the worst parameter and deviation, and the number of calls."""
    counted = Counted(problem.function, guise)
    try:
        fit = descend.fit(counted, {**problem.columns, "y": problem.y}, response="y", start=start, gradient="numeric")
        found = digits(problem, (fit.parameters, fit.standard_errors))
    except descend.errors.DescendError:
        return (0.0, 0.0), counted.count
    return found, counted.count


def by_curve_fit(problem: Problem, start: dict[str, float]) -> tuple[tuple[float, float], int]:
    """Return the same of SciPy's curve_fit."""
    from scipy.optimize import curve_fit

    counted = Counted(problem.function, "real")
    inputs = {name: column for name, column in problem.columns.items() if name != "y"}

    def function(_: object, *theta: float) -> Any:
        return counted(**inputs, **dict(zip(problem.table, theta, strict=True)))

    try:
        theta, covariance = curve_fit(function, None, problem.y, list(start.values()))
    except (RuntimeError, ValueError):
        return (0.0, 0.0), counted.count
    named = dict(zip(problem.table, map(float, theta), strict=True))
    errors = dict(zip(problem.table, map(float, np.sqrt(covariance.diagonal())), strict=True))
    return digits(problem, (named, errors)), counted.count


def main() -> None:
    """Print calls and digits, a row for each problem and start, then a summary."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("dir", type=Path, help="folder of the .dat files")
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    columns = ("curve_fit", *GUISES)
    found: dict[str, list[tuple[float, float, int]]] = {name: [] for name in columns}
    print("calls: digits of the worst parameter / standard deviation")
    print(f"{'':<12}" + "".join(f"{name:>20}" for name in columns))
    for path in sorted(parser.parse_args().dir.glob("*.dat")):
        problem = read(path)
        for number in (0, 1):
            start = problem.start(number)
            results = [by_curve_fit(problem, start), *(by_descend(problem, start, guise) for guise in GUISES)]
            for name, (both, calls) in zip(columns, results, strict=True):
                found[name].append((*both, calls))
            cells = (f"{calls}: {both[0]:.1f}/{both[1]:.1f}" for both, calls in results)
            print(f"{problem.name + f' {number + 1}':<12}" + "".join(f"{cell:>20}" for cell in cells), flush=True)
    scipy = found["curve_fit"]
    heads = ("mean digits", "deviations", "6 or more", "median calls", "more than SciPy")
    print(f"\n{'':<14}" + "".join(f"{head:>17}" for head in heads))
    for name, rows in found.items():
        fair = [(mine, other) for mine, other in zip(rows, scipy, strict=True) if other[0] >= 4.0]
        more = f"{sum(mine[2] > other[2] for mine, other in fair)} of {len(fair)}"
        means = [statistics.mean(row[place] for row in rows) for place in (0, 1)]
        reached = f"{sum(row[0] >= 6.0 for row in rows)} of {len(rows)}"
        calls = statistics.median(row[2] for row in rows)
        print(f"{name:<14}{means[0]:>17.1f}{means[1]:>17.1f}{reached:>17}{calls:>17.0f}{more:>17}")


if __name__ == "__main__":
    main()
