"""Several optimizers on one problem as a page: how far each came, and their paths on one surface."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape

from descend.inference.fitted import Fitted
from descend.report import panels, surface
from descend.report.cells import RIGHT, heads, number, prose, table
from descend.report.document import bar, document, parts
from descend.report.fields import fields
from descend.report.figures import Line, Panel
from descend.report.html import ICONS, data, equations, figures, footer, repeat
from descend.report.view_of_fit import ended

MOST_PARAMETERS = 6
"""Most parameters of each fit in the table."""


def race_page(fits: Mapping[str, Fitted], texts: Sequence[tuple[str, str]]) -> str:
    """Return the whole page of several fits of one model to the same data.

    fits: by optimizer. texts: pairs of a title and a text that repeats the fits.
    """
    first = next(iter(fits.values()))
    sections = [
        ("race", "The race", summary(fits)),
        ("pictures", "The way down", figures(_panels(fits), lead=True)),
        ("outcomes", "How each ended", "".join(_verdict(name, fit) for name, fit in fits.items())),
        ("mathematics", "The mathematics", equations(first)),
        ("data", "The data", data(first)),
        ("repeat", "How to repeat it", repeat(texts)),
    ]
    head = f"<header>{bar('report of a race')}<h1>{escape(str(first.model))}</h1><p>{winner(fits)}</p></header>"
    return document(f"{first.model}: {', '.join(fits)}", head + f"<main>{parts(sections)}</main>" + footer())


def winner(fits: Mapping[str, Fitted]) -> str:
    """Name the optimizer that came lowest; of several, the one that took the fewest epochs."""
    finite = {name: fit for name, fit in fits.items() if math.isfinite(fit.loss)}
    if not finite:
        return "None of them kept to finite numbers."
    lowest = min(fit.loss for fit in finite.values())
    highest = max(abs(fit.trace[0].loss) for fit in finite.values())
    level = [name for name, fit in finite.items() if fit.loss - lowest <= 1e-6 * max(abs(lowest), 1e-9 * highest)]
    best = min(level, key=lambda name: finite[name].epochs)
    ties_text = f" {', '.join(name for name in level if name != best)} came as low." if len(level) > 1 else ""
    epochs = f"{finite[best].epochs:,} epoch{'' if finite[best].epochs == 1 else 's'}"
    return f"{escape(best)} came lowest: the loss is {number(finite[best].loss, 6)} after {epochs}.{escape(ties_text)}"


def summary(fits: Mapping[str, Fitted]) -> str:
    """Write the table of how far each optimizer came."""
    labels = next(iter(fits.values())).model.parameters.labels[:MOST_PARAMETERS]
    titles = ["optimizer", "ended", "loss", "learning rate", *labels]
    lines = []
    for name, fit in fits.items():
        ends = (number(float(value), 6) for value in fit.theta[: len(labels)])
        values = [number(fit.loss, 6), number(fit.learning_rate, 4), *ends]
        cells_html = "".join(f"<td{RIGHT}>{cell}</td>" for cell in values)
        lines.append(f'<tr><th scope="row">{escape(name)}</th><td>{escape(ended(fit))}</td>{cells_html}</tr>')
    return table(heads(titles, range(2, len(titles))), lines, "Optimizers")


def _panels(fits: Mapping[str, Fitted]) -> list[Panel | None]:
    """Return the loss per epoch and the paths, each optimizer in the same colour in both."""
    paths = surface.race(fits)
    losses = panels.comparison(fits)
    if paths is None:
        return [losses]
    colours = [mark.colour for mark in paths.marks if isinstance(mark, Line)]
    marks = [
        replace(mark, colour=colour) if isinstance(mark, Line) else mark
        for mark, colour in zip(losses.marks, colours, strict=True)
    ]
    return [replace(losses, marks=marks), paths]


def _verdict(name: str, fit: Fitted) -> str:
    fields_shown = fields(fit)
    outcome = next(field for field in fields_shown if field.label == "outcome")
    html = "".join(f"<p>{prose(field.value)}</p>" for field in fields_shown if field.kind == "advice" and field.value)
    icon = f'<span aria-hidden="true">{ICONS[outcome.kind]}</span>'
    return (
        f'<div class="verdict {outcome.kind}"><p class="ended">{icon} {escape(name)}: {escape(str(outcome.value))}</p>'
        f"{html}</div>"
    )
