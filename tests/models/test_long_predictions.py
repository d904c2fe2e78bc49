"""Predictions of so many rows that they are computed a block at a time are those of any few of them."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.models.formula import BLOCK


@pytest.mark.parametrize("formula", ["y ~ w @ [x, z, x*z] + c", "y ~ a[g]*exp(-b*x) + w @ [x, z]"])
def test_rows_in_blocks(formula):
    rng = np.random.default_rng(0)
    rows = BLOCK + 100
    data = {"x": rng.uniform(size=rows), "z": rng.uniform(size=rows), "g": np.array(["A", "B"])[np.arange(rows) % 2]}
    data["y"] = 2.0 * np.exp(-data["x"]) + data["z"] + 0.1 * rng.normal(size=rows)
    fit = descend.fit(formula, data)
    predicted = fit.predict(data)
    ends = np.r_[0:5, BLOCK - 2 : BLOCK + 2, rows - 5 : rows]
    assert predicted[ends] == pytest.approx(
        fit.predict({name: column[ends] for name, column in data.items()}), rel=1e-13
    )
    assert float(np.square(predicted - data["y"]).mean()) == pytest.approx(fit.loss, rel=1e-12)
