"""What the data leave undetermined is said, in words that name it; what they determine is never doubted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from descend import fit

X = np.linspace(0.1, 4.0, 50)
NOISE = 0.01 * np.random.default_rng(0).normal(size=50)
Y = 2.0 * np.exp(0.5 - 0.3 * X) + NOISE


def doubts(fitted) -> list[str]:
    return [note for note in fitted.notes if "trade off" in note or "told apart" in note or "influence" in note]


def test_a_redundant_formula_is_fitted_and_its_redundancy_noted_once():
    fitted = fit("y ~ a*exp(b + c*x)", {"x": X, "y": Y})
    assert doubts(fitted) == [
        "a and b trade off: only a*exp(b) is determined. Drop b, or fix it with --fix b=0.",
    ]
    assert fitted.undetermined == ("a", "b")
    assert fitted.outcome == "converged"
    values = fitted.parameters
    assert values["a"] * np.exp(values["b"]) == pytest.approx(2.0 * np.exp(0.5), rel=0.01)


def test_a_combination_that_only_these_data_leave_open_is_found_and_verified():
    """The column k never changes, so b is known only together with a."""
    fitted = fit("y ~ a*exp(b*k) + c*x", {"x": X, "y": Y, "k": np.full(50, 3.0)})
    assert doubts(fitted) == ["a and b trade off: only a*exp(3*b) is determined by these data."]
    assert fitted.undetermined == ("a", "b")


def test_columns_that_are_almost_multiples_of_each_other():
    z = 2.0 * X + 1e-5 * np.sin(40.0 * X)
    fitted = fit("y ~ w @ [x, z] + b", {"x": X, "z": z, "y": Y})
    assert doubts(fitted) == [
        "w[x] and w[z] cannot be told apart by these data: their columns are almost multiples of each other."
    ]
    assert fitted.undetermined == ()


def test_a_curve_seen_only_where_it_is_straight():
    """a*x/(b + x) with all x far below b is a/b*x."""
    x = np.linspace(1.0, 2.0, 40)
    y = 3.0 * x + 0.05 * np.random.default_rng(1).normal(size=40)
    fitted = fit("y ~ a*x/(b + x)", {"x": x, "y": y}, start={"a": 3e5, "b": 1e5})
    assert doubts(fitted) == ["a and b trade off: only a/b is determined by these data."]
    assert fitted.parameters["a"] / fitted.parameters["b"] == pytest.approx(3.0, rel=0.02)


def test_a_parameter_without_influence_is_named():
    fitted = fit("y ~ a*x*where(x < 100, 1, b)", {"x": X, "y": Y}, start={"a": 1.0, "b": 1.0})
    assert doubts(fitted) == [
        "b has no influence on any prediction here, so these data do not determine it. "
        "Start elsewhere, or remove it from the formula."
    ]


@pytest.mark.parametrize("expression", ["a*exp(-b*x) + c", "a + b*x", "a*x/(b + x)", "w @ [x, x^2, x^3] + b"])
def test_data_without_any_residual_are_no_cause_for_doubt(expression):
    y = {"a*exp(-b*x) + c": 2 * np.exp(-X) + 1, "a*x/(b + x)": 2 * X / (1 + X)}.get(expression, 1 + 2 * X)
    fitted = fit(f"y ~ {expression}", {"x": X, "y": y})
    assert doubts(fitted) == []
    assert fitted.undetermined == ()


def test_ill_conditioned_but_determined_is_no_cause_for_doubt():
    """A polynomial of degree 10 over a narrow range, as in NIST's Filip."""
    x = np.linspace(-9.0, -3.0, 82)
    y = np.polynomial.polynomial.polyval(x / 6.0 + 1.0, [0.8, 0.1, 0.3, -0.2, 0.1, 0.5, 0.3, 0.2, -0.1, 0.1, 0.05])
    formula = "y ~ " + " + ".join(["c0", *(f"c{k}*x^{k}" for k in range(1, 11))])
    fitted = fit(formula, {"x": x, "y": y + 1e-8 * np.random.default_rng(2).normal(size=82)})
    assert doubts(fitted) == []


def test_a_measured_curve_is_no_cause_for_doubt():
    data = Path(__file__).parents[2] / "examples" / "data" / "chwirut2.csv"
    fitted = fit("response ~ exp(-b1*distance)/(b2 + b3*distance)", data, start={"b1": 0.1, "b2": 0.01, "b3": 0.02})
    assert doubts(fitted) == []


def test_a_penalty_settles_it():
    fitted = fit("y ~ (a + b)*x", {"x": X, "y": Y}, l2=0.01)
    assert doubts(fitted) == []
