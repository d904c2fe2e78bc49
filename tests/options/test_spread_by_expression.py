"""Weights and standard deviations as expressions of columns."""

import numpy as np
import pytest

import descend
from descend.errors import FormulaError

X = np.linspace(1.0, 5.0, 30)
DATA = {"x": X, "y": 3.0 * np.exp(-0.5 * X) * (1.0 + 0.05 * np.random.default_rng(0).normal(size=30))}


@pytest.mark.parametrize(
    "role, text, values", [("weights", "1/y^2", DATA["y"] ** -2.0), ("sigma", "0.05*y", 0.05 * DATA["y"])]
)
def test_they_are_what_a_column_of_the_same_values_is(role, text, values, tmp_path):
    known = descend.fit("y ~ a*exp(-b*x)", {**DATA, "given": values}, **{role: "given"})
    path = tmp_path / "rows.csv"
    path.write_text(
        "x,y\n" + "\n".join(f"{x!r},{y!r}" for x, y in zip(*map(np.ndarray.tolist, DATA.values()), strict=True))
    )
    for data in (DATA, path):
        found = descend.fit("y ~ a*exp(-b*x)", data, **{role: text})
        assert found.parameters == pytest.approx(known.parameters, rel=1e-10)
        assert found.standard_errors == pytest.approx(known.standard_errors, rel=1e-8)
        assert getattr(found, role) == text


def test_an_unknown_column_is_pointed_at():
    with pytest.raises(FormulaError) as error:
        descend.fit("y ~ a*exp(-b*x)", DATA, sigma="0.05*z")
    assert str(error.value) == (
        "`z` is not a column.\n    0.05*z\n         ^\n`sigma` is a column, or computed from "
        "columns and `prediction`, not from parameters."
    )


CURVE = "y ~ a*exp(-b*x)"
NEW = {"x": np.array([0.5, 2.0, 6.0])}


def test_a_number_holds_for_new_rows_too(tmp_path):
    known = descend.fit(CURVE, {**DATA, "given": np.full(30, 0.2)}, sigma="given")
    expected = known.predict({**NEW, "given": np.full(3, 0.2)}, interval="prediction")
    found = descend.fit(CURVE, DATA, sigma=0.2)
    found.save(tmp_path / "fit.json")
    for fit in (found, descend.load(tmp_path / "fit.json"), descend.fit(CURVE, DATA, sigma="0.2")):
        band = fit.predict(NEW, interval="prediction")
        assert band.low == pytest.approx(expected.low) and band.high == pytest.approx(expected.high)
        assert fit.invert(1.0).interval == pytest.approx(known.invert(1.0, sigma=0.2).interval)
        assert fit.design({"x": (0, 5)}, "b").error_then == pytest.approx(
            known.design({"x": (0, 5)}, "b", sigma=0.2).error_then
        )


@pytest.mark.parametrize("role, text", [("sigma", "0.02 + 0.05*x"), ("weights", "1/(1 + x)")])
def test_an_expression_is_evaluated_in_new_rows(role, text, tmp_path):
    values, new = ((lambda x: 0.02 + 0.05 * x) if role == "sigma" else (lambda x: 1 / (1 + x))), NEW["x"]
    known = descend.fit(CURVE, {**DATA, "given": values(X)}, **{role: "given"})
    expected = known.predict({**NEW, "given": values(new)}, interval="prediction")
    found = descend.fit(CURVE, DATA, **{role: text})
    found.save(tmp_path / "fit.json")
    for fit in (found, descend.load(tmp_path / "fit.json")):
        band = fit.predict(NEW, interval="prediction")
        assert band.low == pytest.approx(expected.low) and band.high == pytest.approx(expected.high)
        inverse = fit.invert(1.0)
        spread = (
            0.02 + 0.05 * inverse.x if role == "sigma" else fit.residual_standard_deviation * (1 + inverse.x) ** 0.5
        )
        assert inverse.standard_error == pytest.approx(
            descend.fit(CURVE, {**DATA, "given": values(X)}, **{role: "given"}).invert(1.0, sigma=spread).standard_error
        )


def test_the_prediction_stands_for_the_response_of_a_row_not_measured_yet():
    fit = descend.fit(CURVE, DATA, sigma="0.05*y")
    band, mean = fit.predict(NEW, interval="prediction"), fit.predict(NEW, interval="confidence")
    of_one = ((band.high - band.prediction) ** 2 - (mean.high - mean.prediction) ** 2) ** 0.5 / 1.959963984540054
    assert of_one == pytest.approx(0.05 * band.prediction)
    measured = fit.predict({**NEW, "y": [1.0, np.nan, 2.0]}, interval="prediction")
    again = ((measured.high - band.prediction) ** 2 - (mean.high - mean.prediction) ** 2) ** 0.5 / 1.959963984540054
    assert again == pytest.approx([0.05, 0.05 * band.prediction[1], 0.1])
    assert fit.invert(1.0).standard_error == pytest.approx(fit.invert(1.0, sigma=0.05).standard_error)
