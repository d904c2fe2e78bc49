"""A loss that the user gives: a module such as ``torch.nn.SmoothL1Loss()``, or any function of output and response."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError
from descend.losses.classes import softmax
from descend.losses.in_torch import InTorch, shape_of
from descend.losses.of_outputs import OfOutputs
from descend.registry import setting

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Given(OfOutputs):
    """A loss that is called with what a module returns and the response: ``loss(output, y)``.

    It returns one number, the mean over the rows it was given; or a number for each row, (n,) or (n, ...), of which
    J is the weighted mean. One whose ``reduction`` is "sum" returns their sum, and so J is one.

    called: its name. A model file holds this name alone, for a fit that is loaded needs the loss no more.
    """

    called: str = setting("")
    function: Callable[..., object] | None = field(default=None, compare=False, repr=False)

    name = "given"
    any_outputs = True

    @property
    def settings(self) -> dict[str, object]:
        return {"called": self.called}

    @property
    def shown(self) -> str:
        return self.called

    @property
    def in_torch(self) -> InTorch:
        return Called(self.called, self.function)


@dataclass(frozen=True)
class OfPlaces(Given):
    """The cross-entropy of a class for each of several places of a row, such as its pixels or words: their mean.

    Scores are (n, K, ...), classes (n, ...), and predictions whole numbers (n, ...) or probabilities (n, K, ...).

    >>> OfPlaces().probabilities(np.log([[[0.25, 0.5], [0.75, 0.5]]]), {})
    array([[[0.25, 0.5 ],
            [0.75, 0.5 ]]])
    """

    name = "of_places"
    of_places = True

    @property
    def ignored(self) -> int:
        return int(getattr(self.function, "ignore_index", -1))

    def probabilities(self, score: Array, parameters: Mapping[str, float]) -> Array:
        return softmax(score)


ORDER: dict[str, tuple[int | None, ...]] = {
    "GaussianNLLLoss": (0, None, 1),
    "CosineEmbeddingLoss": (0, 1, None),
    "MarginRankingLoss": (0, 1, None),
}
"""The losses of PyTorch that take several outputs: the place of each among what they are called with; None is y."""
WORDS = {
    "GaussianNLLLoss": "the mean and the variance",
    "CosineEmbeddingLoss": "both vectors",
    "MarginRankingLoss": "both scores",
}
OWN = (
    " A module is not given the response, so that it computes no loss of its own, and of what it returns with `logits` "
    'these are taken: give a loss of them, such as "cross_entropy", or a function loss(logits, y).'
)


@dataclass
class Called(InTorch):
    """A function of the outputs of a module and the response."""

    name: str
    function: Callable[..., object] | None
    takes_several = True

    def checked(self, output: Tensor, rows: int, name: str) -> Tensor:
        shape = tuple(getattr(output, "shape", ()))
        if not shape or shape[0] != rows:
            raise ConfigError(
                f"`{name}` returned {shape_of(output)} for {rows} rows. It must return one tensor, with the rows along "
                "its first axis."
            )
        return output

    def mean(self, output: Tensor, y: Tensor, weights: Tensor | None, count: float) -> Tensor:
        import torch

        if self.function is None:
            raise ConfigError(f"The loss `{self.name}` is known by its name only. Fit again to evaluate it.")
        rows = y.shape[0]
        if hasattr(output, "parts") or hasattr(y, "parts"):
            pass
        elif output.shape == (rows, 1) and y.shape == (rows,):
            output = output[:, 0]  # or a difference would silently have the shape (n, n)
        elif output.ndim == y.ndim and output.shape != y.shape:
            raise ConfigError(
                f"The module returned shape {tuple(output.shape)}, and y has shape {tuple(y.shape)}. The loss "
                f"`{self.name}` would repeat one of them until they match. Give both the same shape."
            )
        try:
            returned = self._called(output, y)
        except (RuntimeError, TypeError, ValueError, LookupError, AttributeError) as error:
            torch_message = str(error).strip().partition("\n")[0].rstrip(".")
            hint = OWN if isinstance(error, LookupError | AttributeError) and "loss" in torch_message else ""
            raise ConfigError(
                f"The loss `{self.name}` cannot take an output of {_described(output)} and y of {_described(y)}: "
                f"{torch_message}.{hint}"
            ) from error
        if not isinstance(returned, torch.Tensor) or (returned.ndim and returned.shape[0] != rows):
            raise ConfigError(
                f"The loss `{self.name}` returned {shape_of(returned)} for {rows} rows. It must return one number, the "
                f"mean over the rows, or one for each row: shape ({rows},)."
            )
        if returned.ndim:
            each = returned.reshape(rows, -1).mean(dim=1)
            return (each if weights is None else each * weights).sum() / count
        if weights is not None:
            raise ConfigError(
                f"The loss `{self.name}` returns one number for {rows} rows, so they cannot be weighted. Let it return "
                'one for each row, as torch losses do with reduction="none".'
            )
        if getattr(self.function, "reduction", None) == "sum" or rows == count:
            return returned
        return returned * (rows / count)

    @property
    def order(self) -> tuple[int | None, ...]:
        """What a loss of PyTorch takes that is not called with one output and y; empty for any other."""
        return ORDER.get(type(self.function).__name__, ()) if hasattr(self.function, "reduction") else ()

    def _outputs(self, output: Tensor) -> list[Tensor]:
        """Return as many outputs as the loss takes: several tensors, or the columns of one."""
        count = sum(argument_place is not None for argument_place in self.order)
        outputs_split = list(output)[:count] if hasattr(output, "parts") else None
        if outputs_split is None and output.ndim == 2 and output.shape[1] == count:
            outputs_split = list(output.unbind(1))
        if outputs_split is None or len(outputs_split) != count:
            raise ConfigError(
                f"The loss `{self.name}` takes {count} outputs, {WORDS[type(self.function).__name__]}, and the module "
                f"returned {shape_of(output)}. Let it return a tuple of {count} tensors."
            )
        return [part.squeeze(1) if part.ndim == 2 and part.shape[1] == 1 else part for part in outputs_split]

    def _called(self, output: Tensor, y: Tensor) -> object:
        """Call the function: of several tensors with a dict or a tuple; of whole numbers as decimals if it asks so."""
        assert self.function is not None
        loss: list[object] = [each.as_given() if hasattr(each, "as_given") else each for each in (output, y)]
        if self.order:
            outputs = self._outputs(output)
            loss = [y if argument_place is None else outputs[argument_place] for argument_place in self.order]
        try:
            return self.function(*loss)
        except RuntimeError as error:
            if "dtype" not in str(error) and "type" not in str(error):
                raise
            if y.is_floating_point() or hasattr(y, "parts") or hasattr(output, "parts"):
                raise
            return self.function(output, y.to(output.dtype))


def _described(tensor: Tensor) -> str:
    if hasattr(tensor, "parts"):
        return shape_of(tensor)
    return f"shape {tuple(tensor.shape)} ({kind_of(tensor)})"


def kind_of(tensor: Tensor) -> str:
    """Return the type of the numbers in a tensor."""
    return str(tensor.dtype).removeprefix("torch.")
