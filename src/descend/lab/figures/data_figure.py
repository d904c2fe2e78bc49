"""The picture of the rows: what stands still in it, and what moves.

One input: the rows and a curve for each descent. Two inputs and a class: the plane of the inputs, and where each
descent sees the border between the sides. Else: predicted against observed.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from descend.lab.descents.runs import Descents
from descend.lab.figures.frames import Frames
from descend.lab.figures.still_figures import Array, Plain, brief
from descend.lab.words.texts import words
from descend.report import grouped
from descend.report.figures import Axis, Line, Mark, Panel, Points, reach
from descend.report.units import with_unit
from descend.report.view_of_fit import View, view
from descend.results import Fit

COLOURS = ("vermillion", "green", "purple", "orange", "sky", "blue")
MOST_POINTS = 1_200
GRID = 72
"""Points of the moving curve."""
CELLS = 25
"""Points of the plane of two inputs, along each."""
MOST_PREDICTED = 240
LOWEST = "lowest J"
BY_HAND = "purple"
"""The colour of steps by hand."""


@dataclass(frozen=True, eq=False)
class Scene:
    """What a picture of rows is drawn from, whichever kind it is."""

    runs: Descents
    seen: View

    @classmethod
    def of(cls, runs: Descents) -> Scene:
        """Return the scene of some descents."""
        return cls(runs, view(runs.first))

    @property
    def sides(self) -> bool:
        """Whether the picture is the plane of two inputs, and the border between two classes in it."""
        rows = self.seen
        if len(rows.inputs) != 2 or rows.levels or rows.classes or not rows.fit.loss_function.two_levels:
            return False
        return bool(np.isin(rows.y[np.isfinite(rows.y)], (0.0, 1.0)).all())

    @property
    def most(self) -> int:
        """Return how many rows are drawn, at most."""
        return MOST_POINTS if self.seen.one or self.sides else MOST_PREDICTED

    def panel(self) -> Panel:
        """Prepare what stands still."""
        if self.sides:
            return self._plane()
        if self.seen.one or grouped.together(self.seen):
            return self._curves()
        return self._predicted()

    def moves(self, frames: Frames) -> list[Plain]:
        """Return what moves, for each descent: all of them are of one model."""
        return [self._move(run_number, frames.theta(name)) for run_number, name in enumerate(self.runs.fits)]

    def move_at(self, theta: Array) -> Plain:
        """Return the curve at some parameters, as a move of one frame."""
        return self._move(COLOURS.index(BY_HAND), theta[None, :])

    def _move(self, run_number: int, ways: Array) -> Plain:
        """Return what moves as the parameters go a way, (frames, p). place: of its colour."""
        fit = self.runs.first
        if self.sides:
            return self._side(run_number, fit, ways)
        if self.seen.one or grouped.together(self.seen):
            inputs = self._inputs()[1]
            grid = next(iter(inputs.values()))
            return _curve("curve", run_number, grid, _curves(fit, ways, inputs), *reach(self.seen.y))
        rows_drawn = self._chosen()
        columns = {name: np.asarray(values)[rows_drawn] for name, values in self.seen.columns.items()}
        y = self.seen.y[rows_drawn]
        return _curve("dots", run_number, y, _curves(fit, ways, columns), *reach(y))

    def _chosen(self) -> NDArray[np.intp]:
        return _some(len(self.seen.y), self.most)

    def _inputs(self) -> tuple[list[Mark], dict[str, Array]]:
        """Return the rows, and where the curve has its points."""
        view_of_rows = self.seen
        key = view_of_rows.inputs[0] if view_of_rows.inputs else ""
        if grouped.together(view_of_rows):
            marks, inputs = grouped.beside(view_of_rows, GRID)
            return marks, {key: inputs[key]} | inputs
        rows_drawn, held_out = self._chosen(), self.held_out()
        across = np.concatenate([view_of_rows.x, *(points.x for points in held_out)])
        return [Points(view_of_rows.x[rows_drawn], view_of_rows.y[rows_drawn], "data"), *held_out], {key: _grid(across)}

    def held_out(self) -> list[Points]:
        """Return the rows held out, where the picture is a curve over one input; empty if there are none."""
        solution, seen = self.runs.first.solution, self.seen
        validation = None if solution is None else solution.problem.validation
        if validation is None or not seen.one or not seen.inputs or grouped.together(seen):
            return []
        rows = validation.engine.rows
        chosen = _some(rows.count, self.most)
        return [Points(rows.columns[seen.inputs[0]][chosen], rows.y[chosen], "held out", "blue", 1.2, shape="up")]

    def _curves(self) -> Panel:
        view_of_rows, lowest = self.seen, self.runs.lowest
        low, high = reach(np.concatenate([view_of_rows.y, *(points.y for points in self.held_out())]))
        marks, inputs = self._inputs()
        if np.isfinite(lowest.theta).all():
            best = predicted(lowest, lowest.theta, inputs)
            far = 1e3 * (high - low)
            marks.append(
                Line(next(iter(inputs.values())), np.clip(best, low - far, high + far), LOWEST, "blue", 1.4, ":")
            )
        room = 0.12 * (high - low)
        up = Axis(with_unit(view_of_rows.fit, view_of_rows.response), low=low - room, high=high + room)
        across = Axis(with_unit(view_of_rows.fit, view_of_rows.inputs[0]) if view_of_rows.inputs else "row")
        return Panel("curve", "", across, up, marks)

    def _predicted(self) -> Panel:
        view_of_rows, say = self.seen, words(self.runs.state.lang)
        low, high = reach(view_of_rows.y[self._chosen()])
        ends = np.array([low, high])
        edge, room = 0.05 * (high - low), 0.35 * (high - low)
        across = Axis(say("observed", name=view_of_rows.response), low=low - edge, high=high + edge)
        up = Axis(say("predicted", name=view_of_rows.response), low=low - room, high=high + room)
        return Panel("curve", "", across, up, [Line(ends, ends, "predicted = observed", "blue", 1.4, "--")])

    def _plane_axes(self) -> list[str]:
        """Return the two inputs as they follow each other in the rows."""
        axis_columns = list(self.runs.rows.columns)
        return sorted(self.seen.inputs, key=axis_columns.index)

    def _sides_ends(self) -> tuple[tuple[float, float], tuple[float, float]]:
        pairs = [reach(np.asarray(self.seen.columns[name], dtype=np.float64)) for name in self._plane_axes()]
        first, second = ((low - 0.05 * (high - low), high + 0.05 * (high - low)) for low, high in pairs)
        return first, second

    def _plane(self) -> Panel:
        rows, rows_drawn = self.seen, self._chosen()
        x, y = (np.asarray(rows.columns[name], dtype=np.float64)[rows_drawn] for name in self._plane_axes())
        marks: list[Mark] = []
        for value, colour, shape in ((0.0, "blue", "dot"), (1.0, "orange", "up")):
            class_rows = rows.y[rows_drawn] == value
            marks.append(Points(x[class_rows], y[class_rows], f"{rows.response} = {value:g}", colour, shape=shape))
        axes = [
            Axis(with_unit(rows.fit, name), low=low, high=high)
            for name, (low, high) in zip(self._plane_axes(), self._sides_ends(), strict=True)
        ]
        return Panel("sides", "", axes[0], axes[1], marks)

    def _side(self, run: int, fit: Fit, ways: Array) -> Plain:
        """Return the probability of class 1 over the plane in each frame, in 200ths, row by row from below."""
        ends = self._sides_ends()
        x, y = (np.linspace(*each, CELLS) for each in ends)
        inputs = dict(zip(self._plane_axes(), (np.tile(x, CELLS), np.repeat(y, CELLS)), strict=True))
        values = np.clip(np.nan_to_num(_curves(fit, ways, inputs), nan=0.5), 0.0, 1.0)
        text = base64.b64encode(np.round(200.0 * values).astype(np.uint8).tobytes()).decode()
        return {"kind": "sides", "colour": colour_name(run), "x": ends[0], "y": ends[1], "cells": CELLS, "side": text}


def colour_name(run_number: int) -> str:
    """Return the name of the colour of the descent with this index."""
    return COLOURS[run_number % len(COLOURS)]


def _curve(kind: str, run_number: int, x: Array, curves: Array, low: float, high: float) -> Plain:
    """Return a curve for every frame: whole ten-thousandths of the picture, two bytes each, as text."""
    begin, unit = low, (high - low) / 1e4
    with np.errstate(all="ignore"):
        pixels = np.round(np.clip((curves - begin) / unit, -3e4, 3e4))
    integers = np.where(np.isfinite(pixels), pixels, GAP).astype("<i2")
    text = base64.b64encode(np.ascontiguousarray(integers).tobytes()).decode()
    return {"kind": kind, "colour": colour_name(run_number), "x": brief(x), "heights": text, "scale": [begin, unit]}


GAP = -32768
"""Stands for a value that there is not."""


def _curves(fit: Fit, ways: Array, columns: Mapping[str, Array]) -> Array:
    """Return the (frames, rows) predictions."""
    formula = fit.model.formula
    if formula is None or formula.terms:
        return np.array([predicted(fit, theta, columns) for theta in ways])
    # The rows of all frames are put side by side, each with the parameters of its frame: one call instead of many.
    rows = len(next(iter(columns.values())))
    columns_tiled = {name: np.tile(values, len(ways)) for name, values in columns.items()}
    return predicted(fit, np.repeat(ways.T, rows, axis=1), columns_tiled).reshape(len(ways), rows)


def predicted(fit: Fit, theta: ArrayLike, columns: Mapping[str, Array]) -> Array:
    """Return the predictions at some parameters; NaN or infinite where there is none."""
    with np.errstate(all="ignore"):
        values = fit.model.predict(np.asarray(theta, dtype=np.float64), columns)
    return np.asarray(values, dtype=np.float64)


def _grid(x: Array) -> Array:
    low, high = reach(x)
    return np.linspace(low, high, GRID)


def _some(count: int, most: int) -> NDArray[np.intp]:
    """Choose at most ``most`` rows at random, but always the same ones."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, most, replace=False))
