"""Steps from kink to kink of a loss that has kinks, by linear programs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from descend.optimizers.contract import SUFFICIENT_DECREASE, Array, Evaluation, State
from descend.optimizers.damped_systems import ahead, finite
from descend.optimizers.kinked_loss import Fall, Mask, Pieces
from descend.optimizers.levenberg_marquardt import LevenbergMarquardt
from descend.optimizers.line_search import NOISE
from descend.optimizers.rate_rules import WholeSteps

NEAR = 1e-6
"""Once a step by curvature lowers J by less than this share of it, a step to a vertex follows."""
NEXT = -1.0
"""Stands for the reach of the first step to a vertex, until its rows are known."""
ATTEMPTS = 40
TRUSTED = 0.3
DIFFERENCE = float(np.finfo(np.float64).eps ** (1 / 3))
"""Relative step of a central difference of gradients."""
CLOSE = 1e-6
"""A linear program makes a residual zero if its part of J falls below this share of the mean part of a row, ..."""
SLACK = 1e-9
"""... or if its multiplier is away from both ends of its range by this share of the range."""
AT_WALL = 1e-9
"""A move that ends within this share of itself, or of the parameter, from a bound counts as reaching it."""
WELL = 1e-10
"""Share of the largest singular value below which rows do not fix a direction."""
SAME = 1e-10
"""If J differs by less than this share at two points near a minimum, only the gradient can tell them apart; ..."""
CLOSER = 0.5
"""... a step is worth taking if it shrinks the gradient to this share, unless the gradient is below ..."""
BALANCED = 1e-12
"""... this, in units of a row, which counts as zero."""
PATIENCE = 100
"""Within this many steps to a vertex J has to fall by the share ..."""
CREEPING = 1e-6
"""... below which the descent is merely creeping along a curved valley."""
NEARBY = LevenbergMarquardt()


@dataclass(frozen=True)
class Vertex(WholeSteps):
    """Exact for the absolute and pinball losses, whose minimum lies where some residuals are exactly zero: at a vertex.

    Levenberg-Marquardt steps lead near it. From there, with t_i = r_i + f_i'd the residuals to first order in d, each
    step solves the linear program

        min sum_i omega_i max(above t_i, -below t_i)   over steps d within reach

    by HiGHS, and goes on to where the residuals that the program makes zero are exactly zero. If these do not fix all
    parameters, a Newton step among the points that keep them zero follows. The reach grows where J fell as predicted
    and shrinks where it did not; a formula linear in its parameters needs no reach. The run ends where no step within
    reach promises a decrease: multipliers between -below and above then balance the gradient, which proves a minimum,
    and for a linear formula the global one. An l1 penalty is one more kink for each parameter. The learning rate is not
    used. For a loss without kinks these are Levenberg-Marquardt steps.

    Source: Koenker & Bassett (1978), Econometrica 46, 33-50; Fletcher & Sainz de la Maza (1989), Math. Program. 43,
    235-256; Byrd, Gould, Nocedal & Waltz (2004), Math. Program. B 100, 27-48.
    """

    name: ClassVar[str] = "vertex"
    needs: ClassVar[int] = 2
    bounded: ClassVar[bool] = True
    piecewise: ClassVar[bool] = True
    rate_rule: ClassVar[str] = "1, unused: linear programs decide how far a step goes"

    def init(self, theta: Array) -> State:
        # The state of the Levenberg-Marquardt steps; the reach of a step to a vertex, 0 before the first of them; how
        # many steps to a vertex were taken since J was last looked at, and what it was then.
        return (NEARBY.init(theta), 0.0, 0, math.inf)

    def step(self, evaluation: Evaluation, vertex_state: State) -> tuple[Array, State]:
        before, reach, step_taken, last = vertex_state
        if reach == 0.0 and not (evaluation.piecewise and evaluation.has_l1):
            theta, before = NEARBY.step(evaluation, before)
            if theta is not evaluation.theta or not evaluation.piecewise:
                fallen = evaluation.loss - evaluation.at(theta, 2).loss
                near = evaluation.piecewise and not fallen > NEAR * abs(evaluation.loss)
                return theta, (before, NEXT if near else 0.0, 0, math.inf)
        pieces = evaluation.pieces()
        if pieces is None or not pieces.usable or not finite(evaluation.gradient):
            return evaluation.theta, vertex_state
        if reach in (0.0, NEXT):
            reach = math.inf if pieces.exact else 2.0 * pieces.unit
        if step_taken % PATIENCE == 0:
            if not last - evaluation.loss > CREEPING * abs(evaluation.loss):
                return evaluation.theta, vertex_state
            last = evaluation.loss
        theta, reach = _to_vertex(evaluation, pieces, reach)
        return theta, (before, reach, step_taken + 1, last)


def _to_vertex(evaluation: Evaluation, pieces: Pieces, reach: float) -> tuple[Array, float]:
    """Return the end of a step that lowers J, and the reach of the next; the same theta if there is none."""
    theta, bounds = evaluation.theta, evaluation.bounds
    room = None if bounds is None else bounds.room(theta)
    noise = max(NOISE * abs(evaluation.loss), pieces.noise)
    most, closer = pieces.nearest(), None
    for _ in range(ATTEMPTS):
        near = min(reach, most)
        fall = pieces.fall(near, room)
        if fall is None:
            break
        best = None
        for move in _moves(evaluation, pieces, fall):
            new = evaluation.at(ahead(evaluation, move), 2)
            if finite(new.gradient) and new.loss < (evaluation.loss if best is None else best.loss):
                best = new
            if closer is None and abs(new.loss - evaluation.loss) <= SAME * abs(evaluation.loss):
                closer = new
        fallen = 0.0 if best is None else evaluation.loss - best.loss
        if best is not None and fallen > max(SUFFICIENT_DECREASE * fall.promise, noise):
            best.pieces()  # from here on the gradient there is the least subgradient
            wide = fallen > TRUSTED * fall.promise
            return best.theta, reach if not math.isfinite(reach) else 2.0 * near if wide else 0.5 * near
        if pieces.exact and near == reach:
            break
        reach = 0.25 * near
        if not fall.promise > noise:
            break
    if closer is not None and (left := _left(evaluation)) > BALANCED and _left(closer) < CLOSER * left:
        return closer.theta, reach
    evaluation.pieces()  # as above: the run ends at this point
    return theta, reach


def _left(evaluation: Evaluation) -> float:
    """Return the length of the least subgradient, in the units of the rows."""
    pieces = evaluation.pieces()
    if pieces is None or not pieces.usable:
        return math.inf
    return float(np.linalg.norm(pieces.subgradient(evaluation.bounds) @ pieces.frame))


def _moves(evaluation: Evaluation, pieces: Pieces, fall: Fall) -> Iterator[Array]:
    """Yield steps worth a try: to the vertex that a linear program found, and that step as it stands."""
    wall_places, ends = _walls(evaluation, fall)
    walls = np.eye(evaluation.theta.size)[wall_places]

    def held(move: Array) -> Array:
        """Return the move that ends exactly at the bounds."""
        move[wall_places] = ends
        return move

    for active in _at_zero(pieces, fall):
        left = np.vstack([pieces.jacobian[active] * pieces.jump[active, None], walls]) @ pieces.frame
        right = np.concatenate([-pieces.residual[active] * pieces.jump[active], ends])
        sizes = np.sqrt(np.add.reduce(left * left, axis=1))
        nonzero = sizes > 0.0
        if not nonzero.any():
            continue
        left, right = left[nonzero] / sizes[nonzero, None], right[nonzero] / sizes[nonzero]
        step, _, rank, _ = np.linalg.lstsq(left, right, rcond=WELL)
        move = pieces.frame @ step
        if rank < pieces.frame.shape[1]:
            along = pieces.frame @ np.linalg.svd(left)[2][rank:].T
            further = None if pieces.exact else _among(evaluation, pieces, fall, move, along)
            if further is None:
                continue
            move = move + further
        yield held(move)
    move = held(fall.move.copy())
    yield move
    if not pieces.exact:
        back = _back(evaluation, pieces, next(_at_zero(pieces, fall)), move)
        if back is not None:
            yield held(move + back)


def _walls(evaluation: Evaluation, fall: Fall) -> tuple[NDArray[np.intp], Array]:
    """Return the components that a step takes to a bound, and their moves."""
    if evaluation.bounds is None:
        return np.zeros(0, dtype=np.intp), np.zeros(0)
    low, high = evaluation.bounds.room(evaluation.theta)
    slack = AT_WALL * np.maximum(np.abs(fall.move), np.abs(evaluation.theta))
    at_low, at_high = np.flatnonzero(fall.move <= low + slack), np.flatnonzero(fall.move >= high - slack)
    wall_places, first = np.unique(np.concatenate([at_low, at_high]), return_index=True)
    return wall_places, np.concatenate([low[at_low], high[at_high]])[first]


def _at_zero(pieces: Pieces, fall: Fall) -> Iterator[Mask]:
    """Yield which rows a step makes zero: those whose multiplier is between its ends, and all that are near zero."""
    low, high = -pieces.below * (1.0 - SLACK), pieces.above * (1.0 - SLACK)
    inside_limits = (low < fall.multipliers) & (fall.multipliers < high)
    yield inside_limits
    reached = pieces.residual + pieces.jacobian @ fall.move
    close = pieces.jump * np.abs(reached) <= CLOSE * pieces.unit + pieces.jump * pieces.rounding
    if (inside_limits != close).any():
        yield close


def _back(evaluation: Evaluation, pieces: Pieces, active: Mask, move: Array) -> Array | None:
    """Return the step from the end of ``move`` back to where the active rows are zero, as their curves led away."""
    if pieces.at_theta is None or not active.any():
        return None
    loss_ahead = pieces.at_theta(ahead(evaluation, move))
    if not loss_ahead.usable:
        return None
    left = (pieces.jacobian[active] * pieces.jump[active, None]) @ pieces.frame
    off = loss_ahead.residual[active] * pieces.jump[active]
    return np.asarray(pieces.frame @ np.linalg.lstsq(left, -off, rcond=WELL)[0], dtype=np.float64)


def _among(evaluation: Evaluation, pieces: Pieces, fall: Fall, move: Array, along: Array) -> Array | None:
    """Return the Newton step from the end of ``move`` within the span of ``along``; None unless J is convex there.

    The curvature is that of the multipliers times the predictions, by central differences of their gradient.
    """
    theta = evaluation.theta
    if pieces.at_theta is None:
        return None
    columns = []
    for direction in along.T:
        shares = np.abs(direction) / np.maximum(np.abs(theta), 1e-3 * np.abs(direction) + 1e-300)
        length = DIFFERENCE / float(shares.max())
        up, down = (pieces.at_theta(theta + side * length * direction) for side in (1.0, -1.0))
        if not (up.usable and down.usable):
            return None
        change = fall.multipliers @ (up.jacobian - down.jacobian) + up.slope - down.slope
        columns.append(change / (2.0 * length))
    hessian = np.column_stack(columns)
    gradient = along.T @ (pieces.slope + fall.multipliers @ pieces.jacobian) + hessian.T @ move
    curved = along.T @ hessian
    try:
        np.linalg.cholesky(0.5 * (curved + curved.T))
    except np.linalg.LinAlgError:
        return None
    return np.asarray(along @ -np.linalg.solve(0.5 * (curved + curved.T), gradient), dtype=np.float64)
