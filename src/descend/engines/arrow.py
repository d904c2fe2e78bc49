"""Curvature shaped like an arrow: a block for each group, a border for what groups share; it is never made dense.

A row belongs to one group, so own parameters of two groups never meet in a row. With the own parameters first,

        | A_1             B_1 |
    C = |      ...        ... |        A_g (k, k), B_g (k, s), D (s, s)
        |           A_G   B_G |
        | B_1' ...  B_G'   D  |

and C x = r is solved by the Schur complement S = D - sum_g B_g' A_g^-1 B_g in time and memory linear in the groups.
Arrays have the groups last, so that every step of a small factorisation is one operation on all of them.

Source: Golub & Pereyra (1973) for the structure; Boyd & Vandenberghe (2004), Convex Optimization, C.4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from descend.engines.small_systems import cholesky, inverse, solved, solved_above, solved_below

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Places = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the parameters of an arrow lie in the flat vector.

    own: (k, G), -1 for one that is held and so belongs to no vector. shared: (s,). size: length of the vector.

    >>> layout = Layout(np.array([[0, 1, 2]]), np.array([3]), 4)
    >>> layout.of(np.array([True, False, True, True])).own
    array([[ 0, -1,  1]])
    """

    own: Places
    shared: Places
    size: int

    @cached_property
    def there(self) -> Mask:
        """(k, G), which own parameters are in the vector."""
        has_component: Mask = self.own >= 0
        return has_component

    @cached_property
    def complete(self) -> bool:
        """Whether all own parameters are in the vector."""
        return bool(self.there.all())

    def parts(self, vector: Array) -> tuple[Array, Array]:
        """Return the own part of a vector, (k, G), 0 for what is held, and the shared one, (s,)."""
        own_components = vector[self.own] if vector.size else np.zeros(self.own.shape)
        return own_components if self.complete else np.where(self.there, own_components, 0.0), vector[self.shared]

    def vector(self, own_components: Array, shared: Array) -> Array:
        """Return the flat vector of both parts."""
        theta_vector = np.empty(self.size)
        if self.complete:
            theta_vector[self.own] = own_components
        else:
            theta_vector[self.own[self.there]] = own_components[self.there]
        theta_vector[self.shared] = shared
        return theta_vector

    def of(self, free: Mask) -> Layout:
        """Return the layout of the vector that has the free components only."""
        free_places = np.where(free, np.cumsum(free) - 1, -1)
        own_free = np.where(self.there, free_places[self.own], -1)
        shared = free_places[self.shared]
        return Layout(own_free, shared[shared >= 0], int(np.count_nonzero(free)))


@dataclass(frozen=True, eq=False)
class Arrow:
    """A symmetric matrix of the shape above; rows and columns are in the order of the flat vector.

    blocks: (k, k, G). border: (k, s, G). shared: (s, s).

    >>> layout = Layout(np.array([[0, 1]]), np.array([2]), 3)
    >>> arrow = Arrow(layout, np.array([[[2.0, 3.0]]]), np.array([[[1.0, 1.0]]]), np.array([[4.0]]))
    >>> arrow.diagonal(), arrow @ np.array([1.0, 1.0, 1.0])
    (array([2., 3., 4.]), array([3., 4., 6.]))
    >>> arrow.factored().solve(np.array([3.0, 4.0, 6.0]))
    array([1., 1., 1.])
    """

    layout: Layout
    blocks: Array
    border: Array
    shared: Array

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of the whole matrix."""
        return self.layout.size, self.layout.size

    def __len__(self) -> int:
        return self.layout.size

    @cached_property
    def finite(self) -> bool:
        """Whether no entry is infinite or nan."""
        arrow = (self.blocks, self.border, self.shared)
        return all(math.isfinite(array.ravel().dot(array.ravel())) or bool(np.isfinite(array).all()) for array in arrow)

    def diagonal(self) -> Array:
        """Return the diagonal, in the order of the flat vector."""
        return self.layout.vector(np.einsum("iig->ig", self.blocks), self.shared.diagonal())

    def __truediv__(self, number: float) -> Arrow:
        return Arrow(self.layout, self.blocks / number, self.border / number, self.shared / number)

    def __mul__(self, number: float) -> Arrow:
        return Arrow(self.layout, self.blocks * number, self.border * number, self.shared * number)

    __rmul__ = __mul__

    def __add__(self, arrow: Arrow) -> Arrow:
        return Arrow(self.layout, self.blocks + arrow.blocks, self.border + arrow.border, self.shared + arrow.shared)

    def __abs__(self) -> Arrow:
        return Arrow(self.layout, np.abs(self.blocks), np.abs(self.border), np.abs(self.shared))

    def __matmul__(self, vector: Array) -> Array:
        own_components, shared = self.layout.parts(vector)
        mine = np.einsum("ijg,jg->ig", self.blocks, own_components) + np.einsum("isg,s->ig", self.border, shared)
        return self.layout.vector(mine, np.einsum("isg,ig->s", self.border, own_components) + self.shared @ shared)

    @cached_property
    def largest_eigenvalue(self) -> float:
        """The largest eigenvalue."""
        from scipy.sparse.linalg import LinearOperator, eigsh

        operator = LinearOperator(self.shape, matvec=self.__matmul__, dtype=np.float64)
        scale = np.sqrt(np.maximum(self.diagonal(), 0.0))
        return float(eigsh(operator, k=1, which="LA", v0=scale, return_eigenvectors=False)[0])

    def plus_diagonal(self, diagonal: Array) -> Arrow:
        """Return C + diag(d)."""
        own_diagonal, shared = self.layout.parts(diagonal)
        blocks = self.blocks.copy()
        for i, diagonal_row in enumerate(own_diagonal):
            blocks[i, i] += diagonal_row
        return replace(self, blocks=blocks, shared=self.shared + np.diag(shared))

    def scaled(self, scale: Array) -> Arrow:
        """Return D^-1 C D^-1, D the diagonal matrix of ``scale``."""
        own_scale, shared = self.layout.parts(1.0 / scale)
        if not self.layout.complete:
            own_scale = np.where(self.layout.there, own_scale, 1.0)
        blocks = self.blocks * own_scale * own_scale[:, None]
        border = self.border * own_scale[:, None] * shared[:, None]
        return Arrow(self.layout, blocks, border, self.shared * shared * shared[:, None])

    def of(self, free: Mask) -> Arrow:
        """Return the rows and columns of the free components; what is held keeps a 1 on the diagonal of its block."""
        if free.all():
            return self
        layout, shared_mask = self.layout.of(free), free[self.layout.shared]
        has_component = layout.there
        blocks = np.where(has_component & has_component[:, None], self.blocks, 0.0)
        for i, component_row in enumerate(has_component):
            blocks[i, i, ~component_row] = 1.0
        border = np.where(has_component[:, None], self.border[:, shared_mask], 0.0)
        return Arrow(layout, blocks, border, self.shared[np.ix_(shared_mask, shared_mask)])

    def among(self, layout: Layout, free: Mask) -> Arrow:
        """Return this part, of the free components, among zeros for the others. layout: that of all components."""
        if free.all():
            return self
        there, shared_free = self.layout.there, np.flatnonzero(free[layout.shared])
        border, shared = np.zeros((len(there), len(layout.shared), there.shape[1])), np.zeros([len(layout.shared)] * 2)
        border[:, shared_free] = np.where(there[:, None], self.border, 0.0)
        shared[np.ix_(shared_free, shared_free)] = self.shared
        return Arrow(layout, np.where(there & there[:, None], self.blocks, 0.0), border, shared)

    def without(self, unknown: Mask) -> Arrow:
        """Return the arrow with NaN in the rows and columns of what is unknown."""
        own_unknown, shared = unknown[self.layout.own], unknown[self.layout.shared]
        blocks, border, of_shared = self.blocks.copy(), self.border.copy(), self.shared.copy()
        blocks[own_unknown | own_unknown[:, None]] = np.nan
        border[own_unknown[:, None] | shared[:, None]] = np.nan
        of_shared[shared], of_shared[:, shared] = np.nan, np.nan
        return Arrow(self.layout, blocks, border, of_shared)

    def factored(self, damping: float = 0.0) -> Factored | None:
        """Return the factorisation of C + damping I; None unless it is positive definite, and finite."""
        blocks = self.blocks
        if damping:
            blocks = blocks.copy()
            for i in range(len(blocks)):
                blocks[i, i] += damping
        with np.errstate(all="ignore"):
            lower = cholesky(blocks)
            solved = solved_below(lower, self.border)
            flat = solved.transpose(1, 0, 2).reshape(len(self.shared), solved.shape[0] * solved.shape[2])
            schur = self.shared - flat @ flat.T
        schur.flat[:: len(schur) + 1] += damping
        if not (np.isfinite(lower).all() and np.isfinite(schur).all()):
            return None
        try:
            return Factored(self.layout, lower, solved, np.asarray(np.linalg.cholesky(schur), dtype=np.float64))
        except np.linalg.LinAlgError:
            return None


@dataclass(frozen=True, eq=False)
class Factored:
    """Cholesky factors of an arrow: A_g = L_g L_g', X_g = L_g^-1 B_g, D - sum X_g' X_g = T T'.

    lower: (k, k, G). beside: (k, s, G), X. top: (s, s), T.
    """

    layout: Layout
    lower: Array
    beside: Array
    top: Array

    def solve(self, right: Array) -> Array:
        """Return C^-1 r."""
        own_right, shared = self.layout.parts(right)
        below = solved_below(self.lower, own_right)
        shared = self._solved(shared - np.einsum("isg,ig->s", self.beside, below))
        return self.layout.vector(solved_above(self.lower, below - np.einsum("isg,s->ig", self.beside, shared)), shared)

    def _solved(self, right: Array) -> Array:
        shared_solution: Array = np.linalg.solve(self.top.T, np.linalg.solve(self.top, right))
        return shared_solution

    @property
    def log_determinant(self) -> float:
        """log det C."""
        log_blocks = np.log(np.abs(np.einsum("iig->ig", self.lower))).sum()
        return 2.0 * float(log_blocks + np.log(np.abs(self.top.diagonal())).sum())

    @property
    def reach(self) -> Array:
        """A_g^-1 B_g, (k, s, G): by how much own parameters make up for a change of shared ones, with a minus."""
        return solved_above(self.lower, self.beside)

    @cached_property
    def inverse(self) -> Arrow:
        """The entries of C^-1 where an arrow has any; those of two groups follow, see `across`.

        With V = (D - sum X'X)^-1 and Y_g = A_g^-1 B_g:   V_gs = -Y_g V,   V_gg = A_g^-1 + Y_g V Y_g'
        """
        shared = self._solved(np.eye(len(self.top)))
        shared, reach = 0.5 * (shared + shared.T), self.reach
        border = -np.einsum("isg,st->itg", reach, shared, optimize=True)
        blocks = inverse(self.lower) - np.einsum("itg,jtg->ijg", border, reach, optimize=True)
        return Arrow(self.layout, blocks, border, shared)

    @property
    def largest_inverse(self) -> float:
        """An upper bound of the largest eigenvalue of C^-1: its trace."""
        return float(np.add.reduce(self.inverse.diagonal()))


def across(inverted: Arrow, first_group: int, second_group: int) -> Array:
    """Return the block (k, k) of C^-1 that belongs to two different groups: V_gs V^-1 V_hs'.

    inverted: see `Factored.inverse`.
    """
    covariance_across: Array = inverted.border[:, :, first_group] @ np.linalg.solve(
        inverted.shared, inverted.border[:, :, second_group].T
    )
    return covariance_across


__all__ = ["Arrow", "Factored", "Layout", "across", "solved"]
