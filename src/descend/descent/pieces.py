"""The rows of a loss with kinks, for an optimizer that goes from kink to kink."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.descent.scores import score_and_jacobian
from descend.models import Model
from descend.optimizers.pieces import ROUNDING, Pieces

if TYPE_CHECKING:
    from descend.descent.objective import Penalty

Array = NDArray[np.float64]


@dataclass(eq=False)
class RowPieces:
    """J of a kinked loss, row by row. Rows of weight 0 are left out; what was asked for last is kept.

    weights: (rows,) or None. penalty: each parameter with an l1 penalty is one more row, theta_k against 0.
    """

    model: Model
    columns: Mapping[str, Array]
    weights: Array | None
    penalty: Penalty | None
    _last: tuple[Array, Pieces] | None = field(default=None, repr=False)

    def known(self, theta: Array) -> Pieces | None:
        """Return the pieces at theta if they were asked for last."""
        return self._last[1] if self._last is not None and np.array_equal(self._last[0], theta) else None

    def at(self, theta: Array) -> Pieces:
        """Return the pieces at theta."""
        known = self.known(theta)
        if known is None:
            known = self._pieces(theta)
            self._last = (theta, known)
        return known

    def _pieces(self, theta: Array) -> Pieces:
        score, jacobian = score_and_jacobian(self.model, theta, self.columns)
        y = self.model.observed(self.columns)
        share = np.ones(len(y)) if self.weights is None else self.weights
        share = share / share.sum()
        if self.weights is not None and not share.all():
            counting = share > 0.0
            score, jacobian, y, share = score[counting], jacobian[counting], y[counting], share[counting]
        falling, rising = self.model.loss.sides
        rounding = ROUNDING * (np.abs(y) + np.abs(score) + np.abs(jacobian) @ np.abs(theta))
        parts = [score - y, jacobian, falling * share, rising * share, rounding]
        slope, bend = np.zeros(theta.size), np.zeros(theta.size)
        penalty = self.penalty
        if penalty is not None:
            slope, bend = 2.0 * penalty.l2 * theta, 2.0 * penalty.l2
            places = np.flatnonzero(penalty.l1)
            l1 = penalty.l1[places]
            more = (theta[places], np.eye(theta.size)[places], l1, l1, np.zeros(places.size))
            parts = [np.concatenate(both) for both in zip(parts, more, strict=True)]
        residual, jacobian, below, above, rounding = parts
        return Pieces(theta, residual, jacobian, below, above, slope, bend, rounding, self.model.linear)
