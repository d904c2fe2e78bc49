"""Losses that are maximised."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from descend.doctor.checks.activations import passed
from descend.doctor.checks.terms import Turned, linear_loss, minus_infinity, runs_down, turned_term
from descend.doctor.contract import Check, Replacement
from descend.doctor.finding import Finding
from descend.doctor.operation import DIVIDING, MULTIPLYING, ByTensor, Label, Operation
from descend.doctor.run import Backward, Leaf, Run
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch import Tensor
    from torch.autograd.graph import Node

REDUCING = (
    *("Mean", "Sum", "Squeeze", "Unsqueeze", "View", "Reshape", "Alias", "Unsafe"),
    *("Index", "Gather", "Select", "Div"),
)
LOSSES = ("MseLoss", "NllLoss", "BinaryCrossEntropy", "L1Loss", "SmoothL1Loss", "HuberLoss")
ENOUGH = 5
REWARD = re.compile(r"reward|return|advantage|\badv|\bgains?\b|payoff|utilit", re.I)
AGAINST = re.compile(r"-|neg|cost|loss(?!\s*=)|regret|penalt", re.I)
"""What says of a factor that it is to become large, and what says that it, or the whole, was turned round."""


class Objective(Check):
    """Reads off the graph of a loss whether it falls where the model gets worse."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.signs: dict[Place | None, tuple[str, Place | None, int]] = {}
        self.sign_of_loss: ByTensor[tuple[int, Place | None]] = ByTensor()
        """Losses and what is made of them: 1 as they are, -1 with a minus sign, and where it was put."""
        self.overlaps: ByTensor[bool] = ByTensor()
        self.similarity_lines: set[Place | None] = set()
        self.masking_lines: dict[Place | None, bool] = {}
        """Lines that multiply two tensors, and whether these were chances and a mask when first looked at."""
        self.mean_error = False
        self.step_added_at: Place | None = None
        self.log_likelihoods: ByTensor[bool] = ByTensor()
        self.rewarded: ByTensor[Place | None] = ByTensor()
        """Log-probabilities of actions times what they brought in, and where they were multiplied."""
        self.unbounded_term: dict[Place | None, Turned | None] = {}
        """Of each line with a backward pass, the term of its loss that has no lower bound."""

    def replaces(self) -> Iterator[Replacement]:
        from torch import distributions

        for kind in {one for one in vars(distributions).values() if isinstance(one, type)}:
            if issubclass(kind, distributions.Distribution) and "log_prob" in vars(kind):
                yield kind, "log_prob", self._likelihood

    def _likelihood(self, theirs: Callable[..., Tensor], *args: object, **kwargs: object) -> Tensor:
        result = theirs(*args, **kwargs)
        self.log_likelihoods[result] = True
        return result

    def operation(self, operation: Operation) -> None:
        name, tensors = operation.name, operation.tensors
        adds = name in ("add_", "__iadd__") and tensors and tensors[0].is_leaf and not self.run.optimizers
        if adds and self.step_added_at is None and id(tensors[0]) in self.run.leaves:
            self.step_added_at = operation.place
        if not tensors or not operation.outputs or not operation.outputs[0].requires_grad:
            return
        output = operation.outputs[0]
        likely = self.log_likelihoods.of(*tensors)
        if name in MULTIPLYING and likely is not None and len(tensors) > 1 and operation.place:
            if REWARD.search(operation.place.code) and not AGAINST.search(operation.place.code):
                self.rewarded[output] = operation.place
        elif name in ("mean", "sum", *DIVIDING) and self.rewarded.of(tensors[0]) is not None:
            self.rewarded[output] = self.rewarded.of(tensors[0])
        if self.log_likelihoods.of(tensors[0]):
            self.log_likelihoods[output] = name in ("mean", "sum")  # not what is negated in place
        if name == "cosine_similarity" and len([one for one in tensors[:2] if one.requires_grad]) == 1:
            self.sign_of_loss[output] = -1, operation.place  # with a target: it is to become large
            self.similarity_lines.add(operation.place)
            return
        if self._overlaps(operation):
            return
        if name.endswith("_loss") or "cross_entropy" in name:
            if not output.ndim or len([one for one in tensors[:2] if one.requires_grad]) == 1:
                self.sign_of_loss[output] = 1, None
            return
        known = [one for tensor in tensors[:2] if (one := self.sign_of_loss.of(tensor)) is not None]
        if not known:
            return
        sign, place = known[0]
        scaling = name in MULTIPLYING | DIVIDING
        factor = [arg for arg in operation.args if isinstance(arg, int | float)] if scaling else []
        subtracted = name in ("rsub", "__rsub__") or (name == "sub" and isinstance(operation.args[0], int | float))
        if name in ("neg", "__neg__", "negative", "neg_") or subtracted or (factor and factor[0] < 0):
            self.sign_of_loss[output] = -sign, None if output.ndim else operation.place
        elif name in ("mean", "sum") or (scaling and (factor or not output.ndim)):
            self.sign_of_loss[output] = sign, place
        elif tensors[0].ndim and name in ("sub", "__sub__", "add", "__add__"):  # two terms for each row, of one sign
            second = self.sign_of_loss.of(tensors[1]) if len(tensors) > 1 else None
            turned = -1 if "sub" in name else 1
            if self.sign_of_loss.of(tensors[0]) is not None and (second is None or turned * second[0] == sign):
                self.sign_of_loss[output] = sign, place

    def _overlaps(self, operation: Operation) -> bool:
        """Follow the product of chances and a mask, as in Dice or the intersection over union, to its quotient."""
        name, tensors, output = operation.name, operation.tensors, operation.outputs[0]
        if name in ("mul", "__mul__") and len(tensors) > 1 and tensors[0].shape == tensors[1].shape and tensors[0].ndim:
            first, second = tensors[:2]
            if first.requires_grad != second.requires_grad:
                chances, mask = (first, second) if first.requires_grad else (second, first)
                known = self.masking_lines.get(operation.place)
                if known is None:
                    known = self.masking_lines[operation.place] = _masked(chances.detach(), mask)
                if known:
                    self.overlaps[output] = True
            return False
        if not self.overlaps.known or not tensors or self.overlaps.of(tensors[0]) is None:
            return False
        if name in DIVIDING and len(tensors) > 1 and tensors[1].requires_grad:
            self.sign_of_loss[output] = -1, operation.place
            self.similarity_lines.add(operation.place)
        elif name in ("sum", "mul", "__mul__", "__rmul__", "add", "__add__", "mean", "clamp"):
            self.overlaps[output] = True
        else:
            return False
        return True

    def backward_begins(self, backward: Backward) -> None:
        node = backward.roots[0].grad_fn if len(backward.roots) == 1 else None
        if node is not None and not self.run.optimizers:
            self.mean_error = _below(node).name().startswith((*LOSSES, "Pow", "Abs"))
        if node is None or backward.value is None or len(self.run.optimizers) > 1:
            return
        if backward.place not in self.unbounded_term:
            self.unbounded_term[backward.place] = turned_term(node) or linear_loss(node)
        known = self.signs.get(backward.place)
        how = _ascent(node) if known is None or known[0] else ""
        sign, negated_at = self.sign_of_loss.of(backward.roots[0]) or (1, None)
        if not how and sign == -1:
            how = "the loss has a minus sign" if negated_at else "the error of each row enters it with a minus sign"
            if negated_at in self.similarity_lines:
                how = "a similarity, which is to become large, is taken for the loss"
            negated_at = negated_at or backward.place
        if not how and self.log_likelihoods.of(backward.roots[0]):
            how = "a log-likelihood lacks its minus sign"
        if not how and (rewarded := self.rewarded.of(backward.roots[0])) is not None:
            how, negated_at, sign = "log-probabilities times rewards lack their minus sign", rewarded, -1
        groups = (group for one in self.run.optimizers for group in one.optimizer.param_groups)
        if any(group.get("maximize") for group in groups):
            how = "maximize=True" if not how and _below(node).name().startswith(LOSSES) else ""
        if how and self._attacks([leaf for one in self.run.optimizers for leaf in one.leaves]):
            how = ""
        label = Label.of(node)
        if how == "maximize=True":
            negated_at, sign = self.run.optimizers[0].place, -1
        place = (negated_at if sign < 0 else None) or (label.place if label is not None else None) or backward.place
        self.signs[backward.place] = (how, place, (known[2] if known else 0) + bool(how))

    def _attacks(self, leaves: Sequence[Leaf]) -> bool:
        """Whether what moves belongs to none of the models called, as inputs that are to deceive one do."""
        models = [model for model, _ in self.run.models.values()]
        own = {id(one) for model in models for one in model.parameters()}
        return bool(own and leaves) and not any(id(leaf.tensor) in own for leaf in leaves)

    def findings(self) -> Iterator[Finding]:
        moved = self.run.trained_by_hand()
        upwards = self.mean_error and not self._attacks(moved) and all(leaf.upwards >= ENOUGH for leaf in moved)
        if moved and not self.run.optimizers and upwards:
            yield _ascending("the step by hand adds the gradient", self.step_added_at)
            return
        found = [_ascending(how, place) for how, place, count in self.signs.values() if how and count >= ENOUGH]
        yield from found or self._unbounded()

    def _unbounded(self) -> Iterator[Finding]:
        """Look for terms without bound; not where two optimizers play against each other."""
        optimizers = self.run.optimizers
        if len(optimizers) > 1 or self._attacks([leaf for optimizer in optimizers for leaf in optimizer.leaves]):
            return
        for place, term in self.unbounded_term.items():
            losses = self.run.losses.get(place, [])
            if term is not None and runs_down(losses):
                yield minus_infinity(term, losses, place)
                return


def _masked(chances: Tensor, mask: Tensor) -> bool:
    binary = bool(((mask == 0) | (mask == 1)).all()) and bool(mask.any())
    return binary and bool((chances >= 0).all()) and bool((chances <= 1).all())


def _ascent(node: Node) -> str:
    """Return what is maximised by a step down this loss; empty if nothing is."""
    if node.name().startswith("Neg"):
        following = node.next_functions[0][0]
        if following is not None and _below(following).name().startswith(LOSSES):
            return "the loss has a minus sign"
        return ""
    below = _below(node)
    if below.name().startswith("LogBackward"):
        below = passed(below.next_functions[0][0]) or below  # of probabilities, made by a softmax or a sigmoid
        below = _below(below)
        return "a log-likelihood lacks its minus sign" if below.name().startswith(("Softmax", "Sigmoid")) else ""
    return "a log-likelihood lacks its minus sign" if below.name().startswith("LogSoftmax") else ""


def _below(node: Node) -> Node:
    """Return the first node that is no mean, sum or choice of entries."""
    while node.name().startswith(REDUCING):
        following = [inner for inner, _ in node.next_functions if inner is not None]
        if len(following) != 1:
            break
        node = following[0]
    return node


def _ascending(how: str, place: Place | None) -> Finding:
    fix = "loss = torch.nn.functional.cross_entropy(scores, y)   # or: loss = -log_likelihood.mean()"
    if "similarity" in how:
        fix = "loss = 1 - similarity.mean()"
    if how == "maximize=True":
        fix = "Leave out maximize=True."
    elif "each row" in how:
        fix = "loss = -elbo   # what is to become large, and has errors with a minus sign in it, is negated"
    elif "rewards" in how:
        fix = "loss = -(log_probabilities * rewards).mean()"
    return Finding(
        "loss_maximised",
        f"The loss has the wrong sign, so that the model is made worse step by step: {how}.",
        "An optimizer goes down. What should become large, such as a log-likelihood, has to be negated; a loss "
        "has not.",
        fix,
        place,
    )
