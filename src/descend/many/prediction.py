"""Predictions of many fits: each row by the parameters of its group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.errors import DataError
from descend.inference.prediction.bands import Prediction
from descend.inference.prediction.new_measurement import columns_needed
from descend.inference.prediction.predictions import refuse_not_finite
from descend.many.groups import Groups
from descend.results.units import in_units_of
from descend.table import Table
from descend.table.by_file import open_by_file
from descend.table.levels import read_alike, said
from descend.table.table import check_missing
from descend.wording import using, worded

if TYPE_CHECKING:
    from descend.many.fitted import FittedGroups

Array = NDArray[np.float64]
NAMED = 6
"""Groups that a sentence names, at most."""


def predict(fits: FittedGroups, data: object, missing: str, interval: str | None, level: float) -> Array | Prediction:
    """Predict each row of ``data`` (see ``Fits.predict``)."""
    check_missing(missing)
    names = columns_needed(fits.model, fits.sigma or fits.weights, interval)
    table = in_units_of(fits, opened(fits, data, names), fits.by).with_codings(fits.model.codings)
    columns, groups = table.with_gaps(names), Groups.of(table, fits.by)
    complete_rows = _complete(columns, groups, table.rows)
    if missing == "raise" and not complete_rows.all():
        table.numbers(names)  # which says where a value is missing
        raise _without_group(groups)
    results = np.full((3 if interval else 1, table.rows), np.nan)
    unfitted = np.zeros(table.rows, dtype=bool)
    rows_of_groups = (groups.rows(group) for group in range(len(groups)))
    places_and_rows = [
        (fits.place(key), rows[complete_rows[rows]]) for key, rows in zip(groups.keys, rows_of_groups, strict=True)
    ]
    places_and_rows = [(place, rows) for place, rows in places_and_rows if len(rows)]
    if places_and_rows and not any(fits.fitted(place) for place, _ in places_and_rows):
        fits.refuse_unfitted(places_and_rows[0][0])
    for place, rows in places_and_rows:
        if fits.fitted(place):
            group_columns = {name: column[rows] for name, column in columns.items()} or {"": np.empty(len(rows))}
            results[:, rows] = _of_group(fits, place, group_columns, interval, level)
        else:
            unfitted[rows] = True
    _refuse_not_finite(fits, groups, columns, np.where(complete_rows & ~unfitted, results[0], 0.0))
    predictions = results if complete_rows.all() else results[:, complete_rows]
    return (
        predictions[0]
        if interval is None
        else Prediction(predictions[0], predictions[1], predictions[2], interval, level)
    )


def opened(fits: FittedGroups, data: object, numbers: Sequence[str], where: str | None = None) -> Table:
    """Open new data, of which columns that tell groups apart are read as those of the fits were: ``01`` may be text.

    numbers: columns of numbers. where: a condition that keeps some of the rows. Values in a dict may have units.
    """
    data = in_units_of(fits, data, fits.by) if isinstance(data, Mapping) else data
    table = open_by_file(data, fits.by, numbers, where)
    read_alike(table, fits.by, fits.keys)
    return table


def without_prediction(fits: FittedGroups, table: Table) -> str:
    """Say which rows of new data have no prediction, as the fits of their groups failed; empty if all have one."""
    groups = Groups.of(table, fits.by)
    failed = [group for group, key in enumerate(groups.keys) if not fits.fitted(fits.place(key))]
    if not failed:
        return ""
    rows = sum(len(groups.rows(group)) for group in failed)
    have = "1 row has" if rows == 1 else f"{rows:,} rows have"
    if len(failed) == 1:
        key = groups.keys[failed[0]]
        return f"{have} no prediction: the group {said(key)} was not fitted. {fits.cause(fits.place(key))}"
    names = ", ".join(said(groups.keys[group]) for group in failed[:NAMED]) + (" …" if len(failed) > NAMED else "")
    return f"{have} no prediction: {len(failed):,} groups were not fitted: {names}."


def rows_kept(fits: FittedGroups, table: Table) -> NDArray[np.bool_]:
    """Return which rows of new data can be predicted: those with all inputs, and with a group."""
    table = table.with_codings(fits.model.codings)
    return _complete(table.with_gaps(fits.model.inputs), Groups.of(table, fits.by), table.rows)


def _complete(columns: Mapping[str, Array], groups: Groups, rows: int) -> NDArray[np.bool_]:
    complete = np.full(rows, groups.in_order)
    complete[groups.order] = True
    for column in columns.values():
        complete &= np.isfinite(column)
    return complete


def _of_group(
    fits: FittedGroups, group: int, columns: Mapping[str, Array], interval: str | None, level: float
) -> Array:
    """Return the predictions of rows of one group, and with an interval its two ends: (1 or 3, rows)."""
    if interval is None:
        return np.asarray(fits.model.predict(fits.theta(group), columns))[None]
    group_prediction = fits[fits.keys[group]].predict(columns, interval=interval, level=level)
    return np.stack([group_prediction.prediction, group_prediction.low, group_prediction.high])


def _refuse_not_finite(fits: FittedGroups, groups: Groups, columns: Mapping[str, Array], predicted: Array) -> None:
    bad = ~np.isfinite(predicted)
    if not bad.any():
        return
    row = int(bad.argmax())
    group = next(group for group in range(len(groups)) if row in groups.rows(group))
    theta = fits.theta(fits.place(groups.keys[group]))
    refuse_not_finite(fits.model, theta, columns, predicted)


def _without_group(groups: Groups) -> DataError:
    names = " or ".join(f"`{name}`" for name in groups.by)
    rows, they = (
        ("1 row lacks", "it belongs") if groups.ungrouped == 1 else (f"{groups.ungrouped:,} rows lack", "they belong")
    )
    dropping = using("missing", "drop")
    return DataError(
        f"{rows} a value of {names}, so {they} to no group. Correct that, or leave such rows out"
        f"{worded('leaving_out', dropping)}."
    )
