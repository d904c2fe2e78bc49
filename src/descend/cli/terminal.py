"""The output of commands: lines for people, a live line on a terminal, one JSON object for programs."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.progress import Progress, ProgressColumn

    from descend.descent import Step

PATIENCE = 0.5
"""Seconds before progress is shown: most runs are over by then, and need not wait for rich to load."""
NARROWEST = 40
"""Tables and sentences are never folded to fewer characters than this."""
REFRESH = 0.1
"""Seconds between two updates of the live line."""


def say(text: str, file: TextIO | None = None) -> None:
    """Print ``text`` at once, on stdout unless another file is given.

    A reader that closed the pipe (``| head``) is not an error: further text is dropped, and files are still written.
    """
    stream = sys.stdout if file is None else file
    try:
        print(text, file=stream, flush=True)
    except OSError:  # the reader of the pipe, or the terminal, was closed
        _deaf(stream)


def flush() -> None:
    """Flush what is left in the buffers, so that Python finds nothing to complain about at exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            _deaf(stream)


def _deaf(stream: TextIO) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def say_json(content: Mapping[str, object] | Sequence[object]) -> None:
    """Print one JSON object, or a list, on stdout."""
    readable = "utf" in (sys.stdout.encoding or "").lower()
    say(json.dumps(content, indent=2, allow_nan=False, ensure_ascii=not readable))


def say_csv(columns: Mapping[str, NDArray[np.generic]]) -> None:
    """Print columns of equal length as CSV on stdout."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    try:
        writer.writerow(columns)
        writer.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
    except BrokenPipeError:
        _deaf(sys.stdout)


def on_terminal(stream: TextIO) -> bool:
    """Whether ``stream`` is a terminal on which a line can be overwritten."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def line_length() -> int | None:
    """Return the length of a line of the terminal, or $COLUMNS, but at least 40; None if neither is known."""
    columns_of_terminal = shutil.get_terminal_size((0, 0)).columns
    return max(columns_of_terminal, NARROWEST) if columns_of_terminal else None


def folded(text: str) -> str:
    """Break a line that is too long for the terminal after blanks, and indent its continuation."""
    most = line_length()
    if most is None or len(text) <= most:
        return text
    return "\n".join(textwrap.wrap(text, most, subsequent_indent="    ", break_long_words=False))


def colours(stream: TextIO) -> bool:
    """Whether ``stream`` is a terminal that shows colours, and the user has not switched them off."""
    return on_terminal(stream) and not os.environ.get("NO_COLOR")


class Log:
    """Reads the steps of a run: prints those that are due, and shows the progress on a terminal.

    stream: where lines go; warnings go to stderr. epochs: how many were asked for, if any. every: how many epochs lie
    between two lines. sharpness: whether lines show it. warned: the notes already printed as warnings.
    """

    def __init__(
        self, stream: TextIO, epochs: int | None = None, every: int | None = None, sharpness: bool = False
    ) -> None:
        from descend.descent.step import due_epochs

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
                    say(folded(step.line(self.sharpness)), file=self.stream)
        if self.live and step.outcome is None:
            self.live(step)

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *error: object) -> None:
        if self.live:
            self.live.stop()


class Live:
    """One line on stderr that shows the progress of a run, and disappears when it ends."""

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
        state_of_run = f"loss {step.loss:.6g}  |gradient| {step.gradient_norm:.3g}  rate {step.learning_rate:.3g}"
        if step.validation_loss is not None:
            state_of_run = f"loss {step.loss:.6g}  validation {step.validation_loss:.6g}  rate {step.learning_rate:.3g}"
        if self.sharpness is not None:
            state_of_run += f"  rate*curvature {step.learning_rate * self.sharpness:.3g}"
        self.progress.update(task, completed=step.epoch, state=state_of_run, refresh=True)

    def _started(self) -> Progress:
        from rich import progress as rich

        columns: list[rich.ProgressColumn] = [rich.TextColumn("epoch {task.completed:.0f}")]
        if self.epochs is None:
            columns += [rich.TextColumn("{task.fields[state]}"), rich.TimeElapsedColumn()]
        else:
            columns += [rich.TextColumn("of {task.total:.0f}"), rich.BarColumn(bar_width=20)]
            columns += [rich.TextColumn("{task.fields[state]}"), rich.TimeRemainingColumn(), rich.TextColumn("left")]
        live = _live(*columns)
        live.add_task("", total=self.epochs, state="")
        live.start()
        return live

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Hide the live line while another line is printed."""
        if self.progress is not None:
            self.progress.stop()
        yield
        if self.progress is not None:
            self.progress.start()

    def stop(self) -> None:
        """Remove the live line."""
        if self.progress is not None:
            self.progress.stop()


class Groups:
    """One line on stderr that shows how many of many fits are done, how fast, and how long the others will take.

    It shows on a terminal only, once half a second has passed, and disappears at the end.
    """

    def __init__(self) -> None:
        self.on = on_terminal(sys.stderr)
        self.began = self.shown = time.monotonic()
        self.progress: Progress | None = None

    def __call__(self, done: int, total: int) -> None:
        """Show that ``done`` are done, unless a count was shown a moment ago."""
        now = time.monotonic()
        if not self.on or now - self.began < PATIENCE or now - self.shown < REFRESH:
            return
        self.shown = now
        if self.progress is None:
            from rich import progress as rich

            columns = [
                rich.TextColumn("{task.completed:,.0f} of {task.total:,.0f} groups"),
                rich.BarColumn(bar_width=30),
            ]
            self.progress = _live(*columns, rich.TextColumn("{task.fields[state]}"))
            self.progress.add_task("", total=total, state="")
            self.progress.start()
        rate = done / (now - self.began)
        left = "" if not done else f", {_clock((total - done) / rate)} left"
        speed = f"{rate:,.0f}" if rate >= 10.0 else f"{rate:.2g}"
        self.progress.update(self.progress.task_ids[0], completed=done, state=f"{speed} a second{left}", refresh=True)

    def __enter__(self) -> Groups:
        return self

    def __exit__(self, *error: object) -> None:
        if self.progress is not None:
            self.progress.stop()


def _clock(seconds: float) -> str:
    """Return a time as ``1:02:03``.

    >>> _clock(62.4), _clock(3723.0)
    ('1:02', '1:02:03')
    """
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def _live(*columns: ProgressColumn) -> Progress:
    """Return a line on stderr that is overwritten, and disappears when it ends."""
    from rich.console import Console
    from rich.progress import Progress

    return Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        auto_refresh=False,
        redirect_stdout=False,
        redirect_stderr=False,
    )


class Counter:
    """Counts on ``stream`` what is done of ``total``: overwritten on a terminal, else a new line every ten seconds."""

    def __init__(self, stream: TextIO, counted: str, total: int) -> None:
        self.stream, self.counted, self.total = stream, counted, total
        self.live = on_terminal(stream)
        self.wait = REFRESH if self.live else 10.0
        self.shown = time.monotonic()
        self.width = 0

    def __call__(self, done: int) -> None:
        """Show that ``done`` are done, unless a count was shown a moment ago."""
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
