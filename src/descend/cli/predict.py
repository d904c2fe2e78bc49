"""`descend predict`: a saved model, and new rows or values."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

from typer import Argument

from descend.cli import options
from descend.cli.outputs import check_outputs
from descend.cli.terminal import say, say_csv, say_json
from descend.errors import ConfigError
from descend.options.option import Option
from descend.registry import closest, split_assignments

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from descend.many import Fits
    from descend.results import Fit
    from descend.table import Table
    from descend.table.table import Coding, Label

LARGEST_EXACT = 2**53
"""Larger whole numbers are not all exact as float64, so they are passed on as text."""


@options.takes(
    Option("at", None, "Values instead of data, such as x=7 or x=7,5; may be repeated.", "values", "NAME=VALUE"),
    Option(
        "output", None, "Write the rows with their predictions: .csv, .tsv, .json, .jsonl, .parquet.", metavar="FILE"
    ),
    Option("name", "prediction", "Name of the new column.", metavar="NAME", flag="--as"),
    Option(
        "interval",
        None,
        "Add columns low and high: of the mean, or of one more measurement.",
        metavar="confidence|prediction",
    ),
    options.FUNCTION,
    Option("probabilities", False, "Of classes: a column with the probability of each, too.", "switch"),
    *("level", "where", "missing", "json", "quiet"),
)
def predict(
    model: Annotated[str, Argument(metavar="MODEL", help="A file that `descend fit --save` wrote.")],
    data: Annotated[
        list[str] | None, Argument(metavar="DATA...", help="The rows: CSV, Parquet or JSON files, or patterns.")
    ] = None,
    *,
    at: list[str] | None,
    output: str | None,
    name: str,
    interval: str | None,
    function: str | None,
    probabilities: bool,
    level: float | None,
    where: str | None,
    missing: str,
    json: bool,
    quiet: bool,
) -> None:
    """Predict with a saved model: prints CSV unless told where to write.

    Example: descend predict line.json new.csv --output predicted.csv

    Example: descend predict line.json --at x=7
    """
    if bool(data) == bool(at):
        raise ConfigError("Predict for which rows? Give either data, such as new.csv, or values, such as --at x=7.")
    check_outputs({"--output": output}, [model, *(data or [])])
    if output is not None:
        from descend.table.writing import refuse_unknown_ending

        refuse_unknown_ending(output)

    from descend.inference.intervals import checked_level
    from descend.inference.prediction.new_measurement import columns_needed
    from descend.many import Fits
    from descend.many.loading import load

    if level is not None:
        interval, level = interval or "confidence", checked_level(level)
    fitted = load(model, options.function_of(function))
    inputs = columns_needed(fitted.model, fitted.sigma or fitted.weights, interval)
    codings = {coding.name: coding for coding in fitted.model.codings if coding.name in inputs}
    named = _of_data(inputs, codings)
    some = {name: key for each in codings.values() for name, key in zip(each.columns, each.keys[0], strict=True)}
    if isinstance(fitted, Fits):
        some |= dict(zip(fitted.by, fitted.keys[0], strict=True))
    with_groups = tuple(dict.fromkeys((*named, *(name for name in some if name not in named))))
    columns_given: object = _values(with_groups, at, some) if at else options.one_or_all(data or [])
    rows, table = _opened(fitted, columns_given, named, where)
    table = table.with_codings(codings.values())
    inputs = columns_needed(fitted.model, fitted.sigma or fitted.weights, interval, table.names)
    if name in table.names:
        raise ConfigError(f"The data have a column `{name}` already. Name the predictions otherwise, with --as.")
    new = _predicted(fitted, table, name, missing, interval, level or 0.95)
    new |= _probabilities(fitted, table, missing) if probabilities else {}
    complete_rows = _kept(fitted, table, missing, inputs)
    for note in () if quiet else _notes(fitted, table):
        say(f"Note: {note}", file=sys.stderr)
    if output is not None:
        from descend.table.writing import write_columns

        write_columns(output, _columns(rows, new, complete_rows))
    count = len(next(iter(new.values())))
    if json:
        columns = {column: options.with_gaps(values).tolist() for column, values in new.items()}
        say_json(columns | {"rows": count, "formula": str(fitted.model)})
    elif output is not None:
        if not quiet:
            say(f"{count:,} predictions written to {output}")
    else:
        columns = _columns(rows, new, complete_rows)
        say_csv(columns | {name: _short(columns[name]) for name in new} if at else columns)


def _kept(fitted: Fit | Fits, table: Table, missing: str, inputs: Sequence[str]) -> NDArray[np.bool_] | None:
    """Return which rows are predicted; None for all."""
    from descend.many import Fits

    if missing != "drop":
        return None
    if isinstance(fitted, Fits):
        from descend.many.prediction import rows_kept

        return rows_kept(fitted, table)
    return table.complete(inputs) if inputs else None


def _notes(fitted: Fit | Fits, table: Table) -> list[str]:
    """Return what is to be said beside the predictions: of the fit, of groups that failed, and of the table."""
    from descend.many import Fits
    from descend.many.prediction import without_prediction

    notes = [f"{note}." for note in table.notes]
    if isinstance(fitted, Fits):
        lacking = without_prediction(fitted, table)
        return [lacking, *notes] if lacking else notes
    if fitted.succeeded:
        return notes
    return [f"the run of this model ended as {str(fitted.outcome).replace('_', ' ')}. {fitted.advice}", *notes]


def _opened(fitted: Fit | Fits, data_given: object, named: Sequence[str], where: str | None) -> tuple[Table, Table]:
    """Return the rows, or the values given, and the same in the units of the fit, with columns as it calls them."""
    from descend.many import Fits
    from descend.many.prediction import opened
    from descend.results.units import in_units_of
    from descend.table import open_table

    if isinstance(fitted, Fits):
        rows = opened(fitted, data_given, named, where)
        return rows, in_units_of(fitted, rows, fitted.by)
    rows = open_table(in_units_of(fitted, data_given) if isinstance(data_given, Mapping) else data_given, where)
    return rows, in_units_of(fitted, rows)


def _predicted(
    fitted: Fit | Fits, table: Table, name: str, missing: str, interval: str | None, level: float
) -> dict[str, NDArray[np.float64]]:
    """Return the new columns: the predictions, and the ends of their interval if there is one."""
    if interval is None:
        return _of_responses(fitted, {name: fitted.predict(table, missing)})
    for end, word in {"low": "lower", "high": "upper"}.items():
        if end in (*table.names, name):
            raise ConfigError(
                f"The data have a column `{end}`, as the {word} end of the interval would be called. "
                "Leave it out or rename it."
            )
    band = fitted.predict(table, missing, interval=interval, level=level)
    return _of_responses(fitted, {name: band.prediction, "low": band.low, "high": band.high})


def _probabilities(fitted: Fit | Fits, table: Table, missing: str) -> dict[str, NDArray[np.float64]]:
    """Return a column with the probability of each class."""
    import numpy as np

    from descend.results import Fit

    if not isinstance(fitted, Fit):
        raise ConfigError(
            "Probabilities of classes are predicted by one fit, and this file holds those of many groups. Leave "
            "out --probabilities."
        )
    probabilities = fitted.predict(table, missing, probabilities=True).astype(np.float64)
    names = fitted.loss_function.classes
    columns = {f"probability of {each}": probabilities[:, class_number] for class_number, each in enumerate(names)}
    for each in columns:
        if each in table.names:
            raise ConfigError(f"The data have a column `{each}` already. Leave it out or rename it.")
    return columns


def _of_responses(fitted: Fit | Fits, new: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Return the new columns; of several responses each has its own, ``prediction of y1``."""
    formula = fitted.model.formula
    if formula is None or not formula.parts:
        return dict(new)
    responses = formula.levels[-1].labels
    return {f"{name} of {response}": new[name][:, k] for k, response in enumerate(responses) for name in new}


def _values(inputs: Sequence[str], at: list[str], some: Mapping[str, Label]) -> dict[str, list[Label]]:
    """Return the values given for the inputs as columns; a single value is repeated for each of several.

    some: a cell of each column that tells groups apart.
    """
    from descend.table.headers import in_full

    columns_given, other_assignments = _of_groups(at, {name: type(cell) for name, cell in some.items()})
    numbers = options.assignments([",".join(other_assignments)], "--at", "x=7,5") if other_assignments else {}
    columns_given |= {name: [*value] if isinstance(value, list) else [value] for name, value in numbers.items()}
    columns_given = {in_full(name, inputs): values for name, values in columns_given.items()}
    rows = max(map(len, columns_given.values()))
    for name in columns_given:
        if name not in inputs:
            raise ConfigError(
                f"`--at` gives `{name}`, which the model does not use.{closest(name, inputs)} "
                f"Its inputs: {', '.join(inputs) or 'none'}."
            )
    for name in inputs:
        if name not in columns_given:
            from descend.table.table import label

            example = label(some[name]) if name in some else "1"
            raise ConfigError(f"`--at` gives no value for `{name}`. Add it, such as `--at {name}={example}`.")
    return {name: values * rows if len(values) == 1 else values for name, values in columns_given.items()}


def _of_data(inputs: Sequence[str], codings: Mapping[str, Coding]) -> tuple[str, ...]:
    """Return inputs as columns of the data: those that tell groups apart in place of the places of groups."""
    columns = (codings[name].columns if name in codings else (name,) for name in inputs)
    return tuple(dict.fromkeys(column for each in columns for column in each))


def _of_groups(at: list[str], kinds: Mapping[str, type]) -> tuple[dict[str, list[Label]], list[str]]:
    """Return the values of columns that tell groups apart, and the other assignments. kinds: of their cells."""
    from descend.table.headers import in_full

    labels_by_column: dict[str, list[Label]] = {}
    other_assignments, name = [], ""
    for assignment in (assignment for text in at for assignment in split_assignments(text)):
        before, sign, value = assignment.partition("=")
        name, cell = (in_full(before.strip().strip("`"), kinds), value.strip()) if sign else (name, assignment.strip())
        if name not in kinds:
            other_assignments.append(assignment)
        elif kinds[name] is bool:
            labels_by_column.setdefault(name, []).append(cell.lower() in ("true", "yes", "1"))
        else:
            numeric = kinds[name] is not str and re.fullmatch(r"[-+\d.eE]+", cell)
            labels_by_column.setdefault(name, []).append(float(cell) if numeric else cell)
    return labels_by_column, other_assignments


def _columns(
    table: Table, new: Mapping[str, NDArray[np.generic]], complete_rows: NDArray[np.bool_] | None
) -> dict[str, NDArray[np.generic]]:
    """Return the columns of the table, in the rows that were predicted, with the predictions. kept: None for all."""
    cells = table.cells()
    if complete_rows is not None:
        cells = {column: values[complete_rows] for column, values in cells.items()}
    columns = {column: _tidy(table, column, values) for column, values in cells.items()}
    return {**columns, **{name: options.with_gaps(values) for name, values in new.items()}}


def _short(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Write numbers with 10 digits, for people to read; others as they are."""
    import numpy as np

    return np.array([f"{value:.10g}" if isinstance(value, float) else value for value in values.tolist()])


def _tidy(table: Table, name: str, cells: NDArray[np.generic]) -> NDArray[np.generic]:
    """Write whole numbers without a decimal point, and missing ones as empty cells."""
    import numpy as np

    if cells.dtype.kind != "f":
        return cells
    finite = cells[np.isfinite(cells)]
    integral = bool((finite == np.trunc(finite)).all())
    if integral and finite.size and np.abs(finite).max() >= LARGEST_EXACT:
        return table.text(name)
    if integral and finite.size == cells.size:
        return cells.astype(np.int64)
    if not integral:
        return options.with_gaps(cells)
    return np.array([int(cell) if np.isfinite(cell) else None for cell in cells.tolist()], dtype=object)
