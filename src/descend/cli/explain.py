"""`descend explain`: what a formula says before any descent, and what it says about a table."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option

from descend.cli import options
from descend.cli.terminal import line_length, say, say_json
from descend.errors import ConfigError
from descend.registry import split_list


def explain(
    formula: options.Formula,
    data: Annotated[
        list[str] | None, Argument(metavar="DATA...", help="Files to explain the formula on; their start is shown.")
    ] = None,
    loss: options.Loss = "squared",
    columns: Annotated[
        str | None, Option(metavar="LIST", help="The names that are data, such as x,t; else x, t, z and the like are.")
    ] = None,
    where: options.Where = None,
    missing: options.Missing = "raise",
    start: options.Start = None,
    optimizer: Annotated[
        str | None, Option(metavar="OPTIMIZER", help="gd, momentum or nesterov: shows what its descent would do.")
    ] = None,
    learning_rate: Annotated[
        str | None,
        Option(metavar="NUMBER|auto", help="Shows what a descent at this rate would do, by gd."),
    ] = None,
    tolerance: options.Tolerance = None,
    standardize: Annotated[
        bool, Option("--standardize", help="Shows what a descent in standardised columns would do.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Explain a formula: how parameters enter, which trade off, where it has no value, and where a fit would start.

    Example: descend explain "y ~ a*exp(-b*x) + c" decay.csv
    Example: descend explain "y ~ w*x + b" line.csv --learning-rate 0.05
    """
    if data and columns is not None:
        raise ConfigError("Data and --columns both say which names are data. Give one of them.")

    from descend import api

    names = None if columns is None else split_list(columns)
    source = options.one_or_all(data) if data else None
    explained = api.explain(
        formula, source, loss=loss, columns=names, where=where, missing=missing,
        start=options.assignments(start or [], "--start"), optimizer=optimizer, learning_rate=learning_rate,
        tolerance=tolerance, standardize=standardize,
    )  # fmt: skip
    if json:
        say_json(explained.as_dict())
    else:
        say(explained.text(line_length() or 100))
