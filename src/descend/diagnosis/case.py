"""The case: a run that ended, whatever its model is, and the means to try it again under other conditions."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.descent.beginning import Beginning
from descend.descent.loop import Plan, descend
from descend.descent.outcome import Outcome
from descend.descent.run import Run
from descend.descent.step import Step, Trace
from descend.diagnosis.progress import Progress, close_enough, losses
from descend.models import Model
from descend.optimizers import Optimizer
from descend.optimizers.levenberg_marquardt import LevenbergMarquardt
from descend.problem.engine_choice import engine_in_memory
from descend.problem.objective import OnRows, VectorObjective, objective_over
from descend.problem.point import Objective, Point
from descend.problem.problem import Problem

Array = NDArray[np.float64]
MOST_EPOCHS, LONGEST = 2_000, 20.0
"""Most epochs and seconds of a trial; besides, it takes no longer than twice the run, or a second."""
MOST_PARAMETERS = 300
"""Parameters up to which a trial may form matrices of them."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Case:
    """A run that ended, seen as steps of one flat vector, whatever the model is.

    objective: J as a function of that vector. start, last: the first point, and the last at which J was finite.
    optimizer: that of the run, or of a module's the one of ours that takes the same steps, or steps like them.
    columns: inputs and response by name, as they were fitted.
    """

    run: Run
    objective: Any
    start: Array
    last: Array
    optimizer: Optimizer
    columns: Mapping[str, Array]
    over: Callable[[Mapping[str, Array]], Objective]
    """(columns) -> J over the same rows with other inputs; over those in ``columns``, if they are a sample."""
    decays: bool = False
    """Whether the optimizer also pulls the parameters to zero, so that it does not lead to the lowest J."""
    failed: Array | None = None
    """The point at which the run ended, if J was not finite there."""
    sampled: bool = False
    """Whether ``columns`` are only a sample of the rows, which are not in memory."""

    @property
    def beginning(self) -> Beginning:
        return self.run.beginning

    @property
    def problem(self) -> Problem:
        return self.beginning.problem

    @property
    def rows(self) -> int:
        """How many rows ``columns`` have: all that were fitted, unless they are sampled."""
        return len(next(iter(self.columns.values()))) if self.sampled else int(self.objective.rows)

    @cached_property
    def at_hand(self) -> Any:
        """J over the rows of ``columns``."""
        if not self.sampled:
            return self.objective
        built = self.over({})
        assert isinstance(built, VectorObjective)
        units = self.objective.units
        if units is None:
            return built
        from descend.problem.standardized import StandardizedObjective

        return StandardizedObjective(built, units, built(self.objective.start, 2))

    def in_units(self, theta: Array) -> Array:
        """Return the parameters in the user's units, from those of a descent in standardised columns."""
        units = self.objective.units
        return theta if units is None else units.theta(theta)

    @property
    def outcome(self) -> Outcome:
        return self.trace[-1].outcome or Outcome.INTERRUPTED

    @property
    def diverged(self) -> bool:
        return self.outcome is Outcome.DIVERGED

    @property
    def epochs(self) -> int:
        return int(self.trace[-1].epoch)

    @property
    def ended(self) -> float:
        """The last finite J."""
        return float(self.trace.last_finite.loss)

    @property
    def plan(self) -> Plan:
        return self.run.plan

    @property
    def trace(self) -> Trace:
        return self.run.trace

    @property
    def model(self) -> Model:
        return self.problem.model

    @property
    def rate(self) -> float:
        return float(self.trace[0].learning_rate)

    @cached_property
    def first(self) -> Point:
        """J, gradient and curvature at the start."""
        point: Point = self.objective(self.start, 2)
        return point

    @cached_property
    def end(self) -> Point:
        """J, gradient and curvature at the last finite point."""
        point: Point = self.objective(self.last, 2)
        return point

    def largest_curvature(self, theta: Array, objective: Objective | None = None) -> float | None:
        """Return the largest eigenvalue of the curvature at ``theta``."""
        return (objective or self.objective).largest_curvature(theta)

    @cached_property
    def largest_at_start(self) -> float | None:
        return self.largest_curvature(self.start)

    @cached_property
    def stable_rate(self) -> float | None:
        """The largest stable rate at the start, if one is known for the optimizer."""
        if self.largest_at_start is None:
            return None
        limit: float | None = self.optimizer.largest_stable_rate(self.largest_at_start)
        return limit

    @property
    def beyond(self) -> bool:
        """Whether the learning rate is beyond the largest stable one at the start."""
        return self.optimizer.uses_rate and self.stable_rate is not None and self.rate > self.stable_rate

    def trial(
        self,
        theta: Array | None = None,
        *,
        objective: Objective | None = None,
        rate: float | str | None = None,
        epochs: int | None = None,
        optimizer: Optimizer | None = None,
        batch_size: int | None = -1,
    ) -> list[Step]:
        """Run again with something changed, and return the steps, the last of which has the outcome."""
        count = min(max(self.epochs if epochs is None else epochs, 1), MOST_EPOCHS)
        theta = self.start if theta is None else theta
        with np.errstate(all="ignore"):
            return list(self.descent(theta, count, objective, optimizer, rate, batch_size))

    def descent(
        self,
        theta: Array,
        epochs: int,
        objective: Objective | None = None,
        optimizer: Optimizer | None = None,
        rate: float | str | None = None,
        batch_size: int | None = -1,
        scale: float | None = None,
    ) -> Iterator[Step]:
        """Descend from ``theta`` as the run did, except for what is given here. scale: see `Plan`."""
        objective, optimizer = objective or self.objective, optimizer or self.optimizer
        batch_size = self.plan.batch_size if batch_size == -1 else batch_size
        trial_rate = self.rate if rate is None else rate
        if trial_rate == "auto":
            trial_rate = optimizer.suggested_rate(objective(theta, 2))
        plan = replace(
            self.plan,
            epochs=epochs,
            epochs_given=True,
            rate=float(trial_rate),
            batch_size=None if batch_size is None or batch_size >= objective.rows else batch_size,
            tolerance=None,
            seconds=min(max(2.0 * self.trace[-1].seconds, 1.0), LONGEST),
            scale=self.plan.scale if scale is None else scale,
            stop=bool,
            closed=None,
        )
        return descend(objective, optimizer, theta, plan)

    def on(self, rows: NDArray[np.intp]) -> Any:
        """Return J over some of the rows of ``columns``."""
        return self.objective.on(rows) if self.model.in_place else OnRows(self.at_hand, rows)

    def settled(self, steps: Sequence[Step], objective: Objective) -> bool:
        """Whether a trial came close to what it could reach."""
        progress = Progress(losses(steps))
        floor = progress.level - progress.ahead if self.model.in_place else self.lowest(steps[-1].theta, objective)
        left = progress.level - floor
        return close_enough(left, abs(floor), progress.fallen)

    @cached_property
    def faster_rate(self) -> float | None:
        """A stable rate at least twice that of the run, if there is one."""
        if self.stable_rate is None or self.plan.batch_size is not None:
            return None
        faster = 0.5 * self.stable_rate
        return faster if faster > 2.0 * self.rate else None

    @property
    def single(self) -> bool:
        """Whether J is computed in single precision."""
        return self.model.in_place and str(self.objective.trained[0].dtype) != "torch.float64"

    @cached_property
    def progress(self) -> Progress:
        """What the losses of the run say about how it went."""
        return Progress(losses(self.trace))

    @cached_property
    def excess(self) -> float:
        """How far J ended above what it can reach: computed for a formula or function, extrapolated for a module."""
        if self.known_floor is None:
            return self.progress.level - self.reachable if self.progress.hovers else self.progress.ahead
        return max(self.progress.level - self.reachable, 0.0)

    @cached_property
    def reachable(self) -> float:
        """The lowest J found from where the run ended: by Gauss-Newton steps, or by quasi-Newton ones."""
        trace = losses(self.trace)
        return min(trace if self.known_floor is None else [*trace, self.known_floor], default=math.inf)

    @cached_property
    def known_floor(self) -> float | None:
        """The lowest J from where the run ended, where it can be known: of a module, if it is linear."""
        if self.objective.has_l1 or self.last.size > MOST_PARAMETERS:
            return None
        if not self.model.in_place:
            return self.lowest(self.last, self.objective)
        return None if self.decays else self.objective.lowest(self.last)

    def lowest(self, theta: Array, objective: Objective) -> float:
        """Return the J that Gauss-Newton steps reach from ``theta``."""
        return min(losses(self.gauss_newton(theta, objective)), default=math.inf)

    def gauss_newton(self, theta: Array, objective: Objective) -> list[Step]:
        """Take Gauss-Newton steps from ``theta``."""
        return self.trial(theta, objective=objective, optimizer=LevenbergMarquardt(), epochs=60, batch_size=None)

    def minimum(self, theta: Array, objective: Objective) -> Array:
        """Return where Gauss-Newton steps lead from ``theta``."""
        finite = [step for step in self.gauss_newton(theta, objective) if math.isfinite(step.loss)]
        return np.asarray(min(finite, key=lambda step: step.loss).theta) if finite else theta


@contextlib.contextmanager
def case_of(run: Run) -> Iterator[Case]:
    """Open the case of a run that ended; a module is left as it was found."""
    problem = run.beginning.problem
    if not problem.model.in_place:
        yield _of_vector(run)
        return
    objective: Any = problem.objective
    optimizer: Any = run.optimizer
    with objective.aside() as flat:
        start, last, failed = flat.path()
        yield Case(
            run=run,
            objective=flat,
            start=start,
            last=last,
            optimizer=optimizer.alike,
            columns=flat.columns() if problem.model.comparable else {},
            decays=optimizer.decays,
            failed=failed,
            over=flat.over,
        )


def _of_vector(run: Run) -> Case:
    problem = run.beginning.problem
    names = dict.fromkeys((*problem.model.inputs, *problem.model.response_columns))
    failed, last = run.trace[-1], run.trace.last_finite
    # A run in standardised columns descended in other parameters than those it reports.
    objective = run.first.objective
    to_standardized = np.asarray if objective.units is None else objective.units.u
    return Case(
        run=run,
        objective=objective,
        start=run.first.theta,
        last=to_standardized(last.theta),
        optimizer=run.optimizer,
        columns={name: problem.columns[name] for name in names},
        failed=None if failed is last else to_standardized(failed.theta),
        over=lambda columns: _rebuilt(problem, columns),
        sampled=problem.all_rows is not None,
    )


def _rebuilt(problem: Problem, columns: Mapping[str, Array]) -> Objective:
    """Return J of the same model over other values of its columns."""
    from descend.engines.torch_engine import TorchEngine

    objective, code, merged = problem.objective, problem.code, problem.rows.replaced(columns)
    device = objective.engine.device
    built = engine_in_memory(code, merged) if device is None else TorchEngine(code, merged, device, passes=0)
    return objective.with_priors_of(objective_over(built, objective.penalty, objective.bounds))
