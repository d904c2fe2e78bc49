"""Linear least squares in many groups at once: solved by a QR of each, without any descent.

A descent sums squares, which loses all digits where columns hardly differ from each other, such as an intercept and
the date of rows of one day; their QR does not. What is the same in all rows of a group, an intercept, is taken out
first:

    y = c v + sum b_j x_j   with   x_j = m_j v + z_j,  sum omega v z_j = 0:   c' = c + sum m_j b_j

Source: Bjorck (1996), Numerical Methods for Least Squares Problems, 2.4.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from descend.engines.threads import in_turn
from descend.many.descending_groups import Descents
from descend.many.grouped import Grouped
from descend.models import Model

Array = NDArray[np.float64]
Places = NDArray[np.intp]
CELLS = 1 << 18
"""Rows of all groups of a block, ..."""
ALIKE = 1.5
"""... of which the largest group has up to so many times the rows of the least."""
SINGULAR = 1e-13
"""A column whose part that no other explains is a smaller share of it: its parameter is not determined."""


def is_linear(model: Model) -> bool:
    """Whether groups are linear least squares."""
    return model.linear and model.loss.quadratic and model.symbolic is not None


def solved_linear(groups_fitted: Grouped, groups_chosen: Places) -> Descents:
    """Return the minimum in each of some groups; where the rows do not determine it, nothing converged."""
    solutions = Descents.none(len(groups_chosen), groups_fitted.model.parameters.size)
    blocks = _alike(groups_fitted.rows.groups.sizes[groups_chosen])

    def solve(number: int) -> None:
        group_block = blocks[number]
        with np.errstate(all="ignore"):
            _solve(groups_fitted, groups_chosen[group_block], group_block, solutions)

    in_turn(len(blocks), lambda: solve)
    return solutions


def roots_of_linear(groups_fitted: Grouped, groups: Places, theta: Array) -> Array:
    """Return the roots of the covariances, which are the same at any theta (see ``Together.roots_of``)."""
    roots, unit = np.empty((*theta.shape, theta.shape[1])), float(groups_fitted.model.loss.expressions[2])
    for group_block in _alike(groups_fitted.rows.groups.sizes[groups]):
        with np.errstate(all="ignore"):
            roots[group_block] = _factored(groups_fitted, groups[group_block]).back / unit**0.5
    return roots


def _alike(sizes: Places) -> list[Places]:
    """Return the places of groups, in blocks of like size."""
    order_of_sizes = np.argsort(sizes, kind="stable")
    ordered, blocks, begin = sizes[order_of_sizes], [], 0
    while begin < len(order_of_sizes):
        size = int(ordered[begin])
        end = min(begin + max(CELLS // size, 1), int(np.searchsorted(ordered, ALIKE * size, side="right")))
        blocks.append(order_of_sizes[begin:end])
        begin = end
    return blocks


class _Factored(NamedTuple):
    """Linear least squares by QR. back: V = back back', before the scale. last: what the columns explain, and more."""

    back: Array
    last: Array
    determined: NDArray[np.bool_]


def _factored(groups_fitted: Grouped, groups: Places) -> _Factored:
    columns, right, root = _system(groups_fitted, groups)
    size = columns.shape[2]
    lengths = _lengths(columns * root)
    columns, back = _without_constant(columns, root * root)
    design = columns * root
    norms = _lengths(design)
    upper = np.asarray(np.linalg.qr(np.concatenate([design / norms[:, None], right], axis=2), mode="r"))
    triangle, last = upper[:, :size, :size], upper[:, :, size]
    sizes = np.abs(np.einsum("gii->gi", triangle))  # of columns of length 1, the share that those before do not explain
    determined = (sizes * norms > SINGULAR * lengths).all(axis=1) & (sizes > SINGULAR).all(axis=1)
    inverse = np.linalg.inv(np.where(determined[:, None, None], triangle, np.eye(size)))
    return _Factored(back @ (inverse / norms[:, :, None]), last, determined)


def _solve(groups_fitted: Grouped, groups: Places, group_places: Places, solutions: Descents) -> None:
    back, last, determined = _factored(groups_fitted, groups)
    size = back.shape[2]
    unit = float(groups_fitted.model.loss.expressions[2])
    solutions.theta[group_places] = np.einsum("gij,gj->gi", back, last[:, :size])
    solutions.variances[group_places] = np.einsum("gij,gij->gi", back, back) / unit
    solutions.loss[group_places] = 0.5 * unit * np.einsum("gi,gi->g", last[:, size:], last[:, size:])
    solutions.converged[group_places] = determined & np.isfinite(solutions.theta[group_places]).all(axis=1)


def _system(groups_fitted: Grouped, groups: Places) -> tuple[Array, Array, Array]:
    """Return the columns, (groups, rows, p); what they are to explain and the root of the weights, (groups, rows, 1).

    A group with fewer rows than the largest repeats its last row, with the weight 0. What is to be explained is
    multiplied by the root of its weight.
    """
    rows, model = groups_fitted.rows, groups_fitted.model.symbolic
    assert model is not None
    sizes = rows.groups.sizes[groups]
    row = np.arange(int(sizes.max()))
    index = rows.groups.ends[groups][:, None] + np.minimum(row, sizes[:, None] - 1)
    root = (row < sizes[:, None]).astype(np.float64)
    if rows.omega is not None:
        root *= np.sqrt(rows.omega[index])
    columns = {name: column[index.ravel()] for name, column in rows.columns.items()}
    score, jacobian = model.scores_and_jacobian(np.zeros(model.parameters.size), columns)
    right = (rows.y[index] - score.reshape(index.shape)) * root
    return jacobian.reshape(*index.shape, -1), right[:, :, None], root[:, :, None]


def _without_constant(columns: Array, weights: Array) -> tuple[Array, Array]:
    """Return the columns less their mean, and how parameters follow, (groups, p, p).

    Unless one column is the same in all rows of each group, and not 0, they are left as they are.
    """
    size = columns.shape[2]
    back = np.broadcast_to(np.eye(size), (len(columns), size, size)).copy()
    constant = np.flatnonzero(((columns == columns[:, :1]) & (columns != 0.0)).all(axis=(0, 1)))
    if not len(constant):
        return columns, back
    first = int(constant[0])
    means = np.einsum("gnp,gno->gp", columns, weights) / weights.sum(axis=1)
    means[:, first] = 0.0
    back[:, first] -= means / columns[:, 0, [first]]
    return columns - means[:, None], back


def _lengths(columns: Array) -> Array:
    column_lengths: Array = np.sqrt(np.einsum("gnp,gnp->gp", columns, columns))
    return column_lengths
