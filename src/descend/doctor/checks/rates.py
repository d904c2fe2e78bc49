"""A learning rate beyond what the curvature of the loss allows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING

from descend.doctor.contract import Check
from descend.doctor.finding import Finding
from descend.doctor.run import Backward, Run, WatchedOptimizer
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch import Tensor

ITERATIONS, CLOSE = 30, 1e-3
MEASURED = 4
"""Times the curvature is measured in a run: at its first steps, then where the loss has grown."""
BEYOND = 1.05
"""A rate counts as too large beyond this multiple of the limit, as a batch is only a sample of the data."""
GROWTH, EXPLOSION = 2.0, 1e3
"""Growth of the loss, as a multiple of the first, that is blamed on a rate beyond the limit; and on any rate."""

ADAM_RATE = 0.001


@dataclass(frozen=True)
class Measured:
    """The largest curvature at one backward pass. step: the number of the step after it.

    optimizer, place: of several optimizers the one whose parameters it is for, and the line of the pass.
    """

    curvature: float
    rate: float
    momentum: float
    limit: float
    step: int
    optimizer: WatchedOptimizer | None = None
    place: Place | None = None


class Rates(Check):
    """Measures the largest eigenvalue lambda of the Hessian of the loss, by power iteration, and watches the loss.

    Gradient descent is stable where rate * lambda <= 2, with momentum m where rate * lambda <= 2 (1 + m), Nesterov's
    where rate * lambda <= 2 (1 + m) / (1 + 2 m). A rate beyond is a fault only where the loss grows.
    Source: Polyak (1964), USSR Comput. Math. Math. Phys. 4, 1-17.
    """

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.measured: list[Measured] = []
        self.lowest = math.inf
        self.seen: set[Place | None] = set()

    def backward_begins(self, backward: Backward) -> None:
        value = backward.value
        if value is None or not math.isfinite(value):
            return
        if len(self.run.optimizers) > 1:
            if backward.place not in self.seen and len(self.seen) < MEASURED:
                self.seen.add(backward.place)
                for optimizer in self.run.optimizers[:MEASURED]:
                    self._measure(backward, optimizer)
            return
        losses = self.run.losses[backward.place]
        due = len(self.measured) < 1 or (len(losses) > 1 and value > GROWTH * max(abs(losses[0]), abs(self.lowest)))
        self.lowest = min(self.lowest, value)
        if due and len(self.measured) < MEASURED and len(self.run.losses) == 1:
            self._measure(backward, self._optimizer())

    def _measure(self, backward: Backward, optimizer: WatchedOptimizer | None) -> None:
        if optimizer is not None and optimizer.kind != "SGD":
            return
        leaves = [leaf.tensor for leaf in (optimizer.leaves if optimizer else self.run.leaves.values())]
        leaves = [tensor for tensor in leaves if tensor.requires_grad]
        if not leaves or any(tensor._backward_hooks for tensor in leaves) or _hooked(self.run):
            return  # otherwise the script's own hooks would be called more often than usual
        rates, momentum, nesterov, decay = _settings(optimizer, leaves)
        found = scaled_curvature(backward.roots[0], leaves, rates)
        if found is None:
            return
        rate = max(rates)
        curvature = found / rate + decay
        limit = 2.0 * (1.0 + momentum) / (1.0 + 2.0 * momentum if nesterov else 1.0) / curvature
        step, given = self.run.steps + 1, rate if optimizer else math.nan
        self.measured.append(Measured(curvature, given, momentum, limit, step, optimizer, backward.place))

    def _optimizer(self) -> WatchedOptimizer | None:
        return self.run.optimizers[-1] if self.run.optimizers else None

    def findings(self) -> list[Finding]:
        several = len(self.run.optimizers) > 1
        watched = list(self.run.losses.items())
        watched = watched if several else sorted(watched, key=lambda item: -len(item[1]))[:1]
        of_each = (self._of(place, losses, several) for place, losses in watched)
        return [finding for finding in of_each if finding is not None][:1]

    def _of(self, place: Place | None, losses: list[float], several: bool) -> Finding | None:
        """Look for a loss that explodes, or that does not fall at a rate beyond its limit.

        several: with several optimizers, both must hold at once, as competing losses may grow.
        """
        if len(losses) < 2 or not math.isfinite(losses[0]) or losses[0] <= 0.0:
            return None
        finite = [value for value in losses if math.isfinite(value)]
        overflowed = len(finite) < len(losses)
        growth = (max(finite) if overflowed else median(finite[-3:])) / finite[0]
        exploded = growth > EXPLOSION or (several and overflowed)
        if several:
            beyond = [one for one in self.measured if one.place == place and one.rate > BEYOND * one.limit]
            worst = max(beyond, key=lambda one: one.rate / one.limit, default=None)
            return self._too_large(worst, worst.optimizer, place, finite, overflowed) if worst and exploded else None
        optimizer = self._optimizer()
        if optimizer is None and self.run.by_hand_rate is None:
            return None
        stays = len(losses) >= 20 and median(finite[-10:]) >= finite[0]
        seen = self._beyond()
        if seen is not None and (growth > GROWTH or overflowed or stays):
            return self._too_large(seen, optimizer, place, finite, overflowed)
        return self._exploded(optimizer, place, finite, overflowed) if exploded else None

    def _beyond(self) -> Measured | None:
        """Return the first measurement at which the rate, that of steps by hand too, was beyond the limit."""
        hand = self.run.by_hand_rate
        known = (replace(one, rate=hand) if math.isnan(one.rate) and hand is not None else one for one in self.measured)
        return next((one for one in known if one.rate > BEYOND * one.limit), None)

    def _too_large(
        self,
        seen: Measured,
        optimizer: WatchedOptimizer | None,
        place: Place | None,
        losses: list[float],
        overflowed: bool,
    ) -> Finding:
        ratio = seen.rate / seen.limit
        course = f"grows from {losses[0]:.4g} to {max(losses):.4g} in {len(losses)} backward passes"
        if overflowed:
            course += ", then overflows"
        elif losses[-1] < GROWTH * losses[0]:
            course = f"does not fall: {losses[0]:.4g} at first, {losses[-1]:.4g} after {len(losses)} backward passes"
        safe = f"{seen.limit / 2:.2g}"
        fix = f"lr={safe}   # half the limit"
        if optimizer is not None:
            more = f", momentum={seen.momentum:g}" if seen.momentum else ""
            fix = f"{optimizer.title} = torch.optim.SGD(..., lr={safe}{more})   # half the limit; or scale the inputs"
        return Finding(
            "rate_too_large",
            f"The learning rate {seen.rate:.4g} is {ratio:.3g} times the largest stable one, {seen.limit:.3g}, "
            f"and the loss {course}.",
            "Beyond that limit each step overshoots the minimum by more than it was away from it.",
            fix,
            optimizer.place if optimizer else place,
            {
                "learning_rate": seen.rate,
                "momentum": seen.momentum,
                "largest_curvature": seen.curvature,
                "largest_stable_rate": seen.limit,
                "times_the_limit": ratio,
                "measured_at_step": seen.step,
                "first_loss": losses[0],
                "largest_loss": max(losses),
            },
        )

    def _exploded(
        self, optimizer: WatchedOptimizer | None, place: Place | None, losses: list[float], overflowed: bool
    ) -> Finding:
        rate = self.run.by_hand_rate if optimizer is None else optimizer.largest_rate
        kind = "the step taken by hand" if optimizer is None else optimizer.kind
        end = ", then overflows" if overflowed else ""
        why = "Steps that large lead away from the minimum."
        fix = f"lr={(rate or math.nan) / 10:.2g}   # a tenth, and less if the loss still grows; or scale the inputs"
        if "Adam" in kind and rate is not None and rate > ADAM_RATE:
            why = f"Each step of {kind} moves every parameter by up to about the learning rate, whatever the gradient."
            fix = f"lr={ADAM_RATE:g}   # the default of {kind}"
        return Finding(
            "rate_too_large",
            f"With {kind} and the learning rate {rate or math.nan:.4g} the loss grows from {losses[0]:.4g} to "
            f"{max(losses):.4g} in {len(losses)} backward passes{end}.",
            why,
            fix,
            optimizer.place if optimizer else place,
            {"learning_rate": rate, "first_loss": losses[0], "largest_loss": max(losses)},
        )


def _settings(optimizer: WatchedOptimizer | None, leaves: Sequence[Tensor]) -> tuple[list[float], float, bool, float]:
    """Return the rate of each leaf, and momentum, Nesterov or not, and weight decay of the first group."""
    if optimizer is None:
        return [1.0] * len(leaves), 0.0, False, 0.0
    groups = optimizer.optimizer.param_groups
    by_leaf = {id(tensor): float(group["lr"]) for group in groups for tensor in group["params"]}
    first = groups[0]
    momentum = float(first.get("momentum", 0.0)) * (not first.get("dampening", 0.0))
    return (
        [by_leaf[id(tensor)] for tensor in leaves],
        momentum,
        bool(first.get("nesterov", False)),
        float(first.get("weight_decay", 0.0)),
    )


def _hooked(run: Run) -> bool:
    """Whether layers have hooks on their backward pass."""
    return any(
        part._backward_hooks or part._backward_pre_hooks for root, _ in run.models.values() for part in root.modules()
    )


def scaled_curvature(loss: Tensor, leaves: Sequence[Tensor], rates: Sequence[float]) -> float | None:
    """Return the largest eigenvalue of D H, H the Hessian of the loss and D the rates on a diagonal.

    Power iteration on the symmetric D^1/2 H D^1/2, by Hessian-vector products; where it finds a negative eigenvalue,
    once more on the matrix shifted by it.
    The graph of the loss is kept. None if the loss cannot be differentiated twice, or has no curvature here.
    """
    import torch

    with torch.enable_grad():
        try:
            gradients: Sequence[Tensor | None] = torch.autograd.grad(loss, leaves, create_graph=True, allow_unused=True)
        except RuntimeError:
            return None
        pairs = [
            (leaf, slope, math.sqrt(rate))
            for leaf, slope, rate in zip(leaves, gradients, rates, strict=True)
            if slope is not None and slope.layout == torch.strided
        ]
        if not any(slope.requires_grad for _, slope, _ in pairs):
            return None
        value = _power(pairs, 0.0)
        if value is not None and value < 0.0:
            shifted = _power(pairs, -value)
            value = None if shifted is None else shifted + value
    return value if value is not None and value > 0.0 else None


def _power(pairs: Sequence[tuple[Tensor, Tensor, float]], shift: float) -> float | None:
    import torch

    leaves = [leaf for leaf, *_ in pairs]
    graph = [(slope, place) for place, (_, slope, _) in enumerate(pairs) if slope.requires_grad]
    vector = [slope.detach() + 0.0 for _, slope, _ in pairs]
    value = 0.0
    for _ in range(ITERATIONS):
        size = math.sqrt(sum(float((part.double() ** 2).sum()) for part in vector))
        if not (math.isfinite(size) and size > 0.0):
            return None
        vector = [part / size for part in vector]
        try:
            product: Sequence[Tensor | None] = torch.autograd.grad(
                [slope for slope, _ in graph],
                leaves,
                [vector[place] * pairs[place][2] for _, place in graph],
                retain_graph=True,
                allow_unused=True,
            )
        except RuntimeError:
            return None
        scaled = [
            shift * part + (0.0 if turned is None else root * turned)
            for part, turned, (*_, root) in zip(vector, product, pairs, strict=True)
        ]
        before = value
        value = sum(float((part.double() * turned.double()).sum()) for part, turned in zip(vector, scaled, strict=True))
        vector = scaled
        if abs(value - before) <= CLOSE * abs(value):
            break
    return value
