"""The progress of the training of a module: one line with its losses and the time left, in terminals and notebooks."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from descend.descent.step import Step

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

PATIENCE, REFRESH = 1.0, 0.25
"""Seconds before anything is shown, as most runs are over by then, and between two updates."""
MOST_METRICS = 2


class Bar:
    """Reads the steps of a run and shows where it is. epochs: how many there will be, if that is known."""

    def __init__(self, epochs: int | None, reader: Callable[[Step], None] | None = None) -> None:
        self.epochs, self.reader = epochs, reader
        self.shown = PATIENCE - REFRESH
        self.progress: Progress | None = None

    def __call__(self, step: Step) -> None:
        if step.outcome is not None:
            self.stop()
        elif step.seconds - self.shown >= REFRESH:
            self.shown = step.seconds
            self._show(step)
        if self.reader is not None:
            self.reader(step)

    def _show(self, step: Step) -> None:
        if self.progress is None:
            self.progress = _started(self.epochs)
        measures = list((step.measures or {}).items())[: MOST_METRICS + 1]
        state = f"loss {step.loss:.5g}" + "".join(f"  {name.replace('_', ' ')} {value:.5g}" for name, value in measures)
        self.progress.update(self.progress.task_ids[0], completed=step.epoch, state=state, refresh=True)

    def stop(self) -> None:
        """Remove the line."""
        if self.progress is not None:
            self.progress.stop()
            self.progress = None


def _started(epochs: int | None) -> Progress:
    from rich import progress as rich
    from rich.console import Console

    columns: list[ProgressColumn] = [rich.TextColumn("epoch {task.completed:.0f}")]
    state = rich.TextColumn("{task.fields[state]}")
    if epochs is None:
        columns += [state, rich.TimeElapsedColumn()]
    else:
        columns += [rich.TextColumn("of {task.total:.0f}"), rich.BarColumn(bar_width=20), state]
        columns += [rich.TimeRemainingColumn(), rich.TextColumn("left")]
    console = Console(stderr=True)
    bar = rich.Progress(*columns, console=console, transient=True, auto_refresh=False, redirect_stdout=False)
    bar.add_task("", total=epochs, state="")
    bar.start()
    return bar


def watched(wanted: bool | None, epochs: int | None, reader: Callable[[Step], None] | None) -> Bar | None:
    """Return a bar if it is wanted, or nobody said and somebody watches: on a terminal, or in a notebook.

    A reader of steps that the user brought, or the log of the command line, shows them in its own way.
    """
    if wanted is None:
        in_notebook = "ipykernel" in sys.modules
        on_terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        wanted = reader is None and (in_notebook or on_terminal)
    return Bar(epochs, reader) if wanted else None
