"""The only loop: a generator of steps."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.descent.nearness_to_minimum import bottom, in_noise, promise, rounded
from descend.descent.outcome import Outcome
from descend.descent.step import Memory, Snapshot, Step
from descend.optimizers import Optimizer, Schedule
from descend.optimizers.curvature import is_finite
from descend.optimizers.schedules import Constant
from descend.parameters import Parameters
from descend.problem.point import Array, Objective, Point

if TYPE_CHECKING:
    from descend.stability.forecast import Trajectory

CLOSE_ENOUGH = 1e-9
"""The default tolerance."""
NO_FURTHER = 1e-5
"""An optimizer that can get no further has converged if the remaining gradient is below this; else it has stalled."""
NO_PROMISE = 1e-8
"""It has also converged if a Gauss-Newton step promises to lower J by no more than this share."""
SOON = 1024
"""The epoch at which it is first asked whether a run still gets anywhere; then after twice as many each time."""
LITTLE = 1e-3
"""A run got nowhere if J fell by less than this share of what is left of it in half of all its epochs."""
PATIENCE = 200
"""Epochs without progress after which a run that may end by itself has stalled."""
BEYOND_BOUNDS = 1e8
"""A run has diverged if its loss exceeds this multiple of the larger of its first loss and ``Plan.scale``."""


@dataclass
class Plan:
    """How long a run goes on, and in what steps.

    epochs: how many at most; epochs_given: whether the user gave that number, so that all are run.
    rate, schedule: learning rate of epoch k = rate * schedule.factor(k, epochs).
    tolerance: of what remains of the gradient (``Point.remaining``). promise: if a Gauss-Newton step promises no more
        than this share of J, the run has converged. certain: J at which a run ends because J is practically zero and
        only the parameters would go on growing. seconds: time limit.
    batch_size: rows per step (None: all), drawn without replacement in an order that ``seed`` fixes.
    scales, scale: units of the parameters and of J (see ``descent.start``). squares: mean square of the response, whose
        rounding J cannot go below. stop: called between steps; True ends the run.
    snapshots: whether each step carries a snapshot from which the run can be resumed.
    closed: the closed form of the descent, if it has one: parameters at any epoch, without stepping there.
    """

    epochs: int
    epochs_given: bool
    rate: float
    schedule: Schedule = field(default_factory=Constant)
    tolerance: float | None = None
    promise: float = 0.0
    certain: float = 0.0
    seconds: float = math.inf
    batch_size: int | None = None
    seed: int = 0
    scales: NDArray[np.float64] = field(default_factory=lambda: np.ones(1))
    scale: float = 0.0
    squares: float = 0.0
    stop: Callable[[], bool] = bool
    snapshots: bool = False
    closed: Trajectory | None = None

    @property
    def steady(self) -> bool:
        """Whether each step is over all rows, at the same learning rate."""
        return self.schedule.constant and self.batch_size is None


def descend(
    objective: Objective,
    optimizer: Optimizer,
    theta: Array,
    plan: Plan,
    parameters: Parameters | None = None,
    taken_up: Snapshot | None = None,
) -> Iterator[Step]:
    """Yield the steps of a run; the last one carries the outcome.

    taken_up: where an earlier run stood, to go on from there rather than from ``theta``.

    Each epoch: 1. evaluate J and its gradient at theta; 2. judge; 3. yield; 4. let the optimizer move theta,
    once over all rows or once per batch; where it can go no further, kinks of J may still lead on. So a step never
    shows the loss of another theta than its own. With a closed form theta comes from there, at a choice of epochs.
    The last step, where it is foreseen that nothing but rounding is left after it, is the minimum of the parabola that
    J is there to rounding, and the rows are not read again; of a run that may be resumed they are.
    """
    began = time.perf_counter()
    judge = Judge(plan, optimizer.thorough, optimizer.damps)
    optimizer_state = optimizer.init(theta)
    constant = plan.schedule.constant
    rate, known_epochs = plan.rate, plan.epochs if plan.epochs_given else None
    needs, closed, snapshots, batch_size = max(1, optimizer.needs), plan.closed, plan.snapshots, plan.batch_size
    damps, steps_itself = optimizer.damps, objective.steps_itself
    begin, ahead, subgradient = 0, None, None
    if taken_up is not None:
        begin, theta, optimizer_state = taken_up.epoch, taken_up.theta, taken_up.state
        began -= taken_up.seconds
        judge.memory = taken_up.judge
        objective(theta, taken_up.order)
    for epoch in _epochs(plan, begin):
        if closed is not None:
            theta = closed.theta(epoch)
        point = objective(theta, needs) if ahead is None else ahead
        order = objective.last_order if snapshots else needs
        if not constant:
            rate = plan.rate * plan.schedule.factor(epoch, known_epochs)
        point.rate, point.subgradient = rate, subgradient
        norm = point.norm
        seconds = time.perf_counter() - began
        outcome = judge.outcome(epoch, point, norm, seconds)
        step = Step(epoch, point.theta, point.loss, norm, rate, seconds, outcome, parameters)
        step.measures = point.measures
        if damps:
            step.damping = optimizer.damped(optimizer_state)
        if snapshots:
            step.snapshot = Snapshot(epoch, theta, optimizer_state, order, judge.memory, seconds)
        yield step
        if step.outcome is not None:  # a reader may have ended the run
            return
        if closed is not None:
            continue
        if judge.foreseen and not snapshots and (ahead := bottom(point)) is not None:
            theta = ahead.theta
            continue
        if steps_itself and (point_of_pass := objective.epoch(optimizer, rate, epoch, plan.stop)) is not None:
            theta = point_of_pass
            continue
        if batch_size is None:
            theta, optimizer_state = optimizer.step(point, optimizer_state)
            if theta is point.theta and (objective.kinks is not None or objective.edge is not None):
                theta, subgradient = _onwards(objective, point)
                optimizer_state = optimizer.init(theta)
            judge.stuck = theta is point.theta
            ahead = None if judge.stuck else point.reached(theta)
            continue
        for rows in objective.batches(batch_size, plan.seed, epoch):
            if plan.stop():
                break
            evaluated = objective(theta, needs, rows)  # type: ignore[arg-type]  # of a database they have no numbers
            evaluated.rate = rate
            theta, optimizer_state = optimizer.step(evaluated, optimizer_state)


def _epochs(plan: Plan, begin: int) -> Iterable[int]:
    """Return the epochs to step through: all of them, or with a closed form only those that are shown."""
    if plan.closed is None:
        return itertools.count(begin)
    bound = BEYOND_BOUNDS * max(abs(plan.closed.point.loss), plan.scale)
    return (epoch for epoch in plan.closed.epochs(plan.epochs, bound) if epoch >= begin)


def _onwards(objective: Objective, point: Point) -> tuple[Array, Array | None]:
    """Return where kinks or an edge lead a descent that can get no further, and the subgradient at a corner."""
    theta, subgradient = point.theta, point.subgradient
    if objective.kinks is not None:
        theta, subgradient = objective.kinks.onwards(point)
    if objective.edge is not None and theta is point.theta:
        theta = objective.edge.onwards(point)
    return theta, subgradient


class Judge:
    """Says at every epoch whether, and how, the run ends there."""

    def __init__(self, plan: Plan, thorough: bool, damps: bool = False) -> None:
        self.plan = plan
        # A run that may be resumed ends where one without a break does: it is not told what was long ago.
        self.milestone = SOON if damps and not plan.snapshots and not plan.epochs_given else math.inf
        self.loss_then = math.nan
        self.stuck = False
        self.first_loss = math.nan
        self.bound = math.inf
        self.best = math.inf
        self.least = math.inf
        self.best_epoch = 0
        self.promised = 0.0
        self.foreseen = False
        """Whether the next step leaves nothing to gain: each promises as much less than the one before as the last."""
        # The default tolerance ends no run whose epochs were given or whose optimizer ends by itself.
        self.watching = plan.tolerance is not None or plan.promise > 0.0 or not (plan.epochs_given or thorough)

    @property
    def memory(self) -> Memory:
        """What the judge remembers of the steps so far."""
        return self.first_loss, self.bound, self.best, self.least, self.best_epoch, self.stuck

    @memory.setter
    def memory(self, memory: Memory) -> None:
        self.first_loss, self.bound, self.best, self.least, self.best_epoch, self.stuck = memory

    def outcome(self, epoch: int, point: Point, norm: float, seconds: float) -> Outcome | None:
        plan, loss = self.plan, point.loss
        if epoch == 0:
            self.first_loss = loss
            self.bound = loss - point.excess + BEYOND_BOUNDS * max(point.excess, plan.scale)
        if not (loss <= self.bound and math.isfinite(norm)):
            return Outcome.DIVERGED
        if point.ended:
            return Outcome(point.ended)
        last = epoch >= plan.epochs
        if 0.0 < plan.certain >= loss and not plan.epochs_given:
            return Outcome.STALLED
        if self.watching or last or self.stuck or epoch >= self.milestone:
            outcome = self._ended(epoch, point, last)
            if outcome is not None:
                return outcome
        if seconds >= plan.seconds:
            return Outcome.TIME_USED_UP
        return Outcome.INTERRUPTED if plan.stop() else None

    def _ended(self, epoch: int, point: Point, last: bool) -> Outcome | None:
        plan = self.plan
        remaining = point.remaining(plan.scales, self.first_loss, plan.scale)
        done = self.stuck or (not plan.epochs_given and self._no_progress(epoch, point.loss, remaining))
        if epoch >= self.milestone:
            done = self._crawls(epoch, point) or done
        usual = CLOSE_ENOUGH if plan.tolerance is None else plan.tolerance
        enough = NO_PROMISE if done else plan.promise
        near = remaining <= (max(usual, NO_FURTHER) if done else usual)
        promised = promise(point) if enough > 0.0 and not near else math.inf
        near = near or promised <= enough
        self.foreseen = promised <= NO_PROMISE and promised * promised <= plan.promise * self.promised
        self.promised = promised
        if near or (self.stuck and (rounded(point, plan.squares) or point.held() or in_noise(point))):
            return Outcome.STALLED if flat(point, plan.scales) else Outcome.CONVERGED
        if done:
            return Outcome.STALLED
        return Outcome.EPOCHS_USED_UP if last else None

    def _no_progress(self, epoch: int, loss: float, remaining: float) -> bool:
        """Whether neither J nor its gradient has become smaller for a long time."""
        if loss < self.best - 1e-13 * abs(self.best) or remaining < 0.9 * self.least or not math.isfinite(self.best):
            self.best, self.least, self.best_epoch = min(loss, self.best), min(remaining, self.least), epoch
        return epoch - self.best_epoch >= PATIENCE

    def _crawls(self, epoch: int, point: Point) -> bool:
        """Whether J fell but little since half as many epochs: damped steps reach a minimum sooner, if there is one."""
        crawling = point.loss >= self.loss_then - LITTLE * point.excess
        self.milestone, self.loss_then = 2 * epoch, point.loss
        return crawling


def flat(point: Point, scales: Array) -> bool:
    """Whether some parameter has lost all influence: doubling it changes J by less than rounding.

    A descent that ends there ran onto a plateau: the gradient is zero, but it is not a minimum.
    """
    curvature = point.curved()
    if curvature is None or not point.loss:
        return False  # where J is 0, it cannot fall further
    least_gain = 1e-14 * abs(point.loss)
    reach = np.maximum(np.abs(point.theta), scales).tolist()
    idle = [
        curvature_part * far * far <= least_gain
        for curvature_part, far in zip(curvature.diagonal().tolist(), reach, strict=True)
    ]
    if point.bounds is not None and any(idle):
        idle = (np.array(idle) & ~point.bounds.blocked(point.theta, point.gradient)).tolist()
    return any(idle) and is_finite(curvature)
