"""Derivatives carried on from one point to the next: what they learn, and what is too little to learn from."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.differences.secant import Secant

X = np.linspace(0.1, 4.0, 40)
NOISE = 1e-16


def values(theta):
    return theta[0] * np.exp(-theta[1] * X)


def jacobian(theta):
    return np.column_stack([np.exp(-theta[1] * X), -theta[0] * X * np.exp(-theta[1] * X)])


def test_derivatives_carried_on_explain_the_last_change():
    secant, one, other = Secant(), np.array([2.0, 1.0]), np.array([2.05, 1.02])
    secant.base(one, values(one), jacobian(one))
    carried = secant.carried(other, values(other), NOISE)
    np.testing.assert_allclose(carried @ (other - one), values(other) - values(one), atol=1e-14)
    assert 0.0 < secant.error < 0.1


def test_a_change_that_is_lost_in_rounding_leaves_them_as_they_are():
    secant, one = Secant(), np.array([2.0, 1.0])
    other = one * (1.0 + 1e-14)
    secant.base(one, values(one), jacobian(one))
    assert secant.carried(other, values(other), NOISE) is not None
    np.testing.assert_array_equal(secant.carried(other, values(other), NOISE), jacobian(one))
    assert secant.error == 0.0


def test_a_change_they_say_little_about_asks_for_new_ones():
    secant, one, other = Secant(), np.array([2.0, 1.0]), np.array([2.0, 3.5])
    secant.base(one, values(one), jacobian(one))
    assert secant.carried(other, values(other), NOISE) is None


@pytest.mark.parametrize("start", [{"a": 1.0, "b": 0.5}, None])
@pytest.mark.parametrize("noise", [0.0, 1e-6, 0.1])
def test_standard_errors_are_those_of_exact_derivatives(noise, start):
    def curve(x, a, b, c):
        return np.array([a * np.exp(-b * each) + c for each in x.tolist()])  # one point of real numbers at a time

    y = 2.5 * np.exp(-1.3 * X) + 0.5 + noise * np.random.default_rng(1).normal(size=X.size)
    options = {} if start is None else {"start": {**start, "c": 0.0}}
    found = descend.fit(curve, {"x": X, "y": y}, response="y", gradient="numeric", **options)
    exact = descend.fit("y ~ a*exp(-b*x) + c", {"x": X, "y": y}, **options)
    for name, value in exact.parameters.items():
        assert found.parameters[name] == pytest.approx(value, rel=1e-6)
        if noise:
            assert found.standard_errors[name] == pytest.approx(exact.standard_errors[name], rel=1e-4)


def test_a_descent_whose_steps_neither_grow_nor_shrink_ends():
    """Residuals so large that Gauss-Newton steps go to and fro around the minimum."""
    x = np.linspace(0.0, 20.0, 60)
    y = np.sin(1.3 * x) + 3.0 * np.random.default_rng(4).normal(size=x.size)
    calls = []

    def wave(x, a, w, p):
        calls.append(1)
        return np.array([a * np.sin(w * each + p) for each in x.tolist()])

    start = {"a": 0.1, "w": 2.2, "p": 0.0}
    fit = descend.fit(wave, {"x": x, "y": y}, response="y", gradient="numeric", start=start)
    assert str(fit.outcome) == "converged"
    assert len(calls) < 2_000
