"""The Jacobian of a module's scores by its trained parameters, row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from descend.models.module import ModuleModel
from descend.training.layers import LayeredPass, Layers
from descend.training.row_terms import by_columns

if TYPE_CHECKING:
    from torch import Tensor

    from descend.losses.curved_rows import Terms

MOST_NUMBERS = 1 << 23
"""Numbers of the Jacobian that are held at a time."""
TRIED = 3
"""Rows passed together, of which that in the middle is passed alone as well, to compare both ways."""


class RowJacobian:
    """Derivatives of each row's scores by the trained parameters, all rows of a block at once.

    Weights that several layers share count once, with the sum of their effects; frozen ones not at all. Each row is
    differentiated by itself. Where linear layers hold all that is trained, and of a row tried that gives the same
    derivatives, one pass over all rows serves instead, which takes a fraction of the time.
    """

    def __init__(self, model: ModuleModel) -> None:
        from torch.func import functional_call, jacrev, vmap

        module = model.module
        self.model, self.trained = model, {name: t for name, t in module.named_parameters() if t.requires_grad}
        self.size = sum(tensor.numel() for tensor in self.trained.values())

        def scores(parameters: dict[str, Tensor], row: Tensor) -> Tensor:
            return functional_call(module, parameters, (row[None],)).reshape(-1)  # type: ignore[no-any-return]

        self.each: Callable[[dict[str, Tensor], Tensor], dict[str, Tensor]] = vmap(jacrev(scores), in_dims=(None, 0))
        self.layers: Layers | None = None

    def tried(self, inputs: Tensor) -> int:
        """Settle how derivatives are had, by trying it on a few rows, and return how many scores a row has.

        Raises RuntimeError, ValueError or TypeError for a forward that cannot be taken row by row.
        """
        few = inputs[:: -(-len(inputs) // TRIED)]
        layers = Layers.of(self.model.module)
        try:
            made = None if layers is None else layers.passed(self.scored, few)
            if made is not None and self._same(made, few):
                self.layers = layers
                return int(made.scores.shape[1])
        except RuntimeError:
            pass  # such as a layer that no score depends on
        return int(self.by_row(few).shape[1])

    def _same(self, made: LayeredPass, few: Tensor) -> bool:
        """Whether a row among others has the derivatives in their pass that it has when it is passed alone."""
        import torch

        trained, count, middle = list(self.trained.values()), made.scores.shape[1], len(few) // 2
        weights = torch.linspace(1.0, 2.0, count, dtype=made.scores.dtype, device=made.scores.device)
        found = weights @ made.jacobian(slice(middle, middle + 1))[0]
        with torch.enable_grad():
            score = self.scored(few[middle : middle + 1])[0]
            alone = torch.autograd.grad(score, trained, weights, materialize_grads=True)
        expected = torch.cat([part.flatten() for part in alone])
        near = torch.finfo(expected.dtype).eps ** 0.75 * float(expected.abs().max())
        return bool(((found - expected).abs() <= near).all())

    def passed(self, inputs: Tensor) -> LayeredPass | None:
        """Pass rows through the layers of the module; None where it is not made of these."""
        return None if self.layers is None else self.layers.passed(self.scored, inputs)

    def scored(self, inputs: Tensor) -> Tensor:
        """Return the scores of rows, (n, k), in the precision of the module."""
        return by_columns(self.model.score(inputs))

    def by_row(self, inputs: Tensor) -> Tensor:
        """Return the (n, k, p) Jacobian of n rows with k scores each, in the precision of the module."""
        import torch

        found = self.each({name: tensor.detach() for name, tensor in self.trained.items()}, inputs)
        return torch.cat([found[name].reshape(*found[name].shape[:2], -1) for name in self.trained], dim=2)

    def scores(self, parameters: dict[str, Tensor], inputs: Tensor) -> Tensor:
        """Return the scores of rows, (n, k), at other values of what is trained."""
        from torch.func import functional_call

        return by_columns(self.model.checked(functional_call(self.model.module, parameters, (inputs,)), len(inputs)))

    def blocks(
        self, inputs: Tensor, terms: Terms, share: Tensor, passed: LayeredPass | None, double: bool
    ) -> Iterator[tuple[Tensor, Terms, Tensor]]:
        """Yield A = sqrt(omega) B'J of parts of the rows, (k n, p), with their terms s and B, and sqrt(omega).

        share: omega. passed: a pass of these rows. double: whether A is wanted in double precision.
        """
        size = max(1, MOST_NUMBERS // max(1, self.size * terms.slope.shape[1]))
        for begin in range(0, len(inputs), size):
            part = slice(begin, begin + size)
            here, root = terms.of(part), share[part].sqrt()
            scaled = here.times(root)
            if passed is None:
                alone = self.by_row(inputs[part])
                rows = scaled.weighted(alone.double() if double else alone)
            else:
                rows = passed.jacobian(part, scaled, double)
            yield rows.transpose(0, 1).flatten(0, 1), here, root
