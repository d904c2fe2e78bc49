"""Responses that never leave the end of their range: the best fit lies at infinity, which is said soon."""

from __future__ import annotations

import numpy as np
import pytest

import descend

X = np.linspace(0.0, 3.0, 30)


@pytest.mark.parametrize(
    ("formula", "loss", "value", "told"),
    [
        ("y ~ exp(a + b*x)", "poisson", 0.0, "the predicted mean nears 0, and there is no best fit: that lies at "
         "infinity. Use data with counts above 0"),
        ("y ~ sigmoid(a + b*x)", "logistic", 0.0, "the predicted probability nears 0, and there is no best fit: that "
         "lies at infinity. Use data with both outcomes"),
        ("y ~ a + b*x", "logistic", 1.0, "the predicted probability nears 1, and there is no best fit: that lies at "
         "infinity. Use data with both outcomes"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("optimizer", [None, "gd", "newton"])
def test_the_run_ends_and_says_why(formula: str, loss: str, value: float, told: str, optimizer: str | None) -> None:
    fitted = descend.fit(formula, {"x": X, "y": np.full(30, value)}, loss=loss, optimizer=optimizer)
    assert (str(fitted.outcome), str(fitted.cause)) == ("stalled", "plateau")
    assert fitted.epochs < 5_000
    assert fitted.advice == (f"`y` is {value:g} in every row, so the loss falls for as long as {told}.")


def test_epochs_that_were_asked_for_are_run() -> None:
    fitted = descend.fit("y ~ exp(a + b*x)", {"x": X, "y": np.zeros(30)}, loss="poisson", epochs=5)
    assert (str(fitted.outcome), fitted.epochs) == ("epochs_used_up", 5)
    assert any(note.startswith("`y` is 0 in every row") for note in fitted.notes)


def test_a_penalty_makes_a_minimum() -> None:
    fitted = descend.fit("y ~ exp(b*x)", {"x": X, "y": np.zeros(30)}, loss="poisson", l2=1e-6)
    assert str(fitted.outcome) == "converged"


@pytest.mark.parametrize(
    ("formula", "loss", "left_alone"),
    [
        ("y ~ a + b*x", "squared", True),
        ("y ~ exp(a + b*x)", "poisson", True),
        ("y ~ exp(2*a - b*x)", "squared", True),
        ("y ~ sigmoid(a + b*x)", "logistic", True),
        ("y ~ 0.5*(1 + erf((a + b*x)/sqrt(2)))", "logistic", True),
        ("y ~ c*exp(a + b*x)", "squared", False),
        ("y ~ sigmoid(b*(x - a))", "logistic", False),
    ],
)
def test_penalties_leave_the_intercept_alone_inside_a_function_too(formula, loss, left_alone) -> None:
    from descend.options.request import Request
    from descend.problem.posing import pose
    from descend.table import open_table

    with np.errstate(all="ignore"):
        problem = pose(Request(model=formula, loss=loss, l2=0.1, l1=0.2), open_table({"x": X, "y": (X > 1.0) * 1.0}))
    penalty, place = problem.objective.penalty, problem.model.parameters.labels.index("a")
    assert penalty is not None
    assert (penalty.l1[place] == 0.0, penalty.l2[place] == 0.0) == (left_alone, left_alone)
    assert (np.delete(penalty.l2, place) == 0.1).all()


def test_a_single_count_makes_one_too() -> None:
    fitted = descend.fit("y ~ exp(a + b*x)", {"x": X, "y": np.r_[np.zeros(15), 1.0, np.zeros(14)]}, loss="poisson")
    assert str(fitted.outcome) == "converged"
