"""Many rows as few blocks: what they keep, and that narrow peaks get small ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from descend.formula import read_formula
from descend.starts.blocks import in_blocks
from descend.table.rows import Roles, Rows

FORMULA = read_formula("y ~ a*exp(-((x - m)/s)^2) + c", ("x", "y"))


@given(st.integers(20, 3000), st.integers(4, 200), st.booleans(), st.booleans(), st.integers(0, 100))
@settings(max_examples=60, deadline=None)
def test_blocks_hold_all_weight_and_averages_all_of_the_sums(rows, size, weighted, averaged, seed):
    random = np.random.default_rng(seed)
    columns = {"x": random.uniform(size=rows), "y": random.normal(size=rows), "w": random.integers(0, 4, rows) * 1.0}
    whole = Rows.of(columns, Roles(weights="w") if weighted else Roles())
    few = in_blocks(FORMULA, whole, size, averaged)
    omega = columns["w"] if weighted else np.ones(rows)
    assert few.count <= max(size, 1) and few.count >= min(size // 8, rows // 2)
    if averaged:
        assert few.omega.sum() == pytest.approx(omega.sum())
        assert few.omega @ few.columns["y"] == pytest.approx(omega @ columns["y"], abs=1e-9)
        assert few.omega @ few.columns["x"] == pytest.approx(omega @ columns["x"], abs=1e-9)
    else:
        assert set(few.columns["y"]) <= set(columns["y"])


def test_a_narrow_peak_gets_many_blocks():
    x = np.linspace(0.0, 10.0, 100_000)
    y = np.exp(-(((x - 3.21) / 0.005) ** 2)) + 0.2 * np.random.default_rng(0).normal(size=x.size)
    few = in_blocks(FORMULA, Rows.of({"x": x, "y": y}), 512, averaged=True)
    assert few.count == 512
    assert (np.abs(few.columns["x"] - 3.21) < 0.01).sum() >= 5


def test_where_there_are_no_blocks():
    two = read_formula("y ~ a*exp(-b*x) + c*z", ("x", "y", "z"))
    columns = {name: np.linspace(0.0, 1.0, 50) for name in "xyz"}
    assert in_blocks(two, Rows.of(columns), 10, averaged=True) is None
    logarithm = read_formula("log(y) ~ a*exp(-b*x)", ("x", "y"))
    assert in_blocks(logarithm, Rows.of(columns), 10, averaged=True) is None
    columns["x"][3] = np.inf
    assert in_blocks(FORMULA, Rows.of(columns), 10, averaged=True) is None
