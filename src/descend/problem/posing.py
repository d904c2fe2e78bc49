"""Turns a request and a table into a problem. Everything that cannot work is refused here, before the first step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from descend.errors import ConfigError, WordsError
from descend.formula.ambiguities import ambiguities
from descend.gradients.contract import Summand
from descend.losses import LOSSES, Loss
from descend.models import Model, kind_of
from descend.models.call import name_of, no_formula
from descend.options.request import Request
from descend.problem import preflight
from descend.problem.engine_choice import ENGINES, chosen_engine
from descend.problem.model_reading import gradient_source, probability_note, read_model
from descend.problem.objective import VectorObjective, objective_over
from descend.problem.penalty import penalty_of
from descend.problem.point import Array, PiecesOfRows
from descend.problem.problem import AllRows, Problem, SummedRows
from descend.registry import closest
from descend.table import Table
from descend.table.in_matrix import beside_matrix
from descend.table.rows import Rows

KEPT: dict[tuple[object, ...], Reading] = {}
"""What was read of formulas and their options, for columns of some names, ..."""
MOST_KEPT = 128
"""... and so many of them at most."""


@dataclass(frozen=True)
class Reading:
    """What a request and the columns of a table say of a problem before any row is read.

    loss: that of the request; the model may have another (see ``probability_note``). gradient, code: the name of its
    source, and what is to be summed. names: the columns that are read. notes: what was decided about the formula, in
    sentences; doubts: what in it may be meant otherwise.
    """

    loss: Loss
    model: Model
    gradient: str
    code: Summand
    names: tuple[str, ...]
    notes: tuple[str, ...]
    doubts: tuple[str, ...]

    def for_any_rows(self, request: Request) -> bool:
        """Whether it is the same for all tables with columns of these names, and other values of the same start."""
        model, loss = self.model, self.loss
        if model.formula is None or model.formula.vectors or model.codings or model.inexact or request.roles.clusters:
            return False
        return model.constraints is None and not loss.per_class and loss.of_mean == loss == loss.of_score


def pose(request: Request, table: Table) -> Problem:
    """Put a problem together. Overflow on the way is handled, so NumPy's warnings about it are silenced.

    Raises FormulaError, DataError or ConfigError for whatever would make the descent pointless.
    """
    try:
        return _problem_of(request, table)
    except WordsError as refused:
        from descend.problem.response_levels import levels_of_words

        return _problem_of(request, levels_of_words(request, table, refused))


def _problem_of(request: Request, table: Table) -> Problem:
    reading, starting, table = _reading_of(request, table)
    loss, model, gradient, code, names = reading.loss, reading.model, reading.gradient, reading.code, reading.names
    summed = _summed_rows(model, code, table, names, request)
    pair = None if isinstance(request.model, str) else kind_of(request.model).original(request.model, model)
    doubt = None if pair is None else pair.difference(model.parameters.start(starting, 1.0), summed.rows.columns)
    if doubt is not None:
        return pose(untraced(request, doubt), table)
    objective = _objective(request, model, table, summed)
    start = _with_rows(objective, model, summed, gradient, starting, request.given.get("start"))
    notes = [*request.notes, *model.notes, *summed.notes, *reading.notes]
    if model.inexact and not request.bare:
        from descend.problem.errors_of_inputs import notes_of_inexact

        notes += notes_of_inexact(model, code, summed.rows)
    if table.counted:
        from descend.problem.response_levels import counted_notes

        notes += counted_notes(table.counted, {*names} - {loss.states}, model.response, loss)
    validation = None
    if request.held_out is not None:
        from descend.problem.validation import validation_of

        validation, note = validation_of(request, model, code, table, names)
        notes += [note] if note else []
    priors = objective.priors
    return Problem(
        model=model,
        gradient=gradient,
        code=code,
        table=table,
        rows=summed.rows,
        objective=objective,
        given=starting,
        start=start,
        notes=tuple(notes),
        remarks=(*reading.doubts, *table.notes, *summed.remarks),
        scale=_scale(model, summed),
        squares=summed.squares if loss.of_residual else 0.0,
        parabola=model.linear and model.loss.quadratic and (priors is None or priors.priors.bell),
        all_rows=summed.all_rows,
        validation=validation,
    )


def _scale(model: Model, summed: SummedRows) -> float:
    """Return the size of J for a model that predicts nothing; 0 where it is not known."""
    if model.inexact and not model.response_columns:
        from descend.problem.errors_of_inputs import mean_square_of_inputs

        return mean_square_of_inputs(model, summed.rows)
    return summed.squares if model.loss.quadratic else 0.0


def _reading_of(request: Request, table: Table) -> tuple[Reading, Mapping[str, object], Table]:
    """Read a request; return also the starting values given, and the table with what follows from its columns.

    Of a formula whose reading does not depend on the rows that is done but once.

    Raises FormulaError, DataError or ConfigError.
    """
    if request.of_options is None or table.codings:
        return _read(request, table)
    start = request.start or {}
    key = request.of_options, table.names, *start
    kept = KEPT.get(key)
    if kept is not None:
        return kept, {**kept.loss.own_parameters, **start}, table
    reading, starting, table_read = _read(request, table)
    if table_read is table and reading.for_any_rows(request):
        if len(KEPT) >= MOST_KEPT:
            KEPT.clear()
        KEPT[key] = reading
        request.of_options.__dict__.setdefault("roles", request.roles)  # `Request.but` hands it on
    return reading, starting, table_read


def _read(request: Request, table: Table) -> tuple[Reading, Mapping[str, object], Table]:
    loss = LOSSES.build(request.loss)
    table = kind_of(request.model).rows_of(request.model, table, request.roles.spread)
    model, starting = read_model(request, table, loss)
    if request.reference:
        from descend.problem.response_levels import levels_by_reference

        table = levels_by_reference(model, request, table)
    if model.codings or table.codings:
        table = table.with_codings(model.codings)
    if request.roles.clusters:
        from descend.problem.dependent_rows import with_clusters

        table = with_clusters(table, request, model)
    gradient, code = _code_of(model, request, table)
    if request.engine not in ENGINES:
        raise ConfigError(
            f"There is no engine `{request.engine}`.{closest(request.engine, ENGINES)} Known: {', '.join(ENGINES)}."
        )
    beside = (*code.more_columns, *request.roles.columns, *request.weighed_by)
    names = tuple(dict.fromkeys((*model.response_columns, *model.inputs, *beside)))
    doubts = ambiguities(model.formula, table.names) if model.formula is not None and not request.bare else ()
    return Reading(loss, model, gradient, code, names, _notes_of(model, loss), doubts), starting, table


def _notes_of(model: Model, loss: Loss) -> tuple[str, ...]:
    """Return what was decided about a formula: its loss, and the levels held at 0."""
    notes = [probability_note(model, loss)]
    if model.constraints is not None and model.constraints.references:
        from descend.models.references import reference_note

        notes.append(reference_note(model.constraints))
    return tuple(filter(None, notes))


def _code_of(model: Model, request: Request, table: Table) -> tuple[str, Summand]:
    """Return the name of the gradient source, and what is to be summed."""
    gradient, code = gradient_source(model, request.gradient, table, request.roles.spread)
    if request.x_sigma or not model.response_columns:
        from descend.problem.errors_of_inputs import check_errors_of_inputs

        check_errors_of_inputs(model, request)
    if request.covariance is None:
        return gradient, code
    from descend.problem.dependent_rows import coupled_rows

    return gradient, coupled_rows(code, model, gradient, request)


def _objective(request: Request, model: Model, table: Table, summed: SummedRows) -> VectorObjective:
    """Return J: the mean loss, with penalties or priors."""
    penalty = penalty_of(model, request.l1, request.l2) if request.l1 or request.l2 else None
    objective = objective_over(summed.engine, penalty)
    if not request.priors:
        return objective
    from descend.problem.with_priors import posed_priors

    return posed_priors(objective, request, model, table, summed)


def untraced(request: Request, reason: str) -> Request:
    """Return a request that has a function called rather than the formula traced from it, with a note of why."""
    note = no_formula(name_of(request.model), reason)
    return replace(request, gradient="numeric", notes=(*request.notes, note))


def _summed_rows(model: Model, code: Summand, table: Table, names: Sequence[str], request: Request) -> SummedRows:
    """Read and check the rows, or leave them where they are if that is requested or better; choose the engine."""
    notes: tuple[str, ...] = ()
    if (
        request.memory_limit is not None
        or request.engine == "query"
        or (request.engine == "auto" and table.size(len(names)))
    ):
        from descend.problem import out_of_core

        there, why = out_of_core.rows_stay(request, table, len(names))
        if there:
            return out_of_core.summed_there(model, code, table, names, request, why)
    rows = preflight.read_rows(model, table, names, request)
    penalised = request.l1 + request.l2 > 0 or bool(request.priors)
    remarks: tuple[str, ...] = ()
    if not request.bare:
        # A matrix holds floats to begin with.
        remarks = table.rounding_notes(beside_matrix(rows.columns) if model.listed else rows.columns)
        preflight.check_rows(model, rows.columns, rows.count, table.source, penalised)
    rows.check()
    model.loss.check_columns(rows.outside, table.source)
    preflight.check_response(model.loss, rows, model.response, model.response_columns)
    squares = float(rows.y.dot(rows.y))
    if squares == 0.0:
        preflight.check_size(rows.y, model.response, table.source)
    engine = chosen_engine(request, code, rows)
    if request.engine == "auto" and engine.compiles:
        cause = f"{request.epochs:,} epochs over {engine.count:,} rows repay compiling a kernel"
        notes = (f"engine torch, chosen because {cause}",)
    return SummedRows(rows, engine, squares / rows.count, notes, remarks)


def _with_rows(
    objective: VectorObjective,
    model: Model,
    summed: SummedRows,
    gradient: str,
    given: Mapping[str, object],
    requested: object,
) -> Array:
    """Give J what is known of its rows and its bounds; return where a descent may begin.

    given: starts, of which those that were ``requested`` are the user's and others are ends of earlier fits.
    """
    rows, loss, symbolic = summed.rows, model.loss, model.symbolic
    objective.floor = loss.floor(rows.y, rows.omega)
    if loss.kinked and gradient != "by_hand" and not objective.arrow:
        objective.pieces = pieces_of_rows(model, rows, objective, summed.all_rows)
    apart = summed.all_rows is None and not objective.arrow
    if apart and loss.prediction_domain.limited and loss.plain and not model.in_place:
        from descend.problem.edge_of_domain import Edge

        objective.edge = Edge(model, rows)
    smooth = apart and loss.plain and not loss.kinked
    if smooth and symbolic is not None and symbolic.formula.kinked:
        from descend.formula.domain import bends
        from descend.problem.kinks import Kinks

        if bends(symbolic.formula.expression):
            objective.kinks = Kinks(symbolic, rows)
    start = model.parameters.start(given, 0.0 if model.linear or model.log_linear else 1.0)
    if model.log_linear and not given and not loss.response_domain.closed and not objective.arrow:
        from descend.problem.chosen_start import of_logarithms

        start = of_logarithms(model, rows, start)
    bounds = None if model.constraints is None else model.bounds
    if bounds is None:
        return start
    from descend.problem.chosen_start import within

    start, objective.bounds = within(bounds, model, start, given, requested, objective)
    return start


def pieces_of_rows(model: Model, rows: Rows, objective: VectorObjective, all_rows: AllRows | None) -> PiecesOfRows:
    """Return the rows of a loss with kinks, one by one; for rows not in memory, only those nearest to their kink."""
    from descend.problem.rows_with_kinks import RowPieces, StreamedPieces

    if all_rows is None or objective.rows == rows.count:
        return RowPieces(model, rows, objective.penalty)
    return StreamedPieces(RowPieces(model, rows, objective.penalty, all_rows.omega), all_rows.lazy)
