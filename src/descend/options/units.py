"""Values of options that may have units: a look at them costs nothing where none have (see `Request.says_units`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from descend.errors import ConfigError
from descend.registry import split_assignments

MEASURED = re.compile(r"\d\s*[*/]?\s*(?![eE][-+\d])[^\W\d_]|[\d\s]\s*[%°]")
"""What there is in a number with a unit."""


def number_or_measured(text: str) -> float | str:
    """Return a number, or, as it is, a text such as ``5/min`` that may be one with a unit. Raises ValueError.

    >>> number_or_measured(" 5"), number_or_measured("5/min")
    (5.0, '5/min')
    """
    return text.strip() if MEASURED.search(text) and text.strip()[:1] in "+-.0123456789" else float(text)


def as_text(value: Any) -> object:
    """Return a value in which quantities and units of Pint are texts, which a command and a file can repeat."""
    if type(value) in (float, int, str):
        return value
    if isinstance(value, dict | Mapping):
        return {name: as_text(value_in_dict) for name, value_in_dict in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(as_text, value))
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
    if isinstance(value, dict | Mapping):
        return any(map(may_have_units, value.values()))
    if isinstance(value, list | tuple):
        return any(map(may_have_units, value))
    return False


def read_fixed(fix: Mapping[str, Any] | str | None) -> Mapping[str, Any] | None:
    """Return fixed values by name, also from a text such as ``c=0, d=1``.

    >>> read_fixed("c=0, w[x1] = 1.5")
    {'c': 0.0, 'w[x1]': 1.5}
    """
    if fix is None or isinstance(fix, Mapping):
        return fix
    try:
        fixed_texts = (fixed_text.rsplit("=", 1) for fixed_text in split_assignments(fix))
        return {name.strip().strip("`"): number_or_measured(value) for name, value in fixed_texts}
    except (AttributeError, TypeError, ValueError):
        raise ConfigError(
            f'Fixed values are given by name, such as fix={{"c": 0}}; {fix!r} cannot be read so.'
        ) from None
