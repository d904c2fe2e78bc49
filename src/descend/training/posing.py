"""A problem whose model is a PyTorch module: its rows as tensors, everything checked before the first step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError, DataError
from descend.losses import LOSSES, Loss
from descend.models.datasets import PAIRS, batch_size_of, is_dataset, read_once, rows_of
from descend.models.module import TARGETS, TENSOR, ModuleModel, as_tensor, block_size, is_pair, is_tensor
from descend.models.module_modes import Modes
from descend.models.module_weights import ModuleParameters
from descend.optimizers import OPTIMIZERS
from descend.optimizers.levenberg_marquardt import LevenbergMarquardt
from descend.options.request import Request
from descend.problem import preflight
from descend.problem.problem import Problem
from descend.table import Table, open_table
from descend.table.rows import Rows
from descend.table.table import check_missing
from descend.training.engine import ModuleEngine, engine_of
from descend.training.objective import ModuleObjective
from descend.training.optimizers import torch_optimizer
from descend.training.validation import course_of, refuse_without, validated
from descend.wording import spell

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from descend.problem.objective import VectorObjective

Array = NDArray[np.float64]
Targets = NDArray[np.floating] | None
"""The probabilities of all classes in each row, if these were given."""
FEW_ROWS = 64
"""Rows on which a module is tried out: what it returns, and whether training mode changes that."""
BATCHED = 0.1
"""In batches an automatic learning rate is reduced to this share, as there are many inexact steps per epoch."""

LACKING = {
    "start": "A module brings its own starting values, so leave out `start`. Set them in the module.",
    "sigma": "A module has no standard errors, so `sigma` would change none. Use weights instead: a column with 1 / "
    "sigma**2.",
    "variance": "A module has no likelihood in which a `variance` could be estimated. Give weights instead.",
    **dict.fromkeys(
        ("l1", "l2"),
        'The {key} penalty is not for modules. Use weight decay instead: optimizer="adamw(weight_decay=0.01)".',
    ),
    **dict.fromkeys(
        ("bounds", "fix", "ties", "priors"),
        "`{key}` is for formulas and functions: the weights of a module have no names in it. Leave it out; to hold "
        "weights of a module, set requires_grad_(False) on them.",
    ),
    "outliers": "Outliers of a module are not told: nothing says how far its rows should scatter. Leave out "
    "`outliers`.",
    "units": "`units` are of columns and of the parameters of a formula: the weights of a module have none. Leave them "
    "out.",
    "standardize": "`standardize` is for formulas and functions: the weights of a module stand for no columns. Leave "
    "it out, and scale what the module takes, or begin it with torch.nn.BatchNorm1d.",
}
"""Options of a fit that only apply to a formula or a function, and what to do instead."""
Read = tuple[ModuleModel, Table, dict[str, Any], list[str]]
"""The model, the table, the columns in use by name, and notes for the user."""
ONE_NUMBER: tuple[tuple[int, ...], ...] = ((), (1,))
"""Shapes of a row that is one number."""


def pose_module(module: Any, data: object, request: Request) -> tuple[Problem, Request]:
    """Put a problem together, and settle on an optimizer.

    data: a table, of which the module takes ``request.inputs`` as one vector a row; or ``(X, y)``, of which it takes X.

    Raises DataError or ConfigError for whatever would make the descent pointless.
    """
    refuse_what_modules_lack(request)
    refuse_without(request)
    _refuse_untrainable(module)
    loss = LOSSES.build(request.loss)
    for key in ("censored", "rounded"):
        if request[key] is not None:
            raise ConfigError(
                f"{spell(key)} goes with a formula, or a function that can be traced into one, not with a PyTorch "
                "module. Leave it out."
            )
    if loss.in_torch is None:
        loss.refuse_own()
    said: list[str] = []
    if is_dataset(data):
        data, request, said = _read_once(data, request)
    model, table, columns, notes = read_rows(module, data, request, loss)
    notes += said
    rows = Rows.of(columns, request.roles, model.observed, table.source)
    preflight.check_more_than_one_row(len(rows.y), table.source)
    if not loss.of_classes:
        preflight.check_response(loss, rows, model.response)
    rows.check()
    engine, validation = validated(
        engine_of(model, columns, rows), request, notes, lambda own: _read_tensors(module, own.data, own, loss)
    )
    modes = Modes(module)
    try:
        problem, request = _with_optimizer(_begun(model, table, columns, engine, modes, notes), request)
        course, request = course_of(problem, request, validation)
        problem.objective.course = course  # type: ignore[attr-defined]
        return problem, request
    finally:
        modes.restore()


def _read_once(data: object, request: Request) -> tuple[object, Request, list[str]]:
    """Return the rows of a dataset as ``(X, y)``, a request with the batch size of its loader, and a note."""
    rows = rows_of(data)
    if len(rows) < 2:
        kind = type(getattr(data, "dataset", data)).__name__
        raise DataError(f"The rows of this {kind} have no response. {PAIRS}")
    if request.batch_size is None:
        request = replace(request, batch_size=batch_size_of(data))
    return tuple(rows), request, [read_once(data, len(rows[0]))]


def read_rows(module: Module, data: object, request: Request, loss: Loss) -> Read:
    """Read ``(X, y)``, or columns: without ``inputs`` all columns of numbers but the response and the weights."""
    if is_pair(data):
        return _read_tensors(module, data, request, loss)
    if is_tensor(data):
        raise DataError("This is one tensor, without a response. Give two: descend.fit(module, (X, y)).")
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


def _read_tensors(module: Module, data: Any, request: Request, loss: Loss) -> Read:
    """Read tensors or arrays with rows along the first axis."""
    for key in ("inputs", "where", "weights"):
        if request[key] is not None:
            raise ConfigError(f"(X, y) have no column names, so leave out `{key}`, or give a table.")
    response = request.response or "y"
    given = as_tensor(data[0])
    targets: Targets = None
    if loss.of_classes:
        from descend.training.classes import read_classes

        loss, observed, targets = read_classes(data[1], loss)
    else:
        observed = _numbers(data[1])
    if observed.shape[1:] not in ONE_NUMBER or observed.ndim == 0:
        raise DataError(f"y has shape {observed.shape}. It must hold one number per row: shape (n,) or (n, 1).")
    observed = observed.reshape(-1)
    if given.ndim == 0 or len(given) != len(observed):
        count = "no rows" if given.ndim == 0 else f"{len(given)} rows"
        raise DataError(f"X has {count} but y has {len(observed)}. Give one number of y per row of X.")
    if not len(observed):
        raise DataError("There are no rows in X and y. Give data with at least one row.")
    given, observed, targets = _finite(given, observed, targets, request.missing)
    row_shape = tuple(given.shape[1:])
    columns: dict[str, object] = {TENSOR: given if given.ndim > 1 else given[:, None], response: observed}
    if targets is not None:
        columns[TARGETS] = targets
    named: tuple[str, ...] = ()
    if row_shape in ONE_NUMBER and given.is_floating_point() and response != TENSOR:
        # One number per row is a column like any other, so that it can be drawn.
        columns[TENSOR], named = _numbers(given).reshape(-1), (TENSOR,)
    table = open_table({name: columns[name] for name in (*named, response)})
    return ModuleModel(module, named, response, loss, ModuleParameters(module), row_shape), table, columns, []


def _numbers(values: object) -> Array:
    """Return a tensor or array as float64."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().double()
    return np.ascontiguousarray(values, dtype=np.float64)


def _finite(given: Tensor, observed: Array, targets: Targets, missing: str) -> tuple[Tensor, Array, Targets]:
    """Refuse rows that are not finite, or leave them out."""
    import torch

    check_missing(missing)
    finite = {
        "X": torch.isfinite(given).reshape(len(given), -1).all(dim=1).cpu().numpy(),
        "y": np.isfinite(observed),
    }
    kept = finite["X"] & finite["y"]
    if kept.all():
        return given, observed, targets
    if missing == "drop" and kept.any():
        here = given[torch.from_numpy(kept).to(given.device)]
        return here, observed[kept], None if targets is None else targets[kept]
    name, bad = next((name, ~rows) for name, rows in finite.items() if not rows.all())
    raise DataError(
        f"{name} has missing or infinite values in {int(bad.sum())} rows, the first of them row "
        f'{int(bad.argmax()) + 1}. Correct them, or leave such rows out with missing="drop".'
    )


def _begun(
    model: ModuleModel, table: Table, columns: Mapping[str, Any], engine: ModuleEngine, modes: Modes, notes: list[str]
) -> Problem:
    """Return the problem, after trying the module on a few rows and then evaluating it on all of them."""
    few = engine.inputs[: min(FEW_ROWS, max(2, block_size(engine.inputs)))]  # batch normalisation needs two
    try:
        output = modes.find_out(few)
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        raise ConfigError(_refusal(model, few, error)) from error
    if not (checked := model.checked(output, len(few))).requires_grad:
        raise ConfigError(
            f"What `{model.name}` returns does not depend on its parameters in a way PyTorch can follow. "
            "Use torch functions in its forward, without detach or no_grad."
        )
    # Only now: a lazy module has no shapes before it has seen rows.
    model = replace(model, parameters=ModuleParameters(model.module))
    if model.loss.of_classes:
        from descend.training.classes import settled_classes

        model, engine = settled_classes(model, engine, checked)
    objective = ModuleObjective(model, engine, modes)
    start = model.parameters.present
    first = objective(start)
    if not (math.isfinite(first.loss) and math.isfinite(first.norm)):
        raise ConfigError(_not_finite(model, columns))
    y = engine.rows.y
    scale = float(y.dot(y)) / len(y) if model.loss.quadratic else 0.0
    return Problem(
        model=model,
        gradient="autograd",
        code=None,
        table=table,
        rows=engine.rows,
        objective=cast("VectorObjective", objective),
        given=dict.fromkeys(name for name, _ in model.module.named_parameters()),
        start=cast(Array, start),
        notes=tuple(notes),
        scale=scale,
    )


def _with_optimizer(problem: Problem, request: Request) -> tuple[Problem, Request]:
    """Make the optimizer, adam if none was asked for, and set a tolerance that the precision allows.

    Near a minimum J changes with the square of a step, so once the gradient is sqrt(eps) as a share of J, steps change
    J by less than its rounding. A run in float32 could never reach the tolerance of float64, 1e-9.
    """
    import torch

    model = cast(ModuleModel, problem.model)
    if request.optimizer is None:
        problem = replace(problem, notes=("optimizer adam, chosen because it suits most modules", *problem.notes))
    given = request.learning_rate
    rate = None if given is None or given == "auto" else float(given)
    optimizer, how = _made(request.optimizer or "adam", problem, rate)
    if how is not None:
        problem = replace(problem, notes=(*problem.notes, f"{optimizer.name}: {how}"))
    if request.batch_size is not None and optimizer.uses_rate:
        optimizer.reach *= BATCHED
    tolerance = request.tolerance
    precision = torch.finfo(model.parameters.trained[0].dtype).eps
    if (
        tolerance is None
        and not optimizer.thorough
        and precision > np.finfo(np.float64).eps
        and (request.epochs is None or not optimizer.uses_rate)
    ):
        tolerance = math.sqrt(precision)
    return problem, replace(request, optimizer=optimizer, tolerance=tolerance)


def _made(wanted: Any, problem: Problem, rate: float | None) -> tuple[Any, str | None]:
    """Return the optimizer of a module, one of torch or ours where it needs curvature, and a note of the latter."""
    model = cast(ModuleModel, problem.model)
    if isinstance(wanted, str):
        wanted = OPTIMIZERS.build(wanted)
    if isinstance(wanted, LevenbergMarquardt):
        from descend.training.second_order import second_order

        objective = cast(ModuleObjective, problem.objective)
        return second_order(wanted, objective)
    return torch_optimizer(wanted, model.parameters.trained, rate), None


def refuse_what_modules_lack(request: Request) -> None:
    """Refuse the options that only apply to a formula or a function."""
    for key, why in LACKING.items():
        if request[key]:
            raise ConfigError(why.format(key=key))
    if request.gradient not in (None, "autograd"):
        raise ConfigError("The gradient of a module is taken by autograd, so leave out `gradient`.")
    if request.engine not in ("auto", "torch"):
        raise ConfigError(f"A module runs on PyTorch, not on the engine `{request.engine}`. Leave out the engine.")
    if request.device is not None:
        raise ConfigError(
            f"A module stays on the device where it is, so leave out `device`. Move it: module.to({request.device!r})."
        )


def _refuse_untrainable(module: Module) -> None:
    trainable = [tensor.requires_grad for tensor in module.parameters()]
    if not any(trainable):
        why = "all of them are frozen (requires_grad=False)" if trainable else "it has none"
        raise ConfigError(f"`{type(module).__name__}` has no parameters to fit: {why}.")


def _refusal(model: ModuleModel, few: Tensor, error: Exception) -> str:
    said = str(error).strip().partition("\n")[0].rstrip(".")
    shape = ", ".join(["n", *map(str, few.shape[1:])]) + ("," if few.ndim == 1 else "")
    kind = str(few.dtype).removeprefix("torch.")
    given, advice = "a tensor", "Give X in the shape and type that it takes."
    if model.row_shape is None:
        given, advice = f"{', '.join(model.inputs)} as a tensor", "Name the columns that it takes with `inputs`."
    return f"`{model.name}` cannot take its inputs ({given} of shape ({shape}), {kind}): {said}. {advice}"


def _not_finite(model: ModuleModel, columns: Mapping[str, Array]) -> str:
    advice = "Give it other starting values, or scale its inputs down."
    predicted = model.predict(None, columns)
    bad = ~np.isfinite(predicted)
    domain = model.loss.prediction_domain
    if domain.limited and not bad.any():
        bad = domain.outside(predicted)
        advice = f"The {model.loss.name} loss needs {domain.module}."
    if not bad.any():
        return f"The loss of `{model.name}` is not finite before the first step. {advice}"
    row = int(bad.argmax())
    return f"`{model.name}` returns {predicted[row]:g} in row {row + 1} before the first step. {advice}"
