"""How many digits of each parameter are right, judged by how near to the minimum the run stopped."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from descend.descent.comments_on_solution import comment, once
from descend.descent.outcome import Outcome
from descend.descent.solution import Named, Solution
from descend.inference.covariance.inverse_curvature import Mask
from descend.inference.covariance.standard_errors import MANY, accurate_point, covariance
from descend.inference.determined import determined_parts, rank
from descend.inference.scored_rows import ScoredRows, counted_rows, rows_that_count
from descend.optimizers.curvature import triangle
from descend.optimizers.second_derivatives import hessian_at
from descend.problem.point import Point

Array = NDArray[np.float64]
EPS = float(np.finfo(np.float64).eps)
MOST = -np.log10(EPS)
"""Decimal digits of a float64, 15.7."""
ROUNDING = EPS / 3.0
"""Root mean square of the relative error of one rounded result: a little above eps / sqrt(12)."""
RCOND = 1e-14
"""Singular values below this share of the largest count as zero."""
NO_STEP = 10.0
"""A step shorter than this many times the effect of rounding is nothing but rounding."""
SO_NEAR = 1e-12
"""A step that promises less decrease of J than this is so near the minimum that only rounding lengthens the next."""
SHRINKING = 0.5
"""If a Gauss-Newton step has at least this share of the length of the last, the two say little of what is left."""
NUDGE = 1e-7
"""Relative change of a column for numerical derivatives; its own rounding then costs half of their digits."""
NEAR = 0.1
"""Distance from the minimum, in standard errors, within which the standard errors are as good as at the minimum."""


@comment("the digits")
def digits(solution: Solution) -> Named | None:
    """Return, by name, -log10 of the relative distance of each parameter from where J is least; None if unknown.

    The distance is divided by the parameter, or by its standard error where that is larger: digits of a number that
    cannot be told from 0 are worth nothing. A parameter that is 0 to rounding, by symmetry or in data without noise, is
    measured by the change of it that would move the predictions by as much as the size of the response.

    The distance is estimated from the gradient g and the curvature C = R'R at the stopping point:

        |d| + |d'| q / (1 - q) + floor,   d = -C^-1 g

    d: the step to the minimum of the parabola that touches J here: for a linear model with squared loss the exact
        distance. d' is the step after it, and q the ratio of their lengths |R d'| / |R d|, by which further steps
        shrink. Where they hardly shrink, d is computed with all second derivatives; where J is not curved upwards in
        every direction, no digit is claimed.
    floor: the distance that rounding alone may cause, however long the run. With f_i the derivatives of the score s_i
        of row i, l', l'' those of its loss, and u independent relative errors of root mean square ROUNDING, that of
            C^-1 sum_i f_i l''_i (u s_i + sum_k u theta_k f_ik) + f_i (u l'_i) + (u f_i) l'_i
        or, where it is larger, the effect of rounding the columns x: sum_x u x_i ds_i/dx and sum_x u x_i df_i/dx, since
        what is computed from them, such as the argument of a sine, has their rounding errors.

    Of very many rows the floor is judged on a sample, and J is evaluated at the stopping point; this takes 2 p + 2 more
    passes over all rows where steps hardly shrink, as with errors in inputs, and one where groups are very many.

    Undetermined parameters have 0 digits, those at a bound all 15.7, and fixed ones NaN. None for modules, for which no
    curvature is computed, for losses with a kink, and for runs that diverged.
    """
    loss = solution.loss_function
    if solution.model.in_place or loss.kinked or loss.several_scores or solution.outcome is Outcome.DIVERGED:
        return None
    with np.errstate(all="ignore"):
        error, moving, smallest_errors = _distance(solution)
        best = solution.theta
        if solution.constraints is None:
            return solution.model.parameters.named(_counted(error, np.maximum(np.abs(best), smallest_errors), moving))
        constraints = solution.constraints
        if solution.objective.arrow:
            from descend.inference.accuracy.arrow_digits import of_all_digits

            return of_all_digits(constraints, best, _counted(error, np.maximum(np.abs(best), smallest_errors), moving))
        jacobian, every = constraints.jacobian(best), constraints.parameters
        error, smallest_errors = np.abs(jacobian) @ error, np.abs(jacobian) @ smallest_errors
        size = np.maximum(np.abs(every.flat(solution.parameters)), smallest_errors)
        digits_counted = _counted(error, size, (jacobian != 0.0).any(axis=1))
        fixed = [label in constraints.fixed or label.partition("[")[0] in constraints.fixed for label in every.labels]
        digits_counted[fixed] = np.nan
        return every.named(digits_counted)


@once
def errors_hold(solution: Solution) -> bool:
    """Whether the standard errors can be trusted: no parameter is further from the minimum of J than NEAR of its own.

    They are computed from residuals and curvature, which are different away from the minimum. The distance is that to
    the minimum of the parabola that touches J where the run ended. Where the run converged, no row is read.
    """
    if solution.outcome is Outcome.CONVERGED or (covariance_matrix := covariance(solution)) is None:
        return True
    with np.errstate(all="ignore"):
        variances = covariance_matrix.diagonal()
        known_variances = np.flatnonzero(np.isfinite(variances) & (variances > 0.0))
        point, free = accurate_point(solution), determined_parts(solution)
        if solution.objective.arrow:
            from descend.identifiability.of_groups import step_of_arrow

            step = step_of_arrow(point, free)[known_variances]
        else:
            step = _step(point, np.eye(solution.theta.size)[:, free])[0][known_variances]
        return bool((np.abs(step) <= NEAR * np.sqrt(variances[known_variances])).all())


def _counted(error: Array, size: Array, moving: Mask) -> Array:
    """Return the digits of each component, for an error relative to its size; all digits if it does not move."""
    relative = np.where(error == 0.0, 0.0, error / size)
    digits_counted = np.clip(-np.log10(np.where(np.isnan(relative), np.inf, relative)), 0.0, MOST)
    return np.where(moving, digits_counted, MOST)


def _distance(solution: Solution) -> tuple[Array, Mask, Array]:
    """Return how far each free component may be from the minimum, which may move, and the least size to divide by."""
    objective, theta = solution.objective, solution.theta
    point = accurate_point(solution)
    moving = np.ones(theta.size, dtype=bool)
    if objective.bounds is not None:
        moving &= ~objective.bounds.blocked(theta, point.gradient)
    if objective.has_l1:
        moving &= ~((theta == 0.0) & (point.slope == 0.0))
    free, rank_known = moving & determined_parts(solution), rank(solution)
    if objective.arrow:
        from descend.inference.accuracy.arrow_digits import floor_of_arrow, measured_step

        error, everywhere = floor_of_arrow(solution, point, free, ROUNDING), False
        stepped = partial(measured_step, free=free)
    else:
        ways = _ways(solution, point, free)
        rows = counted_rows(solution) if _most(solution) is None else rows_that_count(solution, MANY)
        error = np.abs(ways) @ _floor(rows, solution, ways) * np.sqrt(len(rows.y) / solution.rows)
        stepped, everywhere = partial(_step, ways=ways), ways.shape[1] == theta.size
    if objective.engine.by_database:
        error *= np.sqrt(max(solution.rows / 2.0, 1.0))  # a database adds row by row, and rounds each partial sum
    step, length = stepped(point)
    settled = bool((np.abs(step) <= NO_STEP * error).all())
    error = error + np.abs(step)
    if not settled:
        after, shorter = stepped(objective(theta + step, 2 if point.factor is None else 3))
        ratio = shorter / length
        if objective.arrow and length**2 <= SO_NEAR * abs(point.loss):  # among so many, some steps stand out by chance
            error += NO_STEP * np.abs(after)
        elif ratio < SHRINKING or objective.bounds is not None or not everywhere:
            error += np.abs(after) * ratio / (1.0 - ratio) if ratio < 1.0 else np.inf
        else:
            error += _by_second_derivatives(point)
    smallest_errors = _least(solution, point, settled & (np.abs(theta) <= NO_STEP * error))
    if rank_known is not None:
        error[~rank_known.estimable] = np.inf
    if point.curvature is not None:
        error[moving & (point.curvature.diagonal() == 0.0)] = np.inf
    unknown = set(solution.undetermined)
    error[[label in unknown for label in solution.model.parameters.labels]] = np.inf
    return error, moving, smallest_errors


def _by_second_derivatives(point: Point) -> Array:
    """Return the distance to the minimum by steps with all second derivatives, where those without do not shrink.

    These matter where residuals are large. Infinite unless J curves upwards in every direction.
    """
    nowhere = np.full(point.theta.size, np.inf)
    hessian_and_scale = hessian_at(point)
    if hessian_and_scale is None or not np.linalg.eigvalsh(hessian_and_scale[0])[0] > 0.0:
        return nowhere
    hessian, scale = hessian_and_scale
    step = -scale * np.linalg.solve(hessian, point.slope * scale)
    after = -scale * np.linalg.solve(hessian, point.at(point.theta + step, 1).slope * scale)
    ratio = float(np.linalg.norm(after / scale) / np.linalg.norm(step / scale))
    if ratio < 1.0:
        return np.abs(step) + np.abs(after) * ratio / (1.0 - ratio)
    near = float((step / scale) @ hessian @ (step / scale)) <= SO_NEAR
    return NO_STEP * (np.abs(step) + np.abs(after)) if near else nowhere


def _most(solution: Solution) -> int | None:
    """Return how many rows to sample for the effect of rounding; None for all of them."""
    return MANY if solution.rows > MANY else None


def _least(solution: Solution, point: Point, zero: Mask) -> Array:
    """Return the least size of each component: its standard error, or its reach where it is ``zero`` to rounding.

    The reach moves predictions by the size of the response: by theta_k sqrt(C_kk / l'') on average, with l'' at most 2.
    """
    smallest_errors = np.zeros(solution.theta.size)
    covariance_matrix = covariance(solution)
    if covariance_matrix is not None:
        smallest_errors = np.nan_to_num(np.sqrt(covariance_matrix.diagonal()), nan=0.0, posinf=0.0)
    if zero.any() and point.curvature is not None:
        y = counted_rows(solution).y
        reach = np.sqrt(2.0 * float(y.dot(y)) / (len(y) * point.curvature.diagonal()))
        smallest_errors = np.where(zero & np.isfinite(reach), np.maximum(smallest_errors, reach), smallest_errors)
    return smallest_errors


def _ways(solution: Solution, point: Point, free: Mask) -> Array:
    """Return, as (p, q), directions in which J may be moved: those of the free components, and along its kinks.

    For each kink that J lies on, the component that it determines best moves so that the others can follow the kink. At
    a corner, ``point`` gets its subgradient, which is what is left of the gradient along these directions.
    """
    kinks = solution.objective.kinks
    converged = solution.outcome is Outcome.CONVERGED
    corner = kinks.corner(point) if kinks is not None and converged else None
    every = np.eye(free.size)
    if corner is None:
        return every[:, free]
    normals, point.subgradient = corner
    ways = every[:, free]
    for normal in normals:
        across = normal @ ways
        best = int(np.argmax(np.abs(across * (1.0 / np.maximum(np.abs(point.theta) @ np.abs(ways), EPS)))))
        if across[best] != 0.0:
            ways = np.delete(ways - np.outer(ways[:, best], across / across[best]), best, axis=1)
    return ways


def _step(point: Point, ways: Array) -> tuple[Array, float]:
    """Return the step to the minimum of the parabola at a point, and its length as the curvature measures it."""
    upper, right = triangle(point)
    if point.proximal or point.subgradient is not None:  # the triangle includes neither an l1 penalty nor a corner
        right = np.asarray(np.linalg.lstsq(upper.T, point.slope, rcond=RCOND)[0], dtype=np.float64)
    scores_of_ways = upper @ ways
    norms: Array = np.sqrt(np.add.reduce(scores_of_ways * scores_of_ways))
    norms[norms == 0.0] = 1.0
    if not (np.isfinite(scores_of_ways).all() and np.isfinite(right).all()):
        return np.full(len(ways), np.nan), np.nan
    step = ways @ (np.linalg.lstsq(scores_of_ways / norms, -right, rcond=RCOND)[0] / norms)
    return step, float(np.linalg.norm(upper @ step))


def _floor(rows: ScoredRows, solution: Solution, ways: Array) -> Array:
    """Return how far rounding in the evaluation of J may move the minimum, along each of the ``ways``."""
    jacobian = rows.jacobian
    slope = rows.omega * rows.loss.slope(rows.score, rows.y)
    bend = rows.omega * rows.loss.weight(rows.score, rows.y)
    slopes = jacobian @ ways
    upper: Array = np.asarray(np.linalg.qr(slopes * np.sqrt(np.abs(bend))[:, None], mode="r"))
    norms = np.sqrt(np.add.reduce(upper * upper))
    if not (np.isfinite(upper).all() and (norms > 0.0).all()):
        return np.full(slopes.shape[1], np.inf)
    root: Array = np.linalg.pinv(upper / norms, rcond=RCOND) / norms[:, None]
    pull = (slopes @ root) @ root.T
    of_columns, of_derivatives = _of_columns(solution, rows)
    value = rows.score**2 + np.maximum(np.square(jacobian * solution.theta).sum(axis=1), of_columns)
    noise = bend**2 * value + slope**2
    spread = np.square(root @ root.T) @ (np.maximum(np.square(slopes), of_derivatives @ np.square(ways)).T @ slope**2)
    floor: Array = ROUNDING * np.sqrt(np.square(pull).T @ noise + spread)
    return floor


def _of_columns(solution: Solution, rows: ScoredRows) -> tuple[Array, Array]:
    """Return for each row the sums over columns x of (x ds_i/dx)**2 and (x df_i/dx)**2: how their rounding acts."""
    of_score, of_derivatives = np.zeros(len(rows.y)), np.zeros(rows.jacobian.shape)
    if solution.model.differentiated:  # their noise was measured
        solution.model.scores_and_jacobian(solution.theta, solution.columns)
        errors = solution.model.derivatives(solution.columns).last_errors
        return tuple(np.square(error[rows.places] / ROUNDING) for error in errors)  # type: ignore[return-value]
    if solution.model.linear:
        return of_score, of_derivatives  # the parameters multiply the columns, so their rounding is counted already
    for name in solution.model.inputs:
        scored = rows_that_count(solution, _most(solution), instead={name: solution.columns[name] * (1.0 + NUDGE)})
        of_score += np.square((scored.score - rows.score) / NUDGE)
        of_derivatives += np.square((scored.jacobian - rows.jacobian) / NUDGE)
    return of_score, of_derivatives
