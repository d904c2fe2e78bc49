"""Rows of a PyTorch ``Dataset`` or ``DataLoader``, read once into tensors."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

from descend.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Sequence, Sized
    from types import ModuleType

    from torch import Tensor
    from torch.utils.data import DataLoader, Dataset

AT_ONCE = 256
"""Rows that are put together at a time."""
PAIRS = "Let each row be a pair (x, y) of one input and one response, as torch.utils.data.TensorDataset(X, y) has them."


def is_dataset(data: object) -> bool:
    """Whether data are a ``torch.utils.data.Dataset`` or ``DataLoader``."""
    found = sys.modules.get("torch.utils.data")
    return found is not None and isinstance(data, found.Dataset | found.DataLoader)


def rows_of(data: object) -> list[Tensor]:
    """Return the rows of a dataset, in its order, as tensors: inputs and response, or inputs alone.

    A loader puts rows together by its ``collate_fn``. What a dataset changes at random is as it was then.

    Raises DataError for rows that are not of this form, and ConfigError for a loader that draws rows in its own way.
    """
    from torch import Generator, cat
    from torch.utils import data as torch_data

    collate, dataset = None, cast("Dataset[object]", data)
    if isinstance(data, torch_data.DataLoader):
        _refuse_own_order(data, torch_data)
        collate, dataset = (data.collate_fn if data.batch_size is not None else None), data.dataset
    if isinstance(dataset, torch_data.IterableDataset):
        raise DataError(
            f"`{type(dataset).__name__}` is an iterable dataset, which may have no end and no order. Give its rows as "
            "(X, y), or as a dataset that has a length."
        )
    kind = type(dataset).__name__
    if not len(cast("Sized", dataset)):
        raise DataError(f"There are no rows in this {kind}. Give data with at least one row.")
    # A generator of its own: the random numbers of the user go on as if nothing had been read.
    loader = torch_data.DataLoader(dataset, AT_ONCE, collate_fn=collate, generator=Generator())
    batches = [_parts(batch, kind) for batch in loader]
    if any(len(batch) != len(batches[0]) for batch in batches):
        raise DataError(f"The rows of this {kind} have different numbers of parts. {PAIRS}")
    try:
        return [cat(parts) for parts in zip(*batches, strict=True)]
    except RuntimeError as error:
        said = str(error).strip().partition("\n")[0].rstrip(".")
        raise DataError(f"The rows of this {kind} have different shapes: {said}. {PAIRS}") from None


def batch_size_of(data: object) -> int | None:
    """Return how many rows a loader gives at a time; None for a dataset, or a loader that gives all of them."""
    size: int | None = getattr(data, "batch_size", None)
    return None if size is None or size >= len(getattr(data, "dataset", ())) else size


def read_once(data: object, rows: int) -> str:
    """Say how rows of a dataset are used, in a note."""
    kind = type(getattr(data, "dataset", data)).__name__
    last = "; the last batch is kept, though smaller" if getattr(data, "drop_last", False) else ""
    return f"the {rows:,} rows of the {kind} were read once, and are drawn in an order that `seed` fixes{last}"


def _refuse_own_order(loader: DataLoader[object], torch_data: ModuleType) -> None:
    usual = (torch_data.RandomSampler, torch_data.SequentialSampler)
    batches = type(loader.batch_sampler) if loader.batch_sampler is not None else torch_data.BatchSampler
    own = next(
        (
            part
            for part, known in ((type(loader.sampler), usual), (batches, (torch_data.BatchSampler,)))
            if part not in known
        ),
        None,
    )
    if own is not None and not isinstance(loader.dataset, torch_data.IterableDataset):
        raise ConfigError(
            f"This DataLoader draws its rows by a {own.__name__}, and a fit would not: it reads them once, and draws "
            "each of them once in an epoch. Give loader.dataset; rows that count more than others are a column of "
            "`weights`, or class_weights of the cross_entropy loss."
        )


def _parts(batch: object, kind: str) -> list[Tensor]:
    if hasattr(batch, "detach"):
        return [cast("Tensor", batch)]
    if isinstance(batch, dict):
        raise DataError(f"The rows of this {kind} are dicts with the keys {', '.join(map(str, batch))}. {PAIRS}")
    if not isinstance(batch, tuple | list) or not all(hasattr(part, "detach") for part in batch):
        raise DataError(f"The rows of this {kind} are no tensors: each is a {type(batch).__name__}. {PAIRS}")
    if len(batch) > 2:
        raise DataError(f"The rows of this {kind} have {len(batch)} parts. {PAIRS}")
    return list(cast("Sequence[Tensor]", batch))
