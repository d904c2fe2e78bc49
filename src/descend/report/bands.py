"""The bands around a curve: where its mean, or one more measurement, is expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from descend.descent.outcome import Outcome
from descend.inference.fitted import Fitted
from descend.inference.prediction.bands import band
from descend.inference.prediction.new_measurement import measurement_of
from descend.report.figures import Array, Band, drawable
from descend.report.picture_look import Look
from descend.report.view_of_fit import Drawn

OPACITY = {"confidence": 0.28, "prediction": 0.10}
"""How opaque each band is."""
ROOM = 0.25
"""A band that reaches further beyond the data than this share of their range is cut off."""


def around(
    fit: Fitted,
    curve_drawn: Drawn,
    grid: Array,
    look: Look,
    least: float | None = None,
    colour: str = "vermillion",
    name: bool = True,
) -> list[Band]:
    """Return the bands around a curve that are wanted and defined. least: where the vertical axis begins, if it does.

    name: whether a legend names them.
    """
    bands = []
    for interval in shown(look):
        if _why_not(fit, interval):
            continue
        columns = _with_scatter(fit, curve_drawn.columns) if interval == "prediction" else curve_drawn.columns
        ends = band(fit.estimates(), columns, interval, look.level)
        low, high = curve_drawn.of(ends.low), curve_drawn.of(ends.high)
        if not (np.isfinite(low) & np.isfinite(high)).all():
            continue
        low, high = drawable(low), drawable(high)
        if least is not None and look.scale("y") == "log":
            low, high = np.maximum(low, least), np.maximum(high, least)
        words = f"{look.level * 100:g}% {interval}" if name else ""
        bands.append(Band(grid, low, high, words, colour, OPACITY[interval]))
    return bands


def in_view(
    around: Sequence[Band], low: float | None, high: float | None, look: Look
) -> tuple[float | None, float | None]:
    """Return limits of the vertical axis that show the bands, too, unless they reach far beyond."""
    if low is None or high is None or look.scale("y") == "log":
        return low, high
    room = ROOM * (high - low)
    for each in around:
        low = min(low, max(float(each.low.min()), low - room))
        high = max(high, min(float(each.high.max()), high + room))
    return low, high


def shown(look: Look) -> tuple[str, ...]:
    """Return the bands that are drawn where they are defined."""
    return tuple(OPACITY) if look.wanted is None else look.wanted


def lacking(fit: Fitted, look: Look) -> list[str]:
    """Say which bands that were asked for do not exist, and why."""
    return [f"No {interval} band: {why}." for interval in look.wanted or () if (why := _why_not(fit, interval))]


def _why_not(fit: Fitted, interval: str) -> str:
    if fit.loss_function.classes:
        return "classes have none"
    if fit.outcome is not Outcome.CONVERGED:
        return "the run did not reach the minimum"
    if (fit.covariance is None or fit.undetermined) and fit.estimates().combinations is None:
        return "the fit does not say how certain its parameters are"
    if interval == "prediction" and not _scatter_known(fit):
        return "how far a further row scatters is not known"
    if interval == "prediction" and fit.residual_standard_deviation is None:
        return f"single measurements have no spread under the {fit.loss_function.name} loss"
    return ""


def _scatter_known(fit: Fitted) -> bool:
    """Whether the fit says how far a row scatters that has the inputs of the curve and nothing more."""
    if not (fit.weights or fit.sigma or (fit.scatter and fit.scatter.known)):
        return True
    measurement = measurement_of(fit.estimates())
    return measurement is not None and measurement.known_in(fit.model.needed_inputs)


def _with_scatter(fit: Fitted, columns: Mapping[str, Array]) -> Mapping[str, Array]:
    """Return the columns with the sigma, or weight, of each row, where the fit computes it."""
    estimates = fit.estimates()
    measurement, spread = measurement_of(estimates), estimates.sigma or estimates.weights
    if measurement is None or spread is None:
        return columns
    prediction = fit.model.predict(estimates.theta, columns)
    return {**columns, spread: measurement.computed.over(measurement.known(columns, prediction), len(prediction))}
