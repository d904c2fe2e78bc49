"""Panels as characters, for a terminal: rows and curves drawn with the dots of Braille characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from descend.report.figures import Axis, Level, Line, Mark, Panel, Points, reach
from descend.report.film import CURVE
from descend.report.panels import DECADES
from descend.report.style import one_line
from descend.report.view_of_fit import Drawn, column, ordered, sample

if TYPE_CHECKING:
    from descend.descent.step import Step
    from descend.models import Model

COLOURS = dict(blue="blue", vermillion="orange", green="green", purple="magenta", orange="yellow", sky="cyan")


def characters(panels: Sequence[Panel], width: int, height: int, colour: bool = True) -> str:
    """Draw panels side by side, in ``width`` by ``height`` characters. colour: whether to add ANSI colour codes.

    Only points, lines and levels are drawn: characters cannot show surfaces and bands.
    """
    import plotext
    from matplotlib.ticker import MaxNLocator

    figure = plotext.figure
    figure.clear()
    figure.subplots(1, len(panels))
    figure.plot_size(width, height)
    figure.theme("colorless")
    for panel_number, panel in enumerate(panels, start=1):
        subplot = figure.subplot(1, panel_number)
        subplot.title(one_line(panel.title, width // len(panels) - 8))
        subplot.label(one_line(panel.x.name, 30), "x")
        for mark in panel.marks:
            if not isinstance(mark, Points | Line | Level):
                continue
            marker = plotext.marker("braille", COLOURS[mark.colour]) if colour else "braille"
            if isinstance(mark, Level):
                subplot.line(mark.y)
                continue
            x, y = np.asarray(mark.x, dtype=np.float64), np.asarray(mark.y, dtype=np.float64)
            points_shown = np.isfinite(x) & np.isfinite(y) & ((y > 0.0) | (panel.y.scale != "log"))
            if not points_shown.any():
                continue
            signal = subplot.signal(x[points_shown].tolist(), y[points_shown].tolist(), marker=marker)
            subplot.draw(signal.lines() if isinstance(mark, Line) else signal)
        if panel.y.low is not None and panel.y.high is not None:
            subplot.ruler("y").lim(panel.y.low, panel.y.high)
        if panel.x.integers:
            ends = reach(np.concatenate([mark.x for mark in panel.marks if isinstance(mark, Points | Line)]))
            ticks = [
                int(tick) for tick in MaxNLocator(5, integer=True).tick_values(*ends) if ends[0] <= tick <= ends[1]
            ]
            subplot.ruler("x").ticks(ticks, [f"{tick:,}" for tick in ticks])
        if panel.y.scale == "log":
            subplot.ruler("y").scale("log")
    text: str = figure.build().string(not colour)
    return text


class Scene:
    """What a terminal shows of a run as it goes: the prediction over the rows, and the loss per epoch so far."""

    def __init__(self, model: Model, columns: Mapping[str, object]) -> None:
        names = dict.fromkeys((*model.inputs, *model.response_columns))
        self.model = model
        everything = {name: column(columns[name]) for name in names}
        self.rows, rows_drawn, _ = sample(everything)
        self.drawn = Drawn(self.rows) if model.rowwise else Drawn(everything, rows_drawn)
        with np.errstate(all="ignore"):
            self.y = model.observed(self.rows)
        self.epochs: list[int] = []
        self.losses: list[float] = []

    def add(self, step: Step) -> None:
        """Add a step to the line of the loss."""
        self.epochs.append(step.epoch)
        self.losses.append(step.loss)

    def panels(self, step: Step) -> list[Panel]:
        """Prepare the panels at a step."""
        epochs, losses = np.array(self.epochs, dtype=np.float64), np.array(self.losses)
        finite = losses[np.isfinite(losses)]
        scale = "log" if len(finite) and finite.min() > 0.0 and finite.max() > DECADES * finite.min() else "linear"
        title = f"epoch {step.epoch:,}  loss {step.loss:.6g}"
        falling = Panel(
            "loss", title, Axis("epoch", integers=True), Axis("", scale), [Line(epochs, losses, colour="green")]
        )
        return [self._prediction(step), falling]

    def _prediction(self, step: Step) -> Panel:
        model, low_high = self.model, reach(self.y)
        room = 0.1 * (low_high[1] - low_high[0])
        up = Axis("", low=low_high[0] - room, high=low_high[1] + room)
        if len(model.inputs) == 1:
            x = np.asarray(self.rows[model.inputs[0]])
            if model.rowwise:
                grid = np.linspace(x.min(), x.max(), CURVE)
                curve = Line(grid, Drawn({model.inputs[0]: grid}).predict(model, step.theta))
            else:
                rows_drawn = ordered(x, CURVE)
                curve = Line(x[rows_drawn], self.drawn.predict(model, step.theta)[rows_drawn])
            return Panel("curve", str(model), Axis(model.inputs[0]), up, [Points(x, self.y), curve])
        predicted = self.drawn.predict(model, step.theta)
        ends = np.array(low_high)
        marks: list[Mark] = [Line(ends, ends), Points(self.y, np.broadcast_to(predicted, self.y.shape))]
        return Panel("predicted", "predicted against observed", Axis("observed"), up, marks)
