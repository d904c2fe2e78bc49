"""One fit for each group of rows in Postgres and Spark: the same as of rows in memory."""

from __future__ import annotations

import numpy as np
import pytest
from tests.groups.test_very_many_elsewhere import decays
from tests.many.test_distant import FORMULA, assert_same, plates
from tests.remote.servers import written_as_parquet
from tests.remote.test_laws import spark_too

import descend

HOW = {"streamed": "auto", "summed": "query"}


def without_gaps(data):
    """Text as a database takes it; groups as numbers and booleans."""
    return {name: column if name != "plate" else column.tolist() for name, column in data.items()}


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("by", [["plate", "well"], ["dry", "well"]])
@pytest.mark.postgres
def test_groups_in_postgres(how, by, postgres, monkeypatch):
    monkeypatch.setattr("descend.many.groups_elsewhere.MOST", 200)
    data = plates()
    there = postgres.load("many", without_gaps(data))
    mine = descend.fit(FORMULA, there, by=by, engine=HOW[how])
    assert_same(mine, descend.fit(FORMULA, data, by=by))
    key = mine.keys[-1]
    assert mine[key].parameters == pytest.approx({name: mine.parameters[name][-1] for name in "abc"}, rel=1e-6)


@pytest.mark.parametrize("how", [pytest.param(how, marks=spark_too) for how in HOW])
def test_groups_in_spark(how, spark, tmp_path, monkeypatch):
    monkeypatch.setattr("descend.many.groups_elsewhere.MOST", 200)
    data = plates()
    there = f"spark://?parquet={written_as_parquet(tmp_path / 'many', without_gaps(data))}"
    mine = descend.fit(FORMULA, there, by=["plate", "well"], engine=HOW[how])
    assert_same(mine, descend.fit(FORMULA, data, by=["plate", "well"]))
    key = mine.keys[-1]
    assert mine[key].parameters == pytest.approx({name: mine.parameters[name][-1] for name in "abc"}, rel=1e-6)


def assert_the_same_arrow(there, data):
    """A fit of very many groups, two of its parameters in each, is that of the rows in memory."""
    formula, start = "y ~ a[site]*exp(-b*x) + c[site]", {"a": 2.0, "b": 1.0, "c": 0.3}
    mine, theirs = descend.fit(formula, there, start=start), descend.fit(formula, data, start=start)
    assert mine.solution.objective.engine.name == "query" and mine.solution.objective.arrow
    assert mine.parameters["b"] == pytest.approx(theirs.parameters["b"], rel=1e-10)
    for name in "ac":
        assert np.array(mine.parameters[name]) == pytest.approx(np.array(theirs.parameters[name]), rel=1e-8)
        errors = np.array(theirs.standard_errors[name])
        assert np.array(mine.standard_errors[name]) == pytest.approx(errors, rel=1e-8)


@pytest.mark.postgres
def test_very_many_parameters_per_group_in_postgres(postgres):
    data = decays()
    assert_the_same_arrow(postgres.load("arrow", {name: data[name] for name in ("x", "y", "site")}), data)


@pytest.mark.parametrize("how", [pytest.param("spark", marks=spark_too)])
def test_very_many_parameters_per_group_in_spark(how, spark, tmp_path):
    data = decays()
    columns = {name: data[name] for name in ("x", "y", "site")}
    assert_the_same_arrow(f"spark://?parquet={written_as_parquet(tmp_path / 'arrow', columns)}", data)
