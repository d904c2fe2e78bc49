"""The contract of a check: it is notified of what the script does, and reports at the end what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from descend.doctor.finding import Finding
from descend.doctor.operation import Operation
from descend.doctor.run import Backward, Run, Step, WatchedOptimizer

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

Replacement = tuple[object, str, Callable[..., object]]
"""A function to replace while a script runs: its owner, its name, and ours, which is given the original first."""


class Check:
    """One kind of fault. Each method is called for one kind of event; a check overrides those it needs."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def replaces(self) -> Iterator[Replacement]:
        """Yield the functions that the check has to follow beside those of the loop."""
        yield from ()

    def batch(self, iterator: object, tensors: Sequence[Tensor]) -> None:
        """An iterator over a loader has handed out a batch, with these tensors in it."""

    def forwarded(self, model: Module, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        """A model has returned to the script: a module that no other module called."""

    def operation(self, operation: Operation) -> None:
        """A PyTorch function was called, outside backward passes and steps."""

    def backward_begins(self, backward: Backward) -> None:
        """A backward pass is about to run."""

    def backward_ended(self, backward: Backward) -> None:
        """A backward pass has run; ``received`` and ``norms`` are filled in."""

    def zeroed(self, optimizer: WatchedOptimizer | None) -> None:
        """``zero_grad`` was called, of an optimizer or of a module."""

    def step_begins(self, step: Step) -> None:
        """An optimizer is about to step."""

    def step_ended(self, step: Step) -> None:
        """An optimizer has stepped."""

    def around_backward(self, backward: Backward) -> AbstractContextManager[None]:
        """Return a context manager that is entered while a backward pass runs."""
        return nullcontext()

    def explains(self, error: BaseException) -> bool:
        """Whether a finding of this check says why the script raised ``error``."""
        return False

    def findings(self) -> Iterable[Finding]:
        """Return what is wrong, once the script has ended."""
        raise NotImplementedError


def norm(tensor: Tensor) -> float:
    """Return the 2-norm of a tensor, sparse or dense, as a number."""
    import torch

    dense = tensor.detach()
    if dense.layout != torch.strided:
        dense = dense.coalesce().values()
    return float(torch.linalg.vector_norm(dense))


def norms(tensors: Sequence[Tensor]) -> list[float]:
    """Return the 2-norm of each tensor, in few calls where they are dense."""
    import torch

    if not tensors:
        return []
    if any(tensor.layout != torch.strided for tensor in tensors) or len({tensor.device for tensor in tensors}) > 1:
        return [norm(tensor) for tensor in tensors]
    dense = [tensor.detach() for tensor in tensors]
    return [float(size) for size in torch.stack([size.double() for size in torch._foreach_norm(dense)])]
