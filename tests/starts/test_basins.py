"""Other valleys, looked up along one parameter."""

from __future__ import annotations

import numpy as np
import pytest

from descend.formula import read_formula
from descend.formula.symbols import Parameter
from descend.gradients.derived import derived
from descend.losses import LOSSES
from descend.starts.basins import scannable, valleys
from descend.table.rows import Rows

X = np.linspace(0.0, 5.0, 25)
Y = 3.0 * np.exp(-0.5 * X) + 1.5 * np.exp(-X) + np.random.default_rng(263).normal(0.0, 0.05, 25)
ROWS = {"x": X, "y": Y}


def program(text, loss="squared"):
    return derived(read_formula(text, ["x", "y"]), LOSSES.build(loss))


def test_the_other_valley_of_a_tie_is_seen():
    # By lstsq at each b, J has minima at 0.357 (0.0010925) and at 0.502 (0.0011217).
    tied = program("y ~ a*exp(-b*x) + c*exp(-2*b*x)")
    begin = np.array([3.07, 0.502, 1.43])
    for everywhere, number in ((False, 49), (True, 177)):
        points, tried = valleys(tied, Rows(ROWS), begin, [Parameter("b")], everywhere, None)
        assert tried == number and points[0][1] == pytest.approx(0.357, rel=0.1)


def test_what_can_be_scanned():
    assert scannable(program("y ~ a*exp(-b*x)"))
    assert not scannable(program("y ~ a*exp(-b*x)", "poisson"))
    assert not scannable(program("y ~ exp(w @ [x])"))
