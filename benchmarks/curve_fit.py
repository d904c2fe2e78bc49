"""`descend.curve_fit` beside SciPy's and lmfit, in one process: small fits, many rows, functions that are no formula.

Every program gets the same NumPy function, the same start and the same data, all settings left alone; descend traces
the function anew in each call and holds it against itself on the rows. The functions were seen before.

small: 20 rows, 2 and 10% noise (share of the range of the curve). In a round each program fits ten times in a row, in
turn; the table shows medians, how many times the time of SciPy each takes, and the digits in which the worst parameter
agrees with least squares in higher precision. Target: at most 2 times the time of SciPy, to 13 digits or more.

large: a million rows. Target: at least 5 times faster than SciPy, by the geometric mean.

opaque: the same functions, of which nothing can be traced. How often each program calls them, all calls counted, and
the digits. Target: no more calls than SciPy's, to more digits.

    python benchmarks/curve_fit.py
    python benchmarks/curve_fit.py --rounds 30 --rows 1e7
"""

from __future__ import annotations

import argparse
import statistics
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import lmfit
import mpmath
import numpy as np
import scipy.optimize
import sympy
from numpy.typing import NDArray
from small import EVERYDAY, IN_A_ROW, Everyday, digits, timed

import descend

Array = NDArray[np.float64]
NOISES = (0.02, 0.1)
TARGETS = {"small": 2.0, "digits": 13.0, "large": 5.0}
CURVES = {
    **EVERYDAY,
    "logistic growth": Everyday(
        "y ~ k/(1 + exp(-r*(x - m)))",
        lambda x, k, r, m: k / (1 + np.exp(-r * (x - m))),
        (2.0, 2.2, 1.8),
        {"k": 1.5, "r": 1.0, "m": 1.5},
    ),
    "wave": Everyday(
        "y ~ a*sin(w*x + p)",
        lambda x, a, w, p: a * np.sin(w * x + p),
        (2.0, 2.0, 0.5),
        {"a": 1.0, "w": 1.9, "p": 0.4},
    ),
}


@dataclass
class Counted:
    """A function that counts its calls, and that cannot be traced: it asks its data a question."""

    function: Callable[..., Any]
    calls: int = field(default=0)

    def __call__(self, x: Array, *theta: float) -> Array:
        self.calls += 1
        return np.asarray(self.function(x, *theta) if float(x[0]) < np.inf else x)


def by_descend(curve: Callable[..., Any], x: Array, y: Array, start: list[float]) -> list[float]:
    """Fit with descend."""
    return list(descend.curve_fit(curve, x, y, p0=start)[0])


def by_scipy(curve: Callable[..., Any], x: Array, y: Array, start: list[float]) -> list[float]:
    """Fit with SciPy."""
    return list(scipy.optimize.curve_fit(curve, x, y, p0=start)[0])


def by_lmfit(curve: Callable[..., Any], x: Array, y: Array, start: list[float]) -> list[float]:
    """Fit with lmfit's Model, which takes the names of the parameters from the function."""
    model = lmfit.Model(curve)
    found = model.fit(y, x=x, **dict(zip(model.param_names, start, strict=True)))
    return [found.params[name].value for name in model.param_names]


PROGRAMS = {"descend": by_descend, "scipy": by_scipy, "lmfit": by_lmfit}


def least_squares(curve: Everyday, data: dict[str, Array], near: list[float]) -> Array:
    """Solve the normal equations with 40 digits, by Newton's method from an answer that is near."""
    names = sympy.symbols(list(curve.start))
    text = curve.formula.partition("~")[2].replace("^", "**")
    model = sympy.sympify(text, locals={"x": sympy.Symbol("x")} | {symbol.name: symbol for symbol in names})
    rows = list(zip(map(mpmath.mpf, data["x"].tolist()), map(mpmath.mpf, data["y"].tolist()), strict=True))
    at = (sympy.Symbol("x"), *names)
    value = sympy.lambdify(at, model, "mpmath")
    slopes = [sympy.lambdify(at, model.diff(symbol), "mpmath") for symbol in names]

    def equations(*theta: Any) -> list[Any]:
        return [mpmath.fsum((value(x, *theta) - y) * slope(x, *theta) for x, y in rows) for slope in slopes]

    with mpmath.workdps(40):
        return np.array([float(part) for part in mpmath.findroot(equations, near, tol=1e-50, verify=False)])


def small(rounds: int) -> None:
    """Print the small fits."""
    print(f"{'20 rows':<26}{'noise':>6}{'program':>10}{'median':>12}{'of SciPy':>10}{'digits':>8}")
    ratios, worst = [], 16.0
    for name, curve in CURVES.items():
        for noise in NOISES:
            data, start = curve.data(20, noise, 0), list(curve.start.values())
            x, y = data["x"], data["y"]
            ends = {program: fit(curve.function, x, y, start) for program, fit in PROGRAMS.items()}
            truth = least_squares(curve, dict(data), ends["descend"])
            times: dict[str, list[float]] = {program: [] for program in PROGRAMS}
            for _ in range(rounds):
                for program, fit in PROGRAMS.items():
                    times[program] += [timed(fit, curve.function, x, y, start) for _ in range(IN_A_ROW)]
            median = {program: statistics.median(taken) for program, taken in times.items()}
            for program, taken in median.items():
                print(
                    f"{name:<26}{noise:>6.0%}{program:>10}{taken * 1e3:>9.3f} ms{taken / median['scipy']:>10.2f}"
                    f"{digits(ends[program], truth):>8.1f}"
                )
            ratios.append(median["descend"] / median["scipy"])
            worst = min(worst, digits(ends["descend"], truth))
    mean = statistics.geometric_mean(ratios)
    verdict = "met" if max(ratios) <= TARGETS["small"] else "MISSED"
    print(f"small: {mean:.2f} times SciPy on average, {max(ratios):.2f} at worst (target at most 2: {verdict})")
    print(f"digits: {worst:.1f} at worst (target 13: {'met' if worst >= TARGETS['digits'] else 'MISSED'})\n")


def large(rows: int) -> None:
    """Print the fits of many rows."""
    ratios = []
    print(f"{rows:,} rows")
    for name, curve in CURVES.items():
        data, start = curve.data(rows, NOISES[0], 0), list(curve.start.values())
        descend.curve_fit(curve.function, data["x"], data["y"], p0=start)
        taken = {
            program: min(timed(PROGRAMS[program], curve.function, data["x"], data["y"], start) for _ in range(3))
            for program in ("descend", "scipy")
        }
        ratios.append(taken["scipy"] / taken["descend"])
        print(f"{name:<26} SciPy {taken['scipy']:.3f} s, descend {taken['descend']:.3f} s, {ratios[-1]:.1f} times")
    mean = statistics.geometric_mean(ratios)
    verdict = "met" if mean >= TARGETS["large"] else "MISSED"
    print(f"large: {mean:.1f} times faster on average, {min(ratios):.1f} at worst (target 5: {verdict})\n")


def opaque() -> None:
    """Print how often functions are called that cannot be traced."""
    print(f"{'opaque, 20 rows':<26}{'noise':>6}{'calls':>8}{'SciPy':>8}{'digits':>8}{'SciPy':>8}")
    calls, gained = [], []
    for name, curve in CURVES.items():
        for noise in NOISES:
            data, start = curve.data(20, noise, 0), list(curve.start.values())
            ours, theirs = Counted(curve.function), Counted(curve.function)
            found = by_descend(ours, data["x"], data["y"], start)
            other = by_scipy(theirs, data["x"], data["y"], start)
            truth = least_squares(curve, dict(data), found)
            calls.append(ours.calls / theirs.calls)
            gained.append(digits(found, truth) - digits(other, truth))
            print(
                f"{name:<26}{noise:>6.0%}{ours.calls:>8}{theirs.calls:>8}{digits(found, truth):>8.1f}"
                f"{digits(other, truth):>8.1f}"
            )
    verdict = "met" if max(calls) <= 1.0 and min(gained) > 0.0 else "MISSED"
    print(
        f"opaque: {max(calls):.2f} times the calls of SciPy at worst, {statistics.mean(gained):.1f} digits more on "
        f"average, {min(gained):.1f} at worst (target no more calls, more digits: {verdict})"
    )


def main() -> None:
    """Run all three."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=30, help="how often each small fit is run (default 30)")
    parser.add_argument("--rows", type=float, default=1e6, help="of the large fits (default a million)")
    parser.add_argument("--only", choices=("small", "large", "opaque"), help="one of the three alone")
    asked = parser.parse_args()
    warnings.simplefilter("ignore", scipy.optimize.OptimizeWarning)
    if asked.only in (None, "small"):
        small(asked.rounds)
    if asked.only in (None, "large"):
        large(int(asked.rows))
    if asked.only in (None, "opaque"):
        opaque()


if __name__ == "__main__":
    main()
