"""Functions that databases lack, as they are written for them: right to the last digits."""

from __future__ import annotations

import sqlite3

import duckdb
import numpy as np
import pytest
from scipy import special

from descend.formula.functions import FUNCTIONS

X = np.concatenate([np.linspace(-6.0, 6.0, 801), np.linspace(-30.0, 30.0, 61), np.logspace(-300, 0, 41)])
RIGHT = {
    "erf": special.erf, "erfc": special.erfc, "expm1": np.expm1, "sinc": np.sinc, "cbrt": np.cbrt,
    "log1p": lambda x: np.log1p(np.abs(x)),
}  # fmt: skip


@pytest.mark.parametrize("database", [duckdb, sqlite3])
@pytest.mark.parametrize("name", RIGHT)
def test_functions_in_sql(name, database):
    connection = database.connect(":memory:")
    connection.execute("create table data (x double)")
    connection.executemany("insert into data values (?)", X[:, None].tolist())
    text = FUNCTIONS[name].sql.format("abs(x)" if name == "log1p" else "x")
    found = np.array(connection.execute(f"select {text} from data").fetchall())[:, 0]
    np.testing.assert_allclose(found, RIGHT[name](X), rtol=1e-13, atol=1e-290)
    if name == "erf":
        np.testing.assert_allclose(found, special.erf(X), rtol=5e-16)
