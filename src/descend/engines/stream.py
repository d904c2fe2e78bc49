"""The engine whose rows stream through this process in blocks, for sums that the database cannot compute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from descend.engines.batches import Batch, batches
from descend.engines.compiled import compiled
from descend.engines.parabola import Parabola, through
from descend.engines.torch_engine import checked_device, import_torch
from descend.engines.totals import Array, Engine, Totals, ordered
from descend.formula.factor import torch_triangle, triangle
from descend.gradients.contract import Kernel
from descend.gradients.derived import Program
from descend.table.lazy import Lazy, spread
from descend.table.rows import Rows

if TYPE_CHECKING:
    from torch import Tensor

BLOCK = 1 << 16
"""Rows per block at most: enough that fetching them costs little for each, few enough for any memory."""
NUMBERS = 1 << 20
"""Numbers per block at most, of all columns: there are several times as many in what is made of them."""


def block_rows(lazy: Lazy) -> int:
    """Return how many rows a block has at most: the fewer, the more columns there are."""
    return min(BLOCK, max(1 << 10, NUMBERS // max(1, len(lazy.every))))


class StreamEngine(Engine):
    """Sums over blocks of rows, fetched anew for each evaluation, with NumPy or PyTorch.

    lazy: the rows, which must be complete.
    """

    factors = True
    lazy: Lazy

    def __init__(
        self,
        program: Program | Kernel,
        lazy: Lazy,
        language: str = "numpy",
        device: str | None = None,
        counted: tuple[int, float] | None = None,
    ) -> None:
        """Take the rows; ``counted``: their number and the sum of their weights, if that is known."""
        self.kernel: Kernel = (
            compiled(program, language, lazy.roles.spread is not None) if isinstance(program, Program) else program
        )
        self.name = self.kernel.language
        self.lazy = lazy
        self.device: str | None = None
        if self.name == "torch":
            self.torch = import_torch()
            self.device = checked_device(self.torch, device)
        self.rows = Rows({})
        """Some of the rows, in memory."""
        self.count, self.total = lazy.counted() if counted is None else counted
        self.block = block_rows(lazy)
        self.parabola: Parabola | None = None

    @property
    def once(self) -> bool:
        """Whether all sums are known from those of one pass."""
        return self.parabola is not None

    def batches(self, size: int, seed: int, epoch: int) -> list[Batch]:
        """Return the batches of one epoch, each of which is fetched by a query of its own."""
        return batches(self.count, size, seed, epoch)

    def evaluate(self, theta: Array, order: int = 1, rows: Batch | None = None) -> Totals:
        if self.near is not None and rows is None:
            near, self.near = self.near, None
            self.parabola = through(near, self.evaluate(near, 2))
        if self.parabola is not None and rows is None:
            return self.parabola.totals(theta, order)
        return self.lazy.attempt(lambda: self._evaluated(theta, order, rows))

    def _evaluated(self, theta: Array, order: int, rows: Batch | None) -> Totals:
        point: Any = theta if self.device is None else self.torch.from_numpy(theta.copy()).to(self.device)
        loss, gradient, curvature = 0.0, None, None
        total = self.total if rows is None else 0.0
        for part in (self.lazy if rows is None else self._part(rows)).blocks(self.block):
            if rows is not None:
                total += part.total
            block: tuple[Array | Tensor, ...] = self.kernel.prepare(part)
            if self.device is not None:
                block = tuple(
                    self.torch.from_numpy(np.require(array, requirements="W")).to(self.device) for array in block
                )
            more_loss, more_gradient, more_curvature = self.kernel.sums(point, block, order)
            loss = loss + more_loss
            if more_gradient is not None:
                gradient = more_gradient if gradient is None else gradient + more_gradient
            if curvature is None or more_curvature is None:
                curvature = more_curvature
            else:
                curvature = self._joined(curvature, more_curvature) if order == 3 else curvature + more_curvature
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

    def _joined(self, first_totals: Any, second_totals: Any) -> Any:
        if self.device is None:
            return triangle(np.vstack([first_totals, second_totals]))
        return torch_triangle(self.torch.cat([first_totals, second_totals]))

    @staticmethod
    def _array(value: Array | Tensor) -> Array:
        array: Array = value if isinstance(value, np.ndarray) else value.detach().cpu().numpy()
        return array
