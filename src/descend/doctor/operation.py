"""One call of a PyTorch function by the script, as the checks see it."""

from __future__ import annotations

from typing import Any

from descend.doctor.places import Place

SIGNS = {
    "div": "division", "true_divide": "division", "truediv": "division", "pow": "power",
    "sub": "subtraction", "add": "addition", "mul": "multiplication", "matmul": "matrix product",
}  # fmt: skip


class Operation:
    """A call: ``outputs = function(*args, **kwargs)``, at a line of the user's, inside a layer or not."""

    __slots__ = ("args", "function", "kwargs", "layer", "name", "outputs", "place", "tensors", "value")

    def __init__(
        self, function: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], value: Any, tensor: type
    ) -> None:
        self.function, self.name, self.args, self.kwargs, self.value = function, name, args, kwargs, value
        self.outputs = _tensors(value, tensor)
        self.tensors = [found for arg in (*args, *kwargs.values()) for found in _tensors(arg, tensor)]
        self.place: Place | None = None
        self.layer: str | None = None

    @property
    def title(self) -> str:
        """What to call the function in a sentence."""
        return title(self.function, self.name)


def _tensors(value: Any, tensor: type) -> list[Any]:
    if isinstance(value, tensor):
        return [value]
    if isinstance(value, (list, tuple)):
        return [item for item in value if isinstance(item, tensor)]
    return []


def title(function: Any, name: str) -> str:
    """Return what to call a PyTorch function in a sentence: `torch.log`, `Tensor.sqrt`, division."""
    from torch.overrides import resolve_name

    plain = name.strip("_")
    for key in (plain, plain.removeprefix("r"), plain.removeprefix("i"), plain.removeprefix("true")):
        if key in SIGNS:
            return SIGNS[key]
    resolved: str | None = resolve_name(function)
    public = (resolved or name).replace("torch.Tensor.", "Tensor.").replace("torch.nn.functional.", "functional.")
    return f"`{public}`"
