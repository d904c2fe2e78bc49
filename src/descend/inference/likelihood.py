"""How probable the data are under a fit, and the criteria that weigh this against the number of parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.descent.commenting import comment
from descend.descent.solution import Solution
from descend.inference.determined import at_bound, rank, standing
from descend.inference.row_scores import ScoredRows, counted_rows, row_weights, weighted
from descend.inference.statistics import counting, squared_error
from descend.losses import Loss

Array = NDArray[np.float64]


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


@comment("the criteria")
def criteria_of(solution: Solution) -> Criteria | None:
    """Return the criteria of a fit; None for robust losses, penalties and modules."""
    loss = solution.loss_function
    if solution.penalised or not loss.likelihood or solution.model.in_place:
        return None
    held = standing(solution)
    known = rank(solution)
    redundant = 0 if known is None else int(np.count_nonzero(~known.kept)) - held
    alone = held - len(at_bound(solution))  # components of vectors that are fixed
    estimated = (
        solution.model.parameters.size - redundant - alone + (loss.dispersion == "estimated" and solution.sigma is None)
    )
    with np.errstate(all="ignore"):
        if solution.all_rows is None:
            if loss.quadratic:
                weighed = _logarithms(row_weights(solution)) if weighted(solution) else 0.0
                found = of_normal(squared_error(solution), counting(solution), weighed, solution.sigma is not None)
            else:
                found = log_likelihood(counted_rows(solution), loss)
            return criteria(found, estimated, counting(solution))
        from descend.inference import all_rows  # few fits need it

        total = all_rows.log_likelihood(solution, solution.all_rows)
        return None if total is None else criteria(total, estimated, solution.all_rows.counting)


def criteria(likelihood: float, estimated: int, rows: int) -> Criteria:
    """Return the criteria of a fit whose log-likelihood and number of ``estimated`` parameters are known."""
    aic = 2.0 * estimated - 2.0 * likelihood
    left = rows - estimated - 1
    aicc = aic + 2.0 * estimated * (estimated + 1) / left if left > 0 else math.inf
    return Criteria(likelihood, aic, aicc, estimated * math.log(rows) - 2.0 * likelihood)


def of_normal(squares: float, rows: int, weighed: float, known: bool) -> float:
    """Return the log-likelihood of normal residuals from S = sum omega_i r_i**2 and W = sum log omega_i.

    sigma known, omega_i = 1 / sigma_i**2:   -n/2 log(2 pi) + W/2 - S/2
    otherwise, variances v / omega_i at the v that makes it largest:   -n/2 (log(2 pi S / n) + 1) + W/2

    It is infinite if S = 0, and that of the left side of the formula: of log(y) for `log(y) ~ ...`.
    """
    if known:
        return 0.5 * (weighed - rows * math.log(2.0 * math.pi) - squares)
    return math.inf if squares == 0.0 else 0.5 * (weighed - rows * (math.log(2.0 * math.pi * squares / rows) + 1.0))


def _logarithms(omega: Array) -> float:
    return float(np.log(omega[omega > 0.0]).sum())


def log_likelihood(rows: ScoredRows, loss: Loss) -> float:
    """Return the log-likelihood at the parameters of a fit, and at deviance / n where the dispersion is not known.

    poisson:    sum omega_i (y_i log m_i - m_i - log(y_i!))
    logistic, bernoulli:   sum omega_i (y_i log p_i + (1 - y_i) log(1 - p_i)) + log (omega_i choose omega_i y_i)

    The last term is that of shares y_i of omega_i trials: 0 of single outcomes.
    """
    dispersion = 1.0
    if not loss.dispersion_known:
        dispersion = float(rows.omega @ loss.deviance(rows.score, rows.y)) / len(rows.y)
    return float(loss.log_density(rows.score, rows.y, rows.omega, dispersion).sum())
