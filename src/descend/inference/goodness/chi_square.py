"""How well a fit describes the data, where their scatter is known: chi-square, deviance, and whether the data scatter
as much as they should."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from descend.descent.comments_on_solution import comment
from descend.descent.outcome import Outcome
from descend.descent.solution import Solution
from descend.inference.determined import standing
from descend.inference.scored_rows import scored_rows
from descend.inference.statistics import counting, degrees_of_freedom, responses, squared_error, total_loss
from descend.wording import spell

FAR = 1.3
"""A chi-square this many times its degrees of freedom, or the inverse, is far from them, unless chance explains it."""
SELDOM = 1e-3
"""Chance is no explanation if it makes a chi-square as large or as small with less than this probability."""


@dataclass(frozen=True)
class Goodness:
    """Chi-square of a fit whose scatter is known, by ``sigma`` or by the distribution of its loss.

    chi_square: sum of the squared residuals, each over its variance: r**2 / sigma**2, or Pearson's
        omega (y - m)**2 / V(m), V the variance of a response of mean m: m of a count, m (1 - m) of an outcome.
    degrees: degrees of freedom, n - p. reduced: chi_square / degrees, 1 on average if all is right. p: probability of a
        chi-square as large; where rows have few counts or trials, by a gamma distribution with its mean and variance.

    Source: Pearson (1900), Philos. Mag. 50, 157-175; McCullagh & Nelder (1989), Generalized Linear Models, sec. 4.5.
    """

    chi_square: float
    degrees: float
    p: float

    @property
    def reduced(self) -> float:
        return self.chi_square / self.degrees


@comment("chi-square")
def goodness_of(solution: Solution) -> Goodness | None:
    """Return the chi-square of a fit; None where the scatter is not known, or no degrees of freedom are left."""
    if not _scatter_known(solution):
        return None
    degrees = degrees_of_freedom(solution)
    if degrees is not None:  # every response adds a square, where several share the true inputs of a row, too
        degrees += responses(solution) - counting(solution)
    square = None if degrees is None or degrees <= 0 else _chi_square(solution)
    if square is None or degrees is None:
        return None
    from scipy import special

    chi_square, excess = square
    stretch = 1.0 + excess / (2.0 * responses(solution))  # the variance of chi-square, divided by 2 n
    return Goodness(chi_square, degrees, float(special.chdtrc(degrees / stretch, chi_square / stretch)))


def _scatter_known(solution: Solution) -> bool:
    """Whether the variance of each row is known, and the rows are in memory if they are needed."""
    if solution.model.in_place or solution.penalised or solution.loss_function.classes:
        return False
    loss = solution.loss_function
    return (solution.scale_known and loss.likelihood) or (loss.dispersion_known and solution.all_rows is None)


def _chi_square(solution: Solution) -> tuple[float, float] | None:
    """Return chi-square, and by how much its variance exceeds that of normal residuals.

    None for single outcomes 0 or 1, for which its size says nothing: only shares of several trials have one.
    """
    if solution.scale_known or solution.loss_function.squares:
        return squared_error(solution), 0.0
    loss, rows = solution.loss_function, scored_rows(solution)
    mean, loss = loss.mean(rows.score), rows.loss
    variance = loss.variance(mean) / rows.omega
    certain = (variance == 0.0) & (rows.y == mean)  # rows predicted with certainty, to rounding, and rightly
    if not loss.repeats(rows.y, rows.omega) or not (variance[~certain] > 0.0).all():
        return None
    chi_square = float((np.square(rows.y - mean)[~certain] / variance[~certain]).sum())
    return chi_square, float(loss.kurtosis(mean[~certain], rows.omega[~certain]).sum())


@comment("the deviance")
def deviance_of(solution: Solution) -> float | None:
    """Return twice the log-likelihood lost against a model with a mean for each row; None if the loss has none.

    Where the dispersion is estimated, the deviance is taken at a dispersion of 1.

    squared: sum omega r**2. poisson: 2 sum omega (y log(y/m) - (y - m)).
    logistic, bernoulli: 2 sum omega (y log(y/p) + (1 - y) log((1 - y)/(1 - p))). classes: -2 log-likelihood.
    """
    loss = solution.loss_function
    if loss.classes and not solution.penalised:
        return 2.0 * total_loss(solution)  # a probability of 1 for each observed class would leave none
    has_deviance = loss.plain or bool(loss.saturated_text)
    if not loss.likelihood or not has_deviance or solution.penalised or solution.model.in_place:
        return None
    if loss.quadratic:
        return squared_error(solution)
    if solution.all_rows is not None:
        return None
    rows = scored_rows(solution)
    return float(rows.omega @ rows.loss.deviance(rows.score, rows.y))


def scatter_note(solution: Solution) -> str | None:
    """Say so if the data scatter far more, or far less, than was taken as known; else None."""
    if solution.outcome is not Outcome.CONVERGED or not _scatter_known(solution):
        return None
    rough: float = responses(solution) - (solution.theta.size - standing(solution))
    if solution.objective.priors is not None:
        rough = degrees_of_freedom(solution) or 0.0
    chi_square = None if rough <= 0 else _chi_square(solution)
    if chi_square is None or 1.0 / FAR <= chi_square[0] / rough <= FAR:
        return None
    good = goodness_of(solution)
    if good is None or min(good.p, 1.0 - good.p) > SELDOM / 2.0:
        return None
    scale_known = solution.scale_known or solution.loss_function.squares
    return _of_sigma(solution, good) if scale_known else _of_distribution(solution, good)


def _of_sigma(solution: Solution, good: Goodness) -> str:
    times, source = math.sqrt(good.reduced), _source_of_scatter(solution)
    head = (
        f"chi-square is {good.chi_square:.4g} for {good.degrees:,.6g} degrees of freedom, {good.reduced:.3g} times as "
        f"large as it should be: residuals are {times:.3g} times as large as {source} says, so standard "
        "errors are"
    )
    if good.reduced > 1.0:
        return head + " too small by as much. Correct sigma, or look for what the formula misses"
    return head + " too large. Correct sigma"


def _source_of_scatter(solution: Solution) -> str:
    """Return what says how far the data should scatter."""
    if solution.loss_function.deviations is not None:
        return " and ".join(f"`{name}`" for name in dict.fromkeys(solution.loss_function.deviations))
    return "the covariance" if solution.sigma is None else f"`{solution.sigma}`"


def _of_distribution(solution: Solution, good: Goodness) -> str:
    ratio, loss = good.reduced, solution.loss_function
    kind = "counts" if math.isinf(loss.response_domain.high) else "shares"
    head = (
        f"the {kind} vary {ratio:.3g} times as much as those of {loss.family or f'the {loss.name} loss'} (Pearson's "
        f"chi-square is {good.chi_square:.4g} for {good.degrees:,.6g} degrees of freedom, p = {good.p:.2g})"
    )
    ask = f"Ask for {spell('dispersion', 'estimated')} or {spell('errors', 'sandwich')}"
    if ratio > 1.0:
        wider = f", use the {loss.wider} loss" if loss.wider else ""
        return head + (
            f": they are overdispersed, and standard errors too small by a factor of about {math.sqrt(ratio):.3g}. "
            f"{ask}{wider}, or look for what the formula misses"
        )
    return f"{head}: they are underdispersed, and standard errors too large. {ask}"
