"""The rows, columns and programs on which engines are held against each other."""

from __future__ import annotations

from functools import cache

import numpy as np
from tests.laws.ranges import within

from descend.formula import read_formula
from descend.gradients.derived import Program, derived
from descend.losses import LOSSES

COLUMNS = ("x", "z", "u", "y", "omega", "unit price")
ROWS = 50


@cache
def table(rows: int = ROWS) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    data = {name: rng.uniform(0.1, 2.0, rows) for name in COLUMNS}
    data["y"] = rng.uniform(0.05, 0.95, rows) * data["omega"].min()  # y/omega is a share too
    return data


@cache
def program(text: str, loss: str) -> Program:
    numeric = tuple(name for name in COLUMNS if name != "unit price")
    built = LOSSES.build(loss)
    return derived(read_formula(within(text, built), COLUMNS, numeric), built)
