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
from descend.options.option import Option


@options.takes(Option("steps", None, "End the script after N steps.", "whole", "N"), "json")
def doctor(
    script: Annotated[str, Argument(metavar="SCRIPT.py", help="A PyTorch training script; it is run as it is.")],
    arguments: Annotated[
        list[str] | None, Argument(metavar="[-- ARGS...]", help="Arguments of the script, after `--`.")
    ] = None,
    *,
    steps: int | None,
    json: bool,
) -> None:
    """Examine a PyTorch training script: run it under watch and report what is wrong with its training loop.

    Example: descend doctor train.py

    Example: descend doctor train.py --steps 200 -- --data line.csv
    """
    from descend.doctor import examine
    from descend.doctor.text import render

    with _on_stderr() if json else contextlib.nullcontext():
        report = examine(script, arguments or [], steps)
    if json:
        say_json(report.as_dict())
    else:
        say(render(report, colour=colours(sys.stdout)))
    raise Exit(report.exit_code)


@contextlib.contextmanager
def _on_stderr() -> Iterator[None]:
    """Redirect to stderr what the script, and any program that it starts, prints."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
