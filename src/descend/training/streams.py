"""Rows that pass a module as a loader gives them, of which only the first ones are held."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, ClassVar, cast

from descend.errors import DataError
from descend.losses import Loss
from descend.losses.several import in_order
from descend.models.datasets import parted, undrawn
from descend.models.module import ModuleModel
from descend.models.together import Together, several, together
from descend.training.engine import ModuleEngine

if TYPE_CHECKING:
    from collections.abc import Sized

    from torch import Tensor
    from torch.utils.data import DataLoader


@dataclass
class Stream(ModuleEngine):
    """The rows of a loader; inputs, y and rows are the first of them, which a module is tried on.

    passed: how many there were in the last epoch. A row has the weight of its class.
    """

    loader: DataLoader[object] | None = None
    model: ModuleModel | None = None
    response: str | None = None
    passed: int = field(default=0, init=False)
    streamed: ClassVar[bool] = True

    @classmethod
    def of(cls, engine: ModuleEngine, loader: DataLoader[object], model: ModuleModel, response: str | None) -> Stream:
        """Return the rows of a loader, whose first ones are an engine's."""
        held = {each.name: getattr(engine, each.name) for each in fields(ModuleEngine)}
        return cls(**held, loader=loader, model=model, response=response)

    @property
    def count(self) -> int:
        """The number of rows: those of the last epoch, before it those of the dataset, or those that are held."""
        if self.passed:
            return self.passed
        try:
            return len(cast("Sized", getattr(self.loader, "sampler", None)))
        except TypeError:
            return len(self.rows.y)

    def under(self, model: ModuleModel) -> Stream:
        return replace(self, model=model)

    def blocks(self, chosen: object, at_once: bool) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """Yield the rows that are held, at once."""
        yield self.inputs, self.y, None

    @contextlib.contextmanager
    def looked_at(self, first: bool) -> Iterator[None]:
        with undrawn(self.loader) if first else contextlib.nullcontext():
            yield

    def batches_of_epoch(self, size: int | None) -> int | None:
        try:
            return len(cast("Sized", self.loader))
        except TypeError:
            return None

    def steps(
        self, size: int | None, seed: int, epoch: int, accumulate: int
    ) -> Iterator[tuple[list[tuple[Tensor, Tensor, Tensor | None]], float]]:
        """Yield the batches of each step, and the sum of their weights."""
        some: list[tuple[Tensor, Tensor, Tensor | None]] = []
        count, rows = 0.0, 0
        for batch in self.batches_passed():
            _, y, weights = batch
            some.append(batch)
            count += len(y) if weights is None else float(weights.sum())
            rows += len(y)
            if len(some) == accumulate:
                yield some, count
                some, count = [], 0.0
        if some:
            yield some, count
        if not rows:
            raise DataError(
                f"The {type(getattr(self.loader, 'dataset', None)).__name__} gave no rows in epoch {epoch + 1}. If it "
                "goes through an iterator that can be used once only, let its __iter__ begin anew."
            )
        self.passed = rows

    def batches_passed(self) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """Yield inputs, response and weights of each batch, on the device of the module."""
        import torch

        model = cast("ModuleModel", self.model)
        kind = type(getattr(self.loader, "dataset", None)).__name__
        assert self.loader is not None
        of_classes: tuple[float, ...] = getattr(model.loss, "weights_of_classes", ())
        known = torch.tensor(of_classes, dtype=model.dtype) if of_classes else None
        for given in self.loader:
            batch = parted(given, self.response, kind)
            if batch.y is None:
                raise DataError(f"A batch of this {kind} has no response, as others have.")
            y = observed(model, batch.y)
            weights = None if known is None or y.ndim != 1 else known.to(y.device)[y]
            yield together(batch.inputs, model.placed), y, weights


def observed(model: ModuleModel, y: Tensor) -> Tensor:
    """Return the response of a batch as the loss takes it."""
    heads = several(y)
    if heads is not None and model.loss.outputs:
        losses = list(model.loss.outputs.values())
        found = {
            name: _observed(model, each, part, each.in_torch is not None or part.ndim > 1)
            for each, (name, part) in zip(losses, in_order(heads.parts, tuple(model.loss.outputs)), strict=True)
        }
        return cast("Tensor", Together(found))
    return together(y, model.placed) if heads is not None else _observed(model, model.loss, y, model.cost is not None)


def _observed(model: ModuleModel, loss: Loss, y: Tensor, as_it_is: bool) -> Tensor:
    if loss.of_classes and not (y.ndim == 2 and y.shape[1] > 1):
        return model.placed(y.reshape(-1).long())
    if as_it_is and not (loss.in_torch is None and y.shape[1:] == (1,)):
        return model.placed(y)
    return model.placed(model.placed(y).reshape(-1).to(model.dtype))
