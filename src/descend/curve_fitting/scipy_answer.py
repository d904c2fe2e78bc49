"""A solution in SciPy's form: popt, pcov and the rest, or the error that SciPy raises."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from descend.curve_fitting.limit import evaluations
from descend.curve_fitting.scipy_arguments import Arguments
from descend.curve_fitting.small_fit import Ending
from descend.descent.outcome import Outcome
from descend.descent.solution import Solution
from descend.inference.covariance.inverse_curvature import inverse_triangle, well_conditioned_inverse
from descend.table.response_covariance import Whitening

Array = NDArray[np.float64]
Answer = tuple[Array, Array]
"""popt and pcov."""
FullAnswer = tuple[Array, Array, dict[str, object], str, int]
"""The same, and what SciPy calls infodict, mesg and ier."""
SUCCESS = "The sum of squares is least here: its gradient is zero to rounding."


def answer(arguments: Arguments, solution: Solution, full_output: bool) -> Answer | FullAnswer:
    """Return what ``curve_fit`` returns of a solution. Raises RuntimeError where the descent failed."""
    if solution.outcome in (Outcome.DIVERGED, Outcome.EPOCHS_USED_UP):
        raise RuntimeError(f"Optimal parameters not found: {solution.outcome}. {solution.advice}")
    pcov = None
    if solution.theta.size == arguments.size:
        robust = arguments.loss is not None
        pcov = _robust(arguments, solution) if robust else covariance(arguments, ending_of(solution))
    message = SUCCESS
    if solution.outcome is Outcome.STALLED and pcov is not None:
        from scipy.optimize import OptimizeWarning

        message = f"The fit stalled, so that this may be no minimum. {solution.advice}"
        warnings.warn(message, OptimizeWarning, stacklevel=4)
    popt = parameters(arguments, solution)
    return _answered(arguments, popt, pcov, evaluations(solution.problem), full_output, message)


def direct_answer(arguments: Arguments, ending: Ending, full_output: bool) -> Answer | FullAnswer:
    """Return what ``curve_fit`` returns where a descent ended that nothing was to be said about."""
    return _answered(arguments, ending.theta, covariance(arguments, ending), ending.calls, full_output)


def _answered(
    arguments: Arguments, popt: Array, pcov: Array | None, calls: int, full_output: bool, message: str = SUCCESS
) -> Answer | FullAnswer:
    if pcov is None:
        from scipy.optimize import OptimizeWarning

        warnings.warn("Covariance of the parameters could not be estimated", OptimizeWarning, stacklevel=5)
        pcov = np.full((popt.size, popt.size), np.inf)
    if not full_output:
        return popt, pcov
    return popt, pcov, {"nfev": calls, "fvec": residuals(arguments, popt)}, message, 1


def parameters(arguments: Arguments, solution: Solution) -> Array:
    """Return the parameters in the order of the function; one of which it makes no use stays where it began."""
    labels = solution.model.parameters.labels
    if labels == arguments.names:
        return np.array(solution.theta)
    begun = np.ones(arguments.size) if arguments.start is None else arguments.start
    found = dict(zip(labels, solution.theta.tolist(), strict=True))
    return np.array([found.get(name, value) for name, value in zip(arguments.names, begun, strict=True)])


def ending_of(solution: Solution) -> Ending:
    """Return where a solution ended."""
    return Ending(
        solution.theta, solution.loss, solution.objective, solution.problem.rows.total, evaluations(solution.problem)
    )


def covariance(arguments: Arguments, ending: Ending) -> Array | None:
    """Return (J'WJ)^-1, times SSR / (M - n) unless sigma is absolute; None where the data do not determine it.

    J is the Jacobian of the function, all parameters counted, those at a bound too.
    """
    degrees = len(arguments.y) - arguments.size
    if degrees <= 0 and not arguments.absolute:
        return None
    objective, theta = ending.objective, ending.theta
    curvature = objective(theta, 2).matrix
    inverted = None if curvature is None else well_conditioned_inverse(curvature)
    if inverted is None:
        point = objective(theta, 3)
        inverted = inverse_triangle(point.factor[:-1, :-1]) if isinstance(point.factor, np.ndarray) else None
    if inverted is None:
        return None
    if not arguments.absolute:
        return 2.0 * ending.loss / degrees * inverted
    unit = arguments.sigma**2 if isinstance(arguments.sigma, float) else 1.0  # it was left out of the sums
    return 2.0 * unit / ending.total * inverted


def _robust(arguments: Arguments, solution: Solution) -> Array | None:
    """Return the covariance under a robust loss, as SciPy has it: J' B J for the curvature, B = max(l'', eps)."""
    degrees = len(arguments.y) - arguments.size
    if degrees <= 0 and not arguments.absolute:
        return None
    model, columns, loss = solution.model, solution.columns, solution.loss_function
    scores, jacobian = model.scores_and_jacobian(solution.theta, columns)
    bend = np.maximum(loss.bend(scores, model.observed(columns)), np.finfo(np.float64).eps)
    upper = np.linalg.qr(jacobian * np.sqrt(bend)[:, None], mode="r")
    inverted = inverse_triangle(np.asarray(upper))
    if inverted is None or arguments.absolute:
        return inverted
    return 2.0 * solution.loss * len(arguments.y) / degrees * inverted


def residuals(arguments: Arguments, theta: Array) -> Array:
    """Return (f - y) / sigma; with the covariance of y, L^-1 (f - y)."""
    values = np.asarray(arguments.function(arguments.xdata, *theta), dtype=np.float64)
    residual = (values.ravel() if values.size == arguments.y.size else values) - arguments.y
    if arguments.root is not None:
        whitened: Array = Whitening(arguments.root).of(residual)
        return whitened
    return residual if arguments.sigma is None else residual / arguments.sigma
