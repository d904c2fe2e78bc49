"""Outcomes without error or without any count: a logistic or a Poisson loss then has no minimum."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from descend.formula.functions import NAMES
from descend.models import FormulaModel, Model

Array = NDArray[np.float64]
CERTAIN = 1e-6
"""Distance of a probability from 0 or 1 below which the outcome is as good as certain."""
VANISHED = 1e-3
"""Share of its first loss at which a Poisson fit of zeros ends: from there on it only repeats itself."""
RUN_AWAY = 50.0
"""Standard errors in units of the parameter itself, beyond which it is on its way to infinity."""


def separation(
    model: FormulaModel,
    theta: Array,
    columns: Mapping[str, Array],
    curvature: Array | None,
    fitted: Callable[[], str],
) -> str | None:
    """Say so if parameters of a logistic fit have run towards infinity, where the loss has no minimum.

    If a score linear in theta is positive exactly where y is 1, k theta lowers the loss for every k > 1. If some rows
    only are certain, and a standard error is many times its parameter, the same holds for a part of the rows.
    fitted: returns the formula with theta in it.

    Source: Albert & Anderson (1984), On the existence of maximum likelihood estimates, Biometrika 71, 1-10.
    """
    y, probability = model.observed(columns), model.predict(theta, columns)
    if not np.isin(y, (0.0, 1.0)).all() or len(np.unique(y)) < 2:
        return None
    expression = model.formula.expression
    linear = model.linear or (NAMES.get(expression.func) == "sigmoid" and _linear_inside(model))
    wrong = np.abs(y - probability)
    name = model.response
    if (wrong < 0.5).all() and (linear or (wrong < CERTAIN).all()):
        right = fitted().partition(" ~ ")[2]
        right = right.removeprefix("sigmoid(").removesuffix(")") if right.startswith("sigmoid(") else right
        return (
            f"The data are separated by {right}: it is positive exactly where `{name}` is 1. The loss falls for as "
            "long as the parameters grow, so there is no best fit. Add a penalty with --l2, or more data."
        )
    if curvature is None or not (wrong < CERTAIN).any():
        return None
    away = [
        label
        for k, label in enumerate(model.parameters.labels)
        if _error(curvature, k, len(y)) > RUN_AWAY * abs(theta[k]) > 0.0
        and _makes_certain(model, theta, k, columns, wrong)
    ]
    if not away:
        return None
    rows = int((wrong < CERTAIN).sum())
    return (
        f"{', '.join(away)} ran towards infinity: in {rows:,} rows the outcome is certain, so the loss falls for as "
        "long as the parameters grow, and there is no best fit. Add a penalty with --l2, or more data."
    )


def without_end(model: FormulaModel, theta: Array, columns: Mapping[str, Array], weights: Array | None) -> str | None:
    """Say so if a log-linear Poisson fit has no minimum, for rows of zeros can be predicted ever nearer to 0.

    With log(mean) = X theta: a direction d with X d = 0 in the rows of counts above 0, X d <= 0 in those of 0, and
    below 0 in some, lowers the loss for ever. It is looked for, by linear programming, where some zeros are predicted
    that well already.

    Source: Correia, Guimaraes & Zylkin (2019), Verifying the existence of maximum likelihood estimates.
    """
    y, mean = model.observed(columns), model.predict(theta, columns)
    counting = np.ones(y.size, dtype=bool) if weights is None else weights > 0.0
    zero = counting & (y == 0.0)
    if not model.log_linear or not (mean[zero] < CERTAIN * y[counting].mean()).any():
        return None
    ways, none = np.eye(theta.size), np.zeros(theta.size)
    design = np.array([np.log(model.predict(way, columns)) - np.log(model.predict(none, columns)) for way in ways]).T
    from scipy import optimize

    size = np.abs(design[counting]).max(axis=0)
    scaled = design / np.where(size > 0.0, size, 1.0)
    found = optimize.linprog(
        scaled[zero].sum(axis=0), A_ub=np.vstack([scaled[zero], -scaled[zero]]),
        b_ub=np.concatenate([np.zeros(zero.sum()), np.ones(zero.sum())]),
        A_eq=scaled[counting & ~zero], b_eq=np.zeros((counting & ~zero).sum()), bounds=(None, None),
    )  # fmt: skip
    if found.status != 0 or not found.fun < -CERTAIN:
        return None
    falling = int((scaled[zero] @ found.x < -CERTAIN).sum())
    along = np.flatnonzero(np.abs(found.x) > CERTAIN * np.abs(found.x).max())
    moved = " and ".join(model.parameters.labels[place] for place in along)
    rows = "a row" if falling == 1 else f"{falling:,} rows"
    return (
        f"`{model.response}` is 0 in {rows} whose mean {moved} can lower for ever, leaving all other rows as they are: "
        "so the loss falls for ever, and there is no best fit: that lies at infinity. Add a penalty with --l2, or use "
        "more data."
    )


def always_the_same(model: Model, columns: Mapping[str, Array]) -> str | None:
    """Say so if a response never leaves the end of its range: 0 for counts, 0 or 1 for outcomes.

    The best prediction is then that end, which the exponential and the sigmoid function reach at infinity only.
    """
    if model.loss.name not in ("poisson", "logistic"):
        return None
    y = model.observed(columns)
    end = float(y[0])
    if (y != end).any() or end not in ((0.0,) if model.loss.name == "poisson" else (0.0, 1.0)):
        return None
    what, more = ("probability", "both outcomes") if model.loss.name == "logistic" else ("mean", "counts above 0")
    return (
        f"`{model.response}` is {end:g} in every row, so the loss falls for as long as the predicted {what} nears "
        f"{end:g}, and there is no best fit: that lies at infinity. Use data with {more}, or add a penalty with --l2."
    )


def _error(curvature: Array, k: int, rows: int) -> float:
    """Return the standard error of one parameter if the others were known, the least it can be."""
    return 1.0 / math.sqrt(rows * curvature[k, k]) if curvature[k, k] > 0.0 else math.inf


def _makes_certain(model: FormulaModel, theta: Array, k: int, columns: Mapping[str, Array], wrong: Array) -> bool:
    """Whether a tenth of a parameter would leave some rows far less certain: one that is merely small would not."""
    lessened = theta.copy()
    lessened[k] /= 10.0
    probability, y = model.predict(lessened, columns), model.observed(columns)
    return bool((np.abs(y - probability)[wrong < CERTAIN] > 100.0 * CERTAIN).any())


def _linear_inside(model: FormulaModel) -> bool:
    inside = model.formula.expression.args[0]
    return all(not inside.diff(symbol).free_symbols & set(model.formula.unknowns) for symbol in model.formula.unknowns)
