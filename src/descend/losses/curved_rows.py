"""What each row of a module's scores costs, with its derivatives by the scores, as second-order steps need it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Terms:
    """The slope s of each row's loss by its scores, (n, k), and a root B of its curvature H, with H = B B'.

    root: (n, k, k), or (n, k) where H is diagonal, which then holds the roots of the diagonal.
    """

    slope: Tensor
    root: Tensor

    @property
    def explained(self) -> bool:
        """Whether the slope of every row lies where its curvature reaches."""
        return self.root.ndim > 2 or bool((self.root != 0.0).all())

    @property
    def pull(self) -> Tensor:
        """The q with B q = s, (n, k); 0 where a row has no curvature."""
        import torch

        if self.root.ndim == 2:
            return torch.where(self.root > 0.0, self.slope / self.root, 0.0)
        pull_of_rows: Tensor = torch.linalg.pinv(self.root) @ self.slope[:, :, None]
        return pull_of_rows[:, :, 0]

    def of(self, rows_chosen: slice) -> Terms:
        """Return those of some rows."""
        return Terms(self.slope[rows_chosen], self.root[rows_chosen])

    def times(self, root: Tensor) -> Terms:
        """Return the same with B times a factor of each row."""
        return Terms(self.slope, self.root * root.reshape(-1, *[1] * (self.root.ndim - 1)))

    def weighted(self, jacobian: Tensor) -> Tensor:
        """Return B'J of each row's Jacobian J, (n, k, p), in the precision of J."""
        root = self.root.to(jacobian.dtype)
        if root.ndim == 2:
            return jacobian * root[:, :, None]
        return root.mT @ jacobian

    def spread(self, signs: Tensor) -> Tensor:
        """Return B v, (n, k)."""
        return self.root * signs if self.root.ndim == 2 else (self.root @ signs[:, :, None])[:, :, 0]

    def curved(self, change: Tensor) -> Tensor:
        """Return H c of a change c of each row's scores, (n, k)."""
        if self.root.ndim == 2:
            return self.root**2 * change
        return (self.root @ (self.root.mT @ change[:, :, None]))[:, :, 0]


class CurvedRows(ABC):
    """The losses of rows of scores, (n, k), in double precision; weights of rows are not theirs."""

    @abstractmethod
    def value(self, scores: Tensor, y: Tensor) -> Tensor:
        """Return the loss of each row, (n,)."""

    @abstractmethod
    def terms(self, scores: Tensor, y: Tensor) -> Terms:
        """Return slope and curvature of each row."""


@dataclass(frozen=True)
class Softmax(CurvedRows):
    """The cross-entropy of scores of K classes.

        l = -sum over k of a_k log P_k,   a_k = c_k q_k / c_y,   A = sum of a_k
        slope A P - a,   curvature A (diag P - P P') = B B',   B = sqrt(A) (diag sqrt(P) - P sqrt(P)')

    with the smoothed probabilities q of a row's class y (c_y is 1 where y is itself probabilities) and weights c of
    classes. B has rank K - 1, and so much is enough, as the slopes of a row add up to 0.
    """

    smoothing: float
    weights: tuple[float, ...]

    def _costs(self, scores: Tensor, y: Tensor) -> Tensor:
        """Return a, (n, K)."""
        import torch

        size = scores.shape[1]
        class_targets = y if y.ndim > 1 else torch.nn.functional.one_hot(y.long(), size)
        costs = (1.0 - self.smoothing) * class_targets.to(scores.dtype) + self.smoothing / size
        if not self.weights:
            return costs
        class_weights = scores.new_tensor(self.weights)
        return costs * class_weights if y.ndim > 1 else costs * class_weights / class_weights[y.long()][:, None]

    def value(self, scores: Tensor, y: Tensor) -> Tensor:
        return -(self._costs(scores, y) * scores.log_softmax(dim=1)).sum(dim=1)

    def terms(self, scores: Tensor, y: Tensor) -> Terms:
        costs, shares = self._costs(scores, y), scores.softmax(dim=1)
        total, root = costs.sum(dim=1, keepdim=True), shares.sqrt()
        halves = root.diag_embed() - shares[:, :, None] * root[:, None, :]
        return Terms(total * shares - costs, total.sqrt()[:, :, None] * halves)
