"""Columns that an option calls by the plain word before their unit, ``dt`` for ``dt (s)``, as formulas may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from descend.formula.equations import at_commas
from descend.formula.headers import with_columns
from descend.formula.syntax import ASSIGNED
from descend.options.option import Naming, Values
from descend.options.request import OPTIONS
from descend.table import open_table
from descend.table.by_file import Files, by_file
from descend.table.headers import in_full, plain_names
from descend.table.opening import is_table


def with_full_names(data: object, options: Values) -> tuple[object, dict[str, Any]]:
    """Return the data, opened if need be, and options that call columns by their whole names (see `Option.naming`).

    >>> data = {"t (s)": [1.0], "y": [2.0], "dy (s)": [0.1]}
    >>> with_full_names(data, {"sigma": "dy + 0.1*t", "x_sigma": {"t": "dy"}})[1]
    {'sigma': '`dy (s)` + 0.1*`t (s)`', 'x_sigma': {'t (s)': 'dy (s)'}}
    """
    options_in_full = dict(options)
    named = [key for key, value in options.items() if OPTIONS[key].naming and _has_text(value)]
    if not named or not is_table(data):
        return data, options_in_full
    data, columns = _opened(data, options.get("by"))
    if plain_names(columns):
        options_in_full |= {key: _in_full(options[key], OPTIONS[key].naming, columns) for key in named}
    return data, options_in_full


def _opened(data: object, by: object) -> tuple[object, Sequence[str]]:
    """Return the data as a table, unless groups are to be their files, and the columns."""
    if by is not None and by_file(data, [by] if isinstance(by, str) else list(by)):  # type: ignore[call-overload]
        return data, Files.of(data).example().names
    table = open_table(data)
    return table, table.names


def _has_text(value: object) -> bool:
    """Whether a name may be in a value, which arrays have none in."""
    if isinstance(value, Mapping):
        return any(map(_has_text, [*value, *value.values()]))
    return isinstance(value, str) or (isinstance(value, list | tuple) and any(map(_has_text, value[:2])))


def _in_full(value: Any, naming: Naming, columns: Sequence[str]) -> Any:
    if isinstance(value, Mapping):
        return {
            _text(name, columns): _in_full(each, naming, columns)
            if naming == "names" and isinstance(each, str)
            else each
            for name, each in value.items()
        }
    if isinstance(value, list | tuple):
        return type(value)(_in_full(each, naming, columns) for each in value)
    if not isinstance(value, str) or value in columns:
        return value
    if naming == "arguments":
        return _text(value, columns) if "(" in value else value
    option_parts = at_commas(value)
    full = [_pair(option_part, naming, columns) for option_part in option_parts]
    return value if full == option_parts else ",".join(full)


def _pair(text: str, naming: Naming, columns: Sequence[str]) -> str:
    """Return ``t=dt`` with the whole names of both, or of the first; a mere expression as such."""
    sign = ASSIGNED.search(text)
    if sign is None:
        return _text(text, columns) if naming == "names" else text
    name, value = text[: sign.start()].strip(), text[sign.end() :].strip()
    return f"{_text(name, columns)}={_text(value, columns) if naming == 'names' else value}"


def _text(text: object, columns: Sequence[str]) -> Any:
    """Return the column that a word stands for; an expression with those in it."""
    if not isinstance(text, str):
        return text
    return name if (name := in_full(text, columns)) != text else with_columns(text, columns)
