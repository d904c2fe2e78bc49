"""The rows that a module is fitted to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.models.module import block_size

if TYPE_CHECKING:
    from torch import Tensor


@dataclass
class Rows:
    """The rows a module is fitted to, beside it: inputs, response and row weights. It stands in for an engine.

    weights: as an array; omega: the same as a tensor.
    """

    inputs: Tensor
    y: Tensor
    weights: NDArray[np.float64] | None = None
    omega: Tensor | None = None
    name: str = "torch"

    @property
    def rows(self) -> int:
        return int(self.y.shape[0])

    def count(self, chosen: NDArray[np.intp] | None) -> float:
        """Return the number of rows, or the sum of their weights, of all or the chosen ones."""
        if self.weights is None:
            return self.rows if chosen is None else len(chosen)
        return float((self.weights if chosen is None else self.weights[chosen]).sum())

    def blocks(self, chosen: NDArray[np.intp] | None, whole: bool) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """Yield inputs, y and weights of all rows or of the chosen ones, in blocks or in one piece."""
        if chosen is not None:
            yield self._at(chosen)
            return
        size = self.rows if whole else block_size(self.inputs)
        for begin in range(0, self.rows, size):
            yield (self.inputs, self.y, self.omega) if size >= self.rows else self._at(slice(begin, begin + size))

    def chosen(self, places: NDArray[np.intp]) -> Rows:
        """Return some of the rows."""
        inputs, y, omega = self._at(places)
        return Rows(inputs, y, None if self.weights is None else self.weights[places], omega)

    def _at(self, chosen: NDArray[np.intp] | slice) -> tuple[Tensor, Tensor, Tensor | None]:
        import torch

        place = chosen if isinstance(chosen, slice) else torch.from_numpy(chosen).to(self.y.device)
        return self.inputs[place], self.y[place], None if self.omega is None else self.omega[place]
