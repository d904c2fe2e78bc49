"""The mode in which every call of a PyTorch function is reported, and what a graph is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from descend.doctor.operation import Operation
from descend.doctor.run import Run

if TYPE_CHECKING:
    from torch import Tensor
    from torch.autograd.graph import Node
    from torch.overrides import TorchFunctionMode


class Reports(Protocol):
    """What calls are reported to. busy: above 0 while calls are not the script's."""

    busy: int
    run: Run

    def operation(self, operation: Operation) -> None:
        """Take note of a call."""


def transformed() -> bool:
    """Whether one of torch.func's transforms is at work, such as vmap."""
    import torch

    return torch._C._functorch.peek_interpreter_stack() is not None


def graph_leaves(roots: Sequence[Tensor]) -> list[Tensor]:
    """Return the leaves in the graph of some tensors."""
    seen: set[Node] = set()
    leaves: dict[int, Tensor] = {}
    todo = [root.grad_fn for root in roots if root.grad_fn is not None]
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen.add(node)
        leaf = getattr(node, "variable", None)
        if leaf is not None:
            leaves[id(leaf)] = leaf
        todo.extend(following for following, _ in node.next_functions if following is not None)
    return list(leaves.values())


def mode(watch: Reports) -> TorchFunctionMode:
    """Return a mode in which every call of a PyTorch function is reported to ``watch``."""
    import torch
    from torch.nn.parameter import is_lazy
    from torch.overrides import TorchFunctionMode

    data = torch.Tensor.data.__get__  # type: ignore[attr-defined]

    class Operations(TorchFunctionMode):
        """Passes each call on, and reports it."""

        def __torch_function__(
            self,
            function: Callable[..., object],
            types: object,
            args: tuple[object, ...] = (),
            kwargs: dict[str, object] | None = None,
        ) -> object:
            value = function(*args, **(kwargs or {}))
            if watch.busy or transformed():
                return value  # inside torch.func's transforms a tensor stands for many, and has no numbers to look at
            name = function.__name__
            if name == "__get__":
                if function != data:
                    return value
                name = "data"
            watch.busy += 1
            try:
                operation = Operation(function, name, args, kwargs or {}, value, watch.run.here())
                if not any(map(is_lazy, (*operation.tensors, *operation.outputs))):  # these have no shape yet
                    watch.operation(operation)
            finally:
                watch.busy -= 1
            return value

    return Operations()
