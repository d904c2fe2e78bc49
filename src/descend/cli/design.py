"""`descend design`: a saved model, and where to measure next."""

from __future__ import annotations

from typing import Annotated

from typer import Argument

from descend.cli import options
from descend.cli.invert import others, range_of
from descend.cli.outputs import check_outputs, check_pictures
from descend.cli.terminal import say, say_json
from descend.errors import ConfigError
from descend.options.option import Option


@options.takes(
    Option(
        "between",
        options.REQUIRED,
        "The range of an input, such as x=0:10; may be repeated.",
        "texts",
        "INPUT=LOW:HIGH",
    ),
    Option(
        "aim", None, "A parameter or an expression to make certain; all if not given.", metavar="TEXT", flag="--for"
    ),
    Option("points", None, "How many measurements; 1 if not given.", "whole", "N"),
    Option("at", None, "Values of the other inputs, such as z=7; may be repeated.", "values", "NAME=VALUE"),
    Option(
        "sigma", None, "Standard deviation of one new measurement, if the fit does not know it.", "number", "NUMBER"
    ),
    options.FUNCTION,
    "plot",
    "json",
)
def design(
    model: Annotated[str, Argument(metavar="MODEL", help="A file that `descend fit --save` wrote.")],
    *,
    between: list[str],
    aim: str | None,
    points: int | None,
    at: list[str] | None,
    sigma: float | None,
    function: str | None,
    plot: list[str] | None,
    json: bool,
) -> None:
    """Design the next measurements: where they make a parameter, a quantity or all parameters most certain.

    Example: descend design curve.json --between x=0:10 --for b --points 3
    """
    check_pictures(plot, {})
    check_outputs({"--plot": plot}, [model])
    from descend.results.loading import load

    ranges = {}
    for text in between:
        name, sign, ends = text.partition("=")
        if not (sign and name.strip()):
            raise ConfigError(f"`--between` takes an input and its range, such as x=0:10; it was given `{text}`.")
        ranges[name.strip().strip("`")] = range_of(ends)
    fitted = load(model, options.function_of(function))
    designed = fitted.design(ranges, aim, points=points or 1, at=others(at or []), sigma=sigma)
    if json:
        say_json(designed.plain())
    else:
        say(str(designed))
    for picture_path in plot or ():
        from descend.report import plots
        from descend.report.designs import plot_design

        plots.save(plot_design(designed), picture_path)
        if not json:
            say(f"Plot drawn to {picture_path}")
