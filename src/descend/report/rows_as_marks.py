"""Rows as marks: dots, open triangles for limits, rings for rows held out, error bars, and corrected points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from descend.gradients.orthogonal import OrthogonalKernel
from descend.losses import Loss
from descend.models import Model
from descend.report.figures import Array, Bars, Line, Mark, Points
from descend.report.view_of_fit import View, names_of, spread_columns
from descend.table.rows import Roles, Rows

MOST_BARS = 400
"""With more rows than this, error bars would only cover each other."""
TRIANGLES = {-1.0: ("down", "at most"), 1.0: ("up", "at least")}
"""How values that are known only by limits are drawn, and named, by the state of the row."""
LEFT_OUT = "Error bars are left out, as they would cover each other."

HELD_OUT = "held out"
"""What a legend calls rows that are held out."""

Ends = tuple[Array, Array]


class Measured(Protocol):
    """What says how far rows may be from where they were measured: a fit, or many."""

    @property
    def sigma(self) -> str | Sequence[str] | None: ...
    @property
    def loss_function(self) -> Loss: ...
    @property
    def model(self) -> Model: ...


def points(
    loss: Loss,
    columns: Mapping[str, Array],
    x: Array,
    y: Array,
    name: str = "data",
    ends: bool = True,
    shape: str = "dot",
) -> list[Mark]:
    """Return the marks of rows, drawn at x and y: those that are censored point to where their value lies.

    columns: of these rows. ends: whether an interval is drawn with its ends, not as a dot. shape: of exact values.
    """
    states = columns.get(loss.states) if loss.states else None
    if states is None or not np.any(states):
        return [Points(x, y, name, shape=shape)]
    states = np.asarray(states)
    dots = states == 0.0 if ends else (states == 0.0) | (states == 2.0)
    marks: list[Mark] = [Points(x[dots], y[dots], name, shape=shape)] if dots.any() else []
    for censoring_code, (shape, label) in TRIANGLES.items():
        rows_censored = states == censoring_code
        if rows_censored.any():
            marks.append(Points(x[rows_censored], y[rows_censored], label, shape=shape))
    between = states == 2.0
    if ends and between.any():
        low, high = (np.asarray(columns[column])[between] for column in loss.own_columns[1:3])
        marks += [Bars(x[between], y[between], down=low, up=high), Points(x[between], y[between], "between", size=0.6)]
    return marks


def held_out(view: View, x: Array, y: Array, name: str = HELD_OUT, colour: str = "blue") -> list[Points]:
    """Return rows that are held out, drawn at x and y; none of rows without an input, whose numbers mean nothing."""
    told_apart = view.inputs or not view.fit.model.response_columns  # by numbers that mean something
    return [Points(x, y, name, colour, shape="ring")] if told_apart and len(x) else []


def bars(
    view: View, x: Array, y: Array, rows_drawn: NDArray[np.intp] | slice = slice(None), colour: str = "blue"
) -> list[Bars]:
    """Return the error bars of some rows that are drawn at x and y; none where no standard deviation is known.

    One standard deviation to each side, for the response where ``sigma`` says it, for inputs where ``x_sigma`` does.
    """
    if crowded(view):
        return []
    columns = {
        name: np.asarray(view.columns[name])[rows_drawn] for name in spread_columns(view.fit) if name in view.columns
    }
    return bars_of(view.fit, view.inputs[0] if view.inputs else "", columns, x, y, colour)


def bars_of(
    fit: Measured, name: str, columns: Mapping[str, Array], x: Array, y: Array, colour: str = "blue"
) -> list[Bars]:
    """Return the error bars of rows whose columns these are. name: of the input that stands across, if it is one."""
    across, up = input_errors(fit, name, columns, len(x)), response_errors(fit, columns)
    if across is None and up is None:
        return []
    bars_drawn = Bars(x, y, colour=colour)
    if across is not None:
        bars_drawn = replace(bars_drawn, left=x - across, right=x + across)
    if up is not None:
        bars_drawn = replace(bars_drawn, down=y - up[0], up=y + up[1])
    return [bars_drawn]


def crowded(view: View) -> bool:
    """Whether there are error bars, but of too many rows to be drawn."""
    if len(view.x) <= MOST_BARS:
        return False
    across = view.inputs and input_errors(view.fit, view.inputs[0], view.columns, len(view.x)) is not None
    return bool(across) or response_errors(view.fit, view.columns) is not None


def response_errors(fit: Measured, columns: Mapping[str, Array]) -> Ends | None:
    """Return how far the response may be below and above each measured value, (rows,) each; None if nothing says so."""
    names = names_of(fit.sigma or fit.loss_function.deviations)
    if not names or not all(name in columns for name in names):
        return None
    return np.asarray(columns[names[0]]), np.asarray(columns[names[-1]])


def input_errors(fit: Measured, name: str, columns: Mapping[str, Array], count: int) -> Array | None:
    """Return the standard deviations of an input, (rows,); None if it has none, or they are not among the columns."""
    sigma = fit.model.inexact.get(name)
    if isinstance(sigma, str):
        return np.asarray(columns[sigma]) if sigma in columns else None
    return None if sigma is None else np.full(count, sigma)


def corrected(view: View) -> Mapping[str, Array] | None:
    """Return where the true values of the inputs with errors are, (rows,) each; None if none has errors.

    They are found anew, at the parameters of the fit, for the rows that are drawn (see ``OrthogonalKernel``).
    """
    fit, model = view.fit, view.fit.model
    if not model.inexact or model.symbolic is None or not all(name in view.columns for name in spread_columns(fit)):
        return None
    if model.symbolic.formula.parts:  # whose responses share the true inputs of a row, of which some may not be drawn
        return None
    rows = Rows.of(view.columns, Roles(fit.weights, fit.sigma), model.observed)
    kernel = OrthogonalKernel(model.symbolic, model.inexact, not model.response_columns, model.correlated)
    deltas_of_inputs = kernel.deltas(fit.theta, rows)
    return {name: np.asarray(view.columns[name]) + delta for name, delta in deltas_of_inputs.items()}


def joined(x: Array, y: Array, true_x: Array, true_y: Array, name: str = "corrected") -> list[Mark]:
    """Return the corrected points, each joined to the measured one."""
    gap = np.full(len(x), np.nan)
    across = np.stack([x, true_x, gap], axis=1).ravel()
    up = np.stack([y, true_y, gap], axis=1).ravel()
    return [Line(across, up, "", "slate", 0.9), Points(true_x, true_y, name, "green", 0.6, over=True)]
