"""Outliers and noise, judged by neighbouring rows alone."""

from __future__ import annotations

import numpy as np
import pytest

from descend.formula import read_formula
from descend.starts.neighbouring_rows import BESIDE, FAR, STEEP, WIDTH, alone, neighbours, without_outliers
from descend.table.rows import Roles, Rows

FORMULA = read_formula("y ~ a*exp(-((x - m)/s)^2) + c", ("x", "y"))
RNG = np.random.default_rng(0)


def peak(x, width):
    return 5.0 * np.exp(-(((x - 5.0) / width) ** 2))


def test_the_noise_beside_a_curve_and_outliers():
    x = np.sort(RNG.uniform(0.0, 10.0, 2000))
    noise = 0.1 * RNG.normal(size=2000)
    wrong = RNG.random(2000) < 0.05
    y = peak(x, 1.0) + noise + np.where(wrong, 3.0, 0.0)
    found = neighbours(FORMULA, Rows.of({"x": x, "y": y}))
    assert found.noise == pytest.approx(0.1, rel=0.2)
    assert found.outliers[wrong].mean() > 0.85
    assert found.outliers[~wrong].mean() < 0.01


def test_the_order_of_rows_and_their_sigmas_are_heeded():
    x = RNG.permutation(np.linspace(0.0, 10.0, 1000))
    sigma = RNG.uniform(0.1, 2.0, 1000)
    y = peak(x, 1.0) + sigma * RNG.normal(size=1000)
    y[17] += 40.0
    found = neighbours(FORMULA, Rows.of({"x": x, "y": y, "s": sigma}, Roles(sigma="s")))
    assert found.noise == pytest.approx(1.0, rel=0.15)
    assert found.outliers[17] and found.outliers.sum() < 5


@pytest.mark.parametrize("width", [0.15, 0.5, 2.0])
def test_a_peak_is_no_outlier(width):
    x = np.linspace(0.0, 10.0, 101)
    rows = Rows.of({"x": x, "y": peak(x, width) + 0.01 * RNG.normal(size=101)})
    assert not neighbours(FORMULA, rows).outliers[np.abs(x - 5.0) < 3 * width].any()
    assert without_outliers(FORMULA, rows).count >= 100


def test_where_neighbours_say_nothing():
    two = read_formula("y ~ a*exp(-b*x) + c*z", ("x", "y", "z"))
    columns = {name: np.linspace(0.0, 1.0, 50) for name in "xyz"}
    assert neighbours(two, Rows.of(columns)) is None
    assert neighbours(FORMULA, Rows.of({"x": np.arange(5.0), "y": np.arange(5.0)})) is None


@pytest.mark.parametrize("noise", [0.0, 0.3, 3.0])
def test_rows_not_looked_at_closer_are_no_outliers(noise):
    """By the definition, row by row; and few rows are looked at."""
    y = np.round(RNG.standard_t(1.5, 3000), 1)
    first = np.clip(np.arange(y.size) - BESIDE, 0, y.size - WIDTH)
    expected = []
    for number, begin in enumerate(first):
        others = np.sort(np.delete(y[begin : begin + WIDTH], number - begin))
        middle = np.median(y[begin : begin + WIDTH])
        range_of_most = others[-2] - others[0] if y[number] > middle else others[-1] - others[1]
        expected.append(abs(y[number] - middle) > max(FAR * noise, STEEP * range_of_most))
    assert 0 < sum(expected) < 2000
    np.testing.assert_array_equal(alone(y, np.full(y.size, noise), first), expected)
