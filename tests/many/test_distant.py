"""One fit for each group of rows that stay where they are: the same as of rows in memory."""

from __future__ import annotations

import re

import numpy as np
import pytest
from tests.laws.test_query_laws import in_sqlite

import descend
from descend.errors import ConfigError, DataError
from descend.many.text import render
from descend.table.writing import write_columns

FORMULA = "y ~ a*exp(-b*x) + c"


def plates(wells=12, rows=25, seed=0):
    """Decays in wells of two plates, in any order, with groups that are hard: constant, too few rows, a cell missing.

    Some rows have no plate or no well, and belong to no group.
    """
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(2 * wells), rows)
    x = rng.uniform(0.1, 4, group.size)
    a, b, c = rng.uniform(1, 4, 2 * wells), rng.uniform(0.5, 2, 2 * wells), rng.uniform(0.2, 1, 2 * wells)
    y = a[group] * np.exp(-b[group] * x) + c[group] + 0.02 * rng.normal(size=x.size)
    y[group == 3] = 1.0
    y[np.flatnonzero(group == 5)[4]] = np.nan
    kept = rng.permutation(np.flatnonzero((group != 7) | (rng.random(x.size) < 0.1)))
    plate = np.array(["plate 'A'", "B"], dtype=object)[group // wells]
    well = (group % wells).astype(float)
    plate[kept[:2]], well[kept[2:4]] = None, np.nan
    data = {"x": x, "y": y, "plate": plate, "well": well, "dry": group % 2 == 0}
    return {name: column[kept] for name, column in data.items()}


def assert_same(mine, theirs, tolerance=1e-6):
    """Row numbers aside: the rows of a database are in no order."""
    assert mine.keys == theirs.keys
    assert (mine.outcome, mine.ungrouped, mine.rows.tolist()) == (
        theirs.outcome,
        theirs.ungrouped,
        theirs.rows.tolist(),
    )
    told, expected = (
        {key: re.sub(r"row \d+", "a row", cause) for key, cause in fits.failed.items()} for fits in (mine, theirs)
    )
    assert told == expected
    np.testing.assert_allclose(mine.loss, theirs.loss, rtol=1e-10, atol=1e-24)
    np.testing.assert_allclose(mine.r_squared, theirs.r_squared, rtol=1e-9)
    told_apart = theirs.loss > 1e-20  # a constant has many curves
    for name, values in theirs.parameters.items():
        near = tolerance * (np.abs(values) + theirs.standard_errors[name])
        assert (np.abs(mine.parameters[name] - values) <= near)[told_apart].all()
        errors = mine.standard_errors[name][told_apart]
        np.testing.assert_allclose(errors, theirs.standard_errors[name][told_apart], rtol=1e-4)


def told(fits):
    return {key: re.sub(r"row \d+", "a row", cause) for key, cause in fits.failed.items()}


@pytest.fixture
def few_rows_at_a_time(monkeypatch):
    """As if memory held a few hundred rows."""
    monkeypatch.setattr("descend.many.groups_elsewhere.MOST", 200)
    monkeypatch.setattr("descend.many.groups_elsewhere.BLOCK", 70)
    monkeypatch.setattr("descend.table.query.SMALL", 0)


@pytest.mark.parametrize("by", [["plate", "well"], "well", ["dry", "plate"]])
@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_rows_sorted_by_group_stream_through_memory(by, kind, few_rows_at_a_time, tmp_path, monkeypatch):
    if by != ["plate", "well"]:
        monkeypatch.setattr("descend.many.groups_elsewhere.MOST", 2000)
    path = tmp_path / f"rows.{kind}"
    write_columns(path, plates())
    theirs = descend.fit(FORMULA, path, by=by)
    monkeypatch.setattr("descend.table.memory.there_is", lambda: 1)
    mine = descend.fit(FORMULA, path, by=by)
    assert_same(mine, theirs)
    (note,) = mine.notes
    assert note.startswith("rows sorted by group in DuckDB, and fitted as they come, as they would take about ")
    assert theirs.notes == ()
    assert note in " ".join(render(mine).split())
    key = mine.keys[-1]
    assert mine[key].parameters == pytest.approx(theirs[key].parameters, rel=1e-6)


def test_a_group_that_does_not_fit_into_memory_is_fitted_where_it_lies(few_rows_at_a_time, tmp_path):
    data, path = plates(), tmp_path / "rows.parquet"
    data["plate"] = np.where(np.arange(len(data["x"])) < 150, "s'mall", "large")
    data["y"] = np.where(np.isnan(data["y"]), 1.0, data["y"])
    write_columns(path, data)
    mine = descend.fit(FORMULA, path, by="plate", engine="query")
    assert_same(mine, descend.fit(FORMULA, path, by="plate"))
    assert mine["large"].engine == "query"


def test_other_databases_are_read_into_memory():
    data = plates()
    columns = {name: data[name] for name in ("x", "y", "well")}
    complete = np.isfinite(columns["y"]) & np.isfinite(columns["well"])
    columns = {name: column[complete] for name, column in columns.items()}
    assert_same(descend.fit(FORMULA, in_sqlite(columns), by="well"), descend.fit(FORMULA, columns, by="well"))
    with pytest.raises(ConfigError) as caught:
        descend.fit(FORMULA, in_sqlite(columns), by="well", memory_limit="1GiB")
    assert str(caught.value) == (
        "With the database (sqlite), one fit for each group of well needs all rows in memory, but the memory limit is "
        "1 GiB. Copy them into a Parquet file, or raise the limit."
    )


def test_what_cannot_be_grouped_is_refused(few_rows_at_a_time, tmp_path):
    path = tmp_path / "rows.parquet"
    write_columns(path, plates())
    with pytest.raises(DataError, match="There is no column `site`"):
        descend.fit(FORMULA, path, by="site", engine="query")
    with pytest.raises(ConfigError, match="`well` tells the groups apart, so that it is the same in all rows"):
        descend.fit("y ~ a*x + b*well", path, by="well", engine="query")
    with pytest.raises(DataError, match=r"No row of .*rows.parquet has a value in `well`\."):
        descend.fit(FORMULA, path, by="well", where="well is null", engine="query")
    with pytest.raises(ConfigError) as caught:
        descend.fit(FORMULA, write_large(tmp_path), by="well", engine="numpy", memory_limit="64MiB")
    assert str(caught.value) == (
        "With the engine `numpy`, one fit for each group of well needs all rows in memory, about 68.7 MiB, but the "
        "memory limit is 64 MiB. Leave out the engine, or raise the limit."
    )


def write_large(folder):
    path = folder / "large.parquet"
    write_columns(path, {name: np.zeros(1_000_000) for name in ("x", "y", "well")})
    return path
