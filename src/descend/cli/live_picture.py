"""`--watch`: the curve over the data and the loss per epoch, drawn in the terminal while the run goes on."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TextIO

import numpy as np

from descend.cli.terminal import REFRESH, colours, on_terminal, say
from descend.errors import ConfigError

if TYPE_CHECKING:
    from rich.live import Live

    from descend.descent import Step
    from descend.models import Model
    from descend.report.console import Scene
    from descend.results import Fit

FEW = 10
"""A run that ended before this many pictures were drawn is replayed, slowly enough to be seen."""
AGAIN = 40
"""Number of pictures in a replay."""
WIDEST, TALLEST = 140, 26
"""Most characters per line, and lines, of a picture."""


class Watch:
    """Reads the steps of a run and draws them; into a file or a pipe, only the last."""

    def __init__(self, stream: TextIO) -> None:
        try:
            import plotext  # noqa: F401
        except ModuleNotFoundError:
            raise ConfigError(
                '`--watch` draws with plotext, which is not installed: pip install "descend[watch]".'
            ) from None
        self.stream = stream
        self.moving = on_terminal(stream)
        self.drawn = 0
        self.live: Live | None = None
        self.scene: Scene
        self.begun: Callable[[], Scene]

    def begin(self, model: Model, columns: Mapping[str, object]) -> None:
        """Receive the model, and the rows that it is fitted to."""
        from descend.report.console import Scene

        self.begun = lambda: Scene(model, columns)
        self.scene, self.shown = self.begun(), -REFRESH

    def __call__(self, step: Step) -> None:
        """Read one step; draw it unless another was drawn a moment ago."""
        if self.moving and step.seconds - self.shown >= REFRESH and np.isfinite(step.theta).all():
            self.shown = step.seconds
            self.drawn += 1
            self._show(step)

    def end(self, fit: Fit) -> None:
        """Draw the end of the run; a run that was over at once is replayed from its start."""
        from descend.report.film import chosen

        steps = [step for step in fit.trace if np.isfinite(step.theta).all()]
        if self.moving and self.drawn < FEW:
            self.scene = self.begun()
            for place in chosen(steps, AGAIN):
                self._show(steps[place])
                time.sleep(REFRESH)
        elif self.moving:
            self._show(steps[-1])
        else:
            for place in chosen(steps):
                self.scene.add(steps[place])
            say(self._picture(steps[-1]), file=self.stream)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *error: object) -> None:
        if self.live is not None:
            self.live.stop()
            self.live = None

    def _picture(self, step: Step) -> str:
        from descend.report.console import characters

        width, height = shutil.get_terminal_size((100, 30))
        size = min(width - 1, WIDEST), max(min(height - 4, TALLEST), 8)
        return characters(self.scene.panels(step), *size, colour=colours(self.stream))

    def _show(self, step: Step) -> None:
        from rich.text import Text

        if self.live is None:
            from rich.console import Console
            from rich.live import Live

            self.live = Live(console=Console(file=self.stream), auto_refresh=False)
            self.live.start()
        self.scene.add(step)
        self.live.update(Text.from_ansi(self._picture(step)), refresh=True)
