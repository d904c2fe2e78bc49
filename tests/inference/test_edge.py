"""Best fits at the edge of what a loss allows: said, and without a standard error that means nothing."""

from __future__ import annotations

import numpy as np
import pytest

import descend

X = np.arange(20.0)
COUNTS = np.array([0.0, 0, 0, 0, 0, 0, 1, 0, 2, 1, 3, 4, 3, 5, 6, 5, 8, 7, 9, 9])


def test_a_line_of_counts_that_reaches_zero():
    fit = descend.fit("y ~ a + b*x", {"x": X, "y": COUNTS}, loss="poisson")
    assert fit.parameters["b"] == pytest.approx(COUNTS.sum() / X.sum())  # where a is 0
    assert fit.standard_errors is not None
    assert np.isnan(fit.standard_errors["a"])
    assert fit.standard_errors["b"] == pytest.approx(np.sqrt(fit.parameters["b"] / X.sum()))
    assert fit.notes[-1] == (
        "the prediction is 0 in row 1 (x = 0), at the edge of what the poisson loss allows; a has no standard error "
        "there, and those of the others are with it held there. Keep parameters inside with `bounds`, or use a formula "
        "that cannot reach the edge, such as exp(a + b*x)"
    )


@pytest.mark.parametrize(
    ("formula", "counts"),
    [
        ("y ~ a + b*x", COUNTS + 1),
        ("y ~ exp(a + b*x)", COUNTS),
        ("y ~ exp(a - b*x)", np.r_[np.round(40 * np.exp(-1.5 * X[:6])), np.zeros(14)]),  # near 0, and never there
    ],
)
def test_what_stays_away_from_it_is_left_alone(formula, counts):
    fit = descend.fit(formula, {"x": X, "y": counts}, loss="poisson")
    assert fit.outcome == "converged"
    assert not any("edge" in note for note in fit.notes)
    assert fit.standard_errors is not None and np.isfinite(list(fit.standard_errors.values())).all()
