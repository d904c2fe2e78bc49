"""What `curve_fit` returns: SciPy's values, to more digits, however it is asked."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given, settings
from hypothesis import strategies as st

from descend import curve_fit

X = np.linspace(0.1, 4.0, 40)
TIGHT = {"ftol": 1e-14, "xtol": 1e-14, "gtol": 1e-14}


def decay(x, a, b, c):
    return a * np.exp(-b * x) + c


def peak(x, a, m, s):
    return a * np.exp(-((x - m) ** 2) / (2 * s**2))


def saturation(x, v, k):
    return v * x / (k + x)


def wave(x, a, w, p):
    return a * np.sin(w * x + p)


def logistic(x, k, r, m):
    return k / (1 + np.exp(-r * (x - m)))


MODELS = [
    (decay, (2.5, 1.3, 0.5)),
    (peak, (3.0, 2.0, 0.6)),
    (saturation, (2.0, 0.8)),
    (wave, (2.0, 2.0, 0.5)),
    (logistic, (2.0, 2.2, 1.8)),
]


def opaque(function):
    """Return a function that cannot be traced, as it asks its data a question."""

    def asks(x, *theta):
        return function(x, *theta) if float(np.max(x)) < np.inf else x

    return asks


def noisy(function, theta, noise=0.05, seed=0, x=X):
    y = function(x, *theta)
    return y + noise * np.random.default_rng(seed).normal(size=len(x))


def assert_same(ours, theirs, popt=1e-7, pcov=1e-5):
    assert ours[0] == pytest.approx(theirs[0], rel=popt)
    size = np.sqrt(np.outer(np.diag(theirs[1]), np.diag(theirs[1])))
    assert np.abs(ours[1] - theirs[1]).max(initial=0.0, where=size > 0.0) <= pcov * size.max()
    assert (np.abs(ours[1] - theirs[1]) <= pcov * size).all()


@settings(max_examples=40, deadline=None)
@given(
    model=st.sampled_from(MODELS),
    factors=st.lists(st.floats(0.85, 1.15), min_size=3, max_size=3),
    noise=st.sampled_from([0.001, 0.02, 0.1]),
    rows=st.sampled_from([8, 40, 200]),
    weighing=st.sampled_from(["none", "number", "vector", "matrix"]),
    absolute=st.booleans(),
    bounded=st.booleans(),
    seed=st.integers(0, 99),
)
def test_it_agrees_with_scipy(model, factors, noise, rows, weighing, absolute, bounded, seed):
    function, theta = model
    rng = np.random.default_rng(seed)
    x = np.linspace(0.1, 4.0, rows)
    y = noisy(function, theta, noise, seed, x)
    deviations = rng.uniform(0.5, 2.0, rows)
    sigma = {
        "none": None,
        "number": 0.3,
        "vector": deviations,
        "matrix": np.diag(deviations**2) + 0.1 * np.exp(-np.abs(x[:, None] - x)),
    }[weighing]
    start = np.array(theta) * factors[: len(theta)]
    options = {"p0": start, "sigma": sigma, "absolute_sigma": absolute}
    if bounded:
        options["bounds"] = (0.2 * np.array(theta), 5.0 * np.array(theta))
    theirs = scipy.optimize.curve_fit(function, x, y, **options, **TIGHT, max_nfev=5000) if bounded else None
    theirs = theirs or scipy.optimize.curve_fit(function, x, y, **options, **TIGHT, maxfev=5000)
    assert_same(curve_fit(function, x, y, **options), theirs, 2e-7)


@pytest.mark.parametrize(("function", "theta"), MODELS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_function_that_is_no_formula_gives_the_same(function, theta):
    y = noisy(function, theta)
    assert_same(curve_fit(opaque(function), X, y, p0=theta), curve_fit(function, X, y, p0=theta))


@pytest.mark.parametrize("sigma", [None, 0.2, 0.1 + X / 10], ids=["none", "number", "vector"])
@pytest.mark.parametrize("function", [decay, opaque(decay)], ids=["traced", "opaque"])
def test_full_output_has_five_values(function, sigma):
    y = noisy(decay, (2.5, 1.3, 0.5))
    popt, pcov, info, message, ier = curve_fit(function, X, y, p0=[1, 1, 0], sigma=sigma, full_output=True)
    _, _, theirs, *_ = scipy.optimize.curve_fit(decay, X, y, p0=[1, 1, 0], sigma=sigma, full_output=True)
    assert popt.shape == (3,) and pcov.shape == (3, 3)
    assert 0 < info["nfev"] <= theirs["nfev"]
    assert info["fvec"] == pytest.approx(theirs["fvec"], abs=1e-5)
    assert (message, ier) == ("The sum of squares is least here: its gradient is zero to rounding.", 1)


@pytest.mark.parametrize("loss", ["soft_l1", "huber", "cauchy"])
@pytest.mark.parametrize("sigma", [None, 0.05 + X / 100])
def test_robust_losses_are_those_of_scipy(loss, sigma):
    y = noisy(decay, (2.5, 1.3, 0.5))
    y[7] = 9.0
    options = {
        "p0": [1, 1, 0.1],
        "method": "trf",
        "loss": loss,
        "f_scale": 0.1 if sigma is None else 1.5,
        "sigma": sigma,
    }
    assert_same(
        curve_fit(decay, X, y, **options), scipy.optimize.curve_fit(decay, X, y, **options, **TIGHT), 1e-6, 1e-4
    )


def test_a_loss_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match=r"`loss` must be one of 'linear', .*'huber'.*; it is 'arctan'"):
        curve_fit(decay, X, X, p0=[1, 1, 0], method="trf", loss="arctan")


def test_without_p0_it_finds_what_scipy_misses():
    x = np.linspace(1990.0, 2020.0, 120)
    y = noisy(lambda x, a, m, s, c: peak(x, a, m, s) + c, (4.0, 2011.0, 0.8, 1.0), x=x)

    def shifted(x, a, m, s, c):
        return a * np.exp(-(((x - m) / s) ** 2) / 2) + c

    popt, _ = curve_fit(shifted, x, y)
    assert np.abs(popt) == pytest.approx([4.0, 2011.0, 0.8, 1.0], rel=0.05)


def test_without_p0_an_opaque_function_is_tried_from_several_starts():
    def asks(x, a, m, s):
        return peak(x, a, m, s) if float(np.max(x)) < np.inf else x

    y = noisy(peak, (3.0, 30.0, 2.0), 0.02, x=10 * X)
    with pytest.raises(AssertionError):
        assert scipy.optimize.curve_fit(peak, 10 * X, y)[0][1] == pytest.approx(30.0, rel=0.1)
    assert curve_fit(asks, 10 * X, y)[0][1] == pytest.approx(30.0, rel=0.1)


def test_of_two_equal_minima_the_one_near_p0_is_the_answer():
    def peaks(x, a, m, b, n, s):
        return peak(x, a, m, s) + peak(x, b, n, s)

    y = noisy(peaks, (3.0, 1.0, 2.0, 2.5, 0.3), 0.02)
    one, _ = curve_fit(peaks, X, y, p0=[2.5, 1.1, 2.5, 2.4, 0.4])
    other, _ = curve_fit(peaks, X, y, p0=[2.5, 2.4, 2.5, 1.1, 0.4])
    assert one == pytest.approx(other[[2, 3, 0, 1, 4]], rel=1e-9)
    assert one[1] == pytest.approx(1.0, abs=0.05) and other[1] == pytest.approx(2.5, abs=0.05)


@pytest.mark.parametrize("method", ["lm", "trf", "dogbox", None])
@pytest.mark.parametrize(
    "function",
    [lambda x, a, b: a * x, lambda x, a, b: a * b * x, lambda x, a, b: a + 0 * b * x],
    ids=["absent", "product", "zero"],
)
def test_what_the_data_do_not_determine_has_an_infinite_covariance(function, method):
    with pytest.warns(
        scipy.optimize.OptimizeWarning, match="Covariance of the parameters could not be estimated"
    ) as seen:
        popt, pcov = curve_fit(function, X, 2 * X, p0=[1.0, 3.0], method=method)
    assert np.isinf(pcov).all() and popt.shape == (2,)
    assert all(warning.filename == __file__ for warning in seen)


def test_a_fit_without_degrees_of_freedom_has_an_infinite_covariance():
    with pytest.warns(scipy.optimize.OptimizeWarning):
        popt, pcov = curve_fit(lambda x, a, b: a * x + b, [1.0, 2.0], [3.0, 5.0], p0=[1, 1])
    assert popt == pytest.approx([2.0, 1.0]) and np.isinf(pcov).all()
    with pytest.warns(scipy.optimize.OptimizeWarning):
        popt, _ = curve_fit(lambda x, a: a * x, [2.0], [3.0], p0=[1])
    assert popt == pytest.approx([1.5])


@pytest.mark.parametrize("function", [decay, opaque(decay)], ids=["traced", "opaque"])
@pytest.mark.parametrize("limit", ["maxfev", "max_nfev"])
def test_a_limit_on_calls_ends_a_fit_in_scipys_words(function, limit):
    y = noisy(decay, (2.5, 1.3, 0.5))
    message = "Optimal parameters not found: Number of calls to function has reached maxfev = 3."
    with pytest.raises(RuntimeError, match=f"^{message}$"):
        curve_fit(function, X, y, p0=[1, 1, 0], **{limit: 3})
    assert curve_fit(function, X, y, p0=[1, 1, 0], **{limit: 1000})[0] == pytest.approx([2.5, 1.3, 0.5], rel=0.2)


def test_a_bound_where_a_parameter_is_stationary_is_left():
    def hyperbola(x, s, t, u, v, c):
        return v + (t - s) / 2 * (x - u) + (s + t) / 2 * np.sqrt((x - u) ** 2 + c**2 / 4)

    x = np.array([-32.0, -16, -8, 4, 4, 8, 16, 32])
    truth = [-2, 0.4, -1, -5, 9.5]
    bounds = ([-3.0, 0.0, -2.0, -10.0, 0.0], [0.0, 3.0, 3.0, 0.0, 10.0])
    popt, _ = curve_fit(hyperbola, x, hyperbola(x, *truth), p0=[-0.8, 1.3, 1.0, -4.0, 0.5], bounds=bounds)
    assert popt == pytest.approx(truth, rel=1e-9)


def test_a_closure_is_traced_anew_in_each_call():
    settings = {"power": 1.0}

    def curve(x, a):
        return a * x ** settings["power"]

    assert curve_fit(curve, X, 2 * X, p0=[1])[0] == pytest.approx([2.0])
    settings["power"] = 2.0
    assert curve_fit(curve, X, 3 * X**2, p0=[1])[0] == pytest.approx([3.0])


def test_a_function_that_changes_its_data_in_place_leaves_them_as_they_were():
    def in_place(x, a, b):
        x = x - 1.0
        x *= a
        return x + b

    before = X.copy()
    popt, _ = curve_fit(in_place, X, 2 * (X - 1) + 3, p0=[1, 1])
    assert popt == pytest.approx([2.0, 3.0]) and (before == X).all()


def test_nothing_is_said_of_a_good_fit():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        curve_fit(decay, X, noisy(decay, (2.5, 1.3, 0.5)), p0=[1, 1, 0], jac=None, sigma=np.ones(40))


def test_without_p0_a_covariance_of_y_is_no_hindrance():
    y = noisy(peak, (3.0, 2.0, 0.1), 0.02)
    covariance = 0.02**2 * np.exp(-np.abs(X[:, None] - X) / 0.05)
    ours = curve_fit(peak, X, y, sigma=covariance, absolute_sigma=True)
    theirs = scipy.optimize.curve_fit(peak, X, y, p0=[3, 2, 0.1], sigma=covariance, absolute_sigma=True, **TIGHT)
    assert np.abs(ours[0]) == pytest.approx(theirs[0], rel=1e-6)


def test_a_function_may_return_the_same_array_each_time():
    x, kept = np.linspace(0.0, 4.0, 60), np.empty(60)

    def decay(x, a, b):
        np.multiply(x, -b, out=kept)
        np.exp(kept, out=kept)
        kept[:] = a * kept
        return kept

    popt, _ = curve_fit(decay, x, 2.5 * np.exp(-1.3 * x), [1.0, 1.0])
    assert popt == pytest.approx([2.5, 1.3], rel=1e-8)


def test_residuals_of_a_function_that_returns_a_column_are_one_for_each_row():
    x = np.linspace(0.0, 4.0, 60)
    details = curve_fit(lambda x, a, b: (a * x + b)[:, None], x, 2.0 * x + 1.0, [1.0, 1.0], full_output=True)[2]
    assert details["fvec"].shape == (60,)
