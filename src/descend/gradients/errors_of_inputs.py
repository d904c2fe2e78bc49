"""What rows say of the errors of their inputs: variances, and what such an error brings with it in the response."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from descend.errors import DataError
from descend.models.inexact import Sigma
from descend.table.rows import Rows

Array = NDArray[np.float64]


def shared_errors(
    correlated: Mapping[str, Sigma], sigmas: Mapping[str, Sigma], spread: list[Array], omega: Array, rows: Rows
) -> tuple[list[Array], Array]:
    """Return what an error of each input brings with it in the response, and the weights of the rest.

    With r the correlation, an error -delta of the input has with it one of -delta r sigma_y / sigma_x on average, about
    which the response scatters with sigma_y**2 (1 - sum of r**2). Raises DataError for correlations of 1 or more.
    """
    shared_columns, left = [], np.ones(rows.count)
    for name, variance in zip(sigmas, spread, strict=True):
        correlations = correlated.get(name, 0.0)
        r = (
            np.asarray(rows.columns[correlations])
            if isinstance(correlations, str)
            else np.full(rows.count, correlations)
        )
        r = np.where(variance > 0.0, r, 0.0)
        scale = np.where((variance > 0.0) & (omega > 0.0), variance * omega, 1.0)
        shared_columns.append(r / np.sqrt(scale))
        left -= r * r
    if not (left > 0.0).all():
        row = int(np.argmin(left))
        raise DataError(
            f"The errors of the inputs and of the response are correlated by 1 or more in row {row + 1} of "
            f"{rows.source}. Correlations must lie between -1 and 1, and their squares add up to less than 1."
        )
    return shared_columns, omega / left


def spreads(sigmas: Mapping[str, Sigma], rows: Rows) -> list[Array]:
    """Return the variance of each input with errors in each row. Raises DataError for a standard deviation below 0."""
    for name, sigma in sigmas.items():
        _refuse_negative(name, sigma, rows)
    return [
        np.asarray(rows.columns[sigma]) ** 2 if isinstance(sigma, str) else np.full(rows.count, sigma * sigma)
        for sigma in sigmas.values()
    ]


def _refuse_negative(name: str, sigma: Sigma, rows: Rows) -> None:
    """Raise DataError for a standard deviation below 0."""
    if isinstance(sigma, str) and (rows.columns[sigma] < 0.0).any():
        row = int(np.argmax(rows.columns[sigma] < 0.0))
        raise DataError(
            f"`{sigma}`, the standard deviation of `{name}`, is {rows.columns[sigma][row]:g} in row {row + 1} of "
            f"{rows.source}. It must be 0, where the input is exact, or more."
        )
