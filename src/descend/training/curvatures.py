"""The Gauss-Newton curvature of J of a module, C = sum omega J'HJ / sum omega, and damped systems with it.

Three forms solve (C + lambda D**2) d = -g in the units D, each where it is cheapest: by the matrix of parameters, by
the smaller one of rows, or by products with vectors alone.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.stability.lanczos import lanczos

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float64]
LOWER_PARTS = 4
"""The lower triangle of J'J is computed in so many columns of blocks, which spares nearly half of the work."""
ROUNDING = 16.0 * float(np.finfo(np.float64).eps)
"""Damping, as a share of the unit diagonal and for each unknown, that rounding of the matrix would drown."""
SINGLE = 16.0 * 2.0**-23
"""Damping that rounding to single precision would drown, times the root of the number of unknowns: the norm of a matrix
of independent errors of this size."""
KRYLOV_STEPS, KRYLOV_ROOM = 100, 10**8
"""Most steps of a Krylov basis, and most numbers that it may hold."""
KRYLOV_BACK, KRYLOV_PROGRESS = 5, 0.01
"""A Krylov basis ends where so many steps added less than this share to the predicted decrease."""


class CurvatureOfRows(ABC):
    """A Gauss-Newton curvature, as a damped system needs it."""

    _diagonal: Array

    def diagonal(self) -> Array:
        """Return the diagonal of C, (p,)."""
        return self._diagonal

    @abstractmethod
    def solved(self, scale: Array, gradient: Array, damping: float) -> Array | None:
        """Return z with (D^-1 C D^-1 + lambda I) z = -D^-1 g, at least in the space that was searched.

        scale: the diagonal of D. gradient: D^-1 g. None if the matrix is singular to rounding.
        """


class Dense(CurvatureOfRows):
    """C itself, (p, p), in single precision as long as the damping drowns its rounding.

    finer: makes the same in double precision, where C is in single.
    """

    def __init__(self, lower: Tensor, finer: Callable[[], Tensor] | None = None) -> None:
        self.lower, self.finer = lower, finer
        self.last: Callable[[Tensor], Tensor] | None = None
        self._diagonal: Array = lower.diagonal().double().cpu().numpy()

    def solved(self, scale: Array, gradient: Array, damping: float) -> Array | None:
        import torch

        size = len(scale)
        if self.finer is not None and damping < SINGLE * math.sqrt(size):
            self.lower, self.finer = self.finer(), None
        matrix = self.lower.clone()
        units = torch.from_numpy(scale).to(matrix.device, matrix.dtype)
        matrix.diagonal().add_(max(damping, ROUNDING * size) * units**2)
        # Scaling rows and columns alike scales the factor alike, so the matrix is factored as it is.
        right = torch.from_numpy(-gradient).to(matrix.device, matrix.dtype) * units
        self.last = factored(matrix)
        return (
            None if self.last is None else np.asarray((self.last(right[:, None])[:, 0] * units).double().cpu().numpy())
        )

    def again(self, vector: Array) -> Array:
        """Return (C + lambda D**2)^-1 v of the system that was solved last."""
        import torch

        assert self.last is not None
        right = torch.from_numpy(vector).to(self.lower.device, self.lower.dtype)
        return np.asarray(self.last(right[:, None])[:, 0].double().cpu().numpy())


class Dual(CurvatureOfRows):
    """A root A of C = A'A, with a row for each score of each row of the data, (m, p); for m below p.

    With K = A D^-2 A', m x m, and g = A'q + g0, g0 what rows of no curvature add:

        z = -D^-1 A' (K + lambda I)^-1 q - (I - D^-1 A' (K + lambda I)^-1 A D^-1) D^-1 g0 / lambda

    pull: q, 0 where a row has no curvature. explained: whether there is no such row, so that g0 = 0.
    finer: makes A in double precision, where it is in single: for a damping that would drown in the rounding of K.
    """

    def __init__(self, root: Tensor, pull: Tensor, explained: bool, finer: Callable[[], Tensor] | None = None) -> None:
        self.root, self.pull, self.explained, self.finer = root, pull, explained, finer
        self._scaled: tuple[Array, Tensor, Tensor, float] | None = None
        self._diagonal: Array = (root**2).sum(dim=0).double().cpu().numpy()

    def solved(self, scale: Array, gradient: Array, damping: float) -> Array | None:
        import torch

        root, matrix, largest = self._of(scale)
        if self.finer is not None and damping < SINGLE * math.sqrt(len(matrix)) * largest:
            self.root, self.finer, self._scaled = self.finer(), None, None
            root, matrix, _ = self._of(scale)
        matrix, pull = matrix.clone(), self.pull.to(root.dtype)
        damping = max(damping, ROUNDING * len(matrix))
        matrix.diagonal().add_(damping)
        solve = factored(matrix)
        if solve is None:
            return None
        if self.explained:
            return np.asarray((-root.T @ solve(pull[:, None])[:, 0]).double().cpu().numpy())
        unexplained = torch.from_numpy(gradient).to(root.device, root.dtype) - root.T @ pull
        inner = solve(torch.stack([pull, root @ unexplained], dim=1))
        move = -root.T @ inner[:, 0] - (unexplained - root.T @ inner[:, 1]) / damping
        return np.asarray(move.double().cpu().numpy())

    def _of(self, scale: Array) -> tuple[Tensor, Tensor, float]:
        """Return A D^-1, the lower triangle of K, and the largest number on its diagonal."""
        import torch

        if self._scaled is None or self._scaled[0] is not scale:
            root = self.root / torch.from_numpy(scale).to(self.root.device, self.root.dtype)
            matrix = torch.zeros(len(root), len(root), dtype=root.dtype, device=root.device)
            add_lower(matrix, root.T)
            self._scaled = (scale, root, matrix, float(matrix.diagonal().max()))
        return self._scaled[1:]


class Krylov(CurvatureOfRows):
    """C known by its products with vectors: conjugate gradients, whose basis is kept.

    In the space of g, C g, C**2 g, ... (in the units D) the system is solved exactly, for every damping alike, so that
    a larger one costs no further product; there the predicted decrease is exact, however early the basis ends.
    """

    def __init__(self, product: Callable[[Array], Array], diagonal: Array) -> None:
        self.product, self._diagonal = product, diagonal
        self._basis: tuple[Array, Array, Array] | None = None
        self.products = 0

    def solved(self, scale: Array, gradient: Array, damping: float) -> Array | None:
        if self._basis is None or self._basis[0] is not scale:
            steps = max(2, min(KRYLOV_STEPS, KRYLOV_ROOM // scale.size))
            self._basis = (scale, *lanczos(self._scaled(scale), gradient, steps, enough=_enough(damping)))
        _, values, vectors = self._basis
        if not np.isfinite(values).all():
            return None
        return -(vectors @ ((vectors.T @ gradient) / (np.maximum(values, 0.0) + damping)))

    def _scaled(self, scale: Array) -> Callable[[Array], Array]:
        def product(vector: Array) -> Array:
            self.products += 1
            return self.product(vector / scale) / scale

        return product


def _enough(damping: float) -> Callable[[Array], bool]:
    """Return what says of a tridiagonal matrix T that the gain e1'(T + lambda I)^-1 e1 has come to rest."""
    gains: list[float] = []

    def enough(triangle: Array) -> bool:
        first = np.zeros(len(triangle))
        first[0] = 1.0
        gains.append(float(np.linalg.solve(triangle + damping * np.eye(len(triangle)), first)[0]))
        before = gains[-1 - KRYLOV_BACK] if len(gains) > KRYLOV_BACK else 0.0
        return gains[-1] - before <= KRYLOV_PROGRESS * gains[-1]

    return enough


def add_lower(total: Tensor, rows: Tensor) -> None:
    """Add the lower triangle of A'A to a matrix, in place."""
    if rows.device.type == "cpu":
        from scipy.linalg.blas import dsyrk, ssyrk

        add, root = ssyrk if str(rows.dtype) == "torch.float32" else dsyrk, rows.numpy()
        across = root.flags.f_contiguous and not root.flags.c_contiguous
        # Transposes are as Fortran has them, so that nothing is copied and the total itself is written.
        add(1.0, root if across else root.T, 1.0, total.numpy().T, trans=across, overwrite_c=True)
        return
    size = rows.shape[1]
    step = -(-size // LOWER_PARTS)
    for begin in range(0, size, step):
        end = min(begin + step, size)
        total[begin:, begin:end].addmm_(rows[:, begin:].T, rows[:, begin:end])


def factored(matrix: Tensor) -> Callable[[Tensor], Tensor] | None:
    """Return what solves A X = B for X, of a positive definite A given by its lower triangle, which is overwritten.

    None if A is not positive definite to rounding.
    """
    import torch

    if matrix.device.type == "cpu":
        from scipy.linalg import lapack

        single = str(matrix.dtype) == "torch.float32"
        factor_of, solve = (lapack.spotrf, lapack.spotrs) if single else (lapack.dpotrf, lapack.dpotrs)
        held, failed = factor_of(matrix.numpy().T, lower=0, clean=0, overwrite_a=1)
        if failed:
            return None
        return lambda right: torch.from_numpy(np.ascontiguousarray(solve(held, right.numpy(), lower=0)[0]))
    factor, failed = torch.linalg.cholesky_ex(matrix)
    return None if int(failed) else lambda right: torch.cholesky_solve(right, factor)
