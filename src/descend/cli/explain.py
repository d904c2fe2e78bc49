"""`descend explain`: what a formula says before any descent, and what it says about a table."""

from __future__ import annotations

from typing import Annotated

from typer import Argument

from descend.cli import options
from descend.cli.terminal import line_length, say, say_json
from descend.options.option import Option


@options.takes(
    *("response", "loss", "columns", "where", "missing", "start"),
    Option("optimizer", None, "gd, momentum or nesterov: shows what its descent would do.", metavar="OPTIMIZER"),
    Option("learning_rate", None, "Shows what a descent at this rate would do, by gd.", metavar="NUMBER|auto"),
    "tolerance",
    Option("standardize", False, "Shows what a descent in standardised columns would do.", "switch"),
    "json",
)
def explain(
    formula: options.Model,
    data: Annotated[
        list[str] | None, Argument(metavar="DATA...", help="Files to explain the formula on; their start is shown.")
    ] = None,
    *,
    columns: str | None,
    response: str | None,
    json: bool,
    **given: object,
) -> None:
    """Explain a formula: how parameters enter, which trade off, where it has no value, and where a fit would start.

    Example: descend explain "y ~ a*exp(-b*x) + c" decay.csv
    Example: descend explain "y ~ w*x + b" line.csv --learning-rate 0.05
    """
    from descend import api

    formula, names = options.formula_in(formula, data, columns, response)
    source = options.one_or_all(data) if data else None
    explained = api.explain(formula, source, columns=names, **options.values_of(given))
    if json:
        say_json(explained.as_dict())
    else:
        say(explained.text(line_length() or 100))
