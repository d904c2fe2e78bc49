"""Certified values of NIST's nonlinear problems: from both published starts, and from none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks.nist import arrangements, digits, read
from benchmarks.nist_functions import FUNCTIONS

import descend

FILES = sorted((Path(__file__).parent / "nist").glob("*.dat"))


@pytest.mark.parametrize("number", [0, 1, None], ids=["start 1", "start 2", "no start"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_certified_values_are_found(path, number):
    problem = read(path)
    start = None if number is None else problem.start(number)
    fit = descend.fit(problem.formula, dict(problem.columns), start=start)
    parameters, deviations = digits(problem, (fit.parameters, fit.standard_errors))
    assert fit.outcome == "converged"
    assert parameters >= 9 and deviations >= 8


def test_the_files_are_read_as_published():
    assert len(FILES) == 9
    problems = {path.stem: read(path) for path in FILES}
    assert problems["Gauss1"].formula == (
        "y ~ b1*exp( -b2*x ) + b3*exp( -(x-b4)**2 / b5**2 ) + b6*exp( -(x-b7)**2 / b8**2 )"
    )
    assert problems["Rat43"].formula == "y ~ b1 / ((1+exp(b2-b3*x))**(1/b4))"
    assert problems["Thurber"].table["b7"] == (0.03, 0.05, 4.9727297349e-02, 6.5842344623e-03)
    assert {name: len(problem.y) for name, problem in problems.items()} == {
        "BoxBOD": 6, "Chwirut2": 54, "DanWood": 6, "Gauss1": 250, "Hahn1": 236, "MGH17": 33, "Misra1a": 14, "Rat43": 15,
        "Thurber": 37,
    }  # fmt: skip


def test_peaks_may_come_in_either_order():
    names = list(arrangements(read(next(path for path in FILES if path.stem == "Gauss1"))))
    assert len(names) == 2
    assert (names[1]["b3"], names[1]["b7"], names[1]["b1"]) == ("b6", "b4", "b1")


def test_digits_are_counted_as_nist_counts_them():
    problem = read(next(path for path in FILES if path.stem == "DanWood"))
    certified = {name: row[2] for name, row in problem.table.items()}
    deviations = {name: row[3] for name, row in problem.table.items()}
    assert digits(problem, (certified, deviations)) == (11.0, 11.0)
    assert digits(problem, (certified | {"b1": certified["b1"] * 1.001}, None)) == (pytest.approx(3.0), 0.0)
    assert digits(problem, (certified | {"b1": float("nan")}, deviations)) == (0.0, 11.0)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_functions_are_the_formulas(path):
    problem = read(path)
    columns = [column for name, column in problem.columns.items() if name != "y"]
    for number in (0, 1, 2):
        theta = [row[number] for row in problem.table.values()]
        np.testing.assert_allclose(problem.function(*columns, *theta), problem.predict(theta), rtol=1e-12)
    assert len(FUNCTIONS) == 27
