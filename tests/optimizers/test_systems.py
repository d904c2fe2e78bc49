"""The linear systems of damped steps: small ones are solved by hand, and nobody can tell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descend.optimizers.systems import solved, solved_by_hand


@given(st.integers(1, 8), st.integers(0, 10_000), st.sampled_from([0.0, 1e-3, 10.0]))
def test_a_damped_system_is_solved_like_any_other(size, seed, damping):
    random = np.random.default_rng(seed)
    rows = random.normal(size=(size + 5, size))
    matrix, right = rows.T @ rows, random.normal(size=size)
    kept = matrix.copy(), right.copy()
    expected = np.linalg.solve(matrix + damping * np.eye(size), right)
    for found in (solved(matrix, damping, right), solved_by_hand(matrix.tolist(), damping, right.tolist())):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())
    np.testing.assert_array_equal(matrix, kept[0])
    np.testing.assert_array_equal(right, kept[1])


@pytest.mark.parametrize("size", [2, 3, 6])
def test_a_singular_system_has_no_solution_until_it_is_damped(size):
    assert solved(np.zeros((size, size)), 0.0, np.ones(size)) is None
    np.testing.assert_allclose(solved(np.zeros((size, size)), 0.5, np.ones(size)), 2.0)
