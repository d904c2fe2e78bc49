"""The triangle of a Jacobian whose curvature is an arrow: each group is eliminated by a QR of its own, at full digits.

With the rows of group g of sqrt(W) J as [J_g, K_g], own and shared columns, and q_g = slope / sqrt(W),

    QR [J_g, K_g, q_g] = | R_g  P_g  p_g |       R = QR of all [E_g, e_g] below each other
                         |  0   E_g  e_g |

so that |J d + q|**2 = sum_g |R_g d_g + P_g d_s + p_g|**2 + |R [d_s, 1]|**2, in which nothing was squared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.engines.arrow import Arrow, Factored, Layout, Mask
from descend.formula.factor import triangle

Array = NDArray[np.float64]
SINGULAR = 1e-14
"""A singular value of a scaled block below this share of the largest counts as zero."""


@dataclass(frozen=True, eq=False)
class ArrowTriangle:
    """upper: (G, k, k + s + 1), the rows [R_g, P_g, p_g]. shared: (s + 1, s + 1), R."""

    layout: Layout
    upper: Array
    shared: Array

    def __truediv__(self, number: float) -> ArrowTriangle:
        return ArrowTriangle(self.layout, self.upper / number, self.shared / number)

    @property
    def finite(self) -> bool:
        """Whether no entry is infinite or nan."""
        return bool(np.isfinite(self.upper).all() and np.isfinite(self.shared).all())

    @property
    def own(self) -> int:
        """k, the number of own parameters of a group."""
        return len(self.layout.own)

    @property
    def right(self) -> tuple[Array, Array]:
        """The last column: (G, k) and (s + 1,)."""
        return self.upper[:, :, -1], self.shared[:, -1]

    @property
    def curvature(self) -> Arrow:
        """R'R as an arrow."""
        k = self.own
        mine, border_triangle, below = self.upper[:, :, :k], self.upper[:, :, k:-1], self.shared[:-1, :-1]
        blocks = np.einsum("gai,gaj->ijg", mine, mine, optimize=True)
        border = np.einsum("gai,gas->isg", mine, border_triangle, optimize=True)
        flat = border_triangle.reshape(border_triangle.shape[0] * border_triangle.shape[1], border_triangle.shape[2])
        return Arrow(self.layout, blocks, border, flat.T @ flat + below.T @ below)

    @property
    def factored(self) -> Factored:
        """The factors of R'R, from which nothing was squared: those of a Cholesky factorisation but for their signs."""
        k = self.own
        lower = np.ascontiguousarray(self.upper[:, :, :k].transpose(2, 1, 0))
        border_triangle = np.ascontiguousarray(self.upper[:, :, k:-1].transpose(1, 2, 0))
        return Factored(self.layout, lower, border_triangle, self.shared[:-1, :-1].T)

    @property
    def gradient(self) -> Array:
        """R'q."""
        k, right = self.own, self.upper[:, :, -1]
        own_gradient = np.einsum("gai,ga->ig", self.upper[:, :, :k], right)
        shared = np.einsum("gas,ga->s", self.upper[:, :, k:-1], right)
        return self.layout.vector(own_gradient, shared + self.shared[:-1, :-1].T @ self.shared[:-1, -1])

    def norms(self) -> Array:
        """Return the lengths of the columns that belong to the parameters."""
        k = self.own
        own_squares = np.einsum("gai,gai->ig", self.upper[:, :, :k], self.upper[:, :, :k])
        shared = np.einsum("gas,gas->s", self.upper[:, :, k:-1], self.upper[:, :, k:-1])
        return np.sqrt(self.layout.vector(own_squares, shared + np.square(self.shared[:-1, :-1]).sum(axis=0)))

    def scaled(self, scale: Array) -> ArrowTriangle:
        """Return R D^-1, with the last column as it is."""
        own_scale, shared = self.layout.parts(1.0 / scale)
        own_scale = np.where(self.layout.there, own_scale, 1.0)
        upper, below = self.upper.copy(), self.shared.copy()
        upper[:, :, : self.own] *= own_scale.T[:, None]
        upper[:, :, self.own : -1] *= shared
        below[:, :-1] *= shared
        return ArrowTriangle(self.layout, upper, below)

    def of(self, free: Mask) -> ArrowTriangle:
        """Return the triangle of the free components only; an own one that is held has a column of its own, a 1."""
        if free.all():
            return self
        layout, shared_mask = self.layout.of(free), free[self.layout.shared]
        columns_kept = np.concatenate([np.ones(self.own, dtype=bool), shared_mask, [True]])
        upper, shared = self.upper[:, :, columns_kept], self.shared[:, columns_kept[self.own :]]
        upper[:, :, : self.own] *= layout.there.T[:, None]
        none = np.zeros(int(np.count_nonzero(shared_mask)))
        still = np.where(layout.there, 0.0, 1.0)
        return ArrowTriangle(layout, upper, shared)._with_rows((still, none), (0.0 * still, none))

    def beside(self, roots: Array, right: Array) -> ArrowTriangle:
        """Return the triangle with one more row for each parameter: ``roots`` d + ``right``, as of a penalty."""
        return self._with_rows(self.layout.parts(roots), self.layout.parts(right))

    def _with_rows(self, roots: tuple[Array, Array], right: tuple[Array, Array]) -> ArrowTriangle:
        layout, k = self.layout, self.own
        groups, width = layout.own.shape[1], self.upper.shape[2]
        (own_triangle, shared), (own_right, shared_right) = roots, right
        stacked = np.zeros((groups, 2 * k, width))
        stacked[:, :k] = self.upper
        for i in range(k):
            stacked[:, k + i, i], stacked[:, k + i, -1] = own_triangle[i], own_right[i]
        upper, left = eliminated(stacked, k)
        shared_rows = np.column_stack([np.diag(shared), shared_right])
        return ArrowTriangle(layout, upper, triangle(np.vstack([self.shared, left, shared_rows])))

    def damped(self, root: float) -> ArrowTriangle:
        """Return the triangle with a row root * d_k for each parameter."""
        return self.beside(np.full(self.layout.size, root), np.zeros(self.layout.size))

    def least(self, rcond: float = SINGULAR) -> Array:
        """Return the d that minimizes |R d + q|**2; of several, one that is short within each group."""
        k = self.own
        mine, (right, below) = self.upper[:, :, :k], self.right
        border_triangle, rows = self.upper[:, :, k:-1], self.shared
        left, values, turned = np.linalg.svd(mine, full_matrices=True)
        mask = values > rcond * np.max(values, axis=1, initial=0.0, keepdims=True)
        if not mask.all():
            # What a group cannot take up is left for the shared parameters.
            leftover = np.einsum("gai,gaw->giw", left, self.upper[:, :, k:])
            rows = triangle(np.vstack([rows, leftover[~mask]]))
            below = rows[:, -1]
        shared = np.asarray(np.linalg.lstsq(rows[:-1, :-1], -below[:-1], rcond=rcond)[0], dtype=np.float64)
        least_shared: Array = np.einsum("gai,ga->gi", left, right + border_triangle @ shared)
        step = np.einsum("gij,gi->gj", turned, least_shared * np.where(mask, 1.0 / np.where(mask, values, 1.0), 0.0))
        return self.layout.vector(-step.T, shared)

    def predicted(self, move: Array) -> float:
        """Return by how much |R d + q|**2 / 2 falls from d = 0 to ``move``."""
        step, shared = self.layout.parts(move)
        right, below = self.right
        change = np.einsum("gai,ig->ga", self.upper[:, :, : self.own], step) + self.upper[:, :, self.own : -1] @ shared
        shared_product = self.shared[:, :-1] @ shared
        return -float(np.sum(change * (right + 0.5 * change)) + shared_product @ (below + 0.5 * shared_product))

    @property
    def explained(self) -> float:
        """|q| without its last entry: what the parameters can still explain."""
        right, below = self.right
        return float(np.sqrt(np.sum(right * right) + below[:-1] @ below[:-1]))


def eliminated(rows: Array, own_count: int) -> tuple[Array, Array]:
    """Return the rows [R_g, P_g, p_g] of each group, and [E_g, e_g] of all groups below each other.

    rows: (G, n, own + s + 1).
    """
    groups, count, width = rows.shape
    if count < own_count:
        rows = np.concatenate([rows, np.zeros((groups, own_count - count, width))], axis=1)
    with np.errstate(all="ignore"):
        upper = np.asarray(np.linalg.qr(rows, mode="r"))
    return upper[:, :own_count], upper[:, own_count:, own_count:].reshape(-1, width - own_count)


__all__ = ["ArrowTriangle", "eliminated"]
