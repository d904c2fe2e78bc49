"""An exponential moving average of the weights of a module, as `torch.optim.swa_utils` computes it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


class Average:
    """The weights w of all steps, averaged: a <- decay a + (1 - decay) w after each, from w after the first.

    decay: between 0 and 1; 0.999 averages over about the last thousand steps. Buffers, such as the statistics of batch
    normalisation, are not averaged.
    """

    def __init__(self, trained: Sequence[Tensor], decay: float) -> None:
        from torch.optim.swa_utils import get_ema_multi_avg_fn

        self.live = [tensor.detach() for tensor in trained]  # the same numbers, without their history
        self.tensors: list[Tensor] = []
        self.move = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]

    def update(self) -> None:
        """Take in the weights after a step."""
        if self.tensors:
            self.move(self.tensors, self.live, None)
        else:
            self.tensors = [tensor.clone() for tensor in self.live]

    def write(self) -> None:
        """Leave the average in the module."""
        for tensor, mean in zip(self.live, self.tensors, strict=False):
            tensor.copy_(mean)

    @contextlib.contextmanager
    def standing(self) -> Iterator[None]:
        """Let the module have the average for a while."""
        before = [tensor.clone() for tensor in self.live] if self.tensors else []
        self.write()
        try:
            yield
        finally:
            for tensor, kept in zip(self.live, before, strict=False):
                tensor.copy_(kept)
