"""`descend export`: a saved model in another language."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option

from descend.cli.outputs import check_outputs
from descend.cli.terminal import say
from descend.errors import ConfigError


def export(
    model: Annotated[str, Argument(metavar="MODEL", help="A file that `descend fit --save` wrote.")],
    to: Annotated[str, Option("--to", metavar="LANGUAGE", help="sql, python, torch or latex.")],
    table: Annotated[str | None, Option(metavar="NAME", help="Of sql: the table to read; data if not given.")] = None,
    name: Annotated[
        str | None, Option("--as", metavar="NAME", help="Of sql: the new column; prediction if not given.")
    ] = None,
    dialect: Annotated[
        str | None, Option(metavar="NAME", help="Of sql: such as postgres or spark; duckdb if not given.")
    ] = None,
    output: Annotated[str | None, Option(metavar="FILE", help="Write it there instead of printing it.")] = None,
) -> None:
    """Export a saved model: a query, a Python function, a PyTorch module or an equation that predicts the same.

    Example: descend export line.json --to sql --table measurements
    """
    check_outputs({"--output": output}, [model])
    options = {"table": table, "name": name, "dialect": dialect}
    given = {option: value for option, value in options.items() if value is not None}
    if given and to != "sql":
        shown = {"name": "as"}.get(next(iter(given)), next(iter(given)))
        raise ConfigError(f"`--{shown}` is an option of sql, and has no meaning for {to}. Leave it out.")

    from descend.output import write_atomically
    from descend.results import load

    text = load(model).export(to, **given)
    if output is None:
        say(text.rstrip("\n"))
    else:
        write_atomically(output, text if text.endswith("\n") else text + "\n")
        say(f"Model exported to {output}")
