"""NumPy code with arrays, as people write it, becomes a formula with the same values and slopes."""

from __future__ import annotations

import numpy as np
import pytest
from tests.tracing.tracing_checks import assert_traced

W = np.array([0.5, 1.5, 2.5])
TURN = np.array([[1.0, 2.0], [-0.5, 0.3]])


def rows_apart(x, a, b, s):
    centers = np.array([0.5, 1.0, 2.0])
    return np.sum(a * np.exp(-(((x[:, None] - b * centers) / s) ** 2)), axis=1)


def peaks_by_loop(x, a, b, s):
    total = np.zeros_like(x)
    for k, center in enumerate(W):
        total += a / (k + 1) * np.exp(-(((x - center) / s) ** 2))
    return total + b


def changed_argument(x, a, b):
    y = x
    y -= b
    return a * x**2


def changed_view(X, a, b):
    first = X[0]
    first *= a
    X[1] += b
    return X[0] * X[1]


def changed_row_vector(X, a, b):
    columns = X.copy()
    for column in columns.T:
        column += b
    return a * columns.sum(axis=1)


def reshaped_view(x, a, b):
    column = x.reshape(-1, 1)
    column += b
    return a * x


OF_ONE_COLUMN = [
    lambda x, a, b: np.sum(np.stack([a * x, b * x**2, a * b + x]), axis=0),
    lambda x, a, b: (W[:, None] * np.exp(-a * x) + b).sum(axis=0),
    lambda x, a, b: (a * x[:, None] ** np.arange(3)).sum(1) + b,
    lambda x, a, b: np.mean(a * x[:, np.newaxis] * W, axis=-1, keepdims=True)[:, 0] + b,
    lambda x, a, b: np.prod(a + x[None, :] * W[:, None], axis=0) * b,
    lambda x, a, b: np.min(a * x[:, None] + b * W - W**2, axis=1),
    lambda x, a, b: np.amax(a * x - b * np.array([[1.0], [3.0]]), axis=0),
    lambda x, a, b: np.var(a * x[:, None] * W, axis=1) + np.std(W * b),
    lambda x, a, b: np.average(np.exp(-a * x[:, None] * W), axis=1, weights=W) + b,
    lambda x, a, b: np.ptp(np.sin(a * x[:, None] * W), axis=1) * b,
    lambda x, a, b: np.add.reduce(a * x * W[:, None]) + b,
    lambda x, a, b: np.multiply.reduce(a * x * W[:, None], axis=0) + b,
    lambda x, a, b: np.add.outer(a * x, b * W).sum(axis=1),
    lambda x, a, b: np.multiply.outer(W, a * x).sum(axis=0) * b,
    lambda x, a, b: np.outer(a * x, W).sum(axis=1) + np.outer(W, x)[1] * b,
    lambda x, a, b: np.dot(np.exp(-a * x[:, None] * W), W) + b,
    lambda x, a, b: np.exp(-a * x[:, None] * W) @ W + b,
    lambda x, a, b: W @ np.exp(-a * W[:, None] * x) + b,
    lambda x, a, b: np.einsum("i,ij->j", W, a * x * W[:, None] + b),
    lambda x, a, b: np.einsum("ji,i", np.exp(-a * x[:, None] * W), b * W),
    lambda x, a, b: np.tensordot(W, np.exp(-a * W[:, None] * x), axes=1) + b,
    lambda x, a, b: np.inner(a * x[:, None] + W, W) * b,
    lambda x, a, b: np.vdot(W, W * a) * x + b,
    lambda x, a, b: np.cumsum(a * x[:, None] * W, axis=1)[:, 1] + np.cumprod(b * W)[2],
    lambda x, a, b: np.diff(a * x[:, None] ** W, axis=1)[:, 1] + b,
    lambda x, a, b: np.trapezoid(np.exp(-a * x[:, None] * W), W, axis=1) + b,
    lambda x, a, b: np.trapezoid(a * W[:, None] + x, dx=b, axis=0),
    lambda x, a, b: np.add.accumulate(a * x * W[:, None])[2] + b,
    lambda x, a, b: np.squeeze(np.expand_dims(a * x, 0)) + b,
    lambda x, a, b: np.reshape(a * x, (1, -1))[0] + (b * x).reshape(x.shape),
    lambda x, a, b: np.atleast_2d(a * x)[0] + np.atleast_1d(b),
    lambda x, a, b: np.vstack([a * x, b * x]).T[:, 1] + np.hstack([a, b])[0] * x,
    lambda x, a, b: np.column_stack((x, x**2)) @ np.array([1.0, 2.0]) * a + b,
    lambda x, a, b: np.concatenate([a * x[:, None], b * x[:, None] ** 2], axis=1).sum(axis=1),
    lambda x, a, b: np.moveaxis(np.stack([a * x, b + x], axis=1), 0, 1)[1] + np.swapaxes(x[:, None], 0, 1)[0],
    lambda x, a, b: np.broadcast_to(a * x, (3, x.size)).sum(axis=0) + np.broadcast_to(b, x.shape),
    lambda x, a, b: np.vander(x, 3) @ W * a + b,
    lambda x, a, b: np.polyval([a, b, 1.0], x) + np.poly1d([1.0, 2.0, 0.5])(a * x),
    lambda x, a, b: a * x + np.polynomial.polynomial.polyval(x, W) * b,
    lambda x, a, b: np.polynomial.chebyshev.chebval(x - 1, [0.1, a, b]),
    lambda x, a, b: np.linspace(a, b * x, 4).mean(axis=0),
    lambda x, a, b: (a * x).clip(0.5, 2) + b.real + np.real(x) + x.imag + (a * x).conj(),
    lambda x, a, b: (a * x).astype(float).ravel().flatten().squeeze().copy() + b * x.ndim + (x > 1).astype(float),
    lambda x, a, b: np.sum([a * x, b * x, x], axis=0) + np.sum(np.array([a, b])),
    lambda x, a, b: np.full_like(x, a) * np.ones_like(x) + np.full(x.shape, b) + np.empty_like(x) * 0,
    lambda x, a, b: np.tile(np.array([a, b]), 2)[2] * x + np.repeat(np.array([a, b]), 2)[1],
    lambda x, a, b: x * np.exp(np.array([a, b]))[0] + np.linalg.norm(np.array([a, b])),
    lambda x, a, b: np.sum(np.array([a, b])[:, None] * x, axis=0, where=np.array([[True], [False]])),
    lambda x, a, b: np.linalg.solve(np.array([[a + 1.0, -b], [1.0, 2.0]]), np.array([0.5, a]))[0] * x,
    lambda x, a, b: np.linalg.inv(np.array([[a + 1.0, -b, 0.0], [1.0, 2.0, a], [0.3, 0.2, 4.0]]))[0] @ W * x,
    lambda x, a, b: np.linalg.det(TURN * a + np.array([[0.0, b], [1.0, 2.0]])) * x,
    lambda x, a, b: np.linalg.norm(np.stack([a * x, b - x]), axis=0) + np.linalg.norm(W * a, 1),
    lambda x, a, b: np.sum(np.exp(-a * np.meshgrid(x, W)[0] * np.meshgrid(x, W)[1]), axis=0) + b,
    lambda x, a, b: np.meshgrid(W, a * x, indexing="ij")[1].sum(axis=0) * b,
    lambda x, a, b: np.take(np.array([a, b, 1.0]), [2, 0]).sum() * x + np.take(x[:, None] * W, 1, axis=1),
    lambda x, a, b: a * x + np.where(np.isclose(x, 1.0), b, 0) + np.ndim(x) + np.shape(np.ones((2, 3)) * b)[0],
    rows_apart,
    peaks_by_loop,
    changed_argument,
    reshaped_view,
]


@pytest.mark.parametrize("function", OF_ONE_COLUMN)
def test_a_function_of_a_column_has_its_values_and_slopes(function):
    assert_traced(function)


OF_SEVERAL = [
    (lambda X, a, b: a * X[0] + b * X[1] ** 2, 0),
    (lambda X, a, b: a * X[:, 0] + b * X[:, 1] ** 2, 1),
    (lambda X, a, b: a * X[..., -1] + b * X[..., 0], 1),
    (lambda X, a, b: X @ np.array([a, b]), 1),
    (lambda X, a, b: np.array([a, b]) @ X, 0),
    (lambda X, a, b: np.dot(X, [a, b]), 1),
    (lambda X, a, b: (X @ TURN * np.array([a, b])).sum(axis=1), 1),
    (lambda X, a, b: np.sum((TURN @ X) ** 2, axis=0) * a + b, 0),
    (lambda X, a, b: np.einsum("ni,ij,nj->n", X, TURN, X) * a + b, 1),
    (lambda X, a, b: np.sqrt((X**2).sum(axis=1)) * a + b, 1),
    (lambda X, a, b: np.prod(X, axis=0) ** a + b, 0),
    (lambda X, a, b: a * X.T[0] + b * X.T[1:].sum(axis=0), 1),
    (lambda X, a, b: a * X[[1, 0]][0] + b * X[np.array([True, False])][0], 0),
    (lambda X, a, b: np.where(X > 1, a * X, b).sum(axis=1), 1),
    (changed_view, 0),
    (changed_row_vector, 1),
]


@pytest.mark.parametrize(("function", "axis"), OF_SEVERAL)
def test_a_function_of_several_columns_in_one_array_has_its_values_and_slopes(function, axis):
    assert_traced(function, columns=("x0", "x1"), stacked=axis)


def unpacked(X, a, b):
    x, y = X
    (first, second) = np.array([a, b])
    return first * x + second * y


def test_arrays_are_unpacked():
    assert assert_traced(unpacked, columns=("x0", "x1"), stacked=0) == "a*x0 + b*x1"
