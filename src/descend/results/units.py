"""Data and values for a fit in other units than those it was fitted in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, overload

import numpy as np

from descend.errors import ConfigError, DataError
from descend.inference.fitted import Fitted
from descend.models import Model
from descend.options.units import MEASURED
from descend.table import Table, open_table
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


@overload
def in_units_of(fit: WithUnits, data: Table) -> Table: ...
@overload
def in_units_of(fit: WithUnits, data: object) -> object: ...
def in_units_of(fit: WithUnits, data: object) -> object:
    """Return data whose columns are in the units of a fit; as they are where they say nothing else.

    Values may be quantities of Pint or texts such as ``2 min``; the unit of a column stands in its name, which then may
    differ in that, or in metadata. What was converted is said among the notes of the table.

    Raises ConfigError or DataError for a unit of another kind.
    """
    if fit.model.in_place:
        return data
    inputs = fit.model.needed_inputs
    if isinstance(data, Mapping):
        data = {_input(fit, name): values for name, values in data.items()}
        measured = {name: values for name, values in data.items() if _has_units(values)}
        if measured:
            data = {**data, **{name: _numbers(fit.units, name, values) for name, values in measured.items()}}
        if all(name in data for name in inputs):
            return data
    elif not (isinstance(data, Table) or hasattr(data, "columns") or hasattr(data, "schema") or is_path(data)):
        return data
    table = open_table(data)
    if all(name in table.names and name not in table.units and name not in table.given_units for name in inputs):
        return table
    return _converted(fit.units, inputs, table)


def number_in_units_of(fit: WithUnits, name: str, value: object) -> Any:
    """Return a value that may have a unit, a text such as ``300 mV`` or a quantity of Pint, as a plain number."""
    if isinstance(value, list | tuple):
        return [number_in_units_of(fit, name, each) for each in value]
    return _numbers(fit.units, name, value) if _has_units(value) else value


def question_in_units_of(
    fit: Fitted, response: object, sigma: object, others: Mapping[str, object]
) -> tuple[object, float | None, Mapping[str, object]]:
    """Return a response, its standard deviation and values of other inputs as numbers in the units of a fit."""
    left = response_of(fit)
    measured, error = (number_in_units_of(fit, left, value) for value in (response, sigma))
    return (
        measured,
        error,
        {_input(fit, name): number_in_units_of(fit, _input(fit, name), value) for name, value in others.items()},
    )


def response_of(fit: Fitted) -> str:
    """Return the column on the left side; what stands there instead if it is more than a column."""
    columns = fit.model.response_columns
    return columns[0] if fit.model.response.strip("`") in columns else fit.model.response


def _input(fit: WithUnits, name: str) -> str:
    """Return the input that a name stands for, ``t (s)`` for ``t``."""
    inputs = fit.model.needed_inputs
    if name in inputs:
        return name
    from descend.table.headers import in_full

    return in_full(name, inputs)


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

    wanted = units.get(name)
    if not isinstance(values, str) and np.ndim(values.magnitude):
        own, number = read_unit(unit_text(values.units), name), values.magnitude
    else:
        text = str(as_text(values))
        found = measured(text)
        if found is None:
            raise ConfigError(
                f"`{text}`, given for `{name}`, is no number with a unit. Write it as in 5/min or 300 mV."
            )
        number, own = found
    if not isinstance(wanted, str):
        raise ConfigError(f"`{name}` is given in {own}, and the fit knows no unit of it. Give it without one.")
    change = conversion(own, read_unit(wanted, name))
    if change is None:
        raise ConfigError(
            f"`{name}` is in {wanted} in the fit, and was given in {own}. Give it in a unit of that kind."
        )
    return change(number)


def _converted(units: Texts, inputs: Sequence[str], table: Table) -> Table:
    from descend.table.headers import bare, beside
    from descend.table.in_memory import with_values
    from descend.units.library import unit_of
    from descend.units.unit import Unit
    from descend.units.values import conversion, read_unit

    headers = {name: found for name in table.names if (found := beside(name)) is not None}
    said = {**{name: bare(text) for name, text in table.units.items()}, **table.given_units}
    for name in inputs:
        if not isinstance(units.get(name), str):
            continue
        wanted = read_unit(str(units[name]), name)
        source: str | None = name
        if name not in table.names:
            known = beside(name)
            own_name = name if known is None else known[0]
            alike = [each for each in table.names if (headers[each][0] if each in headers else each) == own_name]
            source = alike[0] if len(alike) == 1 else None
            said |= {each: headers[each][1] for each in alike if each in headers}
        own: Unit | None = unit_of(said[source]) if source in said else None
        if source is not None and source != name and source not in said:
            own = wanted  # a column of the plain name, of which no unit is said
        if source is None or own is None or (source == name and own == wanted):
            continue
        change = conversion(own, wanted)
        if change is None:
            raise DataError(
                f"`{source}` of {table.source} is in {own}, and the fit has `{name}` in {wanted}. Give it in a unit of "
                "that kind."
            )
        before = table
        table = with_values(table, name, change(table.with_gaps((source,))[source]))
        table.units, table.given_units = (
            {each: text for each, text in known.items() if each != name} for known in (before.units, before.given_units)
        )
        same = change.scale == 1.0 and not change.shift
        note = f"`{source}` is read as `{name}`" if same else f"`{source}` is converted from {own} to {wanted}"
        table.notes = (*before.notes, note)
    return table
