"""A Python function becomes a formula, with the same answer."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.tracing.tape import UntraceableError
from descend.tracing.tracing import trace

X = np.linspace(0.1, 10.0, 60)


def peak(x, a, m, s, c):
    return a * np.exp(-(((x - m) / s) ** 2)) + c


def test_a_function_is_fitted_as_its_formula_is():
    y = peak(X, 3.0, 4.0, 1.2, 0.5) + 0.05 * np.random.default_rng(0).normal(size=60)
    by_function = descend.fit(peak, {"x": X, "y": y}, response="y")
    by_formula = descend.fit("y ~ a*exp(-((x - m)/s)^2) + c", {"x": X, "y": y})
    assert str(by_function.model) == "y ~ a*exp(-((x - m)/s)^2) + c"
    assert by_function.gradient == "derived"
    assert by_function.parameters == by_formula.parameters
    assert by_function.standard_errors == by_formula.standard_errors


def test_parameters_keep_the_order_of_the_arguments(tmp_path):
    fit = descend.fit(lambda x, b, a: a * (1 - np.exp(-b * x)), {"x": X, "y": 2 * (1 - np.exp(-X / 2))}, response="y")
    assert list(fit.parameters) == ["b", "a"]
    fit.save(tmp_path / "fit.json")
    loaded = descend.load(tmp_path / "fit.json")
    assert loaded.parameters == fit.parameters and list(loaded.parameters) == ["b", "a"]


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda x, a, b: a - (b - x), "a - (b - x)"),
        (lambda x, a, b: a / (b / x) / 2, "a/(b/x)/2"),
        (lambda x, a, b: (-a) ** 2 - -b * x, "(-a)^2 - (-b*x)"),
        (lambda x, a, b: a**-b + x**2.5, "a^-b + x^2.5"),
        (lambda x, a, b: np.where((x > a) & ~(x >= 3), b, -b), "where(x > a and not x >= 3, b, -b)"),
        (lambda x, a, b: sum(a * x**k for k in range(2)) + b, "a + a*x + b"),
        (lambda x, a, b: (x > 2) * a + b, "where(x > 2, 1, 0)*a + b"),
    ],
)
def test_the_text_says_what_the_function_does(function, text):
    assert trace(function, ["x"], ["a", "b"]) == text


def test_what_a_formula_cannot_say_is_named():
    def by_size(x, a):
        if x.max() > 3:
            return a * x
        return x

    with pytest.raises(UntraceableError, match=r"^takes the largest of the rows of the data \(line 55\)$"):
        trace(by_size, ["x"], ["a"])
