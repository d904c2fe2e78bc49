"""Inputs with errors: what the user says of their standard deviations, and of their correlations with the response."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from descend.errors import ConfigError
from descend.formula.printers.code import plain_name
from descend.losses import Loss
from descend.registry import closest
from descend.wording import spell

Sigma = str | float
"""The column with the standard deviations of an input, or one for all rows."""
Given = Mapping[str, object] | Sequence[str] | str | None
EXAMPLE = 'x_sigma={"t": "dt"}, or t=0.1'


def inexact_inputs(sigma_given: Given, inputs: Sequence[str], columns: Sequence[str]) -> dict[str, Sigma]:
    """Return the standard deviation of each input that has errors, of texts such as ``t=dt`` or values by name.

    Raises ConfigError for an input that the model does not have, a column that the table lacks, or a number below 0.

    >>> inexact_inputs(["t=dt", "z=0.1"], ["t", "z"], ["t", "z", "dt", "y"])
    {'t': 'dt', 'z': 0.1}
    """
    inexact_columns: dict[str, Sigma] = {}
    for name, value in _pairs(sigma_given):
        if name not in inputs:
            raise ConfigError(
                f"`x_sigma` names `{name}`, which is no input of the formula.{closest(name, inputs)} "
                f"Inputs: {', '.join(map(plain_name, inputs))}."
            )
        _refuse_no_column(name, value, columns, "standard deviations")
        if not isinstance(value, str) and not (math.isfinite(value) and value >= 0.0):
            raise ConfigError(f"The standard deviation of `{name}` must be 0 or more; it is {value:g}.")
        inexact_columns[name] = value
    return inexact_columns


def refuse_loss(loss: Loss, several: bool) -> None:
    """Raise ConfigError for a loss that knows no distances. several: whether there are several responses."""
    if not loss.of_distance:
        raise ConfigError(
            "Errors of inputs go with least squares, and with robust losses such as huber and soft_l1, not with "
            f"the {loss.name} loss. Choose one of these, or leave out the errors of inputs."
        )
    if several and not loss.quadratic:
        raise ConfigError(
            f"Errors of inputs of several responses are fitted by least squares, not under the {loss.name} loss. Leave "
            "out one of the two."
        )


def correlations(correlations_given: Given, inexact: Mapping[str, Sigma], columns: Sequence[str]) -> dict[str, Sigma]:
    """Return the correlation of the errors of each input and of the response, of texts or values by name.

    Raises ConfigError for an input without errors, a column that the table lacks, or a number outside (-1, 1).

    >>> correlations("t=rho", {"t": "dt"}, ["t", "dt", "rho", "y"])
    {'t': 'rho'}
    """
    correlations_read: dict[str, Sigma] = {}
    for name, value in _pairs(correlations_given, "Correlations", "x_correlation={'t': 'rho'}, or t=-0.4"):
        if name not in inexact:
            raise ConfigError(
                f"`x_correlation` names `{name}`, which has no errors: give it a standard deviation with "
                f"{spell('x_sigma', {name: 0.1})}."
            )
        _refuse_no_column(name, value, columns, "correlations")
        if not isinstance(value, str) and not -1.0 < value < 1.0:
            raise ConfigError(f"The correlation of `{name}` must lie between -1 and 1; it is {value:g}.")
        correlations_read[name] = value
    return correlations_read


def _refuse_no_column(name: str, value: Sigma, columns: Sequence[str], held_name: str) -> None:
    if isinstance(value, str) and value not in columns:
        raise ConfigError(
            f"There is no column `{value}` with the {held_name} of `{name}`.{closest(value, columns)} "
            f"Columns: {', '.join(map(plain_name, columns))}."
        )


def _pairs(
    pairs_given: Given, role: str = "Standard deviations of inputs", like: str = EXAMPLE
) -> list[tuple[str, Sigma]]:
    if isinstance(pairs_given, Mapping):
        pairs = [(str(name), value) for name, value in pairs_given.items()]
    else:
        texts = [pairs_given] if isinstance(pairs_given, str) else list(pairs_given or ())
        pair_texts = [pair_text.partition("=") for text in texts for pair_text in text.split(",")]
        if not all(name.strip() and value.strip() for name, _, value in pair_texts):
            raise ConfigError(f"{role} are given by name, such as {like}.")
        pairs = [(name.strip().strip("`"), value.strip().strip("`")) for name, _, value in pair_texts]
    return [(name, _number_or_column(name, value, role)) for name, value in pairs]


def _number_or_column(name: str, value: object, role: str) -> Sigma:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        if isinstance(value, str):
            return value
    raise ConfigError(f"{role} are names of columns, or numbers; that of `{name}` is {value!r}.")
