"""`descend compare`: several optimizers on one problem, side by side."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from typer import Exit

from descend.cli import options
from descend.cli.outputs import check_outputs, check_pictures
from descend.cli.terminal import Live, folded, line_length, on_terminal, say, say_json
from descend.errors import ConfigError
from descend.options.request import RACING
from descend.registry import split_list

if TYPE_CHECKING:
    from descend.api import Comparison
    from descend.results import Fit


NEITHER = ("errors", "optimizer", "checkpoint", "resume", "sharpness", "log_every")
"""Options of a fit that a comparison does not have."""


@options.takes(
    RACING,
    *(key for key in options.FITTING if key not in NEITHER),
    "plot",
    "json",
    "quiet",
)
def compare(
    formula: options.Model,
    data: options.Data,
    *,
    optimizers: str,
    plot: list[str] | None,
    json: bool,
    quiet: bool,
    **given: Any,
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
        OPTIMIZERS.build(name)  # find a misspelt name before any optimizer runs
    table = Rows(names)
    live = Live(given["epochs"]) if on_terminal(sys.stderr) and not quiet else None

    def show(name: str, fitted: Fit) -> None:
        if live:
            live.stop()
        if not (json or quiet):
            table.show(name, fitted)

    try:
        compared = api.compare(
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
    """Say what to do about the fits that failed, or print everything as JSON."""
    if json:
        say_json({"optimizers": {name: fit.summary() for name, fit in compared.fits.items()}})
    else:
        for name, fitted in compared.fits.items():
            if not fitted.succeeded:
                say(f"\n{name}: {fitted.advice}")
    for place in pictures:
        say(f"\nPlot drawn to {place}", file=sys.stderr if json else sys.stdout)
