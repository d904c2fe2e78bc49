"""Which epochs the film shows, and where each descent is at them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.descent.step import Step
from descend.report.figures import drawable
from descend.results import Fit

Array = NDArray[np.float64]

MOST_FRAMES = 120
ONE_BY_ONE = 40
"""With more epochs than ``MOST_FRAMES``, this many are shown one by one, and later ones further and further apart."""


@dataclass(frozen=True, eq=False)
class Frames:
    """Several descents, frame by frame; a descent that has ended stays where it ended.

    epochs: the epoch of each frame. steps: for each optimizer, its step in each frame.
    """

    epochs: tuple[int, ...]
    steps: Mapping[str, tuple[Step, ...]]

    def theta(self, name: str) -> Array:
        """Return the (frames, p) parameters of a descent."""
        return drawable(np.array([step.theta for step in self.steps[name]], dtype=np.float64))

    def losses(self, name: str) -> Array:
        """Return J of a descent in each frame."""
        return np.array([step.loss for step in self.steps[name]], dtype=np.float64)

    def held_out(self, name: str) -> Array:
        """Return the loss of a descent on the rows held out in each frame, NaN where there are none."""
        return np.array([step.validation_loss for step in self.steps[name]], dtype=np.float64)


def frames_of(fits: Mapping[str, Fit]) -> Frames:
    """Choose the frames of several descents."""
    last = max(fit.trace[-1].epoch for fit in fits.values())
    epochs = chosen(last)
    ends = {fit.trace[-1].epoch for fit in fits.values()}  # so that each is seen to end
    epochs_shown = tuple(sorted({*epochs, *ends}))
    return Frames(epochs_shown, {name: tuple(steps_at(fit, epochs_shown)) for name, fit in fits.items()})


def chosen(last: int) -> list[int]:
    """Return the epochs to show of those from 0 to ``last``.

    >>> chosen(3), len(chosen(120)), len(chosen(5000)), chosen(5000)[-3:]
    ([0, 1, 2, 3], 121, 121, [4475, 4707, 5000])
    """
    if last <= MOST_FRAMES:
        return list(range(last + 1))
    later = np.geomspace(ONE_BY_ONE, last, 4 * MOST_FRAMES).round().astype(int)
    unique = np.unique(later)
    picked = unique[np.linspace(0, len(unique) - 1, MOST_FRAMES + 1 - ONE_BY_ONE).round().astype(int)]
    return [*range(ONE_BY_ONE), *picked.tolist()]


def steps_at(fit: Fit, epochs: Iterable[int]) -> list[Step]:
    """Return the steps of a descent at some epochs; after its end, its last."""
    steps, last = fit.trace.steps, fit.trace[-1].epoch
    if len(steps) == last + 1:  # all were kept
        return [steps[min(epoch, last)] for epoch in epochs]
    return [fit.trace.at(min(epoch, last)) for epoch in epochs]
