"""Several tensors with the same rows, as one: what a module takes, or what it is to predict, by name or in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from descend.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor, device, dtype
    from torch.nn import Module

Name = str | int


@dataclass(frozen=True, eq=False)
class Together:
    """Tensors with rows along their first axis. parts: by the name of an argument, or by its place.

    It is indexed by rows, as each of its tensors is.

    >>> import torch
    >>> both = Together({"a": torch.zeros(3, 2), "b": torch.ones(3)})
    >>> len(both), len(both[:2]), both.numel()
    (3, 2, 9)
    """

    parts: Mapping[Name, Tensor]

    def __post_init__(self) -> None:
        counts = {len(tensor) if tensor.ndim else 0 for tensor in self.parts.values()}
        if len(counts) > 1:
            shapes_listed = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in self.parts.items())
            raise DataError(f"These have different numbers of rows, along their first axis: {shapes_listed}.")

    @property
    def names(self) -> tuple[Name, ...]:
        """The names, or places, of the parts."""
        return tuple(self.parts)

    @property
    def by_name(self) -> bool:
        """Whether the parts have names."""
        return isinstance(next(iter(self.parts)), str)

    def __len__(self) -> int:
        return len(next(iter(self.parts.values())))

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self.parts.values())

    def __getitem__(self, rows: object) -> Together:
        return Together({name: tensor[rows] for name, tensor in self.parts.items()})  # type: ignore[index]

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of rows, alone."""
        return (len(self),)

    def numel(self) -> int:
        """The number of numbers."""
        return sum(tensor.numel() for tensor in self.parts.values())

    @property
    def device(self) -> device:
        return next(iter(self.parts.values())).device

    @property
    def dtype(self) -> dtype:
        return next(iter(self.parts.values())).dtype

    def is_floating_point(self) -> bool:
        """False: there is no single type."""
        return False

    def as_given(self) -> dict[str, Tensor] | tuple[Tensor, ...]:
        """Return the parts as they were given: in a dict, or in a tuple."""
        return self.by_names() if self.by_name else tuple(self.parts.values())

    def by_names(self) -> dict[str, Tensor]:
        """Return the parts by name."""
        return {str(name): tensor for name, tensor in self.parts.items()}


def as_one(parts: Mapping[Name, Tensor]) -> Tensor:
    """Return several tensors together in the place of one: as they are indexed by rows, few need to know."""
    return cast("Tensor", Together(parts))


def several(rows: object) -> Together | None:
    """Return rows that are several tensors together; None for one tensor."""
    return rows if isinstance(rows, Together) else None


def tensors_of(rows: object) -> list[Tensor]:
    """Return the tensors among rows: one, or several together; none of None."""
    tensors_together = several(rows)
    return list(tensors_together) if tensors_together is not None else [] if rows is None else [cast("Tensor", rows)]


def together(tensors: object, convert: Callable[[Any], Tensor]) -> Tensor:
    """Return one tensor, or several together, of what was given: a tensor, a tuple or list, or a dict.

    convert: makes a tensor of each.
    """
    if isinstance(tensors, Together):
        tensors = dict(tensors.parts)
    if isinstance(tensors, Mapping):
        return as_one({name: convert(tensor) for name, tensor in tensors.items()})
    if isinstance(tensors, tuple | list) and tensors and all(hasattr(tensor, "shape") for tensor in tensors):
        if len(tensors) == 1:
            return convert(tensors[0])
        return as_one({place: convert(tensor) for place, tensor in enumerate(tensors)})
    return convert(tensors)


def called(module: Module, inputs: Tensor) -> object:
    """Return what a module returns for its inputs."""
    tensors_together = several(inputs)
    if tensors_together is None:
        return module(inputs)
    return module(**tensors_together.by_names()) if tensors_together.by_name else module(*tensors_together)


def returned(output: object) -> Tensor:
    """Return what a module returned as one tensor, or several together; as it is if it is neither, to be refused.

    Of an output with ``logits``, as models of Hugging Face return it, these.
    """
    from torch import Tensor as Kind

    if isinstance(output, Kind):
        return output
    logits = output.get("logits") if isinstance(output, Mapping) else getattr(output, "logits", None)
    if isinstance(logits, Kind):
        return logits
    parts = output.values() if isinstance(output, Mapping) else output if isinstance(output, tuple | list) else ()
    alike = len({len(part) if isinstance(part, Kind) and part.ndim else -1 for part in parts}) == 1
    if alike and all(isinstance(part, Kind) for part in parts):
        return together(output, lambda part: part)
    return cast("Tensor", output)


def split(rows: Tensor, sizes: Sequence[int]) -> Sequence[Tensor]:
    """Cut rows into parts of these sizes."""
    import torch

    tensors_together = several(rows)
    if tensors_together is None:
        return torch.split(rows, list(sizes))
    tensors = {name: torch.split(tensor, list(sizes)) for name, tensor in tensors_together.parts.items()}
    return [as_one({name: tensor[k] for name, tensor in tensors.items()}) for k in range(len(sizes))]


def joined_rows(tensors_joined: Sequence[Tensor]) -> Tensor:
    """Return rows one after another."""
    import torch

    tensors_together = [tensors for each in tensors_joined if (tensors := several(each)) is not None]
    if not tensors_together:
        return torch.cat(list(tensors_joined))
    names = tensors_together[0].names
    return as_one({name: torch.cat([each.parts[name] for each in tensors_together]) for name in names})
