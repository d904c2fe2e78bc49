"""The rows that a module is fitted to, as tensors on its device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.models.module import TARGETS, ModuleModel, as_tensor, block_size
from descend.table.rows import Rows

if TYPE_CHECKING:
    from torch import Tensor


ORDERED = 1 << 25
"""Up to this many numbers are copied into the order of an epoch at once."""


@dataclass
class ModuleEngine:
    """The rows a module is fitted to, as tensors on its device: inputs, response and row weights.

    rows: the response and the row weights as arrays.
    """

    inputs: Tensor
    y: Tensor
    rows: Rows
    omega: Tensor | None = None
    name: str = "torch"

    @property
    def count(self) -> int:
        """The number of rows."""
        return int(self.y.shape[0])

    def blocks(self, chosen: NDArray[np.intp] | None, at_once: bool) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """Yield inputs, y and weights of all rows or of the chosen ones, in blocks or in one piece."""
        if chosen is not None:
            yield self._at(chosen)
            return
        size = self.count if at_once else block_size(self.inputs)
        for begin in range(0, self.count, size):
            yield (self.inputs, self.y, self.omega) if size >= self.count else self._at(slice(begin, begin + size))

    def in_turn(self, batches: Sequence[NDArray[np.intp]]) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """Yield batches one after another: views of rows that are put in order once, unless they are very many."""
        import torch

        if self.inputs.numel() > ORDERED:
            yield from map(self._at, batches)
            return
        sizes = [len(rows) for rows in batches]
        inputs, y, omega = self._at(np.concatenate(batches))
        weights = [None] * len(sizes) if omega is None else torch.split(omega, sizes)
        yield from zip(torch.split(inputs, sizes), torch.split(y, sizes), weights, strict=True)

    def chosen(self, places: NDArray[np.intp]) -> ModuleEngine:
        """Return some of the rows."""
        inputs, y, omega = self._at(places)
        return ModuleEngine(inputs, y, self.rows.take(places), omega)

    def _at(self, chosen: NDArray[np.intp] | slice) -> tuple[Tensor, Tensor, Tensor | None]:
        import torch

        place = chosen if isinstance(chosen, slice) else torch.from_numpy(chosen).to(self.y.device)
        return self.inputs[place], self.y[place], None if self.omega is None else self.omega[place]


def engine_of(model: ModuleModel, columns: Mapping[str, Any], rows: Rows) -> ModuleEngine:
    """Return rows as tensors on the module's device."""
    omega = None if rows.omega is None else model.placed(rows.omega)
    targets = columns.get(TARGETS, rows.y)
    y = model.placed(as_tensor(targets).long() if model.loss.of_classes and targets is rows.y else targets)
    return ModuleEngine(model.tensor(columns), y, rows, omega)
