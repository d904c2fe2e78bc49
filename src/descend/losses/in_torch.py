"""How PyTorch computes a loss from the outputs of a module, where no formula of one prediction does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from descend.losses.curved_rows import CurvedRows

if TYPE_CHECKING:
    from torch import Tensor


class InTorch(ABC):
    """A loss of the outputs of a module.

    J of some rows is a sum over them, divided by ``count``, the sum of the weights of all rows that J is over: passes
    over parts of these rows add up to it, whatever the sizes of the parts.
    """

    takes_several: ClassVar[bool] = False
    """Whether a module may return several tensors under it."""

    @property
    def curved(self) -> CurvedRows | None:
        """The losses of rows with their derivatives, where a second-order step can follow them."""
        return None

    @abstractmethod
    def checked(self, output: Tensor, rows: int, name: str) -> Tensor:
        """Return what a module returned for some rows. Raises ConfigError where the loss cannot take it.

        output: a tensor, several together, or anything else that a module may return.
        """

    @abstractmethod
    def mean(self, output: Tensor, y: Tensor, weights: Tensor | None, count: float) -> Tensor:
        """Return the losses of some rows, weighted, summed over ``count``."""


def shape_of(output: object) -> str:
    """Return what a module returned, in words: its shape, or its type."""
    if hasattr(output, "parts"):
        return "several tensors: " + ", ".join(f"{name} {tuple(part.shape)}" for name, part in output.parts.items())
    return f"shape {tuple(output.shape)}" if hasattr(output, "shape") else f"a {type(output).__name__}"
