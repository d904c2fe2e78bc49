"""The runs of a state: `descend.fit` once for each optimizer, and a fit for where the lowest J lies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend import api
from descend.errors import ConfigError, DescendError
from descend.lab.cache import Cache
from descend.lab.data import Rows
from descend.lab.limits import LIMITS
from descend.lab.state import State
from descend.lab.texts import words
from descend.losses import LOSSES
from descend.optimizers import OPTIMIZERS
from descend.parameters import Parameters
from descend.results import Fit
from descend.stability.spectrum import Spectrum, spectrum_at
from descend.wording import SPEAKING

Array = NDArray[np.float64]

Start = Mapping[str, float | list[float]]
"""Starting values by name; for a vector, one for each component."""
NEAR = 0.8
"""Where the parameters of a named curve begin, as a share of their values at the lowest J."""
MOST_PARAMETERS = 20
MOST_UPDATES = 200_000
"""Most steps of a run: epochs times batches."""

FOUND: Cache[Fit] = Cache(128)
RUNS: Cache[Fit] = Cache(256)


@dataclass(frozen=True, eq=False)
class Descents:
    """Several descents on one J.

    fits: by optimizer. lowest: the fit of the default optimizer. start: of all parameters.
    spectrum: that of the curvature at the start, if J has one. limit: the largest stable rate of the first optimizer.
    """

    state: State
    rows: Rows
    fits: Mapping[str, Fit]
    lowest: Fit
    start: Start
    spectrum: Spectrum | None
    limit: float | None

    @property
    def first(self) -> Fit:
        return next(iter(self.fits.values()))

    @property
    def rate(self) -> float | None:
        """The learning rate of the first descent that has one."""
        return next((fit.learning_rate for fit in self.fits.values() if fit.learning_rate is not None), None)


def descents(state: State, rows: Rows, afresh: bool = False) -> Descents:
    """Descend from the same start with each optimizer. Raises DescendError.

    afresh: whether a scale of the loss is estimated from the rows for each descent, as it is outside the lab, rather
    than taken from the lowest fit, which saves most of the time.
    """
    lowest = lowest_fit(state, rows)
    start = starts(state, rows, lowest)
    if state.epochs > (most := LIMITS.get().epochs):
        raise ConfigError(words(state.lang)("too_many_epochs", most=f"{most:,}", epochs=f"{state.epochs:,}"))
    updates = state.epochs * math.ceil(rows.rows / state.batch) if state.batch else state.epochs
    if updates > MOST_UPDATES:
        raise ConfigError(
            f"{state.epochs:,} epochs in batches of {state.batch:,} of {rows.rows:,} rows are {updates:,} steps; the "
            f"lab takes {MOST_UPDATES:,} at most. Use larger batches or fewer epochs, or the command line."
        )
    scaled = LOSSES.build(state.loss).efficient is not None and not (afresh or state.by_hand)
    loss = {"loss": lowest.loss_function} if scaled else {}
    seconds = LIMITS.get().seconds / len(state.optimizers)
    fits = {name: _run(rows, call(state, name, start) | loss, seconds) for name in state.optimizers}
    first = next(iter(fits.values()))
    assert first.solution is not None
    with np.errstate(all="ignore"):
        point = first.solution.objective(first.trace[0].theta, 2)
        known = None if first.loss_function.kinked else spectrum_at(point, first.model.parameters.labels)
    optimizer = OPTIMIZERS.build(state.optimizers[0])
    stable = known is not None and optimizer.recurrence is not None
    limit = known.stable_limit(optimizer) if known is not None and stable else None
    return Descents(state, rows, fits, lowest, start, known, limit)


def lowest_fit(state: State, rows: Rows) -> Fit:
    """Return what the default optimizer finds from a start of its own. Raises DescendError."""
    key = (rows.key, state.formula, *state.kind.items())

    def fit() -> Fit:
        fitted: Fit = api.fit(
            state.formula, rows.table, **state.kind, missing=rows.missing, time_limit=LIMITS.get().seconds
        )
        if fitted.theta.size > MOST_PARAMETERS:
            raise ConfigError(
                f"The formula has {fitted.theta.size} parameters; the lab shows {MOST_PARAMETERS} at most. "
                "Use the command line."
            )
        return fitted

    return FOUND(key, fit)


def starts(state: State, rows: Rows, lowest: Fit) -> Start:
    """Return a starting value for each parameter: the one given; else 0 where J is a parabola, and 1 elsewhere.

    Those of a named curve, which have sizes of their own, begin near where J is lowest, but far enough to see the way.

    A value given for a vector holds for all of its components, except those that are given one of their own. Those of
    the loss itself, such as cutpoints, which have an order to keep, begin where they end.
    """
    own = lowest.loss_function.own_parameters
    given = {name: float(value) for name, value in lowest.parameters.items() if name in own} | dict(state.start)
    usual = 0.0 if lowest.model.linear else 1.0
    formula = lowest.model.formula
    if formula is not None and formula.curves and not lowest.model.linear:
        near = {
            label: float(f"{NEAR * value:.3g}")
            for label, value in zip(lowest.model.parameters.labels, lowest.theta, strict=True)
        }
        given = near | given
    return {
        name: given.get(name, usual)
        if labels is None
        else [given.get(f"{name}[{label}]", given.get(name, usual)) for label in labels]
        for name, labels in lowest.model.parameters.shapes.items()
    }


def unknown_start(state: State, lowest: Fit) -> str:
    """Say, in the words of `descend.fit`, which starting value names no parameter; empty if each names one."""
    parameters = lowest.model.parameters
    assert isinstance(parameters, Parameters)
    unknown = {name: value for name, value in state.start if name not in (*parameters.shapes, *parameters.labels)}
    try:
        parameters.start(unknown, 0.0)
    except ConfigError as error:
        return str(error)
    return ""


def _run(rows: Rows, arguments: dict[str, Any], seconds: float) -> Fit:
    key = (rows.key, repr(arguments), seconds, SPEAKING.get())  # what is said of a fit is said once
    return RUNS(key, lambda: api.fit(data=rows.table, missing=rows.missing, time_limit=seconds, **arguments))


def call(state: State, optimizer: str, start: Start) -> dict[str, Any]:
    """Return the arguments of `descend.fit` that repeat a descent, but for its data."""
    arguments: dict[str, object] = {"model": state.formula, "start": dict(start)}
    if state.by_hand and state.gradient.strip():
        arguments["gradient"] = gradient_lines(state)
    arguments |= state.kind
    arguments |= {"optimizer": optimizer, "learning_rate": "auto" if state.rate is None else state.rate}
    if not OPTIMIZERS.build(optimizer).uses_rate:
        del arguments["learning_rate"]
    arguments["epochs"] = state.epochs
    if state.batch is not None:
        arguments["batch_size"] = state.batch
    return arguments


def gradient_lines(state: State) -> list[str]:
    """Return the gradient by hand, one text for each parameter."""
    return [line.strip() for line in state.gradient.splitlines() if line.strip()]


__all__ = ["DescendError", "Descents", "call", "descents", "gradient_lines", "lowest_fit", "starts", "unknown_start"]
