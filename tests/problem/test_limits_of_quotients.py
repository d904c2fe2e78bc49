"""A quotient of infinite powers has no value in floating point: how to write it so that it has is said."""

import numpy as np
import pytest

import descend

X = np.repeat([0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0], 2)
Y = 10.0 / (1.0 + (X / 3.0) ** 0.7) + 0.15 * np.random.default_rng(34).normal(size=X.size)
START = {"v": 10.0, "k": 3.0, "h": -1.0}


def test_the_form_that_has_a_limit_is_named():
    with pytest.raises(descend.DescendError) as refusal:
        descend.fit("y ~ v*x^h/(k^h + x^h)", {"x": X, "y": Y}, start=START)
    assert str(refusal.value) == (
        "The prediction is nan in row 1 (x = 0) at the start (v=10  h=-1  k=3): `x^h` is inf there, so the loss is not "
        "finite. Write `v/((k/x)^h + 1)`, which has its limit there, or give other starting values with `start`."
    )


def test_that_form_finds_the_minimum():
    falling = descend.fit("y ~ v/((k/x)^h + 1)", {"x": X, "y": Y}, start=START)
    usual = descend.fit("y ~ v/((x/k)^h + 1)", {"x": X, "y": Y}, start={**START, "h": 1.0})
    assert falling.outcome == usual.outcome == "converged"
    assert falling.parameters["h"] == pytest.approx(-usual.parameters["h"], rel=1e-8)
    assert falling.loss == pytest.approx(usual.loss, rel=1e-12)
