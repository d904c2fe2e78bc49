"""Whether the learning rate is stable: checked before the first step, and watched during the run."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from descend.descent.beginning import Beginning
from descend.descent.loop import Plan
from descend.descent.step import Step, due_epochs
from descend.errors import ConfigError
from descend.optimizers import Optimizer
from descend.optimizers.curvature import largest_curvature, matrix_of
from descend.problem.point import Array, Objective, Point
from descend.problem.problem import Problem
from descend.stability.spectrum import Spectrum, fold_of, spectrum_at, spectrum_of

WORTH = 10
"""Measuring the curvature of a module costs about this many epochs; shorter runs go without."""
MOST_GROWTH = 1e100
"""Growth per epoch beyond this is not stated: the first step already overflows nearly everything."""
WATCHED = 50
"""Up to this many parameters the curvature is watched by default; its size grows with their square."""


def preflight(beginning: Beginning, first: Point, optimizer: Optimizer, plan: Plan) -> str | None:
    """Return a warning if the learning rate is too large at the start; None if it is not, or that is unknown.

    first: J there, in the parameters of the descent. A rate that is clearly stable needs no eigenvalues: the Frobenius
    norm of the curvature bounds the largest one, and if that is not enough, a Cholesky factorisation decides.
    """
    problem, curvature = beginning.problem, first.curvature
    if optimizer.recurrence is None or problem.model.loss.kinked:
        return None
    if curvature is not None:
        limit = optimizer.largest_stable_rate(1.0)  # for any other largest curvature it is that much smaller
        if limit is None or plan.rate <= 0.0:
            return None
        most = limit / plan.rate
        matrix = matrix_of(curvature)
        size = largest_curvature(curvature) if matrix is None else math.sqrt(float(np.vdot(matrix, matrix)))
        if size is None or not math.isfinite(size) or size <= most:
            return None
        if matrix is not None and _bounded(matrix, most):
            return None
    elif plan.epochs <= WORTH:
        return None
    at_beginning = first is beginning.first
    spectrum = spectrum_of(problem, first) if at_beginning else spectrum_at(first, (), exact=problem.parabola)
    return warning(spectrum, plan.rate, optimizer, plan.steady)


def _bounded(curvature: Array, most: float) -> bool:
    """Whether no eigenvalue is above ``most``: whether most I - C has a Cholesky factor."""
    try:
        np.linalg.cholesky(most * np.eye(len(curvature)) - curvature)
    except np.linalg.LinAlgError:
        return False
    return True


def warning(spectrum: Spectrum | None, rate: float, optimizer: Optimizer, plain: bool = True) -> str | None:
    """Return a sentence on a rate beyond the largest stable one, and what it will lead to; None if it is stable.

    plain: whether the rate is the same at each step, and each step over all rows, so that the growth is known.
    """
    limit = None if spectrum is None else spectrum.stable_limit(optimizer)
    if spectrum is None or limit is None or rate <= limit:
        return None
    start = "" if spectrum.exact else " at the start"
    sentence = f"learning rate {rate:g} is above the largest stable rate {limit:.3g}{start}"
    growth = spectrum.growth(rate, optimizer)
    if not plain or growth is None or not 1.0 < growth < MOST_GROWTH:
        return sentence
    fold = fold_of(growth**2)
    if not spectrum.exact:
        return f"{sentence}: at first J may grow {fold} per epoch"
    overflow = spectrum.overflow_epoch(rate, optimizer)
    end = "" if overflow is None else f" and overflow at epoch {overflow:,} (float64)"
    return f"{sentence}: J will grow {fold} per epoch{end}"


class Gauge:
    """Reads the steps of a run and, at some epochs, adds the sharpness: the largest eigenvalue of the curvature.

    The first time that rate times sharpness passes the optimizer's limit of stability, the step gets a note about it.

    constant: whether the curvature is the same everywhere, so that it is measured only once. warned: whether the user
    was warned already.
    """

    def __init__(
        self,
        objective: Objective,
        optimizer: Optimizer,
        due: Iterator[int],
        constant: bool = False,
        warned: bool = False,
    ) -> None:
        self.objective, self.optimizer = objective, optimizer
        self.due = due
        self.next = next(due)
        self.constant = constant
        self.warned = warned
        self.sharpness: float | None = None

    def __call__(self, step: Step) -> None:
        """Read one step."""
        if step.epoch < self.next and step.outcome is None:
            return
        while self.next <= step.epoch:
            self.next = next(self.due)
        if self.sharpness is None or not self.constant:
            self.sharpness = self._measured(step.theta)
        step.sharpness = self.sharpness
        if self.sharpness is not None and step.outcome is None and step.note is None:
            step.note = self._note(step.epoch, step.learning_rate)

    def _measured(self, theta: Array) -> float | None:
        return self.objective(theta, 2).largest_curvature()

    def _note(self, epoch: int, rate: float) -> str | None:
        assert self.sharpness is not None
        limit = self.optimizer.largest_stable_rate(self.sharpness)
        if self.warned or limit is None or rate <= limit:
            return None
        self.warned = True
        return (
            f"at epoch {epoch:,} learning rate times largest curvature is {rate * self.sharpness:.3g}, above "
            f"{limit * self.sharpness:.3g}, the limit of stability for {self.optimizer.name}"
        )


def gauge(
    epochs_to_watch: bool | int | str,
    problem: Problem,
    objective: Objective,
    optimizer: Optimizer,
    epochs: int | None,
    warned: bool,
) -> Gauge | None:
    """Return the gauge that the user wants; None if there is nothing to watch.

    epochs_to_watch: True for those that a log shows, a number for every so many, ``"auto"`` only if it costs little.

    Raises ConfigError where J has no curvature.
    """
    kinked = problem.model.loss.kinked
    if epochs_to_watch is False or (epochs_to_watch == "auto" and (kinked or optimizer.recurrence is None)):
        return None
    if kinked:
        raise ConfigError(
            f"The {problem.model.loss.name} loss has kinks, so J has no curvature to note. Leave out `sharpness`."
        )
    constant = problem.parabola
    if epochs_to_watch == "auto" and not constant and problem.model.parameters.size > WATCHED:
        return None
    number = isinstance(epochs_to_watch, int) and not isinstance(epochs_to_watch, bool)
    every = int(epochs_to_watch) if number else None
    return Gauge(objective, optimizer, due_epochs(epochs, every), constant, warned)
