"""The fitted equation: as many digits as predictions by hand need, and no terms that are only rounding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import descend


def by_hand(equation: str, data: dict[str, Any]) -> np.ndarray:
    """Evaluate the right side of a printed equation with NumPy, as somebody would who copied it."""
    known = {"exp": np.exp, "sigmoid": lambda score: 1.0 / (1.0 + np.exp(-score)), **data}
    right = equation.partition(" ~ ")[2].replace("^", "**")
    return np.broadcast_to(eval(right, {"__builtins__": {}}, known), len(data["x"]))


@given(
    offset=st.floats(-1e12, 1e12), slope=st.floats(1e-6, 1e6), spread=st.floats(0.1, 1e3), noise=st.floats(1e-3, 1e3)
)
def test_the_printed_line_predicts_like_the_fit(offset: float, slope: float, spread: float, noise: float) -> None:
    random = np.random.default_rng(0)
    x = offset + spread * np.linspace(0.0, 1.0, 50)
    y = slope * (x - offset) + noise * random.normal(size=50)
    fitted = descend.fit("y ~ a + b*(x - c)", {"x": x, "y": y}, fix={"c": float(x.mean())})
    off = np.abs(by_hand(fitted.fitted_formula, {"x": x}) - fitted.predict({"x": x})).max()
    assert off <= 0.1 * np.std(fitted.residuals) + 1e-6 * np.std(y)


def test_a_line_over_times_has_the_digits_it_needs() -> None:
    x = 1.7e9 + 10.0 * np.arange(200)
    y = 3e-4 * (x - 1.7e9) + 0.05 * np.random.default_rng(1).normal(size=200)
    fitted = descend.fit("y ~ a + b*x", {"x": x, "y": y})
    assert np.abs(by_hand(fitted.fitted_formula, {"x": x}) - fitted.predict({"x": x})).max() < 0.005
    assert fitted.fitted_formula == "y ~ 0.0002986243052*x - 507661.321"


@pytest.mark.parametrize(
    ("formula", "loss"), [("y ~ exp(a + b*x)", "poisson"), ("y ~ a + b*x", "huber"), ("y ~ a + b*x", "absolute")]
)
def test_so_it_is_for_other_losses(formula: str, loss: str) -> None:
    random = np.random.default_rng(2)
    x = 1900.0 + np.arange(120.0)
    mean = np.exp(0.02 * (x - 1900.0))
    y = random.poisson(mean).astype(float)
    fitted = descend.fit(formula, {"x": x, "y": y}, loss=loss)
    off = np.abs(by_hand(fitted.fitted_formula, {"x": x}) - fitted.predict({"x": x}))
    assert (off <= 0.1 * np.sqrt(np.maximum(mean, 1.0))).all()


def test_values_that_need_no_more_keep_four_digits() -> None:
    x = np.arange(10.0)
    assert descend.fit("y ~ a*x + b", {"x": x, "y": 2.0 * x + 1.0}).fitted_formula == "y ~ 2*x + 1"
    noise = np.random.default_rng(0).normal(size=10)
    assert descend.fit("y ~ w*x", {"x": x, "y": 2.0 * x + noise}).fitted_formula == "y ~ 1.995*x"


def test_a_loaded_fit_and_its_latex_have_the_same_digits(tmp_path: Path) -> None:
    x = 1950.0 + np.arange(70.0)
    y = 0.02 * x + 0.05 * np.random.default_rng(0).normal(size=70)
    fitted = descend.fit("y ~ a + b*x", {"x": x, "y": y})
    fitted.save(tmp_path / "years.json")
    loaded = descend.load(tmp_path / "years.json")
    assert loaded.fitted_formula == fitted.fitted_formula
    assert loaded.export("latex") == fitted.export("latex")


def test_a_term_that_is_only_rounding_is_left_out_of_the_text_but_not_of_the_numbers() -> None:
    x = np.arange(10.0)
    fitted = descend.fit("y ~ a*x + b", {"x": x, "y": np.full(10, 5.3)})
    assert fitted.fitted_formula == "y ~ 5.3"
    assert 0.0 < abs(fitted.parameters["a"]) < 1e-15
    assert "5.3 " not in fitted.export("latex")


def test_a_parameter_of_such_a_term_is_undetermined() -> None:
    x = np.arange(10.0)
    fitted = descend.fit("y ~ a*exp(-b*x) + c", {"x": x, "y": np.full(10, 5.0)})
    assert fitted.fitted_formula == "y ~ 5"
    assert fitted.undetermined == ("b",)
    assert fitted.standard_errors is not None
    assert np.isnan(fitted.standard_errors["b"])
    assert (
        "b has no influence on any prediction here but for rounding, so these data do not determine it. "
        "Start elsewhere, or remove it from the formula."
    ) in fitted.notes


def test_a_small_term_that_is_no_rounding_stays() -> None:
    x = np.arange(10.0)
    fitted = descend.fit("y ~ a*x + b", {"x": x, "y": 5.0 + 1e-12 * x})
    assert fitted.fitted_formula.startswith("y ~ 1e-12*x + 5") or "*x + 5" in fitted.fitted_formula
