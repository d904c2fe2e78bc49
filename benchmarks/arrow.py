"""One fit with very many parameters per group, `a[site]*exp(-b*x) + c[site] + d*x^2`, beside SciPy's least squares.

SciPy's `least_squares` has the residuals, the exact Jacobian as a sparse matrix, and the same start, and solves its
steps by lsmr, which is how it is meant for problems like this; it computes no standard errors. It is timed on fewer
groups than descend, with its usual tolerances, at which it may end above the minimum, and with 1e-12.

"epochs" and "passes" are those of descend's run. "of passes" is how many times the run takes as long as its passes
alone, each of which sums loss, gradient and curvature over all rows: the target is at most 3. "errors" are the seconds
that the standard errors of all parameters take. "memory" is the largest size of the whole process in GiB: the target
for 10,000 groups is below 1. "fixed effects" is `a[id] + b*x` with a level for each group, whose slope is that of the
within estimator, and "counts" the same inside exp under the Poisson loss, whose slope is that of the conditional
likelihood; "away" is how far the slope is from these, as a share of it.

    python benchmarks/arrow.py
    python benchmarks/arrow.py --groups 10000 --rival 500
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import least_squares

import descend

Array = NDArray[np.float64]
ROWS = 50
START = {"a": 1.0, "b": 1.0, "c": 0.0, "d": 0.0}
FORMULA = "y ~ a[site]*exp(-b*x) + c[site] + d*x^2"


def decays(groups: int, seed: int = 0) -> dict[str, Array]:
    """Return rows of decays with a rate that all share, in no order."""
    random = np.random.default_rng(seed)
    site = random.permutation(np.repeat(np.arange(groups), ROWS))
    x = random.uniform(0.0, 4.0, site.size)
    a, c = random.uniform(1.0, 3.0, groups), random.uniform(0.0, 1.0, groups)
    y = a[site] * np.exp(-0.7 * x) + c[site] + 0.05 * x**2 + 0.05 * random.normal(size=site.size)
    return {"site": site, "x": x, "y": y}


def by_scipy(data: dict[str, Array], groups: int, tolerance: float) -> tuple[float, float]:
    """Return the seconds that SciPy takes, and the sum of squares it ends at."""
    site, x, y, rows = data["site"], data["x"], data["y"], np.arange(len(data["y"]))

    def residuals(theta: Array) -> Array:
        a, c, (b, d) = theta[:groups], theta[groups:-2], theta[-2:]
        return a[site] * np.exp(-b * x) + c[site] + d * x**2 - y

    def jacobian(theta: Array) -> sparse.csr_matrix:
        a, b = theta[:groups], theta[-2]
        decay = np.exp(-b * x)
        parts = np.concatenate([decay, np.ones(x.size), -a[site] * x * decay, x**2])
        columns = np.concatenate([site, groups + site, np.full(x.size, 2 * groups), np.full(x.size, 2 * groups + 1)])
        return sparse.csr_matrix((parts, (np.tile(rows, 4), columns)), shape=(x.size, 2 * groups + 2))

    start = np.concatenate([np.full(groups, START["a"]), np.full(groups, START["c"]), [START["b"], START["d"]]])
    began = time.perf_counter()
    found = least_squares(residuals, start, jacobian, tr_solver="lsmr", ftol=tolerance, xtol=tolerance, gtol=tolerance)
    return time.perf_counter() - began, 2.0 * float(found.cost)


def of_groups(groups: int) -> tuple[float, float]:
    """Fit decays, print a line, and return seconds and the sum of squares."""
    data = decays(groups)
    began = time.perf_counter()
    fit = descend.fit(FORMULA, data, start=START)
    whole = time.perf_counter() - began
    began = time.perf_counter()
    assert fit.standard_errors is not None
    errors = time.perf_counter() - began
    run, engine = fit.trace[-1].seconds, fit.solution.objective.engine
    passes = []
    for _ in range(5):
        began = time.perf_counter()
        engine.evaluate(fit.theta + 0.0, 2)
        passes.append(time.perf_counter() - began)
    share = run / (fit.passes * float(np.median(passes)))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{groups:>9,} {2 * groups + 2:>10,} {whole:>8.2f} {run:>8.2f} {fit.epochs:>7} {fit.passes:>7.0f} "
        f"{share:>10.2f} {errors:>8.2f} {memory:>7.2f}  {fit.outcome}",
        flush=True,
    )
    return whole, fit.loss * len(data["y"])


def of_levels(groups: int, poisson: bool) -> None:
    """Fit a level for each group and one slope, and print how far the slope is from its closed form."""
    random = np.random.default_rng(1)
    person, x = np.repeat(np.arange(groups), 10), random.normal(size=10 * groups)
    level = random.normal(size=groups)[person]
    if poisson:
        y = random.poisson(np.exp(level + 0.5 * x)).astype(float)
        y[::10] += 1.0  # no group without a count
    else:
        y = level + 0.7 * x + 0.3 * random.normal(size=x.size)
    began = time.perf_counter()
    text = "y ~ exp(a[person] + b*x)" if poisson else "y ~ a[person] + b*x"
    fit = descend.fit(text, {"person": person, "x": x, "y": y}, loss="poisson" if poisson else "squared")
    whole = time.perf_counter() - began
    slope = conditional(person, x, y) if poisson else within(person, x, y)
    name = "counts" if poisson else "fixed effects"
    print(f"{name:<14} {groups:>9,} {whole:>8.2f} {fit.epochs:>7} {abs(fit.parameters['b'] / slope - 1.0):>9.1e}")


def within(person: Array, x: Array, y: Array) -> float:
    """Return the slope of deviations from the means of the groups."""
    counts = np.bincount(person)
    one, other = (column - (np.bincount(person, column) / counts)[person] for column in (x, y))
    return float(one @ other / (one @ one))


def conditional(person: Array, x: Array, y: Array) -> float:
    """Return the slope of a multinomial model of the counts within each group."""
    slope, total = 0.0, np.bincount(person, y)
    for _ in range(50):
        size = np.exp(slope * x)
        share = np.bincount(person, size)
        mean = np.bincount(person, size * x) / share
        slope += float((x @ y - total @ mean) / (total @ (np.bincount(person, size * x * x) / share - mean**2)))
    return slope


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groups", type=int, default=10_000)
    parser.add_argument("--rival", type=int, default=500, help="groups for SciPy")
    given = parser.parse_args()
    descend.fit("y ~ a*x", {"x": [1.0, 2.0, 3.0], "y": [1.0, 2.0, 3.5]})  # what is imported once is not counted
    print("   groups parameters  seconds      run  epochs  passes  of passes   errors  memory")
    ours, squares = of_groups(given.rival)
    for groups in (given.groups, 10 * given.groups):
        of_groups(groups)
    for tolerance in (1e-8, 1e-12):
        theirs, least = by_scipy(decays(given.rival), given.rival, tolerance)
        print(
            f"SciPy, {given.rival:,} groups, tolerance {tolerance:g}: {theirs:.2f} s, {theirs / ours:.1f} times as "
            f"long; its sum of squares is {least / squares - 1.0:+.1e} of descend's"
        )
    print("                  groups  seconds  epochs      away")
    of_levels(10 * given.groups, poisson=False)
    of_levels(10 * given.groups, poisson=True)


if __name__ == "__main__":
    main()
