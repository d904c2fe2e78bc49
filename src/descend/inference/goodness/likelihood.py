"""The log-likelihood of a fit, and the criteria that weigh it against the number of parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from sympy import Expr

from descend.descent.comments_on_solution import comment
from descend.descent.solution import Solution
from descend.formula.compile import compile_expression
from descend.inference.determined import at_bound, rank, standing
from descend.inference.scatter_of_rows import scatter_of
from descend.inference.scored_rows import row_weights, weighted
from descend.inference.statistics import responses, total_loss
from descend.losses.formulas import DISPERSION
from descend.losses.row_sums import row_terms, sum_over_rows

BLOCK = 1 << 16
"""Rows read at a time."""


@dataclass(frozen=True)
class Criteria:
    """Information criteria of a fit: of two fits to the same rows, the one with the lower number is preferred.

    log_likelihood: L. With k estimated parameters, counting a residual variance if it is estimated, and n rows:
    With priors, L is that of the data alone, and k the number of parameters that the data determine.
    aic: 2 k - 2 L. aicc: aic + 2 k (k + 1) / (n - k - 1), for few rows; infinite if n <= k + 1. bic: k log n - 2 L.

    Source: Akaike (1974); Hurvich & Tsai (1989), Biometrika 76, 297-307; Schwarz (1978), Ann. Statist. 6, 461-464.
    """

    log_likelihood: float
    aic: float
    aicc: float
    bic: float


@comment("the criteria")
def criteria_of(solution: Solution) -> Criteria | None:
    """Return the criteria of a fit; None for robust losses, penalties and modules."""
    loss = solution.loss_function
    if solution.penalised or not loss.density or solution.model.in_place:
        return None
    solution_standing = standing(solution)
    rank_known = rank(solution)
    redundant = 0 if rank_known is None else int(np.count_nonzero(~rank_known.kept)) - solution_standing
    alone = solution_standing - len(at_bound(solution))  # fixed components of vectors
    scatter = scatter_of(solution)
    scale = loss.dispersion == "estimated" and not solution.scale_known
    power = scatter is not None and bool(scatter.form)
    estimated: float = solution.model.parameters.size - redundant - alone + scale + power
    if (priors := solution.objective.priors) is not None:
        from descend.inference.covariance.posterior import determined_by_data

        estimated = determined_by_data(solution, priors) + scale + power
    with np.errstate(all="ignore"):
        log_density = log_likelihood(solution)
    return None if log_density is None else criteria(log_density, estimated, responses(solution))


def criteria(likelihood: float, estimated: float, rows: int) -> Criteria:
    """Return the criteria of a fit whose log-likelihood and number of ``estimated`` parameters are known."""
    aic = 2.0 * estimated - 2.0 * likelihood
    left = rows - estimated - 1
    aicc = aic + 2.0 * estimated * (estimated + 1) / left if left > 0 else math.inf
    return Criteria(likelihood, aic, aicc, estimated * math.log(rows) - 2.0 * likelihood)


def log_likelihood(solution: Solution) -> float | None:
    """Return the sum of the log-densities of all rows (see ``Loss``); None if it cannot be computed.

    An unknown dispersion is taken as deviance / n, which for normal errors maximises the likelihood:

        -n/2 (log(2 pi S / n) + 1) + W/2,   S = sum omega_i r_i**2,   W = sum log omega_i

    With a covariance C of the rows, S = r' C^-1 r, and -1/2 log det C is part of it. It is infinite if S = 0. It is the
    likelihood of the formula's left side: of log(y) for `log(y) ~ ...`.
    """
    loss, total = solution.loss_function, total_loss(solution)
    dispersion = loss.known_dispersion
    with_weights = weighted(solution)
    if loss.dispersion == "estimated" and not solution.scale_known:
        smallest_sum = 0.0 if loss.of_residual else _sum(solution, row_terms(loss, with_weights)[-1])
        if smallest_sum is None:
            return None
        dispersion = 2.0 / loss.unit * (total - smallest_sum) / responses(solution)
        if dispersion == 0.0:
            return math.inf
    whitening = solution.sample.whitening
    total += loss.unit * dispersion * (0.0 if whitening is None else 0.5 * whitening.log_determinant)
    terms = loss.normaliser_terms(with_weights)
    if terms is None:
        return _normaliser(solution, dispersion) - total / (loss.unit * dispersion)
    log_density = -total / (loss.unit * dispersion)
    for factor, row in terms:
        rows = _sum(solution, row)
        if rows is None:
            return None
        log_density += float(compile_expression(factor, (DISPERSION,))(dispersion)) * rows
    return log_density


def _sum(solution: Solution, term: Expr) -> float | None:
    """Return the sum of a term of the likelihood over all rows of a weight above 0."""
    if term.is_number:
        return float(term) * responses(solution)
    if solution.all_rows is not None:
        return solution.all_rows.terms.get(term)
    return sum_over_rows(solution.loss_function, term, solution.model.observed(solution.columns), row_weights(solution))


def _normaliser(solution: Solution, dispersion: float) -> float:
    """Return the sum of the log-normalisers of the weighted rows, block by block if they are not in memory."""
    loss, all_rows = solution.loss_function, solution.all_rows
    total = 0.0
    for rows in [solution.sample] if all_rows is None else all_rows.lazy.blocks(BLOCK):
        y = solution.model.observed(rows.columns)
        omega = np.ones(len(y)) if rows.omega is None else rows.omega
        loss = loss.given({name: rows.columns[name] for name in loss.own_columns}, solution.parameters)
        total += float(loss.log_normaliser(y, omega, dispersion)[omega > 0.0].sum())
    return total
