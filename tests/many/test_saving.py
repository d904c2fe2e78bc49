"""Many fits in a file: all groups come back, failed ones too; what is no such file, or a damaged one, is told."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from tests.many.hard import FORMULA, START, wells

import descend
from descend.errors import ConfigError, DataError
from descend.many import Fits, saving


def fits_of(**options):
    return descend.fit(FORMULA, wells(), by="well", start=START, **options)


@pytest.mark.parametrize("ending", ["json", "parquet"])
@pytest.mark.parametrize("few", [300, 3], ids=["whole", "light"])
def test_what_is_saved_comes_back(tmp_path, ending, few, monkeypatch):
    monkeypatch.setattr(saving, "FEW", few)
    fits = fits_of()
    fits.save(tmp_path / f"fits.{ending}")
    loaded = descend.load(tmp_path / f"fits.{ending}")
    assert isinstance(loaded, Fits)
    assert (loaded.keys, loaded.by, loaded.outcome, loaded.failed) == (fits.keys, fits.by, fits.outcome, fits.failed)
    for name in "abc":
        np.testing.assert_array_equal(loaded.parameters[name], fits.parameters[name])
        np.testing.assert_array_equal(loaded.standard_errors[name], fits.standard_errors[name])
    for one, other in ((loaded.loss, fits.loss), (loaded.r_squared, fits.r_squared), (loaded.rows, fits.rows)):
        np.testing.assert_array_equal(one, other)
    assert loaded[0].parameters == pytest.approx(fits[0].parameters, rel=1e-6)
    assert loaded[0].standard_errors == pytest.approx(fits[0].standard_errors, rel=1e-5)
    for name in ("covariance", "degrees_of_freedom", "dispersion", "residual_standard_deviation"):
        np.testing.assert_allclose(getattr(loaded[0], name), getattr(fits[0], name), rtol=1e-5)
    assert loaded[0].outcome == "converged" and loaded[0].r_squared == pytest.approx(fits[0].r_squared)
    with pytest.raises(DataError, match="The group 5 was not fitted: 3 parameters"):
        loaded[5]
    new = {"x": [0.5, 1.0], "well": [3, 0]}
    np.testing.assert_array_equal(loaded.predict(new), fits.predict(new))
    loaded.save(tmp_path / "again.json")
    assert descend.load(tmp_path / "again.json").failed == fits.failed


OPTIONS = {
    "plain": {},
    "weights": {"weights": "w"},
    "sigma": {"sigma": "w"},
    "robust": {"loss": "huber"},
    "at a bound": {"bounds": "c <= 0.5"},
    "counts": {"loss": "poisson", "bounds": ["a >= 0", "c >= 0.01"]},
    "linear": {"formula": "y ~ a + b*x"},
    "one": {"formula": "y ~ a*x"},
    "gamma": {"loss": "gamma"},
    "gamma of one weight": {"loss": "gamma", "weights": "w"},
    "a fixed component": {"formula": "y ~ a + b @ [x, x*x]", "fix": {"b[x]": -1.0}},
}


@pytest.mark.parametrize("given", OPTIONS.values(), ids=OPTIONS)
def test_loaded_fits_answer_what_fresh_ones_do(tmp_path, given, monkeypatch):
    random, groups, x = np.random.default_rng(2), 6, np.tile(np.linspace(0.0, 3.0, 12), 6)
    well = np.repeat(np.arange(groups), 12)
    mean = (2.0 + 0.1 * well) * np.exp(-x) + 0.5
    y = random.poisson(40 * mean) if given.get("loss") == "poisson" else mean + random.normal(0.0, 0.05, len(x))
    data = {"x": x, "y": y.astype(float), "well": well, "w": random.uniform(0.5, 2.0, len(x))}
    options = {"formula": FORMULA, **given}
    fits = descend.fit(options.pop("formula"), data, by="well", **options)
    new = {"x": np.linspace(0.0, 4.0, groups), "well": np.arange(groups)}
    fresh = fits.predict(new, interval="confidence")
    monkeypatch.setattr(saving, "FEW", 3)
    fits.save(tmp_path / "0.json")
    fits.save(tmp_path / "1.parquet")
    descend.load(tmp_path / "1.parquet").save(tmp_path / "2.json")
    descend.load(tmp_path / "0.json").save(tmp_path / "3.parquet")
    for path in sorted(tmp_path.iterdir()):
        loaded = descend.load(path)
        found = loaded.predict(new, interval="confidence")
        np.testing.assert_allclose([found.low, found.high], [fresh.low, fresh.high], rtol=1e-6)
        for key in range(groups):
            one, other = loaded[key], fits[key]
            assert one.degrees_of_freedom == other.degrees_of_freedom
            np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-6, atol=1e-12)
            for name in ("dispersion", "residual_standard_deviation", "log_likelihood", "aic", "aicc", "bic"):
                mine, theirs = getattr(one, name), getattr(other, name)
                assert (mine is None and theirs is None) or mine == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize("given", [{"engine": "query"}, {"engine": "query", "weights": "w"}, {"memory_limit": "1GB"}])
def test_groups_whose_rows_are_elsewhere_answer_from_their_file(tmp_path, given, monkeypatch):
    monkeypatch.setattr(saving, "FEW", 3)
    monkeypatch.setattr("descend.many.where_rows_lie._stays", lambda *_: (True, ""))
    data = wells()
    data["w"] = np.linspace(0.5, 2.0, len(data["x"]))
    fits = descend.fit(FORMULA, data, by="well", start=START, **given)
    fits.save(tmp_path / "fits.parquet")
    loaded = descend.load(tmp_path / "fits.parquet")
    for group in (0, 3):
        one, other = loaded[group], fits[group]
        assert one.degrees_of_freedom == other.degrees_of_freedom
        np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-4)
        assert (one.log_likelihood, one.aic, one.aicc, one.bic) == pytest.approx(
            (other.log_likelihood, other.aic, other.aicc, other.bic), rel=1e-6
        )


def test_a_covariance_of_many_parameters_is_kept_where_there_is_room(tmp_path, monkeypatch):
    monkeypatch.setattr(saving, "FEW", 1)
    random = np.random.default_rng(0)
    data = {f"x{number:02}": random.normal(size=120) for number in range(27)}
    data |= {"y": random.normal(size=120), "plate": np.repeat([0, 1], 60)}
    fits = descend.fit("y ~ w @ [x*]", data, by="plate")
    fits.save(tmp_path / "fits.json")
    np.testing.assert_allclose(descend.load(tmp_path / "fits.json")[1].covariance, fits[1].covariance, rtol=1e-6)
    monkeypatch.setattr("descend.many.correlations.ROOM", 1)
    fits.save(tmp_path / "fits.parquet")
    with pytest.raises(ConfigError, match="There is no covariance in the file, as it holds very many fits"):
        descend.load(tmp_path / "fits.parquet").predict(data, interval="confidence")


def test_parameters_and_quantities_may_be_called_as_what_is_told_of_each_fit(tmp_path, monkeypatch):
    monkeypatch.setattr(saving, "FEW", 1)
    x = np.tile(np.arange(6.0), 2)
    data = {"x": x, "y": 3.0 + 2.0 * x + np.cos(7.0 * x), "plate": np.repeat([0, 1], 6)}
    fits = descend.fit("y ~ dispersion + aic*x", data, by="plate", quantities=["loss = 2*aic"])
    fits.save(tmp_path / "fits.parquet")
    loaded = descend.load(tmp_path / "fits.parquet")
    assert loaded[0].parameters == pytest.approx(fits[0].parameters)
    assert (loaded[0].loss, loaded[0].aic) == pytest.approx((fits[0].loss, fits[0].aic))
    assert loaded.quantities["loss"].value == pytest.approx(fits.quantities["loss"].value)


def test_functions_keys_of_text_and_held_parameters_are_kept(tmp_path):
    def decay(x, a, b, c):
        return a * np.exp(-b * x) + c if x.min() > -1.0 else x

    data = wells()
    data["plate"], data["well"] = np.array(["A", "B"])[data["well"] // 6], data["well"] % 6
    options = {"fix": {"c": 0.5}, "ties": ["a = 3*b"], "missing": "drop", "start": {"b": 1.0}}
    fits = descend.fit(decay, data, by=["plate", "well"], response="y", **options)
    assert set(fits.parameters["c"]) == {0.5} and np.isnan(fits.standard_errors["c"]).all()
    np.testing.assert_allclose(fits.parameters["a"], 3 * fits.parameters["b"])
    np.testing.assert_allclose(fits.standard_errors["a"], 3 * fits.standard_errors["b"])
    assert fits["A", 0].standard_errors["a"] == pytest.approx(fits.standard_errors["a"][0], rel=1e-5)
    fits.save(tmp_path / "fits.json")
    with pytest.raises(DataError, match="was fitted with the Python function `decay`"):
        descend.load(tmp_path / "fits.json")
    loaded = descend.load(tmp_path / "fits.json", decay)
    assert loaded.keys == fits.keys and loaded["B", 3].parameters == pytest.approx(fits["B", 3].parameters)


def test_rows_without_a_group_or_an_input_are_refused_or_left_out():
    fits = fits_of()
    new = {"x": [1.0, np.nan, 1.0], "well": [0.0, 1.0, np.nan]}
    with pytest.raises(DataError, match="In the data, `x` has a missing value in row 2"):
        fits.predict(new)
    with pytest.raises(DataError) as refused:
        fits.predict({"x": [1.0, 1.0], "well": [0.0, np.nan]})
    assert str(refused.value) == (
        "1 row lacks a value of `well`, so it belongs to no group. Correct that, or leave such rows out with "
        'missing="drop".'
    )
    assert fits.predict(new, missing="drop") == pytest.approx(fits[0].predict({"x": [1.0]}))


def test_a_damaged_file_is_told(tmp_path):
    path, fits = tmp_path / "fits.json", fits_of()
    fits.save(path)
    content = json.loads(path.read_text())

    def broken(change):
        copy = json.loads(json.dumps(content))
        change(copy)
        path.write_text(json.dumps(copy))
        with pytest.raises(DataError) as refused:
            descend.load(path)
        return str(refused.value).removeprefix(f"The model file `{path}` is damaged at ")

    assert broken(lambda copy: copy["groups"][1].pop("group")) == (
        "`groups[1].group`: 1 values belong there. Fit and save it again."
    )
    assert broken(lambda copy: copy["groups"][0]["parameters"].pop("b")) == (
        "`groups[0].parameters.b`: it is missing. Fit and save it again."
    )
    assert broken(lambda copy: copy.pop("shapes")) == "`shapes`: it is missing. Fit and save it again."
    assert broken(lambda copy: copy["groups"][0].update(outcome="fine")) == (
        "`groups[0].outcome`: how a group ends belongs there. Fit and save it again."
    )
    assert "in a format this version cannot read" in broken(lambda copy: copy.update(format=2))


def test_other_tables_are_no_files_of_fits(tmp_path):
    from descend.table.writing import write_columns

    write_columns(tmp_path / "t.parquet", {"x": [1.0]})
    with pytest.raises(DataError, match=r"is a table without a model\. Give a file that `fit.save` wrote"):
        descend.load(tmp_path / "t.parquet")
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "t.parquet").read_bytes()[:50])
    with pytest.raises(DataError, match=r"cut\.parquet` cannot be read"):
        descend.load(tmp_path / "cut.parquet")
    fits = fits_of()
    fits.save(tmp_path / "t.csv")
    with pytest.raises(DataError, match="is not a model file"):
        descend.load(tmp_path / "t.csv")
    fits.save(tmp_path / "fits.json")
    with pytest.raises(ConfigError, match=r"loaded from a file, without their rows, so there is nothing to draw\."):
        descend.load(tmp_path / "fits.json").plot()


def test_fits_can_be_pickled():
    fits = fits_of()
    copied = pickle.loads(pickle.dumps(fits))
    np.testing.assert_array_equal(copied.parameters["b"], fits.parameters["b"])
    key = next(key for key, outcome in zip(fits.keys, fits.outcome, strict=True) if outcome == "converged")
    assert copied[key].standard_errors == fits[key].standard_errors


def test_groups_that_were_not_fitted_cost_their_own_rows_only(tmp_path):
    fits, new = fits_of(), {"x": [0.5, 1.0, 0.7], "well": [3, 5, 0]}
    fits.save(tmp_path / "fits.json")
    for each in (fits, descend.load(tmp_path / "fits.json")):
        predicted = each.predict(new)
        assert np.isnan(predicted).tolist() == [False, True, False]
        assert predicted[0] == pytest.approx(fits[3].predict({"x": [0.5]})[0], rel=1e-9)
        assert np.isnan(each.predict(new, interval="prediction").low).tolist() == [False, True, False]
        with pytest.raises(DataError, match="The group 5 was not fitted: 3 parameters"):
            each.predict({"x": [0.5], "well": [5]})
