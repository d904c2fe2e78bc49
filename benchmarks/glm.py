"""Generalised linear models of many rows beside glum and statsmodels, in one process, all to the same answer.

    python benchmarks/glm.py --rows 1000000 --columns 20 --rounds 1

Each contender fits the same rows with a log link (logit for outcomes) and without a start; an answer that is further
from that of descend than 1e-3 standard errors is printed as such. glum cannot estimate the theta of the negative
binomial distribution, which is given to all in the second of its lines.

    python benchmarks/glm.py --classes 10 --rows 100000 --rounds 3

Classes instead, by softmax regression beside scikit-learn's LogisticRegression without a penalty: at its own tolerance,
and at one at which its gradient is as small as descend's. The excess is that of the mean loss over the lower one.

Seconds are those that pass, and, in brackets, those of the processors, which tell more where others work beside; the
ratios are of these. One thread for all: `OMP_NUM_THREADS=1 taskset -c 0 python benchmarks/glm.py`.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable

import numpy as np

import descend

THETA = 2.0
FAR = 1e-3
"""Answers this many standard errors apart are not the same."""
Array = np.ndarray


def responses(rows: int, columns: int) -> tuple[Array, dict[str, Array]]:
    """Return inputs, column by column in memory, and a response of each distribution with the same means."""
    random = np.random.default_rng(0)
    x = np.asfortranarray(random.normal(size=(rows, columns)))
    score = 0.5 + x @ (random.normal(size=columns) / (2.0 * columns**0.5))
    mean = np.exp(score)
    return x, {
        "gamma": random.gamma(2.0, mean / 2.0),
        "negative_binomial": random.negative_binomial(THETA, THETA / (THETA + mean)).astype(float),
        "poisson": random.poisson(mean).astype(float),
        "logistic": (random.uniform(size=rows) < 1.0 / (1.0 + np.exp(-score))).astype(float),
    }


def by_descend(x: Array, y: Array, loss: str) -> Array:
    """Fit by descend; return intercept and coefficients, and the standard error of the first of these."""
    data = {f"x{place}": column for place, column in enumerate(x.T)} | {"y": y}
    link = "sigmoid" if loss == "logistic" else "exp"
    fit = descend.fit(f"y ~ {link}(b + w @ [x*])", data, loss=loss)
    assert fit.outcome == "converged" and fit.standard_errors is not None
    return np.array([fit.parameters["b"], *fit.parameters["w"], fit.standard_errors["b"]])


def by_glum(x: Array, y: Array, loss: str) -> Array | None:
    """Fit by glum; None where it has no such model."""
    import glum

    families = {
        "gamma": "gamma",
        "negative_binomial(theta=2)": glum.NegativeBinomialDistribution(1.0 / THETA),
        "poisson": "poisson",
        "logistic": "binomial",
    }
    if loss not in families:
        return None
    link = "logit" if loss == "logistic" else "log"
    model = glum.GeneralizedLinearRegressor(family=families[loss], link=link, alpha=0.0, gradient_tol=1e-7)
    model.fit(x, y)
    return np.array([model.intercept_, *model.coef_])


def by_statsmodels(x: Array, y: Array, loss: str) -> Array:
    """Fit by statsmodels; theta, where it is estimated, by its model of counts."""
    import statsmodels.api as sm

    design = sm.add_constant(x)
    if loss == "negative_binomial":
        return np.asarray(sm.NegativeBinomial(y, design).fit(disp=0, maxiter=200).params[:-1])
    family = {
        "gamma": sm.families.Gamma(sm.families.links.Log()),
        "negative_binomial(theta=2)": sm.families.NegativeBinomial(alpha=1.0 / THETA),
        "poisson": sm.families.Poisson(),
        "logistic": sm.families.Binomial(),
    }[loss]
    return np.asarray(sm.GLM(y, design, family=family).fit(tol=1e-10).params)


def timed(fitted: Callable[[], Array]) -> tuple[tuple[float, float], Array]:
    """Return the seconds of the processors, and those that passed, and the answer."""
    began, of_processors = time.perf_counter(), time.process_time()
    answer = fitted()
    return (time.process_time() - of_processors, time.perf_counter() - began), answer


def of_classes(rows: int, columns: int, classes: int, rounds: int) -> None:
    """Print seconds of softmax regression, and by how much the mean loss of each is above the lowest."""
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(0)
    x = random.normal(size=(rows, columns))
    scores = x @ random.normal(size=(columns, classes)) / (2.0 * columns**0.5)
    y = (scores + random.gumbel(size=(rows, classes))).argmax(axis=1)
    data = {f"x{place}": column for place, column in enumerate(np.asfortranarray(x).T)} | {"y": y}
    few = {name: column[:2_000] for name, column in data.items()}

    def by_sklearn(tolerance: float) -> Array:
        model = LogisticRegression(C=np.inf, tol=tolerance, max_iter=10_000).fit(x, y)
        return np.column_stack([model.intercept_, model.coef_])

    def by_descend() -> Array:
        fit = descend.fit("y ~ b + w @ [x*]", data, loss="multinomial")
        found = np.column_stack(
            [list(fit.parameters["b"].values()), np.reshape([*fit.parameters["w"].values()], (-1, columns))]
        )
        return np.vstack([np.zeros(columns + 1), found])

    def loss_of(found: Array) -> float:
        score = found[:, 0] + x @ found[:, 1:].T
        return float((np.logaddexp.reduce(score, axis=1) - score[np.arange(rows), y]).mean())

    descend.fit("y ~ b + w @ [x*]", few, loss="multinomial")  # libraries are imported, code is made
    LogisticRegression(C=np.inf).fit(x[:2_000], y[:2_000])
    contenders = {
        "descend": by_descend,
        "scikit-learn, tol=1e-4": lambda: by_sklearn(1e-4),
        "scikit-learn, tol=1e-9": lambda: by_sklearn(1e-9),
    }
    seconds, losses = dict[str, tuple[float, float]](), dict[str, float]()
    for name, fitted in contenders.items():
        for _ in range(rounds):
            taken, found = timed(fitted)
            seconds[name], losses[name] = min(taken, seconds.get(name, taken)), loss_of(found)
    for name, (of_processors, passed) in seconds.items():
        excess, ratio = losses[name] - min(losses.values()), of_processors / seconds["descend"][0]
        print(f"{name:<24}{passed:7.2f} s ({of_processors:.2f}), {ratio:5.2f} times descend; excess {excess:.1e}")


CONTENDERS: dict[str, Callable[[Array, Array, str], Array | None]] = {
    "descend": by_descend,
    "glum": by_glum,
    "statsmodels": by_statsmodels,
}


def main() -> None:
    """Print seconds, the best of all rounds, and whether descend is the fastest."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--classes", type=int, default=0)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    if asked.classes:
        of_classes(asked.rows, asked.columns, asked.classes, asked.rounds)
        return
    x, responded = responses(asked.rows, asked.columns)
    few = slice(0, 2_000)
    for loss in ("gamma", "negative_binomial", "negative_binomial(theta=2)", "poisson", "logistic"):
        y, seconds, found = responded[loss.partition("(")[0]], dict[str, tuple[float, float]](), dict[str, Array]()
        for name, fitted in CONTENDERS.items():
            if fitted(x[few], y[few], loss) is None:  # libraries are imported, code is made
                continue
            for _ in range(asked.rounds):
                taken, found[name] = timed(lambda fitted=fitted, y=y, loss=loss: fitted(x, y, loss))
                seconds[name] = min(taken, seconds.get(name, taken))
        error = found["descend"][-1]
        known = found.pop("descend")[:-1]
        off = {name for name, each in found.items() if np.abs(each - known).max() > FAR * error}
        told = (
            f"{name} {passed:7.2f} s ({used:.2f}){' (elsewhere)' * (name in off)}"
            for name, (used, passed) in seconds.items()
        )
        best = min(used for name, (used, _) in seconds.items() if name != "descend")
        print(f"{loss:<28}{'  '.join(told)}   {best / seconds['descend'][0]:.2f} times the fastest other", flush=True)


if __name__ == "__main__":
    main()
