"""The curvature at the mode of a posterior, and how many parameters the data determine beside priors.

With C the curvature of J at the mode, L the part of it that comes from the priors and V = u phi / W C^-1 the
covariance of the parameters (see ``WeighedPriors``), the data determine

    gamma = p - trace(C^-1 L)

of the p parameters: p of them where the priors are vague, none where these say all. Where the dispersion is not known,
it is estimated with this number in the place of p, sigma**2 = sum omega r**2 / (n - gamma): the value that makes the
data most likely, the parameters integrated out, to Laplace's approximation. With vague priors that is the usual
estimate, and so are the standard errors.

Source: MacKay (1992), Neural Computation 4, 415-447, sec. 4; Gelman et al., Bayesian Data Analysis, ch. 4.
"""

from __future__ import annotations

import numpy as np

from descend.descent.solution import Solution
from descend.inference.covariance.inverse_curvature import inverse_curvature, variance_of
from descend.inference.covariance.observed_information import observed_information
from descend.parameters.priors import WeighedPriors
from descend.problem.point import Point


def posterior_point(solution: Solution) -> Point:
    """Return J at the mode with the exact curvature of the priors."""
    if solution.loss_function.observed_information:
        return observed_information(solution.objective(solution.theta, 3))
    return solution.objective.exactly(solution.theta)


def determined_by_data(solution: Solution, priors: WeighedPriors) -> float:
    """Return gamma, how many parameters the data determine."""
    point = posterior_point(solution)
    inverse = inverse_curvature(point)
    free = solution.theta.size if point.bounds is None else int(np.count_nonzero(~point.bounds.held(point.theta)))
    if inverse is None:
        return float(free)
    pull = priors.priors.at(solution.theta, exact=True)
    share_of_prior = float(priors.scale * (pull.bend @ inverse.diagonal()))
    share_of_prior += sum(priors.scale * bend * variance_of(inverse, along) for _, bend, along in pull.along)
    return min(max(free - share_of_prior, 0.0), float(free))
