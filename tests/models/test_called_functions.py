"""Functions that can only be called: fitted as their formulas are, or refused in one sentence."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.errors import ConfigError

RANDOM = np.random.default_rng(0)
X = np.linspace(0.1, 5.0, 40)
Y = 3.0 * np.exp(-0.7 * X) + 0.5 + 0.01 * RANDOM.normal(size=40)
DATA = {"x": X, "y": Y, "k": RANDOM.uniform(0.5, 2.0, 40), "s": np.full(40, 0.01)}
TEXT = "y ~ a*exp(-b*x) + c"
START = {"a": 1.0, "b": 1.0, "c": 0.1}


def curve(x, a, b, c):
    return a * np.exp(-b * x) + c


def by_rows(x, a, b, c):
    return np.array([float(a) * np.exp(-float(b) * value) + float(c) for value in x])


def fitted(function, **options):
    return descend.fit(function, DATA, response="y", gradient="numeric", **{"start": START, **options})


@pytest.mark.parametrize(("function", "digits", "of_errors"), [(curve, 1e-12, 1e-11), (by_rows, 1e-6, 5e-4)])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"weights": "k"},
        {"sigma": "s"},
        {"bounds": ["b > 0", "0 <= c <= 0.45"]},
        {"fix": {"c": 0.5}, "start": {"a": 1.0, "b": 1.0}},
        {"ties": ["c = a/6"], "start": {"a": 1.0, "b": 1.0}},
        {"loss": "huber(delta=0.01)"},
        {"loss": "poisson"},
        {"loss": "absolute"},
        {"standardize": True},
        {"errors": "sandwich"},
        {"optimizer": "lbfgs"},
    ],
    ids=str,
)
def test_the_fit_is_that_of_the_formula(function, digits, of_errors, options):
    found, wanted = fitted(function, **options), descend.fit(TEXT, DATA, **{"start": START, **options})
    assert (found.outcome, found.gradient) == (wanted.outcome, "numeric")
    for name, value in wanted.parameters.items():
        assert found.parameters[name] == pytest.approx(value, rel=digits), name
        assert found.standard_errors[name] == pytest.approx(wanted.standard_errors[name], rel=of_errors, nan_ok=True)


@pytest.mark.parametrize("function", [curve, by_rows])
def test_all_that_follows_from_a_fit_is_there(function, tmp_path):
    fit, wanted = fitted(function), descend.fit(TEXT, DATA, start=START)
    assert fit.predict({"x": [7.0]}) == pytest.approx(wanted.predict({"x": [7.0]}), rel=1e-7)
    assert fit.intervals(0.9)["b"] == pytest.approx(wanted.intervals(0.9)["b"], rel=1e-7)
    path = tmp_path / "fit.json"
    fit.save(path)
    assert descend.load(path, model=function).parameters == fit.parameters
    fit.report(tmp_path / "fit.html")
    assert ("complex step" if function is curve else "forward differences") in (tmp_path / "fit.html").read_text()


def test_a_run_is_resumed_where_it_stood(tmp_path):
    fit = fitted(by_rows, checkpoint=tmp_path / "run")
    assert fitted(by_rows, checkpoint=tmp_path / "run", resume=True).parameters == pytest.approx(fit.parameters)


def test_the_notes_say_how_derivatives_were_found():
    assert any(
        note.startswith("derivatives of `curve` by a complex step, which agrees with differences in every row; ")
        for note in fitted(curve).notes
    )
    assert any(
        note.startswith(
            "derivatives of `by_rows` by forward differences, in steps above its noise, which is rounding; "
        )
        for note in fitted(by_rows).notes
    )


@pytest.mark.parametrize("size", [1e-3, 1e-5, 1e-8])
@pytest.mark.parametrize("cast", [float, lambda value: value], ids=["one by one", "together"])
def test_a_descent_ends_at_the_noise_and_claims_no_digit_below(size, cast):
    def noisy(x, a, b, c):
        smooth = np.abs(cast(a) * np.exp(-cast(b) * x)) + cast(c)
        return smooth + size * (np.mod(1e12 * (cast(a) + cast(b) * x), 1.0) - 0.5)

    fit, exact = fitted(noisy), descend.fit(TEXT, DATA, start=START)
    assert fit.outcome == "converged"
    for name, digits in fit.digits.items():
        error = abs(fit.parameters[name] / exact.parameters[name] - 1.0)
        off = abs(fit.parameters[name] - exact.parameters[name]) / exact.standard_errors[name]
        assert off < max(0.01, 1000.0 * size)
        assert digits < -np.log10(error) + 1.5


def test_a_function_of_a_whole_column_sees_all_of_it():
    data = {"x": np.linspace(0.0, 9.0, 20_000)}
    data["y"] = 2.0 * data["x"] / 9.0 + 1.0

    def relative(x, a, b):
        assert len(x) == 20_000
        return a * x / x.max() + b

    for options in ({}, {"batch_size": 5000, "epochs": 3, "optimizer": "adam"}):
        descend.fit(relative, data, response="y", gradient="numeric", start={"a": 1.0, "b": 0.0}, **options)


def test_a_function_that_changes_its_columns_is_given_copies():
    def in_place(x, a, b, c):
        x *= -b
        np.exp(x, out=x)
        x *= a
        x += c
        return x

    before = DATA["x"].copy()
    assert fitted(in_place).parameters == pytest.approx(fitted(curve).parameters, rel=1e-7)
    np.testing.assert_array_equal(DATA["x"], before)


def test_points_without_a_value_are_stepped_around():
    def narrow(x, a, b, c):
        if not 0.0 < b < 2.0:
            raise ValueError("b is out of range")
        return curve(x, a, b, c)

    fit = fitted(narrow, start={"a": 1.0, "b": 1.9, "c": 0.1})
    assert fit.parameters == pytest.approx(fitted(curve).parameters, rel=1e-6)
    note = next(note for note in fit.notes if "stepped around" in note)
    assert note.endswith(
        "at which `narrow` has no value were stepped around; the last said: ValueError: b is out of range"
    )
    nan = fitted(lambda x, a, b, c: curve(x, a, b, c) + 0.0 * np.sqrt(2.0 - b), start={"a": 1.0, "b": 1.9, "c": 0.1})
    assert nan.parameters == pytest.approx(fitted(curve).parameters, rel=1e-6)


ONE = "It must return one prediction per row."


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x, a, b, c: float(np.sum(curve(x, a, b, c))), f"`<lambda>` returned one number for 40 rows. {ONE}"),
        (lambda x, a, b, c: curve(x, a, b, c)[:-1], f"`<lambda>` returned shape (39,) for 40 rows. {ONE}"),
        (
            lambda x, a, b, c: curve(x, a, b, c)[:, None] * np.ones(2),
            f"`<lambda>` returned shape (40, 2) for 40 rows. {ONE}",
        ),
        (lambda x, a, b, c: None, f"`<lambda>` returned None, not numbers. {ONE}"),
        (lambda x, a, b, c: "text", f"`<lambda>` returned 'text', not numbers. {ONE}"),
        (lambda x, a, b, c: curve(x, a, 1j * b, c), f"`<lambda>` returned complex numbers. {ONE}"),
        (lambda x, a, b, c: 1 / 0, "`<lambda>` raised ZeroDivisionError: division by zero."),
        (
            lambda x, a, b, c: a * np.log(b - x) + c,
            "`<lambda>` returned nan in row 9 (x = 1.10513) at the start (a=1  b=1  c=0.1), so the loss is not finite. "
            "Give other starting values with `start`.",
        ),
    ],
    ids=["scalar", "short", "column", "None", "text", "complex", "raises", "nan"],
)
def test_what_cannot_be_fitted_is_refused_in_a_sentence(function, said):
    with pytest.raises(ConfigError) as refusal:
        fitted(function)
    assert str(refusal.value) == said


def test_a_function_that_is_not_deterministic_is_refused():
    random = np.random.default_rng(1)
    with pytest.raises(ConfigError) as refusal:
        fitted(lambda x, a, b, c: curve(x, a, b, c) + 1e-3 * random.normal(size=40))
    start, end = (
        "`<lambda>` is not deterministic: called twice with the same arguments it returned ",
        ("Give it a fixed seed, or take the mean of many draws."),
    )
    assert str(refusal.value).startswith(start) and str(refusal.value).endswith(end)


def test_rounded_values_are_no_plateau():
    fit = fitted(lambda x, a, b, c: np.round(curve(x, a, b, c), 4))
    assert fit.parameters == pytest.approx(fitted(curve).parameters, rel=1e-3)


def test_calls_are_few():
    """SciPy's curve_fit calls this curve 30 times from here, to 9 digits."""
    count = 0

    def counted(x, a, b, c):
        nonlocal count
        count += 1
        return curve(x, a, b, c)

    fit = fitted(counted, start={"a": 1.0, "b": 1.0, "c": 0.0})
    assert fit.standard_errors and count <= 26
    wanted = descend.fit(TEXT, DATA, start=START).parameters
    assert fit.parameters == pytest.approx(wanted, rel=1e-13)


def test_predicting_leaves_new_data_as_they_are():
    def shifted(x, a, b):
        x -= 1.0
        return a * x + b * float(np.abs(x).max() > -1)

    x, new = np.linspace(0.3, 3.0, 40), np.array([5.0, 6.0])
    fit = descend.fit(shifted, {"x": x, "y": 2 * x + 1}, response="y", start={"a": 1.0, "b": 1.0})
    assert fit.predict({"x": new}) == pytest.approx([11.0, 13.0])
    assert new.tolist() == [5.0, 6.0]


def test_a_function_without_columns_is_one_number_for_all_rows():
    fit = descend.fit(lambda a: a, {"y": np.array([1.0, 2.0, 6.0])}, response="y", start={"a": 1.0}, gradient="numeric")
    assert fit.parameters["a"] == pytest.approx(3.0)


@pytest.mark.parametrize("gradient", [None, "numeric"])
@pytest.mark.parametrize(
    ("names", "hint", "forward"),
    [
        ("t, a, b", "", lambda t, a, b: a * t + b),
        ("X, a", " Did you mean `x`?", lambda X, a: a * X),
        ("t, a", "", lambda t, a: a * t[0]),
    ],
)
def test_a_function_whose_arguments_are_no_columns_is_refused(gradient, names, hint, forward):
    x = np.linspace(0.0, 5.0, 20)
    with pytest.raises(ConfigError) as refused:
        descend.fit(forward, {"x": x, "y": x}, response="y", gradient=gradient)
    assert str(refused.value) == (
        f"None of the arguments of `<lambda>` ({names}) is a column; columns: x, y.{hint} "
        "Name the arguments that are data like the columns."
    )


@pytest.mark.parametrize("gradient", [None, "numeric"])
def test_a_function_may_have_rows_of_its_own(gradient):
    t = np.linspace(0.0, 5.0, 20)
    fit = descend.fit(lambda a, b: a * t + b, {"y": 2 * t + 1}, response="y", gradient=gradient)
    assert fit.parameters == pytest.approx({"a": 2.0, "b": 1.0})
    one = descend.fit(lambda c, n=2: c * n, {"y": t}, response="y", gradient=gradient, fix={"n": 2})
    assert one.parameters["c"] == pytest.approx(1.25)


VECTOR = "An argument that is indexed or multiplied as a vector needs a start: start="


@pytest.mark.parametrize(
    ("forward", "said"),
    [
        (
            lambda x, w: w[0] * np.exp(-w[1] * x),
            f"`<lambda>` raised TypeError: 'float' object is not subscriptable. {VECTOR}{{\"w\": [1.0, 1.0]}}.",
        ),
        (
            lambda x, c, w: c + w[0] * np.exp(-w[1] * x),
            f"`<lambda>` raised TypeError: 'float' object is not subscriptable. {VECTOR}{{\"NAME\": [1.0, 1.0]}}.",
        ),
    ],
)
def test_a_vector_without_a_start_is_told(forward, said):
    x = np.linspace(0.0, 5.0, 20)
    with pytest.raises(ConfigError) as refused:
        descend.fit(forward, {"x": x, "y": x}, response="y")
    assert str(refused.value) == said


@pytest.mark.parametrize("empty", [[], (), np.empty(0), np.empty((0, 2))], ids=repr)
@pytest.mark.parametrize("model", ["y ~ w*x", lambda x, w: w[0] * np.exp(-w[1] * x)], ids=["formula", "function"])
def test_an_empty_start_is_refused(model, empty):
    x = np.linspace(0.0, 5.0, 20)
    with pytest.raises(ConfigError) as refused:
        descend.fit(model, {"x": x, "y": x}, response="y", start={"w": empty})
    assert str(refused.value) == (
        'The start of `w` has no numbers. Give one, or one for each component: start={"w": [1.0, 1.0]}.'
    )


def by_first(x, a, k):
    y = np.exp(-k * x)
    return a * y / y[0]


def by_sum(x, a, k):
    y = np.exp(-k * x)
    return a * y / y.sum()


def above_least(x, a, k):
    y = a * np.exp(-k * x)
    return y - y.min()


def backwards(x, a, k):
    return (a * np.exp(-k * x))[::-1]


def by_median(x, a, k):
    y = np.exp(-k * x)
    return a * y / (1 + np.median(y))


@pytest.mark.parametrize("bounds", [None, ["a > 0", "k > 0"]])
@pytest.mark.parametrize("start", [None, {"a": 2.0, "k": 0.5}])
@pytest.mark.parametrize("function", [by_first, by_sum, above_least, backwards, by_median])
def test_rows_that_are_set_against_each_other_are_not_mixed_with_those_of_other_points(function, start, bounds):
    """Called for many points at once such a function mixes them: y[0] would be a row of the first point."""
    from scipy.optimize import curve_fit

    x = np.linspace(0.0, 9.0, 60)
    y = function(x, 3.0, 0.4)
    y = y + 0.02 * np.ptp(y) * np.random.default_rng(1).normal(size=60)
    best, covariance = curve_fit(function, x, y, p0=[3.0, 0.4], xtol=1e-14, ftol=1e-14, gtol=1e-14)
    fit = descend.fit(function, {"x": x, "y": y}, response="y", start=start, bounds=bounds, gradient="numeric")
    assert list(fit.parameters.values()) == pytest.approx(best, abs=1e-4 * np.sqrt(np.diag(covariance)).min())
    assert list(fit.standard_errors.values()) == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-3)
