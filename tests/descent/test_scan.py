"""Many trial points in one go: the linear parameters are those of least squares at each of them."""

from __future__ import annotations

import numpy as np
import pytest

from descend.descent.scan import eliminated, scannable, valleys
from descend.formula import read_formula
from descend.formula.symbols import Parameter
from descend.gradients.derived import derived
from descend.losses import LOSSES

X = np.linspace(0.0, 5.0, 25)
Y = 3.0 * np.exp(-0.5 * X) + 1.5 * np.exp(-X) + np.random.default_rng(263).normal(0.0, 0.05, 25)
ROWS = {"x": X, "y": Y, "w": np.linspace(0.5, 2.0, 25)}


def program(text, loss="squared", weights=None):
    return derived(read_formula(text, ["x", "y"]), LOSSES.build(loss), weights)


@pytest.mark.parametrize("weights", [None, "w"])
def test_every_point_is_that_of_least_squares(weights):
    rates, omega = np.array([0.2, 0.5, 3.0]), np.ones(25) if weights is None else ROWS["w"]
    points = np.column_stack([np.zeros(3), rates, np.full(3, 7.0)])
    losses, found = eliminated(program("y ~ a*exp(-b*x) + c + 1", weights=weights), ROWS, points)
    for rate, loss, point in zip(rates, losses, found, strict=True):
        design = np.column_stack([np.exp(-rate * X), np.ones(25)]) * np.sqrt(omega)[:, None]
        target = (Y - 1.0) * np.sqrt(omega)
        (a, c), (left,), *_ = np.linalg.lstsq(design, target, rcond=None)
        assert point == pytest.approx([a, rate, c], rel=1e-8)
        assert loss == pytest.approx(left / omega.sum(), rel=1e-8)


def test_a_point_that_overflows_is_no_place_to_be():
    losses, _ = eliminated(program("y ~ a*exp(b*x)"), ROWS, np.array([[1.0, -0.5], [1.0, 1e3]]))
    assert np.isfinite(losses[0]) and losses[1] == np.inf


def test_the_other_valley_of_a_tie_is_seen():
    # By lstsq at each b, J has minima at 0.357 (0.0010925) and at 0.502 (0.0011217).
    tied = program("y ~ a*exp(-b*x) + c*exp(-2*b*x)")
    begin = np.array([3.07, 0.502, 1.43])
    points, tried = valleys(tied, ROWS, begin, [Parameter("b")], None)
    assert tried == 177 and points[0][1] == pytest.approx(0.357, rel=0.1)


def test_what_can_be_scanned():
    assert scannable(program("y ~ a*exp(-b*x)"))
    assert not scannable(program("y ~ a*exp(-b*x)", "poisson"))
    assert not scannable(program("y ~ exp(w @ [x])"))
