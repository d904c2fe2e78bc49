"""Overflow and domain errors: the smallest part of the model that has no value, in which row, at which parameters."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr

from descend.diagnosis.case import MOST_EPOCHS, Array, Case
from descend.diagnosis.cause import Cause, Diagnosis, Evidence
from descend.diagnosis.operations import Broken, first_broken, watched_numpy, watched_torch
from descend.diagnosis.progress import went_well
from descend.diagnosis.rate_too_large import stable_in_trial
from descend.engines.batches import Batch
from descend.formula import as_text
from descend.formula.compile import compile_expression
from descend.formula.domain import innermost_failure
from descend.formula.functions import entry_of
from descend.models import Model, SymbolicModel
from descend.problem import preflight
from descend.problem.point import Objective, Point
from descend.wording import spell, using

MODERATE = 20.0
"""A missing value is the model's own fault if every parameter is within this distance (or this many times its start)
of where it occurs; further away, and at too large a rate, the parameters were on their way to infinity."""
SOON = 3
"""A run that merely grew and ended within this many epochs is continued, to see where it went."""
FAR = 10.0
"""A rate so many times the largest stable one is to blame itself, wherever it leads."""
LARGEST = 1e140
"""Numbers above this size overflow, or nearly so, when they are squared."""
BEYOND = 30
"""For how many steps it is continued."""


@dataclass(frozen=True)
class Failure:
    """part: of the model, as text. value: what it gives there. row: from 1. inputs: the columns in that row."""

    cause: Cause
    part: str
    value: float
    row: int
    inputs: dict[str, float]
    theta: Array


def overflow_or_domain(case: Case) -> Diagnosis | None:
    """Find the first point of a diverged run at which J has no value, and the part of the model that has none there."""
    if not case.diverged:
        return None
    theta = _broken(case)
    if theta is None:
        return None
    failure = _located(case, theta)
    if failure is None:
        return None
    distance = _distance(case, theta)
    if failure.cause is Cause.OVERFLOW and distance > MODERATE and (case.beyond or case.stable_rate is None):
        return None
    if (distance > MODERATE and (case.beyond or _thrown(case))) or _far_too_fast(case):
        return None
    return _diagnosis(case, failure, distance)


def _thrown(case: Case) -> bool:
    """Whether the first steps were too long: a shorter one leads down from the start."""
    rose = case.epochs <= SOON and case.ended > float(case.trace[0].loss)
    return case.optimizer.uses_rate and rose and went_well(case.trial(rate=0.1 * case.rate, epochs=20))


def _far_too_fast(case: Case) -> bool:
    """Whether the rate is far beyond the largest stable one at a start of our own, from where a smaller one is fine."""
    limit = case.stable_rate
    if case.problem.given or limit is None or not case.beyond or case.rate < FAR * limit:
        return False
    return stable_in_trial(case, limit) is not None


def _diagnosis(case: Case, failure: Failure, distance: float) -> Diagnosis:
    parameters = _named(case, failure.theta)
    at = ", ".join(f"{name} = {value:.4g}" for name, value in list({**failure.inputs, **parameters}.items())[:6])
    evidence: Evidence = {
        "expression": failure.part,
        "value": None if math.isnan(failure.value) else str(failure.value),
        "row": None if case.sampled else failure.row,
        "inputs": failure.inputs,
        "parameters": parameters,
        "distance": distance,
        "epoch": case.epochs,
        "learning_rate": case.rate,
    }
    if case.stable_rate is not None:
        evidence["largest_stable_rate"] = case.stable_rate
    row = "a row" if case.sampled else f"row {failure.row:,}"
    sentence = f"`{failure.part}` is {failure.value:g} in {row}" + (f" ({at})" if at else "")
    if case.model.in_place:
        domain = failure.cause is Cause.DOMAIN_ERROR
        keep = f"Keep what goes into `{failure.part}` " + ("where that has a value" if domain else "small")
        how = "put softplus or clamp before it" if domain else "scale the inputs"
        advice = f"{keep}: {how}, start from smaller weights, or use a smaller learning rate than {case.rate:g}."
    elif failure.cause is Cause.OVERFLOW:
        advice = f"Scale the columns in `{failure.part}` down, or keep its parameters small{using('bounds')}" + (
            f"; a smaller learning rate than {case.rate:g}, or {spell('learning_rate', 'auto')}, helps to stay there."
            if case.optimizer.uses_rate
            else "."
        )
    else:
        advice = f"Keep `{failure.part}` where it has a value: with {spell('bounds')} on its parameters, " + (
            f"other starting values, or a smaller learning rate than {case.rate:g}."
            if case.optimizer.uses_rate
            else "or other starting values."
        )
    return Diagnosis(failure.cause, evidence, sentence + ".", advice)


def _named(case: Case, theta: Array) -> dict[str, float]:
    labels = case.model.parameters.labels if theta.size <= 6 else ()
    return dict(zip(labels, theta.tolist(), strict=True)) if len(labels) == theta.size else {}


def _broken(case: Case) -> Array | None:
    """Return the first finite point at which J or its gradient is not finite."""
    if case.failed is not None and np.isfinite(case.failed).all():
        return case.failed
    if case.failed is None and (case.beyond or case.epochs > SOON):
        return None
    from_start = case.epochs <= MOST_EPOCHS
    most = (case.epochs if from_start else 0) + BEYOND
    steps = case.descent(
        case.start if from_start else case.last,
        max(most, case.plan.epochs if case.plan.epochs_given else 0),
        objective=StopWhereNotFinite(case.objective),
        scale=math.inf,  # a loss that is merely large does not end it
    )
    try:
        for _ in itertools.islice(steps, most):
            pass
    except FloatingPointError as stop:
        theta: Array = stop.args[0]
        return theta if np.isfinite(theta).all() else None
    return None


class StopWhereNotFinite(Objective):
    """Another objective, which raises FloatingPointError(theta) where it is not finite."""

    def __init__(self, inner: Objective) -> None:
        self.inner, self.rows, self.kinks, self.edge = inner, inner.rows, inner.kinks, inner.edge

    def __call__(self, theta: Array, order: int = 1, rows: NDArray[np.intp] | None = None) -> Point:
        point = self.inner(theta, order, rows)
        if not (math.isfinite(point.loss) and np.isfinite(point.gradient).all()):
            raise FloatingPointError(theta)
        return point

    def batches(self, size: int, seed: int, epoch: int) -> Sequence[NDArray[np.intp]] | Sequence[Batch]:
        return self.inner.batches(size, seed, epoch)


def _distance(case: Case, theta: Array) -> float:
    """Return how far the parameters have to move from the start, straight towards theta, until J has no value."""

    def fine(share: float) -> bool:
        return math.isfinite(case.objective(case.start + share * (theta - case.start), 0).loss)

    low, high = 0.0, 1.0
    if not fine(1.0):
        for _ in range(30):
            middle = (low + high) / 2.0
            low, high = (middle, high) if fine(middle) else (low, middle)
    return float(np.max(high * np.abs(theta - case.start) / np.maximum(np.abs(case.start), 1.0)))


def _located(case: Case, theta: Array) -> Failure | None:
    model = case.model
    if model.symbolic is not None:
        return _in_formula(case, model.symbolic, case.in_units(theta))
    if not model.in_place:
        return _in_function(case, model, theta)
    return _in_module(case, theta)


def _in_formula(case: Case, model: SymbolicModel, theta: Array) -> Failure | None:
    columns = case.problem.columns
    prediction = model.predict(theta, {name: columns[name] for name in model.inputs} or dict(columns))

    def failure(innermost: tuple[Expr, float] | None, row: int, cause: Cause | None = None) -> Failure | None:
        if innermost is None:
            return None
        inputs = {name: float(columns[name][row]) for name in model.inputs}
        values = preflight.row_values(model, theta, columns, row)
        return Failure(cause or _kind(innermost, values), as_text(innermost[0]), innermost[1], row + 1, inputs, theta)

    bad = ~np.isfinite(prediction)
    if bad.any():
        row = int(bad.argmax())
        return failure(preflight.smallest_failure(model, theta, columns, row), row)
    outside = ~model.loss.has_value(prediction, model.observed(columns))
    if outside.any():
        row = int(outside.argmax())
        logarithm = sympy.log(model.prediction, evaluate=False), math.nan
        return failure(logarithm, row, Cause.DOMAIN_ERROR)
    for _, slope, row, _ in preflight.broken_slopes(model, theta, columns):
        found_inside = innermost_failure(slope, preflight.row_values(model, theta, columns, row))
        if found_inside is not None:
            return failure(found_inside, row)
    row = int(np.abs(prediction).argmax())
    values = preflight.row_values(model, theta, columns, row)
    return failure(innermost_failure(model.prediction, values, LARGEST), row, Cause.OVERFLOW)


def _kind(overflow: tuple[Expr, float], values: dict[Expr, float]) -> Cause:
    """Return whether a value is outside the domain of a function or too large."""
    node, value = overflow
    function = entry_of(node)
    if math.isnan(value) or (function is not None and function.domain):
        return Cause.DOMAIN_ERROR
    if node.is_Pow:
        base = float(compile_expression(node.base, tuple(values))(*map(np.float64, values.values())))
        return Cause.DOMAIN_ERROR if base == 0.0 else Cause.OVERFLOW
    return Cause.OVERFLOW


def _in_function(case: Case, model: Model, theta: Array) -> Failure | None:
    columns = {name: case.problem.columns[name] for name in model.inputs}
    forward, values, rows = model.forward, model.parameters.named(theta), case.rows
    prediction = model.scores(theta, case.problem.columns)
    try:
        if forward is None:
            operations = watched_numpy(
                lambda wrap: model.predict(theta, {name: wrap(columns[name]) for name in columns})
            )
        elif case.problem.gradient == "autograd":
            import torch

            tensors = {name: torch.from_numpy(np.array(column)) for name, column in columns.items()}
            numbers = {name: torch.as_tensor(value) for name, value in values.items()}
            operations = watched_torch(lambda: forward(tensors, numbers))
        else:
            operations = watched_numpy(
                lambda wrap: forward({name: wrap(column) for name, column in columns.items()}, values)
            )
    except Exception:  # if the function cannot be watched, no operation is named
        operations = []
    return _of_operations(case, first_broken(operations, prediction, model.loss, rows, case.single), theta, model.name)


def _in_module(case: Case, theta: Array) -> Failure | None:
    import torch

    flat = case.objective
    module, inputs = flat.module, flat.inputs[:MOST_WATCHED]
    with flat.standing_at(theta):
        operations = watched_torch(lambda: module(inputs), module)
        with torch.no_grad():
            prediction = module(inputs).detach().cpu().double().numpy().reshape(-1)
    broken_operation = first_broken(operations, prediction, case.model.loss, len(inputs), case.single)
    return _of_operations(case, broken_operation, theta, case.model.name)


MOST_WATCHED = 65_536
"""Rows of a module that are watched."""


def _of_operations(case: Case, operation: Broken | None, theta: Array, name: str) -> Failure | None:
    """Say what broke first, among the operations that were seen."""
    if operation is None:
        return None
    operation_text = (
        "log(prediction)"
        if operation.operation is None
        else f"{operation.operation.name} in {operation.operation.layer or name}"
    )
    cause = Cause.DOMAIN_ERROR if operation.outside else Cause.OVERFLOW
    names = [name for name in case.columns if name in case.model.inputs or case.model.in_place]
    inputs = {name: float(case.columns[name][operation.row]) for name in names[:6] if name != case.model.response}
    operation_text = f"the derivative of {operation_text}" if operation.derivative else operation_text
    return Failure(cause, operation_text, operation.value, operation.row + 1, inputs, theta)
