"""What a verb says, and where: lines for people, a live line on a terminal, one JSON object for programs."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.progress import Progress

    from descend.descent import Step

PATIENCE = 0.5
"""Seconds a run takes before its progress is shown: most are over by then, and need not wait for rich."""
NARROWEST = 40
"""Letters of a line that tables and sentences are broken for at the least."""
REFRESH = 0.1
"""Seconds between two looks of the live line."""


def say(text: str, file: TextIO | None = None) -> None:
    """Print ``text`` at once, on stdout unless another file is given.

    A reader that has gone (``| head``) is no error: what is left to say goes nowhere, and files are still written.
    """
    stream = sys.stdout if file is None else file
    try:
        print(text, file=stream, flush=True)
    except OSError:  # a pipe whose reader has gone, or a terminal that was closed
        _deaf(stream)


def flush() -> None:
    """Send off what is left in the buffers, so that Python finds nothing to complain about at exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            _deaf(stream)


def _deaf(stream: TextIO) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def say_json(content: Mapping[str, Any]) -> None:
    """Print one JSON object on stdout."""
    readable = "utf" in (sys.stdout.encoding or "").lower()
    say(json.dumps(content, indent=2, allow_nan=False, ensure_ascii=not readable))


def say_csv(columns: Mapping[str, NDArray[np.generic]]) -> None:
    """Print columns of one length as CSV on stdout."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    try:
        writer.writerow(columns)
        writer.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
    except BrokenPipeError:
        _deaf(sys.stdout)


def on_terminal(stream: TextIO) -> bool:
    """Whether ``stream`` is a terminal on which a line can be drawn over."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def line_length() -> int | None:
    """Return how many letters a line of the terminal has, or $COLUMNS says; 40 at least, None if nothing says."""
    found = shutil.get_terminal_size((0, 0)).columns
    return max(found, NARROWEST) if found else None


def folded(text: str) -> str:
    """Break a line that the terminal has no room for after blanks, and indent what goes on."""
    most = line_length()
    if most is None or len(text) <= most:
        return text
    return "\n".join(textwrap.wrap(text, most, subsequent_indent="    ", break_long_words=False))


def colours(stream: TextIO) -> bool:
    """Whether ``stream`` is a terminal that shows colours, and the user has not asked for none."""
    return on_terminal(stream) and not os.environ.get("NO_COLOR")


class Log:
    """Reads the steps of a run: prints those that are due, and on a terminal shows how far it has come.

    stream: where the lines go; warnings go to stderr. epochs: how many were asked for, if any. every: print every so
    many. sharpness: whether lines show it. warned: the notes it has printed as warnings.
    """

    def __init__(
        self, stream: TextIO, epochs: int | None = None, every: int | None = None, sharpness: bool = False
    ) -> None:
        from descend.descent.stability_watch import due_epochs

        self.stream = stream
        self.epochs = epochs
        self.sharpness = sharpness
        self.warned: list[str] = []
        self.due = due_epochs(epochs, every)
        self.next = next(self.due)
        self.live = Live(epochs) if on_terminal(sys.stderr) else None

    def __call__(self, step: Step) -> None:
        """Read one step."""
        due = step.epoch >= self.next or step.outcome is not None
        if due or step.note is not None:
            while self.next <= step.epoch:
                self.next = next(self.due)
            with self.live.aside() if self.live else contextlib.nullcontext():
                if step.note is not None:
                    self.warned.append(step.note)
                    say(f"Warning: {step.note}.", file=sys.stderr)
                if due:
                    say(folded(step.line() if self.sharpness else str(step)), file=self.stream)
        if self.live and step.outcome is None:
            self.live(step)

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *error: object) -> None:
        if self.live:
            self.live.stop()


class Live:
    """One line on stderr that shows where a run is, and is gone when it ends."""

    def __init__(self, epochs: int | None) -> None:
        self.epochs = epochs
        self.shown = PATIENCE - REFRESH
        self.sharpness: float | None = None
        self.progress: Progress | None = None

    def __call__(self, step: Step) -> None:
        """Show ``step``, unless another was shown a moment ago."""
        if step.epoch == 0:
            self.shown, self.sharpness = PATIENCE - REFRESH, None
        if step.sharpness is not None:
            self.sharpness = step.sharpness
        if step.seconds - self.shown < REFRESH:
            return
        self.shown = step.seconds
        if self.progress is None:
            self.progress = self._started()
        task = self.progress.task_ids[0]
        state = f"loss {step.loss:.6g}  |gradient| {step.gradient_norm:.3g}  rate {step.learning_rate:.3g}"
        if self.sharpness is not None:
            state += f"  rate*curvature {step.learning_rate * self.sharpness:.3g}"
        self.progress.update(task, completed=step.epoch, state=state, refresh=True)

    def _started(self) -> Progress:
        from rich import progress as rich
        from rich.console import Console

        columns: list[rich.ProgressColumn] = [rich.TextColumn("epoch {task.completed:.0f}")]
        if self.epochs is None:
            columns += [rich.TextColumn("{task.fields[state]}"), rich.TimeElapsedColumn()]
        else:
            columns += [rich.TextColumn("of {task.total:.0f}"), rich.BarColumn(bar_width=20)]
            columns += [rich.TextColumn("{task.fields[state]}"), rich.TimeRemainingColumn(), rich.TextColumn("left")]
        live = rich.Progress(
            *columns,
            console=Console(stderr=True),
            transient=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        live.add_task("", total=self.epochs, state="")
        live.start()
        return live

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Take the live line away while another line is printed."""
        if self.progress is not None:
            self.progress.stop()
        yield
        if self.progress is not None:
            self.progress.start()

    def stop(self) -> None:
        """Take the live line away."""
        if self.progress is not None:
            self.progress.stop()


class Counter:
    """Says on ``stream`` how many of so many are done: drawn over on a terminal, else a line every ten seconds."""

    def __init__(self, stream: TextIO, counted: str, total: int) -> None:
        self.stream, self.counted, self.total = stream, counted, total
        self.live = on_terminal(stream)
        self.wait = REFRESH if self.live else 10.0
        self.shown = time.monotonic()
        self.width = 0

    def __call__(self, done: int) -> None:
        """Say that ``done`` are done, unless this was said a moment ago."""
        now = time.monotonic()
        if now - self.shown < self.wait:
            return
        self.shown = now
        text = f"{self.counted}: {done:,} of {self.total:,}"
        if self.live:
            self.width = len(text)
            self._draw(text)
        else:
            say(text, file=self.stream)

    def __enter__(self) -> Counter:
        return self

    def __exit__(self, *error: object) -> None:
        if self.width:
            self._draw(" " * self.width + "\r")

    def _draw(self, text: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            print(f"\r{text}", end="", file=self.stream, flush=True)
