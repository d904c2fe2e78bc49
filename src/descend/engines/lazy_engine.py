"""What engines have in common whose rows stay in a file or a database."""

from __future__ import annotations

from abc import abstractmethod

from descend.engines.batches import Batch, batches_of_database
from descend.engines.parabola import Parabola, through
from descend.engines.totals import Array, Engine, Totals
from descend.table.lazy import Lazy
from descend.table.rows import Rows


class LazyEngine(Engine):
    """Sums over rows that are read anew for each evaluation, or once only where J is a parabola.

    lazy: the rows, which must be complete. total: the sum of their weights. rows: some of them, in memory. parabola:
    what is known of all sums from those at `near`.
    """

    factors = True
    lazy: Lazy

    def __init__(self, lazy: Lazy, counted: tuple[int, float] | None) -> None:
        """Take the rows; ``counted``: their number and the sum of their weights, if that is known."""
        self.lazy = lazy
        self.count, self.total = lazy.counted() if counted is None else counted
        self.parabola: Parabola | None = None
        self.rows = Rows({})

    @property
    def once(self) -> bool:
        return self.parabola is not None

    def batches(self, size: int, seed: int, epoch: int) -> list[Batch]:
        """Return the batches of one epoch, each of which is read by a query of its own."""
        return batches_of_database(self.count, size, seed, epoch)

    def evaluate(self, theta: Array, order: int = 1, rows: Batch | None = None) -> Totals:
        if rows is not None:
            return self._read(theta, order, rows)
        if self.near is not None:
            near, self.near = self.near, None
            self.parabola = through(near, self._read(near, 2, None))
        return self._read(theta, order, None) if self.parabola is None else self.parabola.totals(theta, order)

    @abstractmethod
    def _read(self, theta: Array, order: int, rows: Batch | None) -> Totals:
        """Sum over all rows, or over a batch, by reading them."""
