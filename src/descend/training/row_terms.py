"""What each row of a module's scores costs, with its derivatives by the scores, in double precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from descend.formula.compile import compile_expression
from descend.formula.printers.code import TORCH
from descend.losses import Loss
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE

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
    def pull(self) -> Tensor:
        """The q with B q = s, (n, k); 0 where a row has no curvature."""
        import torch

        if self.root.ndim == 2:
            return torch.where(self.root > 0.0, self.slope / self.root, 0.0)
        found: Tensor = torch.linalg.lstsq(self.root, self.slope[:, :, None]).solution
        return found[:, :, 0]

    def times(self, root: Tensor) -> Terms:
        """Return the same with B times a factor of each row."""
        return Terms(self.slope, self.root * root.reshape(-1, *[1] * (self.root.ndim - 1)))

    def weighted(self, jacobian: Tensor) -> Tensor:
        """Return B'J of each row's Jacobian J, (n, k, p), in the precision of J, which is overwritten."""
        root = self.root.to(jacobian.dtype)
        if root.ndim == 2:
            return jacobian.mul_(root[:, :, None])
        return root.mT @ jacobian

    def spread(self, signs: Tensor) -> Tensor:
        """Return B v, (n, k)."""
        return self.root * signs if self.root.ndim == 2 else (self.root @ signs[:, :, None])[:, :, 0]

    def curved(self, change: Tensor) -> Tensor:
        """Return H c of a change c of each row's scores, (n, k)."""
        if self.root.ndim == 2:
            return self.root**2 * change
        return (self.root @ (self.root.mT @ change[:, :, None]))[:, :, 0]


class RowLoss:
    """A loss of ours, as PyTorch evaluates it. Weights are its own: where it is not convex, stand-ins above 0."""

    def __init__(self, loss: Loss) -> None:
        symbols = (PREDICTION, RESPONSE, RESIDUAL)
        self._value, self._slope, self._weight = (
            compile_expression(each, symbols, TORCH) for each in loss.expressions[:3]
        )

    def value(self, scores: Tensor, y: Tensor) -> Tensor:
        """Return the loss of each row, (n,), of scores (n, 1)."""
        return _rows(self._value, scores[:, 0], y)

    def terms(self, scores: Tensor, y: Tensor) -> Terms:
        """Return slope and curvature of each row."""
        slope = _rows(self._slope, scores[:, 0], y)
        return Terms(slope[:, None], _rows(self._weight, scores[:, 0], y).clamp(min=0.0).sqrt()[:, None])


def _rows(compiled: object, score: Tensor, y: Tensor) -> Tensor:
    import torch

    found = compiled(score, y, score - y)  # type: ignore[operator]
    return torch.as_tensor(found, dtype=score.dtype, device=score.device).expand(score.shape)
