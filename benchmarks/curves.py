"""Named curves without a start: how often the lowest minimum is found, and how long that takes.

For each curve, data sets are drawn (seeded) over its typical x: parameters from the ranges of its entry, in the units
of its field, 20 to 60 points, and normal noise of 2 to 5% of the range of y (of y itself where the curve spans decades
and its logarithm is fitted). A fit without a start counts where its sum of squares is that of the fit started at the
truth, or lower, to 1e-6. SciPy's curve_fit has the same model and its default start, all ones. Target: 98 of 100.

Other data are those that people have: few points, more noise, half of the curve, rows in any order, x in another unit
(where the units of a curve leave it open), a curve that lies on a large constant, which is fitted with it.

    python benchmarks/curves.py
    python benchmarks/curves.py --sets 20 --only voigt
    python benchmarks/curves.py --alone --data few
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit

import descend
from descend.formula.curves import CURVES, Curve
from descend.formula.curves.example import example, valued

Array = NDArray[np.float64]
TARGET, AGREE = 0.98, 1e-6


@dataclass(frozen=True)
class Kind:
    """A kind of data. points, noise: from and to; seen: the share of the x that is kept, the lower or the upper end.

    scale: by which x is multiplied. lift: a constant that is added, in ranges of y.
    """

    points: tuple[int, int] = (20, 61)
    noise: tuple[float, float] = (0.02, 0.05)
    seen: float = 1.0
    shuffled: bool = False
    scale: float = 1.0
    lift: float = 0.0


KINDS = {
    "usual": Kind(),
    "few": Kind(points=(12, 13)),
    "noisy": Kind(noise=(0.1, 0.1)),
    "half": Kind(seen=0.5),
    "shuffled": Kind(shuffled=True),
    "tiny": Kind(scale=1e-9),
    "huge": Kind(scale=1e6),
    "lifted": Kind(lift=1e3),
}


def formula_of(curve: Curve, kind: Kind) -> str:
    """Return the formula that is fitted."""
    if kind.lift and not curve.logarithmic:
        return f"y ~ {curve.short} + lift"
    return f"log(y) ~ log({curve.short})" if curve.logarithmic else f"y ~ {curve.short}"


def scaled(curve: Curve, values: dict[str, float], scale: float) -> dict[str, float] | None:
    """Return parameters for x in another unit; None if the curve has constants, or numbers, in that of its field."""
    if scale == 1.0:
        return values
    found = {}
    for each in curve.arguments:
        try:
            power = eval(each.unit.replace("^", "**"), {"x": scale, "y": 1.0})
        except (NameError, SyntaxError):
            return None
        found[each.name] = values.get(each.name, 0.0) * power
    return {name: found[name] for name in values}


def data_of(curve: Curve, seed: int, kind: Kind) -> tuple[dict[str, Array], dict[str, float]] | None:
    """Return noisy data of a curve, and the parameters that made them; None if there are none of this kind."""
    random = np.random.default_rng([seed, *curve.name.encode()])
    found = example(curve, round(int(random.integers(*kind.points)) / kind.seen), random)
    kept = np.arange(len(found.x)) < len(found.x) * kind.seen
    kept = kept if kind.seen == 1.0 or random.uniform() < 0.5 else kept[::-1]
    x, exact = found.x[kept], found.y[kept]
    noise = random.uniform(*kind.noise) * random.normal(size=x.size)
    y = exact * np.exp(noise) if curve.logarithmic else exact + np.ptp(exact) * noise
    values = scaled(curve, dict(found.values), kind.scale)
    if values is None or (kind.lift and curve.logarithmic):
        return None
    if kind.lift:
        values["lift"] = kind.lift * float(np.ptp(exact))
        y = y + values["lift"]
    order = random.permutation(x.size) if kind.shuffled else np.arange(x.size)
    return {"x": x[order] * kind.scale, "y": y[order]}, values


def squares(curve: Curve, data: dict[str, Array], values: dict[str, float]) -> float:
    """Return the sum of squares, infinite where there is none."""
    with np.errstate(all="ignore"):
        y = valued(curve, data["x"], {each: values[each] for each in values if each != "lift"}) + values.get(
            "lift", 0.0
        )
        left = np.log(y / data["y"]) if curve.logarithmic else y - data["y"]
    found = float(left @ left)
    return found if math.isfinite(found) else math.inf


def timed(run: Callable[[], dict[str, float]], curve: Curve, data: dict[str, Array]) -> tuple[float, float]:
    """Return the sum of squares where a fit ends, infinite where it fails, and its seconds."""
    began = time.perf_counter()
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = squares(curve, data, run())
    except (RuntimeError, ValueError, TypeError, descend.DescendError):
        found = math.inf
    return found, time.perf_counter() - began


def by_descend(formula: str, data: dict[str, Array], start: dict[str, float] | None = None) -> dict[str, float]:
    """Fit with descend."""
    found = descend.fit(formula, data, start=start)
    return {name: float(found.parameters[name]) for name in found.parameters}


def by_curve_fit(curve: Curve, data: dict[str, Array]) -> dict[str, float]:
    """Fit with SciPy's curve_fit and its default start."""
    names = [each.name for each in curve.parameters]

    def predict(x: Array, *theta: float) -> Array:
        y = valued(curve, x, dict(zip(names, theta, strict=True)))
        return np.log(y) if curve.logarithmic else y

    y = np.log(data["y"]) if curve.logarithmic else data["y"]
    return dict(zip(names, curve_fit(predict, data["x"], y, p0=np.ones(len(names)))[0].tolist(), strict=True))


def run_curve(curve: Curve, sets: int, rivals: bool, kind: Kind) -> float | None:
    """Fit all data sets of a curve; returns the share found, and prints a line. None where it has no such data."""
    formula = formula_of(curve, kind)
    found, seconds, others, missed = [], [], [], []
    for seed in range(sets):
        drawn = data_of(curve, seed, kind)
        if drawn is None:
            return None
        data, truth = drawn
        best, _ = timed(lambda: by_descend(formula, data, truth), curve, data)  # noqa: B023
        lowest, taken = timed(lambda: by_descend(formula, data), curve, data)  # noqa: B023
        floor = AGREE * float(np.var(data["y"])) * 1e-6
        found.append(math.isfinite(lowest) and lowest <= best * (1.0 + AGREE) + floor)
        seconds.append(taken)
        if not found[-1]:
            missed.append(f"{seed} ({lowest / best - 1.0:.1e})")
        if rivals:
            other, _ = timed(lambda: by_curve_fit(curve, data), curve, data)  # noqa: B023
            others.append(other <= min(best, lowest) * (1.0 + 1e-4))
    share = statistics.mean(found)
    rival = f"  curve_fit {statistics.mean(others):.0%}" if rivals else ""
    line = f"{curve.name:<24}{share:>7.1%}{statistics.median(seconds) * 1e3:>8.0f} ms{max(seconds):>7.2f} s{rival}"
    print(line + (f"  missed: {', '.join(missed[:8])}" if missed else ""), flush=True)
    return share


def main() -> None:
    """Run every curve, and say which miss the target."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sets", type=int, default=100, help="data sets of each curve (default 100)")
    parser.add_argument("--only", default="", help="curves whose name holds this; several with commas")
    parser.add_argument("--data", choices=KINDS, default="usual", help="the kind of data (default usual)")
    parser.add_argument("--alone", action="store_true", help="without SciPy")
    asked = parser.parse_args()
    chosen = [curve for name, curve in CURVES.items() if any(part in name for part in asked.only.split(","))]
    print(f"{'':<24}{'found':>7}{'median':>11}{'slowest':>9}")
    rivals = not asked.alone and asked.data == "usual"
    ran = {curve.name: run_curve(curve, asked.sets, rivals, KINDS[asked.data]) for curve in chosen}
    shares = {name: share for name, share in ran.items() if share is not None}
    low = [name for name, share in shares.items() if share < TARGET]
    print(f"{len(shares) - len(low)} of {len(shares)} curves reach {TARGET:.0%}")
    for name in low:
        print(f"MISSED: {name}, {shares[name]:.1%}")


if __name__ == "__main__":
    main()
