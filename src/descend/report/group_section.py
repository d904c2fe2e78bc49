"""The groups of a fit on its page: a table to sort and search, small pictures, and what is known of each group."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from descend.inference.fitted import Fitted
from descend.parameters import digits_of
from descend.report import grouped, multiples
from descend.report.cells import RIGHT, heads, minus, number, table
from descend.report.document import figure
from descend.report.figures import Panel
from descend.report.view_of_fit import Group, View

DETAILED = 60
"""Groups with a picture, and with a section of their own, at most: those that fit worst."""
LISTED = 2_000
"""Groups in the table, at most."""
FIND = '<p class="find" hidden><label>Find <input id="find" type="search"></label><output id="found"></output></p>'

Cell = tuple[float, float | None]
"""A value and its standard error."""


def section(fit: Fitted, view: View) -> str:
    """Return the table of the groups, and their pictures; a click on one leads to its own section."""
    names, values = _by_group(fit, view)
    groups = view.groups[:LISTED]
    detailed = {group.name for group, _ in _detailed(view)}
    titles = [", ".join(dict.fromkeys(name for levels in view.levels for name in levels.columns)), *names, "R²", "rows"]
    lines = []
    for group, cells in zip(groups, values, strict=False):
        name = escape(group.name)
        link = f'<a href="#{_place(view, group)}">{name}</a>' if group.name in detailed else name
        numbers = "".join(cell(*each) for each in cells)
        good = grouped.r_squared(view, group)
        lines.append(
            f'<tr><th scope="row">{link}</th>{numbers}{cell(good, None, 4)}'
            f'<td{RIGHT} data-v="{len(group.rows)}">{len(group.rows):,}</td></tr>'
        )
    groups_left = f"<p>And {len(view.groups) - LISTED:,} more.</p>" if len(view.groups) > LISTED else ""
    drawn = _detailed(view)
    pictures = multiples.html([panel for _, panel in drawn], [f"#{_place(view, group)}" for group, _ in drawn])
    find = FIND if len(view.groups) > grouped.TOGETHER else ""
    return find + sortable(heads(titles, range(1, len(titles))), lines) + groups_left + f"<h3>One by one</h3>{pictures}"


def details(fit: Fitted, view: View) -> str:
    """Return the sections of single groups, each of which shows when a link leads to it."""
    detailed_groups = _detailed(view)
    names, values = _by_group(fit, view)
    rows = {group.name: cells for group, cells in zip(view.groups, values, strict=True)}
    return "".join(
        _of_one(view, group, group_number, [each for each, _ in detailed_groups], names, rows[group.name])
        for group_number, (group, _) in enumerate(detailed_groups)
    )


def sortable(head: str, lines: Sequence[str]) -> str:
    """Return a table whose columns can be sorted by a click (see ``groups.js``)."""
    body = f'<table id="groups"><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>'
    return f'<section class="scroll tall" tabindex="0" aria-label="Groups">{body}</section>'


def cell(value: float, error: float | None, digits: int | None = None) -> str:
    """Write a number and its standard error as a cell that sorts by the number."""
    if not np.isfinite(value):
        return f'<td{RIGHT} data-v="">–</td>'
    finite_error = error if error is not None and np.isfinite(error) else None
    text = minus(f"{value:.{digits or digits_of(float(value), finite_error, 5)}g}")
    error_html = "" if finite_error is None else f" <small>± {number(finite_error, 2)}</small>"
    return f'<td{RIGHT} data-v="{value:.9g}">{text}{error_html}</td>'


def _detailed(view: View) -> list[tuple[Group, Panel]]:
    return grouped.one_by_one(view, most=DETAILED)


def _place(view: View, group: Group) -> str:
    return f"group-{view.groups.index(group)}"


def _by_group(fit: Fitted, view: View) -> tuple[list[str], list[list[Cell]]]:
    """Return the names of the parameters that belong to groups, and for each group their values and errors."""
    shapes, found = fit.model.every_parameter, fit.standard_errors
    values = shapes.flat(fit.parameters)
    errors = np.full(len(values), np.nan) if found is None else shapes.flat(found)
    names: list[str] = []
    cells: list[list[Cell]] = [[] for _ in view.groups]
    for name, labels in shapes.groups.items():
        component_names = labels.parts or ("",)
        names += [f"{name}, {component}" if component else name for component in component_names]
        for group, row in zip(view.groups, cells, strict=True):
            code = group.codes.get(labels.levels.name)
            for component in range(len(component_names)):
                value_place = shapes.slices[name].start + int(code or 0) * len(component_names) + component
                row.append((np.nan, None) if code is None else (float(values[value_place]), float(errors[value_place])))
    return names, cells


def _of_one(
    view: View, group: Group, place: int, groups_drawn: Sequence[Group], names: Sequence[str], cells: Sequence[Cell]
) -> str:
    lines = [
        f'<tr><th scope="row"><code>{escape(name)}</code></th>{cell(*each)}</tr>'
        for name, each in zip(names, cells, strict=True)
    ]
    panel = grouped.panel_of(view, group)
    panel_html = figure(grouped.titled(panel), f"g{place}-")
    table_html = table(heads(("parameter", "value"), (1,)), lines, "Parameters")
    content, keys = (
        f'<div class="figures pairs">{panel_html}{table_html}</div>',
        [_place(view, each) for each in groups_drawn],
    )
    return section_of(group.name, _place(view, group), content, "#by-group", keys)


def section_of(name: str, key: str, content: str, back: str, keys: Sequence[str]) -> str:
    """Return the section of one group, shown when a link leads to it. back: to all groups; keys: of each drawn."""
    at = keys.index(key)
    ways = [(back, "Back to all groups")]
    ways += [(f"#{keys[at - 1]}", "← Worse")] if at else []
    ways += [(f"#{keys[at + 1]}", "Better →")] if at + 1 < len(keys) else []
    links = "".join(f'<a href="{target}">{text}</a>' for target, text in ways)
    return (
        f'<section class="group" id="{key}" aria-label="{escape(name)}"><h2>{escape(name)}</h2>{content}'
        f'<p class="ways">{links}</p></section>'
    )
