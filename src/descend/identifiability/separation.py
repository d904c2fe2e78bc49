"""Outcomes that are predicted without error, or counts that are all 0: a logistic or Poisson loss has no minimum."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.formula.compile import compile_expression
from descend.formula.printers.filled import filled
from descend.formula.symbols import Quantity
from descend.identifiability.recession import Pulls, Recession, recession
from descend.models import Model, SymbolicModel
from descend.optimizers.curvature import is_finite
from descend.problem.preflight import listed
from descend.problem.problem import Problem
from descend.table.rows import Rows
from descend.wording import spell, using

Array = NDArray[np.float64]
NEAR = 1e-3
"""A prediction this close to the end of the range at which its response lies may be on its way there."""
UNSURE = 1e-3
"""Below this smallest eigenvalue of the curvature, scaled to a unit diagonal, some direction is nearly flat."""
STRIDES = (0.5, 1.0)
"""Relative steps of the parameters that test whether J keeps falling, where the score is not linear in them."""
LARGEST_BLOCK = 1 << 16
VANISHED = 1e-3
"""A Poisson fit of zeros ends at this share of its first loss: further steps only repeat the pattern."""


def no_minimum(problem: Problem, theta: Array) -> str | None:
    """Say so if J has no minimum because it keeps falling as parameters go to infinity.

    That happens if, along some direction, some rows are predicted ever better, as their response lies at the end of
    its range, and none worse: for outcomes 0 and 1 that are separated, completely or but for some on the border, and
    for a group of rows whose counts are all 0.
    """
    model, bounds, penalty = problem.model, problem.objective.bounds, problem.objective.penalty
    priors = problem.objective.priors
    if model.loss.classes:
        from descend.identifiability.separation_of_classes import separated_classes

        return separated_classes(problem, theta)
    if not model.loss.endless:
        return None
    if problem.objective.arrow:
        from descend.identifiability.separation_of_groups import endless_groups

        return endless_groups(problem, theta)
    free = bounds is None and penalty is None and priors is None and problem.all_rows is None
    same = always_the_same(problem) if free else None
    if same is not None and not _straight(model):
        return same
    if same is None and not _may_run_away(problem, model, theta):
        return None
    if free and same is None and (divergence := _complete(problem, theta)) is not None:
        return divergence
    low, high = np.full(theta.size, -np.inf), np.full(theta.size, np.inf)
    if bounds is not None:
        low, high = bounds.low.copy(), bounds.high.copy()
    for name in model.loss.own_parameters:
        low[model.parameters.slices[name]] = high[model.parameters.slices[name]] = 0.0
    if priors is not None:
        low[priors.priors.pulling] = high[priors.priors.pulling] = 0.0
    if penalty is not None:
        low[(penalty.l1 > 0.0) | (penalty.l2 > 0.0)] = high[(penalty.l1 > 0.0) | (penalty.l2 > 0.0)] = 0.0
    some = _pulls(model, theta, problem.rows)

    def every() -> Iterator[Pulls]:
        if problem.all_rows is None or len(some.wanted) == problem.objective.rows:
            yield some
        else:
            for block in problem.all_rows.lazy.blocks(LARGEST_BLOCK):
                yield _pulls(model, theta, block)

    separating = recession(some, every, low, high)
    if separating is None or not (_straight(model) or _falls_for_ever(problem, theta, separating)):
        return None
    return _separated(model, separating) if same is None else same


def _may_run_away(problem: Problem, model: Model, theta: Array) -> bool:
    """Whether some row is predicted nearly with certainty and some direction is nearly flat; else nothing ran away."""
    y, mean = model.observed(problem.columns), model.predict(theta, problem.columns)
    low, high = model.loss.response_domain.low, model.loss.response_domain.high
    certain = ((y == low) & (mean - low < NEAR)) | ((y == high) & (high - mean < NEAR))
    if not certain.any():
        return False
    curvature = problem.objective(theta, 2).curvature
    if curvature is None or not is_finite(curvature):
        return True
    diagonal = curvature.diagonal()
    if (problem.objective.rows * diagonal * theta**2 < 1.0).any() or certain.all():
        return True
    if not isinstance(curvature, np.ndarray):
        return True
    scale = 1.0 / np.sqrt(diagonal)
    return bool(np.linalg.eigvalsh(curvature * scale * scale[:, None])[0] < UNSURE)


def _straight(model: Model) -> bool:
    """Whether something linear in the parameters may go to infinity, so that what one step shows holds for ever.

    It may not if it is the prediction itself and that has to be positive.
    """
    if model.loss.link is not None and model.linear:
        return True
    if (symbolic := model.symbolic) is None:
        return False
    inside = symbolic.linear_predictor
    return inside is not None and inside is not symbolic.formula.expression


def _rising(model: SymbolicModel, inside: Expr) -> bool:
    """Whether the score rises with the linear predictor ``inside`` it."""
    value = Quantity("inside")
    outer = compile_expression(model.loss.score(model.formula.expression).xreplace({inside: value}), (value,))
    return float(outer(0.5)) > float(outer(-0.5))


def _pulls(model: Model, theta: Array, rows: Rows) -> Pulls:
    """Return the derivatives of the score of each row of nonzero weight, and which way the score should go."""
    columns = rows.columns
    y, domain = model.observed(columns), model.loss.response_domain
    pull_signs = np.where(y == domain.low, -1.0, np.where(y == domain.high, 1.0, 0.0))
    symbolic = model.symbolic if _straight(model) else None
    if symbolic is not None and (inside := symbolic.linear_predictor) is not None:
        slopes = {symbol: inside.diff(symbol) for symbol in symbolic.formula.unknowns}
        design = symbolic.derivatives_of(inside, slopes, theta, columns)[1]
        pull_signs = pull_signs if _rising(symbolic, inside) else -pull_signs
    else:
        design = model.scores_and_jacobian(theta, columns)[1]
    return (
        Pulls(design, pull_signs)
        if rows.omega is None
        else Pulls(design[rows.omega > 0.0], pull_signs[rows.omega > 0.0])
    )


def _complete(problem: Problem, theta: Array) -> str | None:
    """Say so if log-odds linear in the parameters are positive exactly in the rows whose response is 1."""
    model, columns = problem.model, problem.columns
    if not (model.formula is not None and model.linear and model.loss.link is not None):
        return None
    y = model.observed(columns)
    if not np.isin(y, (0.0, 1.0)).all() or not (np.abs(y - model.predict(theta, columns)) < 0.5).all():
        return None
    score = filled(model.formula, model.parameters.named(theta), None, model.loss.score(model.formula.expression))
    return (
        f"The data are separated by {score}: it is positive exactly where `{model.response}` is 1. "
        "The loss falls for as long as the parameters grow, so there is no best fit. Add a "
        f"penalty{using('l2')}, or more data."
    )


def _falls_for_ever(problem: Problem, theta: Array, found: Recession) -> bool:
    """Whether J falls or stays the same on long steps; for nonlinear scores the direction only holds near theta."""
    here = problem.objective(theta, 0).loss
    share = np.abs(found.direction) / np.maximum(np.abs(theta), 1e-300)
    for stride in STRIDES:
        there = problem.objective(theta + stride / float(share.max()) * found.direction, 0).loss
        if not there <= here + 1e-9 * abs(here) + 1e-12:
            return False
    return True


def _separated(model: Model, found: Recession) -> str:
    least = 1e-9 * float(np.abs(found.direction).max())
    ends = {True: "infinity", False: "minus infinity"}
    moving = [
        f"{label} towards {ends[way > 0.0]}"
        for label, way in zip(model.parameters.labels, found.direction.tolist(), strict=True)
        if abs(way) > least
    ]
    return (
        f"The data are separated: with {listed(moving, 'and')}, {found.moved:,} of {found.rows:,} rows are predicted "
        "ever better and none worse. The loss falls for as long as that goes on, so there is no best fit. Add a "
        f"penalty{using('l2')}, hold a parameter{using('bounds')} or {spell('fix')}, or use more data."
    )


def always_the_same(problem: Problem) -> str | None:
    """Say so if a response never leaves the end of its range: 0 for counts, 0 or 1 for outcomes.

    The best prediction is then that end, which the exponential and the sigmoid function reach at infinity only.
    """
    model, y = problem.model, problem.rows.y
    end, domain = float(y[0]) + 0.0, model.loss.response_domain
    if end not in (domain.low, domain.high) or (y != end).any():
        return None
    kind, more = ("mean", "counts above 0") if math.isinf(domain.high) else ("probability", "both outcomes")
    return (
        f"`{model.response}` is {end:g} in every row, so the loss falls for as long as the predicted {kind} nears "
        f"{end:g}, and there is no best fit: that lies at infinity. Use data with {more}."
    )
