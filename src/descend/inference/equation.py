"""The fitted equation, with enough digits that predicting from it by hand gives what the fit predicts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from descend.descent.comments_on_solution import comment
from descend.descent.solution import Named, Solution
from descend.formula import Formula, read_formula
from descend.formula.printers.code import as_text
from descend.formula.printers.filled import Rounding, filled
from descend.inference.scored_rows import ScoredRows, rows_that_count
from descend.losses.contract import NORMAL
from descend.models import Model
from descend.parameters import Constraints

Array = NDArray[np.float64]
SHARE = 0.02
"""How much rounding the values may change a prediction, as a share of the residual standard deviation."""
FLOOR = 1e-6
"""Residuals smaller than this share of the spread of the response do not call for more digits."""
NOISE = 64.0 * float(np.finfo(np.float64).eps)
"""A term below this share of the largest prediction is nothing but rounding."""
ROWS = 1_000
"""Most rows used."""
MANY = 200
"""With more parameters than this, nobody predicts by hand."""


def equation(model: Model, parameters: Named, rounding: Rounding) -> str:
    """Return the formula with the values of its parameters in it; empty for a Python function or a module."""
    if model.formula is None:
        return ""
    formula = _with_all_groups(model.formula, model.constraints)
    named = (as_text(formula.response),) if not formula.parts else formula.levels[-1].labels
    equations = zip(named, formula.parts or (formula,), strict=True)
    return "; ".join(f"{response} ~ {filled(part, parameters, rounding)}" for response, part in equations)


def _with_all_groups(formula: Formula, constraints: Constraints | None) -> Formula:
    """Return a formula in which a parameter of groups is whole, though some of its values are held or tied."""
    if constraints is None or not constraints.places:
        return formula
    values_held = {name: value for name, value in constraints.given.items() if name not in constraints.places}
    columns = (*formula.given, *formula.unused)
    return read_formula(formula.text, columns, None, constraints.parameters.shapes, (), values_held, formula.levels)


@comment("the digits of the equation", empty=dict)
def rounding(solution: Solution) -> Rounding:
    """Return by how much each free component may be rounded when it is written; None for one that is only noise.

    With s the residual standard deviation (for robust losses 1.4826 median |r|) and f_ik the derivative of prediction i
    by component k of p, rounding it by

        SHARE s / sqrt(p mean_i f_ik**2)

    changes predictions by about SHARE s. For poisson and logistic s is 1 and f_ik**2 is weighed by the curvature of
    the loss, so that predictions are measured in their own standard deviations. A component that enters linearly is
    noise if its term is nowhere larger than NOISE times the largest prediction.
    """
    model = solution.model.symbolic
    if (
        model is None
        or solution.objective.arrow
        or not 0 < model.parameters.size <= MANY
        or not np.isfinite(solution.theta).all()
    ):
        return {}
    with np.errstate(all="ignore"):
        rows = rows_that_count(solution, ROWS)
        within = _within(solution, rows)
        size = np.abs(rows.score).max(initial=0.0)
        terms = np.abs(rows.jacobian * solution.theta).max(axis=0, initial=0.0)
        noise = (terms <= NOISE * size) & (solution.theta != 0.0) & model.separable
    return {
        label: None if left_out else float(error)
        for label, error, left_out in zip(model.parameters.labels, within, noise, strict=True)
        if left_out or (np.isfinite(error) and error > 0.0)
    }


def _within(solution: Solution, rows: ScoredRows) -> Array:
    """Return by how much each component may be rounded."""
    share = rows.omega / rows.omega.sum()
    loss, bend, spread = solution.loss_function, np.ones(len(share)), 1.0
    if loss.likelihood:
        bend = rows.loss.weight(rows.score, rows.y) / loss.unit
    if not loss.dispersion_known:
        if loss.likelihood and loss.plain:
            spread = float(np.sqrt(share @ loss.deviance(rows.score, rows.y)))
        else:
            spread = NORMAL * float(np.median(np.abs(rows.y - rows.score)))
        spread = max(spread, FLOOR * float(np.sqrt(share @ (bend * (rows.score - share @ rows.score) ** 2))))
    reach = np.square(rows.jacobian).T @ (share * bend)
    return np.asarray(SHARE * spread / np.sqrt(len(reach) * reach))
