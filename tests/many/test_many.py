"""One fit for each group: R's own answers, hard groups, and the same as fits one by one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import descend
from descend.errors import ConfigError, DataError
from descend.many.groups import Groups
from descend.table import open_table

HERE = Path(__file__).parent
ANSWERS = json.loads((HERE / "answers.json").read_text())
LIKE_TERMS = {"Indometh": {"A1": "A2", "A2": "A1", "lrc1": "lrc2", "lrc2": "lrc1"}}
"""Parameters of terms of a sum that may come out in either order."""


def decays(groups=40, rows=20, seed=0):
    """Decays with noise, one for each group."""
    rng = np.random.default_rng(seed)
    truth = {"a": rng.uniform(1, 4, groups), "b": rng.uniform(0.5, 2, groups), "c": rng.uniform(0, 1, groups)}
    group = np.repeat(np.arange(groups), rows)
    x = np.tile(np.linspace(0.1, 4, rows), groups)
    clean = truth["a"][group] * np.exp(-truth["b"][group] * x) + truth["c"][group]
    return {"x": x, "y": clean + 0.05 * rng.normal(size=x.size), "well": group}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name == "ChickWeight" else []) for name in ANSWERS]
)
def test_each_group_has_the_answer_of_r(name):
    case = ANSWERS[name]
    fits = descend.fit(case["formula"], HERE / "data" / case["data"], by=case["by"])
    assert sorted(str(key[0]) for key in fits) == sorted(case["groups"])
    for place, (label,) in enumerate(fits):
        truth = case["groups"][str(label)]
        if not truth.get("parameters"):
            assert fits.outcome[place] != "converged"
            continue
        assert fits.loss[place] * fits.rows[place] == pytest.approx(truth["rss"], rel=1e-8, abs=1e-18)
        found = {key: fits.parameters[key][place] for key in truth["parameters"]}
        errors = {key: fits.standard_errors[key][place] for key in truth["parameters"]}
        first = next(iter(found))
        if found[first] != pytest.approx(truth["parameters"][first], rel=1e-6):
            swap = LIKE_TERMS[name]
            found, errors = ({swap[key]: value for key, value in each.items()} for each in (found, errors))
        assert found == pytest.approx(truth["parameters"], rel=1e-6)
        if truth.get("standard_errors"):
            assert errors == pytest.approx(truth["standard_errors"], rel=1e-4)


def test_together_is_the_same_as_one_by_one():
    data = decays()
    fits = descend.fit("y ~ a*exp(-b*x) + c", data, by="well", start={"a": 1.0, "b": 1.0, "c": 0.0})
    for (well,) in list(fits)[::7]:
        rows = data["well"] == well
        alone = descend.fit("y ~ a*exp(-b*x) + c", {"x": data["x"][rows], "y": data["y"][rows]})
        place = fits.keys.index((well,))
        for name, value in alone.parameters.items():
            assert fits.parameters[name][place] == pytest.approx(value, rel=1e-7)
            assert fits.standard_errors[name][place] == pytest.approx(alone.standard_errors[name], rel=1e-5)
        assert fits.loss[place] == pytest.approx(alone.loss, rel=1e-12)
        assert fits.r_squared[place] == pytest.approx(alone.r_squared, rel=1e-9)
        assert fits[well].parameters == pytest.approx(alone.parameters, rel=1e-7)


def test_groups_of_unlike_size_and_weights():
    data = decays(groups=30)
    rng = np.random.default_rng(1)
    kept = rng.random(len(data["x"])) < 0.7
    data = {name: column[kept] for name, column in data.items()} | {"s": rng.uniform(0.5, 2, kept.sum())}
    fits = descend.fit("y ~ a*exp(-b*x) + c", data, by="well", sigma="s")
    assert fits.counts == {"converged": 30}
    place = int(np.argmin(fits.rows))
    rows = data["well"] == fits.keys[place][0]
    alone = descend.fit("y ~ a*exp(-b*x) + c", {name: column[rows] for name, column in data.items()}, sigma="s")
    for name, value in alone.parameters.items():
        assert fits.parameters[name][place] == pytest.approx(value, rel=1e-6)
        assert fits.standard_errors[name][place] == pytest.approx(alone.standard_errors[name], rel=1e-5)


@pytest.mark.parametrize("options", [{"weights": "w"}, {"x_sigma": "x=dx"}])
def test_what_rows_count_for_and_errors_of_inputs_are_those_of_a_fit_alone(options):
    data = decays(groups=6)
    rng = np.random.default_rng(2)
    data["w"] = np.where(rng.random(len(data["x"])) < 0.3, 0.0, 1.0)
    data["dx"] = np.full(len(data["x"]), 0.01)
    start = {"a": 1.0, "b": 1.0, "c": 0.0}
    fits = descend.fit("y ~ a*exp(-b*x) + c", data, by="well", start=start, **options)
    assert fits.counts == {"converged": 6}
    for place, (well,) in enumerate(fits.keys):
        rows = {name: column[data["well"] == well] for name, column in data.items()}
        alone = descend.fit("y ~ a*exp(-b*x) + c", rows, start=start, **options)
        for name, error in alone.standard_errors.items():
            assert fits.parameters[name][place] == pytest.approx(alone.parameters[name], rel=1e-6)
            assert fits.standard_errors[name][place] == pytest.approx(error, rel=1e-5)


@pytest.mark.parametrize("options", [{"by": "id"}, {"by": "id", "engine": "query"}, {}])
def test_identifiers_longer_than_a_float_are_not_merged(options, tmp_path):
    path = tmp_path / "ids.csv"
    rows = [f"{2**53 + row % 3},{row},{row * 2.0}\n" for row in range(12)]
    path.write_text("id,x,y\n" + "".join(rows))
    with pytest.raises(DataError) as caught:
        descend.fit("y ~ a*x" if options else "y ~ a[id]*x", path, **options)
    assert str(caught.value) == (
        f"`id` of {path} tells groups apart by numbers with more digits than the 15 to 17 of a float, such as "
        "9007199254740993 in row 2: some would fall together. Make text of the column."
    )


@pytest.mark.parametrize("options", [{}, {"start": {"a": 0.0, "b": 0.0}}, {"engine": "query"}])
def test_the_level_that_counts_as_0_is_chosen_for_every_group(options):
    rng = np.random.default_rng(3)
    x, site = rng.normal(size=200), np.array(list("AB"))[np.arange(200) % 2]
    answer = np.where(rng.random(200) < 1.0 / (1.0 + np.exp(-1.5 * x)), "yes", "no")
    data = {"x": x, "k": answer, "site": site}
    fits = descend.fit("k ~ a + b*x", data, loss="logistic", by="site", reference="k=yes", **options)
    for place, key in enumerate("AB"):
        rows = {name: column[site == key] for name, column in data.items()}
        alone = descend.fit("k ~ a + b*x", rows, loss="logistic", reference="k=yes")
        assert alone.parameters["b"] < -1.0
        assert fits.parameters["b"][place] == pytest.approx(alone.parameters["b"], rel=1e-6)
        assert fits[key].parameters["b"] == pytest.approx(alone.parameters["b"], rel=1e-6)


def test_a_bad_group_costs_itself_only():
    data = decays(groups=12)
    data["y"][data["well"] == 3] = 1.0
    data["y"][45] = np.nan
    keep = (data["well"] != 7) | (np.arange(len(data["x"])) % 20 < 2)
    data = {name: column[keep] for name, column in data.items()}
    fits = descend.fit("y ~ a*exp(-b*x) + c", data, by="well")
    assert fits.outcome[2] == fits.outcome[7] == "refused"
    assert set(fits.failed) == {2, 7}
    assert fits.failed[7].startswith("3 parameters (a, b, c) cannot be determined from 2 rows")
    assert "missing value" in fits.failed[2]
    assert [outcome for place, outcome in enumerate(fits.outcome) if place not in (2, 7)] == ["converged"] * 10
    with pytest.raises(DataError, match=r"The group 7 was not fitted: 3 parameters \(a, b, c\) cannot be determined"):
        fits[7]


def test_keys_of_several_columns_frame_and_prediction(tmp_path):
    data = decays(groups=6)
    data["plate"] = np.array(["A", "B"])[data["well"] // 3]
    data["well"] = data["well"] % 3 + 1
    fits = descend.fit("y ~ a*exp(-b*x) + c", data, by=["plate", "well"])
    assert fits.keys == [("A", 1), ("A", 2), ("A", 3), ("B", 1), ("B", 2), ("B", 3)]
    frame = fits.frame()
    assert list(frame.columns[:5]) == ["plate", "well", "a", "b", "c"]
    assert frame.loc[4, ["plate", "well", "outcome"]].tolist() == ["B", 2, "converged"]
    predicted = fits.predict(data)
    assert np.mean((predicted - data["y"]) ** 2) == pytest.approx(fits.loss.mean(), rel=1e-9)
    with pytest.raises(DataError, match=r"There is no group C, 1 of `plate`, `well`\..* There are 6, such as A, 1, "):
        fits.predict({"x": [1.0], "plate": ["C"], "well": [1]})
    fits.save(tmp_path / "fits.csv")
    assert (tmp_path / "fits.csv").read_text().splitlines()[0].startswith("plate,well,a,b,c,a std. error")


def test_likelihoods_functions_and_vectors_have_groups_too():
    rng = np.random.default_rng(2)
    x, site = np.tile(np.linspace(0, 2, 30), 4), np.repeat(["a", "b", "c", "d"], 30)
    counts = rng.poisson(np.exp(1.0 + 0.5 * x))
    fits = descend.fit("n ~ exp(a + b*x)", {"x": x, "n": counts, "site": site}, loss="poisson", by="site")
    alone = descend.fit("n ~ exp(a + b*x)", {"x": x[:30], "n": counts[:30]}, loss="poisson")
    assert fits.parameters["b"][0] == pytest.approx(alone.parameters["b"], rel=1e-7)
    assert fits.standard_errors["b"][0] == pytest.approx(alone.standard_errors["b"], rel=1e-5)

    def decay(x, a, b):
        return a * np.exp(-b * x) if x.max() > 0 else x

    data = {"x": x, "y": decay(x, 2.0, 1.0) + 0.01 * rng.normal(size=120), "site": site}
    opaque = descend.fit(decay, data, response="y", by="site", start={"a": 1.0, "b": 1.0})
    traced = descend.fit(lambda x, a, b: a * np.exp(-b * x), data, response="y", by="site")
    assert opaque.parameters["b"] == pytest.approx(traced.parameters["b"], rel=1e-5)
    linear = descend.fit("y ~ w @ [x, x^2] + c", data, by="site")
    assert linear.parameters["w"].shape == (4, 2)
    assert linear.parameters["w"][1] == pytest.approx(np.polyfit(x[30:60], data["y"][30:60], 2)[[1, 0]], rel=1e-8)


def test_what_cannot_be_grouped_is_refused():
    data = decays(groups=3)
    with pytest.raises(ConfigError, match="`well` tells the groups apart, so that it is the same in all rows"):
        descend.fit("y ~ a*x + b*well", data, by="well")
    with pytest.raises(DataError, match="There is no column `plate`"):
        descend.fit("y ~ a*x", data, by="plate")
    with pytest.raises(ConfigError, match="keeps the run of one fit"):
        descend.fit("y ~ a*x", data, by="well", checkpoint="run.json")


def test_groups_of_columns_with_many_values_each_keep_their_values():
    rng = np.random.default_rng(0)
    columns = {name: rng.permutation(70_000) for name in "abcd"}
    groups = Groups.of(open_table(columns), list(columns))
    assert list(groups.keys) == sorted(zip(*(column.tolist() for column in columns.values()), strict=True))


def test_a_key_named_as_what_is_told_of_a_fit_stays_in_the_table():
    data = decays(groups=3)
    columns = descend.fit(
        "y ~ a*exp(-b*x) + c", {"x": data["x"], "y": data["y"], "rows": data["well"]}, by="rows"
    ).columns()
    assert columns["rows"].tolist() == [0, 1, 2]
    assert columns["rows_"].tolist() == [20, 20, 20]


def test_curves_with_limits_at_zero_are_fitted_together():
    d = np.tile([0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0], 3)
    group = np.repeat(["a", "b", "c"], 7)
    y = np.repeat([2.0, 3.0, 1.5], 7) / (1.0 + (d / np.repeat([2.0, 1.0, 4.0], 7)) ** 1.2) + 0.02 * np.sin(9.0 * d)
    fits = descend.fit("y ~ a/(1+(d/k)^h)", {"d": d, "y": y, "g": group}, by="g")
    for key in fits.keys:
        alone = descend.fit("y ~ a/(1+(d/k)^h)", {"d": d[group == key], "y": y[group == key]})
        assert fits[key].loss == pytest.approx(alone.loss, rel=1e-9)
        assert [fits.parameters[name][list(fits.keys).index(key)] for name in "akh"] == pytest.approx(
            [alone.parameters[name] for name in "akh"], rel=1e-5
        )


def test_columns_have_to_be_named():
    data = {"x": [1.0, 2.0, 3.0] * 2, "y": [1.0, 2.0, 3.5] * 2, "g": list("aaabbb")}
    with pytest.raises(ConfigError) as error:
        descend.fit("y ~ a + b*x", data, by=[])
    assert str(error.value) == "`by` names no column. Name those that tell groups apart."


def test_groups_are_asked_for_by_key_and_counted_by_how_they_ended():
    x = np.tile(np.arange(5.0), 2)
    data = {
        "x": x,
        "y": np.r_[2.0 * x[:5] + np.cos(x[:5]), [1.0, np.nan, 2.0, 3.0, 4.0]],
        "site": np.repeat(["A", "B"], 5),
    }
    fits = descend.fit("y ~ a + b*x", data, by="site")
    assert "A" in fits and ("B",) in fits and "C" not in fits
    assert repr(fits) == "Fits(y ~ a + b*x by site: 2 groups, 1 converged, 1 refused)"
