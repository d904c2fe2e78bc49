"""The complex step: derivatives without subtraction, of a function that takes complex numbers as it takes real ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from descend.differences.calls import Array, Calls, Values

STEP = 1e-20
"""Size of the imaginary step, as a share of the parameter: its square is lost in rounding."""
REAL = 1e-6
"""An imaginary part above this share of the values is no derivative: the function has left the real numbers."""
APART = 1e-8
"""Distance of the change that a derivative is held against, as a share of the way that matters."""
CLOSER = 1e-2
"""Where rows disagree, the distance is made so much shorter, in case they lie beside a kink or bend sharply."""
FURTHER, FARTHEST = 1e3, 1e-2
"""Where most rows do not change at all, it is made longer, up to this share."""
AGREES = 1e-5
"""Share of the largest possible change of a row by which the two may differ."""
ROUNDING = 1e-14
"""Rounding of the values, as a share of the largest, a few operations deep."""


def complex_jacobian(
    calls: Calls, theta: Array, together: bool, places: Sequence[int] | None = None
) -> tuple[Array, Array] | None:
    """Return the (n,) values and their (n, p) derivatives at theta; None where the function takes no complex numbers.

        df_i/dtheta_k = Im f_i(theta + i h e_k) / h,   to h**2

    Rows whose imaginary part is not small, such as the root of a negative number, have no value.
    together: all columns by one call. places: of the parameters, if not all.

    Source: Squire & Trapp (1998), SIAM Rev. 40, 110-112; Martins, Sturdza & Alonso (2003), ACM TOMS 29, 245-262.
    """
    steps = STEP * np.where(theta == 0.0, 1.0, np.abs(theta))
    components = np.arange(theta.size) if places is None else np.asarray(places, dtype=np.intp)
    steps = steps[components]
    complex_values = calls.complex_values(theta + 1j * steps[:, None] * np.eye(theta.size)[components], together)
    if complex_values is None:
        return None
    values, jacobian = complex_values[0].real.astype(np.float64), (complex_values.imag / steps[:, None]).T
    size = np.abs(values[np.isfinite(values)]).max(initial=0.0)
    outside = (np.abs(complex_values.imag) > REAL * size).any(axis=0)
    if outside.any():
        values[outside], jacobian[outside] = np.nan, np.nan
    return values, jacobian


def misfit(calls: Calls, theta: Array, values: Array, jacobian: Array, turn: int = 0) -> float | None:
    """Return by how much values miss what derivatives predict, as their noise; None where some row does not agree.

    The derivatives are held against the change along one direction through all parameters, in every row.

    ``abs`` of a complex number, a comparison or a cast to float lose the imaginary part of some rows, or of all. Each
    parameter moves by a like share of the way that changes the values by their own size. turn: which of several
    directions, as signs.
    """
    finite_mask = np.isfinite(values) & np.isfinite(jacobian).all(axis=1)
    size = float(np.sqrt(np.mean(values[finite_mask] ** 2))) if finite_mask.any() else 0.0
    steep = np.sqrt(np.mean(jacobian[finite_mask] ** 2, axis=0)) if finite_mask.any() else np.zeros(theta.size)
    usable = (steep > 0.0) & np.isfinite(steep)
    ways = np.where(usable, size / np.where(usable, steep, 1.0), np.abs(theta))
    ways = np.where(theta == 0.0, ways, np.minimum(ways, np.abs(theta))) * signs(theta.size, turn)
    largest = float(np.abs(values[finite_mask]).max(initial=0.0))
    noise, step_apart = 0.0, APART
    while step_apart <= FARTHEST:
        there_too = theta + step_apart * ways
        step_there = there_too - theta
        change = calls.value(there_too) - values
        finite_mask &= np.isfinite(change)
        missed = np.abs(change - jacobian @ step_there)
        if np.count_nonzero(finite_mask & (change == 0.0)) > 0.5 * np.count_nonzero(finite_mask):
            step_apart *= FURTHER  # what does not move says nothing, such as rounded values
            continue
        agree = missed <= AGREES * np.abs(jacobian) @ np.abs(step_there) + ROUNDING * largest
        if (finite_mask & agree).any():
            noise = max(noise, float(np.sqrt(0.5 * np.mean(missed[finite_mask & agree] ** 2))))
        finite_mask &= ~agree  # the rows that are still in doubt
        if not finite_mask.any():
            return noise
        if step_apart < APART:
            return None
        step_apart *= CLOSER
    return None


def signs(size: int, turn: int) -> Array:
    """Return signs and lengths of a direction, none of them alike, so that no columns cancel by symmetry."""
    shares: Values = np.modf((np.arange(size) + 1.0 + size * turn) * 0.6180339887498949)[0]
    return np.where(shares < 0.5, -1.0, 1.0) * (0.6 + 0.4 * shares)
