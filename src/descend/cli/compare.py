"""`descend compare`: several models of the same rows, or several optimizers on one problem, side by side."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

from typer import Exit

from descend.cli import options
from descend.cli.outputs import check_outputs, check_pictures, checked_published, write_published
from descend.cli.terminal import Live, folded, line_length, on_terminal, say, say_json
from descend.errors import ConfigError
from descend.options.option import Option, Values
from descend.options.request import RACING
from descend.registry import split_list

if TYPE_CHECKING:
    from descend.comparing import Comparison
    from descend.results import Fit


NEITHER = ("errors", "optimizer", "checkpoint", "resume", "sharpness", "log_every")
"""Options of a fit that a comparison does not have: of what it makes of several fits, none asks for these."""
LOOK = tuple(key for key in options.LOOK if key not in ("bands", "residuals"))
"""What may be said of the look of a picture of several models."""


@options.takes(
    Option("against", None, "Another model of the same rows; may be repeated.", "texts", "FORMULA"),
    Option("folds", None, "Of models: also the error of rows held out, in so many folds.", "whole", "N"),
    Option("fold_by", None, "Hold out whole groups that share a value of this column.", metavar="COLUMN"),
    Option("fold_order", None, "Hold out stretches of rows in the order of this column.", metavar="COLUMN"),
    replace(RACING, default=None),
    *(key for key in options.FITTING if key not in NEITHER),
    "table_output",
    "plot",
    *LOOK,
    "json",
    "quiet",
)
def compare(
    formula: options.Model,
    data: options.Data,
    *,
    against: list[str] | None,
    folds: int | None,
    fold_by: str | None,
    fold_order: str | None,
    optimizers: str | None,
    table_output: str | None,
    plot: list[str] | None,
    json: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Compare several models of the same rows, or several optimizers on one model, from the same start.

    Example: descend compare "y ~ a*exp(-b*t)" decay.csv --against "y ~ a*exp(-b*t) + c"

    Example: descend compare "y ~ w*x" line.csv --optimizers gd,momentum,adam,lbfgs --plot losses.png
    """
    look = options.look({key: given.pop(key) for key in LOOK})
    check_pictures(plot, look)
    checked_published(table_output)
    check_outputs({"--plot": plot, "--table-output": table_output}, data)
    if against:
        if optimizers is not None:
            raise ConfigError("Compare models with --against, or optimizers with --optimizers, not both at once.")
        held_out = {"folds": folds, "fold_by": fold_by, "fold_order": fold_order}
        compare_models([formula, *against], data, given, held_out, plot or [], look, table_output, json, quiet)
    if look:
        raise ConfigError("A picture of optimizers has a look of its own. Name another model with --against.")
    if table_output is not None:
        raise ConfigError("`--table-output` is a table of models that are compared. Name another with --against.")
    if (folds or fold_by or fold_order) is not None:
        raise ConfigError("Rows are held out to compare models. Name another with --against.")
    names = split_list(optimizers or str(RACING.default))
    if not names:
        raise ConfigError("`--optimizers` is empty. Name some, such as --optimizers gd,lbfgs.")

    from descend.comparing import compare as compared_with
    from descend.optimizers import OPTIMIZERS

    for name in names:
        OPTIMIZERS.build(name)  # find a misspelt name before any optimizer runs
    table = Rows(names)
    live = Live(given["epochs"]) if on_terminal(sys.stderr) and not quiet else None

    def show(name: str, fitted: Fit) -> None:
        if live:
            live.stop()
        if not (json or quiet):
            table.show(name, fitted)

    try:
        compared = compared_with(
            data=options.one_or_all(data),
            optimizers=names,
            on_fit=show,
            on_step=live,
            **options.fitting(formula, data, given),
        )
    finally:
        if live:
            live.stop()
    for place in plot or ():
        from descend.report import plots

        plots.save(compared.plot(), place)
    if not quiet:
        _conclude(compared, json, plot or ())
    raise Exit(0 if len(compared.fits) == len(names) and all(fit.succeeded for fit in compared.fits.values()) else 1)


def compare_models(
    formulas: Sequence[str],
    data: Sequence[str],
    values_given: Values,
    held_out: Values,
    plot: Sequence[str],
    look: Values,
    table_output: str | None,
    json: bool,
    quiet: bool,
) -> NoReturn:
    """Compare models, show the comparison and end."""
    from descend.comparing import compare as compared_with
    from descend.report import plots

    arguments = options.fitting(formulas[0], data, values_given)
    arguments.pop("model")
    models = [options.fitting(formula, data, values_given)["model"] for formula in formulas]
    compared = compared_with(models, options.one_or_all(data), **held_out, **arguments)
    for picture_path in plot:
        plots.save(compared.plot(**look), picture_path)
    if table_output is not None:
        write_published(table_output, compared.table)
    if json:
        say_json(compared.plain())
    elif not quiet:
        say(str(compared))
    for picture_path in [] if quiet else plot:
        say(f"\nPlot drawn to {picture_path}", file=sys.stderr if json else sys.stdout)
    if table_output is not None and not quiet:
        say(f"\nTable written to {table_output}", file=sys.stderr if json else sys.stdout)
    raise Exit(0 if compared.succeeded else 1)


SHORTEST = 80
"""Length of a line that is wide enough for the table."""


class Rows:
    """The table, printed row by row as the fits end."""

    def __init__(self, names: list[str]) -> None:
        self.width = max(len("optimizer"), *map(len, names))
        self.begun = False

    def show(self, name: str, fitted: Fit) -> None:
        """Print the row of a fit, below the head if it is the first; as a sentence if a line is too short for it."""
        if (line_length() or SHORTEST) < SHORTEST:
            from descend.report.view_of_fit import ended

            how = f"{name}: {ended(fitted)}, {fitted.seconds:.3g} s, loss {fitted.loss:.7g}  {fitted.mentioned()}"
            say(folded(how))
            return
        if not self.begun:
            say(
                f"{'optimizer':<{self.width}}  {'epochs':>7}  {'loss':<12}  {'seconds':>8}  {'outcome':<14}  parameters"
            )
            self.begun = True
        outcome = str(fitted.outcome).replace("_", " ")
        numbers = f"{fitted.epochs:>7,}  {fitted.loss:<12.7g}  {fitted.seconds:>8.3g}"
        say(f"{name:<{self.width}}  {numbers}  {outcome:<14}  {fitted.mentioned()}")


def _conclude(compared: Comparison, json: bool, pictures: Sequence[str]) -> None:
    """Say what to do about the fits that failed, or print everything as JSON."""
    if json:
        say_json({"optimizers": {name: fit.summary() for name, fit in compared.fits.items()}})
    else:
        for name, fitted in compared.fits.items():
            if not fitted.succeeded:
                say(f"\n{name}: {fitted.advice}")
    for place in pictures:
        say(f"\nPlot drawn to {place}", file=sys.stderr if json else sys.stdout)
