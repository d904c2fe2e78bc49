"""How the loss went during a run: its trend, its swings, and whether what is left of it is small."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from descend.descent.outcome import Outcome
from descend.descent.step import Step

OF_LOSS = 0.1
"""A run that is more than halfway down has come close enough if its loss is within this share of the lowest it can
reach, ..."""
NEXT_TO_NOTHING = 0.01
"""... or, wherever it began, within this share of it, ..."""
OF_PROGRESS = 1e-4
"""... or if no more than this share of the decrease made so far is left."""
OF_ROUNDING = 1e-7
"""Ups and downs of the loss below this share of it are rounding."""


def close_enough(left: float, floor: float, gain: float) -> bool:
    """Whether the decrease of J that is ``left`` is small beside its ``floor`` and the decrease ``gain`` so far."""
    return left <= max(NEXT_TO_NOTHING * floor, OF_PROGRESS * gain) or left <= min(OF_LOSS * floor, gain)


@dataclass(frozen=True)
class Progress:
    """The losses of a run, read for trend and swing."""

    values: Sequence[float]

    def at(self, share: float) -> float:
        """Return the median loss of the twentieth of the run that ends after this share of it."""
        count = len(self.values)
        last = max(1, round(share * count))
        return float(np.median(self.values[max(0, last - max(1, count // 20)) : last]))

    @property
    def level(self) -> float:
        """The loss at the end, less its swings."""
        return self.at(1.0)

    @property
    def fallen(self) -> float:
        """How far the loss fell in all."""
        return self.values[0] - self.level

    @property
    def ahead(self) -> float:
        """How far the loss would still fall: with the last two quarters of the run as parts of a geometric series."""
        half, three = self.at(0.5), self.at(0.75)
        before, last = half - three, three - self.level
        if last <= 0.0:
            return 0.0
        ratio = last / before if before > last else 1.0
        return min(last * ratio / (1.0 - ratio), abs(self.level)) if ratio < 1.0 else abs(self.level)

    @property
    def swing(self) -> float:
        """How far the loss goes up again from step to step, in the last quarter of the run, as a share of it."""
        tail = np.array(self.values[-max(3, len(self.values) // 4) :])
        ups = np.diff(tail)
        return float(np.abs(ups[ups > 0.0]).sum() / max(len(ups), 1) / max(abs(float(np.median(tail))), 1e-300))

    @property
    def hovers(self) -> bool:
        """Whether the loss goes up and down repeatedly without falling overall; a single swing is an overshoot."""
        count = len(self.values)
        if count < 12:
            return False
        tail = np.array(self.values[count // 2 :])
        ups = np.diff(tail)
        ups[np.abs(ups) <= OF_ROUNDING * np.abs(tail[1:])] = 0.0
        rising = float((ups > 0.0).mean())
        turns = int((ups[1:] * ups[:-1] < 0.0).sum())
        fallen = self.at(0.6) - self.level
        return (
            rising > 0.2 and turns >= max(3, len(ups) // 20) and fallen < 0.5 * float(np.abs(ups).sum() + np.ptp(tail))
        )


def losses(steps: Sequence[Step]) -> list[float]:
    """Return the losses that are finite."""
    return [step.loss for step in steps if math.isfinite(step.loss)]


def went_well(steps: Sequence[Step]) -> bool:
    """Whether a trial stayed finite and brought J down."""
    last = steps[-1]
    return last.outcome is not Outcome.DIVERGED and math.isfinite(last.loss) and last.loss <= steps[0].loss


def counted(epochs: int) -> str:
    """Write a number of epochs in words."""
    return f"{epochs:,} epoch" + ("" if epochs == 1 else "s")
