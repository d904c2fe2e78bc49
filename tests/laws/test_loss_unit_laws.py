"""y in another unit gives the answer in that unit, with the same outcome, whatever the loss."""

from __future__ import annotations

import numpy as np
import pytest
from tests.laws.ranges import PLAIN

from descend import fit
from descend.losses import LOSSES

RANDOM = np.random.default_rng(5)
X = np.linspace(0.0, 4.0, 50)
NOISE = 0.1 * RANDOM.standard_t(2, size=50)
LINE, CURVE = 1.0 + 2.0 * X + NOISE, 3.0 * np.exp(-0.8 * X) + 1.0 + NOISE
OF_RESIDUAL = [name for name in PLAIN if name != "log_cosh" and LOSSES.build(name).of_residual]
"""Losses of a residual in any unit; log_cosh turns from a square to a line at 1."""


@pytest.mark.parametrize(
    ("unit", "options"), [(1e-9, {}), (1e-3, {}), (1e3, {}), (1e9, {}), (1e-3, {"bounds": ["b > -1e12"]})]
)
@pytest.mark.parametrize("loss", [*OF_RESIDUAL, "pinball(quantile=0.9)"])
def test_a_line(loss, unit, options):
    plain = fit("y ~ a + b*x", {"x": X, "y": LINE}, loss=loss)
    scaled = fit("y ~ a + b*x", {"x": X, "y": unit * LINE}, loss=loss, **options)
    assert scaled.outcome == plain.outcome == "converged"
    assert scaled.theta == pytest.approx(unit * plain.theta, rel=1e-7)


@pytest.mark.parametrize("unit", [1e-9, 1e9])
@pytest.mark.parametrize("loss", [*OF_RESIDUAL, "pinball(quantile=0.9)"])
def test_a_curve(loss, unit):
    start, scale = {"a": 2.5, "b": 0.7, "c": 1.2}, np.array([unit, 1.0, unit])
    plain = fit("y ~ a*exp(-b*x) + c", {"x": X, "y": CURVE}, loss=loss, start=start)
    start |= {"a": 2.5 * unit, "c": 1.2 * unit}
    scaled = fit("y ~ a*exp(-b*x) + c", {"x": X, "y": unit * CURVE}, loss=loss, start=start)
    assert scaled.outcome == plain.outcome == "converged"
    assert scaled.theta == pytest.approx(scale * plain.theta, rel=1e-6)


@pytest.mark.parametrize("loss", ["absolute", "pinball(quantile=0.75)"])
def test_a_vertex_is_found_by_the_query_engine_too(loss):
    here, there = (fit("y ~ a + b*x", {"x": X, "y": LINE}, loss=loss, engine=engine) for engine in ("numpy", "query"))
    assert there.outcome == "converged"
    assert there.loss == pytest.approx(here.loss, rel=1e-12)
