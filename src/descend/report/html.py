"""A fit as one HTML page that needs nothing else: no network, no other file, no library.

The pictures are SVG in the page itself rather than a plotting library's own: the page is a hundredth of the size, shows
at once, prints sharply, follows the reader's light or dark theme, and its words can be searched and read aloud.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from descend.descent.outcome import Outcome
from descend.errors import ConfigError, OutputError
from descend.gradients.derivation import Derivation
from descend.output import write_atomically
from descend.parameters import FIXED, digits_of
from descend.report import (
    classes,
    group_section,
    grouped,
    implicit,
    influence_section,
    mathematics,
    measured,
    panels,
    penalties,
    residual_panels,
    surface,
)
from descend.report.cells import heads, minus, number, prose, ranged, table
from descend.report.document import bar, colours, document, figure, part, parts
from descend.report.field import Field
from descend.report.fields import fields
from descend.report.figures import Panel
from descend.report.picture_look import Look
from descend.report.reproduce import as_command, as_python, versions
from descend.report.svg_scales import LARGE, MEDIUM
from descend.report.view_of_fit import View, rows, view

if TYPE_CHECKING:
    from descend.inference.fitted import Fitted
    from descend.inference.intervals import Intervals

MOST_PARAMETERS = 200
"""Most parameters in the table; further ones are only counted."""
MOST_COLUMNS = 6
"""Most columns against which the residuals are drawn."""
MOST_SUMMARISED = 60
"""Most columns in the summary of the data."""
SUFFIXES = (".html", ".htm")
ICONS = {"success": "✓", "partial": "◐", "failure": "✕"}


def check_report(path: str | os.PathLike[str]) -> None:
    """Raise OutputError for a file name that does not end as a page does."""
    if Path(path).suffix.lower() not in SUFFIXES:
        raise OutputError(f"`{path}` cannot be the report, which is a page: its name must end in .html.")


def write_report(
    fit: Fitted, path: str | os.PathLike[str], intervals: Intervals | None = None, command: str | None = None
) -> None:
    """Write the page of a fit; intervals, command: see ``Fit.report``. Raises OutputError or ConfigError."""
    check_report(path)
    write_atomically(path, page(fit, intervals, command))


def page(
    fit: Fitted,
    intervals: Intervals | None = None,
    command: str | None = None,
    call: Mapping[str, object] | None = None,
) -> str:
    """Return the whole page. Raises ConfigError for a fit that was loaded from a file, without its data.

    call: arguments that repeat the fit, if not the ones it was made with.
    """
    if fit.solution is None:
        raise ConfigError(
            "This fit was loaded from a file, without its data, so there is nothing to report on. Fit again."
        )
    intervals = usual_intervals(fit) if intervals is None else intervals
    fields_shown, fit_view = fields(fit, intervals), view(fit)
    groups, script = _groups(fit, fit_view)
    sections = [
        ("answer", "The answer" if fit.succeeded else "Where it ended", answer(fit, fields_shown, intervals)),
        ("pictures", "The fit", figures(_of_the_answer(fit), lead=True)),
        ("by-group", "The groups", groups),
        ("descent", "The descent", figures(_of_the_run(fit))),
        ("residuals", "The residuals", figures(of_the_residuals(fit))),
        ("rows", "Single rows", influence_section.section(fit)),
        ("penalty", "The penalty", penalties.section(fit)),
        ("mathematics", "The mathematics", equations(fit)),
        ("data", "The data", data(fit)),
        ("repeat", "How to repeat it", _repeat(fit, command, call)),
    ]
    head = f"<header>{bar('report of a fit')}<h1>{escape(str(fit.model))}</h1>{verdict(fields_shown)}</header>"
    assets = ("groups.css", "groups.js") if groups else ()
    return document(f"{fit.model}", f"{head}<main>{script}{parts(sections)}</main>" + footer(), *assets)


def _groups(fit: Fitted, fit_view: View) -> tuple[str, str]:
    """Return what is shown of the groups that parameters belong to, and the sections of single groups."""
    if not fit_view.groups or not fit_view.observed:
        return "", ""
    return group_section.section(fit, fit_view), group_section.details(fit, fit_view)


def short(fit: Fitted) -> str:
    """Return the short form, for notebooks: formula, parameters, how it ended, and the first picture."""
    entries = fields(fit)
    picture = ""
    if fit.solution is not None:
        fit_view = view(fit)
        few = bool(fit_view.groups) and fit_view.observed and len(fit_view.groups) <= grouped.TOGETHER
        panel_drawn = grouped.curves(fit_view) if few else implicit.first(fit_view)
        picture = figure(panel_drawn, f"fit-{id(fit):x}-")
    body_html = _formula(entries) + verdict(entries) + _parameters(entries, None) + _list(entries) + picture
    return box(body_html)


def box(body_html: str) -> str:
    """Return HTML for a notebook, with a style that affects nothing else on its page."""
    return f'<div class="descend-fit"><style>{_short_style()}</style>{body_html}</div>'


def verdict(fields_shown: Sequence[Field]) -> str:
    """Say how the run ended, what to do about it, and what was noticed."""
    ended = next(field for field in fields_shown if field.label == "outcome")
    advice = "".join(f"<p>{prose(field.value)}</p>" for field in fields_shown if field.kind == "advice" and field.value)
    notes = "".join(f"<li>{prose(field.value)}</li>" for field in fields_shown if field.kind == "note")
    text = str(ended.value)
    head = f'<span aria-hidden="true">{ICONS[ended.kind]}</span> {escape(text[:1].upper() + text[1:])}'
    return (
        f'<div class="verdict {ended.kind}"><p class="ended">{head}</p>{advice}'
        + (f"<ul>{notes}</ul>" if notes else "")
        + "</div>"
    )


def answer(fit: Fitted, fields_shown: Sequence[Field], intervals: Intervals | None) -> str:
    """Write the fitted formula, the parameters, and what else is told of them."""
    group = _listed_by_group(fit)
    few = [field for field in fields_shown if field.kind != "parameter" or field.label.partition("[")[0] not in group]
    names = " and ".join(f"<code>{escape(name)}</code>" for name in group)
    note = f"<p>The values of {names} stand in the table of the groups.</p>" if group else ""
    return _formula(fields_shown) + _parameters(few, intervals) + note + _list(fields_shown)


def _listed_by_group(fit: Fitted) -> list[str]:
    """Return the parameters that have a value for each of many groups, which are listed with these."""
    if fit.solution is None or fit.model.in_place:
        return []
    groups = fit.model.every_parameter.groups
    return [name for name, labels in groups.items() if len(labels.levels) > grouped.TOGETHER]


def _formula(fields_shown: Sequence[Field]) -> str:
    formulas = (escape(field.value) for field in fields_shown if field.kind == "formula")
    return "".join(f'<p class="fitted"><code>{text}</code></p>' for text in formulas)


def _parameters(fields_shown: Sequence[Field], intervals: Intervals | None) -> str:
    """Write the table of parameters: value, standard error, interval, and what holds each, such as a bound."""
    parameter_fields = [field for field in fields_shown if field.kind == "parameter"]
    if not parameter_fields:
        return ""
    few = parameter_fields[:MOST_PARAMETERS]
    errors = any(field.value[1] is not None for field in few)
    any_fixed, units = any(field.value[2] for field in few), any(field.unit for field in few)
    level = "" if intervals is None else f"{intervals.level * 100:.10g}% interval, {intervals.method}"
    titles = ["parameter", "value", *["standard error"] * errors, *[level] * bool(level)]
    titles += [*["unit"] * units, *["note"] * any_fixed]
    lines = []
    for field in few:
        value, error, mark, *ends = field.value
        digits = digits_of(value, error, given=mark == FIXED)
        cells = [f"{value:.{digits}g}", *([number(error, 3)] if errors else [])]
        if level:
            cells.append("–" if None in ends else f"{ends[0]:.{digits}g} to {ends[1]:.{digits}g}")
        row = "".join(f'<td class="number">{minus(cell)}</td>' for cell in cells)
        row += f"<td>{escape(field.unit)}</td>" if units else ""
        row += f"<td>{escape(mark)}</td>" if any_fixed else ""
        lines.append(f'<tr><th scope="row"><code>{escape(field.label)}</code></th>{row}</tr>')
    fields_left = f"<p>And {len(parameter_fields) - len(few):,} more.</p>" if len(parameter_fields) > len(few) else ""
    numbers = [title_number for title_number, name in enumerate(titles) if name not in ("parameter", "unit", "note")]
    return table(heads(titles, numbers), lines, "Parameters") + fields_left


def _list(fields_shown: Sequence[Field]) -> str:
    """Write the other fields as terms and their values."""
    listed_fields = [field for field in fields_shown if field.kind in ("number", "text")]
    items = "".join(
        f"<div><dt>{escape(field.label)}</dt>"
        f"<dd>{number(field.value, 6) if field.kind == 'number' else prose(field.value)}</dd></div>"
        for field in listed_fields
    )
    return f"<dl>{items}</dl>"


def _of_the_answer(fit: Fitted) -> list[Panel | None]:
    if not fit.model.comparable:
        return []
    curves = view(fit)
    across = panels.scale_of(curves.x) if len(curves.inputs) == 1 else "linear"
    look = Look(log="x" if across == "log" else "")
    first = [implicit.first(curves, look)] if curves.one or curves.plane else []
    if curves.groups and curves.observed and len(curves.groups) <= grouped.TOGETHER:
        first = [grouped.curves(curves, look)]
    against = [] if curves.plane else [classes.confusion(curves) if curves.classes else panels.predicted(curves)]
    return [*first, *against, panels.correlation(fit)]


def _of_the_run(fit: Fitted) -> list[Panel | None]:
    if not fit.trace:
        return []
    landscape: list[Panel | None] = [] if fit.model.in_place else [surface.landscape(fit)]
    if not panels.tells(fit):
        return landscape
    ways = [] if fit.model.in_place else [panels.parameters(fit)]
    return [measured.losses(fit), measured.metrics(fit), *landscape, *ways, panels.gradient_norm(fit)]


def of_the_residuals(fit: Fitted) -> list[Panel | None]:
    """Return the pictures of the residuals; none where these have neither one size nor a normal distribution."""
    if not fit.model.comparable or (fit.loss_function.likelihood and not fit.loss_function.quadratic):
        return []
    fit_view = view(fit)
    if not np.isfinite(fit_view.residuals).any():
        return []
    against = [residual_panels.residuals_against(fit_view, name) for name in fit_view.inputs[:MOST_COLUMNS]]
    return [residual_panels.residuals(fit_view), *against, residual_panels.quantiles(fit_view)]


def figures(panels_shown: Sequence[Panel | None], lead: bool = False) -> str:
    """Draw panels side by side. lead: of an odd number, the first takes the whole width."""
    drawn = [panel for panel in panels_shown if panel is not None]
    if not drawn:
        return ""
    layout = "lead" if lead and len(drawn) % 2 else "triples" if len(drawn) % 3 == 0 else "pairs"
    frame = MEDIUM if layout == "triples" else LARGE
    return f'<div class="figures {layout}">{"".join(figure(panel, frame=frame) for panel in drawn)}</div>'


def equations(fit: Fitted) -> str:
    """Write the model, J, and dJ/dparameters; nothing for functions and modules, which are Python."""
    if fit.model.formula is None:
        return ""
    if fit.model.inexact:
        from descend.report import orthogonal

        formulas = orthogonal.equations(fit.model.formula, fit.loss_function, fit.model.inexact, fit.sigma, fit.weights)
        equations_html = "".join(f'<div class="equation">{line}</div>' for line in formulas)
        note_on_inputs = "the true inputs of a row are parameters of that row, eliminated"
        return f"<p>The descent makes J as small as it can: {note_on_inputs}.</p>{equations_html}"
    derivation = Derivation(fit.model.formula, fit.loss_function)
    derived = mathematics.gradient(derivation)
    added = "penalty" if fit.penalised else "priors" if fit.priors else ""
    lines = [mathematics.model(derivation.formula), mathematics.objective(derivation, added)]
    equations_html = "".join(f'<div class="equation">{line}</div>' for line in [*lines, *(line for _, line in derived)])
    source = escape(fit.gradient.replace("_", " "))
    by_hand = f"<p>The gradient used was {source}; this is the derived one.</p>" if source != "derived" else ""
    return f"<p>The descent makes J, the mean loss over the rows, as small as it can.</p>{equations_html}{by_hand}"


def data(fit: Fitted) -> str:
    """Summarise each column: its role in the model, and the range of its values."""
    solution = fit.solution
    if solution is None:
        return ""
    model, lines = fit.model, []
    roles = dict.fromkeys(model.inputs, "input") | dict.fromkeys(model.response_columns, "response")
    roles |= {name: role for name, role in ((fit.weights, "weight"), (fit.sigma, "sigma")) if name}
    columns = {
        name: role for name, role in roles.items() if name in solution.columns and np.ndim(solution.columns[name]) == 1
    }
    for name, kind in list(columns.items())[:MOST_SUMMARISED]:
        values = np.asarray(solution.columns[name], dtype=np.float64)
        labels = fit.loss_function.classes if kind == "response" else ()
        cells = f'<td colspan="3">{escape(classes.counted(labels, values))}</td>' if labels else ranged(values)
        lines.append(f'<tr><th scope="row"><code>{escape(name)}</code></th><td>{kind}</td>{cells}</tr>')
    source = f" of {escape(solution.source)}" if solution.source else ""
    conditions = solution.table.conditions if solution.table is not None else ()
    where_html = f", where {' and '.join(f'<code>{escape(text)}</code>' for text in conditions)}" if conditions else ""
    columns_left = f" {len(columns) - len(lines):,} more columns." if len(columns) > len(lines) else ""
    head = heads(("column", "part", "least", "mean", "largest"), range(2, 5))
    summary_html = f"<p>{rows(fit.rows)}{source}{where_html}.{columns_left}</p>"
    return summary_html + (table(head, lines, "Columns") if lines else "")


def _repeat(fit: Fitted, command: str | None, call: Mapping[str, object] | None) -> str:
    """Write the fit as a command line and as Python, and the versions that ran it."""
    texts = []
    if call is None:
        call = {} if fit.solution is None else fit.solution.call()
    if call:
        command = as_command(call) if command is None else command
        texts = [("On the command line", command)] if command is not None else []
        texts.append(("In Python", as_python(call)))
    return repeat(texts)


def repeat(texts: Sequence[tuple[str, str]]) -> str:
    """Write texts to copy, each under its title, and the versions of the packages."""
    blocks = "".join(
        f'<h3>{title}</h3><div class="code"><pre><code>{escape(text)}</code></pre>'
        '<button type="button" class="copy" hidden>Copy</button></div>'
        for title, text in texts
    )
    used = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(number)}</dd></div>" for name, number in versions())
    return f"{blocks}<h3>Versions</h3><dl>{used}</dl>"


def footer() -> str:
    """Return a line that says which program wrote the page, and when."""
    day = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d")
    return f"<footer><p>Written by descend {escape(version('descend'))} on {day}.</p></footer>"


def usual_intervals(fit: Fitted) -> Intervals | None:
    """Return 95% intervals if the run ended at a minimum and they exist."""
    if fit.outcome is not Outcome.CONVERGED:
        return None
    try:
        return fit.intervals()
    except ConfigError:
        return None


@cache
def _short_style() -> str:
    """Return the style of the short form: in the notebook's own text colour, and limited to its box."""
    return f".descend-fit {{ {colours(0)} --ink: var(--jp-content-font-color1, currentColor); }}\n" + part("short.css")
