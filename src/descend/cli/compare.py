"""`descend compare`: several optimizers on one problem, side by side."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from typer import Context, Exit, Option

from descend.cli import options
from descend.cli.outputs import check_outputs, check_pictures
from descend.cli.terminal import Live, folded, line_length, on_terminal, say, say_json
from descend.errors import ConfigError
from descend.registry import split_list

if TYPE_CHECKING:
    from descend.api import Comparison
    from descend.results import Fit


def compare(
    context: Context,
    formula: options.Formula,
    data: options.Data,
    optimizers: Annotated[
        str, Option(metavar="LIST", help='Which, such as gd,lbfgs or "adam,adam(beta1=0.8)".')
    ] = "gd,momentum,adam,lbfgs",
    start: options.Start = None,
    gradient: options.Gradient = None,
    loss: options.Loss = "squared",
    weights: options.Weights = None,
    sigma: options.Sigma = None,
    l1: options.L1 = 0.0,
    l2: options.L2 = 0.0,
    bound: options.Bound = None,
    fix: options.Fix = None,
    tie: options.Tie = None,
    learning_rate: options.LearningRate = None,
    schedule: options.Schedule = "constant",
    epochs: options.Epochs = None,
    batch_size: options.BatchSize = None,
    seed: options.Seed = 0,
    tolerance: options.Tolerance = None,
    time_limit: options.TimeLimit = None,
    where: options.Where = None,
    missing: options.Missing = "raise",
    engine: options.Engine = "auto",
    device: options.Device = None,
    standardize: options.Standardize = False,
    memory_limit: options.MemoryLimit = None,
    plot: options.Plot = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Fit the same model with several optimizers, from the same start.

    Example: descend compare "y ~ w*x" line.csv --optimizers gd,momentum,adam,lbfgs --plot losses.png
    """
    check_pictures(plot, {})
    check_outputs({"--plot": plot}, data)
    names = split_list(optimizers)
    if not names:
        raise ConfigError("`--optimizers` is empty. Name some, such as --optimizers gd,lbfgs.")

    from descend import api
    from descend.optimizers import OPTIMIZERS

    for name in names:
        OPTIMIZERS.build(name)  # a misspelt last one is not to be noticed only after the others have run
    table = Rows(names)
    live = Live(epochs) if on_terminal(sys.stderr) and not quiet else None

    def show(name: str, fitted: Fit) -> None:
        if live:
            live.stop()
        if not (json or quiet):
            table.show(name, fitted)

    try:
        compared = api.compare(
            formula, options.one_or_all(data), names, on_fit=show, on_step=live, **options.fitting(context.params)
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


SHORTEST = 80
"""Letters of a line that has room for the table."""


class Rows:
    """The table, a row at a time as the fits end."""

    def __init__(self, names: list[str]) -> None:
        self.width = max(len("optimizer"), *map(len, names))
        self.begun = False

    def show(self, name: str, fitted: Fit) -> None:
        """Print the row of one fit, after the head if it is the first; a sentence where a line is too short for it."""
        if (line_length() or SHORTEST) < SHORTEST:
            from descend.report.view import ended

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
    """Say what to do about the fits that failed; or everything, as JSON."""
    if json:
        say_json({"optimizers": {name: fit.summary() for name, fit in compared.fits.items()}})
    else:
        for name, fitted in compared.fits.items():
            if not fitted.succeeded:
                say(f"\n{name}: {fitted.advice}")
    for place in pictures:
        say(f"\nPlot drawn to {place}", file=sys.stderr if json else sys.stdout)
