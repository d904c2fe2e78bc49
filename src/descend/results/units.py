"""Data and values for a fit in other units than those it was fitted in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, overload

import numpy as np

from descend.errors import ConfigError, DataError
from descend.inference.fitted import Fitted
from descend.inference.prediction.new_measurement import columns_needed
from descend.inference.quantities.curve import inputs_named
from descend.models import Model
from descend.options.units import MEASURED
from descend.table import Table, open_table
from descend.table.headers import in_full
from descend.table.levels import read_alike
from descend.table.opening import is_path
from descend.table.units import is_quantity

Texts = Mapping[str, object]
"""Units by name, as ``Fit.units`` has them."""


class WithUnits(Protocol):
    """A fit, or many, with the units of its columns by name."""

    @property
    def units(self) -> Mapping[str, object]: ...
    @property
    def model(self) -> Model: ...
    @property
    def sigma(self) -> str | None: ...
    @property
    def weights(self) -> str | None: ...


@overload
def in_units_of(fit: WithUnits, data: Table, by: Sequence[str] = ()) -> Table: ...
@overload
def in_units_of(fit: WithUnits, data: object, by: Sequence[str] = ()) -> object: ...
def in_units_of(fit: WithUnits, data: object, by: Sequence[str] = ()) -> object:
    """Return data with the columns of a fit, in its units; as they are where they say nothing else.

    Values may be quantities of Pint or texts such as ``2 min``; the unit of a column stands in its name, which then may
    differ in that or lack it, or in metadata. What was converted is said among the notes of the table.
    by: the columns that tell groups of rows apart, each with a fit.

    Raises ConfigError or DataError for a unit of another kind.
    """
    if fit.model.in_place:
        return data
    names = (*inputs_named(fit.model), *by)
    if isinstance(data, Mapping):
        if data and all(isinstance(value, str | int | float | np.generic) for value in data.values()):
            data = {name: [value] for name, value in data.items()}  # one row
        data = {_in_full(fit, name, by): values for name, values in data.items()}
        measured = {name: values for name, values in data.items() if _has_units(values)}
        if measured:
            data = {**data, **{name: _numbers(fit.units, name, values) for name, values in measured.items()}}
        if all(name in data for name in names):
            return data
    elif not (isinstance(data, Table) or hasattr(data, "columns") or hasattr(data, "schema") or is_path(data)):
        return data
    table = open_table(data)
    for coding in fit.model.codings:  # before a column of another unit is put beside all others, in memory
        read_alike(table, coding.columns, coding.keys)
    units_given = {*table.units, *table.given_units}
    names = tuple(name for name in _columns(fit, by) if name not in table.names or name in units_given)
    return _converted(fit.units, names, table) if names else table


def _columns(fit: WithUnits, by: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the columns that may be read of new rows: inputs, those of groups, and what says how far rows scatter."""
    needed = columns_needed(fit.model, fit.sigma or fit.weights, "prediction")
    inputs_added = (name for name in needed if name not in fit.model.needed_inputs)
    return tuple(dict.fromkeys((*inputs_named(fit.model), *by, *inputs_added, *fit.model.response_columns)))


def number_in_units_of(fit: WithUnits, name: str, value: object) -> Any:
    """Return a value that may have a unit, a text such as ``300 mV`` or a quantity of Pint, as a plain number."""
    if isinstance(value, list | tuple):
        return [number_in_units_of(fit, name, each) for each in value]
    return _numbers(fit.units, name, value) if _has_units(value) else value


def question_in_units_of(
    fit: Fitted, response: object, sigma: object, others: Mapping[str, object]
) -> tuple[object, float | None, Mapping[str, object]]:
    """Return a response, its standard deviation and values of other inputs as numbers in the units of a fit."""
    left = fit.model.response
    measured, error = (number_in_units_of(fit, left, value) for value in (response, sigma))
    return (
        measured,
        error,
        {_in_full(fit, name): number_in_units_of(fit, _in_full(fit, name), value) for name, value in others.items()},
    )


def _in_full(fit: WithUnits, name: str, by: Sequence[str] = ()) -> str:
    """Return the column that a name stands for, ``t (s)`` for ``t``."""
    columns = _columns(fit, by)
    return name if name in columns else in_full(name, columns)


def _has_units(values: object) -> bool:
    if isinstance(values, str):
        return MEASURED.search(values) is not None and values.strip()[:1] in "+-.0123456789"
    if isinstance(values, list | tuple):
        return any(isinstance(each, str) and _has_units(each) for each in values)
    return is_quantity(values)


def _numbers(units: Texts, name: str, values: Any) -> Any:
    """Return values with a unit as numbers in that of the fit."""
    if isinstance(values, list | tuple):
        return [_numbers(units, name, each) if _has_units(each) else float(each) for each in values]
    from descend.units.values import as_text, conversion, measured, read_unit, unit_text

    fit = units.get(name)
    if not isinstance(values, str) and np.ndim(values.magnitude):
        unit, number = read_unit(unit_text(values.units), name), values.magnitude
    else:
        text = str(as_text(values))
        quantity = measured(text)
        if quantity is None:
            raise ConfigError(
                f"`{text}`, given for `{name}`, is no number with a unit. Write it as in 5/min or 300 mV."
            )
        number, unit = quantity
    if not isinstance(fit, str):
        raise ConfigError(f"`{name}` is given in {unit}, and the fit knows no unit of it. Give it without one.")
    change = conversion(unit, read_unit(fit, name))
    if change is None:
        raise ConfigError(f"`{name}` is in {fit} in the fit, and was given in {unit}. Give it in a unit of that kind.")
    return change(number)


def _converted(units: Texts, names: Sequence[str], table: Table) -> Table:
    """Return the table with columns of these names, made of those that are called so but for the unit."""
    from descend.table.headers import bare, beside

    headers = {name: name_and_unit for name in table.names if (name_and_unit := beside(name)) is not None}
    header_units = {name: unit for name, (_, unit) in headers.items()}
    header_units |= {**{name: bare(text) for name, text in table.units.items()}, **table.given_units}
    for name in names:
        header_unit, source = beside(name), name
        if name not in table.names:
            plain = name if header_unit is None else header_unit[0]
            alike = [each for each in table.names if (headers[each][0] if each in headers else each) == plain]
            if len(alike) != 1:
                continue
            source = alike[0]
        unit_of_fit = units.get(name, None if header_unit is None else header_unit[1])
        if source not in header_units or header_units[source] == unit_of_fit:
            table = table if source == name else _with_column(table, name, source)
        elif isinstance(unit_of_fit, str):
            table = _in_unit(table, name, source, header_units[source], unit_of_fit)
    return table


def _in_unit(table: Table, name: str, source: str, text: str, unit_of_fit: str) -> Table:
    """Return the table with a column in the wanted unit. text: what its source says of its unit."""
    from descend.units.library import is_installed, unit_of
    from descend.units.values import conversion, read_unit

    unit_of_column = unit_of(text) if is_installed() else None
    if unit_of_column is None:
        return table
    change = conversion(unit_of_column, read_unit(unit_of_fit, name))
    if change is None:
        raise DataError(
            f"`{source}` of {table.source} is in {unit_of_column}, and the fit has `{name}` in {unit_of_fit}. Give it "
            "in a unit of that kind."
        )
    if change.scale == 1.0 and not change.shift:
        return table if source == name else _with_column(table, name, source)
    values = change(table.with_gaps((source,))[source])
    return _with_column(table, name, source, values, f"`{source}` is converted from {unit_of_column} to {unit_of_fit}")


def _with_column(table: Table, name: str, source: str, values: object = None, note: str = "") -> Table:
    """Return the table with one more column, that of another name if no values are given."""
    from descend.table.in_memory import with_values

    if values is None:
        number = table.types[source] in ("number", "boolean")
        values = table.with_gaps((source,))[source] if number else table.text(source)
    converted_table = with_values(table, name, values)
    converted_table.units, converted_table.given_units = (
        {each: text for each, text in table_units.items() if each != name}
        for table_units in (table.units, table.given_units)
    )
    converted_table.notes = (*table.notes, note or f"`{source}` is read as `{name}`")
    return converted_table
