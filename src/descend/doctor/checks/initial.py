"""Weights that start all alike or far too large, and gradients that vanish on their way to the first layers."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import mean
from typing import TYPE_CHECKING, NamedTuple

from descend.doctor.contract import Check, norm
from descend.doctor.finding import Finding, listed
from descend.doctor.operation import OF_CLASSES, Operation
from descend.doctor.run import Backward, Run, Step
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

HUGE, LARGE = 10.0, 4.0
"""Weights of this size times the square root of their inputs blow up what goes through; usual starts have about 1.

Above LARGE they are a fault where it shows: in the first loss, or in activations that are saturated."""
SATURATED = {"tanh": 3.0, "sigmoid": 5.0, "softsign": 9.0, "hardtanh": 1.0, "hardsigmoid": 3.0}
"""Activations with two flat ends, and the size of an input from which on their slope is at most a hundredth."""
MOSTLY = 0.5
PRODUCTS = {"matmul", "__matmul__", "mm", "addmm"}
DRAWN = {"randn", "rand", "normal", "empty", "full", "mul", "__mul__", "__rmul__", "div", "__truediv__"}
DEEP = 4
"""Saturating activations, one after the other, below which gradients do not vanish."""
VANISHED, NEVER = 1e-3, 1e-4
"""A gradient of the first layer, as a share of that of the last, that is next to nothing, and less where a loss falls.

Its fall is then that of the last layers, which find what a guess has."""
FAR = 4.0
"""A first loss of more than so many times that of a guess is far off."""
LOOKED_AT = (1, 5, 20)
LEARNED = 0.9


class Weight(NamedTuple):
    """The weights of a layer that mixes inputs: a matrix with a row for each output."""

    name: str
    matrix: Tensor

    @property
    def size(self) -> float:
        """Its root mean square times the square root of its number of inputs."""
        return norm(self.matrix) / math.sqrt(self.matrix.shape[0]) if self.matrix.numel() else 0.0


class Initial(Check):
    """Looks at the weights before the first step, and at their gradients in the first passes."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.initialised: dict[int, Place | None] = {}
        self.factors: dict[int, Weight] = {}
        """Matrices that inputs are multiplied with by hand."""
        self.saturating = 0
        self.deepest = 0
        self.saturated = 0.0
        """The largest share of what goes into an activation before the first step that lies on its flat ends."""
        self.ratios: list[float] = []
        self.later_ratios: list[float] = []
        self.loss_at: Place | None = None
        self.guess: tuple[float, float, Place | None] | None = None
        """Loss of a guess, first loss, and where it is computed, of a classifier."""
        self.zero: list[tuple[Weight, Place | None]] = []
        """Several layers whose weights start at 0: a fault if they stay there."""
        self.found: list[Finding] = []
        self.looked = False
        self.blamed: Place | None = None

    def operation(self, operation: Operation) -> None:
        name = operation.name
        if not self.looked:
            self._started(operation)
        if name in OF_CLASSES and self.guess is None and operation.tensors[0].requires_grad and operation.outputs:
            scores = operation.tensors[0]
            guess = math.log(max(2, scores.shape[1 if scores.ndim > 1 else 0]))
            if operation.outputs[0].ndim == 0 and not self.looked:
                self.guess = guess, float(operation.outputs[0].detach()), operation.place
        if name in SATURATED and operation.tensors and operation.tensors[0].requires_grad:
            self.saturating += 1
            if not self.looked and operation.tensors[0].numel():
                flat = operation.tensors[0].detach().abs() > SATURATED[name]
                self.saturated = max(self.saturated, float(flat.float().mean()))

    def _started(self, operation: Operation) -> None:
        """Note, before the first step, where numbers are drawn, and what inputs are multiplied with by hand."""
        name, tensors = operation.name, operation.tensors
        if name.endswith("_") and tensors and tensors[0].is_leaf:
            self.initialised[_key(tensors[0])] = operation.place
        elif name in DRAWN and operation.outputs and operation.outputs[0].is_leaf:
            self.initialised[_key(operation.outputs[0])] = operation.place
        elif name in PRODUCTS and len(tensors) > 1:
            matrix = tensors[-1]
            if matrix.ndim == 2 and matrix.is_leaf and matrix.requires_grad:
                self.factors[id(matrix)] = Weight("", matrix.T)

    def backward_begins(self, backward: Backward) -> None:
        self.deepest, self.saturating = max(self.deepest, self.saturating), 0
        self.loss_at = backward.place

    def backward_ended(self, backward: Backward) -> None:
        count = len(self.run.backward_places)
        later = count > LOOKED_AT[-1] and not count & (count - 1)
        if self.deepest < DEEP or not (later or count in LOOKED_AT):
            return
        for model, _ in list(self.run.models.values()):
            sizes = [norm(one.matrix.grad) for one in _weights(model) if one.matrix.grad is not None]
            if len(sizes) > DEEP and sizes[-1] > 0.0:
                (self.later_ratios if later else self.ratios).append(sizes[0] / sizes[-1])

    def step_begins(self, step: Step) -> None:
        if self.looked:
            return
        self.looked = True
        for leaf in step.optimizer.leaves:
            if leaf.tensor.ndim and norm(leaf.tensor) > HUGE * math.sqrt(leaf.tensor.numel()):
                self.blamed = self.blamed or self.initialised.get(_key(leaf.tensor))
        for model, _ in list(self.run.models.values()):
            held = [one for one in _weights(model) if id(one.matrix) in step.optimizer.tensor_ids]
            tables = [one for one in _tables(model) if id(one.matrix) in step.optimizer.tensor_ids]
            if held or tables:
                self._look(held, tables, step)
        by_hand = [
            Weight(leaf.name, self.factors[id(leaf.tensor)].matrix)
            for leaf in step.optimizer.leaves
            if id(leaf.tensor) in self.factors
        ]
        self._large(by_hand, [], step)

    def _look(self, weights: list[Weight], tables: list[Weight], step: Step) -> None:
        alike = [one for one, following in pairwise(weights) if _alike(one, 0) and _alike(following, 1)]
        if alike:
            self.found.append(
                Finding(
                    "constant_weights",
                    f"The weights of `{alike[0].name}` start all the same: its units are identical, and stay so.",
                    "Equal units get equal gradients; random initial weights break the symmetry.",
                    "Leave the initialisation to the layer, or use torch.nn.init.kaiming_uniform_(layer.weight).",
                    self._place(alike[0], step),
                    {"layers": [one.name for one in alike]},
                )
            )
        zero = [one for one in weights if one.matrix.numel() and not bool(one.matrix.any())]
        if len(zero) > 1:
            self.zero = [(one, self._place(one, step)) for one in zero]
        self._large(weights, tables, step)

    def _large(self, weights: list[Weight], tables: list[Weight], step: Step) -> None:
        """Look for weights that are too large by themselves, or so large that it shows."""
        shows = self.saturated > MOSTLY or (self.guess is not None and _far(self.guess[0], self.guess[1]))
        huge = [one for one in weights if one.size > (LARGE if shows else HUGE)]
        huge += [one for one in tables if norm(one.matrix) > HUGE * one.matrix.numel() ** 0.5]
        if huge:
            self.found.append(
                Finding(
                    "weights_start_too_large",
                    f"The initial weights of `{huge[0].name}` are too large: {_how_large(huge[0], huge[0] in tables)}.",
                    "Activations saturate, and the first loss is far above that of a guess.",
                    "Leave the initialisation to the layer, or use torch.nn.init.kaiming_uniform_(layer.weight).",
                    self._place(huge[0], step),
                    {"layers": [one.name for one in huge], "gain": huge[0].size},
                )
            )

    def _place(self, weight: Weight, step: Step) -> Place | None:
        return self.initialised.get(_key(weight.matrix)) or step.optimizer.place

    def findings(self) -> list[Finding]:
        zero = [(one, place) for one, place in self.zero if not bool(one.matrix.any())]
        if len(zero) > 1:
            self.found.append(_all_zero([one.name for one, _ in zero], zero[0][1]))
        losses = self.run.losses.get(self.loss_at, [])
        stuck = len(losses) >= LOOKED_AT[-1] and (losses[-1] > LEARNED * losses[0] or _stays(losses))
        vanished = bool(self.ratios) and (
            (stuck and max(self.ratios) < VANISHED)
            or (len(losses) >= 2 * LOOKED_AT[-1] and max(self.ratios + self.later_ratios) < NEVER)
        )
        if not self.found and vanished:
            self.found.append(
                Finding(
                    "gradients_vanish",
                    f"The gradients vanish: that of the first layer is {max(self.ratios):.1g} times that of the last, "
                    f"through {self.deepest} sigmoids or tanhs in a row.",
                    "The slope of a sigmoid is at most 1/4, and slopes multiply from layer to layer.",
                    "torch.nn.ReLU() in the place of Sigmoid, fewer layers, or normalisation between them",
                    self.loss_at,
                    {"first_to_last": max(self.ratios), "activations": self.deepest},
                )
            )
        if not self.found and self.guess is not None and len(losses) >= LOOKED_AT[-1]:
            guess, first, place = self.guess
            if _far(guess, first) and mean(losses[-5:]) > guess:
                self.found.append(_far_off(guess, first, self.blamed or place))
        return self.found


def _far(guess: float, first: float) -> bool:
    """Whether a first loss is far above that of a guess."""
    return first > FAR * guess and first > guess + 3.0


def _stays(losses: list[float]) -> bool:
    """Whether a loss stays where it was after the first eighth, in which the last layer finds what a guess has."""
    early, late = losses[len(losses) // 8 : len(losses) // 4], losses[-len(losses) // 4 :]
    return mean(late) > LEARNED * mean(early)


def _key(tensor: Tensor) -> int:
    """Return what tells where the numbers of a tensor lie, through `.data` as well."""
    import torch

    return tensor.data_ptr() if tensor.layout == torch.strided else id(tensor)


def _all_zero(names: list[str], place: Place | None) -> Finding:
    return Finding(
        "constant_weights",
        f"The weights of {listed(names)} start at zero, all of them, and stay there: what comes out of one such layer "
        "is 0, and so is every gradient that has to go through the other.",
        "Random initial weights break the symmetry between units; only biases, or one layer, may start at 0.",
        "Leave the initialisation to the layer, or use torch.nn.init.kaiming_uniform_(layer.weight).",
        place,
        {"layers": names},
    )


def _far_off(guess: float, first: float, place: Place | None) -> Finding:
    return Finding(
        "initial_loss_too_high",
        f"The first loss is {first:.3g}, where a mere guess has {guess:.3g}, the logarithm of the number of classes: "
        "the initial scores are far too large, so that the model is sure of what it cannot know.",
        "It spends its first steps on unlearning that. Look at the initial weights and biases of the last layer, at "
        "factors of the scores, and at the scale (normalisation) of the inputs.",
        "torch.nn.init.zeros_(layer.bias)   # of the last layer; and leave its weights as the layer starts them",
        place,
        {"first_loss": first, "loss_of_a_guess": guess},
    )


def _how_large(weight: Weight, table: bool) -> str:
    if table:
        return f"numbers of the size {norm(weight.matrix) / weight.matrix.numel() ** 0.5:.3g}, where 1 or less is usual"
    return f"about {weight.size:.3g} times what goes in comes out of the layer"


def _weights(model: Module) -> list[Weight]:
    """Return the weights of the layers of a model that mix inputs, in their order."""
    import torch

    mixing = (torch.nn.Linear, torch.nn.modules.conv._ConvNd)
    tables = {id(one.weight) for one in model.modules() if isinstance(one, torch.nn.Embedding)}
    return [
        Weight(f"{name}.weight".lstrip("."), one.weight)
        for name, one in model.named_modules()
        if isinstance(one, mixing) and id(one.weight) not in tables  # a table that is shared starts as tables do
    ]


def _tables(model: Module) -> list[Weight]:
    """Return the tables of embeddings: usual ones start with numbers of about 1, or smaller."""
    import torch

    return [
        Weight(f"{name}.weight".lstrip("."), one.weight)
        for name, one in model.named_modules()
        if isinstance(one, torch.nn.Embedding | torch.nn.EmbeddingBag)
    ]


def _alike(weight: Weight, dimension: int) -> bool:
    """Whether all rows, or all columns, of a weight matrix are the same, and not 0."""
    matrix = weight.matrix.detach()
    first = matrix.narrow(dimension, 0, 1)
    many = dimension == 1 or matrix.shape[0] > 1
    return many and bool((matrix == first).all()) and bool(matrix.any())
