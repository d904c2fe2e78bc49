"""`descend plot`: two columns against each other, or a saved model over data."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Context, Option

from descend.cli import options
from descend.cli.outputs import check_outputs, check_pictures
from descend.cli.terminal import say
from descend.errors import ConfigError


def plot(
    context: Context,
    files: Annotated[list[str], Argument(metavar="[MODEL] DATA", help="Data, or a model file and data.")],
    output: Annotated[str, Option(metavar="PICTURE", help="The picture: a .png, .svg, .pdf or .jpg file.")],
    x: Annotated[
        str | None, Option("--x", metavar="COLUMN", help="Column across, for a plot of the data alone.")
    ] = None,
    y: Annotated[str | None, Option("--y", metavar="COLUMN", help="Column upwards.")] = None,
    log_x: options.LogX = False,
    log_y: options.LogY = False,
    x_label: options.XLabel = None,
    y_label: options.YLabel = None,
    title: options.Title = None,
    size: options.Size = None,
    residuals: options.Residuals = False,
    where: options.Where = None,
    missing: options.Missing = "raise",
    quiet: options.Quiet = False,
) -> None:
    """Draw the data, or a saved model over data.

    Example: descend plot line.csv --x x --y y --output scatter.png

    Example: descend plot line.json line.csv --output line.png --residuals
    """
    wanted = options.look(context.params)
    check_pictures([output], wanted)
    check_outputs({"--output": output}, files)
    if x is not None and residuals:
        raise ConfigError("Residuals of what? Two columns have none: give a model file and data.")
    if (x is None) != (y is None):
        raise ConfigError("A plot of two columns needs both --x and --y.")
    if x is None and len(files) < 2:
        raise ConfigError(
            f"What is to be drawn of `{files[0]}`? Give two of its columns, as in --x x --y y, "
            "or a model file and data, as in `descend plot line.json line.csv`."
        )

    from descend.report import plots
    from descend.report.look import Look
    from descend.table import open_table

    if x is not None and y is not None:
        columns = open_table(options.one_or_all(files), where).numbers(tuple(dict.fromkeys((x, y))), missing)
        figure = plots.plot_columns(columns[x], columns[y], x, y, Look(**wanted))
    else:
        from descend.results import load

        fitted = load(files[0])
        table = open_table(options.one_or_all(files[1:]), where)
        needed = dict.fromkeys((*fitted.model.response_columns, *fitted.model.inputs))
        figure = plots.plot_model(fitted, table.numbers(tuple(needed), missing), Look(**wanted))
    plots.save(figure, output)
    if not quiet:
        say(f"Plot drawn to {output}")
