"""What is determined keeps its standard error beside what is not."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import descend
from descend import ConfigError, DataError

X = np.linspace(0.0, 3.0, 30)
RANDOM = np.random.default_rng(0)
DATA = {
    "x": X, "y": 2 * np.exp(-0.8 * X) + 0.05 * RANDOM.normal(size=30), "z": RANDOM.normal(size=30),
}  # fmt: skip


@pytest.mark.parametrize("errors", ["model", "sandwich"])
def test_the_rate_of_a_redundant_decay(errors, tmp_path):
    fit, plain = (descend.fit(f, DATA, errors=errors) for f in ("y ~ a*exp(b + c*x)", "y ~ a*exp(c*x)"))
    assert fit.undetermined == ("a", "b")
    assert fit.standard_errors == pytest.approx(
        {"a": np.nan, "b": np.nan, "c": plain.standard_errors["c"]}, rel=1e-6, nan_ok=True
    )
    assert (fit.degrees_of_freedom, fit.aic) == (28, pytest.approx(plain.aic))
    fit.save(tmp_path / "fit.json")
    loaded = descend.load(tmp_path / "fit.json")
    assert loaded.undetermined == fit.undetermined
    assert loaded.standard_errors == pytest.approx(fit.standard_errors, nan_ok=True)
    assert loaded.intervals() == fit.intervals()


@pytest.mark.parametrize("method", ["t", "profile", "sandwich", "bootstrap"])
def test_intervals_of_what_is_determined(method):
    fit, plain = (descend.fit(f, DATA) for f in ("y ~ a*exp(b + c*x)", "y ~ a*exp(c*x)"))
    found, expected = (each.intervals(method=method, resamples=200) for each in (fit, plain))
    width = expected["c"][1] - expected["c"][0]
    assert found["c"] == pytest.approx(expected["c"], abs=0.05 * width if method == "bootstrap" else 1e-4 * width)
    assert found["a"] == found["b"] == (-np.inf, np.inf)
    assert found.notes == ("the intervals of `a` and `b` are open: the data do not determine them by themselves",)


def test_a_tie_to_what_is_undetermined_is_undetermined():
    ties = {"d": "0.1*c", "f": "2 + b"}
    fit = descend.fit("y ~ a*f*exp(b + c*x) + d*z", DATA, ties=ties, start={"a": 1.0, "b": 0.0, "c": -1.0})
    assert fit.undetermined == ("a", "b")
    assert np.isnan(fit.standard_errors["f"])
    assert fit.standard_errors["d"] == pytest.approx(0.1 * fit.standard_errors["c"])


NEW = {"x": [1.0, 9.0], "z": [2.0, 18.0]}


def noisy():
    x = np.linspace(0.0, 10.0, 40)
    return {"x": x, "z": 2.0 * x, "y": 3.0 * x + 1.0 + np.random.default_rng(0).normal(0.0, 0.2, x.size)}


@pytest.mark.parametrize("interval", ["confidence", "prediction"])
@pytest.mark.parametrize("errors", ["model", "HC3"])
@pytest.mark.parametrize("redundant", ["y ~ a*b*x + c", "y ~ a*x + b*z + c"])
def test_predictions_that_the_data_determine_have_the_bands_of_the_plain_formula(redundant, errors, interval):
    with_redundant = descend.fit(redundant, noisy(), errors=errors)
    plain = descend.fit("y ~ m*x + c", noisy(), errors=errors)
    assert math.isnan(with_redundant.standard_errors["a"])
    found, expected = (fit.predict(NEW, interval=interval) for fit in (with_redundant, plain))
    np.testing.assert_allclose(found.low, expected.low, rtol=1e-8)
    np.testing.assert_allclose(found.high, expected.high, rtol=1e-8)


def test_where_nothing_is_determined_by_itself_a_prediction_may_be_all_the_same():
    found = descend.fit("y ~ a*b*x", noisy()).predict(NEW, interval="confidence")
    expected = descend.fit("y ~ m*x", noisy()).predict(NEW, interval="confidence")
    np.testing.assert_allclose(found.high - found.low, expected.high - expected.low, rtol=1e-8)


@pytest.mark.parametrize(
    ("z", "where"), [([2.0, 17.0], " in row 2 (x = 9, z = 17)"), ([1.0, 1.0], "")], ids=["one row", "all rows"]
)
def test_a_prediction_along_what_is_open_has_no_band(z, where):
    fit = descend.fit("y ~ a*x + b*z + c", noisy())
    with pytest.raises(ConfigError) as refusal:
        fit.predict({**NEW, "z": z}, interval="confidence")
    assert str(refusal.value) == (
        f"There is no confidence interval{where}: the data do not determine `a` and `b` by themselves, so they do not "
        "say how certain a prediction is. Remove one of them from the formula, or fix it."
    )


def test_an_inverse_prediction_has_its_interval_where_the_curve_is_determined():
    found, expected = (descend.fit(each, noisy()).invert(10.0) for each in ("y ~ a*b*x + c", "y ~ m*x + c"))
    assert found.value == pytest.approx(expected.value, rel=1e-9)
    assert found.interval == pytest.approx(expected.interval, rel=1e-8)
    with pytest.raises(ConfigError) as refusal:
        descend.fit("y ~ a*x + b*z + c", noisy()).invert(10.0, input="x", at={"z": 3.0})
    assert str(refusal.value) == (
        "There is no interval of `x`: the data do not determine `a` and `b` by themselves. Remove one of them from the "
        "formula, or fix it."
    )


def test_a_file_knows_what_redundant_parameters_determine_together(tmp_path):
    fit = descend.fit("y ~ a*b*x + c", noisy())
    fit.save(tmp_path / "fit.json")
    loaded = descend.load(tmp_path / "fit.json")
    for interval in ("confidence", "prediction"):
        found, expected = (each.predict(NEW, interval=interval) for each in (loaded, fit))
        np.testing.assert_array_equal([found.low, found.high], [expected.low, expected.high])
    assert str(loaded.quantity("a*b")) == str(fit.quantity("a*b"))
    content = json.loads((tmp_path / "fit.json").read_text())
    (tmp_path / "older.json").write_text(json.dumps({k: v for k, v in content.items() if k != "combinations"}))
    with pytest.raises(ConfigError) as refusal:
        descend.load(tmp_path / "older.json").predict(NEW, interval="confidence")
    assert str(refusal.value) == (
        "There is no confidence interval: the data do not determine `a` and `b` by themselves, so they do not say how "
        "certain a prediction is. Remove one of them from the formula, or fix it."
    )
    content["combinations"]["covariance"] = [[1.0]]
    (tmp_path / "damaged.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match="3 numbers a row belong there"):
        descend.load(tmp_path / "damaged.json")


def test_a_picture_has_the_band_of_redundant_parameters():
    axes = descend.fit("y ~ a*b*x + c", noisy()).plot(bands="confidence").axes[0]
    assert "95% confidence" in [text.get_text() for text in axes.get_legend().get_texts()]


def test_where_a_redundant_term_vanishes_there_is_a_band_too():
    found, expected = (
        descend.fit(each, noisy()).predict({"x": [0.0]}, interval="confidence")
        for each in ("y ~ a*b*x + c", "y ~ m*x + c")
    )
    np.testing.assert_allclose(found.high, expected.high, rtol=1e-8)
