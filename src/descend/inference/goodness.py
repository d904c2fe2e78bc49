"""How well a fit describes the data, where their scatter is known: chi-square, deviance, and whether both are as large
as they should be."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.descent.commenting import comment
from descend.descent.outcome import Outcome
from descend.descent.solution import Solution
from descend.inference.determined import standing
from descend.inference.row_scores import counted_rows
from descend.inference.statistics import counting, degrees_of_freedom, squared_error
from descend.wording import spell

Array = NDArray[np.float64]
FAR = 1.3
"""How many times its degrees of freedom a chi-square is far from them, or the inverse; if chance is no excuse."""
SELDOM = 1e-3
"""How seldom chance makes a chi-square so large or small, for it to be no excuse."""


@dataclass(frozen=True)
class Goodness:
    """Chi-square of a fit whose scatter is known, by ``sigma`` or by the distribution of its loss.

    chi_square: sum of the squared residuals, each over its variance: r**2 / sigma**2, or Pearson's
        omega (y - m)**2 / V(m), V the variance of a response of mean m: m of a count, m (1 - m) of an outcome.
    degrees: of freedom, n - p. reduced: their ratio, 1 on average where all is right. p: probability of a chi-square
        as large; of few counts or trials a row by a gamma distribution with mean and variance of Pearson's.

    Source: Pearson (1900), Philos. Mag. 50, 157-175; McCullagh & Nelder (1989), Generalized Linear Models, sec. 4.5.
    """

    chi_square: float
    degrees: int
    p: float

    @property
    def reduced(self) -> float:
        return self.chi_square / self.degrees


@comment("chi-square")
def goodness_of(solution: Solution) -> Goodness | None:
    """Return the chi-square of a fit; None where the scatter of its response is not known, or no row is left over."""
    if not _known(solution):
        return None
    degrees = degrees_of_freedom(solution)
    found = None if degrees is None or degrees <= 0 else _chi_square(solution)
    if found is None or degrees is None:
        return None
    from scipy import special

    chi_square, excess = found
    stretch = 1.0 + excess / (2.0 * counting(solution))  # variance over 2 n
    return Goodness(chi_square, degrees, float(special.chdtrc(degrees / stretch, chi_square / stretch)))


def _known(solution: Solution) -> bool:
    """Whether the variance of each row is known, and they are in memory where they are needed."""
    if solution.model.in_place or solution.penalised:
        return False
    return solution.sigma is not None or (solution.loss_function.dispersion_known and solution.all_rows is None)


def _chi_square(solution: Solution) -> tuple[float, float] | None:
    """Return chi-square, and by how much its variance exceeds that of normal residuals.

    Of a single outcome 0 or 1 its size says nothing: only of shares of several trials.
    """
    if solution.sigma is not None:
        return squared_error(solution), 0.0
    loss, rows = solution.loss_function, counted_rows(solution)
    mean = loss.mean(rows.score)
    variance = loss.variance(mean) / rows.omega
    certain = (variance == 0.0) & (rows.y == mean)  # probabilities that are 1 but for rounding
    if not loss.repeats(rows.y, rows.omega) or not (variance[~certain] > 0.0).all():
        return None
    found = float((np.square(rows.y - mean)[~certain] / variance[~certain]).sum())
    return found, float(loss.kurtosis(mean[~certain], rows.omega[~certain]).sum())


@comment("the deviance")
def deviance_of(solution: Solution) -> float | None:
    """Return twice what the log-likelihood lacks of that of a model with a mean for each row; None if it has none.

    Where the dispersion is estimated, this is at a dispersion of 1.

    squared: sum omega r**2. poisson: 2 sum omega (y log(y/m) - (y - m)).
    logistic, bernoulli: 2 sum omega (y log(y/p) + (1 - y) log((1 - y)/(1 - p))).
    """
    loss = solution.loss_function
    if not loss.likelihood or not loss.plain or solution.penalised or solution.model.in_place:
        return None
    if loss.quadratic:
        return squared_error(solution)
    if solution.all_rows is not None:
        return None
    rows = counted_rows(solution)
    return float(rows.omega @ loss.deviance(rows.score, rows.y))


def scatter_note(solution: Solution) -> str | None:
    """Say so where the data scatter far more, or far less, than was taken as known."""
    if solution.outcome is not Outcome.CONVERGED or not _known(solution):
        return None
    rough = counting(solution) - (solution.theta.size - standing(solution))
    found = None if rough <= 0 else _chi_square(solution)
    if found is None or 1.0 / FAR <= found[0] / rough <= FAR:
        return None
    good = goodness_of(solution)
    if good is None or min(good.p, 1.0 - good.p) > SELDOM / 2.0:
        return None
    return _of_sigma(solution, good) if solution.sigma is not None else _of_distribution(solution, good)


def _of_sigma(solution: Solution, good: Goodness) -> str:
    times = math.sqrt(good.reduced)
    head = (
        f"chi-square is {good.chi_square:.4g} for {good.degrees:,} degrees of freedom, {good.reduced:.3g} times as "
        f"large as it should be: residuals are {times:.3g} times as large as `{solution.sigma}` says, so standard "
        "errors are"
    )
    if good.reduced > 1.0:
        return head + " too small by as much. Correct sigma, or look for what the formula misses"
    return head + " too large. Correct sigma"


def _of_distribution(solution: Solution, good: Goodness) -> str:
    ratio, kind = good.reduced, "counts" if math.isinf(solution.loss_function.response_domain.high) else "shares"
    of = "Poisson" if kind == "counts" else "binomial"
    head = (
        f"the {kind} vary {ratio:.3g} times as much as those of a {of} distribution (Pearson's chi-square is "
        f"{good.chi_square:.4g} for {good.degrees:,} degrees of freedom)"
    )
    if ratio > 1.0:
        return head + (
            f": they are overdispersed, and standard errors too small by a factor of about {math.sqrt(ratio):.3g}. Ask "
            f"for {spell('errors', 'sandwich')}, or look for what the formula misses"
        )
    return head + ": they are underdispersed, and standard errors too large. Ask for " + spell("errors", "sandwich")
