"""What a module is fitted to, read: columns of a table, or tensors; rows that are not finite refused or left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError, DataError
from descend.losses import Loss
from descend.losses.several import Several, in_order
from descend.models.module import TARGETS, TENSOR, ModuleModel, as_tensor, is_pair, is_tensor
from descend.models.module_weights import ModuleParameters
from descend.models.together import Name, Together, several, tensors_of, together
from descend.options.request import Request
from descend.table import Table, open_table
from descend.table.table import check_missing

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from descend.losses.cross_entropy import CrossEntropy

Array = NDArray[np.float64]
Read = tuple[ModuleModel, Table, dict[str, Any], list[str]]
"""The model, the table, the columns in use by name, and notes for the user."""
ONE_NUMBER: tuple[tuple[int, ...], ...] = ((), (1,))
"""Shapes of a row that is one number."""


def read_rows(module: Module, data: object, request: Request, loss: Loss) -> Read:
    """Read ``(X, y)``, or columns: without ``inputs`` all columns of numbers but the response and the weights."""
    if is_pair(data):
        return read_tensors(module, data, request, loss)
    if is_tensor(data):
        raise DataError("This is one tensor, without a response. Give two: descend.fit(module, (X, y)).")
    if isinstance(data, Iterator):
        raise DataError(
            f"A {type(data).__name__} can be gone through once, and each epoch goes through the rows anew. Give them "
            "as (X, y), or what yields them again: a dataset, a DataLoader, or a torch.utils.data.IterableDataset."
        )
    table = open_table(data, request.where)
    if loss.of_classes and request.response in table.names:
        from descend.problem.classes import numbered_classes

        loss, table = numbered_classes(str(request.response), loss, table)
    model, _ = ModuleModel.read(module, table, request, loss)
    notes = []
    if request.inputs is None:
        notes = [f"inputs {', '.join(model.inputs)}: all columns of numbers but the response, in this order"]
    needed = (*model.inputs, model.response, *([request.weights] if request.weights is not None else []))
    columns = table.numbers(tuple(dict.fromkeys(needed)), request.missing)
    return model, table, dict(columns), notes


def read_tensors(module: Module, data: Any, request: Request, loss: Loss) -> Read:
    """Read tensors or arrays with rows along the first axis; several inputs as a tuple, or by name in a dict."""
    for key in ("inputs", "where", "weights"):
        if request[key] is not None:
            raise ConfigError(f"(X, y) have no column names, so leave out `{key}`, or give a table.")
    response = request.response or "y"
    given = together(data[0], as_tensor)
    loss, observed, targets = _read_response(data[1], loss)
    parts = several(given)
    rows = len(given) if parts is not None or given.ndim else 0
    if rows != len(observed):
        count = f"{rows} rows" if rows else "no rows"
        raise DataError(f"X has {count} but y has {len(observed)}. Give one number of y per row of X.")
    if not rows:
        raise DataError("There are no rows in X and y. Give data with at least one row.")
    given, observed, targets = _finite(given, observed, targets, request.missing)
    arguments, row_shape = (() if parts is None else parts.names), tuple(given.shape[1:])
    columns: dict[str, object] = {response: observed}
    if targets is not None:
        columns[TARGETS] = targets
    named: tuple[str, ...] = ()
    if parts is None:
        columns = {TENSOR: given if given.ndim > 1 else given[:, None], **columns}
        if row_shape in ONE_NUMBER and given.is_floating_point() and response != TENSOR:
            # One number per row is a column like any other, so that it can be drawn.
            columns[TENSOR], named = _numbers(given).reshape(-1), (TENSOR,)
    heads = several(targets) is not None
    wide = () if targets is None or loss.of_classes or heads else tuple(targets.shape[1:])
    model = ModuleModel(
        module,
        named,
        response,
        loss,
        ModuleParameters(module),
        row_shape,
        arguments,
        () if wide in ONE_NUMBER else wide,
        comparable=wide in ONE_NUMBER and not heads,
    )
    here = several(given)
    if here is not None:
        columns |= {column: here.parts[name] for name, column in model.argument_columns.items()}
    table = open_table({name: columns[name] for name in (*named, response)})
    return model, table, columns, []


def _read_response(given: Any, loss: Loss) -> tuple[Loss, Array, Tensor | None]:
    """Return the loss, a number for each row that stands for its response, and the response if it is more than that."""
    if loss.of_classes:
        from descend.training.classes import has_places, read_classes

        if has_places(given):
            return _read_response(given, cast("CrossEntropy", loss).in_places())
        loss, observed, shares = read_classes(given, loss)
        return loss, observed, None if shares is None else as_tensor(shares)
    if loss.outputs:
        return _read_outputs(given, cast(Several, loss))
    targets = together(given, as_tensor)
    first = tensors_of(targets)[0]
    if first.ndim == 0:
        raise DataError("y has shape (). It must have its rows along the first axis: shape (n,), (n, 1) or (n, ...).")
    if not len(first):
        return loss, np.empty(0), None
    observed = _numbers(first).reshape(len(first), -1)
    wide = several(targets) is not None or observed.shape[1] > 1 or loss.in_torch is not None
    if not observed.shape[1]:
        raise DataError(f"y has shape {tuple(first.shape)}, so that its rows hold no number.")
    return loss, observed[:, 0], targets if wide else None


def _read_outputs(given: object, loss: Several) -> tuple[Loss, Array, Tensor]:
    """Return the loss of several outputs, settled, a number for each row, and the response of each output."""
    parts: dict[Name, object] = {}
    if isinstance(given, Mapping):
        parts = dict(given)
    elif (found := several(given)) is not None:
        parts |= found.parts
    elif isinstance(given, tuple | list):
        parts = dict(enumerate(given))
    if len(parts) != len(loss.outputs):
        names = ", ".join(loss.outputs)
        raise DataError(f"There are losses of the outputs {names}, so y must be a dict or a tuple of as many tensors.")
    losses: dict[str, Loss] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    read: dict[Name, Tensor] = {}
    numbers = np.empty(0)
    for (name, each), (key, part) in zip(loss.outputs.items(), in_order(parts, tuple(loss.outputs)), strict=True):
        losses[name], own, targets = _read_response(part, each)
        if targets is None:
            targets = torch_of(own, losses[name])
        read[key] = targets
        shapes[name] = () if losses[name].of_classes else tuple(targets.shape[1:])
        numbers = numbers if numbers.size else own
    return loss.of(losses, shapes), numbers, cast("Tensor", Together(read))


def torch_of(numbers: Array, loss: Loss) -> Tensor:
    """Return a number for each row as a tensor: of classes their places."""
    found = as_tensor(numbers)
    return found.long() if loss.of_classes else found


def _numbers(values: object) -> Array:
    """Return a tensor or array as float64."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().double()
    return np.ascontiguousarray(values, dtype=np.float64)


def finite_rows(given: Tensor) -> NDArray[np.bool_]:
    """Return which rows have no missing or infinite number."""
    import torch

    each = [torch.isfinite(part).reshape(len(part), -1).all(dim=1) for part in tensors_of(given)]
    found: NDArray[np.bool_] = torch.stack(each).all(dim=0).cpu().numpy()
    return found


def _finite(
    given: Tensor, observed: Array, targets: Tensor | None, missing: str
) -> tuple[Tensor, Array, Tensor | None]:
    """Refuse rows that are not finite, or leave them out."""
    import torch

    check_missing(missing)
    finite = {"X": finite_rows(given), "y": np.isfinite(observed)}
    if targets is not None:
        finite["y"] = finite["y"] & finite_rows(targets)
    kept = finite["X"] & finite["y"]
    if kept.all():
        return given, observed, targets
    if missing == "drop" and kept.any():
        places = torch.from_numpy(np.flatnonzero(kept))
        here = given[places.to(given.device)]
        return here, observed[kept], None if targets is None else targets[places.to(targets.device)]
    name, bad = next((name, ~rows) for name, rows in finite.items() if not rows.all())
    raise DataError(
        f"{name} has missing or infinite values in {int(bad.sum())} rows, the first of them row "
        f'{int(bad.argmax()) + 1}. Correct them, or leave such rows out with missing="drop".'
    )
