"""The estimators beside those of scikit-learn: the same coefficients, and the time of `fit` and of `predict`.

    python benchmarks/estimators.py --rows 1000,100000,1000000 [--only linear,ridge] [--rounds 5]

Each pair fits the same rows, one after the other in turn, in one process; the figures are medians. Columns have the
scales and the correlation that tables have, and the noise leaves half of the variance. ``apart`` is the largest
difference of a coefficient, in units of the largest one. scikit-learn runs with a tolerance at which it comes about as
close to the optimum as ours, where its default stops short.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn import linear_model
from sklearn.base import BaseEstimator

from descend.estimators import FormulaClassifier, FormulaRegressor

Array = NDArray[np.float64]
COLUMNS = 50


@dataclass(frozen=True)
class Pair:
    """Two estimators of the same model: of descend and of scikit-learn, for n rows, and how y is made."""

    ours: Callable[[int], BaseEstimator]
    theirs: Callable[[int], BaseEstimator]
    response: Callable[[Array, np.random.Generator], Array]
    largest: int = 10_000_000


def noisy(score: Array, rng: np.random.Generator) -> Array:
    """Return numbers of which half of the variance is noise."""
    return 3.0 + 2.0 * score + 2.0 * rng.normal(size=len(score))


def classes(score: Array, rng: np.random.Generator) -> Array:
    """Return classes 0 and 1."""
    return (rng.uniform(size=len(score)) < 1 / (1 + np.exp(-score - 0.5))).astype(np.int64)


def counts(score: Array, rng: np.random.Generator) -> Array:
    """Return counts."""
    return rng.poisson(np.exp(0.5 + 0.4 * score)).astype(float)


def amounts(score: Array, rng: np.random.Generator) -> Array:
    """Return positive amounts that scatter in proportion to their mean."""
    return rng.gamma(2.0, np.exp(0.5 + 0.4 * score) / 2.0)


LOG = "exp(w @ [*] + b)"
PAIRS = {
    "linear": Pair(lambda n: FormulaRegressor(), lambda n: linear_model.LinearRegression(), noisy),
    "ridge": Pair(lambda n: FormulaRegressor(l2=1.0 / n), lambda n: linear_model.Ridge(alpha=1.0), noisy),
    "lasso": Pair(lambda n: FormulaRegressor(l1=0.2), lambda n: linear_model.Lasso(alpha=0.1, tol=1e-9), noisy),
    "logistic": Pair(
        lambda n: FormulaClassifier(l2=0.5 / n),
        lambda n: linear_model.LogisticRegression(C=1.0, tol=1e-7, solver="newton-cholesky"),
        classes,
    ),
    "poisson": Pair(
        lambda n: FormulaRegressor(LOG, loss="poisson", l2=0.5e-3),
        lambda n: linear_model.PoissonRegressor(alpha=1e-3, tol=1e-7, solver="newton-cholesky"),
        counts,
    ),
    "gamma": Pair(
        lambda n: FormulaRegressor(LOG, loss="gamma", l2=0.5e-3),
        lambda n: linear_model.GammaRegressor(alpha=1e-3, tol=1e-7, solver="newton-cholesky"),
        amounts,
    ),
    "quantile": Pair(
        lambda n: FormulaRegressor(loss="absolute"), lambda n: linear_model.QuantileRegressor(alpha=0.0), noisy, 10_000
    ),
}


def table(rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return columns that hang together, of different scales, and a score of them with a standard deviation of 1."""
    common = rng.normal(size=(rows, 1))
    columns = 0.5 * common + rng.normal(size=(rows, COLUMNS))
    truth = rng.normal(size=COLUMNS) * (rng.uniform(size=COLUMNS) < 0.5)
    score = columns @ truth
    scales = np.exp(rng.uniform(-1.0, 1.0, size=COLUMNS))
    return columns * scales, score / score.std()


def seconds(call: Callable[..., object], *given: object) -> float:
    """Return how long a call takes."""
    began = time.perf_counter()
    call(*given)
    return time.perf_counter() - began


def compared(name: str, pair: Pair, X: Array, y: Array, rounds: int) -> str:
    """Fit and predict by both in turn, and return the line of the table."""
    both = (pair.ours(len(X)), pair.theirs(len(X)))
    both[0].fit(X[:200], y[:200])
    fitting = np.array([[seconds(each.fit, X, y) for each in both] for _ in range(rounds)])
    predicting = np.array([[seconds(each.predict, X) for each in both] for _ in range(rounds)])
    ours, theirs = np.median(fitting, axis=0)
    ratio = np.divide(*np.median(predicting, axis=0))
    known = np.ravel(both[1].coef_)
    apart = np.abs(np.ravel(both[0].coef_) - known).max() / np.abs(known).max()
    return (
        f"{name:<10}{len(X):>10,}{1e3 * ours:>10.2f}ms{1e3 * theirs:>10.2f}ms{ours / theirs:>8.2f}{ratio:>9.2f}"
        f"{apart:>10.1e}"
    )


def main() -> None:
    """Compare all pairs that were asked for."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", default="1000,100000")
    options.add_argument("--only", default=",".join(PAIRS))
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    warnings.simplefilter("ignore")
    print(f"{'estimator':<10}{'rows':>10}{'ours':>12}{'theirs':>12}{'ratio':>8}{'predict':>9}{'apart':>10}")
    for rows in map(int, given.rows.split(",")):
        rng = np.random.default_rng(rows)
        X, score = table(rows, rng)
        for name in given.only.split(","):
            pair = PAIRS[name]
            if rows <= pair.largest:
                print(compared(name, pair, X, pair.response(score, rng), given.rounds), flush=True)


if __name__ == "__main__":
    main()
