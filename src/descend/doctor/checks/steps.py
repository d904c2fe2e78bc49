"""Steps that are far too small or too large for the weights, and weight decay that wins over the data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import mean
from typing import TYPE_CHECKING

from descend.doctor.contract import Check, norms
from descend.doctor.finding import Finding
from descend.doctor.operation import ADDING, Label
from descend.doctor.run import Backward, Run, Step, WatchedOptimizer
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch import Tensor

ENOUGH = 20
MOST_NUMBERS = 5_000_000
"""Weights of larger models are not copied, so that memory does not grow."""
HARDLY = 1e-3
"""Weights that moved less than this share of their size in a whole run, and a loss that fell by less."""
CRAWLED, FELL = 0.1, 0.1
"""The same for a rate far below the usual ones."""
SLOPE = 1e-3
SHRUNK, VANISHED = 0.5, 0.1
LARGE_ADAPTIVE = 0.2
LEAP = 3.0
"""The loss after the first steps, as a multiple of the first, with which a rate has overshot."""
ADAPTIVE = ("Adam", "AdamW", "NAdam", "RAdam", "Adamax", "RMSprop")


class Steps(Check):
    """Compares the weights at the end of a run with those at its start."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.first_weights: dict[WatchedOptimizer, list[Tensor]] = {}
        self.first_gradient: dict[WatchedOptimizer, float] = {}
        self.loss_at: Place | None = None
        self.added_at: Place | None = None

    def backward_begins(self, backward: Backward) -> None:
        self.loss_at = backward.place
        label = Label.of(backward.roots[0].grad_fn) if backward.roots[0].grad_fn is not None else None
        if label is not None and label.name in ADDING:
            self.added_at = label.place

    def step_begins(self, step: Step) -> None:
        optimizer = step.optimizer
        if optimizer in self.first_weights:
            return
        held = [leaf.tensor.detach() for leaf in optimizer.leaves if leaf.tensor.requires_grad]
        if sum(one.numel() for one in held) <= MOST_NUMBERS and all(one.layout == held[0].layout for one in held):
            self.first_weights[optimizer] = [one.clone() for one in held]

    def step_ended(self, step: Step) -> None:
        optimizer = step.optimizer
        if optimizer not in self.first_gradient:  # a closure has computed the gradients only now
            gradients = [leaf.tensor.grad for leaf in optimizer.leaves if leaf.tensor.grad is not None]
            self.first_gradient[optimizer] = math.hypot(*norms(gradients)) if gradients else 0.0

    def findings(self) -> Iterator[Finding]:
        losses = self.run.losses.get(self.loss_at, [])
        if len(losses) < ENOUGH or len(self.run.losses) > 1 or not all(map(math.isfinite, losses)):
            return
        for optimizer, first in self.first_weights.items() if len(self.run.stepping) == 1 else ():
            now = [leaf.tensor.detach() for leaf in optimizer.leaves if leaf.tensor.requires_grad]
            if optimizer.steps < ENOUGH or len(now) != len(first):
                continue
            begun, ended = math.hypot(*norms(first)), math.hypot(*norms(now))
            moved = math.hypot(*norms([new - old for new, old in zip(now, first, strict=True)]))
            pairs = [pair for pair in zip(first, now, strict=True) if pair[0].ndim > 1]  # biases are often not decayed
            sizes = [math.hypot(*norms(list(matrices))) for matrices in zip(*pairs, strict=True)] or [begun, ended]
            finding = (
                _decayed(optimizer, sizes[0], sizes[1], losses)
                or self._pulled(optimizer, sizes[0], sizes[1])
                or self._small(optimizer, begun, moved, losses)
                or _large(optimizer, losses)
            )
            if finding is not None:
                yield finding

    def _pulled(self, optimizer: WatchedOptimizer, begun: float, ended: float) -> Finding | None:
        """Judge weights that a penalty in the loss has pulled to nothing."""
        if self.added_at is None or ended > VANISHED * begun:
            return None
        return Finding(
            "weight_decay_too_large",
            f"A penalty in the loss wins over the data, as too much weight decay does: the weights shrink from "
            f"{begun:.3g} to {ended:.3g}.",
            "A penalty pulls all weights towards 0 in every step; it should be a small part of the loss.",
            "loss = error + 1e-4 * penalty",
            self.added_at,
            {"weights_at_first": begun, "weights_at_last": ended},
        )

    def _small(self, optimizer: WatchedOptimizer, begun: float, moved: float, losses: list[float]) -> Finding | None:
        few = max(5, len(losses) // 10)
        early, late = mean(losses[:few]), mean(losses[-few:])
        rate = optimizer.largest_rate
        fell = (early - late) / abs(early) if early else 1.0
        if moved > CRAWLED * begun or fell > FELL:
            return None
        if self.first_gradient.get(optimizer, 0.0) * begun < SLOPE * abs(early):
            return None  # it begins at a minimum, where there is nothing to gain
        now = [leaf.tensor.grad for leaf in optimizer.leaves if leaf.tensor.grad is not None]
        still = math.hypot(*norms(now)) if now else self.first_gradient.get(optimizer, 0.0)
        # Where more was moved than next to nothing, the rate is tiny, and it is as steep as it was at first.
        more, tiny = moved > HARDLY * begun or fell > 10 * HARDLY, 1e-5 if optimizer.kind in ADAPTIVE else 1e-4
        if more and (rate > tiny or still < 0.8 * self.first_gradient.get(optimizer, 0.0)):
            return None
        return Finding(
            "rate_too_small",
            f"The learning rate {rate:g} is too small: in {optimizer.steps} steps the weights hardly move, by "
            f"{moved / begun if begun else 0.0:.2g} of their size, and the loss stays at {late:.4g}.",
            "At this pace training takes forever; a step usually changes weights by about 1e-3 of their size.",
            f"torch.optim.{optimizer.kind}(..., lr={1e-3 if optimizer.kind in ADAPTIVE else 0.01:g})",
            optimizer.place,
            {"rate": rate, "moved": moved, "weights": begun, "first_loss": losses[0], "last_loss": losses[-1]},
        )


def _decayed(optimizer: WatchedOptimizer, begun: float, ended: float, losses: list[float]) -> Finding | None:
    decay = max(float(group.get("weight_decay", 0.0) or 0.0) for group in optimizer.optimizer.param_groups)
    late = mean(losses[-ENOUGH // 2 :])
    if decay < 1e-2 or ended > SHRUNK * begun or late < 0.5 * losses[0]:
        return None
    return Finding(
        "weight_decay_too_large",
        f"The weight decay {decay:g} wins over the data: the weights shrink from {begun:.3g} to {ended:.3g}, and "
        "the loss "
        f"stays at {late:.4g}.",
        "Weight decay pulls all weights towards 0 in every step; it should be a small part of the gradient.",
        f"torch.optim.{optimizer.kind}(..., weight_decay=1e-4)",
        optimizer.place,
        {"weight_decay": decay, "weights_at_first": begun, "weights_at_last": ended, "last_loss": late},
    )


def _large(optimizer: WatchedOptimizer, losses: list[float]) -> Finding | None:
    """Judge an adaptive optimizer: its steps are about as long as its rate, whatever the gradient."""
    rate, late = optimizer.largest_rate, mean(losses[-ENOUGH // 2 :])
    if optimizer.kind not in ADAPTIVE or rate < LARGE_ADAPTIVE:
        return None
    leaps = max(losses[1:ENOUGH]) > LEAP * abs(losses[0])
    if late < 0.5 * losses[0] and not leaps:
        return None
    return Finding(
        "rate_too_large",
        f"The learning rate {rate:g} is too large for {optimizer.kind}: the loss jumps about and ends at "
        f"{late:.4g}, after "
        f"{losses[0]:.4g} at first.",
        f"{optimizer.kind} moves each weight by about the learning rate in every step, whatever the size of the "
        "gradient.",
        f"torch.optim.{optimizer.kind}(..., lr=1e-3)",
        optimizer.place,
        {"rate": rate, "first_loss": losses[0], "last_loss": late},
    )
