"""The rows that a module is fitted to, as tensors on its device."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from descend.engines.batches import shuffled
from descend.engines.totals import Traits
from descend.models.module import TARGETS, ModuleModel, as_tensor, block_size
from descend.models.together import split, together
from descend.table.rows import Rows

if TYPE_CHECKING:
    from torch import Tensor


ORDERED = 1 << 25
"""Up to this many numbers are copied into the order of an epoch at once."""
Indices = NDArray[np.intp]


class Order(Protocol):
    """Draws the rows of each batch of an epoch. batches: how many there are, if that is known before."""

    @property
    def batches(self) -> int | None: ...

    def __call__(self) -> list[Indices]: ...


@dataclass
class ModuleEngine(Traits):
    """The rows a module is fitted to, as tensors on its device: inputs, response and row weights.

    rows: the response and the row weights as arrays. order: draws the rows of each batch of an epoch, if a loader of
    the user does so; if not, a seed does.
    """

    inputs: Tensor
    y: Tensor
    rows: Rows
    omega: Tensor | None = None
    order: Order | None = None
    name: str = "torch"
    drawn: list[Indices] = field(default_factory=list)
    """The rows of each batch of the last epoch, where they are known."""
    streamed: ClassVar[bool] = False
    """Whether rows are passed as they come, and those here are only the first of them."""

    @property
    def count(self) -> int:
        """The number of rows."""
        return int(self.y.shape[0])

    @cached_property
    def block(self) -> int:
        """How many rows are passed at once."""
        return block_size(self.inputs)

    def under(self, model: ModuleModel) -> ModuleEngine:
        """Return the same rows for a model that is settled."""
        return self

    def blocks(self, chosen: Indices | None, at_once: bool) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """Yield inputs, y and weights of all rows or of the chosen ones, in blocks or in one piece."""
        if chosen is not None:
            yield self._at(chosen)
            return
        size = self.count if at_once else self.block
        for begin in range(0, self.count, size):
            yield (self.inputs, self.y, self.omega) if size >= self.count else self._at(slice(begin, begin + size))

    @contextlib.contextmanager
    def looked_at(self, first: bool) -> Iterator[None]:
        """Enclose a look at these rows, those of validation: random numbers are drawn as by a loop over a loader.

        first: whether it is before the first step, where such a loop takes no look.
        """
        if self.order is not None and not first:
            self.order()
        yield

    def batches(self, size: int, seed: int, epoch: int) -> list[Indices]:
        """Return the rows of each batch of an epoch."""
        own = self.order
        self.drawn = shuffled(self.count, size, seed, epoch, self.rows.omega) if own is None else own()
        return self.drawn

    def batches_of_epoch(self, size: int | None) -> int | None:
        """Return how many batches an epoch has; None if that is not known before. size: of a batch, or None: all."""
        if size is None:
            return 1
        if self.order is not None:
            return self.order.batches
        counting = self.count if self.rows.omega is None else np.count_nonzero(self.rows.omega)
        return -(-int(counting) // size)

    def steps(
        self, size: int | None, seed: int, epoch: int, accumulate: int
    ) -> Iterator[tuple[list[tuple[Tensor, Tensor, Tensor | None]], float]]:
        """Yield the batches of each step of an epoch, and the sum of their weights. size: of a batch, or None: all."""
        if size is None:
            yield list(self.blocks(None, True)), self.rows.weight_of(None)
            return
        batches = self.batches(size, seed, epoch)
        if self.omega is None:
            counts: list[float] = [len(rows) for rows in batches]
        else:
            counts = [self.rows.weight_of(rows) for rows in batches]
        if accumulate == 1:
            for batch, count in zip(self.in_turn(batches), counts, strict=True):
                yield [batch], count
            return
        turn = self.in_turn(batches)
        for begin in range(0, len(batches), accumulate):
            some = counts[begin : begin + accumulate]
            yield [next(turn) for _ in some], sum(some)

    def in_turn(self, batches: Sequence[Indices]) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """Yield batches one after another: views of rows that are put in order once, unless they are very many."""
        import torch

        if self.inputs.numel() > ORDERED:
            yield from map(self._at, batches)
            return
        sizes = [len(rows) for rows in batches]
        inputs, y, omega = self._at(np.concatenate(batches))
        weights = [None] * len(sizes) if omega is None else torch.split(omega, sizes)
        yield from zip(split(inputs, sizes), split(y, sizes), weights, strict=True)

    def chosen(self, places: Indices) -> ModuleEngine:
        """Return some of the rows."""
        inputs, y, omega = self._at(places)
        return ModuleEngine(inputs, y, self.rows.take(places), omega)

    def _at(self, chosen: Indices | slice) -> tuple[Tensor, Tensor, Tensor | None]:
        import torch

        place = chosen if isinstance(chosen, slice) else torch.from_numpy(chosen).to(self.y.device)
        return self.inputs[place], self.y[place], None if self.omega is None else self.omega[place]


def engine_of(model: ModuleModel, columns: Mapping[str, object], rows: Rows) -> ModuleEngine:
    """Return rows as tensors on the module's device."""
    omega = None if rows.omega is None else model.placed(rows.omega)
    targets = columns.get(TARGETS)
    if targets is None:
        targets = as_tensor(rows.y).long() if model.loss.of_classes else rows.y
    return ModuleEngine(model.tensor(columns), together(targets, model.placed), rows, omega)
