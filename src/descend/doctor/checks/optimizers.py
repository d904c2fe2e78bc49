"""Optimizers that are made again and again, and stages of training whose layers were left frozen."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from descend.doctor.contract import Check, Replacement
from descend.doctor.finding import WARNING, Finding, counted, listed
from descend.doctor.operation import MADE_AT, ByTensor, Operation, tensors_of
from descend.doctor.run import Run, WatchedOptimizer
from descend.doctor.source import Assignment, Source, code
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch.nn import Module

DRAWING = {"normal_", "uniform_", "trunc_normal_", "kaiming_uniform_", "bernoulli_"}
FILLING = {"copy_", "__setitem__", "set_", "fill_", "zero_"}
MEANT = re.compile(
    r"pre-?train|load_state_dict|reservoir|echo.?state|random.?(feature|projection|kitchen)|fourier|lora\b|teacher|"
    r"backbone|on purpose|extreme.?learning",
    re.I,
)
"""What says of weights that they are to stay as they were drawn, or stand for such as were trained elsewhere."""
STANDS_IN = re.compile(
    r"glove|word2vec|fasttext|stands? (in )?for|in place of|on purpose|random.?(feature|project)", re.I
)
"""What says of a random table that it stands for one that was trained."""
EPOCH = re.compile(r"(i_?|current_)?(epoch|ep)(_?(i|idx|index|no|num|number))?", re.I)
RANDOM = {"randn", "rand", "normal", "randn_like", "rand_like"}
ENOUGH = 20
OFTEN = 4
"""Optimizers from one line that are more than a script needs."""


class Optimizers(Check):
    """Counts the optimizers that one line makes, and looks for frozen layers among what a later one holds."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.copied: set[int] = set()
        self.frozen_at: dict[int, Place | None] = {}
        self.drawn_at_random: set[int] = set()
        """Where numbers lie that were drawn at random in place, as layers begin, and not replaced since."""
        self.random: ByTensor[bool] = ByTensor()
        """Tensors that were drawn at random, and whether they still are what was drawn."""
        self.tables: dict[int, Place | None] = {}
        """Frozen embeddings made of such tensors, by `id`, and where."""

    def findings(self) -> list[Finding]:
        stages = self.run.stepping
        made: dict[Place | None, list[WatchedOptimizer]] = {}
        for optimizer in stages:
            made.setdefault(optimizer.place, []).append(optimizer)
        findings = [_remade(several) for several in made.values() if _in_vain(several)]
        for number, later in enumerate(stages[1:], 1):
            earlier = {key for one in stages[:number] for key in one.tensor_ids}
            frozen = [leaf.name for leaf in later.leaves if not leaf.tensor.requires_grad and not leaf.steps]
            new = [leaf for leaf in later.leaves if id(leaf.tensor) not in earlier]
            if frozen and earlier & later.tensor_ids and not any(leaf.steps for leaf in new):
                findings.append(_frozen(later, frozen))
                break
        findings += [one for several in made.values() if (one := self._model_remade(several)) is not None]
        return findings or self._head_frozen() or self._never_trained() or self._random_tables()

    def _model_remade(self, several: list[WatchedOptimizer]) -> Finding | None:
        """Look for a model that is made anew, with its optimizer, in each turn of a loop over epochs."""
        place = several[0].place
        if place is None or len(several) < OFTEN or len({one.tensor_ids for one in several}) < len(several):
            return None
        loops = Source.of(place.file).loops_around(place.line)
        if not any(isinstance(loop, ast.For) and EPOCH.fullmatch(code(loop.target)) for loop in loops):
            return None
        last = several[-1].tensor_ids
        models = [model for model, _ in self.run.models.values() if last & {id(one) for one in model.parameters()}]
        return _model_remade(len(several), (MADE_AT.get(id(models[-1])) if models else None) or place)

    def _random_tables(self) -> list[Finding]:
        """Look for embeddings that are made of a random table by `from_pretrained`, and stay frozen."""
        if self.run.steps < ENOUGH or self.run.source.mentions(STANDS_IN):
            return []
        layers = [layer for model, _ in self.run.models.values() for layer in model.modules()]
        frozen = [layer for layer in layers if id(layer) in self.tables and not self._steps(layer.weight)]
        return [_random_table(self.tables[id(layer)]) for layer in frozen[:1] if not layer.weight.requires_grad]

    def replaces(self) -> Iterator[Replacement]:
        import torch

        yield torch.nn.Embedding, "__init__", self._embedding

    def _embedding(self, theirs: Callable[..., object], layer: Module, *args: object, **kwargs: object) -> None:
        theirs(layer, *args, **kwargs)
        if kwargs.get("_freeze") and any(self.random.of(weights) for weights in tensors_of(kwargs.get("_weight"))):
            self.tables[id(layer)] = self.run.here()

    def _never_trained(self) -> list[Finding]:
        """Look for frozen layers that an optimizer is given, whose weights are as they were drawn, never loaded."""
        for optimizer in self.run.stepping:
            frozen = [
                leaf for leaf in optimizer.leaves if not leaf.tensor.requires_grad and not leaf.steps + leaf.passes
            ]
            matrices = [leaf for leaf in frozen if leaf.tensor.ndim > 1 and leaf.tensor.is_floating_point()]
            matrices = [leaf for leaf in matrices if leaf.tensor.data_ptr() in self.drawn_at_random]
            known = any(MEANT.search(leaf.name) for leaf in frozen) or self._says_meant()
            if matrices and optimizer.steps >= ENOUGH and not known:
                place = self.frozen_at.get(id(matrices[0].tensor)) or optimizer.place
                return [_as_drawn([leaf.name for leaf in matrices], optimizer, place)]
        return []

    def _says_meant(self) -> bool:
        """Whether the script speaks of weights that were trained elsewhere, or gives a model another head."""
        source = self.run.source
        return source.mentions(MEANT) or any(map(_new_layer, source.assignments))

    def _head_frozen(self) -> list[Finding]:
        """Look for a last layer whose bias is trained, while its weights stay frozen as they were drawn."""
        for root, called in self.run.models.values():
            layers = [one for one in root.modules() if getattr(one, "weight", None) is not None and one._parameters]
            halves = [one for one in layers if self._steps(getattr(one, "bias", None)) and not self._steps(one.weight)]
            halves = [one for one in halves if not one.weight.requires_grad and id(one.weight) not in self.copied]
            if len(halves) == 1 and halves[0] is layers[-1]:
                held = [one for one in self.run.stepping if id(halves[0].bias) in one.tensor_ids]
                path = next(path for path, one in root.named_modules() if one is halves[0])
                name = re.sub(r"\.(\d+)", r"[\1]", f"{called or 'model'}.{path}".rstrip("."))
                return [_half_frozen(held[-1], name)] if held else []
        return []

    def _steps(self, tensor: object) -> int:
        leaf = self.run.leaves.get(id(tensor))
        return 0 if leaf is None else leaf.steps

    def operation(self, operation: Operation) -> None:
        name = operation.name
        if name == "copy_":
            self.copied.add(id(operation.tensors[0]))  # loaded, perhaps
        elif name in ("requires_grad_", "__set__") and operation.tensors and not operation.tensors[0].requires_grad:
            self.frozen_at[id(operation.tensors[0])] = operation.place
        if name in RANDOM and operation.outputs:
            self.random[operation.outputs[0]] = True
        elif name in FILLING and operation.tensors and self.random.of(operation.tensors[0]):
            self.random[operation.tensors[0]] = False
        if name in DRAWING and operation.tensors and not operation.tensors[0].is_sparse:
            self.drawn_at_random.add(operation.tensors[0].data_ptr())
        elif name in FILLING and operation.tensors and not operation.tensors[0].is_sparse:
            self.drawn_at_random.discard(operation.tensors[0].data_ptr())


def _new_layer(assignment: Assignment) -> bool:
    """Whether an attribute of a model, not of `self`, is given a new layer."""
    name, value, _ = assignment
    return "." in name and not name.startswith("self.") and code(value).startswith("nn.")


def _in_vain(several: list[WatchedOptimizer]) -> bool:
    """Whether optimizers that keep a state were made over and over for the same parameters."""
    if len(several) < OFTEN or len({one.tensor_ids for one in several[-OFTEN:]}) > 1:
        return False
    settings = several[-1].optimizer.defaults
    return several[-1].kind != "SGD" or bool(settings.get("momentum"))


def _remade(several: list[WatchedOptimizer]) -> Finding:
    steps = max(one.steps for one in several)
    each = "for every step" if steps == 1 else f"and each takes {counted(steps, 'step')}"
    return Finding(
        "optimizer_remade",
        f"The optimizer {several[0].kind} is made {len(several)} times, {each}: it loses its state, momentum and "
        "averages, "
        "each time.",
        "What an optimizer has learned of its gradients is in its state; a new one begins with none.",
        f"{several[0].title} = torch.optim.{several[0].kind}(...)   # once, before the loop",
        several[0].place,
        {"made": len(several), "steps_each": steps},
    )


def _model_remade(times: int, place: Place | None) -> Finding:
    return Finding(
        "model_remade",
        f"The model is made anew in each epoch, {times} times, and its optimizer with it.",
        "What it has learned in one epoch is lost in the next, so the loss begins from the top each time.",
        "model = Net()   # once, before the loop over epochs, and the optimizer after it",
        place,
        {"made": times},
    )


def _random_table(place: Place | None) -> Finding:
    return Finding(
        "frozen_forgotten",
        "An embedding is made by `from_pretrained` of a table that was drawn at random, and stays frozen.",
        "`from_pretrained` freezes what it is given, unless freeze=False: these are vectors that nobody has trained.",
        "torch.nn.Embedding.from_pretrained(vectors, freeze=False)   # or load vectors that were trained",
        place,
        {},
        WARNING,
    )


def _half_frozen(later: WatchedOptimizer, name: str) -> Finding:
    return Finding(
        "frozen_forgotten",
        f"The last layer is half frozen: its bias is trained, but `{name}.weight` stays as it was drawn, as "
        "requires_grad is False.",
        "With random weights no bias can tell one row from another.",
        f"{name}.requires_grad_(True)   # before the optimizer is made",
        later.place,
        {"frozen": [f"{name}.weight"]},
        WARNING,
    )


def _as_drawn(names: list[str], optimizer: WatchedOptimizer, place: Place | None) -> Finding:
    return Finding(
        "frozen_forgotten",
        f"`{optimizer.title}` is given {listed(names)}, which stay frozen from beginning to end: requires_grad is "
        "False, though their weights are as they were drawn at random.",
        "Layers are frozen that have learned something before; these never learn, and what follows has to make do with "
        "random features.",
        "model.requires_grad_(True)   # before training; or load what was trained, or leave them out of the optimizer",
        place,
        {"frozen": names},
        WARNING,
    )


def _frozen(later: WatchedOptimizer, names: list[str]) -> Finding:
    return Finding(
        "frozen_forgotten",
        f"The second optimizer is given {listed(names)}, which are still frozen: requires_grad is False.",
        "Frozen parameters get no gradient, so this stage trains only what the one before trained.",
        "model.requires_grad_(True)   # before the optimizer of the second stage is made",
        later.place,
        {"frozen": names},
        WARNING,
    )
