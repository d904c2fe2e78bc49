"""Which arguments of a function are parameters, and which stay as they are."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import descend
from descend.errors import ConfigError

X = np.linspace(0.1, 5.0, 30)
THREE = np.ones(3)
DATA = {"x": X, "y": 2.0 * np.exp(-0.7 * X) + 0.3}


def with_options(x, a, k, kind="decay", flip=False, table=THREE, width=None):
    assert kind == "decay" and not flip and width is None and table.shape == (3,)
    return a * np.exp(-k * x) + 0.3


def positional(x, /, a, k, *, c=0.0):
    return a * np.exp(-k * x) + c


def with_keywords(x, a, k, **options):
    assert not options
    return a * np.exp(-k * x) + 0.3


def in_a_row(x, *numbers):
    return numbers[0] * np.exp(-numbers[1] * x) + numbers[2]


def raised(x, a, k, power=2.0, offset=0.0):
    return a * np.exp(-k * x**power) + offset


@pytest.mark.parametrize(
    ("function", "start", "parameters"),
    [
        (with_options, None, {"a": 2.0, "k": 0.7}),
        (positional, None, {"a": 2.0, "k": 0.7, "c": 0.3}),
        (with_keywords, None, {"a": 2.0, "k": 0.7}),
        (in_a_row, {"a": 1.0, "k": 1.0, "c": 0.0}, {"a": 2.0, "k": 0.7, "c": 0.3}),
        (functools.partial(raised, power=1.0, offset=0.3), None, {"a": 2.0, "k": 0.7}),
        (functools.partial(raised, power=1.0), None, {"a": 2.0, "k": 0.7, "offset": 0.3}),
        (np.frompyfunc(lambda x, a, k: a * np.exp(-k * x) + 0.3, 3, 1), None, {"a": 2.0, "k": 0.7}),
    ],
)
def test_what_is_fitted_are_the_arguments_that_may_be_numbers(function, start, parameters):
    fit = descend.fit(function, DATA, response="y", start=start)
    assert fit.gradient == "derived"
    assert fit.parameters == pytest.approx(parameters, rel=1e-9)


@pytest.mark.parametrize("function", [positional, in_a_row])
def test_the_function_itself_is_called_by_the_same_arguments(function):
    fit = descend.fit(function, DATA, response="y", start={"a": 1.0, "k": 1.0, "c": 0.0}, gradient="numeric")
    assert fit.parameters == pytest.approx({"a": 2.0, "k": 0.7, "c": 0.3}, rel=1e-7)


def test_others_need_names():
    with pytest.raises(ConfigError) as refusal:
        descend.fit(in_a_row, DATA, response="y")
    assert str(refusal.value) == (
        "`in_a_row` must name each of its arguments; `*numbers` does not. Write `def in_a_row(x, w)`, or name its "
        'parameters where they start: start={"a": 1.0, "b": 1.0}.'
    )


def with_nothing_but_options(x, **options):
    return options["a"] * np.exp(-options["k"] * x)


def only_options(**options):
    return options["a"] * options["x"]


@pytest.mark.parametrize(
    ("function", "written"),
    [
        (with_nothing_but_options, "def with_nothing_but_options(x, a, b, **options)"),
        (only_options, "def only_options(x, a, b, **options)"),
    ],
)
@pytest.mark.parametrize("start", [None, {"a": 1.0, "k": 1.0}])
def test_options_have_no_names_to_fit_by(function, written, start):
    with pytest.raises(ConfigError) as refusal:
        descend.fit(function, DATA, response="y", start=start)
    assert str(refusal.value) == (
        f"`{function.__name__}` has no parameters to fit: what it takes as `**options` has no names to fit by. Make "
        f"each parameter an argument of its own: `{written}`."
    )


def test_a_function_of_columns_alone_has_nothing_to_fit():
    with pytest.raises(ConfigError) as refusal:
        descend.fit(lambda x: 2 * x, DATA, response="y")
    assert str(refusal.value) == (
        "`<lambda>` has no parameters to fit: each of its arguments is a column. Write `def <lambda>(x, w)`."
    )


def test_a_parameter_without_use_is_told():
    fit = descend.fit(lambda x, a, k, z: a * np.exp(-k * x), DATA, response="y")
    assert "`<lambda>` is no formula: it makes no use of `z`, so its gradient is numeric" in fit.notes


def test_a_fixed_count_is_passed_as_one():
    def terms(x, a, k, n=3):
        return sum(a * np.exp(-k * x * (place + 1)) for place in range(n))

    fit = descend.fit(terms, {"x": X, "y": terms(X, 2.0, 0.7, 2)}, response="y", fix={"n": 2})
    assert fit.parameters == pytest.approx({"a": 2.0, "k": 0.7, "n": 2.0}, rel=1e-7)


@pytest.mark.parametrize("held", [{"fix": {"c": 0.0}}, {"fix": {"b": 0.5}}, {"ties": {"b": "a/4"}}])
def test_a_default_is_no_start_of_what_is_fixed_or_tied(held):
    def curve(x, a, b=2.0, c=1.0):
        return a * x + b * x**2 + c

    fit = descend.fit(curve, {"x": X, "y": 2 * X + 0.5 * X**2}, response="y", **held)
    assert fit.gradient == "derived"
    assert fit.parameters == pytest.approx({"a": 2.0, "b": 0.5, "c": 0.0}, abs=1e-9)
