"""Lines and parabolas in groups whose x is far from 0, such as dates: as exact as about the mean of x."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.table.writing import write_columns

GROUPS, ROWS = 60, 30


def lines(mean, seed=0):
    rng = np.random.default_rng(seed)
    group = rng.permutation(np.repeat(np.arange(GROUPS), ROWS))
    near = rng.normal(size=group.size)
    x = mean + near
    slope = rng.uniform(0.3, 0.7, GROUPS)
    weight = rng.uniform(0.5, 2.0, group.size)
    y = 2.0 + slope[group] * near + 0.1 * rng.normal(size=group.size)
    return {"x": x, "y": y, "w": weight, "g": group}


def expected(data, mean, group):
    """Slope, its standard error, and the intercept at the mean of all x, from columns about it."""
    rows = data["g"] == group
    near, y, root = data["x"][rows] - mean, data["y"][rows], np.sqrt(data["w"][rows])
    design = np.column_stack([np.ones(near.size), near]) * root[:, None]
    found, squares, *_ = np.linalg.lstsq(design, y * root)
    covariance = np.linalg.inv(design.T @ design) * squares[0] / (near.size - 2)
    return found[1], np.sqrt(covariance[1, 1]), found[0]


@pytest.mark.parametrize("mean", [1e3, 1e5, 1e7, 1e9])
@pytest.mark.parametrize("engine", ["auto", "query"])
def test_lines_far_from_0_are_those_about_the_mean(mean, engine, tmp_path):
    data = lines(mean)
    write_columns(tmp_path / "rows.parquet", data)
    fits = descend.fit("y ~ a + b*x", tmp_path / "rows.parquet", by="g", engine=engine, weights="w")
    assert set(fits.outcome) == {"converged"}
    for group in range(GROUPS):
        slope, error, level = expected(data, mean, group)
        assert fits.parameters["b"][group] == pytest.approx(slope, rel=1e-9)
        assert fits.standard_errors["b"][group] == pytest.approx(error, rel=1e-8)
        at_mean = fits.parameters["a"][group] + fits.parameters["b"][group] * mean
        assert at_mean == pytest.approx(level, abs=1e-15 * mean + 1e-9)


def test_a_parabola_of_years_is_that_about_the_mean_year():
    data = lines(2000.0)
    fits = descend.fit("y ~ c + b*x + a*x^2", data, by="g")
    assert set(fits.outcome) == {"converged"}
    for group in range(GROUPS):
        rows = data["g"] == group
        near = np.polyfit(data["x"][rows] - 2000.0, data["y"][rows], 2)
        assert fits.parameters["a"][group] == pytest.approx(near[0], rel=1e-7, abs=1e-8)


@pytest.mark.parametrize("engine", ["auto", "query"])
def test_a_group_whose_x_does_not_change_fails_alone(engine):
    data = lines(1e7)
    data["x"][data["g"] == 5] = 1e7 + 0.1
    fits = descend.fit("y ~ a + b*x", data, by="g", engine=engine)
    assert [key for key in fits.failed] == [5]
    assert fits.failed[5] == (
        "`x` is 1e+07 in every row of the group 5, so the 2 parameters (a, b) cannot be told apart. Use data in which "
        "`x` varies."
    )
