"""Rows that are not loaded into memory: checked and summed where they are, with only a sample in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.engines.numpy_engine import NumpyEngine
from descend.engines.query import MOST_PARAMETERS, QueryEngine
from descend.engines.response_sums import Response
from descend.engines.stream import StreamEngine
from descend.engines.totals import Engine
from descend.errors import ConfigError, DataError
from descend.formula.printers.database import LackingFunctionError
from descend.gradients.contract import Summand
from descend.gradients.court import Judgement
from descend.gradients.derived import Program, as_program, derived
from descend.losses.row_sums import row_terms, sum_over_rows
from descend.models import Model
from descend.problem import preflight, suspicion
from descend.problem.point import Point
from descend.problem.problem import AllRows, Problem, SummedRows
from descend.table import Table
from descend.table.keyed_rows import WRITTEN, keyed
from descend.table.lazy import Lazy
from descend.table.memory import of_database, read_size, there_is, written
from descend.table.rows import Rows, check_roles
from descend.table.summary import Summary
from descend.table.table import check_missing
from descend.wording import spell, using

if TYPE_CHECKING:
    from descend.options.request import Request

Array = NDArray[np.float64]
SAMPLE = 10_000
"""Rows loaded into memory as a sample, for finding starting values, drawing and checking residuals."""
FEW_PARAMETERS = 20
"""Up to so many, sums by DuckDB take no more time than fetching the rows; the sums grow with the square."""
IN_MEMORY = 3.0
"""Memory that columns take while they are read and fitted, as a multiple of their own size."""


def gradient_judged(problem: Problem, first: Point) -> Judgement:
    """Judge a gradient by hand on the sample.

    A gradient given as text is only called wrong if it also disagrees on all rows, as it may use their number.
    """
    model, code, all_rows = problem.model, problem.code, problem.all_rows
    assert all_rows is not None
    judgement = suspicion.before_fit(model, code, problem.rows, NumpyEngine(code, problem.rows), first)
    if not judgement.agree and as_program(code) is not None and model.formula is not None:
        truth: Any = engine_of(derived(model.formula, model.loss), all_rows.lazy)
        if suspicion.agrees(model, problem.rows, problem.objective.engine, first, truth):
            return suspicion.approved(model, first)
    return judgement


def finite_start(problem: Problem, theta: Array, given: Collection[str]) -> Point:
    """Evaluate J at the start as ``preflight.finite_start`` does; where that fails, look for the row at fault."""
    objective, model, table, all_rows = problem.objective, problem.model, problem.table, problem.all_rows
    assert all_rows is not None
    try:
        return preflight.finite_start(objective, model, theta, given, problem.columns)
    except (ConfigError, DataError) as error:
        position, row = _at_fault(model, theta, all_rows.lazy)
        if position is None:
            raise
        refusal: ConfigError | DataError = error
    try:
        return preflight.finite_start(objective, model, theta, given, row)
    except (ConfigError, DataError) as error:
        refusal = error
    raise type(refusal)(str(refusal).replace("in row 1 ", f"in {table.place(position) or 'some row'} ")) from None


def rows_stay(request: Request, table: Table, columns: int) -> tuple[bool, tuple[str, ...]]:
    """Say whether the rows stay where they are, and in a sentence why, if that was decided here.

    Raises ConfigError for a memory limit that cannot be kept.
    """
    limit = None if request.memory_limit is None else read_size(request.memory_limit)
    if request.engine == "query":
        return True, ()
    needed = IN_MEMORY * table.size(columns)
    if request.engine != "auto":
        if limit is not None and needed > limit:
            raise ConfigError(
                f"The engine `{request.engine}` needs the rows in memory, about {written(needed)}, but the "
                f"memory limit is {written(limit)}. Use {spell('engine', 'query')}, or raise the limit."
            )
        return False, ()
    if needed == np.inf:
        return True, (f"engine query, chosen because the rows are in a database ({table.source})",)
    allowed = there_is() // 2 if limit is None else limit
    if needed <= allowed:
        return False, ()
    most = "half of this machine's memory" if limit is None else "the memory limit"
    return True, (
        f"engine query, chosen because the rows would take about {written(needed)} of memory, more than {most}, "
        f"{written(allowed)}",
    )


def summed_there(
    model: Model, code: Summand, table: Table, names: Sequence[str], request: Request, notes: tuple[str, ...]
) -> SummedRows:
    """Check the rows where they are and build the engine that sums them there.

    Raises DataError or ConfigError as for rows in memory.
    """
    program, arrow = as_program(code), code.arrow
    if program is not None and arrow:
        from descend.problem.arrow_limits import refuse_for_arrow

        refuse_for_arrow(program, request)
    if model.inexact:
        raise ConfigError(
            "Errors of inputs are fitted to rows in memory, but these stay where they are. Leave out "
            f"{spell('engine', 'query')} and {spell('memory_limit')}, or {spell('x_sigma')}."
        )
    if request.roles.clusters:
        from descend.problem.dependent_rows import refuse_clusters_elsewhere

        refuse_clusters_elsewhere(request, model.loss)
    memory = None if request.memory_limit is None else of_database(read_size(request.memory_limit))
    lazy = keyed(table, names, memory, 0 if arrow else WRITTEN)
    lazy, rows, summaries = _complete(table, lazy, request.missing)
    ends = {name: np.array([summary.low, summary.high]) for name, summary in summaries.items()}
    rounded = table.rounding_notes(ends)
    preflight.check_rows(model, ends, rows, table.source, request.l1 + request.l2 > 0 or bool(request.priors))
    check_roles(request.roles, lambda name, low, high: summaries[name].outside(low, high), table.source, summaries)
    model.loss.check_columns(lambda name, low, high: summaries[name].outside(low, high), table.source)
    lazy = lazy.with_roles(request.roles)
    sample = replace(lazy.sample(rows, SAMPLE), observed=model.observed, source=table.source)
    known_response = summaries.get(model.response) if model.response in model.response_columns else None
    all_rows = _all_rows(model, lazy, sample, known_response)
    engine, why = _engine(code, lazy, request, (rows, all_rows.omega))
    notes = (*notes, *rounded, *why)
    engine.rows = sample
    if program is not None and not arrow and engine.device is None:
        engine.near = near_minimum(program, sample)
    if rows > SAMPLE:
        notes = (*notes, f"residuals, their checks and pictures show a sample of {sample.count:,} rows")
    return SummedRows(sample, engine, all_rows.squares / engine.count, notes, (), all_rows)


def near_minimum(program: Program, sample: Rows) -> Array | None:
    """Return the minimum for the sample, if sums around it, taken in one pass over all rows, determine the fit."""
    from descend.engines.moments import MomentsEngine, refusal

    if refusal(program) is not None:
        return None
    moments_engine = MomentsEngine(program, sample)
    return moments_engine.centre if moments_engine.well else None


def _complete(table: Table, lazy: Lazy, missing: str) -> tuple[Lazy, int, dict[str, Summary]]:
    """Return the rows without missing values, their number, and a summary of each column."""
    check_missing(missing)
    rows, summaries = lazy.summaries()
    if rows == 0:
        raise table.no_rows()
    gaps = [name for name, summary in summaries.items() if summary.missing or summary.infinite]
    if not gaps:
        return lazy, rows, summaries
    if missing == "raise":
        gaps_of_columns = {}
        for name in gaps:
            first = lazy.first(~lazy.finite(name))
            gaps_of_columns[name] = (summaries[name].missing, summaries[name].infinite, table.place(first or 0))
        raise DataError(table.gaps(gaps_of_columns))
    lazy = lazy.complete()
    rows, summaries = lazy.summaries()
    if rows == 0:
        raise table.none_complete(lazy.every)
    return lazy, rows, summaries


def engine_of(program: Program, lazy: Lazy) -> QueryEngine | StreamEngine:
    """Return the engine for an expression: the query, or blocks where the database lacks a function."""
    if program.loss.own_parameters:
        return StreamEngine(program, lazy)
    try:
        engine = QueryEngine(program, lazy)
        engine.compile(0)
    except LackingFunctionError:
        return StreamEngine(program, lazy)
    return engine


def _engine(code: Summand, lazy: Lazy, request: Request, counted: tuple[int, float]) -> tuple[Engine, tuple[str, ...]]:
    """Return the engine, and a sentence where it is not the database that sums."""
    program = as_program(code)
    if program is None:
        source = "a gradient by a Python function" if code.language == "numpy" else "autograd"
        library = "NumPy" if code.language == "numpy" else "PyTorch"
        note = f"rows streamed to {library} in blocks, as {source} needs them there"
        return StreamEngine(code, lazy, device=request.device, counted=counted), (note,)
    if program.arrow:
        from descend.problem.arrow_limits import engine_of_arrow

        return engine_of_arrow(program, lazy, counted)
    if request.device is not None:
        return StreamEngine(program, lazy, "torch", request.device, counted), (
            "rows streamed to PyTorch in blocks, as a device was asked for",
        )
    size = program.parameters.size
    if size > MOST_PARAMETERS:
        note = f"rows streamed to NumPy in blocks, as a query of {size} parameters would be too long"
        return StreamEngine(program, lazy, counted=counted), (note,)
    if size > FEW_PARAMETERS and request.engine == "auto" and lazy.backend.name == "duckdb":
        note = f"rows streamed to NumPy in blocks, which for {size} parameters takes less time than a query"
        return StreamEngine(program, lazy, counted=counted), (note,)
    if program.loss.own_parameters:
        note = f"rows streamed to NumPy in blocks, as the {program.loss.name} loss has parameters of its own"
        return StreamEngine(program, lazy, counted=counted), (note,)
    try:
        engine = QueryEngine(program, lazy, counted)
        engine.compile()
    except LackingFunctionError as error:
        note = f"rows streamed to NumPy in blocks, as the database ({lazy.backend.name}) has no function {error}"
        return StreamEngine(program, lazy, counted=counted), (note,)
    return engine, ()


def _at_fault(model: Model, theta: Array, lazy: Lazy) -> tuple[int | None, dict[str, Array]]:
    """Return the number (from 0) and columns of the first row for whose prediction the loss has no value."""
    before = 0
    with np.errstate(all="ignore"):
        for block in lazy.blocks(1 << 16):
            prediction = model.predict(theta, block.columns)
            bad = ~(np.abs(prediction) < preflight.LARGEST)
            bad |= ~model.loss.has_value(prediction, model.observed(block.columns))
            if bad.any():
                bad_row = int(bad.argmax())
                return before + bad_row, dict(block.take(slice(bad_row, bad_row + 1)).columns)
            before += len(bad)
    return None, {}


def _all_rows(model: Model, lazy: Lazy, sample: Rows, known: Summary | None) -> AllRows:
    """Ask for what there is to know of the response; refuse one that the loss has no meaning for."""
    some = sample.y
    near = float(some[np.isfinite(some)].mean()) if np.isfinite(some).any() else 0.0
    try:
        sums = Response(model, lazy, near, None if known is None else (known.low, known.high)).ask()
    except LackingFunctionError:
        sums = _by_blocks(model, lazy, near)
    _refuse_response(model, sums, sample.source)
    omega = sums["omega"]
    first, second = sums["first"], sums["second"]
    spread = second - first * first / omega
    terms = {
        term: sums[f"term{number}"]
        for number, term in enumerate(row_terms(model.loss, lazy.roles.spread is not None))
        if f"term{number}" in sums
    }
    return AllRows(lazy, int(sums["counting"]), omega, max(spread, 0.0), sums["squares"], terms)


def _refuse_response(model: Model, found: Mapping[str, float], source: str) -> None:
    if found["finite"] < found["rows"]:
        raise DataError(
            f"`{model.response}` is not finite in {int(found['rows'] - found['finite'])} rows of {source}. "
            f"Leave such rows out{using('where')}, or change the left side of the formula."
        )
    domain, ends = model.loss.response_domain, (found["low"], found["high"])
    worst = max(ends, key=lambda end: max(domain.low - end, end - domain.high))
    preflight.refuse_outside_domain(model.loss, np.array([worst]), model.response, lambda row: "some row", source)


def _by_blocks(model: Model, lazy: Lazy, near: float) -> dict[str, float]:
    """Gather what `Response` asks for from rows that stream through, where the database cannot compute the response."""
    sums = dict.fromkeys(("rows", "finite", "omega", "counting", "first", "second", "squares"), 0.0)
    terms = row_terms(model.loss, lazy.roles.spread is not None)
    sums |= {f"term{number}": 0.0 for number in range(len(terms))}
    low, high = np.inf, -np.inf
    with np.errstate(all="ignore"):
        for block in lazy.blocks(1 << 16):
            y = model.observed(block.columns)
            omega = np.ones(len(y)) if block.omega is None else block.omega
            counting = omega > 0.0
            finite = y[np.isfinite(y)]
            low, high = min(low, finite.min(initial=np.inf)), max(high, finite.max(initial=-np.inf))
            sums["rows"] += len(y)
            sums["finite"] += len(finite)
            sums["omega"] += float(omega.sum())
            sums["counting"] += int(counting.sum())
            sums["first"] += float(omega @ (y - near))
            sums["second"] += float(omega @ (y - near) ** 2)
            sums["squares"] += float(y @ y)
            for number, term in enumerate(terms):
                sums[f"term{number}"] += sum_over_rows(model.loss, term, y, omega)
    return sums | {"low": low, "high": high}
