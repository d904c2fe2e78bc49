"""Turns what the user gave into a model and the source of its gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sympy import Expr

from descend.errors import ConfigError
from descend.formula.functions import Interval
from descend.formula.symbols import Column, Parameter
from descend.gradients.contract import Kernel, Summand
from descend.gradients.sources import REGISTERED, SOURCES
from descend.losses import Loss
from descend.models import Model, SymbolicModel, bind, kind_of
from descend.models.reading import known_column
from descend.options.of_model import Gradient
from descend.options.request import Request
from descend.parameters import Parameters, narrowed
from descend.registry import closest
from descend.table import Table
from descend.table.headers import plain_names


def read_model(request: Request, table: Table, loss: Loss) -> tuple[Model, dict[str, object]]:
    """Return the model, and the starting values that were given for it."""
    model: object = request.model
    if request.sigma is not None:
        check_sigma_wish(request, loss)
        known_column(request.sigma, table, "sigma")
    if loss.per_class:
        from descend.models.per_class import PerClassModel

        one, _ = kind_of(model).read(model, table, request.but(start=None), loss)
        return PerClassModel.of_each(one, request, request.start or {})
    fitted, start = kind_of(model).read(model, table, request, loss)
    if fitted.symbolic is not None:
        fitted = _as_probability(fitted.symbolic, table, request)
    return fitted, start


def _as_probability(model: SymbolicModel, table: Table, request: Request) -> Model:
    """Give a formula that is a probability, not log-odds, the matching loss, and bounds that keep it a probability."""
    loss, constraints, parameters = model.loss, model.constraints, Parameters(model.formula.parameters)
    if loss.of_mean == loss == loss.of_score:
        return model
    from descend.losses.probability import taken_for

    bounds = model.bounds
    ranges: dict[Expr, Interval] = {}
    if bounds is not None:
        ends = zip(bounds.labels, bounds.low.tolist(), bounds.high.tolist(), strict=True)
        ranges = {Parameter(label): (low, high) for label, low, high in ends}

    def negative(column: Column) -> bool:
        there = request.engine == "query" or request.memory_limit is not None
        return not there and bool((table.numbers((column.name,), request.missing)[column.name] < 0.0).any())

    probability_loss, within = taken_for(loss, model.formula.expression, ranges, negative)
    if within and request.bounded:
        constraints = narrowed(constraints, parameters, {symbol.name: ends for symbol, ends in within.items()})
    return (
        model
        if probability_loss is loss and constraints is model.constraints
        else model.under(probability_loss, constraints)
    )


def columns_read(request: Request, model: Model) -> tuple[str, ...]:
    """Return the columns that a fit reads: of its model, of row weights, of the loss, and of errors of inputs."""
    of_inputs = (sigma for sigma in (*model.inexact.values(), *model.correlated.values()) if isinstance(sigma, str))
    others = (*request.roles.columns, *model.loss.own_columns, *of_inputs)
    return tuple(dict.fromkeys((*model.response_columns, *model.inputs, *others)))


def probability_note(model: Model, loss: Loss) -> str | None:
    """Say that a formula was read as a probability, or as log-odds, where it may have been meant as the other."""
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
    ends_given = model.bounds
    bounded = "" if ends_given is None or not ends_given.free_texts else f" with {', '.join(ends_given.free_texts)}"
    return (
        f"the formula is taken for the probability of `{name}`, not for its log-odds, as it stays between 0 and 1"
        f"{bounded}, and is fitted by the {model.loss.name} loss. If it is the log-odds, write sigmoid(...) around it"
    )


def check_sigma_wish(request: Request, loss: Loss) -> None:
    """Refuse sigma beside weights, and under a loss whose errors are not normal. Raises ConfigError."""
    if request.weights is not None:
        raise ConfigError(
            f"`{request.sigma}` is given as sigma and `{request.weights}` as weights, but both say how far each row is "
            "trusted: sigma in the unit of the response, so that the size of the errors is known; weights relative to "
            "each other, so that it is estimated. Give one of them."
        )
    if not (loss.quadratic or (request.x_sigma and loss.of_distance)):
        raise ConfigError(
            f"`{request.sigma}` is given as sigma, the standard deviation of normal errors, but the {loss.name} loss "
            "has "
            "errors of another kind. Use the squared loss, or give relative weights."
        )


def gradient_source(model: Model, gradient: Gradient, table: Table, spread: str | None) -> tuple[str, Summand]:
    """Return the name of the gradient source, and what an engine is to sum.

    spread: the column of weights or sigma, which a gradient function has to take.
    """
    if isinstance(gradient, str) and gradient == "by_hand":
        raise ConfigError('A gradient by hand must be given: gradient="w = mean(2*x*(w*x - y))", or a Python function.')
    source = model.gradient_sources[0] if gradient is None else gradient
    if isinstance(source, str) and source in (*model.gradient_sources, *REGISTERED):
        return source, (REGISTERED.get(source) or SOURCES[source])(model)
    if source == "derived":
        start = f"`{model.name}` is no formula: it "
        reason = next((note.partition(start)[2] for note in model.notes if note.startswith(start)), "")
        reason = reason.removesuffix(", so its gradient is numeric")
        why = f"`{model.name}` is not a formula" + (f", since it {reason}" if reason else "")
        raise ConfigError(
            f"The gradient of a {model.kind} cannot be derived: {why}. "
            'Use gradient="autograd", give a gradient function, or write the model as a formula.'
        )
    if source == "jax":
        raise ConfigError(
            f"JAX differentiates a Python function of jax.numpy, and this is a {model.kind}. Use "
            f'gradient="{model.gradient_sources[0]}", or leave it out.'
        )
    if callable(source):
        return "by_hand", _by_function(model, source, table, spread)
    if model.formula is None:
        raise ConfigError(
            f'The gradient of a {model.kind} is a Python function or "{model.gradient_sources[0]}", not text: '
            f"`{_texts(source)[0]}`. Write the model as a formula to give its gradient as text."
        )
    if isinstance(source, str) and source.isidentifier():
        known = (*model.gradient_sources, *REGISTERED)
        raise ConfigError(
            f"A {model.kind} has no gradient source `{source}`.{closest(source, known)} Known: {', '.join(known)}; or "
            "give the gradient itself, such as `w = mean(2*x*(w*x - y))`."
        )
    from descend.gradients.by_hand import by_hand

    texts = _texts(source)
    return "by_hand", by_hand(model.formula, model.loss, texts, table.names, model.constraints)


def _texts(gradient: str | Sequence[str]) -> tuple[str, ...]:
    """Split ``"a = ...; b = ..."`` into one text per parameter."""
    texts = [gradient] if isinstance(gradient, str) else list(gradient)
    return tuple(text_part for text in texts for text_part in text.split(";") if text_part.strip()) or ("",)


def _by_function(model: Model, gradient: Callable[..., object], table: Table, spread: str | None) -> Kernel:
    from descend.gradients.by_hand import FunctionKernel
    from descend.gradients.jacobian_by_hand import JacobianKernel, is_jacobian

    if model.response not in model.response_columns or (model.formula is not None and model.loss.link is not None):
        raise ConfigError(
            "A gradient function goes with a plain column on the left of the formula and a loss without a "
            "link. Give the gradient as text."
        )
    named_parameters = model.every_parameter
    if model.forward is not None:
        from descend.models.stacked import called_like

        gradient = called_like(gradient, model.forward.function, frozenset((*table.names, *named_parameters.shapes)))
    others = [name for name in table.names if not named_parameters.shapes.keys() & {name, *plain_names([name])}]
    bound = bind(gradient, others)
    if set(bound.parameters) <= named_parameters.shapes.keys() and is_jacobian(model, bound, table):
        return JacobianKernel(model, replace(bound, constraints=model.constraints))
    if spread is not None and spread not in bound.columns:
        raise ConfigError(
            f"`{bound.name}`, a gradient function, does not take `{spread}`, so it cannot weigh the rows by it. Let it "
            "take that column and return weighted means, give the gradient as text, or derived or autograd."
        )
    for name in bound.parameters:
        if name not in named_parameters.shapes:
            raise ConfigError(
                f"`{bound.name}` takes `{name}`, which is neither a column nor a "
                f"parameter.{closest(name, [*table.names, *named_parameters.shapes])} "
                f"Parameters: {', '.join(named_parameters.shapes)}."
            )
    return FunctionKernel(model, replace(bound, constraints=model.constraints))
