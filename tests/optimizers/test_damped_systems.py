"""The linear systems of damped steps: few unknowns are eliminated in plain numbers, and nobody can tell."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descend.optimizers.damped_systems import FEW, LEAST, Few, Normal, solved, solver


@given(st.integers(1, FEW), st.integers(0, 10_000), st.sampled_from([0.0, 1e-3, 10.0]), st.floats(-60.0, 60.0))
def test_a_damped_system_of_few_unknowns_is_solved_like_any_other(size, seed, damping, power):
    random = np.random.default_rng(seed)
    units = 10.0 ** random.uniform(-abs(power), abs(power), size)
    rows = random.normal(size=(size + 5, size)) * units
    curvature, gradient = rows.T @ rows, random.normal(size=size) * units
    at = SimpleNamespace(curvature=curvature, gradient=gradient)
    (move, gain), (expected, gained) = (kind(at, [LEAST] * size).move(damping) for kind in (Few, Normal))
    np.testing.assert_allclose(move * units, expected * units, rtol=1e-9, atol=1e-9 * np.abs(expected * units).max())
    assert gain == pytest.approx(gained, rel=1e-9)
    few, many = Few(at, [LEAST] * size), Normal(at, [LEAST] * size)
    assert few.newton()[1] == pytest.approx(many.newton()[1], rel=1e-9)
    assert few.safe() == many.safe()
    share = solver(size)(curvature.tolist(), gradient.tolist(), (units**2).tolist(), 0.0)[2]
    assert share == pytest.approx(np.linalg.det(curvature / np.outer(units, units)), rel=1e-8)


@pytest.mark.parametrize("kind", [Few, Normal])
def test_a_singular_system_promises_nothing_until_it_is_damped(kind):
    system = kind(SimpleNamespace(curvature=np.ones((2, 2)), gradient=np.array([-1.0, -1.0])), [LEAST] * 2)
    move, gain = system.move(0.0)
    assert gain == 0.0 and not move.any() and not system.safe() and system.newton()[1] == math.inf
    np.testing.assert_allclose(system.move(0.5)[0], 0.4)
    assert system.move(0.5)[1] > 0.0


@pytest.mark.parametrize("size", [2, 3, 6])
def test_a_singular_matrix_has_no_solution_until_it_is_damped(size):
    assert solved(np.zeros((size, size)), 0.0, np.ones(size)) is None
    np.testing.assert_allclose(solved(np.zeros((size, size)), 0.5, np.ones(size)), 2.0)


@pytest.mark.parametrize("kind", [Few, Normal])
def test_a_curvature_that_is_not_finite_promises_nothing(kind):
    with np.errstate(all="ignore"):
        system = kind(SimpleNamespace(curvature=np.diag([np.inf, 1.0]), gradient=np.array([1.0, 1.0])), [LEAST] * 2)
    assert system.move(1e-3)[1] == 0.0 and not system.safe()
