"""How probable the data are under a fit, and the criteria that weigh this against the number of parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.formula.compile import compile_expression
from descend.inference.row_scores import row_weights, weighted
from descend.inference.statistics import counting, standing, total_weight
from descend.losses.formulas import DISPERSION

if TYPE_CHECKING:
    from descend.results.fit import Fit

Array = NDArray[np.float64]
BLOCK = 1 << 16
"""Rows that are read at a time."""


@dataclass(frozen=True)
class Criteria:
    """Information criteria of a fit: of two fits to the same rows, the one with the lower number is preferred.

    log_likelihood: L. With k parameters that were estimated, a residual variance among them, and n rows:
    aic: 2 k - 2 L. aicc: aic + 2 k (k + 1) / (n - k - 1), for few rows; infinite if n <= k + 1. bic: k log n - 2 L.

    Source: Akaike (1974); Hurvich & Tsai (1989), Biometrika 76, 297-307; Schwarz (1978), Ann. Statist. 6, 461-464.
    """

    log_likelihood: float
    aic: float
    aicc: float
    bic: float


def criteria_of(fit: Fit) -> Criteria | None:
    """Return the criteria of a fit; None for robust losses, penalties and modules."""
    if fit.kept is None:
        values = [fit.stored.get(name) for name in ("log_likelihood", "aic", "aicc", "bic")]
        return None if values[0] is None else Criteria(*(math.inf if value is None else value for value in values))
    loss = fit.loss_function
    if fit.penalised or not loss.likelihood or fit.model.in_place:
        return None
    held = standing(fit)
    redundant = 0 if fit.rank is None else int(np.count_nonzero(~fit.rank.kept)) - held
    alone = held - len(fit.at_bound)  # components of vectors that are fixed
    estimated = fit.model.parameters.size - redundant - alone + (loss.dispersion == "estimated" and fit.sigma is None)
    with np.errstate(all="ignore"):
        found = log_likelihood(fit)
    return None if found is None else criteria(found, estimated, counting(fit))


def criteria(likelihood: float, estimated: int, rows: int) -> Criteria:
    """Return the criteria of a fit whose log-likelihood and number of ``estimated`` parameters are known."""
    aic = 2.0 * estimated - 2.0 * likelihood
    left = rows - estimated - 1
    aicc = aic + 2.0 * estimated * (estimated + 1) / left if left > 0 else math.inf
    return Criteria(likelihood, aic, aicc, estimated * math.log(rows) - 2.0 * likelihood)


def log_likelihood(fit: Fit) -> float | None:
    """Return the sum of the log-densities of all rows (see ``Loss``); None if a sum over them is not known.

    Where the dispersion is not known it is taken for deviance / n, of normal errors the one that makes this largest:

        -n/2 (log(2 pi S / n) + 1) + W/2,   S = sum omega_i r_i**2,   W = sum log omega_i

    It is infinite if S = 0, and that of the left side of the formula: of log(y) for `log(y) ~ ...`.
    """
    loss, total, dispersion = fit.loss_function, fit.loss * total_weight(fit), 1.0
    with_weights = weighted(fit)
    if loss.dispersion == "estimated" and fit.sigma is None:
        least = 0.0 if loss.of_residual else _sum(fit, loss.row_terms(with_weights)[-1])
        if least is None:
            return None
        dispersion = 2.0 / loss.unit * (total - least) / counting(fit)
        if dispersion == 0.0:
            return math.inf
    terms = loss.normaliser_terms(with_weights)
    if terms is None:
        return _normaliser(fit, dispersion) - total / (loss.unit * dispersion)
    found = -total / (loss.unit * dispersion)
    for factor, row in terms:
        rows = _sum(fit, row)
        if rows is None:
            return None
        found += float(compile_expression(factor, (DISPERSION,))(dispersion)) * rows
    return found


def _sum(fit: Fit, term: Expr) -> float | None:
    """Return the sum of a term of the likelihood over all rows of a weight above 0."""
    assert fit.kept is not None
    if term.is_number:
        return float(term) * counting(fit)
    if fit.kept.whole is not None:
        return fit.kept.whole.terms.get(term)
    return fit.loss_function.sum_over_rows(term, fit.model.observed(fit.kept.columns), row_weights(fit))


def _normaliser(fit: Fit, dispersion: float) -> float:
    """Return what makes a log-density of the loss, summed over weighted rows, block by block if there are many."""
    assert fit.kept is not None
    loss, whole = fit.loss_function, fit.kept.whole
    total = 0.0
    for rows in [fit.kept.rows] if whole is None else whole.lazy.blocks(BLOCK):
        assert rows.omega is not None
        y = fit.model.observed(rows.columns)
        total += float(loss.log_normaliser(y, rows.omega, dispersion)[rows.omega > 0.0].sum())
    return total
