"""Rows passed through linear layers, from which one pass backwards gives the derivatives of each row by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Linear, Module

    from descend.losses.curved_rows import Terms


@dataclass(frozen=True)
class Trained:
    """A tensor that is trained: the place of the layer it belongs to, and whether it is its matrix of weights."""

    layer: int
    matrix: bool


class Layers:
    """The linear layers that hold all that a module trains.

    With z = W a + b of a layer, and p = ds/dz of a row's score s, the row's derivatives are ds/dW = p a' and ds/db = p.

    parts: the layers. trained: what each trained tensor is, in their order.
    """

    def __init__(self, parts: Sequence[Linear], trained: Sequence[Trained]) -> None:
        self.parts, self.trained = parts, trained

    @classmethod
    def of(cls, module: Module) -> Layers | None:
        """Return the layers of a module; None where something else is trained too, or something by two parts."""
        from torch.nn import Linear

        trained: dict[int, list[Trained]] = {}
        parts: list[Linear] = []
        for part in module.modules():
            own = {name: tensor for name, tensor in part._parameters.items() if tensor is not None}
            if not any(tensor.requires_grad for tensor in own.values()):
                continue
            if type(part) is not Linear:
                return None
            for name, tensor in own.items():
                if tensor.requires_grad:
                    trained.setdefault(id(tensor), []).append(Trained(len(parts), name == "weight"))
            parts.append(part)
        if any(len(uses) > 1 for uses in trained.values()):
            return None
        return cls(parts, [trained[id(tensor)][0] for tensor in module.parameters() if tensor.requires_grad])

    @cached_property
    def tensors(self) -> list[Tensor]:
        """The tensors of the layers."""
        return [tensor for part in self.parts for tensor in part.parameters(recurse=False)]

    def passed(self, score: Callable[[Tensor], Tensor], inputs: Tensor) -> LayeredPass | None:
        """Pass rows through the module; None unless each layer was called once, with a vector for each row.

        score: calls the module, and returns (n, k).
        """
        import torch

        seen: dict[Module, list[tuple[Tensor, Tensor]]] = {part: [] for part in self.parts}

        def note(part: Module, given: tuple[Tensor, ...], output: Tensor) -> None:
            seen[part].append((given[0], output))

        hooks = [part.register_forward_hook(note) for part in self.parts]
        try:
            with torch.enable_grad():
                scores = score(inputs)
        finally:
            for hook in hooks:
                hook.remove()
        if any(len(calls) != 1 or calls[0][0].ndim != 2 for calls in seen.values()):
            return None
        calls = [calls[0] for calls in seen.values()]
        return LayeredPass(self, scores, [given.detach() for given, _ in calls], [output for _, output in calls])


@dataclass
class LayeredPass:
    """A pass of n rows: their scores (n, k), with their graph; what each layer was given (n, d) and returned (n, h)."""

    layers: Layers
    scores: Tensor
    given: list[Tensor]
    outputs: list[Tensor]

    def __post_init__(self) -> None:
        self.versions = self._versions()

    @property
    def fresh(self) -> bool:
        """Whether derivatives are known, or can be had, as no weight was written since."""
        return "pulls" in self.__dict__ or self.versions == self._versions()

    def _versions(self) -> list[int]:
        return [tensor._version for tensor in self.layers.tensors]

    @cached_property
    def pulls(self) -> list[Tensor]:
        """For each layer the derivatives of the k scores by what it returned, (n, k, h)."""
        import torch

        count = self.scores.shape[1]
        found = []
        for place in range(count):
            kept = place + 1 < count
            unit = torch.zeros_like(self.scores)
            unit[:, place] = 1.0
            found.append(torch.autograd.grad(self.scores, self.outputs, unit, retain_graph=kept))
        self.scores, self.outputs = self.scores.detach(), []
        return [torch.stack(each, dim=1) for each in zip(*found, strict=True)]

    def gradient(self, slope: Tensor) -> list[Tensor]:
        """Return the gradients of a sum of losses by what is trained; slope: (n, k), of each loss by its scores."""
        slope = slope.to(self.scores.dtype)[:, :, None]
        summed = [(slope * pull).sum(dim=1) for pull in self.pulls]
        return [
            summed[each.layer].T @ self.given[each.layer] if each.matrix else summed[each.layer].sum(dim=0)
            for each in self.layers.trained
        ]

    def jacobian(self, part: slice, terms: Terms | None = None, double: bool = False) -> Tensor:
        """Return the Jacobian J of some rows, (n, k, p), or B'J of their terms; a column lies in one piece.

        double: whether it is computed in double precision.
        """
        import torch

        given, pulls = [each[part] for each in self.given], [each[part] for each in self.pulls]
        if double:
            given, pulls = [each.double() for each in given], [each.double() for each in pulls]
        if terms is not None:  # these are fewer numbers than their products
            pulls = [terms.weighted(pull) for pull in pulls]
        along, across = [each.T.contiguous() for each in given], [each.permute(2, 1, 0).contiguous() for each in pulls]
        sizes = [
            len(across[each.layer]) * (len(along[each.layer]) if each.matrix else 1) for each in self.layers.trained
        ]
        found = across[0].new_empty(sum(sizes), *across[0].shape[1:])
        for each, columns in zip(self.layers.trained, torch.split(found, sizes), strict=True):
            pull, inputs = across[each.layer], along[each.layer]
            if each.matrix:
                shaped = columns.view(len(pull), len(inputs), *pull.shape[1:])
                torch.mul(pull[:, None], inputs[None, :, None], out=shaped)
            else:
                columns.copy_(pull)
        return found.permute(2, 1, 0)
