"""A solution in SciPy's form: popt, pcov and the rest, or the error that SciPy raises."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from descend.curve_fitting.arguments import Arguments
from descend.descent.outcome import Outcome
from descend.descent.solution import Solution
from descend.inference.covariance import inverse_triangle, well_conditioned_inverse

Array = NDArray[np.float64]
Answer = tuple[Array, Array]
"""popt and pcov."""
FullAnswer = tuple[Array, Array, dict[str, object], str, int]
"""The same, and what SciPy calls infodict, mesg and ier."""


def answer(arguments: Arguments, solution: Solution, full_output: bool) -> Answer | FullAnswer:
    """Return what ``curve_fit`` returns. Raises RuntimeError where the descent failed."""
    if solution.outcome in (Outcome.DIVERGED, Outcome.EPOCHS_USED_UP):
        raise RuntimeError(f"Optimal parameters not found: {solution.outcome}. {solution.advice}")
    popt = parameters(arguments, solution)
    pcov = covariance(arguments, solution)
    if pcov is None:
        from scipy.optimize import OptimizeWarning

        warnings.warn("Covariance of the parameters could not be estimated", OptimizeWarning, stacklevel=4)
        pcov = np.full((popt.size, popt.size), np.inf)
    if not full_output:
        return popt, pcov
    return popt, pcov, {"nfev": calls(solution), "fvec": residuals(arguments, popt)}, f"{solution.outcome}", 1


def parameters(arguments: Arguments, solution: Solution) -> Array:
    """Return the parameters in the order of the function; one of which it makes no use stays where it began."""
    labels = solution.model.parameters.labels
    if labels == arguments.names:
        return np.array(solution.theta)
    begun = np.ones(arguments.size) if arguments.start is None else arguments.start
    found = dict(zip(labels, solution.theta.tolist(), strict=True))
    return np.array([found.get(name, value) for name, value in zip(arguments.names, begun, strict=True)])


def covariance(arguments: Arguments, solution: Solution) -> Array | None:
    """Return (J'WJ)^-1, times SSR / (M - n) unless sigma is absolute; None where the data do not determine it.

    J is the Jacobian of the function, all parameters counted, those at a bound too.
    """
    degrees = len(arguments.y) - arguments.size
    if degrees <= 0 and not arguments.absolute:
        return None
    objective, theta = solution.objective, solution.theta
    if theta.size < arguments.size:
        return None
    curvature = objective(theta, 2).curvature
    inverted = None if curvature is None else well_conditioned_inverse(curvature)
    if inverted is None:
        point = objective(theta, 3)
        inverted = None if point.factor is None else inverse_triangle(point.factor[:-1, :-1])
    if inverted is None:
        return None
    if not arguments.absolute:
        return 2.0 * solution.loss / degrees * inverted
    unit = arguments.sigma**2 if isinstance(arguments.sigma, float) else 1.0
    return solution.loss_function.unit * unit / solution.problem.rows.total * inverted


def residuals(arguments: Arguments, theta: Array) -> Array:
    """Return (f - y) / sigma; with the covariance of y, L^-1 (f - y)."""
    residual = np.asarray(arguments.function(arguments.xdata, *theta), dtype=np.float64) - arguments.y
    if arguments.root is not None:
        from scipy.linalg import solve_triangular

        whitened: Array = solve_triangular(arguments.root, residual, lower=True)
        return whitened
    return residual if arguments.sigma is None else residual / arguments.sigma


def calls(solution: Solution) -> int:
    """Return how often the function was evaluated."""
    return solution.model.calls or round(solution.objective.passes)
