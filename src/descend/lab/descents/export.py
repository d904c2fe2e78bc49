"""The same descent outside the lab: as a command line, as Python, and as a report."""

from __future__ import annotations

import json
from pathlib import Path

from descend.lab.data.rows import Rows
from descend.lab.descents.all_groups import fits_of
from descend.lab.descents.runs import Start, call, descents
from descend.lab.state import State
from descend.optimizers import OPTIMIZERS
from descend.report.reproduce import as_command, as_python
from descend.wording import command_line


def commands(page_state: State, rows: Rows, start: Start) -> str:
    """Return command lines that make the rows, if they are generated, and descend on them."""
    lines = []
    recipe = page_state.built_in
    if recipe is not None:
        words = ["descend", "generate", *recipe.written(page_state.noise)]
        for name, text in recipe.columns.items():
            words += ["--column", f"{name}={text}"]
        lines.append(command_line([*words, "--seed", str(page_state.seed), "--output", rows.name]))
    return "\n".join([*lines, as_command(arguments(page_state, rows, start)) or ""])


def python(page_state: State, rows: Rows, start: Start) -> str:
    """Return Python code that does the same."""
    call_arguments, recipe = arguments(page_state, rows, start), page_state.built_in
    if recipe is None:
        return as_python(call_arguments)
    recipe_text = recipe.written(page_state.noise)
    equations = json.dumps(recipe_text[0] if len(recipe_text) == 1 else recipe_text)
    columns = json.dumps(dict(recipe.columns))
    return as_python(
        call_arguments | {"data": None}, f"data = descend.generate({equations}, {columns}, seed={page_state.seed})\n"
    )


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
        call_arguments = arguments(state, rows, start)
        return page(runs.first, call=call_arguments), f"{stem}.html"
    texts = [("On the command line", commands(state, rows, start)), ("In Python", python(state, rows, start))]
    return race_page(runs.fits, texts), f"{stem}-race.html"


def arguments(page: State, rows: Rows, start: Start) -> dict[str, object]:
    """Return the arguments of `descend.fit`, or of `descend.compare` if several optimizers race."""
    call_arguments: dict[str, object] = {"model": "", "data": rows.name}
    if page.all_groups:
        call_arguments |= {"model": page.formula, "by": list(page.by)} | ({"missing": "drop"} if rows.gaps else {})
        return call_arguments | page.kind
    call_arguments |= call(page, page.optimizers[0], start)
    if any(OPTIMIZERS.build(name).uses_rate for name in page.optimizers):  # of several, one may not use it
        call_arguments["learning_rate"] = "auto" if page.rate is None else page.rate
    if rows.gaps:
        call_arguments["missing"] = "drop"
    if rows.where:
        call_arguments["where"] = rows.where
    if len(page.optimizers) == 1:
        return call_arguments
    racing = {"optimizer": ("optimizers", list(page.optimizers))}
    return dict(racing.get(key, (key, value)) for key, value in call_arguments.items())
