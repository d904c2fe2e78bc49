"""The log of a run, as Python prints it."""

from __future__ import annotations

from collections.abc import Callable

from descend.descent import Step


def printing(every: int, reader: Callable[[Step], None] | None) -> Callable[[Step], None]:
    """Return a reader that prints every so many epochs, the last and each warning, and passes all to ``reader``."""

    def read(step: Step) -> None:
        if step.note is not None:
            print(f"Warning: {step.note}.")
        if step.epoch % every == 0 or step.outcome is not None:
            print(step.line())
        if reader is not None:
            reader(step)

    return read
