"""A kind of model from outside the package: one class and one line, and it goes through everything."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

import descend
from descend.errors import ConfigError, DescendError
from descend.losses import Loss
from descend.models import Model, kind_of, register
from descend.models.kinds import REGISTERED
from descend.models.reading import known_column
from descend.parameters import Parameters

X = np.linspace(-1.0, 1.0, 40)
DATA = {"x": X, "y": 1.0 - 2.0 * X + 0.5 * X**2 + 0.01 * np.random.default_rng(0).normal(size=40)}


class Degree:
    """What a user gives for a polynomial: its degree, and the column it is one of."""

    def __init__(self, degree: int, column: str) -> None:
        self.degree, self.column = degree, column


@dataclass(frozen=True, eq=False)
class PolynomialModel(Model):
    """c0 + c1 x + ... + cd x**d."""

    loss: Loss
    response: str
    inputs: tuple[str, ...]
    response_columns: tuple[str, ...]
    parameters: Parameters = field()
    kind = "polynomial"
    rowwise = True

    @classmethod
    def takes(cls, given):
        return isinstance(given, Degree)

    @classmethod
    def read(cls, given, table, options, loss):
        response = options["response"]
        known_column(response, table, "response")
        parameters = Parameters({f"c{power}": None for power in range(given.degree + 1)})
        return cls(loss, response, (given.column,), (response,), parameters), dict(options["start"] or {})

    def predict(self, theta, columns):
        return np.polynomial.polynomial.polyval(columns[self.inputs[0]], theta)


@pytest.fixture
def polynomial():
    register(PolynomialModel)
    yield Degree(2, "x")
    REGISTERED.remove(PolynomialModel)


def test_the_kind_is_known_by_what_the_user_gave(polynomial):
    assert kind_of(polynomial) is PolynomialModel
    with pytest.raises(ConfigError) as refusal:
        kind_of(3)
    assert str(refusal.value) == (
        "A model is a formula, a polynomial, a Python function or a PyTorch module; this is a int."
    )


def test_it_is_fitted_as_its_formula_is(polynomial):
    fit = descend.fit(polynomial, DATA, response="y")
    same = descend.fit("y ~ c0 + c1*x + c2*x^2", DATA)
    assert (fit.outcome, fit.gradient) == ("converged", "numeric")
    assert fit.parameters == pytest.approx(same.parameters, rel=1e-6)
    assert fit.standard_errors == pytest.approx(same.standard_errors, rel=1e-6)
    assert (fit.r_squared, fit.aic) == pytest.approx((same.r_squared, same.aic), rel=1e-6)
    assert fit.predict({"x": [0.5]}) == pytest.approx(same.predict({"x": [0.5]}), rel=1e-6)
    assert fit.intervals(0.9)["c1"] == pytest.approx(same.intervals(0.9)["c1"], rel=1e-5)


def test_it_is_shown(polynomial, tmp_path):
    start = {"c0": 0.0, "c1": 0.0, "c2": 0.0}
    fit = descend.fit(polynomial, DATA, response="y", start=start, optimizer="gd", learning_rate=0.1, epochs=50)
    assert "c1" in repr(fit) and "c1" in fit.summary()["parameters"]
    fit.report(tmp_path / "fit.html")
    fit.plot()
    assert "c1" in (tmp_path / "fit.html").read_text()
    assert fit.diagnosis.cause == "too_few_epochs"


def test_its_gradient_by_hand_is_held_against_differences(polynomial):
    def gradient(x, y, c0, c1, c2):
        residual = c0 + c1 * x + c2 * x**2 - y
        return [np.mean(2 * residual), np.mean(2 * residual * x), np.mean(residual * x**2)]

    fit = descend.fit(polynomial, DATA, response="y", gradient=gradient)
    assert fit.diagnosis.cause == "wrong_gradient"
    with pytest.raises(DescendError, match="The gradient of a polynomial cannot be derived"):
        descend.fit(polynomial, DATA, response="y", gradient="derived")


def test_what_no_file_can_hold_is_refused(polynomial, tmp_path):
    fit = descend.fit(polynomial, DATA, response="y")
    with pytest.raises(ConfigError, match="This model is a polynomial, which only Python can run"):
        fit.export("sql")
    with pytest.raises(ConfigError) as refusal:
        fit.save(tmp_path / "fit.json")
    assert str(refusal.value) == (
        "A polynomial cannot be saved: a model file has no word for it. Write the model as a formula to save it."
    )


def test_what_was_read_of_a_text_is_read_anew_once_a_kind_is_registered():
    from descend.options.arguments import _read_of_formula

    descend.fit("y ~ c0 + c1*x", DATA, l2=0.1)
    assert _read_of_formula.cache_info().currsize
    register(PolynomialModel)
    REGISTERED.remove(PolynomialModel)
    assert not _read_of_formula.cache_info().currsize
