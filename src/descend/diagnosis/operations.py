"""Which operation first gives a non-finite result: found by watching all that a function or module performs."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.losses import Loss

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

Array = NDArray[np.float64]
DOMAINS = frozenset(
    (
        *("log", "log2", "log10", "log1p", "sqrt", "rsqrt", "lgamma", "digamma", "xlogy"),
        *("arcsin", "arccos", "asin", "acos", "arccosh", "acosh", "arctanh", "atanh"),
    )
)
DIVISIONS = frozenset(("divide", "true_divide", "truediv", "div", "rtruediv", "rdiv", "reciprocal"))
POWERS = frozenset(("power", "pow", "float_power", "rpow"))
GROWING = frozenset(("exp", "exp2", "expm1", "sinh", "cosh", "square", "exp_", "logaddexp", "logsumexp")) | POWERS


@dataclass(frozen=True)
class Operation:
    """One operation: its name, the part of a module in which it ran, what went in and what came out, rows first."""

    name: str
    layer: str
    inputs: tuple[Array, ...]
    output: Array

    def by_row(self, rows: int) -> bool:
        """Whether there is an output for each row."""
        return self.output.ndim > 0 and len(self.output) == rows

    def broken(self, rows: int) -> NDArray[np.bool_]:
        """Say in which rows the output is not finite although every input is; of one row if it has no rows."""
        bad = ~np.isfinite(self.output)
        if not self.by_row(rows):
            return np.array([bool(bad.any()) and all(np.isfinite(each).all() for each in self.inputs)])
        fine = np.ones(rows, dtype=bool)
        for each in self.inputs:
            if each.ndim and len(each) == rows:
                fine &= np.isfinite(each).reshape(rows, -1).all(axis=1)
            elif not np.isfinite(each).all():
                fine[:] = False
        return np.asarray(bad.reshape(rows, -1).any(axis=1) & fine)


def watched_numpy(call: Callable[[Callable[[Array], Array]], object]) -> list[Operation]:
    """Return the operations on arrays of a NumPy function. call: receives a function that makes an array watched."""
    operations: list[Operation] = []

    class Watched(np.ndarray):
        def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: object, **options: Any) -> object:
            plain = [_plain(each) for each in inputs]
            if "out" in options:
                options["out"] = tuple(_plain(each) for each in options["out"])
            with np.errstate(all="ignore"):
                result = getattr(ufunc, method)(*plain, **options)
            if isinstance(result, np.ndarray | np.floating) and np.issubdtype(result.dtype, np.floating):
                numbers = tuple(np.asarray(each) for each in plain if isinstance(each, float | int | np.ndarray))
                operations.append(Operation(ufunc.__name__, "", numbers, np.asarray(result)))
            return result.view(Watched) if isinstance(result, np.ndarray) else result

    def _plain(value: object) -> object:
        return value.view(np.ndarray) if isinstance(value, Watched) else value

    call(lambda array: np.asarray(array, dtype=np.float64).view(Watched))
    return operations


def watched_torch(call: Callable[[], object], module: Module | None = None) -> list[Operation]:
    """Return the tensor operations of ``call``, each with the part of ``module`` in which it ran."""
    import torch

    operations: list[Operation] = []
    entered: list[str] = []

    class Mode(torch.overrides.TorchFunctionMode):
        def __torch_function__(
            self,
            function: Callable[..., object],
            types: object,
            args: tuple[object, ...] = (),
            kwargs: dict[str, object] | None = None,
        ) -> object:
            result = function(*args, **(kwargs or {}))
            if isinstance(result, torch.Tensor) and result.is_floating_point():
                tensors_in = [each for each in (*args, *(kwargs or {}).values()) if isinstance(each, torch.Tensor)]
                tensors_in = [each for each in tensors_in if each.is_floating_point()]
                name = getattr(function, "__name__", str(function)).strip("_")
                layer = entered[-1] if entered else ""
                operations.append(Operation(name, layer, tuple(map(_array, tensors_in)), _array(result)))
            return result

    with contextlib.ExitStack() as stack:
        for name, part in module.named_modules() if module is not None else ():
            if name:
                label = f"{name} ({type(part).__name__})"
                stack.callback(part.register_forward_pre_hook(lambda *_, label=label: entered.append(label)).remove)
                stack.callback(part.register_forward_hook(lambda *_: _left(entered)).remove)
        stack.enter_context(torch.no_grad())
        stack.enter_context(Mode())
        call()
    return operations


def _left(layers_entered: list[str]) -> None:
    layers_entered.pop()


def _array(tensor: Tensor) -> Array:
    numbers: Array = tensor.detach().cpu().double().numpy()
    return numbers


@dataclass(frozen=True)
class Broken:
    """The first operation that broke a row (from 0), and what it gave there.

    operation: None where it is the loss that has no value for the prediction. outside: whether its argument lay outside
    its domain; otherwise its result was too large. derivative: whether only its derivative has no value.
    """

    operation: Operation | None
    row: int
    value: float = math.nan
    outside: bool = True
    derivative: bool = False


def first_broken(operations: list[Operation], prediction: Array, loss: Loss, rows: int, single: bool) -> Broken | None:
    """Find what broke first among the operations seen; None if only sums and products overflowed.

    single: whether they were in single precision.
    """
    bad = ~np.isfinite(prediction)
    if bad.any():
        operation, row = next(_failures(operations, rows, bad), (None, 0))
        if operation is None:
            return None
        value = _value_at(operation.output, row, rows)
        outside = _outside(operation, value, row, rows)
        return None if outside is None else Broken(operation, row, value, outside)
    # The prediction is finite: its loss or its gradient is not. The largest output of what grows is to blame.
    limit = 1e18 if single else 1e140
    for operation in operations:
        sizes = np.abs(operation.output)
        if operation.name in GROWING and (size := float(sizes.max(initial=0.0))) > limit:
            row = int(sizes.reshape(rows, -1).max(axis=1).argmax()) if operation.by_row(rows) else 0
            return Broken(operation, row, size, outside=False)
    for operation in operations:
        if operation.name in DOMAINS | DIVISIONS | POWERS and operation.by_row(rows) and operation.inputs:
            argument = operation.inputs[-1 if operation.name in DIVISIONS else 0]
            at_edge = np.abs(argument) <= 1e-300
            if at_edge.any():
                row = int(at_edge.reshape(rows, -1).any(axis=1).argmax()) if len(np.atleast_1d(at_edge)) == rows else 0
                return Broken(operation, row, derivative=True)
    outside_range = loss.prediction_domain.outside(prediction)
    return Broken(None, int(outside_range.argmax())) if outside_range.any() else None


def _failures(operations: list[Operation], rows: int, bad: NDArray[np.bool_]) -> Iterator[tuple[Operation, int]]:
    """Yield the operations that broke a row whose prediction is not finite, with the first such row (from 0)."""
    for each in operations:
        broken = each.broken(rows)
        if len(broken) == rows and (broken & bad).any():
            yield each, int((broken & bad).argmax())
        elif len(broken) == 1 and rows > 1 and broken[0]:
            yield each, int(bad.argmax())


def _row_of(values: Array, row: int, rows: int) -> Array:
    return np.ravel(values[row] if values.ndim and len(values) == rows else values)


def _value_at(output: Array, row: int, rows: int) -> float:
    output_of_row = _row_of(output, row, rows)
    return float(output_of_row[~np.isfinite(output_of_row)][0]) if (~np.isfinite(output_of_row)).any() else math.nan


def _outside(operation: Operation, value: float, row: int, rows: int) -> bool | None:
    """Whether a value was outside a domain rather than too large; None for sums and products, as any divergence has."""
    if operation.name in DOMAINS:
        return True
    if operation.name in DIVISIONS:
        return bool((_row_of(operation.inputs[-1], row, rows) == 0.0).any())
    if operation.name in POWERS:
        return math.isnan(value) or bool((_row_of(operation.inputs[0], row, rows) == 0.0).any())
    return False if operation.name in GROWING else None
