"""Columns counted from far away: the advice is to move their origin, and it can be followed."""

from __future__ import annotations

import re

import numpy as np
import pytest

import descend

SECONDS = np.arange(0.0, 7200.0, 60.0)
NOISE = np.random.default_rng(24).normal(size=120)
YEARS = np.arange(30.0)


def followed(formula: str, name: str, advice: str) -> str:
    """Do as the advice says: write what it says for the column."""
    found = re.search(r"write `(\(.*?\))` for `" + name + "`", advice)
    assert found is not None
    return re.sub(rf"\b{name}\b", found[1], formula)


CASES = [
    ("y ~ a*exp(-b*t)", "t", 1.7e9 + SECONDS, 40 * np.exp(-SECONDS / 1500) + 0.3 * NOISE),
    ("y ~ a*exp(-t/tau)", "t", 1.65e12 + 1e3 * SECONDS, 40 * np.exp(-SECONDS / 1500) + 0.3 * NOISE),
    ("y ~ a*exp(-b*t) + c", "t", 1.7e9 + SECONDS, 40 * np.exp(-SECONDS / 1500) + 5 + 0.3 * NOISE),
    ("y ~ a*exp(-b*t)", "t", -1.7e9 + SECONDS, 40 * np.exp(-SECONDS / 1500) + 0.3 * NOISE),
    ("y ~ K/(1 + b*exp(-r*year))", "year", 1990 + YEARS, 100 / (1 + np.exp(-(YEARS - 13) / 2)) + NOISE[:30]),
    ("y ~ K/(1 + ((K - p)/p)*exp(-r*year))", "year", 1990 + YEARS, 100 / (1 + np.exp(-(YEARS - 13) / 4)) + NOISE[:30]),
]


@pytest.mark.parametrize(("formula", "name", "column", "y"), CASES)
def test_the_advice_can_be_followed(formula, name, column, y):
    fitted = descend.fit(formula, {name: column, "y": y})
    if fitted.outcome == "converged":
        assert np.isfinite(fitted.loss) and fitted.r_squared > 0.9
        return
    assert fitted.cause == "far_origin"
    assert not [note for note in fitted.notes if "influence" in note]
    assert "--start" not in fitted.advice and "--epochs" not in fitted.advice
    again = descend.fit(followed(formula, name, fitted.advice), {name: column, "y": y})
    assert again.outcome == "converged"
    assert again.loss == pytest.approx(fitted.evidence["loss_reachable"], rel=1e-6)


def test_its_words():
    formula, name, column, y = CASES[0]
    fitted = descend.fit(formula, {name: column, "y": y})
    assert fitted.advice == (
        "Move the origin of `t`: write `(t - 1700000000)` for `t` in the formula. It is the same curve, with "
        "parameters of a size that numbers can have."
    )
    assert fitted.diagnosis.sentence.startswith(
        "`t` lies between 1700000000 and 1700007140, far from 0 beside its range of 7140: the loss is "
    )


def test_a_formula_to_which_the_origin_matters_is_not_told_to_move_it():
    year = 2000 + np.arange(20.0)
    fitted = descend.fit("y ~ a*year^b", {"year": year, "y": 3 * np.sqrt(1 + np.arange(20.0))})
    assert fitted.cause != "far_origin"


def test_advice_is_such_as_the_run_can_follow():
    x = np.linspace(0.0, 5.0, 30)
    searched = descend.fit("y ~ a^2 + b^2*x", {"x": x, "y": -1 - x})
    assert "leave `start` out" not in searched.advice
    stuck = descend.fit("y ~ a^2*x + c^2", {"x": x, "y": 2 * x + 1}, start={"a": 0.0, "c": 0.0}, optimizer="lbfgs")
    assert stuck.cause == "plateau" and stuck.advice.endswith("or leave `start` out to have some searched for.")
    assert stuck.diagnosis.sentence.startswith("a and c have no influence at the start, the gradient is 0 ")


@pytest.mark.parametrize("optimizer", ["gd", "adam", "levenberg_marquardt", "lbfgs"])
def test_a_gradient_that_is_zero_at_the_first_epoch_has_a_cause(optimizer):
    x = np.linspace(0.0, 5.0, 30)
    for formula, start in (("a*b*x", {"a": 0.0, "b": 0.0}), ("cos(b*x)", {"b": 0.0}), ("a^2*x", {"a": 0.0})):
        fitted = descend.fit(f"y ~ {formula}", {"x": x, "y": 2 * x}, start=start, optimizer=optimizer)
        assert fitted.outcome == "stalled"
        assert fitted.cause == "plateau"
