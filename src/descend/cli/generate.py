"""`descend generate`: a table from equations with random numbers in them."""

from __future__ import annotations

from typing import Annotated

from typer import Argument

from descend.cli import options
from descend.cli.outputs import check_outputs
from descend.cli.terminal import say, say_csv
from descend.errors import ConfigError
from descend.options.option import Option


@options.takes(
    Option(
        "column", None, 'Column of even steps, such as "x=0:10:0.1"; or an expression.', "texts", "NAME=START:STOP:STEP"
    ),
    Option("rows", None, "How many rows, unless a column tells.", "whole", "N"),
    Option("seed", 0, "Fixes the random numbers.", "whole", "N"),
    Option(
        "output", None, "Where to write: .csv, .tsv, .json, .jsonl or .parquet; else CSV is printed.", metavar="FILE"
    ),
    "quiet",
)
def generate(
    equations: Annotated[
        list[str], Argument(metavar="EQUATION...", help='One column each, such as "y = 2*x + normal(0, 1)".')
    ],
    *,
    column: list[str] | None,
    rows: int | None,
    seed: int,
    output: str | None,
    quiet: bool,
) -> None:
    """Generate a table from equations, with random numbers drawn by uniform, normal, exponential, poisson or bernoulli.

    Example: descend generate "y = 2*x + 2*uniform()" --column "x=0:10:0.1" --seed 0 --output line.csv
    """
    check_outputs({"--output": output})
    if output is not None:
        from descend.table.writing import refuse_unknown_ending

        refuse_unknown_ending(output)

    from descend import api

    table = api.generate(equations, _columns(column or []), rows=rows, seed=seed)
    if output is None:
        say_csv(table)
        return
    from descend.table.writing import write_columns

    write_columns(output, table)
    if not quiet:
        count = len(next(iter(table.values())))
        say(f"{count:,} rows of {', '.join(table)} written to {output}")


def _columns(texts: list[str]) -> dict[str, str]:
    """Split each ``name=range``."""
    columns: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        name = name.strip().strip("`")
        if not (sign and name and value.strip()):
            raise ConfigError(
                f"`--column {text}` cannot be read. Write a name and a range, such as --column x=0:10:0.1."
            )
        if name in columns:
            raise ConfigError(f"`--column` gives `{name}` twice. Give it once.")
        columns[name] = value.strip()
    return columns
