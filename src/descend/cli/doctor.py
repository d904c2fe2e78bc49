"""`descend doctor`: a user's own PyTorch training script, run under watch."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Annotated

from typer import Argument, Exit

from descend.cli import options
from descend.cli.terminal import colours, say, say_json
from descend.errors import ConfigError
from descend.options.option import Option

FORMATS = ("text", "json", "sarif")


@options.takes(
    Option("steps", None, "End the script after N steps.", "whole", "N"),
    Option("every_step", False, "Watch every step of a long run closely, not each 16th; slower.", "switch"),
    Option("format", None, "text, json, or sarif for code-scanning sites; text if not given.", metavar="FORMAT"),
    "json",
)
def doctor(
    script: Annotated[str, Argument(metavar="SCRIPT.py", help="A PyTorch training script; it is run as it is.")],
    arguments: Annotated[
        list[str] | None, Argument(metavar="[-- ARGS...]", help="Arguments of the script, after `--`.")
    ] = None,
    *,
    steps: int | None,
    every_step: bool,
    format: str | None,
    json: bool,
) -> None:
    """Examine a PyTorch training script: run it under watch and report what is wrong with its training loop.

    Example: descend doctor train.py

    Example: descend doctor train.py --steps 200 -- --data line.csv

    Exit code: 0 nothing was found, 1 something was, 2 wrong usage, or the script failed for a reason of its own.
    """
    from descend.doctor import examine
    from descend.doctor.sarif import sarif
    from descend.doctor.text import render

    shape = format or ("json" if json else "text")
    if shape not in FORMATS or (json and format not in (None, "json")):
        raise ConfigError(f"There is no format {shape!r} here. The formats are {', '.join(FORMATS)}; --json is json.")
    with _on_stderr() if shape != "text" else contextlib.nullcontext():
        report = examine(script, arguments or [], steps, every_step)
    if shape == "json":
        say_json(report.as_dict())
    elif shape == "sarif":
        say_json(sarif(report))
    else:
        say(render(report, colour=colours(sys.stdout)))
    raise Exit(report.exit_code)


@contextlib.contextmanager
def _on_stderr() -> Iterator[None]:
    """Redirect to stderr what the script, and any program that it starts, prints."""
    sys.stdout.flush()
    stdout_copy = os.dup(1)
    os.dup2(2, 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(stdout_copy, 1)
        os.close(stdout_copy)
