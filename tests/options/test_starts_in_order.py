"""Starting values of a function without names, in the order of its parameters."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.errors import ConfigError

X = np.linspace(0, 4, 30)


def decay(x, a, b, c):
    return a * np.exp(-b * x) + c


def polynomial(x, *p):
    return sum(value * x**power for power, value in enumerate(p))


def with_offset(x, offset, *p):
    return offset + polynomial(x, 0.0, *p)


Y = decay(X, 2.0, 1.0, 0.5)


@pytest.mark.parametrize(
    "start", [[1.0, 1.0, 0.0], (1, 1, 0), np.array([1.0, 1.0, 0.0])], ids=["list", "tuple", "array"]
)
def test_a_function_takes_them_in_order(start):
    fit = descend.fit(decay, X, Y, start=start)
    assert fit.parameters == pytest.approx({"a": 2.0, "b": 1.0, "c": 0.5})
    data = {"y": Y, "x": X}
    assert descend.fit(decay, data, response="y", start=start).parameters == pytest.approx(fit.parameters)


def test_parameters_without_names_get_some():
    fit = descend.fit(polynomial, X, 1 + 2 * X - X**2, start=[0.0, 0.0, 0.0])
    assert fit.parameters == pytest.approx({"p0": 1.0, "p1": 2.0, "p2": -1.0})
    fit = descend.fit(with_offset, X, 1 + 2 * X, start=[0.0, 0.0])
    assert fit.parameters == pytest.approx({"offset": 1.0, "p0": 2.0})


def test_a_matrix_of_predictors_counts_as_one_argument_or_several():
    both = np.stack([X, np.cos(X)])
    y = 3 * X + 2 * np.cos(X)
    for function in (lambda x, a, b: a * x[0] + b * x[1], lambda x, z, a, b: a * x + b * z):
        assert descend.fit(function, both, y, start=[1.0, 1.0]).parameters == pytest.approx({"a": 3.0, "b": 2.0})


def test_too_few_or_too_many_are_counted():
    for start, numbers in (([1.0], "1 number"), ([1.0] * 4, "4 numbers")):
        with pytest.raises(ConfigError) as refused:
            descend.fit(decay, X, Y, start=start)
        assert str(refused.value) == (
            f"`decay` has 3 parameters (a, b, c), and `start` {numbers}. Give one for each, or give them by name: "
            'start={"a": 1.0}.'
        )
    with pytest.raises(ConfigError, match="Starting values are given by name"):
        descend.fit("y ~ a*x", {"x": X, "y": Y}, start=[1.0])
