"""What is determined keeps its standard error beside what is not."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend import ConfigError

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


def test_no_band_where_parameters_are_undetermined():
    fit = descend.fit("y ~ a*exp(b + c*x)", DATA)
    with pytest.raises(ConfigError) as error:
        fit.predict({"x": [1.0]}, interval="confidence")
    assert str(error.value) == (
        "There is no confidence interval: the data do not determine `a` and `b` by themselves, so they do not say how "
        "certain a prediction is. Remove one of them from the formula, or fix it."
    )
