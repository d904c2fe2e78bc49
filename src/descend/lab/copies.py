"""The same descent outside the lab: as a command line, as Python, and as a report."""

from __future__ import annotations

import json
from pathlib import Path

from descend.lab.data import Rows
from descend.lab.descents import Start, call, descents
from descend.lab.groups import fits_of
from descend.lab.state import State
from descend.optimizers import OPTIMIZERS
from descend.report.reproduce import as_command, as_python
from descend.wording import command_line


def commands(state: State, rows: Rows, start: Start) -> str:
    """Return command lines that make the rows, if they are generated, and descend on them."""
    lines = []
    recipe = state.built_in
    if recipe is not None:
        words = ["descend", "generate", *recipe.written(state.noise)]
        for name, text in recipe.columns.items():
            words += ["--column", f"{name}={text}"]
        lines.append(command_line([*words, "--seed", str(state.seed), "--output", rows.name]))
    return "\n".join([*lines, as_command(arguments(state, rows, start)) or ""])


def python(state: State, rows: Rows, start: Start) -> str:
    """Return Python code that does the same."""
    given, recipe = arguments(state, rows, start), state.built_in
    if recipe is None:
        return as_python(given)
    written = recipe.written(state.noise)
    equations = json.dumps(written[0] if len(written) == 1 else written)
    columns = json.dumps(dict(recipe.columns))
    return as_python(given | {"data": None}, f"data = descend.generate({equations}, {columns}, seed={state.seed})\n")


def report(state: State, rows: Rows) -> tuple[str, str]:
    """Return the report as a page, and its file name after the data: ``line.html``, ``line-race.html`` for a race.

    Raises DescendError.
    """
    from descend.report.html import page
    from descend.report.race import race_page

    stem = Path(rows.name).stem.lstrip(".") or "descent"
    if state.all_groups:
        from descend.many.page_of_fits import page as page_of_many

        return page_of_many(fits_of(state, rows), as_command(arguments(state, rows, {}))), f"{stem}-groups.html"
    runs = descents(state, rows, afresh=True)
    start = dict(runs.start)
    if len(runs.fits) == 1:
        given = arguments(state, rows, start)
        return page(runs.first, call=given), f"{stem}.html"
    texts = [("On the command line", commands(state, rows, start)), ("In Python", python(state, rows, start))]
    return race_page(runs.fits, texts), f"{stem}-race.html"


def arguments(state: State, rows: Rows, start: Start) -> dict[str, object]:
    """Return the arguments of `descend.fit`, or of `descend.compare` if several optimizers race."""
    given: dict[str, object] = {"model": "", "data": rows.name}
    if state.all_groups:
        given |= {"model": state.formula, "by": list(state.by)} | ({"missing": "drop"} if rows.gaps else {})
        return given | state.kind
    given |= call(state, state.optimizers[0], start)
    if any(OPTIMIZERS.build(name).uses_rate for name in state.optimizers):  # of several, one may not use it
        given["learning_rate"] = "auto" if state.rate is None else state.rate
    if rows.gaps:
        given["missing"] = "drop"
    if rows.where:
        given["where"] = rows.where
    if len(state.optimizers) == 1:
        return given
    racing = {"optimizer": ("optimizers", list(state.optimizers))}
    return dict(racing.get(key, (key, value)) for key, value in given.items())
