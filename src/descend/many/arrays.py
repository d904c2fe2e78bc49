"""What the descent of many groups asks of NumPy or of PyTorch, where the two differ."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from descend.formula.printers.code import NUMPY, TORCH, Language

CELLS, MANY_CELLS, MANY = 163_840, 524_288, 8192
"""Rows times groups of a band that suits the processor's cache; of a block; and groups of a block, at most."""
LARGE = 1 << 23
"""Rows times groups of a band that keeps a device busy, and of a block."""
Values = typing.Any
"""An array of NumPy's, or a tensor of PyTorch's: (groups,), or (rows, groups)."""


@dataclass(frozen=True)
class Arrays:
    """NumPy's arrays.

    language: the one that code is written in for them. library: the module whose functions take them.
    cells: rows times groups of a band, at most. block: rows times groups, and groups, of a block. threads: None for all
    processors.
    """

    language: Language = NUMPY
    library: ModuleType = np
    cells: int = CELLS
    block: tuple[int, int] = MANY_CELLS, MANY
    threads: int | None = None

    def from_numpy(self, array: Values) -> Values:
        """Return an array of NumPy's in the form that is computed with."""
        return array

    def to_numpy(self, array: Values) -> Values:
        """Return an array of NumPy's."""
        return array

    def matrices(self, rows: Sequence[Sequence[Values]], like: Values) -> NDArray[np.float64]:
        """Return matrices of each group, (groups, p, p), from their rows of numbers or arrays over groups."""
        entries = [[self.to_numpy(entry + 0.0 * like) for entry in row] for row in rows]
        return np.moveaxis(np.array(entries), -1, 0)

    def take(self, each: Values, group_places: Values) -> Values:
        """Return some of the groups of an array, (..., groups)."""
        return each.take(group_places, axis=-1)

    def joined(self, arrays_of_groups: Sequence[Values]) -> Values:
        """Return arrays over groups as one."""
        return arrays_of_groups[0] if len(arrays_of_groups) == 1 else self.library.concatenate(arrays_of_groups)

    def dot(self, left_values: Values, right_values: Values) -> Values:
        """Return the sums over the rows of a product, (groups,)."""
        return np.einsum("rg,rg->g", left_values, right_values)

    def total(self, each: Values) -> Values:
        """Return the sums over the rows, (groups,)."""
        return np.add.reduce(each, axis=0)


NUMPY_ARRAYS = Arrays()


@dataclass(frozen=True)
class Tensors(Arrays):
    """PyTorch's tensors in double precision, on a device."""

    device: str = "cpu"

    def from_numpy(self, array: Values) -> Values:
        """Return an array of NumPy's as a tensor."""
        return self.library.tensor(array, device=self.device)

    def to_numpy(self, array: Values) -> Values:
        """Return an array of NumPy's."""
        return array.cpu().numpy()

    def take(self, each: Values, group_places: Values) -> Values:
        """Return some of the groups of a tensor, (..., groups)."""
        return each[..., group_places]

    def dot(self, left_values: Values, right_values: Values) -> Values:
        """Return the sums over the rows of a product, (groups,)."""
        return (left_values * right_values).sum(0)

    def total(self, each: Values) -> Values:
        """Return the sums over the rows, (groups,)."""
        return each.sum(0)


def tensors(device: str | None) -> Tensors:
    """Return PyTorch's tensors on a device, else on CUDA if there is some. Raises ConfigError without PyTorch."""
    from descend.engines.torch_engine import checked_device
    from descend.gradients.autograd import import_torch

    torch = import_torch()
    return Tensors(TORCH, torch, LARGE, (LARGE, LARGE), 1, checked_device(torch, device))
