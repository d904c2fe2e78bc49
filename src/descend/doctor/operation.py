"""One call of a PyTorch function by the script, as the checks see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from descend.doctor.user_code import Place

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


DIFFERENCES = {"sub", "__sub__", "__rsub__", "rsub", "subtract"}
AS_NUMBERS = {"item", "tolist", "numpy", "__float__", "__int__", "__format__", "__array__", "__bool__"}
"""Functions that take numbers out of a tensor."""
ADDING = {"add", "__add__", "__radd__", "__iadd__", "add_"}
MULTIPLYING = {"mul", "__mul__", "__rmul__"}
DIVIDING = {"div", "__truediv__", "true_divide"}
TAKING_ROWS = {"__getitem__", "narrow", "index_select", "split", "chunk", "tensor_split"}
OF_CLASSES = {"cross_entropy", "nll_loss"}
OF_CHANCES = {"binary_cross_entropy", "binary_cross_entropy_with_logits"}
OF_NUMBERS = {"mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"}
OF_LOGITS = {"binary_cross_entropy_with_logits", "multilabel_soft_margin_loss"}
SHAPING = {"squeeze", "unsqueeze", "reshape", "view", "view_as", "flatten", "ravel", "clone", "contiguous"}
LIMITING = {"clamp", "clamp_", "clip", "clamp_min", "clamp_max", "nan_to_num"}
CASTING = {"float", "double", "to", "type", "type_as", "cpu", "detach", "data"}
CARRIED = ADDING | SHAPING | LIMITING | CASTING | {"__getitem__", "narrow", "select"}
"""Functions whose result still is what went in: its shape, type or a small part of it is another."""


class Operation:
    """A call: ``outputs = function(*args, **kwargs)``, at a line of the user's."""

    __slots__ = ("args", "compared", "function", "kwargs", "name", "outputs", "place", "tensors")

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
        self.tensors = [tensor for argument in (*args, *kwargs.values()) for tensor in tensors_of(argument)]
        self.compared = self._compared()
        """The prediction and the target that the call compares; None if it does not."""

    @property
    def title(self) -> str:
        """What to call the function in a sentence."""
        return title(self.function, self.name)

    def _compared(self) -> tuple[Tensor, Tensor] | None:
        if len(self.tensors) < 2:
            return None
        first, second = self.tensors[:2]
        if self.name in OF_CLASSES | OF_CHANCES | OF_NUMBERS:
            return (first, second) if first.requires_grad else None
        if self.name not in DIFFERENCES or first.shape != second.shape or not first.ndim:
            return None
        if first.requires_grad == second.requires_grad:
            return None
        return (first, second) if first.requires_grad else (second, first)

    def argument(self, name: str, position: int) -> object:
        """Return an argument that may be given by name or by position; None if it is not given."""
        return self.kwargs.get(name, self.args[position] if len(self.args) > position else None)


def carried(operation: Operation, known: ByTensor[Value]) -> Value | None:
    """Hand on what is known of the tensor that an operation passes on, and return it; None if it passes none on."""
    if operation.name not in CARRIED or not operation.tensors or not operation.outputs:
        return None
    if operation.name in ADDING and len(operation.tensors) > 1:
        return None
    found = known.of(operation.tensors[0])
    if found is not None:
        known[operation.outputs[0]] = found
    return found


MADE_AT: dict[int, Place] = {}
"""The lines that made the layers, by `id`, while a script is watched."""


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

    @property
    def written_at(self) -> Place | None:
        """Where the call is written: of an activation among the layers of a `Sequential`, the line that makes it."""
        if len(self.layers) < 2 or type(self.layers[-1]).__module__ != "torch.nn.modules.activation":
            return self.place
        contained = type(self.layers[-2]).__module__ == "torch.nn.modules.container"
        return (MADE_AT.get(id(self.layers[-1])) if contained else None) or self.place

    def put_on(self, node: Node) -> None:
        """Attach the label to a node, unless it has one already."""
        _kept_by(node).setdefault(KEY, self)

    @staticmethod
    def of(node: Node) -> Label | None:
        """Return the label of a node, if it has one."""
        return _kept_by(node).get(KEY)


def place_of(node: Node | None, otherwise: Place | None) -> Place | None:
    """Return where the call that made a node of the graph is written, or another place if that is not known."""
    label = None if node is None else Label.of(node)
    return (label.written_at if label else None) or otherwise


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
