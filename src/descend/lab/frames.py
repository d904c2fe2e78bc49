"""Which epochs the film shows, and where each descent is at them."""

from __future__ import annotations

from collections.abc import Mapping
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


def frames_of(fits: Mapping[str, Fit]) -> Frames:
    """Choose the frames of several descents."""
    last = max(fit.trace[-1].epoch for fit in fits.values())
    epochs = chosen(last)
    ends = {fit.trace[-1].epoch for fit in fits.values()}  # so that each is seen to end
    shown = tuple(sorted({*epochs, *ends}))
    return Frames(shown, {name: tuple(_at(fit, epoch) for epoch in shown) for name, fit in fits.items()})


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


def _at(fit: Fit, epoch: int) -> Step:
    return fit.trace.at(min(epoch, fit.trace[-1].epoch))
