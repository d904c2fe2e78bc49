"""What each row of a module's scores costs, with its derivatives by the scores, in double precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from descend.formula.compile import compile_expression
from descend.formula.printers.code import TORCH
from descend.losses import Loss
from descend.losses.curved_rows import CurvedRows, Terms
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE
from descend.models.module import ModuleModel

if TYPE_CHECKING:
    from torch import Tensor


class RowLoss(CurvedRows):
    """A loss of ours, of one score, in PyTorch; where it is not convex, its weights are stand-ins above 0."""

    def __init__(self, loss: Loss) -> None:
        symbols = (PREDICTION, RESPONSE, RESIDUAL)
        self._value, self._slope, self._weight = (
            compile_expression(each, symbols, TORCH) for each in loss.expressions[:3]
        )

    def value(self, scores: Tensor, y: Tensor) -> Tensor:
        return _rows(self._value, scores[:, 0], y)

    def terms(self, scores: Tensor, y: Tensor) -> Terms:
        slope = _rows(self._slope, scores[:, 0], y)
        return Terms(slope[:, None], _rows(self._weight, scores[:, 0], y).clamp(min=0.0).sqrt()[:, None])


def rows_of(model: ModuleModel) -> CurvedRows:
    """Return the losses of rows of a module whose loss second-order steps can follow."""
    known = None if model.cost is None else model.cost.curved
    return RowLoss(model.loss) if known is None else known


def by_columns(scores: Tensor) -> Tensor:
    """Return scores as (n, k), where those of one for each row are (n,)."""
    return scores[:, None] if scores.ndim == 1 else scores


def _rows(compiled: object, score: Tensor, y: Tensor) -> Tensor:
    import torch

    found = compiled(score, y, score - y)  # type: ignore[operator]
    return torch.as_tensor(found, dtype=score.dtype, device=score.device).expand(score.shape)
