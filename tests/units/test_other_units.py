"""Predictions and inversions of values in other units than those of the fit; many fits; fits that were loaded."""

import json

import numpy as np
import pytest

import descend
from descend.errors import ConfigError, DataError
from descend.many.text import render

T = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
V = np.array([10.0, 6.2, 3.5, 2.3, 1.4, 0.7])
DATA = {"t": T, "V": V}
DECAY = "V ~ a*exp(-b*t)"
UNITS = {"t": "s", "V": "mV"}


@pytest.fixture(scope="module")
def fit():
    return descend.fit(DECAY, DATA, units=UNITS)


@pytest.fixture(scope="module")
def of_headers():
    return descend.fit("`V (mV)` ~ a*exp(-b*`t (s)`)", {"t (s)": T, "V (mV)": V})


@pytest.fixture
def saved(fit, tmp_path):
    fit.save(tmp_path / "fit.json")
    return str(tmp_path / "fit.json")


def test_predictions_of_values_with_units(fit, saved):
    wanted = fit.predict({"t": [1.5, 3.0]})
    for each in (fit, descend.load(saved)):
        assert each.predict({"t": ["1500 ms", "0.05 min"]}) == pytest.approx(wanted, rel=1e-12)
    pint = pytest.importorskip("pint").UnitRegistry()
    assert fit.predict({"t": pint.Quantity(np.array([1500.0, 3000.0]), "ms")}) == pytest.approx(wanted, rel=1e-12)


def test_predictions_of_a_file_in_other_units(of_headers, fit, tmp_path, run, saved):
    place = tmp_path / "new.csv"
    place.write_text("t (min)\n0.025\n0.05\n")
    wanted = fit.predict({"t": [1.5, 3.0]})
    assert of_headers.predict(place) == pytest.approx(wanted, rel=1e-12)
    assert fit.predict(place) == pytest.approx(wanted, rel=1e-12)
    place.write_text("t\nmin\n0.025\n0.05\n")
    assert fit.predict(place) == pytest.approx(wanted, rel=1e-12)
    ran = run("predict", saved, place, "--json")
    assert json.loads(ran.stdout)["prediction"] == pytest.approx(wanted, rel=1e-12)
    assert "Note: `t` is converted from min to s." in ran.stderr
    band = fit.predict(place, interval="confidence")
    assert band.prediction == pytest.approx(wanted, rel=1e-12)


def test_predictions_of_columns_with_the_same_header_are_as_they_are(of_headers):
    assert of_headers.predict({"t (s)": [1.5]}) == pytest.approx(
        [of_headers.parameters["a"] * np.exp(-1.5 * of_headers.parameters["b"])]
    )


def test_a_unit_of_another_kind_is_refused(fit, tmp_path):
    with pytest.raises(ConfigError) as caught:
        fit.predict({"t": ["3 mV"]})
    assert str(caught.value) == "`t` is in s in the fit, and was given in mV. Give it in a unit of that kind."
    place = tmp_path / "new.csv"
    place.write_text("t (m)\n1\n2\n")
    with pytest.raises(DataError) as refused:
        fit.predict(place)
    assert (
        str(refused.value) == f"`t (m)` of {place} is in m, and the fit has `t` in s. Give it in a unit of that kind."
    )


def test_a_fit_without_units_refuses_values_that_have_one():
    with pytest.raises(ConfigError) as caught:
        descend.fit(DECAY, DATA).predict({"t": ["3 s"]})
    assert str(caught.value) == "`t` is given in s, and the fit knows no unit of it. Give it without one."


def test_at_on_the_command_line(saved, run):
    assert float(run("predict", saved, "--at", "t=0.025min").stdout.split(",")[-1]) == pytest.approx(4.717, rel=1e-3)


def test_inversion_of_a_response_with_a_unit(fit, saved, run):
    plain = fit.invert(5.0)
    assert fit.invert("0.005 V").value == pytest.approx(plain.value, rel=1e-12)
    assert fit.invert(["0.005 V", "4 mV"]).value == pytest.approx(fit.invert([5.0, 4.0]).value, rel=1e-12)
    ran = run("invert", saved, "--response", "0.005 V")
    assert ran.stdout.startswith("5 mV:  t = 1.38") and " s,  95% inversion interval" in ran.stdout


def test_temperatures_are_converted_with_their_zero():
    T = np.array([10.0, 20.0, 30.0, 40.0])
    fit = descend.fit("R ~ a + b*T", {"T": T, "R": 100.0 + 0.4 * T}, units={"T": "degC", "R": "ohm"})
    assert fit.units["b"] == "ohm/°C"
    assert fit.predict({"T": ["300.15 K"]}) == pytest.approx([110.8])
    with pytest.raises(ConfigError) as caught:
        descend.fit("R ~ a*(T - c)", {"T": T, "R": 100.0 + 0.4 * T}, units={"T": "degC"}, start={"c": "300 K"})
    assert str(caught.value) == (
        "`start` gives `c` 300 K, and by the formula it is in °C: whether that is a temperature or a difference of "
        "two, nothing says. Give it in °C."
    )


@pytest.mark.parametrize("kind", ["json", "parquet"])
def test_many_fits_have_units(tmp_path, kind):
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    data = {"t": np.r_[T, T], "V": np.r_[V, 2 * V], "site": ["A"] * 6 + ["B"] * 6}
    fits = descend.fit(DECAY, data, by="site", units=UNITS, start={"b": "30/min"})
    assert fits.units == fits["A"].units == {"a": "mV", "b": "1/s", "V": "mV", "t": "s"}
    assert "a (mV)" in render(fits) and "b (1/s)" in render(fits)
    wanted = fits.predict({"t": [1.5, 3.0], "site": ["A", "B"]})
    assert fits.predict({"t": ["1500 ms", "0.05 min"], "site": ["A", "B"]}) == pytest.approx(wanted, rel=1e-12)
    fits.save(tmp_path / f"fits.{kind}")
    loaded = descend.load(tmp_path / f"fits.{kind}")
    assert loaded.units == loaded["B"].units == fits.units
    with pytest.raises(descend.errors.FormulaError, match="This takes exp of s, which is no pure number"):
        descend.fit("V ~ a*exp(-t) + c", data, by="site", units=UNITS)


def test_many_files_have_units(tmp_path, run):
    for name, scale in {"one": 1.0, "two": 2.0}.items():
        rows = "".join(f"{t},{scale * v}\n" for t, v in zip(T, V, strict=True))
        (tmp_path / f"{name}.csv").write_text(f"t (s),V (mV)\n{rows}")
    formula = "`V (mV)` ~ a*exp(-b*`t (s)`)"
    files = [str(tmp_path / f"{name}.csv") for name in ("one", "two")]
    fits = descend.fit(formula, files, by="filename", start={"b": "30/min"})
    assert fits.units == {"a": "mV", "b": "1/s", "V (mV)": "mV", "t (s)": "s"}
    ran = run("fit", formula, *files, "--by", "filename", "--json")
    assert [json.loads(line)["units"]["b"] for line in ran.stdout.splitlines()] == ["1/s", "1/s"]


def test_cross_validation_of_quantities_keeps_their_units():
    of = pytest.importorskip("pint").UnitRegistry()
    data = {"t": of.Quantity(np.tile(T, 2), "s"), "V": of.Quantity(np.r_[V, V + 0.1], "mV")}
    options = {"start": {"a": "0.01 V", "b": "30/min"}}
    found = descend.compare([DECAY, "V ~ a/(1 + b*t)"], data, folds=3, **options)
    plain = descend.compare(
        [DECAY, "V ~ a/(1 + b*t)"], {"t": np.tile(T, 2), "V": np.r_[V, V + 0.1]}, folds=3, start={"a": 10.0, "b": 0.5}
    )
    assert found.plain()["models"][0]["parameters"] == pytest.approx(plain.plain()["models"][0]["parameters"])
