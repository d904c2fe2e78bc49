"""Do 95% intervals of fits under each distribution hold the true slope in 95% of data sets, and new responses too?

    python benchmarks/coverage_of_distributions.py --sets 1000

A mean of exp(1 + 0.8 x) (a share of sigmoid(0.3 + 1.2 x)) at 60 places x; of the prediction interval, whether it holds
a new response at x = 0.5. Target 93 to 97% of slopes; a prediction interval of counts or shares holds more than 95%, as
it ends at whole numbers. The last lines are of healthy counts and shares: how often their scatter is wrongly told of.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

import descend

Array = np.ndarray
Drawn = Callable[[np.random.Generator, Array], Array]
TARGET = (0.93, 0.97)
X = np.linspace(-1.0, 1.0, 60)
POSITIVE, SHARE = "y ~ exp(a + b*x)", "y ~ sigmoid(a + b*x)"
SLOPES = {POSITIVE: 0.8, SHARE: 1.2}


def jumps(random: np.random.Generator, mean: Array) -> Array:
    """Draw from the Tweedie distribution of power 1.5 and dispersion 0.8: a Poisson number of gamma jumps."""
    number = random.poisson(2.0 * np.sqrt(mean) / 0.8)
    return np.where(number > 0, random.gamma(np.maximum(number, 1)) * 0.4 * np.sqrt(mean), 0.0)


def binomial(random: np.random.Generator, share: Array) -> Array:
    """Draw shares of 12 trials."""
    return random.binomial(12, share) / 12


def poisson(random: np.random.Generator, mean: Array) -> Array:
    """Draw counts."""
    return random.poisson(mean).astype(float)


def scattered(random: np.random.Generator, mean: Array) -> Array:
    """Draw counts of a negative binomial distribution."""
    return random.negative_binomial(2.0, 2.0 / (2.0 + mean)).astype(float)


CASES: dict[str, tuple[str, Drawn, dict[str, object]]] = {
    "gamma": (POSITIVE, lambda random, mean: random.gamma(3.0, mean / 3.0), {"loss": "gamma"}),
    "inverse_gaussian": (POSITIVE, lambda random, mean: random.wald(mean, 5.0), {"loss": "inverse_gaussian"}),
    "tweedie": (POSITIVE, jumps, {"loss": "tweedie(power=1.5)"}),
    "poisson": (POSITIVE, poisson, {"loss": "poisson"}),
    "negative_binomial": (POSITIVE, scattered, {"loss": "negative_binomial"}),
    "quasi-poisson": (POSITIVE, scattered, {"loss": "poisson", "dispersion": "estimated"}),
    "binomial": (SHARE, binomial, {"trials": 12}),
}


def means(formula: str, x: Array) -> Array:
    """Return the true means."""
    return np.exp(1.0 + 0.8 * x) if formula == POSITIVE else 1.0 / (1.0 + np.exp(-0.3 - 1.2 * x))


def main() -> None:
    """Print the table; exit 1 if a share of slopes is outside the target."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sets", type=int, default=1000)
    sets, missed, alarms = parser.parse_args().sets, False, dict[str, int]()
    new = np.array([0.5])
    for name, (formula, drawn, options) in CASES.items():
        slopes = held = refused = 0
        for seed in range(sets):
            random = np.random.default_rng([3, seed])
            try:
                fit = descend.fit(formula, {"x": X, "y": drawn(random, means(formula, X))}, **options)
            except descend.DescendError:
                refused += 1
                continue
            low, high = fit.intervals()["b"]
            slopes += bool(low <= SLOPES[formula] <= high)
            alarms[name] = alarms.get(name, 0) + any("vary" in note for note in fit.notes)
            if "dispersion" not in options:
                band = fit.predict({"x": new}, interval="prediction")
                held += bool(band.low[0] <= drawn(random, means(formula, new))[0] <= band.high[0])
        share = slopes / (sets - refused)
        missed |= not TARGET[0] <= share <= TARGET[1]
        of_new = "" if "dispersion" in options else f"   new responses {100 * held / (sets - refused):5.1f}%"
        print(f"{name:<20}slope {100 * share:5.1f}%{of_new}   refused {refused}", flush=True)
    for name in ("poisson", "binomial"):
        print(f"{name:<20}told of scatter in {100 * alarms[name] / sets:.2f}% of healthy data sets")
    raise SystemExit(int(missed))


if __name__ == "__main__":
    main()
