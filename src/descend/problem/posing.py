"""A problem: model, rows, gradient and engine put together, checked, and evaluated where the descent will start."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.engines.totals import Engine
from descend.errors import ConfigError
from descend.formula.ambiguities import readings
from descend.formula.domain import bends
from descend.formula.symbols import Parameter
from descend.gradients.contract import Kernel, Program
from descend.gradients.court import Judgement
from descend.gradients.derived import derived
from descend.losses import LOSSES, Loss
from descend.models import Model
from descend.options.request import Request
from descend.parameters import Bounds
from descend.problem import identifiability, preflight, suspicion
from descend.problem.edge import Edge
from descend.problem.engine_choice import ENGINES, chosen
from descend.problem.kinks import Kinks
from descend.problem.missing_columns import strangers
from descend.problem.model_reading import gradient_columns, gradient_source, probability_note, read_model
from descend.problem.objective import VectorObjective, objective_over
from descend.problem.pieces import RowPieces, StreamedPieces
from descend.problem.point import Penalty, PiecesOfRows, Point
from descend.registry import closest
from descend.starts.growth import improved
from descend.starts.search import Start, search
from descend.table import Table, open_table
from descend.table.rows import Rows

if TYPE_CHECKING:
    from descend.problem.out_of_core import Gathered, Whole

Array = NDArray[np.float64]


@dataclass(eq=False)
class Problem:
    """What a run needs, and what its result remembers.

    gradient: the source, ``by_hand``, ``derived`` or ``autograd``. rows: those used, or a sample of them. first: J,
        gradient and curvature at the start.
    scale: the size of J for a model that predicts nothing, 0 if that is not known. doubts: whether the notes say that
        some parameters cannot be told apart. judgement: on a gradient by hand.
    grown: how the start was improved on samples; begin: where it was before.
    """

    model: Model
    gradient: str
    table: Table
    rows: Rows
    objective: VectorObjective
    first: Point
    notes: tuple[str, ...]
    scale: float = 0.0
    doubts: bool = False
    judgement: Judgement | None = None
    grown: Start | None = None
    begin: Array | None = None
    given: frozenset[str] = frozenset()
    """The parameters of which starting values were given; of a module, which holds its own, all."""
    squares: float = 0.0
    """The mean square of the response, where the loss is of residuals; else 0."""
    whole: Whole | None = None
    """What is known of all rows, where ``rows`` is a sample of them."""

    @property
    def columns(self) -> Mapping[str, Array]:
        """The columns of the rows."""
        return self.rows.columns

    @property
    def start(self) -> Array:
        """Where it all began: theta before it was improved on samples."""
        return self.first.theta if self.begin is None else self.begin


def pose(model: str | Callable[..., Any], data: Any, request: Request) -> Problem:
    """Put a problem together. What overflows on the way is dealt with: let NumPy be silent of it.

    Raises FormulaError, DataError or ConfigError for whatever would make the descent pointless.
    """
    request.check()
    loss = LOSSES.build(request.loss)
    penalised = request.l1 + request.l2 > 0
    table = open_table(data, request.where)
    try:
        return _posed(model, table, loss, request, penalised)
    except BaseException:
        table.rest()
        raise


def _posed(model: str | Callable[..., Any], table: Table, loss: Loss, request: Request, penalised: bool) -> Problem:
    fitted, given = read_model(model, table, request, loss)
    source, what = gradient_source(fitted, request.gradient, table, request.roles.spread)
    needed = dict.fromkeys((*fitted.response_columns, *fitted.inputs, *gradient_columns(what), *request.roles.columns))
    if request.engine not in ENGINES:
        raise ConfigError(
            f"There is no engine `{request.engine}`.{closest(request.engine, ENGINES)} Known: {', '.join(ENGINES)}."
        )
    rounded: tuple[str, ...] = ()
    gathered, why = _gathered(fitted, what, table, tuple(needed), request, penalised)
    if gathered is None:
        rows, engine, scale, rounded = _in_memory(fitted, what, table, tuple(needed), request, penalised)
        if request.engine == "auto" and getattr(engine, "fused", None) is not None:
            cause = f"{request.epochs:,} epochs over {engine.count:,} rows repay compiling a kernel"
            why = (*why, f"engine torch, chosen because {cause}")
    else:
        rows, engine, scale = gathered.rows, gathered.engine, gathered.whole.squares / gathered.engine.count
    objective = objective_over(engine, _penalty(fitted, request.l1, request.l2) if penalised else None)
    columns = rows.columns
    objective.floor = fitted.loss.floor(rows.y, rows.omega)
    if loss.kinked and source != "by_hand":
        objective.pieces = _pieces(fitted, rows, objective.penalty, gathered)
    convex = fitted.linear or fitted.log_linear
    theta = fitted.parameters.start(given, 0.0 if convex else 1.0)
    if fitted.constraints is not None and fitted.constraints.bounds is not None:
        theta, objective.bounds = _within(fitted.constraints.bounds, fitted, theta, given, objective)
    found = None
    searching = fitted.formula is not None and not convex
    if searching and len(given) < len(fitted.parameters.shapes):
        found = _searched(fitted, request, rows, theta, given, objective)
        theta = theta if found is None else found.theta
        if found is not None and gathered is not None:
            found = found.in_sample(rows.count, objective.rows)
    larger = _grown(fitted, request, what, rows, theta, objective)
    smooth = gathered is None and not loss.kinked
    if gathered is None and fitted.loss.prediction_domain.limited and not fitted.in_place:
        objective.edge = Edge(fitted, rows)
    symbolic = fitted.symbolic
    if smooth and symbolic is not None and bends(symbolic.formula.expression):
        objective.kinks = Kinks(symbolic, rows)
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
        again = _searched(fitted, request, rows, fitted.parameters.start(held, 1.0), held, objective)
        if again is not None:
            found, first = again, preflight.finite_start(objective, fitted, again.theta, held, columns)
    judgement = None
    if source == "by_hand":
        judgement = (
            suspicion.before_fit(fitted, what, rows, engine, first)
            if gathered is None
            else gathered.judged(fitted, what, first)
        )
        if loss.kinked and judgement.agree:  # so the derived one may say where the kinks lie
            objective.pieces = _pieces(fitted, rows, objective.penalty, gathered)
            first = objective(first.theta, objective.last_order)
    sampled = None if gathered is None else rows.count
    told = (*strangers(fitted, table, given), *told) if told else ()
    wrong = () if judgement is None or judgement.agree else (suspicion.accusation(judgement, sampled),)
    searched = (each.note for each in (found, larger) if each is not None)
    if (taken := probability_note(fitted, loss)) is not None:
        why = (*why, taken)
    doubtful = readings(fitted.formula, table.names) if fitted.formula is not None else ()
    notes = (*why, *searched, *doubtful, *table.notes, *rounded, *told, *wrong)
    squares = scale if loss.of_residual else 0.0
    scale = scale if loss.quadratic else 0.0
    whole = None if gathered is None else gathered.whole
    return Problem(
        fitted, source, table, rows, objective, first, notes, scale, bool(told), judgement,
        larger, begin, frozenset(given), squares, whole,
    )  # fmt: skip


def _pieces(model: Model, rows: Rows, penalty: Penalty | None, gathered: Gathered | None) -> PiecesOfRows:
    """Return the rows of a loss with kinks, one by one; of those that stay where they are the nearest ones."""
    if gathered is None or gathered.engine.count == rows.count:
        return RowPieces(model, rows, penalty)
    whole = gathered.whole
    return StreamedPieces(RowPieces(model, rows, penalty, whole.omega), whole.lazy)


def _gathered(
    model: Model, what: Program | Kernel, table: Table, names: Sequence[str], request: Request,
    penalised: bool,
) -> tuple[Gathered | None, tuple[str, ...]]:  # fmt: skip
    """Leave the rows where they are, if that is asked for or better; returns None and no notes if not."""
    if request.memory_limit is None and request.engine in ("numpy", "torch", "moments"):
        return None, ()
    if request.engine == "auto" and request.memory_limit is None and not table.size(len(names)):
        return None, ()
    from descend.problem import out_of_core

    there, why = out_of_core.chosen(request, table, len(names))
    if not there:
        return None, ()
    gathered = out_of_core.gather(model, what, table, names, request, penalised)
    return gathered, (*((why,) if why else ()), *gathered.notes)


def _in_memory(
    model: Model, what: Program | Kernel, table: Table, names: Sequence[str], request: Request,
    penalised: bool,
) -> tuple[Rows, Engine, float, tuple[str, ...]]:  # fmt: skip
    """Read the rows and check them; returns them, the engine, the mean square of the response, and notes."""
    rows = preflight.read_rows(model, table, names, request)
    rounded = table.rounding_notes(rows.columns)
    preflight.check_rows(model, rows.columns, rows.count, table.source, penalised)
    rows.check()
    preflight.check_response(model.loss, rows, model.response, model.response_columns)
    squares = float(rows.y.dot(rows.y))
    if squares == 0.0:
        preflight.check_size(rows.y, model.response, table.source)
    return rows, chosen(request, what, rows), squares / rows.count, rounded


def _grown(
    model: Model,
    request: Request,
    what: Program | Kernel,
    rows: Rows,
    theta: Array,
    objective: VectorObjective,
) -> Start | None:
    """Improve the start on samples, where there are so many rows that it pays."""
    parabola = model.linear and model.loss.quadratic
    if not request.grow or parabola or not isinstance(what, Program):
        return None
    larger = improved(what, rows, objective.rows, theta, objective.penalty, objective.bounds)
    if larger is not None:
        objective.passes += larger.passes
    return larger


def _searched(
    model: Model,
    request: Request,
    rows: Rows,
    theta: Array,
    given: Mapping[str, Any],
    objective: VectorObjective,
) -> Start | None:
    """Search for starting values of what is not ``given``."""
    assert model.formula is not None
    program = derived(model.formula, model.loss)
    return search(program, rows, theta, given, request.polish, objective.bounds)


def _within(
    bounds: Bounds, model: Model, theta: Array, given: Mapping[str, Any], objective: VectorObjective
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


def _penalty(model: Model, l1: float, l2: float) -> Penalty:
    """Spread the penalties over the components, leaving out intercepts: parameters that are merely added.

    They are added to the prediction, or to what is linear in all parameters and inside a function, as in exp(a + b*x).
    """
    factors = np.ones(model.parameters.size)
    if (symbolic := model.symbolic) is not None:
        inside = symbolic.linear_predictor
        for symbol, slope in symbolic.formula.jacobian.items():
            added = slope if inside is None else inside.diff(symbol)
            if isinstance(symbol, Parameter) and added.is_number and added != 0:
                factors[model.parameters.slices[symbol.name]] = 0.0
    return Penalty(l1 * factors, l2 * factors)
