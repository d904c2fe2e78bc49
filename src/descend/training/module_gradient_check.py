"""Checks a gradient of a PyTorch module in the gradient court: one by hand, or that of a hand-written backward."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError
from descend.gradients.court import Judgement
from descend.gradients.court.evidence import Case
from descend.gradients.court.rows import Factor, Ridders
from descend.gradients.court.trial import hold
from descend.losses import Loss
from descend.models.module import ModuleModel, one_per_row
from descend.models.module_weights import fill, gradients_of, joined
from descend.options.request import Request
from descend.parameters import Parameters
from descend.table.rows import Rows
from descend.training.posing import refuse_what_modules_lack
from descend.training.reading import read_rows

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float64]
ROW = "row"
MOST_NUMBERS = 500
"""Most parameters of a module that can be checked, as each row's derivative by each of them is needed."""
MOST_ROWS = 2000


class ModuleRows(Ridders):
    """A module row by row, in double precision; its one column is the number of the row."""

    def __init__(self, model: ModuleModel, rows: Tensor, y: Array, exact: bool) -> None:
        self.module = copy.deepcopy(model.module).double().eval()
        self.model, self.y, self.loss, self.exact = model, y, model.loss, False
        self.rows = rows.double() if rows.is_floating_point() else rows
        self.by_autograd = exact
        trained = {name: tensor for name, tensor in self.module.named_parameters() if tensor.requires_grad}
        self.trained = list(trained.values())
        self.sizes = {name: tuple(tensor.shape) for name, tensor in trained.items()}
        self.parameters = Parameters(
            {name: None if not shape else _places(shape) for name, shape in self.sizes.items()}
        )
        self.start = joined(self.trained)

    def score(self, theta: Array, columns: Mapping[str, Array]) -> Array:
        import torch

        fill(self.trained, theta)
        with torch.no_grad():
            return np.array(self._outputs(columns).cpu().numpy(), dtype=np.float64)

    def _outputs(self, columns: Mapping[str, Array]) -> Tensor:
        import torch

        chosen = torch.from_numpy(columns[ROW].astype(np.int64))
        return one_per_row(self.module(self.rows[chosen.to(self.rows.device)]), len(chosen), self.model.name)

    def response(self, columns: Mapping[str, Array]) -> Array:
        chosen: Array = self.y[columns[ROW].astype(np.int64)]
        return chosen

    def jacobian(self, theta: Array, columns: Mapping[str, Array], scales: Array) -> tuple[Array, Array]:
        if not self.by_autograd:
            return super().jacobian(theta, columns, scales)
        import torch

        fill(self.trained, theta)
        gradients = (
            torch.autograd.grad(output, self.trained, retain_graph=True, materialize_grads=True)
            for output in self._outputs(columns)
        )
        result = np.array([joined(each) for each in gradients])
        return result, 1e-12 * np.abs(result)

    def steady(self) -> frozenset[str]:
        return frozenset([ROW])

    def factors(self, place: int, columns: Sequence[str]) -> list[Factor]:
        """Return the inputs, if the module takes a vector per row, and its prediction."""
        found = [Factor("prediction", self.score)]
        if self.rows.ndim == 2:
            names = self.model.inputs or tuple(f"X[:, {k}]" for k in range(self.rows.shape[1]))
            found += [Factor(name, self._input(k)) for k, name in enumerate(names)]
        return found

    def _input(self, k: int) -> Callable[[Array, Mapping[str, Array]], Array]:
        values = self.rows[:, k].detach().cpu().numpy()
        return lambda theta, columns: np.asarray(values[columns[ROW].astype(np.int64)], dtype=np.float64)


def _places(shape: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(",".join(map(str, place)) for place in np.ndindex(shape))


def check_module(module: Any, data: object, request: Request, loss: Loss) -> Judgement:
    """Judge a gradient of a module.

    request.gradient: a function ``gradient(module, X, y)``, or ``(module, X, y, weights)`` for weighted rows, that
        returns dJ/dparameters, by name or in the order of ``named_parameters``; or "autograd", for a module with a
        backward written by hand, which is then held against differences of its predictions.

    Raises DataError or ConfigError.
    """
    refuse_what_modules_lack(replace(request, gradient=None, start=None))
    model, table, columns, _ = read_rows(module, data, request, loss)
    read = Rows.of(columns, request.roles, model.observed, table.source)
    read.check()
    rows, y, weights = model.tensor(columns), np.asarray(read.y, dtype=np.float64), read.omega
    if len(y) > MOST_ROWS:
        kept = np.linspace(0, len(y) - 1, MOST_ROWS).astype(int)
        rows, y, weights = rows[kept], y[kept], None if weights is None else weights[kept]
    given = request.gradient if callable(request.gradient) else None
    if given is None and request.gradient != "autograd":
        raise ConfigError(
            "The gradient of a module is a function `gradient(module, X, y)`, or autograd for a backward of your own."
        )
    reference = ModuleRows(model, rows, y, exact=given is not None)
    size = reference.parameters.size
    if size > MOST_NUMBERS:
        raise ConfigError(
            f"`{model.name}` has {size:,} trained numbers, and a gradient of at most {MOST_NUMBERS} can be checked. "
            "Check the same code on a smaller module."
        )
    # The gradient under test is computed in the module's precision; a copy keeps the user's module unchanged.
    own = copy.deepcopy(module).eval()
    trained = [tensor for tensor in own.parameters() if tensor.requires_grad]
    observed, omega = model.placed(y), None if weights is None else model.placed(weights)
    takes_weights = omega is not None and given is not None and len(signature(given).parameters) > 3

    def accused(theta: Array, chosen: NDArray[np.intp] | None) -> Array:
        fill(trained, theta)
        part, target = (rows, observed) if chosen is None else (rows[chosen], observed[chosen])
        share = omega if omega is None or chosen is None else omega[chosen]
        if given is not None:
            return _flat(given(own, part, target, *([share] if takes_weights else [])), reference)
        return _by_backward(own, part, target, share, model)

    case = Case(reference, {ROW: np.arange(len(y), dtype=np.float64)}, accused, reference.start, weights, python=True)
    with np.errstate(all="ignore"):
        return hold(case, str(model))


def _by_backward(module: Any, rows: Tensor, y: Tensor, omega: Tensor | None, model: ModuleModel) -> Array:
    from descend.gradients.autograd import AutogradKernel

    module.zero_grad()
    score = one_per_row(module(rows), len(y), model.name)
    kernel = AutogradKernel(model.loss, lambda *_: score, lambda *_: y, lambda *_: (), 0)
    value = kernel.value(score, y, score - y)
    (value.mean() if omega is None else (value * omega).sum() / omega.sum()).backward()
    return joined(gradients_of(tensor for tensor in module.parameters() if tensor.requires_grad))


def _flat(result: object, reference: ModuleRows) -> Array:
    """Read what a gradient function returned: numbers for each parameter, by name or in order, in its shape."""
    names = list(reference.sizes)
    if hasattr(result, "detach") and len(names) == 1:
        result = [result]
    if isinstance(result, Mapping):
        missing = next((name for name in names if name not in result), None)
        if missing is not None:
            listed = ", ".join(names)
            raise ConfigError(
                f"The gradient function returned no entry for `{missing}`. Return one for each of {listed}."
            )
        result = [result[name] for name in names]
    parts = list(result) if isinstance(result, tuple | list) else []
    if len(parts) != len(names):
        raise ConfigError(
            f"The gradient function must return dJ/dparameter for each of {', '.join(names)}: a dict by name, or a "
            "list in this order."
        )
    flat = []
    for name, part in zip(names, parts, strict=True):
        array = part.detach().cpu().double().numpy() if hasattr(part, "detach") else np.asarray(part, dtype=np.float64)
        if array.size != math.prod(reference.sizes[name]):
            raise ConfigError(
                f"The gradient of `{name}` has shape {array.shape}; the parameter has {reference.sizes[name]}."
            )
        flat.append(array.ravel())
    return np.concatenate(flat)
