"""A Jacobian that the user gives with a curve: held against the true one where the descent begins."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from descend.curve_fitting.scipy_arguments import Arguments
from descend.errors import DescendError
from descend.models.curve import Curve
from descend.problem.problem import Problem
from descend.problem.suspicion import court_case

Array = NDArray[np.float64]
CLOSE = 1e-5
"""Share of a column by which it may differ: single precision, and differences of a smooth function, stay below."""
STEP = float(np.finfo(np.float64).eps ** (1 / 3))


def returned(arguments: Arguments, xdata: object, theta: Array, rows: int) -> Array:
    """Return what the user's Jacobian returns, (rows, n). Raises ValueError for another shape."""
    assert callable(arguments.jacobian)
    found = np.array(arguments.jacobian(xdata, *theta), dtype=np.float64)
    if arguments.transposed:
        found = found.T
    if found.ndim == 1 and arguments.size == 1:
        found = found[:, None]
    if found.shape != (rows, arguments.size):
        raise ValueError(
            f"`jac` returned shape {found.shape} for {rows} data points and {arguments.size} parameters. It must "
            f"return ({rows}, {arguments.size}): the derivative of each value of `f` by each parameter."
        )
    return found


def accusation(arguments: Arguments, curve: Curve, problem: Problem) -> str | None:
    """Say what is wrong with the user's Jacobian where the descent begins; None if it is right.

    It is held against the derivatives of the formula that the function computes, or against how the function changes
    along one direction, which takes two calls. What is wrong with it the court finds out.
    """
    theta, rows = every(arguments, problem), len(arguments.y)
    try:
        given = returned(arguments, arguments.xdata, theta, rows)
    except (ArithmeticError, DescendError):
        return None
    if not np.isfinite(given).all():
        return None
    if problem.model.symbolic is None:
        return _along_one_direction(arguments, curve, theta, given)
    used = [arguments.names.index(name) for name in problem.model.parameters.shapes]
    true = np.zeros_like(given)
    true[:, used] = problem.model.scores_and_jacobian(problem.start, problem.rows.columns)[1]
    sizes = np.abs(true).max(axis=0) + np.abs(given).max(axis=0)
    wrong = np.abs(given - true).max(axis=0) > CLOSE * sizes
    if not wrong.any() or not np.isfinite(true).all():
        return None
    return _by_the_court(arguments, curve, problem) or _sentence(arguments.names[int(wrong.argmax())])


def every(arguments: Arguments, problem: Problem) -> Array:
    """Return where the descent begins in all parameters of the function."""
    begun = np.ones(arguments.size) if arguments.start is None else arguments.start.copy()
    for name, value in zip(problem.model.parameters.shapes, problem.start, strict=True):
        begun[arguments.names.index(name)] = value
    return begun


def _along_one_direction(arguments: Arguments, curve: Curve, theta: Array, given: Array) -> str | None:
    """Compare the change of the function along a direction in which every parameter moves."""
    sizes = np.abs(theta) + (theta == 0.0)
    move = STEP * sizes * np.random.default_rng(0).uniform(0.5, 1.0, theta.size)
    up, down = (np.array(curve.function(curve.xdata, *(theta + sign * move))) for sign in (1.0, -1.0))
    change, expected = 0.5 * (up - down), given @ move
    if not np.isfinite(change).all():
        return None
    possible = np.abs(given) @ np.abs(move) + np.abs(change)
    rounding = 64.0 * np.finfo(np.float64).eps * np.abs(up).max(initial=0.0)
    if (np.abs(change - expected) <= 1e-3 * possible.max(initial=0.0) + rounding).all():
        return None
    return _sentence("")


def _by_the_court(arguments: Arguments, curve: Curve, problem: Problem) -> str | None:
    from descend.gradients.court import jacobian

    names = tuple(problem.model.parameters.shapes)
    if names != arguments.names:
        return None

    def given(theta: Array, columns: Mapping[str, Array]) -> Array:
        parts = [columns[name] for name in curve.inputs]
        return returned(arguments, curve.arranged(parts), theta, len(parts[0]))

    try:
        case = court_case(problem.model, problem.rows, problem.objective.engine, problem.start, True)
        judgement = jacobian.hold(case, given, False, str(problem.model))
    except Exception:  # what comments on a fit must not make it fail: the user's function is called on some rows only
        return None
    return None if judgement.agree else f"The Jacobian `jac` of {judgement.accusation}"


def _sentence(name: str) -> str:
    column = f"its column for `{name}` is not" if name else "it does not return"
    return f"The Jacobian `jac` is wrong: {column} the derivative of `f`."
