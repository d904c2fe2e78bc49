"""The rows of a loss with kinks, for an optimizer that goes from kink to kink."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from descend.models import Model
from descend.optimizers.kinked_loss import MOST_ROWS, ROUNDING, Measure, Pieces
from descend.problem.penalty import Penalty
from descend.table.lazy import Lazy
from descend.table.rows import Rows

Array = NDArray[np.float64]
BLOCK = 1 << 16
"""Rows that are fetched at once where they are not in memory."""


class LastPieces(ABC):
    """Keeps the pieces that were asked for last."""

    _last: tuple[Array, Pieces] | None = None

    @abstractmethod
    def anew(self, theta: Array) -> Pieces:
        """Return the pieces at theta without keeping them."""

    def known(self, theta: Array) -> Pieces | None:
        """Return the pieces at theta if they were asked for last."""
        return self._last[1] if self._last is not None and np.array_equal(self._last[0], theta) else None

    def at(self, theta: Array) -> Pieces:
        """Return the pieces at theta."""
        pieces = self.known(theta)
        if pieces is None:
            pieces = self.anew(theta)
            self._last = (theta, pieces)
        return pieces


@dataclass(eq=False)
class RowPieces(LastPieces):
    """J of a kinked loss, row by row. Rows of weight 0 are left out; what was asked for last is kept.

    penalty: each parameter with an l1 penalty is one more row, theta_k against 0. total: the sum of weights, where
    these are not all of the rows.
    """

    model: Model
    rows: Rows
    penalty: Penalty | None
    total: float | None = None

    def anew(self, theta: Array) -> Pieces:
        """Return the pieces at theta without keeping them."""
        total = self.rows.total if self.total is None else self.total
        row_pieces = replace(pieces_of(self.model, theta, self.rows, total), at_theta=self.anew)
        return row_pieces if self.penalty is None else penalised(row_pieces, self.penalty)


@dataclass(eq=False)
class StreamedPieces(LastPieces):
    """The same for rows that are not in memory: only those nearest to their kink are loaded; the others are summed.

    Each theta takes one pass over the rows. sample: the pieces of some rows, which set the scale of steps; its total
    is the weight of all rows.
    """

    sample: RowPieces
    lazy: Lazy

    def anew(self, theta: Array) -> Pieces:
        """Return the pieces at theta without keeping them."""
        return self.lazy.attempt(lambda: self._nearest(theta))

    def _nearest(self, theta: Array) -> Pieces:
        measured = self.sample.anew(theta)
        pull, beyond = np.zeros(theta.size), np.inf
        near: Pieces | None = None
        rows = Rows({})
        for fetched in self._blocks():
            block = self._of(theta, fetched)
            pull += block.pull
            near = block if near is None else near.joined(block)
            rows = rows.joined(fetched)
            reach = near.reach(measured.frame)
            if len(reach) > MOST_ROWS:
                order = np.argpartition(reach, MOST_ROWS)
                chosen, beyond = order[:MOST_ROWS], min(beyond, float(reach[order[MOST_ROWS:]].min()))
                near, rows = near.only(chosen), rows.take(chosen)
        assert near is not None
        return self._completed(near, pull, Measure(measured.frame, measured.unit, beyond), rows)

    def _at_other_theta(self, rows: Rows, measure: Measure, theta: Array) -> Pieces:
        """Return the pieces of the same rows at another theta, with the pull of all other rows there."""
        pull = self.lazy.attempt(lambda: np.add.reduce([self._of(theta, block).pull for block in self._blocks()]))
        return self._completed(self._of(theta, rows), pull, measure, rows)

    def _completed(self, near: Pieces, pull: Array, measure: Measure, rows: Rows) -> Pieces:
        """Return the pieces of some rows with the pull of all others; pull: of all rows."""
        penalised_pieces = replace(
            near, slope=pull - near.pull, measure=measure, at_theta=partial(self._at_other_theta, rows, measure)
        )
        return penalised_pieces if self.sample.penalty is None else penalised(penalised_pieces, self.sample.penalty)

    def _blocks(self) -> Iterator[Rows]:
        return (block.counting() for block in self.lazy.blocks(BLOCK))

    def _of(self, theta: Array, rows: Rows) -> Pieces:
        total = self.sample.total
        assert total is not None
        return pieces_of(self.sample.model, theta, rows, total)


def pieces_of(model: Model, theta: Array, rows: Rows, total: float) -> Pieces:
    """Return J of some rows at theta, without a penalty; total: the sum of the weights of all rows."""
    rows = rows.counting()
    score, jacobian = model.scores_and_jacobian(theta, rows.columns)
    y = model.observed(rows.columns)
    share = (np.ones(len(y)) if rows.omega is None else rows.omega) / total
    falling, rising = model.loss.sides
    rounding = ROUNDING * (np.abs(y) + np.abs(score) + np.abs(jacobian) @ np.abs(theta))
    none = np.zeros(theta.size)
    return Pieces(theta, score - y, jacobian, falling * share, rising * share, none, none, rounding, model.linear)


def penalised(found: Pieces, penalty: Penalty) -> Pieces:
    """Return the pieces with those of a penalty."""
    theta, l1_places = found.theta, np.flatnonzero(penalty.l1)
    l1, none = penalty.l1[l1_places], np.zeros(l1_places.size)
    kinks = replace(
        found, residual=theta[l1_places], jacobian=np.eye(theta.size)[l1_places], below=l1, above=l1, rounding=none
    )
    slope = found.slope + 2.0 * penalty.l2 * theta
    return replace(found.joined(kinks), slope=slope, bend=2.0 * penalty.l2)
