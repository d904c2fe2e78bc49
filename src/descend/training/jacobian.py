"""The Jacobian of a module's scores by its trained parameters, row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from descend.models.module import ModuleModel
from descend.training.row_terms import by_columns

if TYPE_CHECKING:
    from torch import Tensor

MOST_NUMBERS = 1 << 23
"""Numbers of the Jacobian that are held at a time."""


class RowJacobian:
    """Derivatives of each row's scores by the trained parameters, all rows of a block at once.

    Weights that several layers share count once, with the sum of their effects; frozen ones not at all.
    """

    def __init__(self, model: ModuleModel) -> None:
        from torch.func import functional_call, jacrev, vmap

        module = model.module
        self.model, self.trained = model, {name: t for name, t in module.named_parameters() if t.requires_grad}

        def scores(parameters: dict[str, Tensor], row: Tensor) -> Tensor:
            return functional_call(module, parameters, (row[None],)).reshape(-1)  # type: ignore[no-any-return]

        self.each: Callable[[dict[str, Tensor], Tensor], dict[str, Tensor]] = vmap(jacrev(scores), in_dims=(None, 0))

    def of(self, inputs: Tensor) -> Tensor:
        """Return the (n, k, p) Jacobian of n rows with k scores each, in the precision of the module."""
        import torch

        found = self.each({name: tensor.detach() for name, tensor in self.trained.items()}, inputs)
        return torch.cat([found[name].reshape(*found[name].shape[:2], -1) for name in self.trained], dim=2)

    def scores(self, parameters: dict[str, Tensor], inputs: Tensor) -> Tensor:
        """Return the scores of rows, (n, k), at other values of what is trained."""
        from torch.func import functional_call

        return by_columns(self.model.checked(functional_call(self.model.module, parameters, (inputs,)), len(inputs)))

    def blocks(self, inputs: Tensor, scores: int) -> Iterator[tuple[slice, Tensor]]:
        """Yield parts of the rows, and the Jacobian of each."""
        size = sum(tensor.numel() for tensor in self.trained.values())
        rows = max(1, MOST_NUMBERS // max(1, size * scores))
        for begin in range(0, len(inputs), rows):
            part = slice(begin, begin + rows)
            yield part, self.of(inputs[part])
