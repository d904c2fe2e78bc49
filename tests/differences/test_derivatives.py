"""Derivatives of functions that can only be called, against closed forms."""

from __future__ import annotations

import threading
import warnings

import numpy as np
import pytest

from descend.differences.calls import REAL_ONLY, Calls
from descend.differences.derivatives import Derivatives
from descend.differences.noise import measured_noise, noise_of
from descend.differences.stencils import CENTRAL, FORWARD, FOURTH, ONE_SIDED, _plan
from descend.errors import ConfigError

X = np.linspace(0.1, 4.0, 50)
THETA = np.array([2.0, 0.7, -0.3])
ANYWHERE = np.full(3, -np.inf), np.full(3, np.inf)


def decay(a, b, c):
    return a * np.exp(-b * X) + c


JACOBIAN = np.column_stack([np.exp(-0.7 * X), -2.0 * X * np.exp(-0.7 * X), np.ones(50)])


class Rows:
    """A function of three numbers as `Derivatives` take it. together, complex_too: what it can be called with."""

    name = "decay"

    def __init__(self, function, together=True, complex_too=True):
        self.function, self.together, self.complex_too, self.count = function, together, complex_too, 0

    def one(self, theta):
        self.count += 1
        if np.iscomplexobj(theta) and not self.complex_too:
            raise TypeError("real numbers only")
        return np.asarray(self.function(*theta))

    def many(self, thetas):
        self.count += 1
        if not self.together or (np.iscomplexobj(thetas) and not self.complex_too):
            raise TypeError("one at a time")
        return np.asarray(self.function(*thetas.T[:, :, None]))


def error(found, exact=JACOBIAN):
    return float((np.abs(found - exact).max(axis=0) / np.abs(exact).max(axis=0)).max())


@pytest.mark.parametrize(
    ("together", "complex_too", "least", "calls"),
    [(True, True, 1e-15, 6), (False, True, 1e-15, 11), (True, False, 1e-12, 8), (False, False, 1e-7, 10)],
)
def test_derivatives_are_as_exact_as_calls_allow(together, complex_too, least, calls):
    rows = Rows(decay, together, complex_too)
    derivatives = Derivatives(rows, 3, ANYWHERE)
    values, jacobian = derivatives.at(THETA)
    np.testing.assert_array_equal(values, decay(*THETA))
    assert error(jacobian) < least
    assert rows.count == derivatives.calls.count <= calls
    derivatives.at(THETA)
    assert rows.count <= calls, "what is known costs nothing"


def test_central_differences_come_when_they_are_asked_for():
    derivatives = Derivatives(Rows(decay, False, False), 3, ANYWHERE)
    assert error(derivatives.at(THETA)[1]) > 1e-10
    assert derivatives.refine(best=True) and error(derivatives.at(THETA)[1]) < 3e-10
    assert not derivatives.refine(best=True)
    claimed = derivatives.errors / np.sqrt(np.mean(JACOBIAN**2, axis=0))
    assert (claimed < 1e-9).all()


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(
    "real_only",
    [
        lambda a, b, c: np.abs(a * np.exp(-b * X)) + c,
        lambda a, b, c: a * np.exp(-b * X) + np.real(c),
        lambda a, b, c: np.where(X > 3.5, np.abs(a), a) * np.exp(-b * X) + c,
        lambda a, b, c: (a * np.exp(-b * X) + c).astype(np.float64),
    ],
    ids=["abs", "real", "abs in some rows", "cast"],
)
def test_a_function_that_loses_imaginary_parts_is_found_out(real_only, together):
    derivatives = Derivatives(Rows(real_only, together), 3, ANYWHERE)
    derivatives.at(THETA)
    assert derivatives.by_complex_step is False
    derivatives.refine(best=True)
    assert error(derivatives.at(THETA)[1]) < 1e-9


def test_a_function_that_only_later_loses_them_is_found_out_in_the_end():
    def bent(a, b, c):
        return np.where(np.real(a) > 3.0, np.abs(a), a) * np.exp(-b * X) + c

    derivatives = Derivatives(Rows(bent), 3, ANYWHERE)
    derivatives.at(THETA)
    assert derivatives.by_complex_step
    there = np.array([4.0, 0.7, -0.3])
    wrong = derivatives.at(there)[1]
    assert error(wrong) > 0.5
    assert derivatives.refine(best=True)
    assert error(derivatives.at(there)[1], JACOBIAN * [1.0, 2.0, 1.0]) < 1e-11


def test_a_root_of_a_negative_number_is_no_value():
    derivatives = Derivatives(Rows(lambda a, b, c: np.sqrt(a - b * X) + c), 3, ANYWHERE)
    derivatives.at(np.array([5.0, 0.7, 0.0]))
    values, jacobian = derivatives.at(np.array([2.0, 0.7, 0.0]))
    np.testing.assert_array_equal(np.isnan(values), 0.7 * X > 2.0)
    np.testing.assert_array_equal(np.isnan(jacobian).any(axis=1), 0.7 * X > 2.0)


def test_rounding_that_differs_between_points_is_no_ground_for_trust():
    """A function that mixes the points of one call is called for each point."""
    rows = Rows(lambda a, b, c: a / np.max(a) * np.exp(-b * X) + a + c)
    derivatives = Derivatives(rows, 3, ANYWHERE)
    found = derivatives.at(THETA)[1]
    exact = JACOBIAN * [0.0, 0.5, 1.0] + [1.0, 0.0, 0.0]
    np.testing.assert_allclose(found, exact, atol=1e-6)


@pytest.mark.parametrize("size", [1e-4, 1e-6, 1e-9])
def test_the_noise_of_a_function_is_measured(size):
    random = np.random.default_rng(0)

    def noisy(a, b, c):
        return decay(a, b, c) + size * random.normal(size=50)

    calls = Calls(Rows(noisy, False), 3)
    calls.value(THETA)
    assert measured_noise(calls, THETA, THETA) == pytest.approx(size, rel=0.5)


def test_single_precision_is_noise():
    def single(a, b, c):
        return decay(np.float32(a), np.float32(b), np.float32(c)).astype(np.float32).astype(np.float64)

    derivatives = Derivatives(Rows(single, False, False), 3, ANYWHERE)
    derivatives.at(THETA)
    assert 1e-9 < derivatives.noise < 1e-6
    derivatives.refine(best=True)
    assert error(derivatives.at(THETA)[1]) < 2e-4


def test_smooth_values_have_no_noise_but_rounding():
    values = np.array([decay(2.0 + 1e-8 * k, 0.7, -0.3) for k in range(5)])
    assert noise_of(values) < 3e-16


def test_a_random_function_is_refused():
    random = np.random.default_rng(0)
    derivatives = Derivatives(Rows(lambda a, b, c: decay(a, b, c) + 1e-6 * random.normal(size=50), False), 3, ANYWHERE)
    with pytest.raises(
        ConfigError, match="`decay` is not deterministic: called twice with the same arguments it returned"
    ):
        derivatives.at(THETA)


@pytest.mark.parametrize("stencil", [FORWARD, ONE_SIDED, CENTRAL, FOURTH], ids=lambda stencil: stencil.name)
def test_a_stencil_is_exact_for_polynomials_of_its_order(stencil):
    for power in range(stencil.order + 1):
        found = sum(
            w * ((2.0 + j) ** power - 2.0**power) for w, j in zip(stencil.weights, stencil.offsets, strict=True)
        )
        assert found == pytest.approx(power * 2.0 ** (power - 1) if power else 0.0, abs=1e-12)


def test_no_point_lies_outside_the_bounds():
    seen = []

    def within(a, b, c):
        seen.append((a, b, c))
        assert a >= 2.0 and b <= 0.7
        return decay(a, b, c)

    room = np.array([2.0, -np.inf, -np.inf]), np.array([np.inf, 0.7, np.inf])
    derivatives = Derivatives(Rows(within, False, False), 3, room)
    derivatives.at(THETA)
    derivatives.refine(best=True)
    assert error(derivatives.at(THETA)[1]) < 1e-8


def test_parameters_of_any_size_have_good_steps():
    """Steps follow from how the values change, not from the size of a parameter."""
    for scale in (1e-12, 1.0, 1e12):
        rows = Rows(lambda a, b, c, s=scale: decay(a / s, b, c), False, False)
        derivatives = Derivatives(rows, 3, ANYWHERE)
        theta = THETA * [scale, 1.0, 1.0]
        derivatives.at(theta)
        derivatives.refine(best=True)
        assert error(derivatives.at(theta)[1], JACOBIAN / [scale, 1.0, 1.0]) < 1e-9
    zero = Derivatives(Rows(lambda a, b, c: decay(2.0, 0.7 + 1e9 * b, c) + a, False, False), 3, ANYWHERE)
    zero.at(np.zeros(3))
    zero.refine(best=True)
    exact = np.column_stack([np.ones(50), 1e9 * JACOBIAN[:, 1], np.ones(50)])
    assert error(zero.at(np.zeros(3))[1], exact) < 1e-8


def test_a_factor_and_a_constant_cost_no_call():
    """In one call a point, only the rate of a decay has to be moved; and the two other columns are exact."""
    rows = Rows(decay, False, False)
    derivatives = Derivatives(rows, 3, ANYWHERE)
    derivatives.at(THETA)
    derivatives.at(THETA * 1.1)  # at two points they look so, and a call agrees
    before = rows.count
    there = np.array([1.0, 0.5, 0.3])
    jacobian = derivatives.at(there)[1]
    assert rows.count - before == 2  # the values, and those with another rate
    np.testing.assert_allclose(jacobian[:, 0], np.exp(-0.5 * X), rtol=1e-14)
    np.testing.assert_array_equal(jacobian[:, 2], 1.0)


@pytest.mark.parametrize(
    "function",
    [
        lambda a, b, c: a * np.exp(-b * X) + c * X,
        lambda a, b, c: np.sqrt(np.square(a)) ** 0.999 * np.exp(-b * X) + c,
        lambda a, b, c: a * np.exp(-b * X) + (c if c > -1.0 else c**2),
    ],
    ids=["no constant", "a power", "constant only nearby"],
)
def test_what_only_looks_like_them_is_found_out(function):
    derivatives = Derivatives(Rows(function, False, False), 3, ANYWHERE)
    for theta in (THETA, THETA * 1.1, np.array([1.5, 0.5, -1.5])):
        derivatives.at(theta)
        derivatives.refine(best=True)
        found = derivatives.at(theta)[1]
        exact = Derivatives(Rows(function, False, False), 3, ANYWHERE)
        exact.scales = None
        exact.by_complex_step, exact.calls.together = False, False
        exact.noise, exact.scale = derivatives.noise, derivatives.scale
        exact.calls.value(theta)
        exact._wanted = 2
        np.testing.assert_allclose(found, exact.at(theta)[1], rtol=1e-5, atol=1e-7)


def test_a_step_is_never_lost_in_a_large_value_of_either_sign():
    for value in (1e9, -1e9):
        assert _plan(FORWARD, value, 1e-9, -np.inf, np.inf)[1] == np.spacing(1e9)


def test_filters_of_warnings_are_as_they_were_after_threads_that_overlap():
    before, inside, leave = list(warnings.filters), threading.Barrier(2), threading.Event()

    def second():
        with REAL_ONLY.refused():
            inside.wait()
            leave.wait()

    thread = threading.Thread(target=second)
    with REAL_ONLY.refused():
        thread.start()
        inside.wait()
    leave.set()
    thread.join()
    assert list(warnings.filters) == before
