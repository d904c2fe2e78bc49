"""A start that leads nowhere: said so, and answered by a search that keeps both ends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks.nist import read

import descend

# NIST's BoxBOD: six rows, and a plateau at b1 = mean(y) that swallows most starts.
BOX = dict(read(Path(__file__).parents[1] / "fit" / "nist" / "BoxBOD.dat").columns)
FORMULA = "y ~ b1*(1 - exp(-b2*x))"
CERTIFIED = {"b1": 2.1380940889e02, "b2": 5.4723748542e-01}


def test_a_plateau_is_no_minimum():
    fit = descend.fit(FORMULA, BOX, start={"b1": 1.0, "b2": 1.0}, optimizer="levenberg_marquardt")
    assert fit.outcome == "stalled" and not fit.succeeded
    assert fit.advice == (
        "The descent is on a plateau, for `exp(-b2*x)` hardly changes any more in 100% of the rows: start its "
        "parameters where it does; try other starting values, or leave --start out to have some searched for."
    )
    assert fit.parameters["b1"] == pytest.approx(BOX["y"].mean())
    assert fit.from_start is None


def test_a_search_finds_the_minimum_and_both_ends_are_kept():
    fit = descend.fit(FORMULA, BOX, start={"b1": 1.0, "b2": 1.0})
    assert fit.outcome == "converged"
    assert fit.parameters == pytest.approx(CERTIFIED, rel=1e-9)
    assert fit.from_start.outcome == "stalled" and fit.from_start.loss > fit.loss
    assert fit.from_start.trace[0].parameters == {"b1": 1.0, "b2": 1.0}
    b1, b2 = fit.from_start.parameters.values()
    assert fit.notes[0] == (
        f"from the start given, the descent ended stalled at loss 1628.58 (b1={b1:.6g}  b2={b2:.6g}); "
        "a search found this lower one"
    )


def test_a_start_that_converges_is_the_users_choice():
    # A local minimum is not looked behind: the start may mean it.
    x = np.linspace(0.0, 10.0, 100)
    data = {"x": x, "y": np.sin(3.0 * x)}
    fit = descend.fit("y ~ a*sin(w*x)", data, start={"a": 0.1, "w": 5.2})
    assert fit.outcome == "converged" and fit.from_start is None
    assert fit.parameters["w"] != pytest.approx(3.0, rel=0.05)


def test_rows_left_out_stay_out_of_the_second_look():
    data = {name: np.append(values, [20.0, 1000.0][name == "y"]) for name, values in BOX.items()}
    fit = descend.fit(FORMULA, data, start={"b1": 1.0, "b2": 1.0}, where="x <= 10")
    assert fit.from_start is not None and fit.rows == 6
    assert fit.parameters == pytest.approx(CERTIFIED, rel=1e-9)


def test_a_second_look_that_finds_nothing_lower_changes_nothing():
    # No curve of this kind comes closer to a falling line than a constant.
    x = np.linspace(0.0, 1.0, 30)
    fit = descend.fit("y ~ a + exp(b*x - 50)*0.001", {"x": x, "y": 1.0 - x}, start={"a": 0.0, "b": 0.0})
    assert fit.from_start is None
    assert fit.parameters["a"] == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["gd", "momentum"])
def test_plain_methods_converge_on_a_line(name):
    x = np.arange(0.0, 10.0, 0.1)
    data = {"x": x, "y": 2.0 * x + 1.0 + np.random.default_rng(0).uniform(size=100)}
    compared = descend.compare("y ~ w*x + b", data, [name, "levenberg_marquardt"])
    assert {str(fit.outcome) for fit in compared.fits.values()} == {"converged"}
    one, other = (fit.parameters for fit in compared.fits.values())
    assert one == pytest.approx(other, rel=1e-6)
