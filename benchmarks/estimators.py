"""The estimators beside those of scikit-learn: the same coefficients, and the time of `fit` and of `predict`.

    python benchmarks/estimators.py --rows 1000,100000,1000000 [--columns 50] [--only linear,ridge] [--rounds 5]
    python benchmarks/estimators.py --rows 100000 --memory          # beside it, the memory that `fit` takes
    python benchmarks/estimators.py --parquet 3000000 --columns 10 [--limit 300]  # a file larger than the memory, in MB

Each pair fits the same rows, one after the other in turn, in one process; of few rows other ones each time, so that
nothing is known of them yet. The figures are medians: of the time of the processor in milliseconds, with the ratio of
ours to theirs, and the ratio by the clock. Set OMP_NUM_THREADS=1 for one thread each. Columns have the scales and the
correlation that tables have, and the noise leaves half of the variance. ``apart`` is the largest difference of a
coefficient, in units of the largest one. scikit-learn runs with a tolerance at which it comes about as close to the
optimum as ours, where its default stops short. Where the penalty is chosen by cross-validation, each tries penalties of
its own, and ``apart`` says how far the choices lead. HuberRegressor finds the scale of its noise as it goes along: ours
is given that one, and `huber_auto` finds one of its own beforehand. Memory is what the largest resident size grows by
in `fit`, each in a process of its own (Linux tells it).
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn import linear_model
from sklearn.base import BaseEstimator

from descend.estimators import FormulaClassifier, FormulaRegressor

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """Two estimators of the same model: of descend and of scikit-learn, for n rows, and how y is made."""

    ours: Callable[[int], BaseEstimator]
    theirs: Callable[[int], BaseEstimator]
    response: Callable[[Array, np.random.Generator], Array]
    largest: int = 10_000_000
    matched: Callable[[int, BaseEstimator], dict[str, object]] | None = None
    """From the number of rows, and theirs once fitted, to the parameters of ours under which both are the same."""


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


def outlying(score: Array, rng: np.random.Generator) -> Array:
    """Return numbers of which one in twenty is far off."""
    return noisy(score, rng) + 20.0 * rng.normal(size=len(score)) * (rng.uniform(size=len(score)) < 0.05)


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
    "huber": Pair(
        lambda n: FormulaRegressor(loss="huber"),
        lambda n: linear_model.HuberRegressor(tol=1e-8, max_iter=10_000),
        outlying,
        100_000,
        lambda n, theirs: {
            "loss": f"huber(delta={1.35 * float(theirs.scale_)!r})",
            "l2": 0.5e-4 * float(theirs.scale_) / n,
        },
    ),
    "huber_auto": Pair(
        lambda n: FormulaRegressor(loss="huber(delta=auto)"),
        lambda n: linear_model.HuberRegressor(tol=1e-8, max_iter=10_000),
        outlying,
        100_000,
    ),
    "ridge_cv": Pair(
        lambda n: FormulaRegressor(l2="auto"),
        lambda n: linear_model.RidgeCV(alphas=np.logspace(-3, 5, 50), cv=5),
        noisy,
        100_000,
    ),
    "lasso_cv": Pair(lambda n: FormulaRegressor(l1="auto"), lambda n: linear_model.LassoCV(cv=5), noisy, 100_000),
}


SIDES = ("ours", "theirs")
FEW, FRESH = 10_000, 10
"""Up to so many rows, each fit is of other rows: of so many tables in turn."""


def table(rows: int, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return columns that hang together, of different scales, and a score of them with a standard deviation of 1."""
    common = rng.normal(size=(rows, 1))
    columns = 0.5 * common + rng.normal(size=(rows, count))
    truth = rng.normal(size=count) * (rng.uniform(size=count) < 0.5)
    score = columns @ truth
    scales = np.exp(rng.uniform(-1.0, 1.0, size=count))
    return columns * scales, score / score.std()


def seconds(call: Callable[..., object], *given: object) -> tuple[float, float]:
    """Return how long a call takes, by the processor and by the clock."""
    began, clock = time.process_time(), time.perf_counter()
    call(*given)
    return time.process_time() - began, time.perf_counter() - clock


def memory(name: str, which: str, rows: int, columns: int) -> float:
    """Return by how many MB the largest resident size of this process grows in a fit, once it has fitted some rows."""
    rng = np.random.default_rng(rows)
    X, score = table(rows, columns, rng)
    y = PAIRS[name].response(score, rng)
    estimator = (PAIRS[name].ours if which == "ours" else PAIRS[name].theirs)(rows)
    estimator.fit(X[: 4 * columns], y[: 4 * columns])
    Path("/proc/self/clear_refs").write_text("5")  # the largest size so far is now that of here
    before = resident()
    estimator.fit(X, y)
    return resident() - before


def resident() -> float:
    """Return the largest resident size of this process, in MB."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1e3


def in_a_process_of_its_own(*given: object) -> str:
    """Return what this program prints when it is called with these arguments."""
    call = [sys.executable, __file__, *map(str, given)]
    return subprocess.run(call, check=True, capture_output=True, text=True).stdout.strip()


def beyond_memory(rows: int, columns: int, limit: float) -> None:
    """Fit a Parquet file within a limit of memory, in MB, by ours and by theirs, each in a process of its own."""
    import pyarrow
    from pyarrow import parquet

    rng, block = np.random.default_rng(rows), 50_000
    with tempfile.TemporaryDirectory() as folder:
        path, writer = Path(folder) / "rows.parquet", None
        truth, done = rng.normal(size=columns), 0
        while done < rows:
            X = rng.normal(size=(min(block, rows - done), columns))
            named = {f"x{place}": column for place, column in enumerate(X.T)}
            part = pyarrow.table(named | {"y": 3.0 + X @ truth + rng.normal(size=len(X))})
            writer = writer or parquet.ParquetWriter(path, part.schema)
            writer.write_table(part)
            done += len(X)
        assert writer is not None
        writer.close()
        size = path.stat().st_size / 1e6
        print(f"linear, {rows:,} x {columns} in a Parquet file of {size:,.0f} MB, {limit:,.0f} MB of memory allowed")
        for which in SIDES:
            print(f"  {which:<8}{in_a_process_of_its_own('--read', path, '--which', which, '--limit', limit)}")


def read_within(path: str, which: str, limit: float) -> str:
    """Fit a file where this process may take so many MB more than it has now, and return how that ended."""
    import pandas

    import descend

    descend.fit("y ~ w*x", {"x": [1.0, 2.0, 3.0], "y": [1.0, 2.1, 2.9]})
    taken = int(re.search(r"VmData:\s+(\d+)", Path("/proc/self/status").read_text())[1]) * 1024  # type: ignore[index]
    allowed = taken + int(limit * 1e6)
    resource.setrlimit(resource.RLIMIT_DATA, (allowed, allowed))
    began = time.perf_counter()
    try:
        if which == "ours":
            found = descend.fit("y ~ w @ [x*] + b", path, memory_limit=f"{limit / 3:.0f}MB").parameters["b"]
        else:
            frame = pandas.read_parquet(path, use_threads=False)
            found = linear_model.LinearRegression().fit(frame.drop(columns="y").to_numpy(), frame["y"]).intercept_
    except (MemoryError, OSError) as error:
        return f"no answer after {time.perf_counter() - began:.1f} s: {type(error).__name__}"
    return f"intercept {float(found):.4f} (3 is true) after {time.perf_counter() - began:.1f} s"


def compared(name: str, pair: Pair, rows: int, columns: int, rounds: int) -> str:
    """Fit and predict by both in turn, and return the line of the table."""
    both = (pair.ours(rows), pair.theirs(rows))
    tables = []
    for number in range(FRESH if rows <= FEW else 1):
        rng = np.random.default_rng(rows + number)
        X, score = table(rows, columns, rng)
        tables.append((X, pair.response(score, rng)))
    if pair.matched is not None:
        both[0].set_params(**pair.matched(rows, both[1].fit(*tables[-1])))
    both[0].fit(*tables[-1])  # what is done once in a process is not timed
    turns = [tables[number % len(tables)] for number in range(rounds * (10 if rows <= FEW else 1))] + tables[-1:]
    fitting = np.array([[seconds(each.fit, X, y) for each in both] for X, y in turns])
    predicting = np.array([[seconds(each.predict, X) for each in both] for X, _ in turns])
    (ours, of_ours), (theirs, of_theirs) = np.median(fitting, axis=0)
    predicted = np.median(predicting, axis=0)[:, 0]
    known = np.ravel(both[1].coef_)
    apart = np.abs(np.ravel(both[0].coef_) - known).max() / np.abs(known).max()
    return (
        f"{name:<11}{rows:>10,}{1e3 * ours:>10.2f}{1e3 * theirs:>10.2f}{ours / theirs:>7.2f}{of_ours / of_theirs:>7.2f}"
        f"{predicted[0] / predicted[1]:>9.2f}{apart:>9.1e}"
    )


def main() -> None:
    """Compare all pairs that were asked for."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", default="1000,100000")
    options.add_argument("--only", default=",".join(PAIRS))
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--columns", type=int, default=50)
    options.add_argument("--memory", action="store_true")
    options.add_argument("--parquet", type=int)
    options.add_argument("--limit", type=float, default=300.0)
    options.add_argument("--which", help=argparse.SUPPRESS)
    options.add_argument("--read", help=argparse.SUPPRESS)
    given = options.parse_args()
    warnings.simplefilter("ignore")
    if given.read:
        print(read_within(given.read, given.which, given.limit))
    elif given.which:
        print(memory(given.only, given.which, int(given.rows), given.columns))
    elif given.parquet:
        beyond_memory(given.parquet, given.columns, given.limit)
    else:
        compare(given)


def compare(given: argparse.Namespace) -> None:
    """Print the table."""
    beside = f"{'MB':>10}{'theirs':>9}" if given.memory else ""
    print(
        f"{'estimator':<11}{'rows':>10}{'ours':>10}{'theirs':>10}{'ratio':>7}{'clock':>7}{'predict':>9}{'apart':>9}"
        f"{beside}"
    )
    for rows in map(int, given.rows.split(",")):
        for name in given.only.split(","):
            pair = PAIRS[name]
            if rows <= pair.largest:
                line = compared(name, pair, rows, given.columns, given.rounds)
                call = ("--only", name, "--rows", rows, "--columns", given.columns)
                taken = [float(in_a_process_of_its_own(*call, "--which", each)) for each in SIDES if given.memory]
                print(line + "".join(f"{each:>9.1f}" for each in taken), flush=True)


if __name__ == "__main__":
    main()
