"""One small fit in process, 20 rows and a few parameters, beside SciPy's curve_fit and lmfit.

Every program is called as its users call it, with the same start, all settings left alone. In a round each of them
fits ten times in a row, as for ten data sets, in turn; the table shows medians and how many times the time of curve_fit
each takes. Where a single fit is all a program does in between, the processor has forgotten its code, and the more of
it there is the longer that takes: "cold" is the ratio for fits that take turns one by one. "tight" is curve_fit with
tolerances of 1e-15, which asks for as many digits as descend finds. Digits are those in which the worst parameter
agrees with least squares in higher precision. "first" is a fit of a formula that was never seen before, in a process
that has fitted others: the very first of its kind, or under new names, whichever takes longer. Targets: at most 1.5
times the time of curve_fit, at least 4 times faster than lmfit, and a first fit at most 0.1 s longer than the others.

With ``--grid`` four everyday curves instead, of 50, 500 and 5,000 rows and 2, 10 and 30% noise (share of the range of
the curve), fitted by descend and by curve_fit in turn to ten data sets: how many times the median time of curve_fit
the median fit of descend takes, with the start that curve_fit has, a second look included where one is taken, and
without any. Targets with a start: at most 2 times the time of curve_fit on average, and 5 at worst.

    python benchmarks/small.py --rounds 300
    python benchmarks/small.py --grid --rounds 10
"""

from __future__ import annotations

import argparse
import math
import re
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import lmfit
import mpmath
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit

import descend

Array = NDArray[np.float64]
ROWS, NOISE = 20, 0.01
IN_A_ROW = 10
TARGETS = {"curve_fit": 1.5, "lmfit": 0.25}


@dataclass(frozen=True)
class Problem:
    """A model as a formula and as a function, what made the data, and where a fit starts."""

    formula: str
    function: Callable[..., Any]
    truth: Mapping[str, float]
    start: Mapping[str, float]
    data: dict[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        x = np.linspace(0.1, 4.0, ROWS)
        noise = np.random.default_rng(0).normal(0.0, NOISE, ROWS)
        self.data.update(x=x, y=self.function(x, *self.truth.values()) + noise)


PROBLEMS = {
    "decay": Problem(
        "y ~ a*exp(-b*x) + c",
        lambda x, a, b, c: a * np.exp(-b * x) + c,
        {"a": 2.5, "b": 1.3, "c": 0.5},
        {"a": 1.0, "b": 1.0, "c": 0.0},
    ),
    "peak": Problem(
        "y ~ a*exp(-(x - m)^2 / (2*s^2))",
        lambda x, a, m, s: a * np.exp(-((x - m) ** 2) / (2 * s**2)),
        {"a": 3.0, "m": 2.0, "s": 0.6},
        {"a": 2.0, "m": 1.7, "s": 0.8},
    ),
    "growth": Problem(
        "y ~ k / (1 + exp(-r*(x - m)))",
        lambda x, k, r, m: k / (1 + np.exp(-r * (x - m))),
        {"k": 2.0, "r": 2.2, "m": 1.8},
        {"k": 1.5, "r": 1.0, "m": 1.5},
    ),
    "rational": Problem(
        "y ~ (a + b*x) / (1 + c*x)",
        lambda x, a, b, c: (a + b * x) / (1 + c * x),
        {"a": 0.5, "b": 3.0, "c": 0.8},
        {"a": 1.0, "b": 1.0, "c": 0.5},
    ),
}


@dataclass(frozen=True)
class Everyday:
    """A curve that laboratories fit every day: as a formula and as a function, what made the data, and a start."""

    formula: str
    function: Callable[..., Any]
    truth: tuple[float, ...]
    start: Mapping[str, float]

    def data(self, rows: int, noise: float, seed: int) -> dict[str, Array]:
        """Make data whose noise is this share of the range of the curve."""
        x = np.linspace(0.1, 4.0, rows)
        y = self.function(x, *self.truth)
        return {"x": x, "y": y + np.random.default_rng(seed).normal(0.0, noise * float(np.ptp(y)), rows)}


EVERYDAY = {
    "decay with offset": Everyday(
        "y ~ a*exp(-b*x) + c",
        lambda x, a, b, c: a * np.exp(-b * x) + c,
        (2.5, 1.3, 0.5),
        {"a": 1.0, "b": 1.0, "c": 0.0},
    ),
    "Michaelis-Menten": Everyday("y ~ V*x/(K + x)", lambda x, V, K: V * x / (K + x), (2.0, 0.8), {"V": 1.0, "K": 1.0}),
    "peak on a baseline": Everyday(
        "y ~ a*exp(-(x - m)^2/(2*s^2)) + c",
        lambda x, a, m, s, c: a * np.exp(-((x - m) ** 2) / (2 * s**2)) + c,
        (3.0, 2.0, 0.6, 0.5),
        {"a": 2.0, "m": 1.7, "s": 0.8, "c": 0.0},
    ),
    "four-parameter logistic": Everyday(
        "y ~ d + (a - d)/(1 + (x/c)^b)",
        lambda x, a, b, c, d: d + (a - d) / (1 + (x / c) ** b),
        (2.0, 3.0, 1.5, 0.2),
        {"a": 1.5, "b": 2.0, "c": 1.0, "d": 0.0},
    ),
}
GRID_ROWS, GRID_NOISE, DATA_SETS = (50, 500, 5_000), (0.02, 0.1, 0.3), 10
GRID_TARGETS = {"on average": 2.0, "at worst": 5.0}


def by_descend(problem: Problem) -> list[float]:
    """Fit with descend, and have the standard errors, as curve_fit returns them in any case."""
    fit = descend.fit(problem.formula, problem.data, start=problem.start)
    assert all(error > 0.0 for error in fit.standard_errors.values())
    return [fit.parameters[name] for name in problem.truth]


def by_curve_fit(problem: Problem) -> list[float]:
    """Fit with SciPy's curve_fit, which finds the covariance too."""
    start = list(problem.start.values())
    return list(curve_fit(problem.function, problem.data["x"], problem.data["y"], p0=start)[0])


def by_curve_fit_tight(problem: Problem) -> list[float]:
    """Fit with SciPy's curve_fit, as precisely as it goes."""
    start, tight = list(problem.start.values()), dict.fromkeys(("ftol", "xtol", "gtol"), 1e-15)
    return list(curve_fit(problem.function, problem.data["x"], problem.data["y"], p0=start, **tight)[0])


def by_lmfit(problem: Problem) -> list[float]:
    """Fit with lmfit's Model."""
    found = lmfit.Model(problem.function).fit(problem.data["y"], x=problem.data["x"], **problem.start)
    return [found.params[name].value for name in problem.truth]


CONTENDERS: dict[str, Callable[[Problem], list[float]]] = {
    "descend": by_descend,
    "curve_fit": by_curve_fit,
    "curve_fit, tight": by_curve_fit_tight,
    "lmfit": by_lmfit,
}


def exact(problem: Problem, near: list[float]) -> Array:
    """Solve the normal equations of the problem with 40 digits, by Newton's method from an answer that is near."""
    import sympy

    names = sympy.symbols(list(problem.truth))
    text = problem.formula.partition("~")[2].replace("^", "**")
    model = sympy.sympify(text, locals={"x": sympy.Symbol("x")} | {symbol.name: symbol for symbol in names})
    rows = list(zip(map(mpmath.mpf, problem.data["x"]), map(mpmath.mpf, problem.data["y"]), strict=True))
    at = ("x", *problem.truth)
    value = sympy.lambdify(at, model, "mpmath")
    slopes = [sympy.lambdify(at, model.diff(symbol), "mpmath") for symbol in names]

    def equations(*theta: Any) -> list[Any]:
        return [mpmath.fsum((value(x, *theta) - y) * slope(x, *theta) for x, y in rows) for slope in slopes]

    with mpmath.workdps(40):
        return np.array([float(part) for part in mpmath.findroot(equations, near)])


def digits(found: list[float], truth: Array) -> float:
    """Return the digits in which the worst parameter agrees."""
    error = float(np.max(np.abs(np.array(found) - truth) / np.abs(truth)))
    return min(16.0, -math.log10(max(error, 1e-16)))


def fresh(problem: Problem, number: int) -> Problem:
    """Return the problem under names that no other fit has used, so that nothing about it is known."""
    names = {name: f"{name}_{number}" for name in problem.truth}
    formula = problem.formula
    for name, other in names.items():
        formula = re.sub(rf"\b{name}\b", other, formula)
    start = {names[name]: value for name, value in problem.start.items()}
    truth = {names[name]: value for name, value in problem.truth.items()}
    return Problem(formula, problem.function, truth, start)


def medians(problem: Problem, rounds: int, in_a_row: int) -> dict[str, float]:
    """Return the median seconds of each program, of which each makes so many fits in a row, in turn."""
    times: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _ in range(rounds):
        for name, run in CONTENDERS.items():
            times[name] += [timed(run, problem) for _ in range(in_a_row)]
    return {name: statistics.median(taken) for name, taken in times.items()}


def timed(run: Callable[..., Any], *given: Any, **named: Any) -> float:
    """Return the seconds of one fit."""
    began = time.perf_counter()
    run(*given, **named)
    return time.perf_counter() - began


def compared(curve: Everyday, rows: int, noise: float, rounds: int) -> list[float]:
    """Return how many times the median time of curve_fit that of descend is: with a start, and without."""
    begin = list(curve.start.values())
    times: list[list[float]] = [[], [], []]
    for number in range(rounds * DATA_SETS):
        data = curve.data(rows, noise, number % DATA_SETS)
        taken = (
            timed(curve_fit, curve.function, data["x"], data["y"], p0=begin, maxfev=100_000),
            timed(descend.fit, curve.formula, data, start=curve.start),
            timed(descend.fit, curve.formula, data),
        )
        for each, seconds in zip(times, taken, strict=True):
            each.append(seconds)
    peer, *ours = (statistics.median(each) for each in times)
    return [each / peer for each in ours]


def grid(rounds: int) -> None:
    """Print the grid of everyday curves."""
    print(f"{'times curve_fit':<26}{'rows':>6}{'noise':>8}{'with a start':>14}{'without':>10}")
    found = []
    for name, curve in EVERYDAY.items():
        compared(curve, 50, 0.1, 1)  # whatever a formula needs but once
        for rows in GRID_ROWS:
            for noise in GRID_NOISE:
                found.append(compared(curve, rows, noise, rounds))
                print(f"{name:<26}{rows:>6}{noise:>8.0%}{found[-1][0]:>14.2f}{found[-1][1]:>10.2f}", flush=True)
    print()
    for column, label in enumerate(("with a start", "without")):
        ratios = [pair[column] for pair in found]
        reached = {"on average": statistics.geometric_mean(ratios), "at worst": max(ratios)}
        for how, ratio in reached.items():
            target = GRID_TARGETS[how]
            verdict = "met" if ratio <= target else "MISSED"
            aim = f" (target at most {target:g}: {verdict})" if column == 0 else ""
            print(f"{label}, {how}: {ratio:.2f}{aim}")


def main() -> None:
    """Run all programs in turn on every problem, and print medians, ratios and digits."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=300, help="how often each fit is run (default 300)")
    parser.add_argument("--grid", action="store_true", help="everyday curves by rows and noise, instead")
    asked = parser.parse_args()
    if asked.grid:
        grid(asked.rounds)
        return
    rounds = asked.rounds
    descend.fit("y ~ p*x", PROBLEMS["decay"].data)  # whatever loads at the first fit of a process
    print(f"{'':<10}{'program':<18}{'median':>12}{'of curve_fit':>14}{'of lmfit':>10}{'digits':>8}")
    ratios: dict[str, list[float]] = {name: [] for name in TARGETS}
    alone: dict[str, list[float]] = {name: [] for name in TARGETS}
    longest = 0.0
    for label, problem in PROBLEMS.items():
        very_first = timed(by_descend, problem)
        ends = {name: run(problem) for name, run in CONTENDERS.items()}
        truth = exact(problem, ends["descend"])
        median, cold = medians(problem, rounds // IN_A_ROW, IN_A_ROW), medians(problem, rounds // IN_A_ROW, 1)
        for name, taken in median.items():
            print(
                f"{label:<10}{name:<18}{taken * 1e3:>9.3f} ms{taken / median['curve_fit']:>14.2f}"
                f"{taken / median['lmfit']:>10.2f}{digits(ends[name], truth):>8.1f}"
            )
        renamed = statistics.median(timed(by_descend, fresh(problem, number)) for number in range(9))
        first = max(very_first, renamed)
        print(f"{'':<10}{'descend, first':<18}{first * 1e3:>9.3f} ms")
        longest = max(longest, first - median["descend"])
        for peer, taken in ratios.items():
            taken.append(median["descend"] / median[peer])
            alone[peer].append(cold["descend"] / cold[peer])
    print()
    for peer, target in TARGETS.items():
        worst, mean = max(ratios[peer]), statistics.geometric_mean(ratios[peer])
        verdict = "met" if worst <= target else "MISSED"
        print(f"descend / {peer}: {mean:.2f} on average, {worst:.2f} at worst (target at most {target:g}: {verdict})")
        print(f"{'':<9}cold: {statistics.geometric_mean(alone[peer]):.2f} on average, {max(alone[peer]):.2f} at worst")
    verdict = "met" if longest <= 0.1 else "MISSED"
    print(f"first fit of a formula: {longest * 1e3:.0f} ms on top at worst (target at most 100: {verdict})")


if __name__ == "__main__":
    main()
