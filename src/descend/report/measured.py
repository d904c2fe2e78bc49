"""What was measured of a module after each epoch: its validation loss, beside the loss, and its metrics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from descend.inference.fitted import Fitted
from descend.report.figures import Axis, Line, Panel, drawable
from descend.report.panels import COLOURS, FEW_EPOCHS, kept, loss

VALIDATION = "validation_"
"""What the name of a measure over the rows that are held back begins with."""
MOST_METRICS = 6


def curve(fit: Fitted, name: str, label: str, colour: str, dashes: str = "-") -> Line | None:
    """Return a measure per epoch, where it is finite; None if it was not measured."""
    steps = [step for step in kept(fit) if step.measures and np.isfinite(step.measures.get(name, np.nan))]
    if not steps:
        return None
    epochs = np.array([step.epoch for step in steps], dtype=np.float64)
    values = np.array([(step.measures or {})[name] for step in steps], dtype=np.float64)
    return Line(epochs, drawable(values), label, colour, dashes=dashes, dots=len(steps) <= FEW_EPOCHS)


def losses(fit: Fitted) -> Panel:
    """Prepare the loss per epoch, and the validation loss beside it, if there is one."""
    panel = loss(fit)
    validation = curve(fit, f"{VALIDATION}loss", "validation", "vermillion", "--")
    if validation is None or not panel.marks:
        return panel
    trained = panel.marks[0]
    assert isinstance(trained, Line)
    caption = f" The validation loss goes from {validation.y[0]:.4g} to {validation.y[-1]:.4g}."
    both = np.concatenate([trained.y, validation.y])
    low, high = panel.y.low, panel.y.high
    if low is not None and high is not None:
        low, high = min(low, float(both.min())), max(high, float(both.max()))
    return replace(
        panel,
        y=replace(panel.y, low=low, high=high),
        marks=[replace(trained, name="training"), validation],
        alt=panel.alt + caption,
    )


def metrics(fit: Fitted) -> Panel | None:
    """Prepare the metrics per epoch, those of the rows held back dashed; None if there are none."""
    names = [name for name in (kept(fit)[-1].measures or {}) if name != f"{VALIDATION}loss"]
    plain = [name for name in names if not name.startswith(VALIDATION)][:MOST_METRICS]
    lines = []
    for metric_number, name in enumerate(plain):
        colour = COLOURS[metric_number % len(COLOURS)]
        lines += [
            curve(fit, name, name.replace("_", " "), colour),
            curve(fit, f"{VALIDATION}{name}", f"{name.replace('_', ' ')}, validation", colour, "--"),
        ]
    metric_lines = [line for line in lines if line is not None]
    if not metric_lines:
        return None
    ends = ", ".join(f"{line.name} ends at {line.y[-1]:.4g}" for line in metric_lines)
    return Panel(
        "metrics",
        "Metrics per epoch",
        Axis("epoch", integers=True),
        Axis("metric"),
        metric_lines,
        "",
        f"The metrics per epoch: {ends}.",
    )
