"""The cross-entropy of modules: a score for each class."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from descend.errors import ConfigError
from descend.losses.classes import Classes, softmax
from descend.losses.contract import Loss
from descend.losses.curved_rows import CurvedRows, Softmax
from descend.losses.formulas import Array
from descend.losses.in_torch import InTorch, shape_of
from descend.losses.user_loss import OfPlaces
from descend.registry import setting

if TYPE_CHECKING:
    from torch import Tensor

SUM = 1e-2
"""How far probabilities of a row may add up to something else than 1."""


@dataclass(frozen=True)
class CrossEntropy(Classes):
    """Negative log-likelihood of one of K classes, of a module that returns a score (logit) for each: (n, K).

        P(y = k) = exp(s_k) / sum over j of exp(s_j)
        l = -sum over k of c_k q_k log P(k),   q_k = (1 - e) [y = k] + e / K
        J = sum of omega l / sum of omega c_y

    with e the ``label_smoothing``, between 0 and 1, and c the ``class_weights``, 1 if not given: as text, a number for
    each class in their order, or ``balanced``, n / (K n_k), so that classes weigh the same however rare. This is
    ``torch.nn.CrossEntropyLoss`` over all rows. With probabilities for targets, (n, K), q is these, and c_y is 1. It
    is the ``multinomial`` loss of a formula, but that no class is the reference.
    Source: Szegedy et al. (2016), CVPR, 2818-2826 (smoothing).

    >>> CrossEntropy(levels="a, b").probabilities(np.log([[1.0, 3.0]]), {})
    array([[0.25, 0.75]])
    """

    label_smoothing: float = setting(0.0, at_least=0, at_most=1)
    class_weights: str = setting("")

    name = "cross_entropy"
    aliases = "crossentropy ce softmax categorical_cross_entropy multinomial nll"
    convex = True
    # Of two classes, by the difference of their scores; a module's own scores are compared by PyTorch.
    value_text = "softplus(prediction) - y*prediction"
    slope_text = "sigmoid(prediction) - y"
    weight_text = "sigmoid(prediction)*sigmoid(-prediction)"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.class_weights not in ("", "balanced") and not self.weights_of_classes:
            raise ConfigError(
                "The class_weights of the cross_entropy loss are numbers above 0 with commas between them, one for "
                f'each class, or balanced; they are "{self.class_weights}".'
            )

    @cached_property
    def plain(self) -> bool:
        return False

    @property
    def endless(self) -> bool:
        return False

    @cached_property
    def weights_of_classes(self) -> tuple[float, ...]:
        """The weight of each class in order; empty if they are alike, or not known yet, or no such numbers."""
        try:
            class_weights = tuple(float(weight) for weight in self.class_weights.split(",") if weight.strip())
        except ValueError:
            return ()
        return class_weights if all(0.0 < each < math.inf for each in class_weights) else ()

    def weighing(self, codes: Array) -> CrossEntropy:
        """Return the same with numbers for the weights of its classes. codes: the class of each row.

        Raises ConfigError unless there is a weight for each class.
        """
        if self.class_weights == "balanced":
            counts = np.bincount(codes.astype(np.intp), minlength=self.size)
            balanced_weights = [float(len(codes) / (self.size * each)) if each else 1.0 for each in counts]
            return replace(self, class_weights=", ".join(map(repr, balanced_weights)))
        weights = len(self.weights_of_classes)
        if weights not in (0, self.size):
            raise ConfigError(
                f"class_weights has {weights} numbers, but there are {self.size} classes: {', '.join(self.classes)}. "
                "Give one for each, in this order."
            )
        return self

    def probabilities(self, score: Array, parameters: Mapping[str, float]) -> Array:
        return softmax(score)

    @property
    def in_torch(self) -> InTorch:
        return ScoresOfClasses(self.label_smoothing, self.weights_of_classes)

    @property
    def in_torch_alone(self) -> InTorch:
        return ScoresOfClasses(self.label_smoothing, self.weights_of_classes, alone=True)

    def in_places(self) -> Loss:
        """Return the same of rows with a class for each of several places, such as pixels or words.

        Scores are (n, K, ...) and classes (n, ...). J is the mean over all places, as PyTorch has it.

        Raises ConfigError for weights that are to be counted.
        """
        if self.class_weights == "balanced":
            raise ConfigError(
                "class_weights=balanced counts the rows of each class, and here each row has a class for each of "
                'several places. Give numbers, such as cross_entropy(class_weights="1, 2").'
            )
        return OfPlaces(called=self.name, function=self._mean_over_places)

    def _mean_over_places(self, scores: Tensor, y: Tensor) -> Tensor:
        from torch.nn.functional import cross_entropy

        shape, places = tuple(getattr(scores, "shape", ())), tuple(y.shape)
        if (*shape[:1], *shape[2:]) != places:
            hint = " Move its last axis there: output.movedim(-1, 1)." if shape[:-1] == places else ""
            raise ConfigError(
                f"The module returned {shape_of(scores)}, and y holds classes of shape {places}. Under the {self.name} "
                f"loss the scores of the classes lie along the second axis, ({places[0]}, K, "
                f"{', '.join(map(str, places[1:]))}).{hint}"
            )
        weights = scores.new_tensor(self.weights_of_classes) if self.weights_of_classes else None
        return cross_entropy(scores, y.long(), weights, label_smoothing=self.label_smoothing)


@dataclass(frozen=True)
class LogLikelihood(CrossEntropy):
    """The cross-entropy of a module that returns the logarithms of probabilities, as by ``LogSoftmax``: (n, K).

    This is ``torch.nn.NLLLoss``. Rows whose probabilities do not add up to 1 are refused: raw scores are for
    ``cross_entropy``.

    >>> LogLikelihood(levels="a, b").probabilities(np.log([[0.25, 0.75]]), {})
    array([[0.25, 0.75]])
    """

    name = "nll"
    aliases = "nllloss nll_loss log_softmax"

    @property
    def in_torch(self) -> InTorch:
        return LogProbabilities(self.label_smoothing, self.weights_of_classes)

    @property
    def in_torch_alone(self) -> InTorch:
        return LogProbabilities(self.label_smoothing, self.weights_of_classes, alone=True)


@dataclass
class ScoresOfClasses(InTorch):
    """The cross-entropy of scores, (n, K), and classes, (n,), or their probabilities, (n, K).

    The weights given with rows hold those of their classes already, so that each row is divided by that of its own;
    not so where it is ``alone``.
    """

    smoothing: float
    weights: tuple[float, ...]
    alone: bool = False

    @property
    def curved(self) -> CurvedRows | None:
        return Softmax(self.smoothing, self.weights)

    def checked(self, output: Tensor, rows: int, name: str) -> Tensor:
        shape = tuple(getattr(output, "shape", ()))
        if len(shape) != 2 or shape[0] != rows or shape[1] < 2:
            raise ConfigError(
                f"`{name}` returned {shape_of(output)} for {rows} rows. Under the cross_entropy loss it must return a "
                f"score for each class: shape ({rows}, K). Of two classes one score will do: "
                'loss="binary_cross_entropy".'
            )
        return output

    def mean(self, output: Tensor, y: Tensor, weights: Tensor | None, count: float) -> Tensor:
        import torch

        class_weights = output.new_tensor(self.weights) if self.weights else None
        cost = torch.nn.functional.cross_entropy
        if weights is None and (self.alone or y.shape[0] == count):
            mean = cost(output, y, class_weights, label_smoothing=self.smoothing)
            return mean if y.shape[0] == count else mean * (y.shape[0] / count)
        each = cost(output, y, class_weights, reduction="none", label_smoothing=self.smoothing)
        if class_weights is not None and y.ndim == 1:
            each = each / class_weights[y]
        return (each if weights is None else each * weights).sum() / count


@dataclass
class LogProbabilities(ScoresOfClasses):
    """The same of logarithms of probabilities, whose softmax they are themselves."""

    looked: bool = False

    @property
    def curved(self) -> None:
        return None

    def checked(self, output: Tensor, rows: int, name: str) -> Tensor:
        log_probabilities = super().checked(output, rows, name)
        if not self.looked:
            sums = log_probabilities.detach().exp().sum(dim=1)
            self.looked = True
            if bool(((sums - 1.0).abs() > SUM).any()):
                raise ConfigError(
                    f"Under the nll loss, `{name}` must return logarithms of probabilities, which add up to 1; those "
                    f"of the first row add up to {float(sums[0]):g}. End it with torch.nn.LogSoftmax(dim=1), or give "
                    'scores and loss="cross_entropy".'
                )
        return log_probabilities
