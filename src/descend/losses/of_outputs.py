"""Losses of the outputs of a module: those of which no formula is known, and ours over several numbers in each row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from descend.errors import ConfigError
from descend.losses.contract import Loss
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE
from descend.losses.in_torch import InTorch, shape_of

if TYPE_CHECKING:
    from torch import Tensor


class OfOutputs(Loss):
    """A loss without expressions: what others read off these is said here."""

    @property
    def own_columns(self) -> tuple[str, ...]:
        return ()

    @property
    def plain(self) -> bool:
        return False

    @property
    def of_residual(self) -> bool:
        return False

    @property
    def quadratic(self) -> bool:
        return False


@dataclass
class Elements(InTorch):
    """The mean of a loss over the numbers of each row. shape: of the response of a row."""

    loss: Loss
    shape: tuple[int, ...]

    @cached_property
    def value(self) -> Callable[..., Tensor]:
        """The loss of each number."""
        from descend.formula.compile import compile_expression
        from descend.formula.printers.code import TORCH

        return compile_expression(self.loss.expressions[0], (PREDICTION, RESPONSE, RESIDUAL), TORCH)

    def checked(self, output: Tensor, rows: int, name: str) -> Tensor:
        if not self.shape and tuple(getattr(output, "shape", ())) == (rows, 1):
            return output.squeeze(1)
        if tuple(getattr(output, "shape", ())) != (rows, *self.shape):
            if not self.shape:
                raise ConfigError(
                    f"`{name}` returned {shape_of(output)} for {rows} rows. It must return one number per row: shape "
                    f"({rows},) or ({rows}, 1)."
                )
            shape = ", ".join(map(str, self.shape))
            raise ConfigError(
                f"`{name}` returned {shape_of(output)} for {rows} rows, and y has shape (n, {shape}). Let it return "
                f"shape ({rows}, {shape}), a number for each of y."
            )
        return output

    def mean(self, output: Tensor, y: Tensor, weights: Tensor | None, count: float) -> Tensor:
        each: Tensor = self.value(output, y, output - y).reshape(y.shape[0], -1).mean(dim=1)
        return (each if weights is None else each * weights).sum() / count
