"""The arrow against the matrix it stands for."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from descend.engines.arrow import Arrow, Layout, across
from descend.engines.arrow_triangle import ArrowTriangle, eliminated
from descend.formula.factor import triangle

Array = NDArray[np.float64]
G, K, S, ROWS = 5, 2, 3, 9


class Case:
    """A random Jacobian in which each row meets one group, and its arrow. twin: a group with two equal columns."""

    def __init__(self, seed: int, twin: int | None = None) -> None:
        random = np.random.default_rng(seed)
        self.size = G * K + S
        places = random.permutation(self.size)
        self.own, self.shared = places[: G * K].reshape(K, G), places[G * K :]
        rows = random.normal(size=(G, ROWS, K + S + 1))
        if twin is not None:
            rows[twin, :, 1] = 2.0 * rows[twin, :, 0]
        self.jacobian = np.zeros((G * ROWS, self.size))
        for group in range(G):
            within = slice(group * ROWS, (group + 1) * ROWS)
            self.jacobian[within, self.own[:, group]] = rows[group, :, :K]
            self.jacobian[within, self.shared] = rows[group, :, K:-1]
        self.right = rows[:, :, -1].ravel()
        upper, left = eliminated(rows, K)
        self.triangle = ArrowTriangle(Layout(self.own, self.shared, self.size), upper, triangle(left))
        self.matrix = self.jacobian.T @ self.jacobian
        self.random = random


def dense(arrow: Arrow) -> Array:
    return np.array([arrow @ unit for unit in np.eye(len(arrow))])


@pytest.mark.parametrize("seed", range(5))
def test_an_arrow_does_what_its_matrix_does(seed: int) -> None:
    case = Case(seed)
    arrow, gradient = case.triangle.curvature, case.jacobian.T @ case.right
    near = {"rtol": 1e-11, "atol": 1e-11}
    np.testing.assert_allclose(dense(arrow), case.matrix, **near)
    np.testing.assert_allclose(case.triangle.gradient, gradient, **near)
    np.testing.assert_allclose(arrow.largest_eigenvalue, np.linalg.eigvalsh(case.matrix)[-1])
    damped = case.matrix + 0.3 * np.eye(case.size)
    factored = arrow.factored(0.3)
    np.testing.assert_allclose(factored.solve(gradient), np.linalg.solve(damped, gradient), **near)
    np.testing.assert_allclose(factored.log_determinant, np.linalg.slogdet(damped)[1])
    np.testing.assert_allclose(
        dense(case.triangle.damped(0.5).curvature), case.matrix + 0.25 * np.eye(case.size), **near
    )
    scale = case.random.uniform(0.5, 2.0, case.size)
    np.testing.assert_allclose(dense(arrow.scaled(scale)), case.matrix / scale / scale[:, None], **near)
    np.testing.assert_allclose(case.triangle.norms(), np.sqrt(case.matrix.diagonal()))
    move = case.random.normal(size=case.size)
    before, after = (np.square(case.jacobian @ step + case.right).sum() / 2.0 for step in (0.0 * move, move))
    np.testing.assert_allclose(case.triangle.predicted(move), before - after)


@pytest.mark.parametrize("seed", range(5))
def test_the_inverse_has_the_variances_and_all_covariances_follow(seed: int) -> None:
    case = Case(seed)
    inverse = np.linalg.inv(case.matrix)
    for factored in (case.triangle.curvature.factored(), case.triangle.factored):
        found = factored.inverse
        np.testing.assert_allclose(found.diagonal(), inverse.diagonal())
        np.testing.assert_allclose(found.shared, inverse[np.ix_(case.shared, case.shared)])
        np.testing.assert_allclose(found.border[:, :, 2], inverse[np.ix_(case.own[:, 2], case.shared)])
        np.testing.assert_allclose(across(found, 1, 3), inverse[np.ix_(case.own[:, 1], case.own[:, 3])])


@pytest.mark.parametrize("seed", range(5))
def test_a_part_of_an_arrow_is_an_arrow(seed: int) -> None:
    case = Case(seed)
    free = case.random.random(case.size) < 0.7
    part, gradient = case.matrix[free][:, free], (case.jacobian.T @ case.right)[free]
    expected = np.linalg.solve(part, -gradient)
    np.testing.assert_allclose(dense(case.triangle.curvature.of(free)), part, atol=1e-11)
    np.testing.assert_allclose(case.triangle.curvature.of(free).factored().solve(-gradient), expected)
    np.testing.assert_allclose(case.triangle.of(free).least(), expected)
    np.testing.assert_allclose(case.triangle.of(free).factored.solve(-gradient), expected)
    whole = case.triangle.curvature.of(free).factored().inverse.among(case.triangle.layout, free)
    np.testing.assert_allclose(whole.diagonal()[free], np.linalg.inv(part).diagonal())
    assert not whole.diagonal()[~free].any()


@pytest.mark.parametrize("seed", range(5))
def test_a_group_that_determines_less_gets_the_shortest_step(seed: int) -> None:
    case = Case(seed, twin=1)
    expected = np.linalg.lstsq(case.jacobian, -case.right, rcond=None)[0]
    np.testing.assert_allclose(case.triangle.least(), expected, rtol=1e-9, atol=1e-11)


def test_a_triangle_keeps_digits_that_squares_lose() -> None:
    case = Case(0)
    rows = np.concatenate([case.triangle.upper, np.zeros((G, 0, K + S + 1))], axis=1)
    rows[:, :, 1] = rows[:, :, 0] * (1.0 + 1e-10) + 1e-10 * rows[:, :, 1]
    exact = np.linspace(1.0, 2.0, case.size)
    upper, left = eliminated(rows, K)
    nearly = ArrowTriangle(case.triangle.layout, upper, triangle(np.vstack([case.triangle.shared, left])))
    own, shared = nearly.layout.parts(exact)
    right = np.einsum("gai,ig->ga", nearly.upper[:, :, :K], own) + nearly.upper[:, :, K:-1] @ shared
    upper, below = nearly.upper.copy(), nearly.shared.copy()
    upper[:, :, -1], below[:-1, -1] = -right, -(below[:-1, :-1] @ shared)
    found = ArrowTriangle(nearly.layout, upper, below).least()
    np.testing.assert_allclose(found, exact, rtol=1e-4)
