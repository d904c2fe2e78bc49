"""Rows that are held back from a module, by a seed and with the same share of each class; and the course of its run."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError, DataError
from descend.models.datasets import is_dataset
from descend.models.module import ModuleModel, is_pair
from descend.optimizers import Schedule
from descend.options.request import Request
from descend.problem.problem import Problem
from descend.problem.validation import split
from descend.table.rows import Rows
from descend.training.averaging import Average
from descend.training.callbacks import Callbacks
from descend.training.classes import weighed
from descend.training.course import Course
from descend.training.devices import one_thread
from descend.training.engine import ModuleEngine, engine_of
from descend.training.meter import HELD_BACK, Meter, meter_of
from descend.training.objective import ModuleObjective
from descend.training.optimizers import ModuleOptimizer
from descend.training.reading import read_rows
from descend.training.regime import Regime
from descend.training.scheduling import scheduled
from descend.training.sources import source_of

SHORT = "val_"
"""What other programs begin the names of such measures with."""
Indices = NDArray[np.intp]


def held_back(y: NDArray[np.float64], request: Request) -> tuple[Indices, Indices, str] | None:
    """Return the rows to train on and those held back by a share, with a note; None if there is no share."""
    share = request.validation
    if not isinstance(share, float):
        return None
    train, held, by_class = split(y, share, request.seed)
    how = ", with the same share of each value of the response" if by_class else ""
    return train, held, f"validation on {len(held):,} of {len(y):,} rows, drawn with seed {request.seed}{how}"


def validated(
    engine: ModuleEngine, model: ModuleModel, request: Request, notes: list[str], drawn: str = ""
) -> tuple[ModuleEngine, ModuleEngine | None]:
    """Return the rows to train on, and those of validation, if there are any; notes get what was done.

    drawn: which rows are held back, if that was decided where they were read.
    """
    data = request.validation
    if data is None:
        return engine, None
    found = held_back(engine.rows.y, request)
    if found is not None:
        train, held, note = found
        notes.append(note)
        return engine.chosen(train), engine.chosen(held)
    if not is_dataset(data) and not is_pair(data) and model.row_shape is not None:
        raise ConfigError(
            f"`validation` is a share of the rows, such as 0.2, or (X, y); this is a {type(data).__name__}."
        )
    own = replace(request, data=data, where=None, validation=None, batch_size=None)
    source = source_of(data, own) if is_dataset(data) else None
    pair = data if source is None else source.pair
    if is_pair(pair):
        own = replace(own, response=None, inputs=None, weights=None)
    try:
        its_model, table, columns, _ = read_rows(model.module, pair, own, model.loss)
    except DataError as error:
        raise DataError(f"Of `validation`: {error}") from None
    if its_model.row_shape != model.row_shape and model.row_shape is not None:
        raise ConfigError(
            f"The rows of X in `validation` have shape {its_model.row_shape}, and those to train on {model.row_shape}. "
            "Give both the same shape."
        )
    rows = Rows.of(columns, own.roles, its_model.observed, table.source)
    there = engine_of(model, columns, rows)
    if source is not None:
        there = source.engine(there, model, request.response)
    count = "rows that are passed" if there.streamed else f"{rows.count:,} rows of their own"
    notes.append(drawn or f"validation on {count}")
    return engine, there


def refuse_without(request: Request) -> None:
    """Refuse options that make no sense without others."""
    if request.validation is None and request.monitor != "loss" and isinstance(request.schedule, str | Schedule):
        raise ConfigError(
            "`monitor` says what `patience`, `keep` and ReduceLROnPlateau watch, and there is none of these. Leave it "
            "out, or give `validation`, such as 0.2."
        )
    if request.clip is not None and request.clip_value is not None:
        raise ConfigError("`clip` cuts the gradient as a whole, `clip_value` each of its numbers: give one of them.")


def course_of(problem: Problem, request: Request, validation: ModuleEngine | None) -> tuple[Course, Request]:
    """Return how the run goes, and the request with its schedule. Refuses what needs steps by torch.optim."""
    objective = cast(ModuleObjective, problem.objective)
    own = objective.engine.streamed or objective.engine.order is not None
    batched = request.batch_size is not None and (own or request.batch_size < objective.rows)
    optimizer = cast(ModuleOptimizer, request.optimizer)
    by_torch = optimizer.torch_optimizer is not None
    callbacks = request.callbacks or ()
    passes_once = by_torch and optimizer.stochastic
    model, name = cast(ModuleModel, problem.model), optimizer.name
    if objective.engine.streamed and not passes_once:
        raise ConfigError(
            f"{name} passes the same rows several times for a step, and these are passed once in an epoch. Give them "
            "as (X, y) or as a dataset, or take another optimizer, such as adam."
        )
    if request.accumulate > 1 and request.batch_size is None:
        raise ConfigError("`accumulate` adds up the gradients of batches, so give `batch_size`, too.")
    meter = meter_of(request.metrics, model)
    regime = Regime(
        *_watched(request.monitor, validation is not None, meter),
        patience=request.patience,
        min_delta=request.min_delta,
        best=request.keep == "best",
        clip=request.clip,
        clip_value=request.clip_value,
        accumulate=request.accumulate,
        batch_size=request.batch_size if batched else None,
        seed=request.seed,
        lean=batched and passes_once and (own or request.epochs is not None or validation is not None),
    )
    batches = objective.engine.batches_of_epoch(regime.batch_size)
    steps = None if batches is None else -(-batches // regime.accumulate)
    scheduler, request = scheduled(problem, request, steps, regime.higher)
    trained = objective.model.parameters.trained
    course = Course(
        regime,
        None if validation is None else weighed(validation.under(model), model),
        callbacks=Callbacks(callbacks if isinstance(callbacks, list | tuple) else (callbacks,)),
        meter=meter,
        scheduler=scheduler,
        average=None if request.ema is None else Average(trained, request.ema),
    )
    if (course.stepwise or regime.accumulate > 1) and not passes_once:
        raise ConfigError(
            f"`clip`, `accumulate`, `ema`, schedulers of steps and callbacks `on_step` go with one pass a step; {name} "
            "takes several. Leave them out, or take another optimizer, such as adam."
        )
    if (request.precision is not None or request.compile) and not by_torch:
        raise ConfigError(
            f"`precision` and `compile` go with steps by gradients; {name} takes other derivatives, too. Leave them "
            "out, or take another optimizer, such as adam."
        )
    if one_thread(model, regime.batch_size or objective.rows):
        objective.one_thread = True
        problem.notes += ("one thread of the processor, which is faster for steps over so few numbers",)
    objective.half, objective.compiled = request.precision is not None, request.compile
    return course, request


def _watched(name: str, validated: bool, meter: Meter | None) -> tuple[str, bool]:
    """Return the measure that is watched, of the rows held back if there are any, and whether more of it is better."""
    if name not in ("loss", "validation_loss"):
        short = name.removeprefix(HELD_BACK)
        higher = None if meter is None else meter.higher(short)
        if higher is None and name.startswith(SHORT):
            raise ConfigError(
                f"`monitor` is `{name}`: what is measured over the rows held back is called "
                f"{HELD_BACK}{name.removeprefix(SHORT)} here."
            )
        if higher is None:
            raise ConfigError(
                f"`monitor` is `{name}`, of which nothing says whether more is better. Watch the loss, or one of the "
                "`metrics` by its name, such as accuracy."
            )
        return f"{HELD_BACK}{short}" if validated else short, higher
    return "validation_loss" if validated else "loss", False
