"""Rows that come as a ``torch.utils.data.Dataset`` or ``DataLoader``: what a batch holds, and reading all of them."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from descend.errors import DataError
from descend.models.together import joined_rows, together

if TYPE_CHECKING:
    from collections.abc import Sized

    from torch import Generator, Tensor
    from torch.utils.data import DataLoader, Dataset

AT_ONCE = 256
"""Rows that are put together at a time."""
RESPONSES = ("labels", "label", "target", "targets", "y")
"""What the response is called in a batch that is a dict, if the user does not say."""
PAIRS = (
    "Let each row be a pair (x, y), as torch.utils.data.TensorDataset(X, y) has them, several inputs and y, or a dict."
)


@dataclass(frozen=True)
class Batch:
    """What a module takes of some rows, and what was observed of them, if that is there."""

    inputs: Tensor
    y: Tensor | None


def is_dataset(data: object) -> bool:
    """Whether data are a ``torch.utils.data.Dataset`` or ``DataLoader``."""
    torch_data = sys.modules.get("torch.utils.data")
    return torch_data is not None and isinstance(data, torch_data.Dataset | torch_data.DataLoader)


def parted(batch: object, response: str | None, kind: str) -> Batch:
    """Return inputs and response of a batch: of (x, y), of several inputs and y, or of a dict.

    response: the key of a dict that is predicted; if not given, one of RESPONSES. kind: what the rows are of.

    Raises DataError for a batch of another form.

    >>> import torch
    >>> found = parted({"ids": torch.zeros(2, 3), "mask": torch.ones(2, 3), "labels": torch.zeros(2)}, None, "Texts")
    >>> found.inputs.names, found.y.shape
    (('ids', 'mask'), torch.Size([2]))
    """
    if isinstance(batch, Mapping):
        named = {str(key): tensor for key, tensor in batch.items()}
        response_names = [response] if response is not None else [key for key in RESPONSES if key in named]
        if response is not None and response not in named:
            raise DataError(
                f"The rows of this {kind} are dicts with the keys {', '.join(named)}, and `{response}` is none of them."
            )
        inputs = {key: tensor for key, tensor in named.items() if key not in response_names[:1]}
        return Batch(_tensors(inputs, kind), _tensors(named[response_names[0]], kind) if response_names else None)
    if hasattr(batch, "detach"):
        return Batch(cast("Tensor", batch), None)
    if not isinstance(batch, tuple | list) or not batch:
        raise DataError(f"The rows of this {kind} are no tensors: each is a {type(batch).__name__}. {PAIRS}")
    *tensors, y = batch if len(batch) > 1 else (batch[0], None)
    return Batch(_tensors(tensors[0] if len(tensors) == 1 else tensors, kind), None if y is None else _tensors(y, kind))


def _tensors(batch: object, kind: str) -> Tensor:
    tensor_parts = (
        batch.values() if isinstance(batch, Mapping) else batch if isinstance(batch, tuple | list) else [batch]
    )
    names = list(batch) if isinstance(batch, Mapping) else None
    for tensor_number, tensor in enumerate(tensor_parts):
        if not hasattr(tensor, "detach"):
            where = f"`{names[tensor_number]}` is" if names else "they hold"
            raise DataError(f"The rows of this {kind} are no tensors alone: {where} a {type(tensor).__name__}. {PAIRS}")
    if not tensor_parts:
        raise DataError(f"The rows of this {kind} have no input. {PAIRS}")
    return together(batch, lambda part: part)


def rows_of(data: object, response: str | None = None) -> Batch:
    """Return all rows of a dataset, in its order.

    A loader puts rows together by its ``collate_fn``. What a dataset changes at random is as it was then.

    Raises DataError for rows that are no tensors, or do not go together.
    """
    collate, dataset = collate_of(data), getattr(data, "dataset", data)
    kind = type(dataset).__name__
    batches = [parted(batch, response, kind) for batch in in_order(dataset, collate)]
    if not batches:
        raise DataError(f"There are no rows in this {kind}. Give data with at least one row.")
    inputs, ys = [batch.inputs for batch in batches], [batch.y for batch in batches if batch.y is not None]
    try:
        return Batch(joined_rows(inputs), joined_rows(ys) if len(ys) == len(batches) else None)
    except RuntimeError as error:
        torch_message = str(error).strip().partition("\n")[0].rstrip(".")
        raise DataError(f"The rows of this {kind} have different shapes: {torch_message}. {PAIRS}") from None


def collate_of(data: object) -> Callable[[list[object]], object] | None:
    """Return what puts the rows of a loader together; None for a dataset, or a loader of one row at a time."""
    return getattr(data, "collate_fn", None) if getattr(data, "batch_size", None) is not None else None


def in_order(dataset: object, collate: Callable[[list[object]], object] | None = None) -> Iterator[object]:
    """Yield the rows of a dataset in its order, many at a time."""
    from torch import Generator
    from torch.utils.data import DataLoader, IterableDataset

    sized = isinstance(dataset, IterableDataset) or len(cast("Sized", dataset)) > 0
    # A generator of its own: the random numbers of the user go on as if nothing had been read.
    loader: DataLoader[object] = DataLoader(
        cast("Dataset[object]", dataset), AT_ONCE, collate_fn=collate, generator=Generator()
    )
    yield from loader if sized else ()


@contextlib.contextmanager
def undrawn(loader: DataLoader[object] | None) -> Iterator[None]:
    """Let rows be looked at as if no random number had been drawn for them."""
    import torch

    generators = {id(each): each for each in _generators(loader)}.values()
    states = [(each, each.get_state()) for each in generators]
    python, numpy = random.getstate(), np.random.get_state()  # those that a dataset may draw from
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            for each, generator_state in states:
                each.set_state(generator_state)
            random.setstate(python)
            np.random.set_state(numpy)


def _generators(loader: DataLoader[object] | None) -> Iterator[Generator]:
    import torch

    loader_parts: tuple[object, ...] = () if loader is None else (loader, loader.sampler, loader.batch_sampler)
    for loader_part in (*loader_parts, *(getattr(loader_part, "sampler", None) for loader_part in loader_parts)):
        generator = getattr(loader_part, "generator", None)
        if isinstance(generator, torch.Generator):
            yield generator
