"""One call of a PyTorch function by the script, as the checks see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from descend.doctor.places import Place

if TYPE_CHECKING:
    from torch import Tensor
    from torch.autograd.graph import Node
    from torch.nn import Module

Value = TypeVar("Value")
KEY = "descend"
"""The key under which a node of the graph keeps its label."""
SIGNS = {
    **dict.fromkeys(("div", "true_divide", "truediv"), "division"),
    "pow": "power",
    "sub": "subtraction",
    "add": "addition",
    "mul": "multiplication",
    "matmul": "matrix product",
}


class Operation:
    """A call: ``outputs = function(*args, **kwargs)``, at a line of the user's."""

    __slots__ = ("args", "function", "kwargs", "name", "outputs", "place", "tensors")

    def __init__(
        self,
        function: Callable[..., object],
        name: str,
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
        value: object,
        place: Place | None,
    ) -> None:
        self.function, self.name, self.place = function, name, place
        self.args, self.kwargs = args, kwargs
        self.outputs = tensors_of(value)
        self.tensors = [found for arg in (*args, *kwargs.values()) for found in tensors_of(arg)]

    @property
    def title(self) -> str:
        """What to call the function in a sentence."""
        return title(self.function, self.name)


class Label(NamedTuple):
    """What a node of the graph remembers of the call that made it; no tensors, as they would keep the graph alive."""

    function: Callable[..., object]
    name: str
    place: Place | None
    layers: tuple[Module, ...]

    @property
    def title(self) -> str:
        """What to call the function in a sentence."""
        return title(self.function, self.name)

    def put_on(self, node: Node) -> None:
        """Attach the label to a node, unless it has one already."""
        _kept_by(node).setdefault(KEY, self)

    @staticmethod
    def of(node: Node) -> Label | None:
        """Return the label of a node, if it has one."""
        return _kept_by(node).get(KEY)


class ByTensor(Generic[Value]):
    """A map from tensors, by identity, to what is known of them; entries vanish together with their tensors."""

    def __init__(self) -> None:
        from torch.utils.weak import WeakIdKeyDictionary

        self.known: MutableMapping[object, Value] = WeakIdKeyDictionary()

    def __setitem__(self, tensor: Tensor, value: Value) -> None:
        self.known[tensor] = value

    def of(self, *tensors: Tensor) -> Value | None:
        """Return the entry of the first of these tensors that has one."""
        return next((self.known[tensor] for tensor in tensors if tensor in self.known), None) if self.known else None


def _kept_by(node: Node) -> dict[str, Label]:
    kept: Any = node.metadata  # a dict, though PyTorch declares a method
    found: dict[str, Label] = kept
    return found


def tensors_of(value: object) -> list[Tensor]:
    """Return the tensors that a value is, or holds as a list or tuple."""
    import torch

    items = value if isinstance(value, list | tuple) else (value,)
    return [item for item in items if isinstance(item, torch.Tensor)]


def title(function: Callable[..., object], name: str) -> str:
    """Return what to call a PyTorch function in a sentence: `torch.log`, `Tensor.sqrt`, division."""
    from torch.overrides import resolve_name

    plain = name.strip("_")
    for key in (plain, plain.removeprefix("r"), plain.removeprefix("i"), plain.removeprefix("true")):
        if key in SIGNS:
            return SIGNS[key]
    public = resolve_name(function) or name
    return f"`{public.replace('torch.Tensor.', 'Tensor.').replace('torch.nn.functional.', 'functional.')}`"
