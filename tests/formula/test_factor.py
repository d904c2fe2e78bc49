"""Scores that one row has several of, combined so that they do not interact."""

from __future__ import annotations

import numpy as np
import pytest

from descend.formula import factor
from descend.formula.factor import eigenvectors, whitened


@pytest.mark.parametrize("size", [2, 3])
def test_eigenvectors_of_many_matrices_are_those_of_each(size):
    triangles = np.random.default_rng(0).normal(size=(size * (size + 1) // 2, 500))
    triangles[:, 0], triangles[1, 1] = 0.0, 0.0
    values, vectors = eigenvectors(triangles, size)
    for number in range(500):
        matrix = np.empty((size, size))
        for entry, i, j in zip(triangles[:, number], *np.triu_indices(size), strict=True):
            matrix[i, j] = matrix[j, i] = entry
        turned = vectors[:, :, number]
        np.testing.assert_allclose(turned.T @ turned, np.eye(size), atol=1e-14)
        np.testing.assert_allclose((turned * values[:, number]) @ turned.T, matrix, atol=1e-13)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_sums_of_combined_scores_are_the_gradient_and_the_size_of_the_curvature(size):
    rng, rows, parameters = np.random.default_rng(1), 200, 5
    jacobian, own = rng.normal(size=(parameters, rows)), list(range(parameters - size + 1, parameters))
    jacobian[own] = 0.0
    each = np.zeros((size, parameters, rows))
    each[0] = jacobian
    for place, score in enumerate(own, 1):
        each[place, score] = 1.0
    slopes, root = rng.normal(size=(size, rows)), rng.normal(size=(rows, size, size))
    second = root @ root.transpose(0, 2, 1)
    weights = [second[:, i, j] for i, j in zip(*np.triu_indices(size), strict=True)]
    slope, combined = whitened(jacobian, own, list(slopes), weights)
    np.testing.assert_allclose(combined @ slope, np.einsum("apn,an->p", each, slopes), rtol=1e-9)
    np.testing.assert_allclose(combined @ combined.T, np.einsum("apn,nab,bqn->pq", each, second, each), rtol=1e-9)
    slope, combined = whitened(jacobian, own, list(slopes))
    np.testing.assert_allclose(combined @ slope, np.einsum("apn,an->p", each, slopes), rtol=1e-9)


def test_one_matrix_that_all_rows_share_is_taken_apart_once(monkeypatch):
    rng, rows, sizes = np.random.default_rng(2), 400, []

    def counted(triangles, size):
        sizes.append(triangles.shape[1])
        return eigenvectors(triangles, size)

    monkeypatch.setattr(factor, "eigenvectors", counted)
    jacobian, slopes = rng.normal(size=(4, rows)), list(rng.normal(size=(3, rows)))
    jacobian[2:] = 0.0
    shared = [np.full(rows, entry) for entry in (3.0, 0.5, 0.2, 2.0, -0.1, 1.0)]
    slope, combined = whitened(jacobian, [2, 3], slopes, shared)
    shared[0] = shared[0].copy()
    shared[0][-1] = np.nextafter(3.0, 4.0)
    others = whitened(jacobian, [2, 3], slopes, shared)
    assert sizes == [1, rows]
    np.testing.assert_allclose(combined @ slope, others[1] @ others[0], rtol=1e-11)
    np.testing.assert_allclose(combined @ combined.T, others[1] @ others[1].T, rtol=1e-11)
