"""Which rows a tensor holds: what they were taken of, by which line, and in which order they lie."""

from __future__ import annotations

import weakref
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from descend.doctor.operation import CARRIED, TAKING_ROWS, ByTensor, Operation, carried
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch import Tensor

MOST = 400
"""Forward passes after which nothing new is learned of how batches are made."""
DRAWN = {"randperm", "randint", "multinomial"}
"""Functions that draw rows at random."""


@dataclass(eq=False)
class Order:
    """An order in which rows were taken: which it is, and where it was used.

    rows: the numbers of the rows, as one hash, and of: how many rows there are to take; of a loader both are its own.
    """

    place: Place | None
    rows: int
    of: int = 0

    def apart_from(self, other: Order) -> bool:
        """Whether other rows were taken of what has as many; of another table nothing can be said."""
        return self is not other and self.rows != other.rows and self.of == other.of


@dataclass(eq=False)
class Taken:
    """Rows that were taken out of more. of: how many there are; place: the line that took them; known by `key`.

    table: returns what they were taken of, a tensor or the data of a loader, if that is still there and can be told.
    """

    place: Place | None
    rows: int
    of: int
    key: int
    batches: int = 0
    table: weakref.ref[object] | None = None


class Rows:
    """The rows of all tensors, followed from loaders, slices and random orders to where they are used.

    taken: what was taken last. order: one drawn at random. sliced_at: the line that took a part of what holds data.
    """

    def __init__(self) -> None:
        self.taken: ByTensor[Taken] = ByTensor()
        self.order: ByTensor[Order] = ByTensor()
        self.sliced_at: ByTensor[Place | None] = ByTensor()
        self.drawn: ByTensor[bool] = ByTensor()
        """Permutations, and other numbers of rows that were drawn at random."""
        self.passes: MutableMapping[object, Order] = weakref.WeakKeyDictionary()
        self.forwards = 0

    def handed_out(self, iterator: object, tensors: Sequence[Tensor], place: Place | None) -> None:
        """Note what a loader hands out; each pass of a shuffled one over the data has an order of its own."""
        from torch.utils.data import RandomSampler

        if self.forwards > MOST:
            return
        data, batches = getattr(iterator, "_dataset", iterator), getattr(iterator, "_index_sampler", ())
        table = None if data is iterator else _reference(data)
        count = len(batches) if hasattr(batches, "__len__") else 0
        for tensor in tensors:
            if tensor.ndim:
                self.taken[tensor] = Taken(place, len(tensor), len(tensor) * count, id(data), count, table)
        sampler = getattr(batches, "sampler", None)
        if isinstance(sampler, RandomSampler):
            order = self.passes.setdefault(iterator, Order(place, id(iterator), len(sampler)))
            for tensor in tensors:
                self.order[tensor] = order

    def forwarded(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        """Note that outputs lie in the order of the inputs."""
        self.forwards += 1
        if inputs and (known := self.order.of(inputs[0])) is not None:
            for output in outputs:
                self.order[output] = known

    def operation(self, operation: Operation) -> None:
        """Follow the rows through a call."""
        if self.forwards > MOST or not operation.outputs:
            return
        self._order(operation, operation.outputs[0])
        if not operation.tensors:
            return
        source = operation.tensors[0]
        if operation.name in TAKING_ROWS | {"take_along_dim"}:
            for output in operation.outputs:
                if output.ndim and source.ndim and len(output) < len(source):
                    key = hash((source.data_ptr(), len(source))) if source.layout == output.layout else id(source)
                    taken = Taken(operation.place, len(output), len(source), key, table=_reference(source))
                    self.taken[output] = taken
        elif operation.name in CARRIED and (known := self.taken.of(source)) is not None:
            self.taken[operation.outputs[0]] = known

    def _order(self, operation: Operation, output: Tensor) -> None:
        name = operation.name
        if name in DRAWN:
            self.drawn[output] = True
        elif name in ("__getitem__", "index_select", "take_along_dim") and len(operation.tensors) == 2:
            source, indices = operation.tensors
            if self.drawn.of(indices):
                self.order[output] = Order(operation.place, hash(tuple(indices.flatten().tolist())), len(source))
        elif name in ("split", "chunk", "tensor_split", "__getitem__") and self.drawn.of(operation.tensors[0]):
            for part in operation.outputs:
                self.drawn[part] = True
        else:
            carried(operation, self.order)
            carried(operation, self.sliced_at)
            if name == "__getitem__" and not output.requires_grad:
                self.sliced_at[output] = operation.place


def _reference(thing: object) -> weakref.ref[object] | None:
    try:
        return weakref.ref(thing)
    except TypeError:  # a list, which nobody calls the rows held out
        return None
