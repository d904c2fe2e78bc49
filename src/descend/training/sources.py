"""Rows that come as a Dataset or a DataLoader: read once where that changes nothing, else passed in each epoch anew."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np

from descend.errors import ConfigError, DataError
from descend.models.datasets import PAIRS, Batch, in_order, parted, rows_of, undrawn
from descend.models.module import ModuleModel
from descend.models.together import joined_rows, tensors_of
from descend.options.request import Request
from descend.table.memory import read_size
from descend.training.engine import Indices, ModuleEngine, Order
from descend.training.streams import Stream

if TYPE_CHECKING:
    from collections.abc import Sized

    from torch import Tensor
    from torch.utils.data import DataLoader, Dataset

ROOM = 1 << 30
"""Rows of a dataset that need more bytes than this are passed rather than read, unless `memory_limit` is given."""
FIRST_ROWS, FIRST_BATCHES = 256, 8
"""How much of what is passed is looked at before the first step, at most."""
BATCH = 32
"""Rows of a batch of a dataset that is passed, if nobody says."""


@dataclass(frozen=True)
class Source:
    """Rows of a dataset or a loader.

    held: all of them, or the first ones of those that are passed. loader: what passes them in each epoch, or None.
    order: draws the rows of each batch of an epoch as the loader would, or None. batch_size: rows of a batch, if known.
    note: how they are used, in a sentence; held_back: which rows are held back, if that is decided already.
    """

    held: Batch
    kind: str
    note: str
    loader: DataLoader[object] | None = None
    order: Order | None = None
    batch_size: int | None = None
    held_back: str = ""

    @property
    def pair(self) -> tuple[object, object]:
        """Inputs and response. Raises DataError if there is no response."""
        if self.held.y is None:
            raise DataError(f"The rows of this {self.kind} have no response. {PAIRS}")
        return self.held.inputs, self.held.y

    def engine(self, held: ModuleEngine, model: ModuleModel, response: str | None) -> ModuleEngine:
        """Return the rows as a module passes them. held: those that are in memory."""
        if self.loader is not None:
            return Stream.of(held, self.loader, model, response)
        return replace(held, order=self.order)


def opened(data: object, request: Request) -> tuple[Source, Request]:
    """Return the rows of a dataset or a loader to train on, and the request that goes with them.

    A share of a loader's rows that is to be held back is a loader of its own.
    """
    from torch.utils.data import DataLoader

    share, note = request.validation, ""
    if isinstance(data, DataLoader) and isinstance(share, float):
        data, held_back, note = halves(data, share, request.seed)
        request = replace(request, validation=held_back)
    source = source_of(data, request)
    if isinstance(share, float) and source.loader is not None and not note:
        raise ConfigError(
            f"No share of the rows of this {source.kind} can be held back, as they are passed rather than read. Give "
            "other rows: validation=dataset, or a loader."
        )
    return replace(source, held_back=note), replace(request, batch_size=source.batch_size)


def source_of(data: object, request: Request) -> Source:
    """Return the rows of a dataset or a loader.

    A dataset is read once, unless it is too large, has no end, or changes its rows at each reading. A loader passes
    them as it would in a loop over it: by its sampler, with its workers. One over tensors is not asked for each row:
    the same rows are taken from the tensors, unless its sampler may leave some out that nobody can tell beforehand.

    Raises ConfigError for options that do not go with them, and DataError for rows that are no tensors.
    """
    import torch
    from torch.utils.data import DataLoader, IterableDataset

    if not isinstance(data, DataLoader):
        kind, wanted = type(data).__name__, request.batch_size or BATCH
        if isinstance(data, IterableDataset):
            return _passed(DataLoader(data, wanted), request, f"as the {kind} yields them")
        why = _why_passed(data, request)
        if why is None:
            held = rows_of(data, request.response)
            count = len(held.inputs)
            note = f"the {count:,} rows of the {kind} were read once, and are drawn in an order that `seed` fixes"
            return Source(held, kind, note, batch_size=request.batch_size)
        drawn = torch.Generator().manual_seed(request.seed)
        loader = DataLoader(cast("Dataset[object]", data), wanted, shuffle=True, generator=drawn)
        return _passed(loader, request, f"in an order that `seed` fixes, as {why}")
    if request.batch_size is not None:
        raise ConfigError("A DataLoader makes its batches itself, so leave out `batch_size`, or give its dataset.")
    kind = type(data.dataset).__name__
    if not isinstance(data.dataset, IterableDataset) and not len(cast("Sized", data.dataset)):
        raise DataError(f"There are no rows in this {kind}. Give data with at least one row.")
    tensors = _tensors_of(data)
    rows = None if tensors is None else _drawn_from(data, len(tensors[0]))
    if tensors is None or rows is None:
        return _passed(data, request, "as the DataLoader gives them")
    order, size = Drawn(data), getattr(data.batch_sampler, "batch_size", None)
    if len(rows) < len(tensors[0]):
        places = np.zeros(len(tensors[0]), dtype=np.intp)
        places[rows] = np.arange(len(rows))
        tensors, order = tuple(tensor[torch.from_numpy(rows)] for tensor in tensors), Drawn(data, places)
    held = parted(tensors, request.response, kind)
    count = len(held.inputs)
    note = f"the {count:,} rows of the {kind} are passed in the order of the DataLoader"
    if _at_once(data, count):
        return Source(held, kind, f"the {count:,} rows of the {kind} are passed at once")
    return Source(held, kind, note, order=order, batch_size=size or 1)


def _at_once(loader: DataLoader[object], rows: int) -> bool:
    """Whether a batch of a loader has all rows, once."""
    from torch.utils.data import BatchSampler, RandomSampler, SequentialSampler

    usual = type(loader.batch_sampler) is BatchSampler and type(loader.sampler) in (RandomSampler, SequentialSampler)
    once = not getattr(loader.sampler, "replacement", False) and len(cast("Sized", loader.sampler)) == rows
    return usual and once and loader.batch_size is not None and loader.batch_size >= rows


@dataclass(frozen=True)
class Drawn:
    """The rows of each batch of an epoch, as a pass over a loader would draw them: an `Order`.

    Random numbers are used up as by such a pass, which first draws one for its workers.

    places: where each row of the loader's dataset is among those that are held, if these are some of them.
    """

    loader: DataLoader[object]
    places: Indices | None = None

    @property
    def batches(self) -> int | None:
        """How many batches an epoch has; None if the sampler does not say."""
        try:
            return len(self.loader)
        except TypeError:
            return None

    def __call__(self) -> list[Indices]:
        import torch

        torch.empty((), dtype=torch.int64).random_(generator=self.loader.generator)
        sampler = self.loader.batch_sampler
        assert sampler is not None
        drawn = [np.array(rows, dtype=np.intp) for rows in sampler]
        return drawn if self.places is None else [self.places[rows] for rows in drawn]


def _drawn_from(loader: DataLoader[object], rows: int) -> Indices | None:
    """Return those rows of a loader's dataset that its sampler draws from; none if that cannot be told."""
    from torch.utils.data import (
        BatchSampler,
        RandomSampler,
        SequentialSampler,
        SubsetRandomSampler,
        WeightedRandomSampler,
    )

    if type(loader.batch_sampler) is BatchSampler:
        if type(loader.sampler) is SubsetRandomSampler:
            return np.unique(np.array(list(loader.sampler.indices), dtype=np.intp))
        if type(loader.sampler) in (RandomSampler, SequentialSampler, WeightedRandomSampler):
            return np.arange(rows)
    with undrawn(loader):
        found = np.unique(np.concatenate([np.empty(0, dtype=np.intp), *Drawn(loader)()]))
    return found if len(found) == rows else None


def _tensors_of(loader: DataLoader[object]) -> tuple[Tensor, ...] | None:
    """Return the tensors that a loader takes its rows from, if these are the rows that it gives; else None."""
    from torch.utils.data import Subset, TensorDataset
    from torch.utils.data._utils.collate import default_collate

    dataset: object = loader.dataset
    chosen: list[object] = []
    while type(dataset) is Subset:
        chosen.append(dataset.indices)
        dataset = dataset.dataset
    if type(dataset) is not TensorDataset or loader.batch_sampler is None or loader.collate_fn is not default_collate:
        return None
    places = None
    for indices in reversed(chosen):
        now = np.array(list(indices), dtype=np.intp)  # type: ignore[call-overload]
        places = now if places is None else places[now]
    return tuple(tensor if places is None else tensor[places] for tensor in dataset.tensors)


def _why_passed(dataset: object, request: Request) -> str | None:
    """Say why the rows of a dataset cannot be read once; None if they can."""
    from torch.utils.data import TensorDataset

    if type(dataset) is TensorDataset:
        return None
    count, kind = len(cast("Sized", dataset)), type(dataset).__name__
    if not count:
        raise DataError(f"There are no rows in this {kind}. Give data with at least one row.")
    few = min(count, BATCH)
    with undrawn(None):
        once, again = (_few(dataset, few, request.response, kind) for _ in range(2))
    if not _same(once, again):
        return "its rows change at each reading"
    size = sum(part.numel() * part.element_size() for each in (once.inputs, once.y) for part in tensors_of(each))
    size = size * count // few
    room = ROOM if request.memory_limit is None else read_size(request.memory_limit)
    return None if size <= room else f"they need about {size / 2**30:.1f} GiB"


def _few(dataset: object, count: int, response: str | None, kind: str) -> Batch:
    from torch.utils.data import Subset

    rows = [parted(batch, response, kind) for batch in in_order(Subset(cast("Dataset[object]", dataset), range(count)))]
    return rows[0]


def _same(one: Batch, other: Batch) -> bool:
    import torch

    ours, theirs = ([*tensors_of(each.inputs), *tensors_of(each.y)] for each in (one, other))
    return all(torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(ours, theirs, strict=True))


def _passed(loader: DataLoader[object], request: Request, how: str) -> Source:
    """Return what a loader passes, with its first rows."""
    kind, first, rows = type(loader.dataset).__name__, [], 0
    with undrawn(loader):
        for batch in loader:
            first.append(parted(batch, request.response, kind))
            rows += len(first[-1].inputs)
            if rows >= FIRST_ROWS or len(first) >= FIRST_BATCHES:
                break
    if not rows:
        raise DataError(f"There are no rows in this {kind}. Give data with at least one row.")
    ys = [batch.y for batch in first if batch.y is not None]
    try:
        held = Batch(joined_rows([batch.inputs for batch in first]), joined_rows(ys) if ys else None)
    except RuntimeError:  # padded to the longest of each batch
        held, rows = first[0], len(first[0].inputs)
    note = (
        f"the rows of the {kind} are passed in each epoch anew, {how}; the loss before the first step is that of the "
        f"first {rows:,} of them"
    )
    return Source(held, kind, note, loader, batch_size=loader.batch_size or 1)


def halves(loader: DataLoader[object], share: float, seed: int) -> tuple[DataLoader[object], DataLoader[object], str]:
    """Return loaders of the rows to train on and of those held back, and a note.

    Raises ConfigError for a loader whose rows cannot be told apart beforehand.
    """
    from torch.utils.data import BatchSampler, DataLoader, IterableDataset, RandomSampler, SequentialSampler, Subset

    dataset = loader.dataset
    usual = type(loader.batch_sampler) is BatchSampler and type(loader.sampler) in (RandomSampler, SequentialSampler)
    if isinstance(dataset, IterableDataset) or not usual:
        raise ConfigError(
            "No share of these rows can be held back: the DataLoader draws them by a sampler of its own, or they are a "
            "stream. Give a loader of other rows: validation=loader."
        )
    order = np.random.default_rng([seed, len(cast("Sized", dataset))]).permutation(len(cast("Sized", dataset)))
    held = round(share * len(order))
    if not 1 <= held < len(order):
        raise ConfigError(
            f"`validation` of {share:g} holds back {held} of {len(order)} rows. Give a share that leaves rows for both."
        )
    made = [
        DataLoader(
            Subset(dataset, sorted(places.tolist())),
            loader.batch_size,
            shuffle=shuffle,
            num_workers=loader.num_workers,
            collate_fn=loader.collate_fn,
            drop_last=loader.drop_last and shuffle,
            generator=loader.generator,
            pin_memory=loader.pin_memory,
            worker_init_fn=loader.worker_init_fn,
        )
        for places, shuffle in ((order[held:], type(loader.sampler) is RandomSampler), (order[:held], False))
    ]
    note = f"validation on {held:,} of {len(order):,} rows, drawn with seed {seed}"
    return made[0], made[1], note
