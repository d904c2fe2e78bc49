"""Overflow and domain errors: the smallest part of the model that has no value, in which row, at which parameters."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr

from descend.diagnosis.case import Array, Case, went_well
from descend.diagnosis.cause import Cause, Diagnosis
from descend.diagnosis.value_watch import Operation, first_failures, watched_numpy, watched_torch
from descend.formula import as_text
from descend.formula.compile import compile_expression
from descend.formula.domain import innermost_failure
from descend.formula.functions import entry_of
from descend.gradients.derived import derived
from descend.models import Model, SymbolicModel
from descend.problem import preflight
from descend.wording import spell, using

MODERATE = 20.0
"""A value that is missing is the model's own doing if no parameter has to go further for it than this (or this many
times its start); beyond that, at a rate that is too large, the parameters were on their way to infinity."""
SOON = 3
"""Epochs within which a run that merely grew is followed further, to see where it went."""
BEYOND = 30
"""For how many steps it is followed."""
DOMAINS = frozenset(
    (
        "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "arcsin", "arccos", "asin", "acos", "arccosh", "acosh",
        "arctanh", "atanh", "lgamma", "digamma", "xlogy",
    )
)  # fmt: skip
DIVISIONS = frozenset(("divide", "true_divide", "truediv", "div", "rtruediv", "rdiv", "reciprocal"))
POWERS = frozenset(("power", "pow", "float_power", "rpow"))
GROWING = frozenset(("exp", "exp2", "expm1", "sinh", "cosh", "square", "exp_", "logaddexp", "logsumexp")) | POWERS


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
    """Find the first point of a diverged run at which J has no value, and there what has none."""
    if not case.diverged:
        return None
    broken = _broken(case)
    if broken is None:
        return None
    theta, rows = broken
    failure = _located(case, theta, rows)
    if failure is None:
        return None
    distance = _distance(case, theta)
    if failure.cause is Cause.OVERFLOW and distance > MODERATE and (case.beyond or case.stable_rate is None):
        return None
    if distance > MODERATE and (case.beyond or _thrown(case)):
        return None
    return _told(case, failure, distance)


def _thrown(case: Case) -> bool:
    """Whether the first steps threw the parameters away, for a shorter one leads down from the start."""
    rose = case.epochs <= SOON and case.ended > float(case.trace[0].loss)
    return case.optimizer.uses_rate and rose and went_well(case.trial(rate=0.1 * case.rate, epochs=20))


def _told(case: Case, failure: Failure, distance: float) -> Diagnosis:
    parameters = _named(case, failure.theta)
    at = ", ".join(f"{name} = {value:.4g}" for name, value in list({**failure.inputs, **parameters}.items())[:6])
    evidence: dict[str, Any] = {
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
    what = f"`{failure.part}` is {failure.value:g} in {row}" + (f" ({at})" if at else "")
    if case.is_module:
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
    return Diagnosis(failure.cause, evidence, what + ".", advice)


def _named(case: Case, theta: Array) -> dict[str, float]:
    labels = case.model.parameters.labels if theta.size <= 6 else ()
    return dict(zip(labels, theta.tolist(), strict=True)) if len(labels) == theta.size else {}


def _broken(case: Case) -> tuple[Array, NDArray[np.intp] | None] | None:
    """Return the first finite point at which J or its gradient is not finite, and over which rows."""
    if case.failed is not None and np.isfinite(case.failed).all():
        return case.failed, None
    if case.failed is None and (case.beyond or case.epochs > SOON):
        return None
    for theta, rows in _walk(case):
        point = case.objective(theta, 1, rows)
        if not (math.isfinite(point.loss) and np.isfinite(point.gradient).all()):
            return (theta, rows) if np.isfinite(theta).all() else None
    return None


def _walk(case: Case) -> Iterator[tuple[Array, NDArray[np.intp] | None]]:
    """Yield the points of the run again, batch by batch, and a few more than it made."""
    optimizer, plan, objective = case.optimizer, case.plan, case.objective
    from_start = case.epochs <= 2000
    theta = case.start if from_start else case.last
    state = optimizer.init(theta)
    for epoch in range((case.epochs if from_start else 0) + BEYOND):
        rate = plan.rate * plan.schedule.factor(epoch, plan.epochs if plan.asked else None)
        chosen: Sequence[Any] = [None]
        if plan.batch_size is not None:
            chosen = objective.batches(plan.batch_size, plan.seed, epoch)
        for rows in chosen:
            yield theta, rows
            point = objective(theta, max(1, optimizer.needs), rows)
            point.rate = rate
            moved, state = optimizer.step(point, state)
            if moved is theta:
                return
            theta = moved


def _distance(case: Case, theta: Array) -> float:
    """Return how far some parameter has to go from the start before J has no value, on the straight way to theta."""

    def fine(share: float) -> bool:
        return math.isfinite(case.objective(case.start + share * (theta - case.start), 0).loss)

    low, high = 0.0, 1.0
    if not fine(1.0):
        for _ in range(30):
            middle = (low + high) / 2.0
            low, high = (middle, high) if fine(middle) else (low, middle)
    return float(np.max(high * np.abs(theta - case.start) / np.maximum(np.abs(case.start), 1.0)))


def _located(case: Case, theta: Array, rows: NDArray[np.intp] | None) -> Failure | None:
    model = case.model
    if model.symbolic is not None:
        return _in_formula(case, model.symbolic, _in_units(case, theta))
    if not model.in_place:
        return _in_function(case, model, theta)
    return _in_module(case, theta)


def _in_units(case: Case, theta: Array) -> Array:
    units = getattr(case.objective, "units", None)
    return theta if units is None else np.asarray(units.theta(theta))


def _in_formula(case: Case, model: SymbolicModel, theta: Array) -> Failure | None:
    columns = case.problem.columns
    prediction = model.predict(theta, {name: columns[name] for name in model.inputs} or dict(columns))

    def failure(found: tuple[Expr, float] | None, row: int, cause: Cause | None = None) -> Failure | None:
        if found is None:
            return None
        inputs = {name: float(columns[name][row]) for name in model.inputs}
        values = preflight.row_values(model, theta, columns, row)
        return Failure(cause or _kind(found, values), as_text(found[0]), found[1], row + 1, inputs, theta)

    bad = ~np.isfinite(prediction)
    if bad.any():
        row = int(bad.argmax())
        return failure(preflight.smallest_failure(model, theta, columns, row), row)
    outside = ~model.loss.has_value(prediction, model.observed(columns))
    if outside.any():
        row = int(outside.argmax())
        found = sympy.log(model.prediction, evaluate=False), math.nan
        return failure(found, row, Cause.DOMAIN_ERROR)
    for row, expression in _derivatives(case, model, theta):
        found_inside = innermost_failure(expression, preflight.row_values(model, theta, columns, row))
        if found_inside is not None:
            return failure(found_inside, row)
    row = int(np.abs(prediction).argmax())
    return failure(_largest(model.prediction, preflight.row_values(model, theta, columns, row)), row, Cause.OVERFLOW)


def _derivatives(case: Case, model: SymbolicModel, theta: Array) -> Iterator[tuple[int, Expr]]:
    """Yield the derivatives that are not finite, each with its first such row."""
    columns, count = case.problem.columns, case.rows
    program = derived(model.formula, model.loss)
    names = preflight.row_values(model, theta, columns, 0)
    whole = model.values(theta, columns)
    for slope in program.jacobian.values():
        with np.errstate(all="ignore"):
            values = compile_expression(slope, tuple(names))(*(whole[symbol] for symbol in names))
        bad = ~np.isfinite(np.broadcast_to(np.asarray(values, dtype=np.float64), (count,)))
        if bad.any():
            yield int(bad.argmax()), slope


def _largest(expression: Expr, values: dict[Expr, float]) -> tuple[Expr, float] | None:
    """Return the smallest part whose square overflows, if the expression itself is finite."""
    symbols = tuple(values)
    for node in sympy.postorder_traversal(expression):
        if isinstance(node, Expr) and node.args:
            with np.errstate(all="ignore"):
                value = float(compile_expression(node, symbols)(*map(np.float64, values.values())))
            if abs(value) > 1e140:
                return node, value
    return None


def _kind(found: tuple[Expr, float], values: dict[Expr, float]) -> Cause:
    """Tell a value outside the domain of a function from one that is too large."""
    node, value = found
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
    bad = ~np.isfinite(prediction)
    try:
        if forward is None:
            seen = watched_numpy(lambda wrap: model.predict(theta, {name: wrap(columns[name]) for name in columns}))
        elif case.problem.gradient == "autograd":
            import torch

            tensors = {name: torch.from_numpy(np.array(column)) for name, column in columns.items()}
            numbers = {name: torch.as_tensor(value) for name, value in values.items()}
            seen = watched_torch(lambda: forward(tensors, numbers))
        else:
            seen = watched_numpy(lambda wrap: forward({name: wrap(column) for name, column in columns.items()}, values))
    except Exception:  # a function that cannot be watched is not named any closer
        seen = []
    return _of_operations(case, seen, bad, prediction, theta, model.name, rows)


def _in_module(case: Case, theta: Array) -> Failure | None:
    import torch

    flat = case.objective
    flat.load(theta)
    module, inputs = flat.objective.model.module, flat.objective.engine.inputs[:MOST_WATCHED]
    flat.objective.modes.evaluate()
    try:
        seen = watched_torch(lambda: module(inputs), module)
        with torch.no_grad():
            prediction = module(inputs).detach().cpu().double().numpy().reshape(-1)
    finally:
        flat.objective.modes.train()
    bad = ~np.isfinite(prediction)
    return _of_operations(case, seen, bad, prediction, theta, flat.objective.model.name, len(inputs))


MOST_WATCHED = 65_536
"""Rows of a module that are watched."""


def _of_operations(
    case: Case, seen: list[Operation], bad: NDArray[np.bool_], prediction: Array, theta: Array, name: str, rows: int
) -> Failure | None:
    """Tell what broke first, from the operations that were seen."""
    if bad.any():
        for operation, row in first_failures(seen, rows, bad):
            value = _value_at(operation.output, row, rows)
            cause = _kind_of(operation, value, row, rows)
            if cause is None:
                return None
            return Failure(cause, _part(operation, name), value, row + 1, _inputs(case, row), theta)
        return None
    # The prediction is finite: its loss or its gradient is not. The largest output of what grows is to blame.
    limit = 1e18 if case.single else 1e140
    for operation in seen:
        size = float(np.abs(operation.output).max(initial=0.0))
        if operation.name in GROWING and size > limit:
            sizes = np.abs(operation.output)
            row = int(sizes.reshape(rows, -1).max(axis=1).argmax()) if _per_row(operation, rows) else 0
            return Failure(Cause.OVERFLOW, _part(operation, name), size, row + 1, _inputs(case, row), theta)
    for operation in seen:
        if operation.name in DOMAINS | DIVISIONS | POWERS and _per_row(operation, rows) and operation.inputs:
            argument = operation.inputs[-1 if operation.name in DIVISIONS else 0]
            at_edge = np.abs(argument) <= 1e-300
            if at_edge.any():
                row = int(at_edge.reshape(rows, -1).any(axis=1).argmax()) if len(np.atleast_1d(at_edge)) == rows else 0
                part = f"the derivative of {_part(operation, name)}"
                return Failure(Cause.DOMAIN_ERROR, part, math.nan, row + 1, _inputs(case, row), theta)
    outside = case.model.loss.prediction_domain.outside(prediction)
    if outside.any():
        row = int(outside.argmax())
        return Failure(Cause.DOMAIN_ERROR, "log(prediction)", math.nan, row + 1, _inputs(case, row), theta)
    return None


def _per_row(operation: Operation, rows: int) -> bool:
    return operation.output.ndim > 0 and len(operation.output) == rows


def _value_at(output: Array, row: int, rows: int) -> float:
    part = np.ravel(output[row] if output.ndim and len(output) == rows else output)
    return float(part[~np.isfinite(part)][0]) if (~np.isfinite(part)).any() else math.nan


def _kind_of(operation: Operation, value: float, row: int, rows: int) -> Cause | None:
    """Tell a value outside a domain from an overflow; None where sums and products grew, which any divergence does."""
    if operation.name in DOMAINS:
        return Cause.DOMAIN_ERROR
    if operation.name in DIVISIONS:
        below = operation.inputs[-1]
        part = below[row] if below.ndim and len(below) == rows else below
        return Cause.DOMAIN_ERROR if (np.asarray(part) == 0.0).any() else Cause.OVERFLOW
    if operation.name in POWERS:
        base = operation.inputs[0]
        part = base[row] if base.ndim and len(base) == rows else base
        outside = math.isnan(value) or bool((np.asarray(part) == 0.0).any())
        return Cause.DOMAIN_ERROR if outside else Cause.OVERFLOW
    return Cause.OVERFLOW if operation.name in GROWING else None


def _part(operation: Operation, name: str) -> str:
    return f"{operation.name} in {operation.layer or name}"


def _inputs(case: Case, row: int) -> dict[str, float]:
    names = [name for name in case.columns if name in case.model.inputs or case.is_module]
    response = getattr(case.model, "response", "")
    return {name: float(case.columns[name][row]) for name in names[:6] if name != response}
