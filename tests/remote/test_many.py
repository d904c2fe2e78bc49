"""One fit for each group of rows in Postgres and Spark: the same as of rows in memory."""

from __future__ import annotations

import pytest
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
    monkeypatch.setattr("descend.many.distant.MOST", 200)
    data = plates()
    there = postgres.load("many", without_gaps(data))
    mine = descend.fit(FORMULA, there, by=by, engine=HOW[how])
    assert_same(mine, descend.fit(FORMULA, data, by=by))
    key = mine.keys[-1]
    assert mine[key].parameters == pytest.approx({name: mine.parameters[name][-1] for name in "abc"}, rel=1e-6)


@pytest.mark.parametrize("how", [pytest.param(how, marks=spark_too) for how in HOW])
def test_groups_in_spark(how, spark, tmp_path, monkeypatch):
    monkeypatch.setattr("descend.many.distant.MOST", 200)
    data = plates()
    there = f"spark://?parquet={written_as_parquet(tmp_path / 'many', without_gaps(data))}"
    mine = descend.fit(FORMULA, there, by=["plate", "well"], engine=HOW[how])
    assert_same(mine, descend.fit(FORMULA, data, by=["plate", "well"]))
    key = mine.keys[-1]
    assert mine[key].parameters == pytest.approx({name: mine.parameters[name][-1] for name in "abc"}, rel=1e-6)
