"""A Jacobian given to `curve_fit`: used if it is right; if it is wrong, that is said, and not used."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from descend import curve_fit

X = np.linspace(0.1, 5.0, 60)
Y = 2 * np.exp(-X) + 1 + 0.05 * np.random.default_rng(1).normal(size=60)
OF_ITS_OWN = "The fit uses derivatives of its own."


def decay(x, a, b, c):
    return a * np.exp(-b * x) + c


def opaque(x, a, b, c):
    return decay(x, a, b, c) if float(np.max(x)) < np.inf else x


def jac(x, a, b, c):
    falling = np.exp(-b * x)
    return np.stack([falling, -a * x * falling, np.ones_like(x)], axis=1)


def wrong_sign(x, a, b, c):
    return jac(x, a, b, c) * [1.0, -1.0, 1.0]


RIGHT = curve_fit(decay, X, Y, p0=[1, 2, 0])


@pytest.mark.parametrize("function", [decay, opaque])
@pytest.mark.parametrize("sigma", [None, np.full(60, 0.1), 0.01 * np.eye(60)], ids=["none", "vector", "matrix"])
def test_a_right_one_is_used_without_a_word(function, sigma):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        popt, pcov = curve_fit(function, X, Y, p0=[1, 2, 0], jac=jac, sigma=sigma)
    assert popt == pytest.approx(RIGHT[0], rel=1e-9)
    assert pcov == pytest.approx(RIGHT[1], rel=1e-6)


def test_with_it_a_function_is_called_no_more_often_than_there_are_steps():
    calls = []

    def counted(x, a, b, c):
        calls.append((a, b, c))
        return opaque(x, a, b, c)

    curve_fit(counted, X, Y, p0=[1, 2, 0], jac=jac)
    assert len(calls) <= 25


def test_a_wrong_one_is_found_out():
    with pytest.warns(UserWarning) as seen:
        popt, _ = curve_fit(decay, X, Y, p0=[1, 2, 0], jac=wrong_sign)
    assert [str(warning.message) for warning in seen] == [
        "The Jacobian `jac` of b is wrong: it has the wrong sign, as that of the residual y - prediction. Put a minus "
        f"before it. {OF_ITS_OWN}"
    ]
    assert seen[0].filename == __file__
    assert popt == pytest.approx(RIGHT[0], rel=1e-9)


def test_a_wrong_one_of_a_function_that_is_no_formula_is_found_out():
    message = f"The Jacobian `jac` is wrong: it does not return the derivative of `f`. {OF_ITS_OWN}"
    with pytest.warns(UserWarning) as seen:
        popt, _ = curve_fit(opaque, X, Y, p0=[1, 2, 0], jac=wrong_sign)
    assert [str(warning.message) for warning in seen] == [message]
    assert popt == pytest.approx(RIGHT[0], rel=1e-9)


def test_one_of_another_shape_is_refused():
    with pytest.raises(ValueError) as raised:
        curve_fit(decay, X, Y, p0=[1, 2, 0], jac=lambda *arguments: jac(*arguments).T)
    assert str(raised.value) == (
        "`jac` returned shape (3, 60) for 60 data points and 3 parameters. It must return (60, 3): the derivative of "
        "each value of `f` by each parameter."
    )
    popt, _ = curve_fit(decay, X, Y, p0=[1, 2, 0], jac=lambda *arguments: jac(*arguments).T, col_deriv=True)
    assert popt == pytest.approx(RIGHT[0], rel=1e-9)


@pytest.mark.parametrize("scheme", ["2-point", "3-point", "cs"])
def test_schemes_are_accepted(scheme):
    assert curve_fit(decay, X, Y, p0=[1, 2, 0], jac=scheme, method="trf")[0] == pytest.approx(RIGHT[0], rel=1e-9)
