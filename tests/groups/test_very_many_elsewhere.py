"""Very many parameters per group of rows that stay in files or a database: the fits of rows in memory."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.engines.arrow import Arrow
from descend.engines.arrow_engine import ArrowEngine
from descend.errors import ConfigError, DataError
from descend.gradients.derived import Program
from descend.problem.posing import pose
from descend.table import open_table
from descend.table.writing import write_columns

GROUPS, ROWS = 110, 8
DECAY = "y ~ a[site]*exp(-b*x) + c[site]"
START = {"a": 2.0, "b": 1.0, "c": 0.3}


def decays():
    random = np.random.default_rng(5)
    group = random.permutation(np.repeat(np.arange(GROUPS), ROWS))
    x = random.uniform(0.0, 4.0, group.size)
    a, c = random.uniform(1.0, 3.0, GROUPS), random.uniform(0.2, 0.5, GROUPS)
    y = a[group] * np.exp(-1.1 * x) + c[group] + 0.02 * random.normal(size=group.size)
    return {
        "x": x,
        "y": y,
        "n": random.poisson(np.exp(0.5 * a[group] + 0.3 * x)).astype(float),
        "site": np.array([f"s'{number}" for number in group], dtype=object),
        "day": group % 4,
        "wet": group % 2 == 0,
        "number": group,
        "s": random.uniform(0.5, 2.0, group.size),
    }


@pytest.fixture(scope="module")
def parquet(tmp_path_factory):
    path = tmp_path_factory.mktemp("very_many") / "rows.parquet"
    write_columns(path, decays())
    return path


def assert_same(mine, theirs, tolerance=1e-8):
    """Parameters, standard errors and what follows from them, whatever the order of the rows."""
    assert mine.outcome == theirs.outcome and mine.notes == theirs.notes
    assert mine.loss == pytest.approx(theirs.loss, rel=tolerance)
    for name, values in theirs.parameters.items():
        assert np.array(mine.parameters[name]) == pytest.approx(np.array(values), rel=tolerance, abs=tolerance)
        errors = np.array(theirs.standard_errors[name])
        assert np.array(mine.standard_errors[name]) == pytest.approx(errors, rel=tolerance, nan_ok=True)


@pytest.mark.parametrize(
    ("formula", "options"),
    [
        ("y ~ a[site] + c[number]*x + d*x^2", {"sigma": "s"}),
        ("y ~ a[number, wet]*exp(-b[day]*x) + c[site]", {"weights": "s", "start": START}),
        ("y ~ w[site] @ [x, x^2] + b[day]*x^3", {}),
        ("n ~ exp(a[site] + c[site]*x + d*x^2)", {"loss": "poisson", "start": {"a": 0.5, "c": 0.3, "d": 0.0}}),
        (DECAY, {"start": START, "bounds": "c >= 0.3"}),
        (DECAY, {"start": {"a": 2.0, "c": 0.3}, "fix": {"b": 1.1}}),
    ],
)
def test_the_fit_is_that_of_rows_in_memory(formula, options, parquet):
    mine = descend.fit(formula, parquet, engine="query", **options)
    assert mine.solution.objective.engine.name == "query"
    assert isinstance(mine.solution.objective(mine.theta, 2).curvature, Arrow)
    assert_same(mine, descend.fit(formula, parquet, **options))


def test_a_start_is_found_and_all_that_follows_from_a_fit_follows(parquet, tmp_path):
    mine, theirs = descend.fit(DECAY, parquet, memory_limit="200MiB", engine="query"), descend.fit(DECAY, parquet)
    assert_same(mine, theirs)
    points = {"x": [1.0, 2.0], "site": ["s'3", "s'70"]}
    for kind in ("confidence", "prediction"):
        found, expected = (fit.predict(points, interval=kind) for fit in (mine, theirs))
        assert found.low == pytest.approx(expected.low, rel=1e-9)
    found, expected = (fit.quantity("a[s'3]/a[s'5]*b") for fit in (mine, theirs))
    assert found.standard_error == pytest.approx(expected.standard_error, rel=1e-8)
    mine.save(tmp_path / "fit.json")
    assert descend.load(tmp_path / "fit.json").predict(points) == pytest.approx(theirs.predict(points), rel=1e-9)
    with pytest.raises(DataError, match="`site` is `s'x` in row 2 of the data, a group that was not fitted"):
        mine.predict({"x": [1.0, 2.0], "site": ["s'3", "s'x"]})


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_missing_cells_are_refused_by_name_or_left_out(kind, tmp_path):
    data, path = decays(), tmp_path / f"gaps.{kind}"
    data["x"][5] = np.nan
    data["site"][9] = None
    data["y"][data["number"] == 7] = np.nan  # a group without a complete row
    write_columns(path, data)
    told = []
    for engine in ("auto", "query"):
        with pytest.raises(DataError) as error:
            descend.fit(DECAY, path, engine=engine, start=START)
        told.append(str(error.value))
    assert told[0] == told[1] and "`site` has a missing value in row 10" in told[1]
    mine, theirs = (descend.fit(DECAY, path, engine=e, start=START, missing="drop") for e in ("query", "auto"))
    assert_same(mine, theirs)
    assert len(mine.parameters["a"]) == GROUPS - 1


def test_what_a_database_cannot_sum_streams(parquet, monkeypatch):
    monkeypatch.setattr("descend.table.joined_in_database.TAKING", frozenset())
    monkeypatch.setattr("descend.engines.arrow_stream.BLOCK", 200)
    mine = descend.fit(DECAY, parquet, engine="query")
    (note,) = [note for note in mine.notes if "streamed" in note]
    assert note == (
        "rows streamed to NumPy in blocks, as the database (duckdb) takes no table of ours with the parameters of "
        "groups"
    )
    theirs = descend.fit(DECAY, parquet)
    assert np.array(mine.parameters["a"]) == pytest.approx(np.array(theirs.parameters["a"]), rel=1e-8)


@pytest.mark.parametrize("weights", [None, "s"])
def test_sums_and_losses_of_groups_are_those_of_rows_in_memory(weights, parquet):
    from descend.options.arguments import read_request

    formula = "y ~ a[site]*exp(-b[day]*x) + c[site] + d*x"
    engines = []
    for engine in ("auto", "query"):
        request = read_request(
            formula, parquet, (), {"weights": weights, "start": START | {"d": 0.0}, "engine": engine}
        )
        problem = pose(request, open_table(parquet))
        assert isinstance(problem.code, Program)
        engines.append(problem.objective.engine)
    memory, query = engines
    assert isinstance(memory, ArrowEngine)
    theta = np.random.default_rng(3).uniform(0.3, 1.5, problem.model.parameters.size)
    one, other = memory.evaluate(theta, 2), query.evaluate(theta, 2)
    close = {"rtol": 1e-11, "atol": 1e-9}
    np.testing.assert_allclose(other.loss, one.loss, rtol=1e-12)
    np.testing.assert_allclose(other.gradient, one.gradient, **close)
    for part in ("blocks", "border", "shared"):
        np.testing.assert_allclose(getattr(other.curvature, part), getattr(one.curvature, part), **close)
    np.testing.assert_allclose(query.losses(theta), memory.losses(theta), **close)
    np.testing.assert_allclose(query.group_weights, memory.group_weights, **close)
    np.testing.assert_allclose(query.evaluate(theta, 1).gradient, one.gradient, **close)
    assert query.evaluate(theta, 0).loss == pytest.approx(one.loss, rel=1e-12)
    some = query.rows_of(3)
    assert sorted(some.y) == pytest.approx(sorted(memory.rows_of(3).y))


def test_batches_and_devices_are_refused(parquet):
    with pytest.raises(ConfigError) as error:
        descend.fit(DECAY, parquet, engine="query", batch_size=50, epochs=2)
    assert str(error.value) == (
        "Rows that stay where they are are summed by one query for all groups, so that 221 parameters, most of one "
        'group each, take no batches. Leave out `batch_size`, or use engine="numpy".'
    )
    with pytest.raises(ConfigError) as error:
        descend.fit(DECAY, parquet, engine="query", device="cpu")
    assert str(error.value) == ("A device does not go with 221 parameters, most of one group each. Leave out `device`.")
