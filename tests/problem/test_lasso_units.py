"""An l1 penalty in columns of very unlike sizes: its minimum, in the units of the user, is reached in few epochs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

import descend


def rows(seed: int):
    rng = np.random.default_rng(seed)
    data = {"x1": rng.uniform(50, 400, 40), "x2": rng.uniform(1, 5, 40), "x3": rng.uniform(0.01, 0.03, 40)}
    chance = 1 / (1 + np.exp(-(data["x1"] - 200) / 60 - (data["x3"] - 0.02) * 200))
    return data, (rng.random(40) < chance).astype(float)


def lowest(value, size: int, l1: float) -> float:
    """The least of J + l1 sum |w|, by L-BFGS-B on w = u - v, u and v 0 or more."""
    ends = minimize(
        lambda uv: value(uv[:size] - uv[size:]) + l1 * uv.sum(), np.full(2 * size, 1e-3), method="L-BFGS-B",
        bounds=[(0, None)] * 2 * size, options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 20_000, "maxfun": 10**6},
    )  # fmt: skip
    return float(ends.fun)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("formula", ["y ~ sigmoid(w @ [x*])", "y ~ w @ [x*]"])
def test_logistic_lasso(formula, seed):
    columns, y = rows(seed)
    design = np.column_stack(list(columns.values()))
    fit = descend.fit(formula, {**columns, "y": y}, loss="logistic", l1=0.01)
    assert fit.outcome == "converged" and fit.epochs < 5_000
    best = lowest(lambda w: float(np.mean(np.logaddexp(0, design @ w) - y * (design @ w))), 3, 0.01)
    assert fit.loss <= best + 1e-7


def test_an_optimizer_that_is_named_goes_its_own_way():
    columns, y = rows(1)
    fit = descend.fit("y ~ sigmoid(w @ [x*])", {**columns, "y": y}, loss="logistic", l1=0.01, optimizer="gd", epochs=5)
    assert not any("standardised" in note for note in fit.notes)
