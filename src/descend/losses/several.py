"""The loss of a module with several outputs: a weighted sum of a loss for each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar, cast

from descend.errors import ConfigError
from descend.losses.contract import Loss
from descend.losses.in_torch import InTorch, shape_of
from descend.losses.of_outputs import Elements, OfOutputs
from descend.registry import setting

if TYPE_CHECKING:
    from torch import Tensor

Part = TypeVar("Part")
Key = TypeVar("Key")


@dataclass(frozen=True)
class Several(OfOutputs):
    """J = sum over outputs h of w_h J_h, with J_h the mean of the loss of output h over the rows.

    heads: as JSON, for each output by its name the text of its loss, and its weight. known: the losses themselves,
    where a text does not say everything; shapes: of a row's response of each output, if that is several numbers.
    """

    heads: str = setting("{}")
    known: Mapping[str, Loss] | None = field(default=None, compare=False, repr=False)
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict, compare=False, repr=False)

    name = "several"

    @property
    def losses(self) -> Mapping[str, Loss]:
        """The loss of each output."""
        return self.known or {}

    @property
    def texts(self) -> dict[str, str]:
        """The loss of each output, as text."""
        return {name: str(text) for name, (text, _) in json.loads(self.heads).items()}

    @cached_property
    def shares(self) -> Mapping[str, float]:
        """The weight of each output."""
        return {name: float(weight) for name, (_, weight) in json.loads(self.heads).items()}

    def of(self, losses: Mapping[str, Loss], shapes: Mapping[str, tuple[int, ...]]) -> Several:
        """Return the same with losses that are settled, such as by the classes of the data."""
        texts = {name: [_text(each), self.shares[name]] for name, each in losses.items()}
        return replace(self, heads=json.dumps(texts), known=losses, shapes=shapes)

    @property
    def outputs(self) -> Mapping[str, Loss]:
        return self.losses

    @property
    def settings(self) -> dict[str, object]:
        return {"heads": self.heads}

    @property
    def shown(self) -> str:
        loss_texts = (
            f"{name}: {each.shown}" if self.shares[name] == 1.0 else f"{name}: {self.shares[name]:g} {each.shown}"
            for name, each in self.losses.items()
        )
        return ", ".join(loss_texts)

    @property
    def in_torch(self) -> InTorch:
        return Heads(self)


def _text(loss: Loss) -> str:
    settings = ", ".join(f"{name}={value!r}" for name, value in loss.settings.items())
    return f"{loss.registered}({settings})" if settings else loss.registered


def several_losses(
    losses_given: Mapping[object, object] | Sequence[object], loss_reader: Callable[[object], object]
) -> Several:
    """Return the loss of several outputs: by name, or in their order, each a loss or a pair of a loss and its weight.

    loss_reader: reads one of them.

    Raises ConfigError for a weight that is not above 0.
    """
    from descend.losses import LOSSES

    named = losses_given if isinstance(losses_given, Mapping) else dict(enumerate(losses_given))
    losses, weights = {}, {}
    for name, each in named.items():
        loss_and_share = list(each) if isinstance(each, tuple | list) else [each, 1.0]
        numbers = [loss for loss in loss_and_share if isinstance(loss, int | float) and not isinstance(loss, bool)]
        loss_given = [loss for loss in loss_and_share if loss not in numbers]
        if len(numbers) != 1 or len(loss_given) != 1 or not numbers[0] > 0:
            raise ConfigError(
                f'The loss of the output `{name}` is a loss, or one with its weight above 0, such as ("squared", 0.5), '
                f"not {each!r}."
            )
        loss_read = loss_reader(loss_given[0])
        losses[str(name)] = LOSSES.build(loss_read) if isinstance(loss_read, str) else cast(Loss, loss_read)
        weights[str(name)] = float(numbers[0])
    return Several(json.dumps({name: ["", weights[name]] for name in losses})).of(losses, {})


@dataclass
class Heads(InTorch):
    """The loss of each output, weighted and added up."""

    loss: Several
    takes_several = True

    @cached_property
    def parts(self) -> list[tuple[str, InTorch, float]]:
        """The name of each output, its loss, and its weight."""
        loss = self.loss
        return [
            (name, each.in_torch_alone or Elements(each, loss.shapes.get(name, ())), loss.shares[name])
            for name, each in loss.losses.items()
        ]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the outputs, in the order of their losses."""
        return tuple(self.loss.losses)

    def checked(self, output: Tensor, rows: int, name: str) -> Tensor:
        outputs, count = getattr(output, "parts", None), len(self.parts)
        if outputs is None or len(outputs) != count:
            names = ", ".join(self.names)
            raise ConfigError(
                f"`{name}` returned {shape_of(output)}, for {rows} rows, and there are losses of {count} outputs: "
                f"{names}. Let it return a tensor for each, as a dict or in this order."
            )
        outputs_checked = {}
        for (head, output_part), (called, each, _) in zip(in_order(outputs, self.names), self.parts, strict=True):
            outputs_checked[head] = each.checked(output_part, rows, f"{name}, output {called}")
        return type(output)(outputs_checked)  # several tensors together, which stand for one

    def mean(self, output: Tensor, y: Tensor, weights: Tensor | None, count: float) -> Tensor:
        outputs, ys = (in_order(each.parts, self.names) for each in (output, y))  # type: ignore[attr-defined]
        terms = [
            weight * each.mean(output_part, target_part, weights, count)
            for (_, output_part), (_, target_part), (_, each, weight) in zip(outputs, ys, self.parts, strict=True)
        ]
        total: Tensor = sum(terms[1:], terms[0])
        return total


def in_order(parts_given: Mapping[Key, Part], names: Sequence[str]) -> list[tuple[Key, Part]]:
    """Return what is given for each output in the order of the losses: by their names, or as it comes without names.

    Raises ConfigError for names that are others.
    """
    if not all(isinstance(key, str) for key in parts_given) or set(names) == {
        str(name_number) for name_number in range(len(names))
    }:
        return list(parts_given.items())
    if set(parts_given) != set(names):
        raise ConfigError(
            f"There are losses of {', '.join(names)}, and the tensors are called {', '.join(map(str, parts_given))}. "
            "Call them the same."
        )
    return [(key, parts_given[key]) for name in names for key in parts_given if key == name]
