"""Each distribution: how a response is drawn, the formula, and the true values, of 200 rows.

The data sets of a case are fitted at once, by groups. Intervals are estimate -+ the quantile of the normal
distribution, or of Student's t where the dispersion is estimated, times the standard error. Of every tenth set it is
counted how many of ten new responses a prediction interval holds; of counts and shares it ends at values that can
occur, so that it is to hold more than 95%. The last cases are healthy counts and shares, of whose scatter nothing is to
be told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

import descend
from coverage_cases.case import TARGET, Array, Case, Held, Range
from descend.losses import LOSSES

Draw = Callable[[np.random.Generator, Array], Array]
"""From random numbers and x to the responses."""
X, NEW, EVERY = np.linspace(-2.0, 2.0, 200), np.linspace(-1.5, 1.5, 10), 10
LINE, POSITIVE, SHARE, ORDERED = "y ~ a + b*x", "y ~ exp(a + b*x)", "y ~ sigmoid(a + b*x)", "y ~ b*x"
AB = {"a": 1.0, "b": 0.5}
RESPONSES: Range = (0.93, 1.0)
ALARMS: Range = (0.995, 1.0)
CUTS = {"cut1": -1.0, "cut2": 0.0, "cut3": 1.5}
SHAPE, SIGMA, DF, KAPPA, THETA, TRIALS = 1.5, 0.7, 4.0, 3.0, 2.0, 12


@dataclass(frozen=True)
class Distribution:
    """The formula and true values of a distribution, how its responses are drawn, and what the fit is told.

    until: whether a row is only seen up to an end of its own, so that about a quarter is censored. shown: the true
    values that are looked at but not judged, as few rows leave their estimates far from normal.
    """

    formula: str
    truth: Mapping[str, float]
    draw: Draw
    options: Mapping[str, object]
    until: bool = False
    shown: tuple[str, ...] = ()

    def data(self, seed: int) -> dict[str, Array]:
        """Draw one data set."""
        random = np.random.default_rng([12, seed])
        y = self.draw(random, X)
        if not self.until:
            return {"x": X, "y": y}
        ends = random.exponential(3.0 * y.mean(), len(y))
        return {"x": X, "y": np.minimum(y, ends), "status": (y > ends) * 1.0}

    @property
    def predicted(self) -> bool:
        """Whether a prediction interval of new responses is asked for: of numbers whose distribution is known."""
        loss = LOSSES.build(str(self.options.get("loss", "binomial")))
        return not (self.until or loss.of_classes or loss.predicts == "direction" or "dispersion" in self.options)


def positive(x: Array) -> Array:
    """Return the true mean, median or scale under a logarithmic link."""
    return np.exp(1.0 + 0.5 * x)


def share(x: Array) -> Array:
    """Return the true share under a logistic link."""
    return 1.0 / (1.0 + np.exp(-1.0 - 0.5 * x))


def jumps(random: np.random.Generator, x: Array) -> Array:
    """Draw from the Tweedie distribution of power 1.5 and dispersion 0.8: a Poisson number of gamma jumps."""
    root = np.sqrt(positive(x))
    number = random.poisson(2.0 * root / 0.8)
    return np.where(number > 0, random.gamma(np.maximum(number, 1)) * 0.4 * root, 0.0)


def scattered(random: np.random.Generator, x: Array) -> Array:
    """Draw counts of a negative binomial distribution."""
    return random.negative_binomial(THETA, THETA / (THETA + positive(x))).astype(float)


def scattered_shares(random: np.random.Generator, x: Array) -> Array:
    """Draw shares of trials whose chances vary from row to row: twice the variance of a binomial one."""
    chance = random.beta(10.0 * share(x), 10.0 * (1.0 - share(x)))
    return random.binomial(TRIALS, chance) / TRIALS


def unordered(random: np.random.Generator, x: Array) -> Array:
    """Draw one of three classes, each with a score of its own."""
    scores = np.stack([0.0 * x, 0.5 * x, 0.3 - 0.5 * x], axis=1)
    return (scores + random.gumbel(size=scores.shape)).argmax(axis=1)


def ordered(place: Array) -> Array:
    """Return the class that each place on a scale lies in."""
    return np.digitize(place, [*CUTS.values()])


def times(name: str, own: Mapping[str, float], draw: Draw) -> dict[str, Distribution]:
    """Return a distribution of times, each of them seen, and with some only seen up to an end of their own."""
    of_times = {"loss": name}
    return {
        name: Distribution(POSITIVE, AB | own, draw, of_times),
        f"{name}, censored": Distribution(POSITIVE, AB | own, draw, of_times | {"censored": "status"}, until=True),
    }


DISTRIBUTIONS: dict[str, Distribution] = {
    "poisson": Distribution(POSITIVE, AB, lambda random, x: random.poisson(positive(x)) * 1.0, {"loss": "poisson"}),
    "quasi-poisson": Distribution(POSITIVE, AB, scattered, {"loss": "poisson", "dispersion": "estimated"}),
    "negative_binomial": Distribution(POSITIVE, AB | {"theta": THETA}, scattered, {"loss": "negative_binomial"}),
    "binomial": Distribution(
        SHARE, AB, lambda random, x: random.binomial(TRIALS, share(x)) / TRIALS, {"trials": TRIALS}
    ),
    "quasi-binomial": Distribution(SHARE, AB, scattered_shares, {"trials": TRIALS, "dispersion": "estimated"}),
    "logistic": Distribution(SHARE, AB, lambda random, x: random.binomial(1, share(x)) * 1.0, {"loss": "logistic"}),
    "gamma": Distribution(POSITIVE, AB, lambda random, x: random.gamma(3.0, positive(x) / 3.0), {"loss": "gamma"}),
    "inverse_gaussian": Distribution(
        POSITIVE, AB, lambda random, x: random.wald(positive(x), 5.0), {"loss": "inverse_gaussian"}
    ),
    "tweedie": Distribution(POSITIVE, AB, jumps, {"loss": "tweedie(power=1.5)"}),
    **times("exponential", {}, lambda random, x: random.exponential(positive(x))),
    **times("weibull", {"shape": SHAPE}, lambda random, x: positive(x) * random.weibull(SHAPE, len(x))),
    **times("lognormal", {"sigma": SIGMA}, lambda random, x: positive(x) * random.lognormal(0.0, SIGMA, len(x))),
    "student_t(df=4)": Distribution(
        LINE, AB | {"sigma": 1.0}, lambda random, x: 1.0 + 0.5 * x + random.standard_t(DF, len(x)),
        {"loss": "student_t(df=4)"},
    ),
    "student_t": Distribution(
        LINE, AB | {"sigma": 1.0, "df": DF}, lambda random, x: 1.0 + 0.5 * x + random.standard_t(DF, len(x)),
        {"loss": "student_t"}, shown=("df",),
    ),
    "von_mises": Distribution(
        LINE, AB | {"kappa": KAPPA}, lambda random, x: random.vonmises(1.0 + 0.5 * x, KAPPA), {"loss": "von_mises"}
    ),
    "ordinal, logit": Distribution(
        ORDERED, {"b": 0.5} | CUTS, lambda random, x: ordered(0.5 * x + random.logistic(size=len(x))),
        {"loss": "ordinal"},
    ),
    "ordinal, probit": Distribution(
        ORDERED, {"b": 0.5} | CUTS, lambda random, x: ordered(0.5 * x + random.normal(size=len(x))),
        {"loss": "ordinal(method=probit)"},
    ),
    "multinomial": Distribution(
        LINE, {"a[1]": 0.0, "b[1]": 0.5, "a[2]": 0.3, "b[2]": -0.5}, unordered, {"loss": "multinomial"}
    ),
}  # fmt: skip


def counted(name: str, seeds: range) -> Held:
    """Count over the data sets of a distribution, all of them fitted in one call."""
    case = DISTRIBUTIONS[name]
    sets = [case.data(seed) for seed in seeds]
    columns = {key: np.concatenate([each[key] for each in sets]) for key in sets[0]}
    fits = descend.fit(case.formula, columns | {"set": np.repeat(list(seeds), len(X))}, by="set", **case.options)
    table, times_error = fits.frame(), quantile_of(case)
    found: Held = {"parameters": {}}
    for each, truth in case.truth.items():
        estimate, error = table[each].to_numpy(), table[f"{each} std. error"].to_numpy()
        held = np.abs(estimate - truth) <= times_error * error
        found["parameters"][each] = np.where(np.isfinite(error), held, np.nan).tolist()
    if case.predicted:
        some = [new_responses(case, seed) for seed in seeds if seed % EVERY == 0]
        found["prediction"] = {"a new response": np.concatenate([[], *some]).tolist()}
    return found


def quantile_of(case: Distribution) -> float:
    """Return what standard errors are multiplied by: half the interval that the fit of one data set has."""
    fit = descend.fit(case.formula, case.data(0), **case.options)
    numbers = (*fit.intervals()["b"], fit.standard_errors["b"])
    low, high, error = (next(iter(each.values())) if isinstance(each, Mapping) else each for each in numbers)
    return float(high - low) / (2.0 * float(error))


def new_responses(case: Distribution, seed: int) -> Array:
    """Return which of some new responses the prediction intervals of a fit hold."""
    band = descend.fit(case.formula, case.data(seed), **case.options).predict({"x": NEW}, interval="prediction")
    y = case.draw(np.random.default_rng([13, seed]), NEW)
    return ((band.low <= y) & (y <= band.high)) * 1.0


def healthy(name: str, seeds: range) -> Held:
    """Count the fits of a distribution without a word about its scatter."""
    case = DISTRIBUTIONS[name]
    notes = [descend.fit(case.formula, case.data(seed), **case.options).notes for seed in seeds]
    return {"notes": {"none of scatter": [float(not any(" vary " in note for note in each)) for each in notes]}}


CASES: dict[str, Case] = {
    **{
        name: Case(
            case.formula, partial(counted, name), {"parameters": TARGET, "prediction": RESPONSES}, shown=case.shown
        )
        for name, case in DISTRIBUTIONS.items()
    },
    **{
        f"{name}, healthy": Case(DISTRIBUTIONS[name].formula, partial(healthy, name), {"notes": ALARMS})
        for name in ("poisson", "binomial")
    },
}
