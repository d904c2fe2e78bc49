"""Likelihoods without a maximum: found by a linear program, named as such, and nothing else is called so."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit

import descend
from descend.identifiability.recession import Pulls, recession

X = np.array([2.0, 3, 3, 4, 5, 6, 6, 7, 8, 9])
Y = np.array([0.0, 0, 0, 0, 0, 0, 1, 1, 1, 1])  # only the rows at x = 6 differ
BORDER = {"x": X, "y": Y}
GRADES = {"g": np.repeat([0.0, 1.0, 2.0], 4), "y": np.array([0.0, 0, 0, 0, 1, 0, 1, 0, 1, 1, 1, 1])}
GROUP = {"g": np.repeat([0.0, 1.0], [6, 5]), "n": np.array([2.0, 3, 1, 4, 2, 2, 0, 0, 0, 0, 0])}
LOGISTIC, POISSON = {"loss": "logistic"}, {"loss": "poisson"}


def separated(formula, data, **options):
    fit = descend.fit(formula, data, **options)
    assert fit.outcome == "stalled"
    assert fit.advice.startswith("The data are separated")
    assert not any("cannot be told apart" in note for note in fit.notes)
    assert fit.undetermined == ()
    return fit


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ a + b*x", "y ~ sigmoid(a + b*x)", "y ~ 1/(1 + exp(-(a + b*x)))", "y ~ sigmoid(b*(x - c))",
        "y ~ 0.5*(1 + erf(a + b*x))", "y ~ 1 - exp(-exp(a + b*x))", "y ~ 1 - sigmoid(a + b*x)", "y ~ w @ [x] + a",
    ],
)  # fmt: skip
def test_outcomes_that_differ_at_the_border_only(formula):
    fit = separated(formula, BORDER, **LOGISTIC)
    assert "8 of 10 rows are predicted ever better and none worse" in fit.advice


def test_which_parameters_run_away_is_said():
    assert separated("y ~ a + b*x", BORDER, **LOGISTIC).advice == (
        "The data are separated: with a towards minus infinity and b towards infinity, 8 of 10 rows are predicted ever "
        "better and none worse. The loss falls for as long as that goes on, so there is no best fit. Add a penalty "
        "with `l2`, hold a parameter with `bounds` or `fix`, or use more data."
    )


@pytest.mark.parametrize("unit", [1e-9, 1e9])
@pytest.mark.parametrize("origin", [0.0, 2000.0])
def test_units_and_origins_do_not_matter(unit, origin):
    separated("y ~ a + b*x", {"x": (X + origin) * unit, "y": Y}, **LOGISTIC)


def test_grades_and_groups():
    separated("y ~ sigmoid(a + b*g)", GRADES, **LOGISTIC)
    assert "with b towards minus infinity, 5 of 11 rows" in separated("n ~ exp(a + b*g)", GROUP, **POISSON).advice
    separated("n ~ m*exp(b*g)", GROUP, **POISSON)


def test_a_bound_that_holds_it_makes_the_optimum_one():
    fit = descend.fit("y ~ a + b*x", BORDER, bounds=["b <= 3"], **LOGISTIC)
    assert fit.outcome == "converged"
    best = brentq(lambda a: np.sum(expit(a + 3 * X) - Y), -30.0, 0.0, xtol=1e-12)
    assert fit.parameters == pytest.approx({"a": best, "b": 3.0}, rel=1e-8)
    assert descend.fit("n ~ exp(a + b*g)", GROUP, bounds=["b >= -5"], **POISSON).parameters["b"] == -5
    separated("y ~ a + b*x", BORDER, bounds=["b >= 0"], **LOGISTIC)  # one that does not hold it
    assert descend.fit("y ~ a + b*x", BORDER, fix={"b": 2.0}, **LOGISTIC).outcome == "converged"
    assert descend.fit("y ~ a + b*x", BORDER, l2=0.01, **LOGISTIC).outcome == "converged"


def test_a_penalty_that_leaves_the_intercept_alone_does_not_hold_that():
    fit = descend.fit("n ~ exp(a + b*g)", {**GROUP, "n": 0 * GROUP["n"]}, l2=0.1, **POISSON)
    assert "with a towards minus infinity" in fit.advice


@pytest.mark.parametrize(
    ("formula", "data", "options"),
    [
        ("y ~ a + b*x", {"x": X, "y": np.array([0.0, 0, 1, 0, 0, 0, 1, 1, 1, 1])}, LOGISTIC),
        ("n ~ exp(a + b*g)", {**GROUP, "n": GROUP["n"] + (np.arange(11) == 8)}, POISSON),
        ("n ~ exp(a + b*x)", {"x": np.arange(10.0), "n": np.array([9.0, 5, 2, 1, 0, 0, 0, 0, 0, 0])}, POISSON),
        ("n ~ a + b*g", GROUP, POISSON),  # the mean reaches 0 at a + b = 0
        ("n ~ exp(b*x)", {"x": np.array([-1.0, 2, -2, 1, 3]), "n": np.zeros(5)}, POISSON),  # least where b is -0.25
    ],
)
def test_what_overlaps_has_a_best_fit(formula, data, options):
    assert descend.fit(formula, data, **options).outcome == "converged"


def test_certain_rows_alone_are_no_separation():
    x = np.random.default_rng(1).normal(size=300) * 10
    y = (np.random.default_rng(2).random(300) < expit(2 * x)).astype(float)
    assert descend.fit("y ~ a + b*x", {"x": x, "y": y}, loss="logistic").outcome == "converged"


def test_a_run_cut_short_is_told_in_a_note():
    fit = descend.fit("y ~ a + b*x", BORDER, optimizer="adam", epochs=9000, **LOGISTIC)
    assert fit.outcome == "epochs_used_up"
    assert any(note.startswith("The data are separated") for note in fit.notes)


@pytest.mark.parametrize("rows", [40, 60_000])
def test_rows_in_a_database_are_all_looked_at(rows, tmp_path):
    import pyarrow
    from pyarrow import parquet

    x = np.random.default_rng(0).normal(size=rows).round(3)
    y = (x > 0).astype(float)

    def fit():
        parquet.write_table(pyarrow.table({"x": x, "y": y}), tmp_path / "data.parquet")
        return descend.fit("y ~ sigmoid(a + b*x)", tmp_path / "data.parquet", engine="query", loss="logistic")

    assert fit().advice.startswith("The data are separated")
    y[np.argmin(x)] = 1.0
    assert fit().outcome == "converged"


def test_a_linear_program_finds_the_direction_among_many_rows():
    rng = np.random.default_rng(3)
    design = np.column_stack([np.ones(20_000), rng.normal(size=(20_000, 4))])
    wanted = np.sign(design @ np.array([0.2, 1.0, -1.0, 0.5, 2.0]))
    open_to_all = np.full(5, -np.inf), np.full(5, np.inf)
    found = recession(Pulls(design, wanted), lambda: [Pulls(design, wanted)], *open_to_all)
    assert found is not None
    assert (wanted * (design @ found.direction) >= -1e-6 * np.abs(found.direction).max()).all()
    wanted[7] = -wanted[7]
    assert recession(Pulls(design, wanted), lambda: [Pulls(design, wanted)], *open_to_all) is None


def test_along_the_edge_of_what_a_loss_allows_the_least_is_found():
    # At a + b = 0 the rest is least at a = 14/6.
    fit = descend.fit("n ~ a + b*g", GROUP, **POISSON)
    assert fit.outcome == "converged"
    assert fit.parameters == pytest.approx({"a": 14 / 6, "b": -14 / 6}, rel=1e-8)
