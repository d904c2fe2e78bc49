"""Sums over rows without loss of digits or copies of rows: the triangle of a QR factorization, inner products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float64]
LEAST = 1e-10
"""Floor of a direction's curvature, as a share of the largest of the row, so that slopes can be divided by it."""


def numpy_factor(weight: Array | float, slope: Array, jacobian: Array) -> Array:
    """Return the triangle R of QR [sqrt(W) J, slope / sqrt(W)]; R'R holds curvature, gradient and loss.

    jacobian: (parameters, rows). A row of weight zero counts for nothing; if its slope is not zero, as when a weight
    underflows, there is no such R, and nan is returned throughout.
    """
    root = np.sqrt(np.broadcast_to(weight, jacobian.shape[1:]))
    augmented = np.empty((root.size, len(jacobian) + 1))
    np.multiply(jacobian.T, root[:, None], out=augmented[:, :-1])
    np.divide(slope, root, out=augmented[:, -1], where=root > 0.0)
    if not root.all():
        augmented[root == 0.0, -1] = np.where(slope[root == 0.0] == 0.0, 0.0, np.nan)
    return triangle(augmented)


def triangle(matrix: Array) -> Array:
    """Return the upper triangle of a QR factorization, (k, k) for a matrix of k columns."""
    columns = matrix.shape[1]
    if not np.isfinite(matrix).all():
        return np.full((columns, columns), np.nan)
    upper: Array = np.asarray(np.linalg.qr(matrix, mode="r"))
    return upper if len(upper) == columns else np.vstack([upper, np.zeros((columns - len(upper), columns))])


def merged_factors(first: Array, second: Array) -> Array:
    """Return the triangle that stands for the rows of both."""
    return triangle(np.vstack([first, second]))


def products(rows: Sequence[Array], omega: Array | None = None) -> Array:
    """Return the inner products of every two of a few long rows, weighted by ``omega``, without copying the rows.

    >>> products((np.array([1.0, 2.0]), np.array([3.0, 0.0]))).tolist()
    [[5.0, 3.0], [3.0, 9.0]]
    """
    products_of_rows = np.empty((len(rows), len(rows)))
    for i, row in enumerate(rows):
        left = row if omega is None else row * omega
        for j in range(i + 1):
            products_of_rows[i, j] = products_of_rows[j, i] = left.dot(rows[j])
    return products_of_rows


def torch_factor(weight: Tensor | float, slope: Tensor, jacobian: Tensor) -> Tensor:
    """Do the same as ``numpy_factor``, with tensors."""
    import torch

    root = torch.sqrt(torch.as_tensor(weight, dtype=jacobian.dtype, device=jacobian.device)).expand(jacobian.shape[1])
    last = torch.where((root == 0.0) & (slope == 0.0), torch.zeros_like(root), slope / root)
    return torch_triangle(torch.cat([jacobian.T * root[:, None], last[:, None]], dim=1))


def torch_triangle(matrix: Tensor) -> Tensor:
    """Do the same as ``triangle``, with a tensor."""
    import torch

    rows, columns = matrix.shape
    if not torch.isfinite(matrix).all():
        return matrix.new_full((columns, columns), float("nan"))
    upper = torch.linalg.qr(matrix, mode="r")[1]
    return upper if rows >= columns else torch.cat([upper, matrix.new_zeros((columns - rows, columns))])


def torch_merged_factors(first: Tensor, second: Tensor) -> Tensor:
    """Do the same as ``merged_factors``, with tensors."""
    import torch

    return torch_triangle(torch.cat([first, second]))


def whitened(
    jacobian: Array, own_places: Sequence[int], slopes: Sequence[Array], weights: Sequence[Array] = ()
) -> tuple[Array, Array]:
    """Return slopes, (m n,), and derivatives, (p, m n), of m scores per row, combined so that they do not interact.

    jacobian: (p, n) derivatives of the first score. own_places: those in theta of the other scores. slopes: of the m
    scores. weights: the upper triangle of their second derivatives, row by row; none if they are not needed.
    """
    count, rows = len(slopes), jacobian.shape[1]
    slope, turned = np.stack(slopes), None
    if weights:
        second = np.stack(weights)
        if not np.isfinite(second).all():
            return np.full(count * rows, np.nan), np.full((len(jacobian), count * rows), np.nan)
        alike = bool((second == second[:, :1]).all())  # expected second derivatives are, where rows have equal weights
        second = second[:, :1] if alike else second
        # Each score counts in a unit of its own: that of a prediction may be any power of ten of that of a shape.
        one, other = np.triu_indices(count)
        units = np.sqrt(np.abs(second[one == other]).max(axis=1, keepdims=True))
        units = np.where(units > 0.0, units, 1.0)
        values, vectors = eigenvectors(second / units[one] / units[other], count)
        values = np.abs(values)
        root = np.sqrt(np.maximum(values, LEAST * values.max(axis=0)))
        slope = np.einsum("an,akn->kn", slope / units, vectors) / np.where(root > 0.0, root, 1.0)
        turned = vectors * root * units[:, None]
    each = np.zeros((len(jacobian), count, rows))
    for k in range(count):
        if turned is not None:
            np.multiply(jacobian, turned[0, k], out=each[:, k])
        elif k == 0:
            each[:, k] = jacobian
        for score_number, score in enumerate(own_places, 1):
            each[score, k] += float(score_number == k) if turned is None else turned[score_number, k]
    return slope.ravel(), each.reshape(len(jacobian), -1)


def eigenvectors(triangles: Array, size: int) -> tuple[Array, Array]:
    """Return the eigenvalues, (m, n), and eigenvectors, (m, m, n), in columns, of n symmetric matrices.

    triangles: their upper triangles row by row, (m (m + 1) / 2, n). Two by two they follow from the angle of a turn.

    >>> values, vectors = eigenvectors(np.array([[2.0], [1.0], [2.0]]), 2)
    >>> values.ravel().round(12).tolist(), np.abs(vectors[:, 0, 0]).round(4).tolist()
    ([3.0, 1.0], [0.7071, 0.7071])
    """
    if size == 2:
        first, middle_triangle, last = triangles
        angle = 0.5 * np.arctan2(2.0 * middle_triangle, first - last)
        cosine, sine = np.cos(angle), np.sin(angle)
        half, middle = np.hypot(0.5 * (first - last), middle_triangle), 0.5 * (first + last)
        return np.stack([middle + half, middle - half]), np.array([[cosine, -sine], [sine, cosine]])
    matrices = np.empty((triangles.shape[1], size, size))
    for entries, i, j in zip(triangles, *np.triu_indices(size), strict=True):
        matrices[:, i, j] = matrices[:, j, i] = entries
    values, vectors = np.linalg.eigh(matrices)
    return values.T, vectors.transpose(1, 2, 0)
