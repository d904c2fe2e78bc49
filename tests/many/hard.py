"""Decays of wells, of which some cannot be fitted: one of NaN, one of two rows, one of a single row."""

from __future__ import annotations

import numpy as np

FORMULA = "y ~ a*exp(-b*x) + c"
START = {"a": 1.0, "b": 1.0, "c": 0.0}


def wells(groups=12, rows=12, seed=0):
    """Return the columns x, y and well; the wells 2 (NaN), 5 (two rows) and 7 (one row) are hard."""
    rng = np.random.default_rng(seed)
    a, b, c = rng.uniform(1, 4, groups), rng.uniform(0.5, 2, groups), rng.uniform(0, 1, groups)
    well = np.repeat(np.arange(groups), rows)
    x = np.tile(np.linspace(0.1, 4, rows), groups)
    y = a[well] * np.exp(-b[well] * x) + c[well] + 0.02 * rng.normal(size=x.size)
    y[well == 2] = np.nan
    row = np.arange(x.size) % rows
    kept = ~((well == 5) & (row > 1)) & ~((well == 7) & (row > 0))
    return {"x": x[kept], "y": y[kept], "well": well[kept]}
