"""The handle that stands for a module's parameters in the loop, as they stay in the module and change in place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.table.levels import GroupLabels

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

FEW = 100
"""Up to this many numbers are recorded at every step; more are only kept by the module."""


class Weights:
    """The parameters of a module at one moment of a run. After every step there is a new handle.

    values: the numbers at that moment, in the order of ``named_parameters``; None if they are more than FEW.
    """

    __slots__ = ("parameters", "values")

    def __init__(self, parameters: ModuleParameters) -> None:
        self.parameters = parameters
        self.values: list[float] | None = None
        parameters.present = self

    @property
    def size(self) -> int:
        return self.parameters.size

    @property
    def length(self) -> float:
        """Euclidean norm of the trained parameters as they are now; 1 if all are zero."""
        return math.sqrt(sum(float((tensor.detach() ** 2).sum()) for tensor in self.parameters.trained)) or 1.0

    @property
    def unchanged(self) -> bool:
        """Whether the parameters are as they were when last kept."""
        return self.parameters.unchanged()

    def moved(self) -> Weights:
        """Return the handle after a step."""
        return Weights(self.parameters)


class ModuleParameters:
    """Names and shapes of the parameters of a module, and a copy of the last state that was worth keeping.

    groups: none of them has a value for each group.
    trained: the parameters that are fitted; those with ``requires_grad=False`` are left alone.
    present: the handle of the state the module is in. begun: copies of ``trained`` where the run began.
    """

    groups: Mapping[str, GroupLabels] = MappingProxyType({})

    def __init__(self, module: Module) -> None:
        self.module = module
        self.named_parameters = dict(module.named_parameters())
        self.trained = [tensor for tensor in self.named_parameters.values() if tensor.requires_grad]
        self.present: Weights = Weights(self)
        self._has_buffers = next(module.buffers(), None) is not None
        self._kept: tuple[Weights, list[Tensor]] | None = None
        self.begun: list[Tensor] | None = None

    @cached_property
    def size(self) -> int:
        return sum(tensor.numel() for tensor in self.named_parameters.values())

    @cached_property
    def flat(self) -> Flattened:
        """What is trained, as one vector."""
        return Flattened(self.trained)

    def take_gradient(self, gradient: NDArray[np.float64]) -> None:
        """Let ``.grad`` of what is trained hold a flat gradient, until the next."""
        self._gradient.write(gradient)
        for tensor, part in zip(self.trained, self._gradient.tensors, strict=True):
            tensor.grad = part

    @cached_property
    def _gradient(self) -> Flattened:
        import torch

        return Flattened([torch.empty_like(tensor, requires_grad=False) for tensor in self.trained])

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: tuple(tensor.shape) for name, tensor in self.named_parameters.items()}

    def named(self, theta: Weights) -> dict[str, Any]:
        """Return the parameters by name, as arrays; empty for a past moment that was not recorded."""
        if theta is self.present:
            return {name: as_array(tensor) for name, tensor in self.named_parameters.items()}
        if theta.values is None:
            return {}
        numbers, named, begin = np.array(theta.values), {}, 0
        for name, tensor in self.named_parameters.items():
            named[name] = numbers[begin : begin + tensor.numel()].reshape(tuple(tensor.shape))
            begin += tensor.numel()
        return named

    def mentioned(self, theta: Weights, digits: int = 6, most: int = 4) -> str:
        """Write values for a log line: ``weight=2.05  bias=0.97``; an empty string if they were not recorded."""
        if theta.values is None:
            return ""
        texts = [f"{label}={value:.{digits}g}" for label, value in zip(self.labels, theta.values, strict=True)]
        return "  ".join(texts[:most]) + ("  ..." if len(texts) > most else "")

    @property
    def labels(self) -> tuple[str, ...]:
        """One label per number: ``bias``, ``weight[0,1]``."""
        return tuple(
            name if len(tensor.flatten()) == 1 else f"{name}[{','.join(map(str, component))}]"
            for name, tensor in self.named_parameters.items()
            for component in np.ndindex(tuple(tensor.shape))
        )

    def write_down(self) -> None:
        """Record the numbers in the present handle, if they are few."""
        if self.size <= FEW and self.present.values is None:
            self.present.values = [
                value for tensor in self.named_parameters.values() for value in tensor.detach().flatten().tolist()
            ]

    def keep(self) -> None:
        """Copy everything that a descent changes, so that `restore` can bring it back."""
        import torch

        with torch.no_grad():
            if self._kept is None:
                copies = [tensor.clone() for tensor in self.changing()]
            else:
                copies = self._kept[1]
                torch._foreach_copy_(copies, list(self.changing()))
        self._kept = self.present, copies

    def begin(self) -> None:
        """Copy the trained parameters as they are at the start of a run."""
        self.begun = [tensor.detach().clone() for tensor in self.trained]

    @property
    def kept(self) -> list[Tensor] | None:
        """The trained parameters as they were when last kept."""
        return None if self._kept is None else self._kept[1][: len(self.trained)]

    def unchanged(self) -> bool:
        """Whether every trained parameter is as it was when last kept."""
        return self._kept is not None and all(
            bool((copy == tensor).all()) for copy, tensor in zip(self._kept[1], self.trained, strict=False)
        )

    def restore(self) -> None:
        """Return to the state last kept."""
        import torch

        if self._kept is None:
            return
        self.present, copies = self._kept
        with torch.no_grad():
            for copy, tensor in zip(copies, self.changing(), strict=True):
                tensor.copy_(copy)

    def changing(self) -> Sequence[Tensor]:
        """Return everything that a descent changes: trained parameters and buffers."""
        # Buffers are looked up anew: a module may assign them instead of changing them in place.
        return [*self.trained, *self.module.buffers()] if self._has_buffers else self.trained

    def forget(self) -> None:
        """Free the copies."""
        self._kept = self.begun = None


def as_array(tensor: Tensor) -> float | NDArray[np.floating]:
    """Return a copy of a tensor as an array of its dtype, or float32 if NumPy lacks it; a float for a scalar."""
    tensor = tensor.detach().cpu()
    try:
        array = tensor.numpy().copy()
    except TypeError:
        array = tensor.float().numpy()
    return float(array) if array.ndim == 0 else array


def joined(tensors: Iterable[Tensor]) -> NDArray[np.float64]:
    """Return tensors as one flat vector of float64."""
    return np.concatenate([tensor.detach().cpu().double().numpy().ravel() for tensor in tensors])


class Flattened:
    """Tensors as one flat vector, read and written by way of a buffer: a few calls, however many tensors there are."""

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        import torch

        self.tensors, first = list(tensors), tensors[0]
        self.alike = all((each.dtype, each.device) == (first.dtype, first.device) for each in tensors)
        size = sum(tensor.numel() for tensor in tensors)
        self.buffer = torch.empty(size, dtype=first.dtype if self.alike else torch.float64, device=first.device)
        cuts = torch.split(self.buffer, [tensor.numel() for tensor in tensors])
        self.parts = [part.view(tensor.shape) for part, tensor in zip(cuts, tensors, strict=True)]

    def read(self) -> NDArray[np.float64]:
        """Return their numbers."""
        import torch

        with torch.no_grad():
            torch._foreach_copy_(self.parts, self.tensors)
        return np.array(self.buffer.cpu().double().numpy())

    def write(self, vector: NDArray[np.float64]) -> None:
        """Set their numbers."""
        import torch

        with torch.no_grad():
            self.buffer.copy_(torch.from_numpy(vector))
            torch._foreach_copy_(self.tensors, self.parts)

    def rounded(self, vector: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a vector as it is once it was written and read."""
        import torch

        if not self.alike:
            return joined(cut(vector, self.tensors))
        return np.array(self.buffer.copy_(torch.from_numpy(vector)).cpu().double().numpy())


def gradients_of(tensors: Iterable[Tensor]) -> Iterator[Tensor]:
    """Yield the ``.grad`` of each tensor, or zeros if J does not depend on it."""
    return (tensor.new_zeros(tensor.shape) if tensor.grad is None else tensor.grad for tensor in tensors)


def cut(vector: NDArray[np.float64], tensors: Iterable[Tensor]) -> list[Tensor]:
    """Cut a flat vector into tensors like these."""
    import torch

    tensors_cut, begin = [], 0
    for tensor in tensors:
        tensor_cut = torch.from_numpy(np.array(vector[begin : begin + tensor.numel()])).reshape(tensor.shape)
        tensors_cut.append(tensor_cut.to(device=tensor.device, dtype=tensor.dtype))
        begin += tensor.numel()
    return tensors_cut


def fill(tensors: Sequence[Tensor], vector: NDArray[np.float64]) -> None:
    """Write a flat vector into tensors."""
    Flattened(tensors).write(vector)
