"""From what the user gave to a model and the source of its gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sympy import Expr

from descend.errors import ConfigError, FormulaError
from descend.formula import read_formula
from descend.formula.formula import Formula, refuse_size, unquoted
from descend.formula.functions import Interval
from descend.formula.printers.code import plain_name
from descend.formula.redundancy import joined
from descend.formula.symbols import Column, Parameter
from descend.gradients.by_hand import FunctionKernel, by_hand
from descend.gradients.contract import Kernel, Program
from descend.gradients.derived import derived
from descend.gradients.numeric import NumericKernel
from descend.losses import Loss
from descend.losses.probability import taken_for
from descend.models import FormulaModel, FunctionModel, Model, SymbolicModel, bind, formula_model, kind_of
from descend.options.request import Gradient, Request
from descend.parameters import Constraints, Parameters, constrained, narrowed
from descend.parameters.ties import mentioned, refuse_starts
from descend.registry import closest
from descend.table import Table
from descend.table.table import listing


def read_model(
    model: str | Callable[..., Any], table: Table, request: Request, loss: Loss
) -> tuple[Model, dict[str, Any]]:
    """Return the model, and the starting values that were given for it."""
    start = dict(request.start or {})
    if request.sigma is not None:
        _check_sigma_wish(request, loss)
        known_column(request.sigma, table, "sigma")
    if isinstance(model, str):
        if request.weights is not None:
            known_column(request.weights, table, "weights")
        excluded = request.roles.columns
        names = {*start, *mentioned(request.fix, request.ties, request.bounds)}
        # Patterns such as [x*] alone need to know, and to find it out takes a look at a whole file of text.
        numeric = table.numeric_names if "@" in model else ()
        for name in loss.own_columns:
            known_column(name, table, f"what the {loss.name} loss reads")
        formula = loss.extended(read_formula(model, table.names, numeric, starts=names, excluded=excluded))
        held = _constraints(Parameters(formula.parameters), request, table, start)
        if held is not None and held.given:
            formula = loss.extended(read_formula(model, table.names, numeric, names, excluded, held.given))
            if own := sorted(set(loss.own_parameters) & set(held.given)):
                raise ConfigError(f"`{own[0]}` is a parameter of the {loss.name} loss, which cannot be fixed or tied.")
        start = loss.own_parameters | start
        refuse_size(formula.expression)
        taken, held = _as_probability(formula, loss, held, table, request)
        fitted = formula_model(formula, taken) if held is None else FormulaModel(formula, taken, held)
        _refuse_no_column(fitted, table)
        return fitted, start
    kind_of(model)  # refuses what no model is made of
    if request.response is None:
        raise ConfigError('Which column does the function predict? Say so with response="y".')
    known_column(request.response, table, "response")
    forward = bind(model, [name for name in table.names if name not in start])
    if request.response in forward.columns:
        raise ConfigError(
            f"`{forward.name}` takes the response `{request.response}` as an argument, so it would predict "
            "it from itself."
        )
    if not forward.parameters:
        raise ConfigError(
            f"`{forward.name}` has no parameters to fit: each of its arguments is a column. Write `def "
            f"{forward.name}(x, w)`."
        )
    start = {**{name: value for name, value in forward.defaults.items() if name in forward.parameters}, **start}
    whole = Parameters({name: _labels((request.fix or {}).get(name, start.get(name))) for name in forward.parameters})
    for name in {*(request.fix or ()), *mentioned(None, request.ties, None)} - {*(request.start or ())}:
        start.pop(name, None)  # what the function has as a default
    held = _constraints(whole, request, table, start)
    if held is None:
        return FunctionModel(forward, request.response, whole, loss), start
    forward = replace(forward, constraints=held)
    return FunctionModel(forward, request.response, held.free, loss, constraints=held), start


def _as_probability(
    formula: Formula, loss: Loss, held: Constraints | None, table: Table, request: Request
) -> tuple[Loss, Constraints | None]:
    """Return the loss that takes a formula for the probability, if it is one and not log-odds, and what keeps it so."""
    bounds = None if held is None else held.bounds
    known: dict[Expr, Interval] = {}
    if bounds is not None:
        ends = zip(bounds.labels, bounds.low.tolist(), bounds.high.tolist(), strict=True)
        known = {Parameter(label): (low, high) for label, low, high in ends}

    def negative(column: Column) -> bool:
        there = request.engine == "query" or request.memory_limit is not None
        return not there and bool((table.numbers((column.name,), request.missing)[column.name] < 0.0).any())

    taken, within = taken_for(loss, formula.expression, known, negative)
    if not within or not request.bounded:
        return taken, held
    return taken, narrowed(held, Parameters(formula.parameters), {symbol.name: ends for symbol, ends in within.items()})


def probability_note(model: Model, loss: Loss) -> str | None:
    """Say that a formula was taken for the probability under a loss of log-odds, or for log-odds and might be one."""
    if model.formula is None or loss.of_mean == loss or model.formula.linear:
        return None
    name = model.response
    if model.loss == loss:
        if loss.score(model.formula.expression) is not model.formula.expression:
            return None
        return (
            f"the formula is taken for the log-odds of `{name}`, as it can leave the range from 0 to 1; if it is the "
            f"probability itself, choose the {loss.of_mean.name} loss"
        )
    held = None if model.constraints is None else model.constraints.bounds
    kept = "" if held is None or not held.asked else f" with {', '.join(held.asked)}"
    return (
        f"the formula is taken for the probability of `{name}`, not for its log-odds, as it stays between 0 and 1"
        f"{kept}, and is fitted by the {model.loss.name} loss. If it is the log-odds, write sigmoid(...) around it"
    )


def _refuse_no_column(model: SymbolicModel, table: Table) -> None:
    """Refuse several parameters and no column: they make up one constant, and one is a column misspelt."""
    names = tuple(model.parameters.shapes)
    if model.inputs or len(names) < 2:
        return
    known = [name for name in table.names if name not in model.response_columns]
    bare = unquoted(model.formula.text, known)
    if bare is not None:
        raise bare
    meant = next(filter(None, (closest(name, known) for name in names)), "")
    raise FormulaError(
        f"The right side of `{model.formula.text}` uses no column of the data: {joined(names)} are all parameters."
        f"{meant} "
        f"Columns: {listing(known) or 'none but the response'}."
    )


def _constraints(whole: Parameters, request: Request, table: Table, start: Mapping[str, Any]) -> Constraints | None:
    held = constrained(whole, request.fix, request.ties, request.bounds, table.names)
    if held is not None:
        refuse_starts(held, start)
    return held


def _check_sigma_wish(request: Request, loss: Loss) -> None:
    if request.weights is not None:
        raise ConfigError(
            f"`{request.sigma}` is given as sigma and `{request.weights}` as weights, but both say how far each row is "
            "trusted: sigma in the unit of the response, so that the size of the errors is known; weights relative to "
            "each other, so that it is estimated. Give one of them."
        )
    if not loss.quadratic:
        raise ConfigError(
            f"`{request.sigma}` is given as sigma, the standard deviation of normal errors, but the {loss.name} loss "
            "has "
            "errors of another kind. Use the squared loss, or give relative weights."
        )


def _labels(value: Any) -> tuple[str, ...] | None:
    return None if np.ndim(value) == 0 else tuple(str(number) for number in range(np.size(value)))


def known_column(name: str, table: Table, role: str) -> None:
    """Refuse a name that is no column of the table."""
    if name not in table.names:
        listed = ", ".join(plain_name(column) for column in table.names[:12])
        raise ConfigError(
            f"There is no column `{name}` to take as {role}.{closest(name, table.names)} Columns: {listed}."
        )


def gradient_source(model: Model, gradient: Gradient, table: Table, spread: str | None) -> tuple[str, Program | Kernel]:
    """Return the name of the gradient source, and what an engine is to sum.

    spread: the column of weights or sigma, which a gradient function has to take.
    """
    if isinstance(gradient, str) and gradient == "by_hand":
        raise ConfigError('A gradient by hand must be given: gradient="w = mean(2*x*(w*x - y))", or a Python function.')
    source = model.gradient_sources[0] if gradient is None else gradient
    if isinstance(source, str) and source in model.gradient_sources:
        return source, _of_source(source, model)
    if source == "derived":
        raise ConfigError(
            f"The gradient of a {model.kind} cannot be derived: `{model.name}` is not a formula. "
            'Use gradient="autograd", give a gradient function, or write the model as a formula.'
        )
    if callable(source):
        return "by_hand", _by_function(model, source, table, spread)
    if model.formula is None:
        raise ConfigError(
            f'The gradient of a {model.kind} is a Python function or "{model.gradient_sources[0]}", not text: '
            f"`{_texts(source)[0]}`. Write the model as a formula to give its gradient as text."
        )
    texts = _texts(source)
    return "by_hand", by_hand(model.formula, model.loss, texts, table.names, model.constraints)


def _of_source(source: str, model: Model) -> Program | Kernel:
    """Return what is summed where the model itself says what its gradient is."""
    if source == "numeric":
        return NumericKernel(model)
    program = None if model.symbolic is None else derived(model.symbolic.formula, model.loss)
    if source == "derived" and program is not None:
        return program
    from descend.engines.torch_engine import import_torch
    from descend.gradients.autograd import autograd_of_formula, autograd_of_function

    import_torch()
    return autograd_of_function(model) if program is None else autograd_of_formula(program)


def _texts(gradient: str | Sequence[str]) -> tuple[str, ...]:
    """Split ``"a = ...; b = ..."`` into one text per parameter."""
    texts = [gradient] if isinstance(gradient, str) else list(gradient)
    return tuple(part for text in texts for part in text.split(";") if part.strip()) or ("",)


def _by_function(model: Model, gradient: Callable[..., Any], table: Table, spread: str | None) -> Kernel:
    if model.response not in model.response_columns or (model.formula is not None and model.loss.link is not None):
        raise ConfigError(
            "A gradient function goes with a plain column on the left of the formula and a loss without a "
            "link. Give the gradient as text."
        )
    whole = model.parameters if model.constraints is None else model.constraints.whole
    bound = bind(gradient, [name for name in table.names if name not in whole.shapes])
    if spread is not None and spread not in bound.columns:
        raise ConfigError(
            f"`{bound.name}`, a gradient function, does not take `{spread}`, so it cannot weigh the rows by it. Let it "
            "take that column and return weighted means, give the gradient as text, or derived or autograd."
        )
    for name in bound.parameters:
        if name not in whole.shapes:
            raise ConfigError(
                f"`{bound.name}` takes `{name}`, which is neither a column nor a "
                f"parameter.{closest(name, [*table.names, *whole.shapes])} "
                f"Parameters: {', '.join(whole.shapes)}."
            )
    return FunctionKernel(model, replace(bound, constraints=model.constraints))


def gradient_columns(what: Program | Kernel) -> Iterable[str]:
    """Return the columns that a gradient by hand reads beyond those of the model."""
    if isinstance(what, Program):
        return what.more_columns
    return getattr(what, "names", ())
