"""The arguments of `curve_fit`: whatever SciPy takes is taken, and what it refuses is refused in its words."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
import pytest
import scipy.optimize

from descend import curve_fit

X = np.linspace(0.1, 5.0, 60)
Z = np.random.default_rng(2).uniform(1.0, 2.0, 60)
Y = 2 * np.exp(-X) + Z + 0.05 * np.random.default_rng(1).normal(size=60)
FRAME = pd.DataFrame({"x": X, "z": Z}, index=range(5, 65))


def unpacked(both, a, b, c):
    x, z = both
    return a * np.exp(-b * x) + c * z


DATA = {
    "tuple": ((X, Z), unpacked),
    "list of lists": ([X.tolist(), Z.tolist()], unpacked),
    "(2, M)": (np.stack([X, Z]), lambda d, a, b, c: a * np.exp(-b * d[0]) + c * d[1, :]),
    "(M, 2)": (np.stack([X, Z], axis=1), lambda d, a, b, c: a * np.exp(-b * d[:, 0]) + c * d[:, 1]),
    "(2, 1, M)": (np.stack([X, Z])[:, None], lambda d, a, b, c: a * np.exp(-b * d[0, 0]) + c * d[1, 0]),
    "frame": (FRAME, lambda d, a, b, c: a * np.exp(-b * d["x"]) + c * d.z),
    "dict": ({"x": X, "z": Z}, lambda d, a, b, c: a * np.exp(-b * d["x"]) + c * d["z"]),
    "None": (None, lambda _, a, b, c: a * np.exp(-b * X) + c * Z),
    "text": ("60 points", lambda _, a, b, c: a * np.exp(-b * X) + c * Z),
    "float32": (np.stack([X, Z]).astype(np.float32), unpacked),
}


@pytest.mark.parametrize("kind", DATA)
def test_data_of_any_kind(kind):
    data, function = DATA[kind]
    popt, pcov = curve_fit(function, data, Y, p0=[1, 1, 0.5])
    other = scipy.optimize.curve_fit(function, data, Y, p0=[1, 1, 0.5], ftol=1e-14, xtol=1e-14, gtol=1e-14)
    assert popt == pytest.approx(other[0], rel=1e-6)
    assert np.sqrt(np.diag(pcov)) == pytest.approx(np.sqrt(np.diag(other[1])), rel=1e-4)


@pytest.mark.parametrize("kind", [list, tuple, pd.Series, np.asarray])
def test_a_single_predictor_of_any_kind(kind):
    popt, _ = curve_fit(lambda x, a, b: a * np.asarray(x) + b, kind(X), kind(3 * X + 1))
    assert popt == pytest.approx([3.0, 1.0])


class Line:
    """Lines as a method, a class method, a call."""

    slope = 2.0

    def method(self, x, b):
        return self.slope * x + b

    @classmethod
    def of_class(cls, x, b):
        return cls.slope * x + b

    @staticmethod
    def of_nobody(x, b):
        return 2.0 * x + b

    def __call__(self, x, b):
        return self.method(x, b)


@pytest.mark.parametrize(
    "function",
    [
        Line().method,
        Line.of_class,
        Line.of_nobody,
        Line(),
        functools.partial(lambda slope, x, b: slope * x + b, 2.0),
        lambda x, b, /: 2 * x + b,
        np.vectorize(lambda x, b: 2 * x + b, excluded=["self"]),
    ],
    ids=["method", "class method", "static method", "call", "partial", "by place", "vectorized"],
)
def test_parameters_are_counted(function):
    start = [0.0] if isinstance(function, np.vectorize) else None
    assert curve_fit(function, X, 2 * X + 1, start)[0] == pytest.approx([1.0])


def test_parameters_without_names_need_p0():
    def polynomial(x, *p):
        return np.polyval(p, x)

    assert curve_fit(polynomial, X, 3 * X**2 - X + 2, p0=[1, 1, 1])[0] == pytest.approx([3.0, -1.0, 2.0])
    with pytest.raises(ValueError, match=r"^Unable to determine number of fit parameters.$"):
        curve_fit(polynomial, X, X)


def test_parameters_may_have_names_that_mean_something_else():
    def curve(t, x, y, e, pi, gamma):
        return x * np.exp(-gamma * t) + y * t + e + pi * t**2

    truth = [2.0, 0.5, 1.0, 0.1, 1.5]
    assert curve_fit(curve, X, curve(X, *truth), p0=[1, 1, 0, 0, 1])[0] == pytest.approx(truth, rel=1e-6)


def line(x, a, b):
    return a * x + b


REFUSED = {
    "method": ({"method": "unknown"}, ValueError, "`method` must be one of 'lm', 'trf', 'dogbox'."),
    "lm with bounds": (
        {"method": "lm", "bounds": (0, 3)},
        ValueError,
        "Method 'lm' only works for unconstrained problems. Use 'trf' or 'dogbox' instead.",
    ),
    "args": ({"args": (1,)}, ValueError, "'args' is not a supported keyword argument."),
    "keyword": ({"tolerance": 1}, TypeError, "curve_fit() got an unexpected keyword argument 'tolerance'"),
    "p0 outside": ({"p0": [5, 0], "bounds": (0, 3)}, ValueError, "Initial guess is outside of provided bounds"),
    "bounds swapped": (
        {"bounds": (3, 0)},
        ValueError,
        "Each lower bound must be strictly less than each upper bound.",
    ),
    "bounds of another number": ({"bounds": ([0], [1])}, ValueError, "Inconsistent shapes between bounds and `x0`."),
    "sigma": ({"sigma": np.ones(3)}, ValueError, "`sigma` has incorrect shape."),
    "covariance": ({"sigma": -np.eye(60)}, ValueError, "`sigma` must be positive definite."),
    "sigma of 0": (
        {"sigma": np.append(np.ones(59), 0.0)},
        ValueError,
        "The sigma `sigma` is 0 in row 60 of the data. Standard deviations must be above 0. Leave such rows out, or "
        "correct them.",
    ),
    "policy": ({"nan_policy": "hi"}, ValueError, "nan_policy must be one of {None, 'raise', 'omit'}"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_refuses_in_scipys_words(case):
    options, kind, message = REFUSED[case]
    with pytest.raises(kind) as raised:
        curve_fit(line, X, Y, **options)
    assert str(raised.value) == message


def test_gaps():
    x, y = X.copy(), 2 * X + 1
    x[3], y[5] = np.nan, np.nan
    with pytest.raises(ValueError, match=r"^array must not contain infs or NaNs$"):
        curve_fit(line, x, y)
    with pytest.raises(ValueError, match=r"^The input contains nan values$"):
        curve_fit(line, x, y, nan_policy="raise")
    assert curve_fit(line, x, y, nan_policy="omit")[0] == pytest.approx([2.0, 1.0])


def test_infinite_data_are_handed_on_where_they_are_not_checked():
    x, y = np.append(X, np.inf), np.append(3 * np.exp(-X), 0.0)
    popt, _ = curve_fit(lambda x, a, b: a * np.exp(-b * x), x, y, p0=[1, 2], check_finite=False)
    assert popt == pytest.approx([3.0, 1.0], rel=1e-6)


def test_a_start_without_a_value_is_refused():
    with pytest.raises(ValueError) as raised:
        curve_fit(lambda x, a, b: a * np.log(b * x), X, Y, p0=[1, -1])
    assert str(raised.value) == (
        "The prediction is nan in row 1 (x = 0.1) at the start (a=1  b=-1): `log(b*x)` is nan there, so the loss is "
        "not finite. Give other starting values with p0."
    )


@pytest.mark.parametrize("function", [lambda x, a: np.outer(x, x) * a, lambda x, a: (a * x)[: int(np.sum(x > 1))]])
def test_a_function_of_another_shape_is_refused(function):
    with pytest.raises(ValueError, match=r"`<lambda>` returned shape \(\d+, ?\d*\) for 60 data points"):
        curve_fit(function, X, Y, p0=[1])


def test_errors_of_the_function_are_its_own():
    def fails(x, a):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        curve_fit(fails, X, Y, p0=[1])


@pytest.mark.parametrize("sigma", [0.0, np.nan, np.inf, np.zeros(60)])
def test_a_sigma_that_is_no_standard_deviation_is_refused(sigma):
    with pytest.raises(ValueError, match="`sigma` must be above 0 and finite, and it is"):
        curve_fit(lambda x, a, b: a * x + b, X, Y, [1.0, 1.0], sigma=sigma)


def test_numbers_in_an_array_of_objects_are_taken_and_others_refused():
    def objects(x, a, b):
        return np.array([a * float(u) + b for u in x.tolist()], dtype=object)

    popt, _ = curve_fit(objects, X, 2 * X + 1, [1.0, 1.0])
    assert popt == pytest.approx([2.0, 1.0], rel=1e-6)
    with pytest.raises(ValueError, match="returned complex numbers"):
        curve_fit(lambda x, a, b: a * np.exp(1j * x) + b * float(x.max()), X, Y, [1.0, 1.0])
    with pytest.raises(ValueError, match="returned None, not numbers"):
        curve_fit(lambda x, a, b: None, X, Y, [1.0, 1.0])
