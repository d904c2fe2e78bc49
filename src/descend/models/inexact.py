"""Inputs with errors: what the user says of their standard deviations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from descend.errors import ConfigError
from descend.formula.printers.code import plain_name
from descend.registry import closest

Sigma = str | float
"""The column with the standard deviations of an input, or one for all rows."""
Given = Mapping[str, Any] | Sequence[str] | str | None
EXAMPLE = 'x_sigma={"t": "dt"}, or t=0.1'


def inexact_inputs(given: Given, inputs: Sequence[str], columns: Sequence[str]) -> dict[str, Sigma]:
    """Return the standard deviation of each input that has errors, of texts such as ``t=dt`` or values by name.

    Raises ConfigError for an input that the model does not have, a column that the table lacks, or a number below 0.

    >>> inexact_inputs(["t=dt", "z=0.1"], ["t", "z"], ["t", "z", "dt", "y"])
    {'t': 'dt', 'z': 0.1}
    """
    found: dict[str, Sigma] = {}
    for name, value in _pairs(given):
        if name not in inputs:
            raise ConfigError(
                f"`x_sigma` names `{name}`, which is no input of the formula.{closest(name, inputs)} "
                f"Inputs: {', '.join(map(plain_name, inputs))}."
            )
        if isinstance(value, str) and value not in columns:
            raise ConfigError(
                f"There is no column `{value}` with the standard deviations of `{name}`.{closest(value, columns)} "
                f"Columns: {', '.join(map(plain_name, columns))}."
            )
        if not isinstance(value, str) and not (math.isfinite(value) and value >= 0.0):
            raise ConfigError(f"The standard deviation of `{name}` must be 0 or more; it is {value:g}.")
        found[name] = value
    return found


def _pairs(given: Given) -> list[tuple[str, Sigma]]:
    if isinstance(given, Mapping):
        pairs = [(str(name), value) for name, value in given.items()]
    else:
        texts = [given] if isinstance(given, str) else list(given or ())
        parts = [part.partition("=") for text in texts for part in text.split(",")]
        if not all(name.strip() and value.strip() for name, _, value in parts):
            raise ConfigError(f"Standard deviations of inputs are given by name, such as {EXAMPLE}.")
        pairs = [(name.strip().strip("`"), value.strip().strip("`")) for name, _, value in parts]
    return [(name, _number_or_column(name, value)) for name, value in pairs]


def _number_or_column(name: str, value: object) -> Sigma:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        if isinstance(value, str):
            return value
    raise ConfigError(f"The standard deviation of `{name}` is the name of a column, or a number; it is {value!r}.")
