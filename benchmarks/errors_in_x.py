"""Orthogonal distance regression beside odrpack, in one process: time, optimum, growth with rows, and bias.

    pip install odrpack; python benchmarks/errors_in_x.py [--rounds 5]

y = a exp(-b x) + c with standard deviations of both variables in columns. odrpack gets the same start, its own
finite differences, and, in a second column, exact derivatives of the curve written by hand. The last table is a line
whose x has errors as large as a third of its spread: the bias of the slope over 200 data sets, by least squares and by
orthogonal distances, with its standard error.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np

import descend

START = {"a": 3.0, "b": 0.5, "c": 0.4}
TRUE = np.array([3.2, 0.6, 0.5])


def curve(x, beta):
    """The curve, as odrpack takes it."""
    return beta[0] * np.exp(-beta[1] * x) + beta[2]


def data(rows: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Rows with errors in both variables."""
    random = np.random.default_rng(seed)
    x = random.uniform(0.0, 6.0, rows)
    sx, sy = random.uniform(0.05, 0.15, rows), random.uniform(0.02, 0.06, rows)
    return {
        "x": x + sx * random.normal(size=rows),
        "y": curve(x, TRUE) + sy * random.normal(size=rows),
        "sx": sx,
        "sy": sy,
    }


def ours(table):
    """Fit with descend."""
    return descend.fit("y ~ a*exp(-b*x) + c", table, sigma="sy", x_sigma={"x": "sx"}, start=START)


def theirs(table, exact: bool):
    """Fit with odrpack; exact: with derivatives written by hand."""
    from odrpack import odr_fit

    more = {}
    if exact:
        more["jac_beta"] = lambda x, b: np.array([np.exp(-b[1] * x), -b[0] * x * np.exp(-b[1] * x), np.ones_like(x)])
        more["jac_x"] = lambda x, b: -b[0] * b[1] * np.exp(-b[1] * x)
    start = np.array(list(START.values()))
    return odr_fit(curve, table["x"], table["y"], start, weight_x=table["sx"] ** -2, weight_y=table["sy"] ** -2, **more)


def timed(function, *arguments):
    """Return seconds and result."""
    began = time.perf_counter()
    found = function(*arguments)
    return time.perf_counter() - began, found


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    ours(data(100))  # imports and derivations, which later fits do not pay
    print(
        f"{'rows':>9}  {'descend':>9}  {'odrpack':>9}  {'with jac':>9}  {'ratio':>6}  {'with jac':>8}  "
        "sum of squares above odrpack's"
    )
    for rows in (100, 1_000, 10_000, 100_000):
        table = data(rows)
        seconds = {name: [] for name in ("ours", "odrpack", "exact")}
        for _ in range(rounds if rows <= 10_000 else 1):
            spent, fit = timed(ours, table)
            seconds["ours"].append(spent)
            spent, plain = timed(theirs, table, False)
            seconds["odrpack"].append(spent)
            spent, exact = timed(theirs, table, True)
            seconds["exact"].append(spent)
        a, b, c = (statistics.median(values) for values in seconds.values())
        squares = fit.loss * np.sum(table["sy"] ** -2.0)
        best = min(plain.sum_square, exact.sum_square)
        print(
            f"{rows:>9,}  {a:>9.4f}  {b:>9.4f}  {c:>9.4f}  {b / a:>6.1f}  {c / a:>8.1f}  {(squares - best) / best:+.1e}"
        )
    biases()


def biases() -> None:
    """Print the bias of the slope by both methods."""
    slopes: dict[str, list[float]] = {"least squares": [], "orthogonal": []}
    for seed in range(200):
        random = np.random.default_rng(seed)
        x = random.normal(0.0, 1.0, 200)
        table = {"x": x + 0.35 * random.normal(size=200), "y": 1.0 + 2.0 * x + 0.2 * random.normal(size=200)}
        slopes["least squares"].append(descend.fit("y ~ a + b*x", table).parameters["b"])
        slopes["orthogonal"].append(descend.fit("y ~ a + b*x", table, sigma=0.2, x_sigma={"x": 0.35}).parameters["b"])
    print("\nbias of the slope 2, of its mean over 200 data sets of 200 rows")
    for name, values in slopes.items():
        error = statistics.stdev(values) / len(values) ** 0.5
        print(
            f"{name:>14}  {statistics.mean(values) - 2.0:+.4f}  ± {error:.4f}, "
            f"of one fit ± {statistics.stdev(values):.4f}"
        )


if __name__ == "__main__":
    main()
