"""So many groups that the curvature is an arrow: own parameters alone, and some of them held."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.engines.arrow import Arrow

GROUPS, ROWS = 150, 8


def columns():
    random = np.random.default_rng(5)
    group = random.permutation(np.repeat(np.arange(GROUPS), ROWS))
    x = random.uniform(0.0, 4.0, group.size)
    a, c = random.uniform(1.0, 3.0, GROUPS), random.uniform(0.2, 0.5, GROUPS)
    y = a[group] * np.exp(-1.1 * x) + c[group] + 0.02 * random.normal(size=group.size)
    return {"x": x, "y": y, "g": group}


def lines(data):
    """Return slopes, intercepts, and their standard errors by the variance of all residuals together."""
    found, inverses, squares = [], [], 0.0
    for group in range(GROUPS):
        rows = data["g"] == group
        design = np.column_stack([data["x"][rows], np.ones(ROWS)])
        found.append(np.linalg.lstsq(design, data["y"][rows])[0])
        inverses.append(np.linalg.inv(design.T @ design))
        squares += float(np.sum((data["y"][rows] - design @ found[-1]) ** 2))
    variance = squares / (GROUPS * (ROWS - 2))
    return np.array(found), np.array(inverses) * variance


def test_a_formula_may_share_nothing():
    data = columns()
    fit = descend.fit("y ~ a[g]*x + c[g]", data)
    assert isinstance(fit.solution.objective(fit.theta, 2).curvature, Arrow)
    found, covariance = lines(data)
    assert np.array(fit.parameters["a"]) == pytest.approx(found[:, 0], rel=1e-9)
    assert np.array(fit.standard_errors["a"]) == pytest.approx(np.sqrt(covariance[:, 0, 0]), rel=1e-8)
    assert np.array(fit.standard_errors["c"]) == pytest.approx(np.sqrt(covariance[:, 1, 1]), rel=1e-8)
    sum_of_two = fit.quantity("a[3] + c[3] - a[5]")
    variance = covariance[3].sum() + covariance[5, 0, 0]
    assert sum_of_two.standard_error == pytest.approx(np.sqrt(variance), rel=1e-8)


def test_what_groups_share_may_be_fixed():
    data = columns()
    fit = descend.fit("y ~ a[g]*exp(-b*x) + c[g]", data, fix={"b": 1.0})
    other = {**data, "x": np.exp(-data["x"])}
    assert fit.succeeded
    assert np.array(fit.parameters["a"]) == pytest.approx(lines(other)[0][:, 0], rel=1e-8)


def test_a_group_that_is_held_keeps_its_value():
    data = columns()
    held = descend.fit("y ~ a[g]*exp(-b*x) + c[g]", data, fix={"a[3]": 1.0})
    assert held.succeeded and held.parameters["a"][3] == 1.0
    near = {"b": 1.0, "a": 2.0, "c": 0.3}
    started = descend.fit("y ~ a[g]*exp(-b*x) + c[g]", data, fix={"a[3]": 1.0}, start=near)
    assert held.loss == pytest.approx(started.loss, rel=1e-9)
    bounded = descend.fit("y ~ a[g]*exp(-b*x) + c[g]", data, bounds="a[3] <= 1")
    assert bounded.parameters["a"][3] == pytest.approx(1.0) and bounded.loss == pytest.approx(held.loss, rel=1e-9)
