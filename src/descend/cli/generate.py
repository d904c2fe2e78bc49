"""`descend generate`: a table from equations with random numbers in them."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option

from descend.cli import options
from descend.cli.outputs import check_outputs
from descend.cli.terminal import say, say_csv
from descend.errors import ConfigError


def generate(
    equations: Annotated[
        list[str], Argument(metavar="EQUATION...", help='One column each, such as "y = 2*x + normal(0, 1)".')
    ],
    column: Annotated[
        list[str] | None,
        Option(metavar="NAME=START:STOP:STEP", help='Column of even steps, such as "x=0:10:0.1"; or an expression.'),
    ] = None,
    rows: Annotated[
        int | None, Option(metavar="N", parser=options.whole("--rows"), help="How many rows, unless a column tells.")
    ] = None,
    seed: Annotated[int, Option(metavar="N", parser=options.whole("--seed"), help="Fixes the random numbers.")] = 0,
    output: Annotated[
        str | None,
        Option(metavar="FILE", help="Where to write: .csv, .tsv, .json, .jsonl or .parquet; else CSV is printed."),
    ] = None,
    quiet: options.Quiet = False,
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
