"""Correlated values of the uncertainties package: errors and correlations are those of the fit."""

import sys

import numpy as np
import pytest
import uncertainties

import descend
from descend.errors import ConfigError

T = np.linspace(0.0, 5.0, 30)
DATA = {"t": T, "y": 3.0 * np.exp(-0.7 * T) + 0.5 + 0.05 * np.sin(40.0 * T)}


@pytest.fixture(scope="module")
def fit():
    return descend.fit("y ~ a*exp(-b*t) + c", DATA, quantities=["half_life = log(2)/b", "area = area(t, 0, 4)"])


def test_they_have_the_covariance_of_the_fit(fit, tmp_path):
    fit.save(tmp_path / "fit.json")
    for held in (fit, descend.load(tmp_path / "fit.json")):
        made = held.ufloats
        values = [made[name] for name in "abc"]
        assert [value.n for value in values] == pytest.approx(fit.theta)
        np.testing.assert_allclose(uncertainties.covariance_matrix(values), fit.covariance, rtol=1e-9)
        assert held.ufloats["a"] is made["a"]  # one variable, however often it is asked for


def test_what_follows_from_them_has_the_error_by_the_delta_method(fit):
    made = fit.ufloats
    assert (np.log(2.0) / made["b"]).s == pytest.approx(fit.quantities["half_life"].standard_error, rel=1e-9)
    assert made["area"].s == pytest.approx(fit.quantities["area"].standard_error, rel=1e-9)
    assert (made["half_life"] * made["b"]).s == pytest.approx(0.0, abs=1e-12)
    known = fit.quantity("a*log(2)/b + c")
    combined = made["a"] * made["half_life"] + made["c"]
    assert (combined.n, combined.s) == pytest.approx((known.value, known.standard_error), rel=1e-9)


def test_fixed_and_tied_parameters():
    fit = descend.fit("y ~ a*exp(-b*t) + c", DATA, fix={"c": 0.5}, ties={"a": "4*b"})
    made = fit.ufloats
    assert made["c"].n == 0.5 and made["c"].s == 0.0
    assert made["a"].s == pytest.approx(4.0 * made["b"].s) and (made["a"] - 4.0 * made["b"]).s == pytest.approx(0.0)
    assert made["a"].s == pytest.approx(fit.standard_errors["a"])


def test_vectors_and_groups():
    x = np.tile(np.linspace(0.5, 20.0, 12), 2)
    site = np.repeat(["A", "B"], 12)
    y = np.repeat([2.0, 3.0], 12) * x / (3.0 + x) + 0.05 * np.cos(37.0 * x)
    fit = descend.fit("y ~ v[site]*x/(k + x)", {"x": x, "y": y, "site": site})
    made = fit.ufloats
    ratio = made["v"]["A"] / made["v"]["B"]
    assert ratio.s == pytest.approx(fit.quantity("v[A]/v[B]").standard_error, rel=1e-9)
    line = descend.fit("y ~ w @ [1, x]", {"x": x, "y": y})
    assert [each.s for each in line.ufloats["w"]] == pytest.approx(line.standard_errors["w"].tolist())


def test_what_the_data_do_not_determine_has_no_error():
    fit = descend.fit("y ~ a*b*exp(-c*t)", DATA, start={"a": 1.0, "b": 3.0, "c": 0.5})
    made = fit.ufloats
    assert np.isnan(made["a"].s) and np.isnan(made["b"].s) and made["c"].s == pytest.approx(fit.standard_errors["c"])


def test_without_the_package_the_message_says_so(monkeypatch):
    fit = descend.fit("y ~ a + b*t", DATA)
    monkeypatch.setitem(sys.modules, "uncertainties", None)
    with pytest.raises(ConfigError) as error:
        _ = fit.ufloats
    assert str(error.value) == (
        "Correlated values need the package uncertainties, which is not installed: pip install "
        '"descend[uncertainties]".'
    )


def test_without_a_covariance_the_message_says_why():
    fit = descend.fit("y ~ a + b*t", DATA, l1=0.1)
    with pytest.raises(ConfigError) as error:
        _ = fit.ufloats
    assert str(error.value) == fit.estimates().why_none
