"""The runs of a state: `descend.fit` once for each optimizer, and a fit for where the lowest J lies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from descend import api
from descend.errors import ConfigError, DescendError
from descend.lab.cache import Cache
from descend.lab.data.rows import Rows
from descend.lab.serving.limits import LIMITS
from descend.lab.state import State
from descend.lab.words.texts import words
from descend.losses import LOSSES
from descend.optimizers import OPTIMIZERS
from descend.parameters import Parameters
from descend.results import Fit
from descend.stability.spectrum import Spectrum, spectrum_at
from descend.wording import SPEAKING

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


def descents(page: State, rows: Rows, afresh: bool = False) -> Descents:
    """Descend from the same start with each optimizer. Raises DescendError.

    afresh: whether a scale of the loss is estimated from the rows for each descent, as it is outside the lab, rather
    than taken from the lowest fit, which saves most of the time.
    """
    lowest = lowest_fit(page, rows)
    start = starts(page, rows, lowest)
    if page.epochs > (most := LIMITS.get().epochs):
        raise ConfigError(words(page.lang)("too_many_epochs", most=f"{most:,}", epochs=f"{page.epochs:,}"))
    updates = page.epochs * math.ceil(rows.rows / page.batch) if page.batch else page.epochs
    if updates > MOST_UPDATES:
        raise ConfigError(
            f"{page.epochs:,} epochs in batches of {page.batch:,} of {rows.rows:,} rows are {updates:,} steps; the "
            f"lab takes {MOST_UPDATES:,} at most. Use larger batches or fewer epochs, or the command line."
        )
    scaled = LOSSES.build(page.loss).efficient is not None and not (afresh or page.by_hand)
    loss = {"loss": lowest.loss_function} if scaled else {}
    seconds = LIMITS.get().seconds / len(page.optimizers)
    fits = {name: _run(rows, call(page, name, start) | loss, seconds) for name in page.optimizers}
    first = next(iter(fits.values()))
    assert first.solution is not None
    with np.errstate(all="ignore"):
        point = first.solution.objective(first.trace[0].theta, 2)
        spectrum = None if first.loss_function.kinked else spectrum_at(point, first.model.parameters.labels)
    optimizer = OPTIMIZERS.build(page.optimizers[0])
    stable = spectrum is not None and optimizer.recurrence is not None
    limit = spectrum.stable_limit(optimizer) if spectrum is not None and stable else None
    return Descents(page, rows, fits, lowest, start, spectrum, limit)


def lowest_fit(page_state: State, rows: Rows) -> Fit:
    """Return what the default optimizer finds from a start of its own. Raises DescendError."""
    key = (rows.key, *page_state.model)

    def fit() -> Fit:
        fitted: Fit = api.fit(
            page_state.formula, rows.table, **page_state.kind, missing=rows.missing, time_limit=LIMITS.get().seconds
        )
        if fitted.theta.size > MOST_PARAMETERS:
            raise ConfigError(
                f"The formula has {fitted.theta.size} parameters; the lab shows {MOST_PARAMETERS} at most. "
                "Use the command line."
            )
        return fitted

    return FOUND(key, fit)


def starts(page_state: State, rows: Rows, lowest: Fit) -> Start:
    """Return a starting value for each parameter: the one given; else 0 where J is a parabola, and 1 elsewhere.

    Those of a named curve, which have sizes of their own, begin near where J is lowest, but far enough to see the way.

    A value given for a vector holds for all of its components, except those that are given one of their own. Those of
    the loss itself, such as cutpoints, which have an order to keep, begin where they end.
    """
    loss_parameters = lowest.loss_function.own_parameters
    start_values = {name: float(value) for name, value in lowest.parameters.items() if name in loss_parameters} | dict(
        page_state.start
    )
    usual = 0.0 if lowest.model.linear else 1.0
    formula = lowest.model.formula
    if formula is not None and formula.curves and not lowest.model.linear:
        near = {
            label: float(f"{NEAR * value:.3g}")
            for label, value in zip(lowest.model.parameters.labels, lowest.theta, strict=True)
        }
        start_values = near | start_values
    return {
        name: start_values.get(name, usual)
        if labels is None
        else [start_values.get(f"{name}[{label}]", start_values.get(name, usual)) for label in labels]
        for name, labels in lowest.model.parameters.shapes.items()
    }


def unknown_start(page_state: State, lowest: Fit) -> str:
    """Say, in the words of `descend.fit`, which starting value names no parameter; empty if each names one."""
    parameters = lowest.model.parameters
    assert isinstance(parameters, Parameters)
    unknown = {name: value for name, value in page_state.start if name not in (*parameters.shapes, *parameters.labels)}
    try:
        parameters.start(unknown, 0.0)
    except ConfigError as error:
        return str(error)
    return ""


def _run(rows: Rows, arguments: dict[str, Any], seconds: float) -> Fit:
    key = (rows.key, repr(arguments), seconds, SPEAKING.get())  # what is said of a fit is said once
    return RUNS(key, lambda: api.fit(data=rows.table, missing=rows.missing, time_limit=seconds, **arguments))


def call(page_state: State, optimizer: str, start: Start) -> dict[str, Any]:
    """Return the arguments of `descend.fit` that repeat a descent, but for its data."""
    arguments: dict[str, object] = {"model": page_state.formula, "start": dict(start)}
    if page_state.by_hand and page_state.gradient.strip():
        arguments["gradient"] = gradient_lines(page_state)
    arguments |= page_state.kind
    arguments |= {"optimizer": optimizer, "learning_rate": "auto" if page_state.rate is None else page_state.rate}
    if not OPTIMIZERS.build(optimizer).uses_rate:
        del arguments["learning_rate"]
    arguments["epochs"] = page_state.epochs
    if page_state.batch is not None:
        arguments["batch_size"] = page_state.batch
    return arguments


def gradient_lines(page_state: State) -> list[str]:
    """Return the gradient by hand, one text for each parameter."""
    return [line.strip() for line in page_state.gradient.splitlines() if line.strip()]


__all__ = ["DescendError", "Descents", "call", "descents", "gradient_lines", "lowest_fit", "starts", "unknown_start"]
