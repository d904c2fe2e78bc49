"""Special functions in plain arithmetic, run by DuckDB, against SciPy: to rounding over their whole range."""

from __future__ import annotations

import math

import ibis
import numpy as np
import pyarrow
import pytest
from scipy import special

from descend.formula.printers.database import Abilities, DatabaseFunctions
from descend.formula.printers.special_queries import SPECIAL

LINE = np.concatenate([-np.geomspace(30.0, 1e-9, 60), np.geomspace(1e-9, 30.0, 60)]) + 0.0
SHARES = np.concatenate([np.geomspace(1e-300, 0.5, 80), 1 - np.geomspace(0.5, 1e-15, 60)])
REFERENCES = {
    "gamma": (special.gamma, np.concatenate([LINE + 0.01, [100.5, 171.0, 171.6, -100.5, -169.3]])),
    "lgamma": (special.gammaln, np.concatenate([LINE + 0.01, [0.3, 3.0, 1e3, 1e10, 1e300]])),
    "digamma": (special.digamma, np.concatenate([LINE + 0.01, [1e3, 1e10, 1e300]])),
    "erfcx": (special.erfcx, np.concatenate([LINE[30:], [100.0, 1e8, 1e100]])),
    "normal_cdf": (special.ndtr, LINE),
    "ndtri": (special.ndtri, SHARES),
    "erfinv": (special.erfinv, np.concatenate([2 * SHARES - 1, np.geomspace(1e-12, 0.1, 20)])[1:-1]),
    "erfcinv": (special.erfcinv, 2 * SHARES),
    "asinh": (np.arcsinh, np.concatenate([LINE, [1e7, 1e9, 1e300, -1e300]])),
    "acosh": (np.arccosh, np.concatenate([1 + np.geomspace(1e-9, 1e12, 50), [1e300]])),
    "atanh": (np.arctanh, 2 * SHARES[5:-5] - 1),
    "logit": (special.logit, np.concatenate([SHARES, 0.5 + np.linspace(-0.19, 0.19, 8)])),
}


@pytest.mark.parametrize("ieee", [True, False])
@pytest.mark.parametrize("name", SPECIAL)
def test_every_digit_is_right(name: str, ieee: bool) -> None:
    function, x = REFERENCES[name]
    with np.errstate(all="ignore"):
        x = x[np.abs(function(x)) < 1e300]
    database = DatabaseFunctions(Abilities(ieee))
    table = ibis.memtable(pyarrow.table({"x": x}))
    found = table.select(value=SPECIAL[name](database, table.x)).to_pyarrow()["value"].fill_null(math.nan).to_numpy()
    expected = function(x)
    nudged = function(x * (1 + 2e-16))
    # Where it crosses 0, digits are lost at a fixed distance from it.
    allowed = (
        4e-14 * abs(expected) + 50 * np.nan_to_num(abs(nudged - expected)) + 1e-14 * (name in ("lgamma", "digamma"))
    )
    bad = ~(abs(found - expected) <= allowed)
    assert not bad.any(), (x[bad][:5], found[bad][:5], expected[bad][:5])
