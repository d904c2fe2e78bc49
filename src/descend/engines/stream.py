"""The engine whose rows stream through this process in blocks, for sums that the database cannot compute."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from descend.engines.batches import Batch
from descend.engines.compiled import kernel_of
from descend.engines.lazy_engine import LazyEngine
from descend.engines.torch_engine import checked_device
from descend.engines.totals import Array, Totals, added, ordered
from descend.formula.factor import merged_factors, torch_merged_factors
from descend.gradients.autograd import import_torch
from descend.gradients.contract import Summand, Sums
from descend.table.lazy import Lazy, spread

if TYPE_CHECKING:
    from torch import Tensor

BLOCK = 1 << 16
"""Rows per block at most: enough that fetching them costs little for each, few enough for any memory."""
NUMBERS = 1 << 20
"""Numbers per block at most, of all columns: there are several times as many in what is made of them."""


def block_rows(lazy: Lazy) -> int:
    """Return how many rows a block has at most: the fewer, the more columns there are."""
    return min(BLOCK, max(1 << 10, NUMBERS // max(1, len(lazy.every))))


class StreamEngine(LazyEngine):
    """Sums over blocks of rows, fetched anew for each evaluation, with NumPy or PyTorch."""

    def __init__(
        self,
        code: Summand,
        lazy: Lazy,
        language: str = "numpy",
        device: str | None = None,
        counted: tuple[int, float] | None = None,
    ) -> None:
        super().__init__(lazy, counted)
        self.kernel = kernel_of(code, language, lazy.roles.spread is not None)
        self.name = self.kernel.language
        self.device: str | None = None
        if self.name == "torch":
            self.torch = import_torch()
            self.device = checked_device(self.torch, device)
        self.block = block_rows(lazy)

    def _read(self, theta: Array, order: int, rows: Batch | None) -> Totals:
        return self.lazy.attempt(lambda: self._summed(theta, order, rows))

    def _summed(self, theta: Array, order: int, rows: Batch | None) -> Totals:
        point: Any = theta if self.device is None else self.torch.from_numpy(theta.copy()).to(self.device)
        total = self.total if rows is None else 0.0

        def of_blocks() -> Iterator[Sums]:
            nonlocal total
            for part in (self.lazy if rows is None else self._part(rows)).blocks(self.block):
                total += 0.0 if rows is None else part.total
                block = self.kernel.prepare(part)
                if self.device is not None:
                    block = tuple(
                        self.torch.from_numpy(np.require(array, requirements="W")).to(self.device) for array in block
                    )
                yield self.kernel.sums(point, block, order)

        factors = merged_factors if self.device is None else torch_merged_factors
        loss, gradient, curvature = added(of_blocks(), factors if order == 3 else operator.add)
        if not total > 0.0:
            return Totals(1.0, 0.0, np.zeros_like(theta), np.zeros((theta.size, theta.size)))
        summed = None if gradient is None else self._array(gradient)
        if self.kernel.finish is not None and summed is not None:
            summed = self.kernel.finish(summed, total, theta)
        return ordered(order, total, float(loss), summed, None if curvature is None else self._array(curvature))

    def _part(self, batch: Batch) -> Lazy:
        numbered = self.lazy.numbered()
        share = spread(numbered.place, batch.multiplier)
        rows_of_batch = numbered.filter((share >= batch.low) & (share < batch.high))
        return self.lazy.like(rows_of_batch)

    @staticmethod
    def _array(value: Array | Tensor) -> Array:
        array: Array = value if isinstance(value, np.ndarray) else value.detach().cpu().numpy()
        return array
