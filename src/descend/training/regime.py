"""The settings of the run of a module: how it steps, what it watches, and which weights it leaves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Regime:
    """How a run goes; nothing here changes on the way.

    monitor: the measure that says which weights are best, and ``higher`` whether more of it is better. patience: epochs
    without one better by ``min_delta`` that end the run. best: whether the best weights are left in the module.
    clip, clip_value: the norm, or the size of each number, to which the gradient is cut. accumulate: batches per step.
    batch_size: rows of a batch; None for all. lean: whether the loss of an epoch is the mean over its batches as they
    were passed, which spares another pass over all rows.
    """

    monitor: str = "validation_loss"
    higher: bool = False
    patience: int | None = None
    min_delta: float = 0.0
    best: bool = False
    clip: float | None = None
    clip_value: float | None = None
    accumulate: int = 1
    batch_size: int | None = None
    seed: int = 0
    lean: bool = False

    def better(self, value: float, than: float) -> bool:
        """Whether a value of the measure is better than another, by enough to count.

        >>> Regime(min_delta=0.1).better(0.95, 1.0), Regime(higher=True).better(0.95, 0.9)
        (False, True)
        """
        return value > than + self.min_delta if self.higher else value < than - self.min_delta
