"""A problem: model, rows, gradient and engine put together, checked, and evaluated where the descent will start."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.constraints import Bounds, Constraints, constrained
from descend.constraints.bounds import Given as Bounded
from descend.constraints.ties import Ties, mentioned, refuse_starts
from descend.descent import identifiability, preflight, suspicion
from descend.descent.growth import Grown, grown
from descend.descent.objective import Objective, Penalty, Point
from descend.descent.search import Found, search
from descend.descent.strangers import strangers
from descend.engines.numpy import NumpyEngine
from descend.engines.totals import Engine
from descend.errors import ConfigError, FormulaError
from descend.formula import read_formula
from descend.formula.printers.code import plain_name
from descend.formula.redundancy import joined
from descend.formula.symbols import Parameter
from descend.gradients.by_hand import FunctionKernel, by_hand
from descend.gradients.contract import Kernel, Program
from descend.gradients.court import Judgement
from descend.gradients.derived import derived
from descend.losses import LOSSES, Loss
from descend.models import FormulaModel, FunctionModel, Model, bind, formula_model
from descend.parameters import Parameters
from descend.registry import closest
from descend.table import Table, open_table
from descend.table.rounding import rounding_notes

if TYPE_CHECKING:
    from descend.descent.out_of_core import Gathered, Whole

Array = NDArray[np.float64]
Gradient = str | Sequence[str] | Callable[..., Any] | None
MANY = 1_000
"""Parameters above which factoring the columns beforehand takes longer than many fits need."""
LONG, FEW = 1_000_000_000, 100_000
"""Rows times epochs, and rows, below which nothing is compiled: a long run over few rows seldom goes to its end."""
ENGINES = ("auto", "numpy", "torch", "moments", "query")


@dataclass(eq=False)
class Problem:
    """What a run needs, and what its result remembers.

    gradient: the source, ``by_hand``, ``derived`` or ``autograd``. columns: the rows used. first: J, gradient and
        curvature at the start.
    scale: the size of J for a model that predicts nothing, 0 if that is not known. doubts: whether the notes say that
        some parameters cannot be told apart. weights, sigma: their columns. judgement: on a gradient by hand.
    grown: how the start was improved on samples; begin: where it was before.
    """

    model: Model
    gradient: str
    table: Table
    columns: Mapping[str, Array]
    objective: Objective
    first: Point
    notes: tuple[str, ...]
    scale: float = 0.0
    doubts: bool = False
    weights: str | None = None
    sigma: str | None = None
    judgement: Judgement | None = None
    grown: Grown | None = None
    begin: Array | None = None
    whole: Whole | None = None
    """What is known of all rows, where ``columns`` is a sample of them."""

    @property
    def start(self) -> Array:
        """Where it all began: theta before it was improved on samples."""
        return self.first.theta if self.begin is None else self.begin


@dataclass
class Wish:
    """What the user asked for: see ``descend.fit``."""

    response: str | None = None
    start: Mapping[str, Any] | None = None
    gradient: Gradient = None
    loss: str | Loss = "squared"
    weights: str | None = None
    l1: float = 0.0
    l2: float = 0.0
    where: str | None = None
    missing: str = "raise"
    engine: str = "auto"
    device: str | None = None
    sigma: str | None = None
    polish: bool = True
    """Whether a start that is searched for may be improved by a short descent."""
    grow: bool = False
    """Whether a start may be improved on samples of many rows."""
    bounds: Bounded = None
    fix: Mapping[str, Any] | None = None
    ties: Ties = None
    batched: bool = False
    """Whether the descent takes the rows in batches."""
    memory_limit: str | int | None = None
    epochs: int | None = None
    """How many epochs were asked for."""

    def check(self) -> None:
        """Refuse what is of the wrong kind altogether. Raises ConfigError."""
        loss: Any = self.loss
        if not isinstance(loss, str | Loss):
            what = type(loss).__name__
            raise ConfigError(f"A loss is named by text, such as `huber(delta=2)`; this is of type {what}.")
        names: dict[str, Any] = {"weights": self.weights, "response": self.response}
        for option, name in names.items():
            if name is not None and not isinstance(name, str):
                what = type(name).__name__
                raise ConfigError(
                    f"`{option}` is the name of a column; this is of type {what}. Put the values into the data."
                )
        start: Any = self.start
        if start is not None and not isinstance(start, Mapping):
            what = type(start).__name__
            raise ConfigError(f'Starting values are given by name, such as start={{"w": 0.0}}; this is of type {what}.')


def pose(model: str | Callable[..., Any], data: Any, wish: Wish) -> Problem:
    """Put a problem together. What overflows on the way is dealt with: let NumPy be silent of it.

    Raises FormulaError, DataError or ConfigError for whatever would make the descent pointless.
    """
    wish.check()
    loss = LOSSES.build(wish.loss) if isinstance(wish.loss, str) else wish.loss
    penalised = not_negative(wish.l1, "l1") + not_negative(wish.l2, "l2") > 0
    table = open_table(data, wish.where)
    try:
        return _posed(model, table, loss, wish, penalised)
    except BaseException:
        table.rest()
        raise


def _posed(model: str | Callable[..., Any], table: Table, loss: Loss, wish: Wish, penalised: bool) -> Problem:
    fitted, given = read_model(model, table, wish, loss)
    # Known standard deviations are weights 1 / sigma**2, in a column of their own.
    weights = wish.weights if wish.sigma is None else f"1/{wish.sigma}^2"
    source, what = gradient_source(fitted, wish.gradient, table, weights)
    spread = wish.sigma or wish.weights
    needed = dict.fromkeys(
        (*fitted.response_columns, *fitted.inputs, *gradient_columns(what), *([spread] if spread else []))
    )
    if wish.engine not in ENGINES:
        raise ConfigError(
            f"There is no engine `{wish.engine}`.{closest(wish.engine, ENGINES)} Known: {', '.join(ENGINES)}."
        )
    rounded: tuple[str, ...] = ()
    gathered, why = _gathered(fitted, what, table, tuple(needed), wish, weights, penalised)
    if gathered is None:
        columns, engine, scale, rounded = _in_memory(fitted, what, table, tuple(needed), wish, weights, penalised)
        if wish.engine == "auto" and getattr(engine, "fused", None) is not None:
            cause = f"{wish.epochs:,} epochs over {engine.rows:,} rows repay compiling a kernel"
            why = (*why, f"engine torch, chosen because {cause}")
    else:
        columns, engine, scale = gathered.columns, gathered.engine, gathered.whole.squares / gathered.engine.rows
    objective = Objective(engine, _penalty(fitted, wish.l1, wish.l2) if penalised else None)
    convex = fitted.linear or (isinstance(fitted, FormulaModel) and fitted.log_linear)
    theta = fitted.parameters.start(given, 0.0 if convex else 1.0)
    if fitted.constraints is not None and fitted.constraints.bounds is not None:
        theta, objective.bounds = _within(fitted.constraints.bounds, fitted, theta, given, objective)
    found = None
    searching = isinstance(fitted, FormulaModel) and not convex
    if searching and len(given) < len(fitted.parameters.shapes):
        found = _searched(fitted, weights, wish, columns, theta, given, objective)
        theta = theta if found is None else found.theta
    larger = _grown(fitted, wish, what, columns, theta, objective)
    begin = theta if larger is not None else None
    theta = theta if larger is None else larger.theta
    if gathered is None:
        first = preflight.finite_start(objective, fitted, theta, given, columns)
    else:
        first = gathered.finite_start(objective, fitted, theta, given, table)
    told = () if penalised else identifiability.at_start(fitted, first, columns, table.source)
    free = identifiability.free_values(fitted) if found is not None and told else {}
    if searching and free.keys() - given.keys():
        held = free | given
        again = _searched(fitted, weights, wish, columns, fitted.parameters.start(held, 1.0), held, objective)
        if again is not None:
            found, first = again, preflight.finite_start(objective, fitted, again.theta, held, columns)
    judgement = None
    if source == "by_hand":
        judgement = (
            suspicion.before_fit(fitted, what, columns, weights, engine, first)
            if gathered is None
            else gathered.judged(fitted, what, weights, first)
        )
    sampled = None if gathered is None else len(next(iter(columns.values())))
    told = (*strangers(fitted, table, given), *told) if told else ()
    wrong = () if judgement is None or judgement.agree else (suspicion.accusation(judgement, sampled),)
    searched = (each.note for each in (found, larger) if each is not None)
    notes = (*why, *searched, *table.notes, *rounded, *told, *wrong)
    scale = scale if loss.name == "squared" else 0.0
    whole = None if gathered is None else gathered.whole
    return Problem(
        fitted, source, table, columns, objective, first, notes, scale, bool(told), wish.weights, wish.sigma, judgement,
        larger, begin, whole,
    )  # fmt: skip


def _gathered(
    model: Model, what: Program | Kernel, table: Table, names: Sequence[str], wish: Wish, weights: str | None,
    penalised: bool,
) -> tuple[Gathered | None, tuple[str, ...]]:  # fmt: skip
    """Leave the rows where they are, if that is asked for or better; returns None and no notes if not."""
    if wish.memory_limit is None and wish.engine in ("numpy", "torch", "moments"):
        return None, ()
    if wish.engine == "auto" and wish.memory_limit is None and not table.size(len(names)):
        return None, ()
    from descend.descent import out_of_core

    there, why = out_of_core.chosen(wish, table, len(names))
    if not there:
        return None, ()
    gathered = out_of_core.gather(model, what, table, names, wish, weights, penalised)
    return gathered, (*((why,) if why else ()), *gathered.notes)


def _in_memory(
    model: Model, what: Program | Kernel, table: Table, names: Sequence[str], wish: Wish, weights: str | None,
    penalised: bool,
) -> tuple[Mapping[str, Array], Engine, float, tuple[str, ...]]:  # fmt: skip
    """Read the rows and check them; returns their columns, the engine, the mean square of the response, and notes."""
    columns: Mapping[str, Array] = table.numbers(names, wish.missing)
    rounded = rounding_notes(table, columns)
    rows = len(next(iter(columns.values())))
    preflight.check_rows(model, columns, rows, table.source, penalised)
    if wish.weights is not None:
        preflight.check_weights(columns[wish.weights], wish.weights, table.source)
    if wish.sigma is not None and weights is not None:
        preflight.check_sigma(columns[wish.sigma], wish.sigma, table.source)
        columns = {**columns, weights: columns[wish.sigma] ** -2.0}
    y = model.observed(columns)
    preflight.check_response(
        model.loss, y, model.response, table.source, {name: columns[name] for name in model.response_columns}
    )
    return columns, _engine(wish, what, columns, weights), float(y.dot(y)) / rows, rounded


def _grown(
    model: Model,
    wish: Wish,
    what: Program | Kernel,
    columns: Mapping[str, Array],
    theta: Array,
    objective: Objective,
) -> Grown | None:
    """Improve the start on samples, where there are so many rows that it pays."""
    parabola = model.linear and model.loss.name == "squared"
    if not wish.grow or parabola or not isinstance(what, Program):
        return None
    larger = grown(what, columns, objective.rows, theta, objective.penalty, objective.bounds)
    if larger is not None:
        objective.passes += larger.passes
    return larger


def _searched(
    model: Model,
    weights: str | None,
    wish: Wish,
    columns: Mapping[str, Array],
    theta: Array,
    given: Mapping[str, Any],
    objective: Objective,
) -> Found | None:
    """Search for starting values of what is not ``given``."""
    assert isinstance(model, FormulaModel)
    program = derived(model.formula, model.loss, weights)
    return search(program, columns, theta, given, wish.polish, objective.bounds)


def read_model(model: str | Callable[..., Any], table: Table, wish: Wish, loss: Loss) -> tuple[Model, dict[str, Any]]:
    """Return the model, and the starting values that were given for it."""
    start = dict(wish.start or {})
    if wish.sigma is not None:
        _check_sigma_wish(wish, loss)
        known_column(wish.sigma, table, "sigma")
    if isinstance(model, str):
        if wish.weights is not None:
            known_column(wish.weights, table, "weights")
        excluded = tuple(name for name in (wish.weights, wish.sigma) if name)
        names = {*start, *mentioned(wish.fix, wish.ties, wish.bounds)}
        formula = read_formula(model, table.names, table.numeric_names, starts=names, excluded=excluded)
        held = _constraints(Parameters(formula.parameters), wish, table, start)
        if held is not None and held.given:
            formula = read_formula(model, table.names, table.numeric_names, names, excluded, held.given)
        fitted = formula_model(formula, loss) if held is None else FormulaModel(formula, loss, held)
        _refuse_no_column(fitted, table)
        return fitted, start
    if not callable(model):
        raise ConfigError(
            f"A model is a formula, a Python function or a PyTorch module; this is a {type(model).__name__}."
        )
    if wish.response is None:
        raise ConfigError('Which column does the function predict? Say so with response="y".')
    known_column(wish.response, table, "response")
    forward = bind(model, [name for name in table.names if name not in start])
    if wish.response in forward.columns:
        raise ConfigError(
            f"`{forward.name}` takes the response `{wish.response}` as an argument, so it would predict it from itself."
        )
    if not forward.parameters:
        raise ConfigError(
            f"`{forward.name}` has no parameters to fit: each of its arguments is a column. Write `def "
            f"{forward.name}(x, w)`."
        )
    start = {**{name: value for name, value in forward.defaults.items() if name in forward.parameters}, **start}
    whole = Parameters({name: _labels((wish.fix or {}).get(name, start.get(name))) for name in forward.parameters})
    for name in {*(wish.fix or ()), *mentioned(None, wish.ties, None)} - {*(wish.start or ())}:
        start.pop(name, None)  # what the function has as a default
    held = _constraints(whole, wish, table, start)
    if held is None:
        return FunctionModel(forward, wish.response, whole, loss), start
    forward = replace(forward, constraints=held)
    return FunctionModel(forward, wish.response, held.free, loss, constraints=held), start


def _refuse_no_column(model: FormulaModel, table: Table) -> None:
    """Refuse several parameters and no column: they make up one constant, and one is a column misspelt."""
    names = tuple(model.parameters.shapes)
    if model.inputs or len(names) < 2:
        return
    known = [name for name in table.names if name not in model.response_columns]
    meant = next(filter(None, (closest(name, known) for name in names)), "")
    raise FormulaError(
        f"The right side of `{model.formula.text}` uses no column of the data: {joined(names)} are all parameters."
        f"{meant} "
        f"Columns: {', '.join(f'`{name}`' for name in known) or 'none but the response'}."
    )


def _constraints(whole: Parameters, wish: Wish, table: Table, start: Mapping[str, Any]) -> Constraints | None:
    held = constrained(whole, wish.fix, wish.ties, wish.bounds, table.names)
    if held is not None:
        refuse_starts(held, start)
    return held


def _within(
    bounds: Bounds, model: Model, theta: Array, given: Mapping[str, Any], objective: Objective
) -> tuple[Array, Bounds]:
    """Move starts that were not given inside their bounds, and find out at which bounds J is not finite.

    Raises ConfigError for a start that was given outside its bounds.
    """
    chosen = ~np.isnan(model.parameters.start(dict.fromkeys(given, 0.0), math.nan)) & ~bounds.pinned
    for place in np.flatnonzero(chosen & ~bounds.contains(theta)).tolist():
        raise ConfigError(
            f"The start of `{bounds.labels[place]}` is {theta[place]:g}, outside its bounds {bounds.text(place)}. "
            "Give a start inside them, or leave it out to have one chosen."
        )
    theta = np.where(chosen, theta, bounds.interior(theta))

    def finite(corner: Array) -> bool:
        with np.errstate(all="ignore"):
            point = objective(corner, 1)
        return bool(math.isfinite(point.loss) and np.isfinite(point.gradient).all())

    return theta, bounds.where_not_finite(finite, theta)


def _check_sigma_wish(wish: Wish, loss: Loss) -> None:
    if wish.weights is not None:
        raise ConfigError(
            f"`{wish.sigma}` is given as sigma and `{wish.weights}` as weights, but both say how far each row is "
            "trusted: sigma in the unit of the response, so that the size of the errors is known; weights relative to "
            "each other, so that it is estimated. Give one of them."
        )
    if loss.name != "squared":
        raise ConfigError(
            f"`{wish.sigma}` is given as sigma, the standard deviation of normal errors, but the {loss.name} loss has "
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


def gradient_source(
    model: Model, gradient: Gradient, table: Table, weights: str | None
) -> tuple[str, Program | Kernel]:
    """Return the name of the gradient source, and what an engine is to sum."""
    if isinstance(gradient, str) and gradient == "by_hand":
        raise ConfigError('A gradient by hand must be given: gradient="w = mean(2*x*(w*x - y))", or a Python function.')
    if isinstance(model, FormulaModel):
        program = derived(model.formula, model.loss, weights)
        if gradient is None or gradient == "derived":
            return "derived", program
        if gradient == "autograd":
            return "autograd", _autograd(program, weights)
        if isinstance(gradient, str) or not callable(gradient):
            return "by_hand", by_hand(
                model.formula, model.loss, _texts(gradient), table.names, weights, model.constraints
            )
        return "by_hand", _by_function(_as_function(model, program), gradient, table, weights)
    if gradient is None or gradient == "autograd":
        return "autograd", _autograd(model, weights)
    if gradient == "derived":
        raise ConfigError(
            f"The gradient of a Python function cannot be derived: `{model.forward.name}` is not a formula. "
            'Use gradient="autograd", give a gradient function, or write the model as a formula.'
        )
    if callable(gradient):
        return "by_hand", _by_function(model, gradient, table, weights)
    raise ConfigError(
        f'The gradient of a Python function is a Python function or "autograd", not text: `{_texts(gradient)[0]}`. '
        "Write the model as a formula to give its gradient as text."
    )


def _texts(gradient: str | Sequence[str]) -> tuple[str, ...]:
    """Split ``"a = ...; b = ..."`` into one text per parameter."""
    texts = [gradient] if isinstance(gradient, str) else list(gradient)
    return tuple(part for text in texts for part in text.split(";") if part.strip()) or ("",)


def _autograd(what: Program | FunctionModel, weights: str | None) -> Kernel:
    from descend.engines.torch import import_torch
    from descend.gradients.autograd import autograd_of_formula, autograd_of_function

    import_torch()
    return autograd_of_formula(what) if isinstance(what, Program) else autograd_of_function(what, weights)


def _as_function(model: FormulaModel, program: Program) -> FunctionModel:
    """Let a formula be called like a function, for a gradient function beside it."""
    if model.response not in model.response_columns or model.loss.link is not None:
        raise ConfigError(
            "A gradient function goes with a plain column on the left of the formula and a loss without a "
            "link. Give the gradient as text."
        )
    theta_names = tuple(program.parameters.shapes)

    def forward(**arguments: Any) -> Any:
        values = {name: arguments[name] for name in theta_names}
        predicted = model.predict(program.parameters.flat(values), {name: arguments[name] for name in model.inputs})
        return predicted if model.inputs else predicted[0]  # the same for every row

    from descend.models import Call

    call = Call(forward, model.inputs, theta_names, {})
    return FunctionModel(call, model.response, program.parameters, model.loss, model.linear, model.constraints)


def _by_function(model: FunctionModel, gradient: Callable[..., Any], table: Table, weights: str | None) -> Kernel:
    whole = model.parameters if model.constraints is None else model.constraints.whole
    bound = bind(gradient, [name for name in table.names if name not in whole.shapes])
    taken = weights if weights is None or weights in table.names else weights.removeprefix("1/").removesuffix("^2")
    if taken is not None and taken not in bound.columns:
        raise ConfigError(
            f"`{bound.name}`, a gradient function, does not take `{taken}`, so it cannot weigh the rows by it. Let it "
            "take that column and return weighted means, give the gradient as text, or derived or autograd."
        )
    for name in bound.parameters:
        if name not in whole.shapes:
            raise ConfigError(
                f"`{bound.name}` takes `{name}`, which is neither a column nor a "
                f"parameter.{closest(name, [*table.names, *whole.shapes])} "
                f"Parameters: {', '.join(whole.shapes)}."
            )
    return FunctionKernel(model, replace(bound, constraints=model.constraints), weights)


def gradient_columns(what: Program | Kernel) -> Iterable[str]:
    """Return the columns that a gradient by hand reads beyond those of the model."""
    if isinstance(what, Program):
        return what.more_columns
    return getattr(what, "names", ())


def _engine(wish: Wish, what: Program | Kernel, columns: Mapping[str, Array], weights: str | None) -> Engine:
    """Choose and build the engine.

    Moments serve a squared loss and linear parameters; NumPy sums other expressions and functions by hand; PyTorch sums
    what autograd needs.
    """
    only = None if isinstance(what, Program) else what.language
    name = (only or ("torch" if wish.device else "numpy")) if wish.engine == "auto" else wish.engine
    if isinstance(what, Program) and (name == "moments" or (what.linear and (wish.engine, name) == ("auto", "numpy"))):
        found = _moments(wish, what, columns, weights, asked=name == "moments")
        if found is not None:
            return found
    if only is not None and name != only:
        kind = "gradient by a Python function" if only == "numpy" else "autograd gradient"
        raise ConfigError(
            f"The {kind} runs on the engine `{only}`, not on `{name}`. Use --engine {only}, or another gradient."
        )
    if wish.device and name != "torch":
        raise ConfigError(
            f"A device goes with the engine `torch`, not with `{name}`. Leave out the device, or use --engine torch."
        )
    if name == "torch":
        from descend.engines.torch import TorchEngine

        return TorchEngine(what, columns, weights, wish.device, wish.epochs)
    if wish.engine == "auto" and _repaid(wish, what, len(next(iter(columns.values())))):
        from descend.engines.torch import TorchEngine

        return TorchEngine(what, columns, weights, "cpu", wish.epochs)
    return NumpyEngine(what, columns, weights)


def _repaid(wish: Wish, what: Program | Kernel, rows: int) -> bool:
    """Whether so many epochs were asked for that PyTorch, if it is there, repays the time it takes to compile."""
    if wish.epochs is None or wish.batched or wish.epochs * rows < LONG or rows < FEW:
        return False
    from importlib.util import find_spec

    if find_spec("torch") is None:
        return False
    from descend.engines.torch import pays

    return pays(what, rows, wish.epochs, instead_of="numpy")


def _moments(
    wish: Wish, program: Program, columns: Mapping[str, Array], weights: str | None, asked: bool
) -> Engine | None:
    """Build the engine of moments; None where it is not asked for and does not fit."""
    from descend.engines.moments import SAMPLE, MomentsEngine, refusal

    refused = refusal(program)
    if refused is None and wish.batched:
        refused = "passes over all rows once, so it takes no batches"
    if refused is None and not (asked and wish.device):
        if not asked and program.parameters.size > MANY:
            return None
        engine = MomentsEngine(program, columns, weights)
        # Of few rows whose columns all but depend on each other, sums over the rows leave a little more digits.
        return engine if asked or not wish.polish or engine.well or engine.rows > SAMPLE else None
    if asked and refused is not None:
        what = "Leave out the batch size" if "batches" in refused else "Leave out the engine"
        raise ConfigError(f"The engine `moments` {refused}. {what}, or use --engine numpy.")
    return None


def _penalty(model: Model, l1: float, l2: float) -> Penalty:
    """Spread the penalties over the components, leaving out intercepts: parameters that are merely added."""
    factors = np.ones(model.parameters.size)
    if isinstance(model, FormulaModel):
        for symbol, slope in model.formula.jacobian.items():
            if isinstance(symbol, Parameter) and slope == 1:
                factors[model.parameters.slices[symbol.name]] = 0.0
    return Penalty(l1 * factors, l2 * factors)


def not_negative(value: float, name: str) -> float:
    """Return the value of a penalty; ConfigError unless it is a finite number, 0 or more."""
    if not (math.isfinite(value) and value >= 0):
        raise ConfigError(f"The {name} penalty must be a number, 0 or more; it is {value!r}.")
    return float(value)
