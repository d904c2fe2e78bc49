"""Sums over many rows in blocks of arrays made beforehand: those of the rows as they stand, whatever the formula."""

from __future__ import annotations

import numpy as np
import pytest

import descend.engines.blockwise as blockwise_module
from descend.engines.blockwise import blockwise, half_angles
from descend.engines.numpy_engine import NumpyEngine
from descend.formula import read_formula
from descend.gradients.derived import derived
from descend.losses import LOSSES
from descend.table.rows import Roles, Rows

FORMULAS = {
    "y ~ a*exp(-b*x) + c": [2.0, 0.7, 0.1],
    "y ~ a*x/(b + x)": [2.0, 0.7],
    "y ~ a*exp(-(x - b)^2/(2*c^2)) + d": [3.0, 1.8, 0.6, 0.2],
    "y ~ a + (b - a)/(1 + (x/c)^d)": [0.2, 2.0, 1.5, 3.0],
    "y ~ a*sin(b*x + c) + d*cos(b*x + c)": [2.0, 3.1, 0.5, 0.3],
    "y ~ a*sin(b*x)*z + c": [2.0, 3.1, 0.5],
    "log(y) ~ a + b*x": [0.5, -0.1],
    "y ~ c": [1.3],
    "y ~ where(x > b, a*x, b*z)": [2.0, 1.5],
}


def program(text, loss="squared"):
    return derived(read_formula(text, ["x", "z", "s", "y"]), LOSSES.build(loss))


def table(rows):
    rng = np.random.default_rng(3)
    x = np.linspace(0.0, 4.0, rows)
    return {"x": x, "z": rng.uniform(0.5, 1.5, rows), "s": rng.uniform(0.1, 0.2, rows), "y": 1.0 + rng.random(rows)}


@pytest.mark.parametrize("weights", [None, "s"])
@pytest.mark.parametrize("rows", [100, 1_000, 5_001])
@pytest.mark.parametrize("text", FORMULAS)
def test_sums_of_blocks_are_those_of_the_rows_as_they_stand(text, rows, weights, monkeypatch):
    monkeypatch.setattr(blockwise_module, "SIZE", 1_000)
    what, theta, given = program(text), np.array(FORMULAS[text]), Rows.of(table(rows), Roles(weights))
    blocks = blockwise(what, weights is not None)
    if blocks is None:  # what a choice makes of rows cannot be written into an array
        assert "where" in text or text == "y ~ c"
        return
    with np.errstate(all="ignore"):
        both = blocks.over(given)(theta), blocks.of_few(given, 1.0)(theta)
        whole = NumpyEngine(what, given).evaluate(theta, 2)
    for loss, gradient, curvature in both:
        assert loss == pytest.approx(whole.loss, rel=1e-13)
        scale = np.sqrt(curvature.diagonal() * whole.loss)
        np.testing.assert_allclose(gradient / scale, whole.gradient / scale, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(curvature, whole.curvature, rtol=1e-12, atol=1e-12 * np.abs(curvature).max())


@pytest.mark.parametrize("text", ["y ~ w @ [x, z] + c*exp(b*x)", "y ~ exp(w @ [x, z])"])
def test_formulas_of_vectors_are_left_to_products_of_matrices(text):
    assert blockwise(program(text), False) is None


@pytest.mark.parametrize("loss", ["poisson", "huber(delta=1)", "absolute"])
def test_other_losses_are_summed_as_they_were(loss):
    assert blockwise(program("y ~ a*exp(-b*x) + c", loss), False) is None


def test_sine_and_cosine_of_an_angle_come_from_one_tangent():
    angles = np.concatenate([np.linspace(-40.0, 40.0, 100_001), np.pi * np.arange(-20, 21) / 2.0, [1e5, 1e9, 0.0]])
    slope, score = program("y ~ a*sin(x + b)").jacobian.values()
    definitions, (by_slope, _) = half_angles([slope, score])
    assert len(definitions) == 4 and str(by_slope) == "sine 0"
    tangent = np.tan(angles / 2.0)
    twice = 2.0 / (1.0 + tangent**2)
    np.testing.assert_allclose(tangent * twice, np.sin(angles), rtol=0.0, atol=1e-15)
    np.testing.assert_allclose(twice - 1.0, np.cos(angles), rtol=0.0, atol=1e-15)


def test_half_the_angle_is_taken_only_where_both_are_needed():
    definitions, _ = half_angles(list(program("y ~ a*sin(x)").jacobian.values()))
    assert not definitions
