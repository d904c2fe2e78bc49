"""What a model file holds of the request that a fit was made with."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from descend.options.option import Values
from descend.options.request import OPTIONS
from descend.table.table import label


def request_content(call: Values) -> dict[str, object]:
    """Return what a model file holds of the arguments of a fit; ``lacking``: those that it has no words for.

    >>> request_content({"model": "y ~ w*x", "data": "line.csv", "fix": {"w": 1.0}, "gradient": print})
    {'model': 'y ~ w*x', 'fix': {'w': 1.0}, 'lacking': ['gradient']}
    """
    options_saved: dict[str, object] = {}
    lacking = []
    for key, value in call.items():
        if key == "data":
            continue
        value = value.tolist() if isinstance(value, np.generic) else value
        if key == "censored" and isinstance(value, Mapping):  # codes by number, which JSON has as text
            value = {name: _by_text(codes) for name, codes in value.items()}
        if _in_words(value):
            options_saved[key] = value
        elif key != "model" and OPTIONS[key].inherited:
            lacking.append(key)
    return options_saved | ({"lacking": lacking} if lacking else {})


def _by_text(codes: object) -> object:
    return {label(code): meaning for code, meaning in codes.items()} if isinstance(codes, Mapping) else codes


def _in_words(value: object, nested: bool = False) -> bool:
    """Whether a value can stand in a model file and means the same for other rows: a list of numbers does not."""
    if value is None or isinstance(value, str | bool | int | float):
        return True
    if isinstance(value, Mapping):
        return all(
            (isinstance(key, str) or type(key) is int) and _in_words(entry, True) for key, entry in value.items()
        )
    if isinstance(value, list | tuple):
        return all(_in_words(entry, True) and (nested or not isinstance(entry, int | float)) for entry in value)
    return False
