"""`descend plot`: two columns against each other, or a saved model over data."""

from __future__ import annotations

from typing import Annotated

from typer import Argument

from descend.cli import options
from descend.cli.outputs import check_outputs, check_pictures
from descend.cli.terminal import say
from descend.errors import ConfigError
from descend.options.option import Option


@options.takes(
    Option("output", options.REQUIRED, "The picture: a .png, .svg, .pdf, .eps or .jpg file.", metavar="PICTURE"),
    Option("x", None, "Column across, for a plot of the data alone.", metavar="COLUMN"),
    Option("y", None, "Column upwards.", metavar="COLUMN"),
    options.FUNCTION,
    *(*options.LOOK, "where", "missing", "quiet"),
)
def plot(
    files: Annotated[list[str], Argument(metavar="[MODEL] DATA", help="Data, or a model file and data.")],
    *,
    output: str,
    x: str | None,
    y: str | None,
    function: str | None,
    where: str | None,
    missing: str,
    quiet: bool,
    **look: object,
) -> None:
    """Draw the data, or a saved model over data.

    Example: descend plot line.csv --x x --y y --output scatter.png

    Example: descend plot line.json line.csv --output line.png --residuals
    """
    look_options = options.look(look)
    check_pictures([output], look_options)
    check_outputs({"--output": output}, files)
    if x is not None and look["residuals"]:
        raise ConfigError("Residuals of what? Two columns have none: give a model file and data.")
    if (x is None) != (y is None):
        raise ConfigError("A plot of two columns needs both --x and --y.")
    if x is None and len(files) < 2:
        raise ConfigError(
            f"What is to be drawn of `{files[0]}`? Give two of its columns, as in --x x --y y, "
            "or a model file and data, as in `descend plot line.json line.csv`."
        )

    from descend.report import plots
    from descend.report.picture_look import Look
    from descend.table import open_table
    from descend.table.headers import in_full

    if x is not None and y is not None:
        table = open_table(options.one_or_all(files), where)
        x, y = (in_full(name, table.names) for name in (x, y))
        columns = table.numbers(tuple(dict.fromkeys((x, y))), missing)
        figure = plots.plot_columns(columns[x], columns[y], x, y, Look(**look_options))
    else:
        from descend.many.loading import load
        from descend.results import Fit
        from descend.table.by_file import open_by_file

        fitted = load(files[0], options.function_of(function))
        needed = tuple(dict.fromkeys((*fitted.model.response_columns, *fitted.model.inputs)))
        by = () if isinstance(fitted, Fit) else fitted.by
        table = open_by_file(options.one_or_all(files[1:]), by, fitted.model.columns, where)
        if isinstance(fitted, Fit):
            if fitted.response_levels:
                table = table.with_words(fitted.model.response, fitted.response_levels)
            table = fitted.model.laid_out(table)
            figure = plots.plot_model(fitted, table.numbers(needed, missing), Look(**look_options))
        else:
            figure = fitted.plot(data=table, **look_options)
    plots.save(figure, output)
    if not quiet:
        say(f"Plot drawn to {output}")
