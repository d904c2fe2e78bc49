"""`descend fit --by`: many fits as a table, or as a JSON object a line; their files, and how many failed and why."""

from __future__ import annotations

import sys
from functools import partial
from json import dumps
from typing import TYPE_CHECKING, NoReturn

from typer import Exit

from descend.cli.outputs import Output, write, write_published
from descend.cli.terminal import line_length, say
from descend.errors import ConfigError, OutputError
from descend.options.option import Values
from descend.wording import command_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from descend.many import Fits


def refuse_others(options_given: Values) -> None:
    """Refuse what is shown of one fit only. given: those options, by their flags."""
    for flag, value in options_given.items():
        if value:
            raise ConfigError(
                f"`{flag}` goes with one fit, not with one for each group. Drop it, or fit one group alone: --where."
            )


def level_of(interval: str | None, level: float | None) -> float | None:
    """Return the level of the intervals that are asked for; None if there are none."""
    from descend.inference.intervals import checked_level

    return None if interval is None and level is None else checked_level(0.95 if level is None else level)


def end_many(
    fits: Fits,
    outputs: Values,
    look: Values,
    json: bool,
    quiet: bool,
    errors: str = "parentheses",
    level: float | None = None,
) -> NoReturn:
    """Show many fits, write their files and end. outputs: files by their flags. look: the arguments of `Fits.plot`.

    errors: how errors are written in a table for print. level: of the t intervals, if they are asked for.
    """
    from descend.many.reasons_of_failure import one_line

    if json or not quiet:
        show_all(fits, json, level)
    failed = write(_outputs(fits, outputs, look, errors, level), quiet, json)
    if not fits.succeeded and not quiet:
        say(one_line(fits), file=sys.stderr)
    if failed:
        raise OutputError(" ".join(failed))
    raise Exit(0 if fits.succeeded else 1)


def _outputs(fits: Fits, files: Values, look: Values, errors: str, level: float | None) -> list[Output]:
    """Return the files to write of many fits."""
    from descend.report.style import save
    from descend.table.writing import write_columns

    command = command_line(["descend", *sys.argv[1:]])
    pictures = files.get("--plot") or ()
    return [
        ("Fits saved to", files.get("--save"), fits.save),
        (
            "Table of fits written to",
            files.get("--output"),
            lambda place: write_columns(place, {**fits.columns(), **_ends(fits, level)}),
        ),
        ("Table written to", files.get("--table-output"), partial(write_published, table=fits.table, errors=errors)),
        *(("Plot drawn to", picture_path, lambda place: save(fits.plot(**look), place)) for picture_path in pictures),
        ("Report written to", files.get("--report"), partial(fits.report, command=command)),
    ]


def _ends(fits: Fits, level: float | None) -> dict[str, NDArray[np.float64]]:
    """Return columns with the ends of the t intervals, if they are asked for."""
    intervals = {} if level is None else fits.intervals(level)
    words = ("low", "high")
    return {f"{label} {word}": end for label, ends in intervals.items() for word, end in zip(words, ends, strict=True)}


def show_all(fits: Fits, json: bool, level: float | None = None) -> None:
    """Print many fits as a table, or as a JSON object a line. level: of the t intervals, if they are asked for."""
    if json:
        for line in fits.records(level):
            say(dumps(line, ensure_ascii=False))
        return
    from descend.many.text import render

    say(render(fits, line_length(), level), sys.stdout)
