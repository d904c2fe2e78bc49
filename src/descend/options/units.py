"""Whether values of options may have units: a look that costs nothing where none have (see `Request.says_units`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

MEASURED = re.compile(r"\d\s*[*/]?\s*(?![eE][-+\d])[^\W\d_]|[\d\s]\s*[%°]")
"""What there is in a number with a unit."""


def number_or_measured(text: str) -> float | str:
    """Return a number, or, as it is, a text such as ``5/min`` that may be one with a unit. Raises ValueError.

    >>> number_or_measured(" 5"), number_or_measured("5/min")
    (5.0, '5/min')
    """
    return text.strip() if MEASURED.search(text) and text.strip()[:1] in "+-.0123456789" else float(text)


def without_quantities(options: Mapping[str, Any], measured: Iterable[str]) -> Mapping[str, Any]:
    """Return options in which quantities and units of Pint are texts, which a command and a file can repeat.

    measured: the options whose values may hold such.
    """
    given = ((key, options[key]) for key in measured if key in options)
    found = {key: _as_text(value) for key, value in given if isinstance(value, Mapping)}
    return {**options, **found} if found else options


def _as_text(value: Any) -> object:
    if type(value) in (float, int, str):
        return value
    if isinstance(value, Mapping):
        return {name: _as_text(value_in_dict) for name, value_in_dict in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_as_text, value))
    if not hasattr(value, "dimensionality"):
        return value
    if not hasattr(value, "magnitude"):
        return f"{value:~C}"
    return f"{float(value.magnitude)!r} {value.units:~C}" if not hasattr(value.magnitude, "__len__") else value


def may_have_units(value: object) -> bool:
    """Whether a text among values may be a number with a unit."""
    if value is None or type(value) in (int, float):
        return False
    if isinstance(value, str):
        return MEASURED.search(value) is not None
    if isinstance(value, Mapping):
        return any(map(may_have_units, value.values()))
    if isinstance(value, list | tuple):
        return any(map(may_have_units, value))
    return False
