"""The part of an epoch that a run had passed when it was cut off: it goes on from there, not from the epoch's begin."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Part:
    """The part of an epoch that was passed.

    steps: that were taken. losses, shares: (m,) J and weight of each batch so far. weight: that of all steps.
    rewind: lets random numbers begin as the epoch did; proceed: lets them go on from where the run stood.
    """

    steps: int
    losses: Tensor
    shares: Tensor
    weight: float
    rewind: Callable[[], None]
    proceed: Callable[[], None]

    def skipped(self, steps: Iterator[object]) -> tuple[list[Tensor], list[float], float]:
        """Draw the batches that were passed once more, and return what they left; afterwards the next is new."""
        for _ in range(self.steps):
            next(steps, None)
        self.proceed()
        return list(self.losses.unbind()), self.shares.tolist(), self.weight


class KeepsParts(Protocol):
    """What writes where a run stands within an epoch: see `checkpoint.Writer`, which does."""

    def begin_epoch(self) -> None:
        """Note the random numbers that the order of an epoch will be drawn by."""

    def due(self) -> bool:
        """Whether the last write was long ago."""

    def keep_part(
        self, steps: int, losses: Sequence[Tensor], shares: Sequence[float], weight: float, last: bool = False
    ) -> None:
        """Write the part of the epoch that was passed. last: whether the run ends here."""
