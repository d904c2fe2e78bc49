"""The likelihoods of many fits, and the criteria that follow from them, for all groups at once from their sums."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.descent.outcome import Outcome
from descend.formula.compile import compile_expression
from descend.losses.formulas import DISPERSION
from descend.losses.row_sums import row_terms
from descend.many.kept_minima import GroupStatistics
from descend.many.outcomes import Outcomes

Array = NDArray[np.float64]
Places = NDArray[np.intp]


def judge(groups_fitted: GroupStatistics, groups: Places, outcomes: Outcomes) -> None:
    """Keep the criteria of those groups that were fitted together, as `descend.inference.likelihood` has those of one.

    With k estimated parameters, counting a residual variance if it is estimated, n rows, and the log-likelihood L:

        AIC = 2 k - 2 L,   AICc = AIC + 2 k (k + 1) / (n - k - 1),   BIC = k log n - 2 L
    """
    request, model, together = groups_fitted.request, groups_fitted.model, outcomes.outcome == str(Outcome.CONVERGED)
    together[list(outcomes.fits)] = False
    groups = groups[together[groups]]
    scaled = model.loss.dispersion == "estimated" and not request.roles.scale_known
    if not model.loss.density or request.priors or not len(groups):
        return
    with np.errstate(all="ignore"):
        likelihood = _likelihood(groups_fitted, groups, outcomes.loss[groups] * groups_fitted.totals[groups], scaled)
        if likelihood is None:
            return
        bounds, rows = groups_fitted.bounds, groups_fitted.counting[groups]
        fixed = 0 if bounds is None else int(np.count_nonzero(bounds.low == bounds.high))  # components of vectors
        estimated = model.parameters.size - fixed + scaled
        aic, spare = 2.0 * estimated - 2.0 * likelihood, rows - estimated - 1
        aicc = aic + np.where(spare > 0, 2.0 * estimated * (estimated + 1) / spare, np.inf)
        bic = estimated * np.log(rows) - 2.0 * likelihood
    outcomes.criteria[groups] = np.column_stack([likelihood, aic, aicc, bic])


def _likelihood(groups_fitted: GroupStatistics, groups: Places, total: Array, scaled: bool) -> Array | None:
    """Return the log-likelihood of each group. total: the sum of its loss; scaled: whether its scale is estimated."""
    loss, weighted = groups_fitted.model.loss, groups_fitted.request.roles.spread is not None
    rows = groups_fitted.counting[groups]

    def sum_of(term: Expr) -> Array | None:
        return np.full(len(rows), float(term)) * rows if term.is_number else groups_fitted.sum_of(term, groups)

    dispersion: Array = np.full(len(groups), loss.known_dispersion)
    if scaled:
        least = 0.0 * total if loss.of_residual else sum_of(row_terms(loss, weighted)[-1])
        if least is None:
            return None
        dispersion = 2.0 / loss.unit * (total - least) / rows
    likelihood: Array = -total / (loss.unit * dispersion)
    terms = loss.normaliser_terms(weighted)
    for factor, row in () if terms is None else terms:
        summed = sum_of(row)
        if summed is None:
            return None
        likelihood = likelihood + compile_expression(factor, (DISPERSION,))(dispersion) * summed
    return None if terms is None else np.where(dispersion == 0.0, np.inf, likelihood)


def criteria_of(outcomes: Outcomes) -> Array:
    """Return log-likelihood, AIC, AICc and BIC of all groups, (groups, 4), NaN where there are none."""
    criteria = outcomes.criteria.copy()
    for group, fit in outcomes.fits.items():
        if (of_fit := fit.criteria) is not None:
            criteria[group] = of_fit.log_likelihood, of_fit.aic, of_fit.aicc, of_fit.bic
    return criteria
