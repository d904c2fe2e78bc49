"""The engine that sums rows with PyTorch, on the CPU or on a CUDA device."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.engines.compiled import kernel_of
from descend.engines.fused import fused, split
from descend.engines.totals import Array, InMemory, Totals, added, ordered
from descend.errors import ConfigError
from descend.formula.factor import torch_merged_factors
from descend.gradients.autograd import import_torch
from descend.gradients.contract import Summand
from descend.gradients.derived import as_program
from descend.table.rows import Rows

if TYPE_CHECKING:
    from types import ModuleType

    from torch import Tensor

BLOCK = 1 << 18
"""Rows per block: large enough to keep a device busy, small enough that intermediate tensors fit."""
COMPILING = 10.0
"""Seconds that PyTorch needs to compile a kernel, about: 6 to 25, on two cores."""
PER_ROW = {"numpy": 10e-9, "torch": 40e-9, "compiled": 2e-9}
"""Seconds per row of one evaluation of ``a*exp(-b*x) + c`` with its gradient, on two cores, about."""
USUAL = 10
"""Passes over the rows assumed for a run of unknown length."""


def checked_device(torch: ModuleType, device: str | None) -> str:
    """Return the device to compute on: the one asked for, else CUDA if there is some, else the CPU."""
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    if device is None:
        return devices[-1]
    try:
        torch.zeros(1, dtype=torch.float64, device=device)
    except (RuntimeError, AssertionError, TypeError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise ConfigError(
            f"PyTorch cannot compute in double precision on the device `{device}` ({reason}). "
            f"Devices here: {', '.join(devices)}."
        ) from None
    return device


def pays(code: Summand, rows: int, passes: int | None, instead_of: str) -> bool:
    """Whether so many passes with an engine take longer than compiling a kernel and passing with that.

    >>> from descend.formula import read_formula
    >>> from descend.gradients.derived import derived
    >>> from descend.losses import LOSSES
    >>> decay = derived(read_formula("y ~ a*exp(-b*x)", ["x", "y"]), LOSSES.build("squared"))
    >>> pays(decay, 1_000, 100, instead_of="torch")
    False
    """
    gain = rows * (USUAL if passes is None else passes) * (PER_ROW[instead_of] - PER_ROW["compiled"])
    if not (gain > COMPILING and (program := as_program(code)) is not None and fused(program, False) is not None):
        return False
    return any(shutil.which(name) for name in (os.environ.get("CXX", "g++"), "g++", "clang++"))


class TorchEngine(InMemory):
    """Sums over columns held as float64 tensors on one device, a block of rows at a time.

    On the CPU, formulas of few parameters are compiled to one kernel where the ``passes`` expected repay that.
    """

    name = "torch"
    once = False
    factors = True

    def __init__(
        self,
        code: Summand,
        rows: Rows,
        device: str | None = None,
        passes: int | None = None,
    ) -> None:
        self.made_of = (code, rows, device, passes)
        self.torch = import_torch()
        self.device = checked_device(self.torch, device)
        code, weighted = code.over(rows.columns), rows.omega is not None
        self.kernel = kernel_of(code, "torch", weighted)
        self.rows, self.count = rows, rows.count
        self.fused = None
        if self.device == "cpu" and pays(code, self.count, passes, instead_of=self.name):
            program = as_program(code)
            assert program is not None
            self.fused = fused(program, weighted)
        self.compiles = self.fused is not None

    @cached_property
    def data(self) -> tuple[Tensor, ...]:
        """All rows in the form that the sums need."""
        return tuple(self._tensor(array) for array in self.kernel.prepare(self.rows))

    @cached_property
    def compiled(self) -> list[Callable[..., Tensor]]:
        """The kernels of order 0 to 2, each of which is compiled when it is first called."""
        assert self.fused is not None
        self.read = tuple(self._tensor(array) for array in self.fused.prepare(self.rows))
        return [self.torch.compile(function, dynamic=False) for function in self.fused.functions]

    def _tensor(self, array: NDArray[np.generic]) -> Tensor:
        tensor: Tensor = self.torch.from_numpy(np.require(array, requirements="W")).to(self.device)
        return tensor

    def evaluate(self, theta: Array, order: int = 1, rows: NDArray[np.intp] | None = None) -> Totals:
        point: Any = self._tensor(theta)
        rows_chosen = None if rows is None else self._tensor(rows)
        count = self.rows.weight_of(rows)
        if self.fused is not None and rows_chosen is None and order < 3:
            sums = self._called(order, point)
            if sums is not None:
                return Totals(count, *split(self._array(sums), theta.size, order))
        of_blocks = (self.kernel.sums(point, block, order) for block in self._blocks(rows_chosen))
        loss, gradient, curvature = added(of_blocks, torch_merged_factors if order == 3 else self.torch.add)
        summed = None if gradient is None else self._array(gradient)
        if self.kernel.finish is not None and summed is not None:
            summed = self.kernel.finish(summed, count, theta)
        return ordered(order, count, float(loss), summed, None if curvature is None else self._array(curvature))

    def _called(self, order: int, point: Tensor) -> Tensor | None:
        """Call a compiled kernel; None, from then on, if it cannot be compiled here."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return self.compiled[order](point, self.read)
        except RuntimeError:
            self.fused = None
            return None

    def _blocks(self, rows_chosen: Tensor | None) -> Iterator[tuple[Tensor, ...]]:
        if rows_chosen is not None:
            yield tuple(tensor[rows_chosen] for tensor in self.data)
            return
        for begin in range(0, self.count, BLOCK):
            yield self.data if self.count <= BLOCK else tuple(tensor[begin : begin + BLOCK] for tensor in self.data)

    @staticmethod
    def _array(tensor: Tensor) -> Array:
        array: Array = tensor.detach().cpu().numpy()
        return array
