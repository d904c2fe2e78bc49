"""Covariance of the parameters from the curvature of J."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from descend.engines.totals import Curvature
from descend.formula.factor import triangle
from descend.optimizers.contract import WELL
from descend.optimizers.damped_systems import inverse_columns
from descend.problem.point import Point

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Covariance = Curvature
"""A (p, p) matrix; or an arrow, where very many parameters each belong to one group."""
SMALL = 4
"""Up to this many rows, plain numbers are faster than NumPy."""
SINGULAR = 1e-13
"""A singular value of the scaled Jacobian below this share of the largest: some combination is undetermined."""


def estimated_covariance(point: Point, degrees: float, mask: Mask | None = None) -> Covariance | None:
    """Return the covariance of the parameters of a squared-loss fit without penalty, or None if the data give none.

    With J = sum omega r**2 / sum omega and C = 2 sum omega f f' / sum omega its Gauss-Newton curvature, f the
    derivatives of the prediction, the usual s**2 (sum omega f f')^-1, s**2 = sum omega r**2 / degrees, is

        2 J / degrees * C^-1

    degrees: the degrees of freedom, rows minus parameters. None if there are none, or if C is singular to rounding.
    mask: see ``inverse_curvature``.
    """
    inverse = inverse_curvature(point, mask) if degrees > 0 else None
    return None if inverse is None else inverse * (2.0 * point.loss / degrees)


def known_covariance(point: Point, total: float, share: float = 1.0, mask: Mask | None = None) -> Covariance | None:
    """Return share * (total * C)^-1: the inverse Fisher information, where the loss is a likelihood of known scale.

    total: the sum of the row weights. share: 1 for poisson and logistic; 2 for squared with weights 1 / sigma**2,
    because that loss is twice a negative log-likelihood.
    """
    inverse = inverse_curvature(point, mask)
    return None if inverse is None else inverse * (share / total)


def variance_of(covariance: Covariance, gradient: Array) -> float:
    """Return g' V g, the variance of what has these derivatives by the parameters; only those it depends on matter."""
    used = gradient != 0.0
    if isinstance(covariance, np.ndarray):
        return float(gradient[used] @ covariance[np.ix_(used, used)] @ gradient[used])
    from descend.inference.covariance.arrow import among

    return float(gradient[used] @ among(covariance, np.flatnonzero(used)) @ gradient[used])


def inverse_curvature(point: Point, mask: Mask | None = None) -> Covariance | None:
    """Return C^-1, from the triangle of the Jacobian where the engine has it, so that no digits are lost to squaring.

    Parameters at a bound or not in ``mask`` are held: their entries are 0, which makes this a generalized inverse.
    None if the rest of C is singular to rounding.
    """
    free = np.ones(point.theta.size, dtype=bool) if mask is None else mask
    if point.bounds is not None:
        free = free & ~point.bounds.held(point.theta)
    return _embedded(point, free)


def _embedded(point: Point, free: Mask) -> Covariance | None:
    """Return the inverse of the block of C that belongs to the ``free`` components, placed among zeros."""
    curvature, factor = point.curvature, point.factor
    if curvature is None:
        return None
    if not isinstance(curvature, np.ndarray):
        from descend.inference.covariance.arrow import inverse_arrow

        return inverse_arrow(point, free)
    assert factor is None or isinstance(factor, np.ndarray)
    if free.all():
        if factor is not None:
            return inverse_triangle(factor[:-1, :-1])
        inverted = well_conditioned_inverse(curvature)
        return inverse(curvature) if inverted is None else inverted
    result = np.zeros((free.size, free.size))
    if free.any():
        both = np.ix_(free, free)
        inner = inverse(curvature[both]) if factor is None else inverse_triangle(triangle(factor[:-1, :-1][:, free]))
        if inner is None:
            return None
        result[both] = inner
    return result


def inverse_triangle(upper: Array) -> Array | None:
    """Return (R'R)^-1 for a triangle R; None if it is singular to rounding."""
    norms = np.sqrt(np.add.reduce(upper * upper))
    if not (np.isfinite(norms).all() and (norms > 0.0).all()):
        return None
    _, values, right = np.linalg.svd(upper / norms)
    if values[-1] < SINGULAR * values[0]:
        return None
    root = right.T / values / norms[:, None]
    result: Array = root @ root.T
    return result


def well_conditioned_inverse(curvature: Array) -> Array | None:
    """Return the inverse of a symmetric matrix of which squaring cost no digit worth having; None of others.

    Scaled to a unit diagonal, with eigenvalues lambda_k, the trace of its inverse is sum 1 / lambda_k.
    """
    size = len(curvature)
    if size <= SMALL:
        columns = inverse_columns(curvature.tolist(), range(size))
        few: Array | None = None if columns is None else np.array(columns)
        return None if few is None else 0.5 * (few + few.T)
    diagonal = curvature.diagonal()
    if not min(diagonal.tolist()) > 0.0:
        return None
    scale = 1.0 / np.sqrt(diagonal)
    units = scale * scale[:, None]
    try:
        inverted = np.linalg.inv(curvature * units)
    except np.linalg.LinAlgError:
        return None
    # Of a matrix with a unit diagonal that is positive definite, no diagonal element of the inverse is below 1.
    parts = inverted.diagonal().tolist()
    if not (min(parts) > 0.5 and sum(parts) * WELL < 1.0):
        return None
    result: Array = inverted * units
    return result


def inverse(curvature: Array) -> Array | None:
    """Return the inverse of a symmetric matrix, or None unless it is positive definite by more than rounding."""
    diagonal = curvature.diagonal()
    if not (np.isfinite(curvature).all() and (diagonal > 0.0).all()):
        return None
    scale = 1.0 / np.sqrt(diagonal)
    scaled = curvature * scale * scale[:, None]
    if np.linalg.eigvalsh(scaled)[0] < 1e-14:
        return None
    result: Array = np.linalg.inv(scaled) * scale * scale[:, None]
    return result
