"""`descend fit`: a formula and data in; a log, a table, a model file and a picture out."""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO

from typer import Context, Exit

from descend.cli import options
from descend.cli.outputs import (
    Output,
    check_animation,
    check_outputs,
    check_page,
    check_pictures,
    check_tables,
    checked_published,
    write,
    write_published,
)
from descend.cli.terminal import Counter, Groups, Log, colours, line_length, say, say_json
from descend.errors import ConfigError, OutputError
from descend.options.option import Option, Values
from descend.wording import command_line

if TYPE_CHECKING:
    from descend.cli.live_picture import Watch
    from descend.inference.intervals import Intervals
    from descend.results import Fit


@options.takes(
    *options.FITTING,
    Option("interval", None, "Intervals of the parameters: t, profile, bootstrap or sandwich.", metavar="METHOD"),
    "level",
    Option("resamples", None, "Of the bootstrap; 1,000 if not given.", "whole", "N"),
    Option(
        "save",
        None,
        "Write the model file, for predict and plot; of many fits .json or .parquet.",
        metavar="FILE",
        often=True,
    ),
    Option("output", None, "With --by: write the table of fits, .csv, .parquet and others.", metavar="FILE"),
    "table_output",
    "table_errors",
    "plot",
    *options.LOOK,
    Option("report", None, "Write a page, .html, that opens without a network.", metavar="PAGE"),
    Option("influence", None, "Write leverage, studentised residual and Cook's distance by row.", metavar="FILE"),
    Option("animate", None, "Write the run as an animation: .html, .gif or .mp4.", metavar="FILE"),
    Option("watch", False, "Draw the curve and the loss in the terminal as the run goes on, for the log.", "switch"),
    "json",
    "quiet",
)
def fit(
    context: Context,
    formula: options.Model,
    data: options.DataOfFit = None,
    *,
    log_every: int | None,
    interval: str | None,
    level: float | None,
    resamples: int | None,
    save: str | None,
    output: str | None,
    table_output: str | None,
    table_errors: str | None,
    plot: list[str] | None,
    report: str | None,
    influence: str | None,
    animate: str | None,
    watch: bool,
    json: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Fit a formula to data: names that are columns are data, all others are parameters.

    So it is with the arguments of a Python function. Its file is run, as Python runs it: name only files you trust.

    Example: descend fit "y ~ w*x + b" line.csv --save line.json --plot line.png

    Example: descend fit model.py:peak peak.csv --response y

    Example: descend fit --like line.json new.csv
    """
    model, data = options.formula_and_data(formula, data, given["like"], context)
    look = options.look(given)
    files = {"--save": save, "--output": output, "--plot": plot, "--report": report, "--table-output": table_output}
    files_apart = {"--influence": influence, "--animate": animate, "--checkpoint": given["checkpoint"]}
    _check_files(files, files_apart, look, data)
    errors = checked_published(table_output, table_errors)
    if watch and (quiet or log_every is not None):
        flag_needed = "--quiet" if quiet else "--log-every"
        raise ConfigError(
            f"`--watch` draws in the place of the log, so it does not go with `{flag_needed}`. Drop one of them."
        )
    arguments = options.fitting(model, data, given)
    if arguments["by"] is not None:
        from descend import api
        from descend.cli.many import end_many, level_of, refuse_others

        of_one = {f"--interval {interval}": interval not in (None, "t"), "--watch": watch, "--log-every": log_every}
        refuse_others({**of_one, **files_apart, "--residuals": look.get("residuals")})
        check_tables(save, output)
        with Groups() as bar:
            fits = api.fit(data=options.one_or_all(data), on_groups=None if quiet else bar, **arguments)
        end_many(fits, files, look, json, quiet, errors, level_of(interval, level))
    if output is not None:
        raise ConfigError("`--output` is the table of many fits, and goes with --by. To keep one fit: --save.")

    from descend import api
    from descend.inference.intervals import checked_level, checked_method
    from descend.options.checks import refuse_not_whole

    checked_level(0.95 if level is None else level)
    if interval is not None:
        checked_method(interval)
    elif level is not None:
        interval = "t"
    if resamples is not None:
        from descend.inference.bootstrap import FEWEST

        refuse_not_whole(resamples, "number of resamples", FEWEST)
    refuse_not_whole(log_every, "number of epochs between log lines", 1)
    sharpness = arguments["sharpness"]
    arguments["sharpness"] = (log_every or True) if sharpness else (not quiet and "auto")
    stream = sys.stderr if json else sys.stdout
    with _drawn(stream) if watch else Log(stream, arguments["epochs"], log_every, sharpness) as reader:
        fitted = api.fit(data=options.one_or_all(data), on_step=None if quiet else reader, **arguments)
        if not isinstance(reader, Log):
            reader.end(fitted)
    intervals_found = None
    if interval is not None and (json or not quiet or report is not None or table_output is not None):
        fitted, intervals_found = with_intervals(fitted, interval, level or 0.95, resamples or 1000, arguments["seed"])
    if json or not quiet:
        show(fitted, json, intervals_found, sharpness, reader.warned if isinstance(reader, Log) else ())
    failed = write(_outputs(fitted, files | files_apart, intervals_found, look, errors), quiet, json)
    if failed:
        raise OutputError(" ".join(failed))
    raise Exit(0 if fitted.succeeded else 1)


def _check_files(files_written: Values, files_apart: Values, look: Values, data: Collection[str]) -> None:
    """Refuse files that cannot be written. written: those that many fits have, too; apart: those of one fit."""
    check_pictures(files_written["--plot"], look)
    check_page(files_written["--report"])
    check_animation(files_apart["--animate"])
    check_tables(files_apart["--influence"])
    check_outputs({**files_written, **files_apart}, data)


def _outputs(fitted: Fit, files: Values, intervals_found: Intervals | None, look: Values, errors: str) -> list[Output]:
    """Return the files to write of a fit. errors: how they are written in a table for print."""
    table = partial(write_published, table=fitted.table, intervals=intervals_found, errors=errors)
    page = partial(fitted.report, intervals=intervals_found, command=command_line(["descend", *sys.argv[1:]]))
    return [
        ("Model saved to", files["--save"], fitted.save),
        *(("Plot drawn to", path, lambda place: draw(fitted, place, look)) for path in files["--plot"] or ()),
        ("Table written to", files["--table-output"], table),
        ("Report written to", files["--report"], page),
        ("Influence of rows written to", files["--influence"], lambda place: fitted.influence().save(place)),
        ("Animation written to", files["--animate"], lambda place: fitted.animate().save(place)),
    ]


def _drawn(stream: TextIO) -> Watch:
    """Return the reader of a run that draws it."""
    from descend.cli.live_picture import Watch

    return Watch(stream)


def draw(fitted: Fit, picture_path: str, look: Values) -> None:
    """Draw a fit to a file. look: the arguments of `Fit.plot`."""
    from descend.report import plots

    plots.save(fitted.plot(**look), picture_path)


def with_intervals(fitted: Fit, method: str, level: float, resamples: int, seed: int) -> tuple[Fit, Intervals | None]:
    """Return the fit and its intervals; if there are none, the fit gets a note that says so, rather than being lost."""
    from descend.descent.comments_on_solution import attempt

    intervals_found: list[Intervals] = []
    try:
        with attempt("the intervals", fitted.failures), Counter(sys.stderr, "bootstrap", resamples) as count:
            intervals_found.append(fitted.intervals(level, method, resamples=resamples, seed=seed, on_resample=count))
    except ConfigError as error:
        return replace(fitted, notes=(*fitted.notes, str(error))), None
    if not intervals_found:
        return fitted, None
    return replace(fitted, notes=(*fitted.notes, *intervals_found[0].notes)), intervals_found[0]


def show(
    fitted: Fit, json: bool, intervals: Intervals | None = None, sharpness: bool = False, warned: Collection[str] = ()
) -> None:
    """Print a fit as a table or as JSON. warned: notes that the user has seen and the table need not repeat."""
    if json:
        fields_added: dict[str, object] = {}
        if intervals is not None:
            fields_added = {
                "intervals": intervals.plain(),
                "interval": intervals.method,
                "convention": intervals.convention,
                "level": intervals.level,
            }
            if intervals.quantities:
                fields_added["quantities"] = {name: each.plain() for name, each in intervals.quantities.items()}
        if sharpness:
            sharp_steps = [step for step in fitted.trace if step.sharpness is not None]
            fields_added["sharpness"] = [{"epoch": step.epoch, "sharpness": step.sharpness} for step in sharp_steps]
        say_json(fitted.summary() | fields_added)
        return
    from descend.report.fields import fields
    from descend.report.text import render

    say("\n" + render(fields(fitted, intervals, warned), colours(sys.stdout), line_length()))
