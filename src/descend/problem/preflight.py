"""Checks before the first step: refuses rows, values and starts from which no descent can determine anything."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.errors import ConfigError, DataError
from descend.formula import as_text
from descend.formula.compile import compile_expression
from descend.formula.edges_of_data import with_limit
from descend.formula.symbols import Column, Parameter, Predictor
from descend.gradients.derived import derived
from descend.losses import Loss
from descend.models import Model, SymbolicModel
from descend.options.request import Request
from descend.problem.point import Objective, Point
from descend.table import Table
from descend.table.in_matrix import InMatrix
from descend.table.rows import Rows, finite
from descend.wording import using

Array = NDArray[np.float64]
LARGEST = math.sqrt(float(np.finfo(np.float64).max))
"""Numbers beyond this overflow when they are squared, ..."""
IN_SUMS = 1e-20
"""... and numbers beyond this share of it may overflow in sums, where they are multiplied by others as large."""
ALTERNATIVES = (1.0, 0.1, 0.01)
"""Starts tried in turn for parameters the user gave none, until the loss is finite."""


def check_more_than_one_row(rows: int, source: str) -> None:
    """Refuse a single row, which any curve can pass through."""
    if rows == 1:
        raise DataError(f"{_begin(source)} has one row of data. A fit needs at least two.")


def read_rows(model: Model, table: Table, names: Sequence[str], request: Request) -> Rows:
    """Read the rows of a fit into memory: see `check_rows`, `Rows.check` and `check_response` for their checks."""
    weighing = request.weighing
    if weighing is None:
        columns = _in_matrix(model, table, names, request) or table.numbers(names, request.missing)
        return Rows.of(columns, request.roles, model.observed, table.source)
    columns = table.numbers([name for name in names if name != weighing.text], request.missing)
    return Rows.of({**columns, weighing.text: weighing.values}, request.roles, model.observed, table.source)


def _in_matrix(model: Model, table: Table, names: Sequence[str], request: Request) -> InMatrix | None:
    """Return the columns as they lie in a matrix, where the model reads that as a whole; None where it does not."""
    if not model.listed or request.missing != "raise" or request.device or request.engine == "torch":
        return None
    matrix = table.in_matrix(names)
    if matrix is None or matrix.listed != model.listed:
        return None
    others = table.numbers([name for name in names if name not in matrix.listed])
    as_they_are = matrix.keys() == {*matrix.listed, *others} and all(matrix[name] is others[name] for name in others)
    return matrix if as_they_are else matrix.beside(others)


def check_rows(model: Model, columns: Mapping[str, Array], rows: int, source: str, penalised: bool) -> None:
    """Refuse too few rows for the parameters, and inputs that never change."""
    check_more_than_one_row(rows, source)
    size = model.parameters.size
    if size > rows and not penalised:
        raise DataError(
            f"{size} parameters ({listed(model.parameters.labels)}) cannot be determined from {rows} rows of "
            f"{source}. "
            f"Give more rows, use fewer parameters, or add a penalty{using('l2')}."
        )
    constant = constant_inputs(model, columns) if size > 1 and not penalised else []
    if constant and len(constant) == len(model.inputs):
        name = constant[0]
        raise DataError(
            f"`{name}` is {columns[name][0]:g} in every row of {source}, so the {size} parameters "
            f"({listed(model.parameters.labels)}) cannot be told apart. Use data in which `{name}` varies."
        )


def check_response(loss: Loss, rows: Rows, name: str, made_of: Sequence[str] = ()) -> None:
    """Refuse a response that is not finite (log of 0, say) or that the loss has no meaning for.

    made_of: the columns that it is computed from.
    """
    y, source = rows.y, rows.source
    if not (y is rows.columns.get(name) or finite(y)):  # columns were looked at when they were read
        bad = ~np.isfinite(y)
        row, count = int(bad.argmax()), int(bad.sum())
        data_columns = (column for column in made_of if column != name)
        row_text = ", ".join(f"{column} = {rows.columns[column][row]:g}" for column in data_columns)
        where = f"{count} rows of {source}, the first of them row" if count > 1 else "row"
        raise DataError(
            f"`{name}` is not finite in {where} {row + 1}{'' if count > 1 else f' of {source}'}, where it is {y[row]:g}"
            f"{f' ({row_text})' if row_text else ''}. "
            f"Leave such rows out{using('where')}, or change the left side of the formula."
        )
    refuse_outside_domain(loss, y, name, lambda row: f"row {row + 1}", source)
    if (refused_rows := loss.refused(y, rows.omega)) is not None:
        row, why = refused_rows
        raise DataError(f"`{name}` is {y[row]:g} in row {row + 1} of {source}: {why}.")


def refuse_outside_domain(loss: Loss, y: Array, name: str, place: Callable[[int], str], source: str) -> None:
    """Refuse a response for which the loss is not defined; ``place`` says in words where y[row] is."""
    if not loss.response_domain.limited:
        return
    bad = loss.response_domain.outside(y)
    if bad.any():
        row = int(bad.argmax())
        raise DataError(
            f"`{name}` is {y[row]:g} in {place(row)} of {source}, but {loss.needs}. "
            f"Leave such rows out{using('where')}, or choose another loss."
        )


def check_size(y: Array, name: str, source: str) -> None:
    """Refuse a response so small that its squares all underflow to 0, unless it is 0 itself."""
    if y.any():
        raise DataError(
            f"`{name}` of {source} is {np.abs(y).max():g} at most, so small that its square is 0 in floating point. "
            "Measure it in another unit."
        )


def finite_start(
    objective: Objective, model: Model, theta: Array, given: Collection[str], columns: Mapping[str, Array]
) -> Point:
    """Evaluate J, gradient and curvature at the start; if J is not finite, move the parameters that were not ``given``.

    Raises ConfigError naming the first row at fault if no start gives a finite loss.
    """
    point = objective(theta, 2)
    if _is_finite(point):
        return point
    free = np.isnan(model.parameters.start(dict.fromkeys(given, 0.0), math.nan))
    line = model.linear and not {*given} - {*model.loss.own_parameters} and objective.bounds is None
    for value in ALTERNATIVES if free.any() else ():
        trial = np.where(free, value, theta)
        point = objective(trial if objective.bounds is None else objective.bounds.interior(trial), 2)
        if _is_finite(point):
            return _to_scale(objective, model, point, columns) if line and free.all() else point
    if line:
        for trial in _between(model, theta, columns):
            point = objective(trial, 2)
            if _is_finite(point):
                return point
    steep = None
    symbolic = model.symbolic
    if symbolic is not None and math.isfinite(objective(theta, 0).loss):
        steep = _without_slope(symbolic, theta, columns)
    raise ConfigError(steep or _not_finite(model, theta, columns))


def _between(model: Model, theta: Array, columns: Mapping[str, Array]) -> Iterator[Array]:
    """Yield starts of a line, from that of least squares to one whose predictions are all the mean response.

    Where predictions must be shares or positive, as under a binomial or a gamma loss, one of the former may not be.
    """
    y = model.observed(columns)
    score, jacobian = model.scores_and_jacobian(theta, columns)
    if not (np.isfinite(jacobian).all() and np.isfinite(y).all()):
        return
    sides = np.column_stack([y, np.full(len(y), y.mean())]) - score[:, None]
    line, level = (theta + move for move in np.linalg.lstsq(jacobian, sides, rcond=None)[0].T)
    for share in (1.0, 0.9, 0.7, 0.5, 0.25, 0.1, 0.0):
        yield level + share * (line - level)


def _to_scale(objective: Objective, model: Model, point: Point, columns: Mapping[str, Array]) -> Point:
    """Return the start of a linear model at which predictions are as large as responses on average, if J is lower."""
    with np.errstate(all="ignore"):
        ratio = model.observed(columns).sum() / model.predict(point.theta, columns).sum()
        scaled = objective(point.theta * ratio, 2)
    return scaled if _is_finite(scaled) and scaled.loss < point.loss else point


def _is_finite(point: Point) -> bool:
    return math.isfinite(point.loss) and all(map(math.isfinite, point.gradient.tolist()))


def _without_slope(model: SymbolicModel, theta: Array, columns: Mapping[str, Array]) -> str | None:
    """Say for which parameter and row the derivative of the prediction is not finite; None if all are finite."""
    for symbol, _, row, size in broken_slopes(model, theta, columns):
        where = model.at_row(columns, row)
        slope_in_words = "no value" if math.isnan(size) else f"the value {size:g}"
        return (
            f"The derivative of the prediction by `{symbol.name}` has {slope_in_words} in row {row + 1}"
            f"{f' ({where})' if where else ''} at the start ({model.parameters.mentioned(theta)}), though the loss is "
            f"finite. Give other starting values{using('start')}, or leave such rows out{using('where')}."
        )
    return None


def broken_slopes(
    model: SymbolicModel, theta: Array, columns: Mapping[str, Array]
) -> Iterator[tuple[Expr, Expr, int, float]]:
    """Yield each derivative that is not finite in some row: the symbol, the derivative, the row, and what it is there.

    A derivative without columns is the same in every row.
    """
    values = model.values(theta, columns)
    for symbol, slope in derived(model.formula, model.loss).jacobian.items():
        with np.errstate(all="ignore"):
            derivative = np.ravel(compile_expression(slope, tuple(values))(*values.values()))
        if (bad := ~np.isfinite(derivative)).any():
            yield symbol, slope, int(bad.argmax()), float(derivative[bad][0])


def _not_finite(model: Model, theta: Array, columns: Mapping[str, Array]) -> str:
    start = model.parameters.mentioned(theta)
    loss = model.loss
    advice = f"Give other starting values{using('start')}."
    symbolic = model.symbolic
    if symbolic is not None:
        prediction = model.predict(theta, {name: columns[name] for name in model.inputs} or dict(columns))
        bad = ~np.isfinite(prediction)
        if loss.prediction_domain.limited and not bad.any():
            bad = ~loss.has_value(prediction, model.observed(columns))
            domain = loss.prediction_domain
            advice = (
                f"Keep the formula {domain.words}, as in `y ~ {domain.example}`, or give other starting "
                f"values{using('start')}."
            )
        if bad.any():
            row = int(bad.argmax())
            where = model.at_row(columns, row)
            failure = f"The prediction is {prediction[row]:g} in row {row + 1}" + (f" ({where})" if where else "")
            failing = smallest_failure(symbolic, theta, columns, row)
            if failing is not None and not failing[0].atoms(Parameter, Predictor):
                raise DataError(
                    f"`{as_text(failing[0])}` is {failing[1]:g} in row {row + 1} ({where}), whatever the parameters. "
                    f"Leave such rows out{using('where')}, or change the formula."
                )
            culprit = f": `{as_text(failing[0])}` is {failing[1]:g} there" if failing is not None else ""
            other = None if failing is None else with_limit(symbolic.prediction, failing[0])
            if other is not None:
                advice = (
                    f"Write `{as_text(other)}`, which has its limit there, or give other starting "
                    f"values{using('start')}."
                )
            return f"{failure} at the start ({start}){culprit}, so the loss is not finite. {advice}"
    elif not model.in_place:
        prediction = model.scores(theta, columns)
        bad = ~np.isfinite(prediction)
        if bad.any():
            row = int(bad.argmax())
            where = model.at_row(columns, row)
            return (
                f"`{model.name}` returned {prediction[row]:g} in row {row + 1}{f' ({where})' if where else ''} at the "
                f"start ({start}), so the loss is not finite. {advice}"
            )
    y = model.observed(columns)
    row = int(np.abs(y).argmax())
    if not math.isfinite(y[row] ** 2):
        return (
            f"`{model.response}` is {y[row]:g} in row {row + 1}, so large that the loss is not finite. "
            f"Correct such rows, or leave them out{using('where')}."
        )
    large = None if symbolic is None else _too_large(symbolic, theta, columns)
    if large is not None:
        return f"{large[0]} at the start ({start}){large[1]}, so large that the loss is not finite. {advice}"
    return f"The loss is not finite at the start ({start}). {advice}"


def _too_large(model: SymbolicModel, theta: Array, columns: Mapping[str, Array]) -> tuple[str, str] | None:
    """Name the first row whose prediction is too large to square and sum, and the part of the formula at fault."""
    prediction = model.predict(theta, {name: columns[name] for name in model.inputs} or dict(columns))
    sizes = np.abs(prediction)
    largest = min(LARGEST, float(sizes.max()))
    if largest < LARGEST * IN_SUMS:
        return None
    from descend.formula.domain import innermost_failure

    row = int((sizes >= largest).argmax())
    where = model.at_row(columns, row)
    overflow = innermost_failure(model.prediction, row_values(model, theta, columns, row), largest)
    culprit = (
        ""
        if overflow is None or overflow[0] == model.prediction
        else f": `{as_text(overflow[0])}` is {overflow[1]:g} there"
    )
    return f"The prediction is {prediction[row]:g} in row {row + 1}" + (f" ({where})" if where else ""), culprit


def smallest_failure(
    model: SymbolicModel, theta: Array, columns: Mapping[str, Array], row: int
) -> tuple[Expr, float] | None:
    """Return the smallest part of the formula that is not finite in a row, and what it is."""
    from descend.formula.domain import innermost_failure

    one = {name: columns[name][row : row + 1] for name in model.inputs}
    values = row_values(model, theta, columns, row)
    for term in model.formula.terms.values():
        for item in term.each:
            values_of_row = {Column(name): float(column[0]) for name, column in one.items()}
            if (failure := innermost_failure(item, values_of_row)) is not None:
                return failure
    return innermost_failure(model.prediction, values)


def row_values(model: SymbolicModel, theta: Array, columns: Mapping[str, Array], row: int) -> dict[Expr, float]:
    """Return the value of each column, parameter and ``w @ [...]`` of the formula in one row."""
    one = {name: columns[name][row : row + 1] for name in model.inputs}
    return {symbol: float(np.ravel(value)[0]) for symbol, value in model.values(theta, one).items()}


def constant_inputs(model: Model, columns: Mapping[str, Array]) -> list[str]:
    """Return the inputs that are the same in every row."""
    inputs = ((name, columns[name]) for name in model.inputs)
    return [name for name, column in inputs if column[0] == column[-1] and bool((column == column[0]).all())]


def _begin(source: str) -> str:
    return source[:1].upper() + source[1:] if source.startswith("the ") else source


def listed(labels: tuple[str, ...] | list[str], last: str = "", most: int = 6) -> str:
    """Join labels by commas, the last by a word if given; beyond ``most`` of them say how many more."""
    names = list(labels[:most]) + ([f"{len(labels) - most} more"] if len(labels) > most else [])
    return f"{', '.join(names[:-1])} {last} {names[-1]}" if last and len(names) > 1 else ", ".join(names)
