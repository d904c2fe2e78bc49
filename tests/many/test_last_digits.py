"""Fits of many groups end at the minimum to the last digits that matter, wherever and in whatever company."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.table.writing import write_columns

GROUPS, ROWS = 3_000, 50


def decays():
    rng = np.random.default_rng(4)
    group = np.repeat(np.arange(GROUPS), ROWS)
    x = np.tile(np.linspace(0.1, 4.0, ROWS), GROUPS)
    a, b, c = rng.uniform(1, 4, GROUPS), rng.uniform(0.5, 2, GROUPS), rng.uniform(0, 1, GROUPS)
    return {"x": x, "y": a[group] * np.exp(-b[group] * x) + c[group] + 0.05 * rng.normal(size=x.size), "g": group}


def polished(data, theta):
    """The minimum and its standard errors, by Gauss and Newton from near it until nothing changes."""
    x, y = (data[name].reshape(GROUPS, ROWS) for name in "xy")
    for _ in range(60):
        a, b, c = theta.T[:, :, None]
        decay = np.exp(-b * x)
        residual = a * decay + c - y
        columns = np.stack([decay, -a * x * decay, np.ones_like(x)], axis=2)
        inverse = np.linalg.inv(np.einsum("gni,gnj->gij", columns, columns))
        theta = theta - np.einsum("gij,gnj,gn->gi", inverse, columns, residual)
    variance = np.sum(residual**2, axis=1) / (ROWS - 3)
    return theta, np.sqrt(np.einsum("gii->gi", inverse) * variance[:, None])


@pytest.mark.parametrize("engine", ["auto", "query"])
def test_every_group_ends_at_its_minimum(engine, tmp_path):
    data = decays()
    write_columns(tmp_path / "rows.parquet", data)
    fits = descend.fit("y ~ a*exp(-b*x) + c", tmp_path / "rows.parquet", by="g", engine=engine)
    found = np.column_stack([fits.parameters[name] for name in "abc"])
    errors = np.column_stack([fits.standard_errors[name] for name in "abc"])
    theta, expected = polished(data, found.copy())
    assert (np.abs(found - theta) <= 1e-8 * np.abs(theta).max(axis=0)).all()
    assert (np.abs(errors - expected) <= 1e-8 * expected.max(axis=0)).all()
