"""Sums of like terms without a start: how often the lowest minimum is found, and how long that takes.

Peaks, decays and waves, two or three in a sum, are drawn at random (seeded) so that they are distinct, with noise. A
fit without a start counts where its sum of squares is that of the fit started at the truth, or lower, to 1e-6. SciPy's
curve_fit has the same model as a function, and its default start, all ones; differential evolution, on the first
data sets only, has bounds that a user would give: places and widths within the range of x, heights within that of y.
Of lmfit, whose sums of models have no guess, there is the guess of its SineModel. Targets: 95 of 100 found, none
slower than 3 s.

    python benchmarks/like_terms.py
    python benchmarks/like_terms.py --sets 20 --only "2 gaussians"
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit, differential_evolution

import descend

Array = NDArray[np.float64]
Random = np.random.Generator
TARGET, SLOWEST = 0.95, 3.0
AGREE = 1e-6
EVOLVED = 3
"""Data sets that differential evolution is given, as each takes it seconds."""


@dataclass(frozen=True)
class Kind:
    """A term: its text with a number for its parameters, and the same as a function of x and those parameters.

    ranges: where differential evolution looks for each parameter, as shares of the ranges of x (places "m", widths
    "s", rates "r") and y (heights "a"), or as an angle ("p").
    """

    text: str
    function: Callable[..., Array]
    ranges: str


KINDS = {
    "gaussian": Kind("a{0}*exp(-((x - m{0})/s{0})^2)", lambda x, a, m, s: a * np.exp(-(((x - m) / s) ** 2)), "ams"),
    "lorentzian": Kind("a{0}/(1 + ((x - m{0})/s{0})^2)", lambda x, a, m, s: a / (1 + ((x - m) / s) ** 2), "ams"),
    "sech": Kind("a{0}/cosh((x - m{0})/s{0})^2", lambda x, a, m, s: a / np.cosh((x - m) / s) ** 2, "ams"),
    "exponential": Kind("a{0}*exp(-k{0}*x)", lambda x, a, k: a * np.exp(-k * x), "ar"),
    "saturation": Kind("a{0}*x/(k{0} + x)", lambda x, a, k: a * x / (k + x), "as"),
    "sine": Kind("a{0}*sin(w{0}*x + p{0})", lambda x, a, w, p: a * np.sin(w * x + p), "awp"),
    "damped": Kind(
        "a{0}*exp(-k{0}*x)*sin(w{0}*x + p{0})", lambda x, a, k, w, p: a * np.exp(-k * x) * np.sin(w * x + p), "arwp"
    ),
    "constant": Kind("c", lambda x, c: np.full(len(x), c), "a"),
    "line": Kind("c + d*x", lambda x, c, d: c + d * x, "al"),
    "parabola": Kind("c + d*x + q*x^2", lambda x, c, d, q: c + d * x + q * x**2, "alq"),
}


@dataclass(frozen=True)
class Family:
    """Sums of terms of these kinds. drawn: x, the parameters of each term in turn, and the noise, for a generator."""

    kinds: Sequence[str]
    drawn: Callable[[Random], tuple[Array, list[float], float]]

    @property
    def formula(self) -> str:
        """The formula as a user writes it."""
        return "y ~ " + " + ".join(KINDS[kind].text.format(place + 1) for place, kind in enumerate(self.kinds))

    def predict(self, x: Array, *theta: float) -> Array:
        """Return the curve at parameters in the order of the terms."""
        total, begin = np.zeros(len(x)), 0
        for kind in self.kinds:
            count = len(KINDS[kind].ranges)
            total = total + KINDS[kind].function(x, *theta[begin : begin + count])
            begin += count
        return total

    def names(self) -> list[str]:
        """Return the names of the parameters in that order."""
        found = []
        for place, kind in enumerate(self.kinds):
            letters = {"constant": "c", "line": "cd", "parabola": "cdq"}.get(kind)
            own = {"ams": "ams", "ar": "ak", "as": "ak", "awp": "awp", "arwp": "akwp"}.get(KINDS[kind].ranges, "")
            found += list(letters) if letters else [f"{letter}{place + 1}" for letter in own]
        return found

    def bounds(self, x: Array, y: Array) -> list[tuple[float, float]]:
        """Return the bounds that a user would give to a search by evolution."""
        span, tall = float(np.ptp(x)), float(np.ptp(y))
        slow, fast = 0.1 / span, 0.5 * len(x) / span
        ranges = {
            "a": (-2 * tall, 2 * tall), "m": (float(x.min()), float(x.max())), "s": (0.3 * span / len(x), span),
            "r": (slow, fast), "w": (slow, 2 * math.pi * fast), "p": (-math.pi, math.pi),
            "l": (-2 * tall / span, 2 * tall / span), "q": (-2 * tall / span**2, 2 * tall / span**2),
        }  # fmt: skip
        return [ranges[letter] for kind in self.kinds for letter in KINDS[kind].ranges]

    def data(self, seed: int) -> tuple[dict[str, Array], dict[str, float]]:
        """Return the data of a seed, and the parameters that made them."""
        random = np.random.default_rng(seed)
        x, theta, noise = self.drawn(random)
        y = self.predict(x, *theta) + random.normal(0.0, noise, len(x))
        return {"x": x, "y": y}, dict(zip(self.names(), theta, strict=True))


def peaks(
    count: int,
    background: Callable[[Random], list[float]],
    rows: int = 200,
    noise: float = 0.03,
    widths: tuple[float, float] = (0.02, 0.08),
    apart: float = 2.0,
    signs: bool = False,
    even: bool = True,
) -> Callable[[Random], tuple[Array, list[float], float]]:
    """Return what draws peaks over x = 0 to 10, at least ``apart`` times the sum of two widths between two of them.

    widths: as shares of the range. noise: as a share of the lowest peak.
    """

    def drawn(random: Random) -> tuple[Array, list[float], float]:
        x = np.linspace(0.0, 10.0, rows) if even else np.sort(10.0 * random.beta(1.0, 1.6, rows))
        while True:
            width = 10.0 * random.uniform(*widths, count)
            place = random.uniform(0.5, 9.5, count)
            order = np.argsort(place)
            room = 0.5 * apart * (width[order][1:] + width[order][:-1])
            if (np.diff(place[order]) > room).all():
                break
        height = random.uniform(1.0, 4.0, count) * (random.choice([-1.0, 1.0], count) if signs else 1.0)
        terms = [float(number) for three in zip(height, place, width, strict=True) for number in three]
        return x, terms + background(random), noise * float(np.abs(height).min())

    return drawn


def decays(count: int, ratio: tuple[float, float], noise: float, rows: int = 100, level: bool = True) -> Any:
    """Return what draws exponentials whose rates differ by such a ratio, each of some weight."""

    def drawn(random: Random) -> tuple[Array, list[float], float]:
        slowest = random.uniform(0.3, 0.6)
        rates = slowest * np.cumprod([1.0, *random.uniform(*ratio, count - 1)])
        heights = random.uniform(1.0, 4.0, count)
        terms = [float(number) for pair in zip(heights, random.permutation(rates), strict=True) for number in pair]
        return np.linspace(0.0, 10.0, rows), terms + ([random.uniform(-1.0, 2.0)] if level else []), noise

    return drawn


def saturations(random: Random) -> tuple[Array, list[float], float]:
    """Draw two sites that bind, one much tighter, over concentrations in geometric steps."""
    tight = 10.0 ** random.uniform(-1.5, -0.5)
    loose = tight * 10.0 ** random.uniform(1.5, 2.5)
    return np.geomspace(0.005, 100.0, 60), [random.uniform(1, 3), loose, random.uniform(1, 3), tight], 0.01


def waves(count: int, rows: int = 300, even: bool = True, decay: bool = False, noise: float = 0.3) -> Any:
    """Return what draws sines of distinct frequencies, up to Nyquist's, over x = 0 to 10."""

    def drawn(random: Random) -> tuple[Array, list[float], float]:
        x = np.linspace(0.0, 10.0, rows) if even else np.sort(random.uniform(0.0, 10.0, rows))
        turns = random.permutation(np.arange(1, rows // 20))[:count] * 1.0 + random.uniform(-0.25, 0.25, count)
        terms = []
        for each in turns:
            own = [random.uniform(0.05, 0.4)] if decay else []
            terms += [random.uniform(0.5, 2.0), *own, 2.0 * math.pi * each, random.uniform(-math.pi, math.pi)]
        return x, [*terms, random.uniform(-1.0, 1.0)], noise

    return drawn


def level(random: Random) -> list[float]:
    """Draw a constant."""
    return [random.uniform(-1.0, 2.0)]


def sloped(random: Random) -> list[float]:
    """Draw a line."""
    return [random.uniform(-1.0, 2.0), random.uniform(-0.3, 0.3)]


def curved(random: Random) -> list[float]:
    """Draw a parabola."""
    return [random.uniform(-1.0, 2.0), random.uniform(-0.8, 0.8), random.uniform(-0.08, 0.08)]


FAMILIES = {
    "2 gaussians on a line": Family(["gaussian"] * 2 + ["line"], peaks(2, sloped)),
    "3 gaussians on a line": Family(["gaussian"] * 3 + ["line"], peaks(3, sloped)),
    "2 lorentzians": Family(["lorentzian"] * 2 + ["constant"], peaks(2, level)),
    "3 lorentzians": Family(["lorentzian"] * 3 + ["constant"], peaks(3, level, widths=(0.01, 0.04))),
    "2 sech^2 peaks": Family(["sech"] * 2 + ["constant"], peaks(2, level)),
    "3 sech^2 peaks": Family(["sech"] * 3 + ["constant"], peaks(3, level)),
    "gaussian, lorentzian, line": Family(["gaussian", "lorentzian", "line"], peaks(2, sloped, apart=3.0)),
    "3 gaussians of both signs": Family(["gaussian"] * 3 + ["line"], peaks(3, sloped, signs=True)),
    "2 wide gaussians, parabola": Family(
        ["gaussian"] * 2 + ["parabola"], peaks(2, curved, widths=(0.08, 0.15), noise=0.02)
    ),
    "3 gaussians, uneven x": Family(["gaussian"] * 3 + ["constant"], peaks(3, level, rows=150, even=False)),
    "2 gaussians, 20 rows": Family(
        ["gaussian"] * 2 + ["constant"], peaks(2, level, rows=20, noise=0.02, widths=(0.08, 0.12))
    ),
    "3 narrow gaussians, 100,000 rows": Family(
        ["gaussian"] * 3 + ["line"], peaks(3, sloped, rows=100_000, noise=0.2, widths=(0.0005, 0.01))
    ),
    "2 gaussians that overlap": Family(["gaussian"] * 2 + ["line"], peaks(2, sloped, apart=1.2, noise=0.02)),
    "2 exponentials": Family(["exponential"] * 2 + ["constant"], decays(2, (4.0, 12.0), 0.02)),
    "3 exponentials": Family(["exponential"] * 3, decays(3, (5.0, 10.0), 0.005, 300, False)),
    "2 saturations": Family(["saturation"] * 2, saturations),
    "1 sine": Family(["sine", "constant"], waves(1)),
    "2 sines": Family(["sine"] * 2 + ["constant"], waves(2)),
    "3 sines": Family(["sine"] * 3 + ["constant"], waves(3)),
    "3 sines, uneven x": Family(["sine"] * 3 + ["constant"], waves(3, even=False)),
    "2 damped sines": Family(["damped"] * 2 + ["constant"], waves(2, decay=True)),
}


def squares(family: Family, data: dict[str, Array], theta: Sequence[float]) -> float:
    """Return the sum of squares, infinite where a fit failed."""
    left = data["y"] - family.predict(data["x"], *theta)
    return float(left @ left)


def timed(run: Callable[[], float]) -> tuple[float, float]:
    """Return the sum of squares that a program ends at, infinite where it fails, and its seconds."""
    began = time.perf_counter()
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = run()
    except (RuntimeError, ValueError, descend.DescendError):
        found = math.inf
    return found, time.perf_counter() - began


def by_descend(family: Family, data: dict[str, Array], start: dict[str, float] | None = None) -> float:
    """Fit with descend."""
    found = descend.fit(family.formula, data, start=start)
    return squares(family, data, [found.parameters[name] for name in family.names()])


def by_curve_fit(family: Family, data: dict[str, Array]) -> float:
    """Fit with SciPy's curve_fit and its default start."""
    begin = np.ones(len(family.names()))
    return squares(family, data, curve_fit(family.predict, data["x"], data["y"], p0=begin)[0])


def by_evolution(family: Family, data: dict[str, Array]) -> float:
    """Fit by differential evolution with its default settings, whose end is polished."""
    bounds = family.bounds(data["x"], data["y"])
    return float(differential_evolution(lambda theta: squares(family, data, theta), bounds, rng=0).fun)


def by_lmfit(family: Family, data: dict[str, Array]) -> float:
    """Fit a sine and a constant with lmfit, from the guess of its SineModel."""
    import lmfit

    wave = lmfit.models.SineModel()
    guess = wave.guess(data["y"] - data["y"].mean(), x=data["x"])
    model = wave + lmfit.models.ConstantModel()
    guess.add("c", float(data["y"].mean()))
    return float(model.fit(data["y"], guess, x=data["x"]).chisqr)


def run_family(label: str, family: Family, sets: int, rivals: bool) -> tuple[float, float]:
    """Fit all data sets of a family; returns the share found and the slowest seconds, and prints a line."""
    found: list[bool] = []
    seconds: list[float] = []
    others: dict[str, tuple[list[bool], list[float]]] = {}
    missed = []
    by_descend(family, family.data(10**6)[0])  # whatever a formula needs but once
    for seed in range(sets):
        data, truth = family.data(seed)
        best, _ = timed(lambda: by_descend(family, data, truth))  # noqa: B023
        lowest, taken = timed(lambda: by_descend(family, data))  # noqa: B023
        found.append(lowest <= best * (1.0 + AGREE))
        seconds.append(taken)
        if not found[-1]:
            missed.append(f"{seed} ({lowest / best - 1.0:.1e})")
        if not rivals:
            continue
        runs = {"curve_fit": by_curve_fit}
        if label == "1 sine":
            runs["lmfit"] = by_lmfit
        if seed < EVOLVED and len(data["x"]) <= 1000:
            runs["evolution"] = by_evolution
        for name, run in runs.items():
            value, took = timed(lambda: run(family, data))  # noqa: B023
            hits, times = others.setdefault(name, ([], []))
            hits.append(value <= min(best, lowest) * (1.0 + 1e-4))
            times.append(took)
    share, slowest = statistics.mean(found), max(seconds)
    line = f"{label:<34}{share:>7.1%}{statistics.median(seconds) * 1e3:>8.0f} ms{slowest:>7.2f} s  "
    line += "; ".join(
        f"{name} {statistics.mean(hits):.0%} of {len(hits)} in {statistics.median(times) * 1e3:.0f} ms"
        for name, (hits, times) in others.items()
    )
    print(line, flush=True)
    if missed:
        print(f"{'':<8}missed: {', '.join(missed[:12])}", flush=True)
    return share, slowest


def main() -> None:
    """Run every family, and say which targets are met."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sets", type=int, default=200, help="data sets of each family (default 200)")
    parser.add_argument("--only", default="", help="families whose name holds this")
    parser.add_argument("--alone", action="store_true", help="without the other programs")
    asked = parser.parse_args()
    print(f"{'':<34}{'found':>7}{'median':>11}{'slowest':>9}")
    results = {
        label: run_family(label, family, asked.sets, not asked.alone)
        for label, family in FAMILIES.items()
        if asked.only in label
    }
    for label, (share, slowest) in results.items():
        if share < TARGET or slowest > SLOWEST:
            print(f"MISSED: {label}, {share:.1%} found, {slowest:.2f} s at worst")


if __name__ == "__main__":
    main()
