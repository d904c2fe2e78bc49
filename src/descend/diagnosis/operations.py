"""Which operation first gives no number: found by watching every one that a Python function or a module performs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
MOST_ROWS = 100_000
"""Rows up to which outputs are looked at one by one."""


@dataclass(frozen=True)
class Operation:
    """One operation: its name, the part of a module in which it ran, what went in and what came out, rows first."""

    name: str
    layer: str
    inputs: tuple[Array, ...]
    output: Array

    def broken(self, rows: int) -> NDArray[np.bool_]:
        """Say in which rows the output is not finite although every input is; of one row if it has no rows."""
        bad = ~np.isfinite(self.output)
        if self.output.ndim == 0 or len(self.output) != rows:
            return np.array([bool(bad.any()) and all(np.isfinite(each).all() for each in self.inputs)])
        fine = np.ones(rows, dtype=bool)
        for each in self.inputs:
            if each.ndim and len(each) == rows:
                fine &= np.isfinite(each).reshape(rows, -1).all(axis=1)
            elif not np.isfinite(each).all():
                fine[:] = False
        return np.asarray(bad.reshape(rows, -1).any(axis=1) & fine)


def watched_numpy(call: Callable[[Callable[[Array], Any]], Any]) -> list[Operation]:
    """Return the operations on arrays of a function in NumPy. call: is given what wraps an array to be watched."""
    seen: list[Operation] = []

    class Watched(np.ndarray):
        def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
            plain = [_plain(each) for each in inputs]
            if "out" in options:
                options["out"] = tuple(_plain(each) for each in options["out"])
            with np.errstate(all="ignore"):
                result = getattr(ufunc, method)(*plain, **options)
            if isinstance(result, np.ndarray | np.floating) and np.issubdtype(result.dtype, np.floating):
                numbers = tuple(np.asarray(each) for each in plain if isinstance(each, float | int | np.ndarray))
                seen.append(Operation(ufunc.__name__, "", numbers, np.asarray(result)))
            return result.view(Watched) if isinstance(result, np.ndarray) else result

    def _plain(value: Any) -> Any:
        return value.view(np.ndarray) if isinstance(value, Watched) else value

    call(lambda array: np.asarray(array, dtype=np.float64).view(Watched))
    return seen


def watched_torch(call: Callable[[], Any], module: Any = None) -> list[Operation]:
    """Return the operations of what ``call`` does with tensors, and in which part of ``module`` each of them ran."""
    import torch

    seen: list[Operation] = []
    inside: list[str] = []

    class Mode(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = function(*args, **(kwargs or {}))
            if isinstance(result, torch.Tensor) and result.is_floating_point():
                given = [each for each in (*args, *(kwargs or {}).values()) if isinstance(each, torch.Tensor)]
                given = [each for each in given if each.is_floating_point()]
                name = getattr(function, "__name__", str(function)).strip("_")
                layer = inside[-1] if inside else ""
                seen.append(Operation(name, layer, tuple(map(_array, given)), _array(result)))
            return result

    with contextlib.ExitStack() as stack:
        for name, part in module.named_modules() if module is not None else ():
            if name:
                label = f"{name} ({type(part).__name__})"
                stack.callback(part.register_forward_pre_hook(lambda *_, label=label: inside.append(label)).remove)
                stack.callback(part.register_forward_hook(lambda *_: _left(inside)).remove)
        stack.enter_context(torch.no_grad())
        stack.enter_context(Mode())
        call()
    return seen


def _left(inside: list[str]) -> None:
    inside.pop()


def _array(tensor: Any) -> Array:
    numbers: Array = tensor.detach().cpu().double().numpy()
    return numbers


def first_failures(seen: list[Operation], rows: int, bad: NDArray[np.bool_]) -> Iterator[tuple[Operation, int]]:
    """Yield the operations that broke a row whose prediction is not finite, with the first such row (from 0)."""
    for each in seen:
        broken = each.broken(rows)
        if len(broken) == rows and (broken & bad).any():
            yield each, int((broken & bad).argmax())
        elif len(broken) == 1 and rows > 1 and broken[0]:
            yield each, int(bad.argmax())
