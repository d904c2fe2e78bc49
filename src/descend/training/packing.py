"""What optimizers and schedulers remember, as JSON and tensors; nothing in it is code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

Tensors = dict[str, "Tensor"]


def packed(value: object, name: str, tensors: Tensors, lenient: bool = False) -> object:
    """Return a state as JSON can hold it; its tensors go into ``tensors``, under names that begin with ``name``.

    lenient: leave out of a dict what is neither data nor a tensor, such as a function.

    >>> packed({"lr": 0.1, 3: (1, None)}, "optimizer", {})
    {'dict': [['lr', 0.1], [3, {'tuple': [1, None]}]]}
    """
    import torch

    if isinstance(value, torch.Tensor):
        label = f"{name}.{len(tensors)}"
        tensors[label] = value
        return {"tensor": label, "device": value.device.type}
    if isinstance(value, dict):
        pairs = []
        for key, each in value.items():
            try:
                pairs.append([key, packed(each, name, tensors, lenient)])
            except TypeError:
                if not lenient:
                    raise
        return {"dict": pairs}
    if isinstance(value, tuple):
        return {"tuple": [packed(each, name, tensors, lenient) for each in value]}
    if isinstance(value, list):
        return [packed(each, name, tensors, lenient) for each in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"A {type(value).__name__} is no data.")


def unpacked(content: Any, tensors: Tensors) -> Any:
    """Return what `packed` made into JSON."""
    if isinstance(content, list):
        return [unpacked(each, tensors) for each in content]
    if not isinstance(content, dict):
        return content
    if "tensor" in content:
        # A copy lies in memory as any new tensor does; where one lies changes the last bits of sums over it.
        return tensors[content["tensor"]].to(content["device"], copy=True)
    if "tuple" in content:
        return tuple(unpacked(each, tensors) for each in content["tuple"])
    return {key: unpacked(each, tensors) for key, each in content["dict"]}
