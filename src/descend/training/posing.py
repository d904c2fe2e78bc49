"""A problem whose model is a PyTorch module: its rows as tensors, everything checked before the first step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError
from descend.gradients.contract import Summand
from descend.losses import LOSSES
from descend.models.datasets import is_dataset
from descend.models.module import ModuleModel, block_size
from descend.models.module_modes import Modes
from descend.models.module_weights import ModuleParameters
from descend.models.together import several, tensors_of
from descend.optimizers import OPTIMIZERS
from descend.optimizers.levenberg_marquardt import LevenbergMarquardt
from descend.options.request import OPTIONS, Request
from descend.problem import preflight
from descend.problem.problem import Problem
from descend.table import Table
from descend.table.rows import Rows
from descend.training.devices import moved
from descend.training.engine import ModuleEngine, engine_of
from descend.training.objective import ModuleObjective
from descend.training.optimizers import torch_optimizer
from descend.training.reading import read_rows
from descend.training.sources import opened
from descend.training.validation import course_of, refuse_without, validated
from descend.wording import spell

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from descend.problem.objective import VectorObjective

Array = NDArray[np.float64]
FEW_ROWS = 64
"""Rows on which a module is tried out: what it returns, and whether training mode changes that."""
BATCHED = 0.1
"""In batches an automatic learning rate is reduced to this share, as there are many inexact steps per epoch."""


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
    placed = moved(module, request.device)
    source = None
    if is_dataset(data):
        source, request = opened(data, request)
    model, table, columns, notes = read_rows(module, data if source is None else source.pair, request, loss)
    rows = Rows.of(columns, request.roles, model.observed, table.source)
    preflight.check_more_than_one_row(len(rows.y), table.source)
    if not loss.of_classes and model.comparable:
        preflight.check_response(loss, rows, model.response)
    rows.check()
    engine = engine_of(model, columns, rows)
    notes += [] if placed is None else [placed]
    if source is not None:
        notes.append(source.note)
        engine = source.engine(engine, model, request.response)
        model = replace(model, comparable=model.comparable and not engine.streamed)
    engine, validation = validated(engine, model, request, notes, "" if source is None else source.held_back)
    modes = Modes(module)
    try:
        problem, request = _with_optimizer(_begun(model, table, columns, engine, modes, notes), request)
        course, request = course_of(problem, request, validation)
        problem.objective.course = course  # type: ignore[attr-defined]
        problem.held_out = None if validation is None or validation.streamed else validation.rows
        return problem, request
    finally:
        modes.restore()


def _begun(
    model: ModuleModel, table: Table, columns: Mapping[str, Any], engine: ModuleEngine, modes: Modes, notes: list[str]
) -> Problem:
    """Return the problem, after trying the module on a few rows and then evaluating it on all of them."""
    few = engine.inputs[: min(FEW_ROWS, max(2, block_size(engine.inputs)))]  # batch normalisation needs two
    try:
        output = modes.find_out(few)
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        raise ConfigError(_refusal(model, few, error)) from error
    checked = model.checked(output, len(few))
    if not any(part.requires_grad for part in tensors_of(checked)):
        raise ConfigError(
            f"What `{model.name}` returns does not depend on its parameters in a way PyTorch can follow. "
            "Use torch functions in its forward, without detach or no_grad."
        )
    # Only now: a lazy module has no shapes before it has seen rows.
    model = replace(model, parameters=ModuleParameters(model.module))
    if model.loss.of_classes or model.loss.outputs:
        from descend.training.classes import settled_classes

        model, engine = settled_classes(model, engine, checked)
    engine = engine.under(model)
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
        code=Summand(),
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
    for key, option in OPTIONS.items():
        if option.lacking and request[key]:
            raise ConfigError(option.lacking.format(key=key))
    if request.gradient not in (None, "autograd"):
        raise ConfigError("The gradient of a module is taken by autograd, so leave out `gradient`.")
    if request.engine not in ("auto", "torch"):
        raise ConfigError(f"A module runs on PyTorch, not on the engine `{request.engine}`. Leave out the engine.")


def _refuse_untrainable(module: Module) -> None:
    trainable = [tensor.requires_grad for tensor in module.parameters()]
    if not any(trainable):
        why = "all of them are frozen (requires_grad=False)" if trainable else "it has none"
        raise ConfigError(f"`{type(module).__name__}` has no parameters to fit: {why}.")


def _refusal(model: ModuleModel, few: Tensor, error: Exception) -> str:
    said = str(error).strip().partition("\n")[0].rstrip(".")
    if (parts := several(few)) is not None:
        named = ", ".join(f"{name} {tuple(part.shape)}" for name, part in parts.parts.items())
        left_out = " The response is none of them." if model.response not in parts.parts else ""
        return f"`{model.name}` cannot take its inputs, by name and shape: {named}: {said}.{left_out}"
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
