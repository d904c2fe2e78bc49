"""Functions of vectors of parameters: the formula takes them component by component, and the fit keeps them whole."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.formula import read_formula

X = np.linspace(0.0, 6.0, 60)
TRUTH = {"a": np.array([2.0, 1.2, 0.7]), "k": 0.6}


def decays(x, a, k):
    y = np.zeros_like(x)
    for order, height in enumerate(a, start=1):
        y += height * np.exp(-k * order**2 * x)
    return y


def decays_as_formula() -> str:
    return "y ~ a1*exp(-k*x) + a2*exp(-4*k*x) + a3*exp(-9*k*x)"


DATA = {"x": X, "y": decays(X, **TRUTH) + 1e-3 * np.random.default_rng(0).standard_normal(60)}
START = {"a": [1.5, 1.5, 0.5], "k": 0.5}


def test_the_answer_is_that_of_single_parameters() -> None:
    fit = descend.fit(decays, DATA, response="y", start=START)
    expected = descend.fit(decays_as_formula(), DATA, start={"a1": 1.5, "a2": 1.5, "a3": 0.5, "k": 0.5})
    assert (fit.gradient, fit.outcome) == ("derived", "converged")
    assert fit.parameters["a"].shape == (3,)
    np.testing.assert_allclose(fit.theta, [expected.parameters[name] for name in ("a1", "a2", "a3", "k")], rtol=1e-9)
    np.testing.assert_allclose(
        np.append(fit.standard_errors["a"], fit.standard_errors["k"]),
        [expected.standard_errors[name] for name in ("a1", "a2", "a3", "k")],
        rtol=1e-6,
    )
    np.testing.assert_allclose(fit.predict({"x": X[::-7]}), decays(X[::-7], **fit.parameters), rtol=1e-12)


@pytest.mark.parametrize("engine", ["query", "torch", "numpy"])
def test_every_engine_sums_it(engine: str) -> None:
    fit = descend.fit(decays, DATA, response="y", start=START, engine=engine)
    expected = descend.fit(decays, DATA, response="y", start=START)
    assert fit.engine == engine
    np.testing.assert_allclose(fit.theta, expected.theta, rtol=1e-9)


def test_components_have_bounds_and_the_whole_can_be_fixed_and_saved(tmp_path) -> None:
    bounded = descend.fit(decays, DATA, response="y", start=START, bounds=["a[0] < 1.9", "a[2] > 0.1"])
    assert bounded.parameters["a"][0] == pytest.approx(1.9)
    fixed = descend.fit(decays, DATA, response="y", start={"k": 0.5}, fix={"a": TRUTH["a"]})
    assert fixed.gradient == "derived"
    assert fixed.parameters["k"] == pytest.approx(0.6, rel=1e-3)
    fit = descend.fit(decays, DATA, response="y", start=START)
    fit.save(tmp_path / "model.json")
    np.testing.assert_array_equal(descend.load(tmp_path / "model.json").predict(DATA), fit.predict(DATA))


def test_components_of_formulas_as_products() -> None:
    formula = read_formula("y ~ (w @ [1, 0, 0])*x + (w @ [0, 0, 1]) + (w @ [0, 1, 0])", ("x", "y"))
    assert formula.parameters == {"w": ("0", "1", "2")}
    with pytest.raises(descend.errors.FormulaError, match="`1` is twice in the list"):
        read_formula("y ~ (w @ [1, 1])*x", ("x", "y"))
