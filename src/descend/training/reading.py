"""The rows for a module: columns of a table side by side, or tensors as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError, DataError
from descend.losses import Loss
from descend.models.module import TENSOR, ModuleModel, as_tensor, is_tensor
from descend.models.module_weights import ModuleParameters
from descend.options.request import Request
from descend.table import Table, open_table
from descend.table.table import check_missing

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

Array = NDArray[np.float64]
Read = tuple[ModuleModel, Table, dict[str, Any], list[str]]
"""The model, the table, what of it is used by name, and what to tell the user."""
ONE_NUMBER: tuple[tuple[int, ...], ...] = ((), (1,))
"""Shapes of a row that is one number."""


def read_table(module: Module, data: object, inputs: Sequence[str] | None, request: Request, loss: Loss) -> Read:
    """Read columns. Without ``inputs`` the module takes all columns of numbers but the response and the weights."""
    if is_tensor(data):
        raise DataError("This is one tensor, without a response. Give two: descend.fit(module, (X, y)).")
    table = open_table(data, request.where)
    model, _ = ModuleModel.read(module, table, request, loss)
    notes = []
    if inputs is None:
        notes = [f"inputs {', '.join(model.inputs)}: all columns of numbers but the response, in this order"]
    needed = (*model.inputs, model.response, *([request.weights] if request.weights is not None else []))
    columns = table.numbers(tuple(dict.fromkeys(needed)), request.missing)
    return model, table, dict(columns), notes


def read_tensors(module: Module, data: Any, inputs: Sequence[str] | None, request: Request, loss: Loss) -> Read:
    """Read ``(X, y)``: tensors or arrays with rows along the first axis."""
    for option, value in {"inputs": inputs, "where": request.where, "weights": request.weights}.items():
        if value is not None:
            raise ConfigError(f"(X, y) have no column names, so leave out `{option}`, or give a table.")
    response = request.response or "y"
    given, observed = as_tensor(data[0]), _numbers(data[1])
    if observed.shape[1:] not in ONE_NUMBER or observed.ndim == 0:
        raise DataError(f"y has shape {observed.shape}. It must hold one number per row: shape (n,) or (n, 1).")
    observed = observed.reshape(-1)
    if given.ndim == 0 or len(given) != len(observed):
        count = "no rows" if given.ndim == 0 else f"{len(given)} rows"
        raise DataError(f"X has {count} but y has {len(observed)}. Give one number of y per row of X.")
    if not len(observed):
        raise DataError("There are no rows in X and y. Give data with at least one row.")
    given, observed = _finite(given, observed, request.missing)
    row_shape = tuple(given.shape[1:])
    columns: dict[str, Any] = {TENSOR: given if given.ndim > 1 else given[:, None], response: observed}
    named: tuple[str, ...] = ()
    if row_shape in ONE_NUMBER and given.is_floating_point() and response != TENSOR:
        # One number per row is a column like any other, so that it can be drawn.
        columns[TENSOR], named = _numbers(given).reshape(-1), (TENSOR,)
    table = open_table({name: columns[name] for name in (*named, response)})
    return ModuleModel(module, named, response, loss, ModuleParameters(module), row_shape), table, columns, []


def _numbers(values: Any) -> Array:
    """Return a tensor or array as float64."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().double()
    return np.ascontiguousarray(values, dtype=np.float64)


def _finite(given: Tensor, observed: Array, missing: str) -> tuple[Tensor, Array]:
    """Refuse rows that are not finite, or leave them out."""
    import torch

    check_missing(missing)
    finite = {
        "X": torch.isfinite(given).reshape(len(given), -1).all(dim=1).cpu().numpy(),
        "y": np.isfinite(observed),
    }
    kept = finite["X"] & finite["y"]
    if kept.all():
        return given, observed
    if missing == "drop" and kept.any():
        return given[torch.from_numpy(kept).to(given.device)], observed[kept]
    name, bad = next((name, ~rows) for name, rows in finite.items() if not rows.all())
    raise DataError(
        f"{name} has missing or infinite values in {int(bad.sum())} rows, the first of them row "
        f'{int(bad.argmax()) + 1}. Correct them, or leave such rows out with missing="drop".'
    )
