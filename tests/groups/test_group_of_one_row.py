"""Robust errors where a group has one row: unknown for its parameter, and for all others as if it were not there."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.errors import ConfigError
from descend.table.writing import write_columns

FORMULA = "y ~ a[g] + b*x"


def rows(groups, lonely=3):
    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(groups), 6)
    x = rng.uniform(0, 4, group.size)
    y = np.sin(group) + 0.5 * x + 0.1 * (1 + x) * rng.normal(size=group.size)
    kept = np.ones(group.size, dtype=bool)
    kept[np.flatnonzero(group == lonely)[1:]] = False
    return {"x": x[kept], "y": y[kept], "g": group[kept]}


@pytest.mark.parametrize("groups", [6, 250])
@pytest.mark.parametrize("errors", ["sandwich", "HC2", "HC0"])
@pytest.mark.parametrize("engine", ["auto", "query"])
def test_only_the_group_of_one_row_loses_its_error(groups, errors, engine, tmp_path):
    data = rows(groups)
    write_columns(tmp_path / "rows.parquet", data)
    fit = descend.fit(FORMULA, tmp_path / "rows.parquet", errors=errors, engine=engine)
    less = descend.fit(FORMULA, {name: column[data["g"] != 3] for name, column in data.items()}, errors=errors)
    found, expected = np.array(fit.standard_errors["a"]), np.array(less.standard_errors["a"])
    assert np.isnan(found[3])
    assert np.delete(found, 3) == pytest.approx(expected, rel=1e-9)
    assert fit.standard_errors["b"] == pytest.approx(less.standard_errors["b"], rel=1e-9)
    kind = "HC3" if errors == "sandwich" else errors
    assert fit.notes[-1] == (
        f"there are no {kind} errors of `a[3]`: it is determined by one row alone, whose residual shows nothing"
    )


@pytest.mark.parametrize("loss", ["huber(delta=1.0)", "poisson"])
@pytest.mark.parametrize("errors", ["sandwich", "HC1"])
def test_robust_errors_of_rows_elsewhere_are_those_of_rows_in_memory(loss, errors, tmp_path):
    rng = np.random.default_rng(2)
    data = rows(250, lonely=-1)
    data["y"] = rng.poisson(np.exp(1 + 0.3 * data["x"])).astype(float) if loss == "poisson" else data["y"]
    formula = "y ~ exp(a[g] + b*x)" if loss == "poisson" else FORMULA
    write_columns(tmp_path / "rows.parquet", data)
    mine = descend.fit(formula, tmp_path / "rows.parquet", engine="query", loss=loss, errors=errors)
    theirs = descend.fit(formula, tmp_path / "rows.parquet", loss=loss, errors=errors)
    for name, values in theirs.standard_errors.items():
        assert np.array(mine.standard_errors[name]) == pytest.approx(np.array(values), rel=1e-8)


def test_clusters_of_rows_elsewhere_are_refused(tmp_path):
    write_columns(tmp_path / "rows.parquet", rows(250))
    with pytest.raises(ConfigError) as error:
        descend.fit(FORMULA, tmp_path / "rows.parquet", engine="query", errors="cluster(g)")
    assert str(error.value) == (
        "Clustered errors of 251 parameters, most of one group each, take all rows in memory, but these stay where "
        'they are. Use engine="numpy", or other `errors`.'
    )
