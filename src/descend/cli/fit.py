"""`descend fit`: a formula and data in; a log, a table, a model file and a picture out."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from typer import Context, Exit, Option

from descend.cli import options
from descend.cli.live_picture import Watch
from descend.cli.outputs import check_animation, check_outputs, check_page, check_pictures
from descend.cli.terminal import Counter, Log, colours, line_length, say, say_json
from descend.errors import ConfigError, DescendError, OutputError

if TYPE_CHECKING:
    from descend.inference.intervals import Intervals
    from descend.results import Fit

Output = tuple[str, str | None, Callable[[str], object]]
"""What is said of a file once it is there, the file, None if it was not asked for, and what writes it."""


def fit(
    context: Context,
    formula: options.Formula,
    data: options.Data,
    start: options.Start = None,
    gradient: options.Gradient = None,
    loss: options.Loss = "squared",
    weights: options.Weights = None,
    sigma: options.Sigma = None,
    errors: options.Errors = None,
    l1: options.L1 = 0.0,
    l2: options.L2 = 0.0,
    bound: options.Bound = None,
    fix: options.Fix = None,
    tie: options.Tie = None,
    optimizer: options.Optimizer = None,
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
    checkpoint: options.Checkpoint = None,
    resume: options.Resume = False,
    standardize: options.Standardize = False,
    sharpness: Annotated[
        bool, Option("--sharpness", help="Show the largest eigenvalue of the curvature in the log, and in the JSON.")
    ] = False,
    memory_limit: options.MemoryLimit = None,
    log_every: Annotated[
        int | None, Option(metavar="N", parser=options.whole("--log-every"), help="Print every N epochs, and the last.")
    ] = None,
    interval: Annotated[
        str | None,
        Option(metavar="METHOD", help="Intervals of the parameters: t, profile, bootstrap or sandwich."),
    ] = None,
    level: options.Level = None,
    resamples: Annotated[
        int | None,
        Option(metavar="N", parser=options.whole("--resamples"), help="Of the bootstrap; 1,000 if not given."),
    ] = None,
    save: Annotated[str | None, Option(metavar="FILE", help="Write the model file, for predict and plot.")] = None,
    plot: options.Plot = None,
    log_x: options.LogX = False,
    log_y: options.LogY = False,
    x_label: options.XLabel = None,
    y_label: options.YLabel = None,
    title: options.Title = None,
    size: options.Size = None,
    residuals: options.Residuals = False,
    report: Annotated[
        str | None, Option(metavar="PAGE", help="Write a page, .html, that opens without a network.")
    ] = None,
    animate: Annotated[
        str | None, Option(metavar="FILE", help="Write the run as an animation: .html, .gif or .mp4.")
    ] = None,
    watch: Annotated[
        bool, Option("--watch", help="Draw the curve and the loss in the terminal as the run goes on, for the log.")
    ] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Fit a formula to data: names that are columns are data, all others are parameters.

    Example: descend fit "y ~ w*x + b" line.csv --save line.json --plot line.png
    """
    look = options.look(context.params)
    check_pictures(plot, look)
    check_page(report)
    check_animation(animate)
    if watch and (quiet or log_every is not None):
        other = "--quiet" if quiet else "--log-every"
        raise ConfigError(
            f"`--watch` draws in the place of the log, so it does not go with `{other}`. Drop one of them."
        )
    written = {"--save": save, "--plot": plot, "--report": report, "--animate": animate, "--checkpoint": checkpoint}
    check_outputs(written, data)
    arguments = options.fitting(context.params)

    from descend import api
    from descend.inference.bootstrap import FEWEST
    from descend.inference.intervals import checked_level, checked_method
    from descend.options.checks import refuse_not_whole

    checked_level(0.95 if level is None else level)
    if interval is not None:
        checked_method(interval)
    elif level is not None:
        interval = "t"
    refuse_not_whole(resamples, "number of resamples", FEWEST)
    refuse_not_whole(log_every, "number of epochs between log lines", 1)
    arguments["sharpness"] = (log_every or True) if sharpness else (not quiet and "auto")
    stream = sys.stderr if json else sys.stdout
    with Watch(stream) if watch else Log(stream, epochs, log_every, sharpness) as reader:
        fitted = api.fit(formula, options.one_or_all(data), on_step=None if quiet else reader, **arguments)
        if isinstance(reader, Watch):
            reader.end(fitted)
    found = None
    if interval is not None and (json or not quiet or report is not None):
        fitted, found = with_intervals(fitted, interval, level or 0.95, resamples or 1000, seed)
    if json or not quiet:
        show(fitted, json, found, sharpness, reader.told if isinstance(reader, Log) else ())
    page = partial(fitted.report, intervals=found, command=shlex.join(["descend", *sys.argv[1:]]))
    outputs: list[Output] = [
        ("Model saved to", save, fitted.save),
        *(("Plot drawn to", place, lambda place: draw(fitted, place, look)) for place in plot or ()),
        ("Report written to", report, page),
        ("Animation written to", animate, lambda place: fitted.animate().save(place)),
    ]
    failed = write(outputs, quiet, json)
    if failed:
        raise OutputError(" ".join(failed))
    raise Exit(0 if fitted.succeeded else 1)


def draw(fitted: Fit, place: str, look: Mapping[str, Any]) -> None:
    """Draw a fit into a file; look: the arguments of `Fit.plot`."""
    from descend.report import plots

    plots.save(fitted.plot(**look), place)


def write(outputs: Iterable[Output], quiet: bool = False, json: bool = False) -> list[str]:
    """Write files, and say so of each; returns what is to be said of those that could not be written."""
    failed = []
    for done, place, writer in outputs:
        if place is None:
            continue
        try:
            writer(place)
        except DescendError as error:
            failed.append(str(error))
        except Exception as error:
            failed.append(f"`{place}` could not be made: {' '.join(str(error).split())} ({type(error).__name__}).")
        else:
            if not quiet:
                say(f"{done} {place}", file=sys.stderr if json else sys.stdout)
    return failed


def with_intervals(fitted: Fit, method: str, level: float, resamples: int, seed: int) -> tuple[Fit, Intervals | None]:
    """Return the intervals of a fit, and the fit with a note where there are none: it is not lost for that."""
    from descend.descent.commenting import attempt

    found: list[Intervals] = []
    try:
        with attempt("the intervals", fitted.failures), Counter(sys.stderr, "bootstrap", resamples) as count:
            found.append(fitted.intervals(level, method, resamples=resamples, seed=seed, on_resample=count))
    except ConfigError as error:
        return replace(fitted, notes=(*fitted.notes, str(error))), None
    if not found:
        return fitted, None
    return replace(fitted, notes=(*fitted.notes, *found[0].notes)), found[0]


def show(
    fitted: Fit, json: bool, found: Intervals | None = None, sharpness: bool = False, told: Collection[str] = ()
) -> None:
    """Print a fit, as a table or as JSON. told: notes that the table need not repeat."""
    if json:
        more: dict[str, Any] = (
            {}
            if found is None
            else {
                "intervals": found.plain(),
                "interval": found.method,
                "convention": found.convention,
                "level": found.level,
            }
        )
        if sharpness:
            seen = [step for step in fitted.trace if step.sharpness is not None]
            more["sharpness"] = [{"epoch": step.epoch, "sharpness": step.sharpness} for step in seen]
        say_json(fitted.summary() | more)
        return
    from descend.report.fields import fields
    from descend.report.text import render

    say("\n" + render(fields(fitted, found, told), colours(sys.stdout), line_length()))
