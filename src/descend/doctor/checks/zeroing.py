"""Gradients that are never cleared, or cleared at the wrong moment, or never used."""

from __future__ import annotations

import math
import weakref
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from descend.doctor.contract import Check, norm, norms
from descend.doctor.finding import Finding, counted
from descend.doctor.run import Backward, Leaf, Run, Step, WatchedOptimizer
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch import Tensor


class Sum(NamedTuple):
    """A step that took the sum of an old gradient and a new one: their norms, and that of the sum."""

    step: Step | None
    place: Place | None
    names: list[str]
    old: float
    new: float
    total: float
    at: int


class Zeroing(Check):
    """Detects steps that use a gradient which an earlier step has used already.

    ``backward`` adds to what is in ``.grad``. If a gradient is still there after a step has used it, and the next step
    takes the sum with a new one, it was never cleared. Several passes before one step are fine.
    """

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.spent: dict[int, tuple[weakref.ref[Tensor], int, float]] = {}
        self.left_over: dict[int, float] = {}
        self.sums: dict[int, tuple[Leaf, float, float]] = {}
        self.inside: WatchedOptimizer | None = None
        self.passes_inside = 0
        self.before: dict[int, Tensor] = {}
        self.passed: Place | None = None
        self.steps_of_sums = 0
        self.first: Sum | None = None
        self.last_event: dict[WatchedOptimizer, str] = {}
        self.emptied: Counter[WatchedOptimizer] = Counter()

    def backward_begins(self, backward: Backward) -> None:
        if self.inside is not None and self.passes_inside:  # what was there before the step is not spent yet
            self._spend(self.inside.leaves)
        self.passes_inside += 1
        self._spend([leaf for leaf in self.run.trained_by_hand() if id(leaf.tensor) not in self.spent])
        self.left_over.clear()
        for key, (gradient, version, size) in list(self.spent.items()):
            there = self.run.leaves[key].tensor.grad
            same = there is not None and there is gradient() and there._version == version
            now = norm(there) if there is not None else 0.0
            if same and now > 0.0 and now == size:
                self.left_over[key] = now
            else:
                del self.spent[key]
                self.sums.pop(key, None)
        self.before = {}
        for key in self.left_over if self.first is None else ():
            if (old := self.run.leaves[key].tensor.grad) is not None:
                self.before[key] = old.detach().clone()

    def backward_ended(self, backward: Backward) -> None:
        self.passed = backward.place
        for leaf in backward.received:
            key, gradient = id(leaf.tensor), leaf.tensor.grad
            if key in self.left_over:
                new = backward.norms[key]
                if key in self.before and gradient is not None:
                    new = norm(gradient.detach() - self.before[key])
                self.sums[key] = (leaf, self.left_over[key], new)
                self.spent.pop(key, None)
            for optimizer in leaf.optimizers:
                self.last_event[optimizer] = "backward"
        if self.sums and not any(leaf.optimizers for leaf, *_ in self.sums.values()):
            self._took([leaf for leaf, *_ in self.sums.values()], None)

    def zeroed(self, optimizer: WatchedOptimizer | None) -> None:
        if optimizer is None:
            return
        for leaf in optimizer.leaves:
            self.spent.pop(id(leaf.tensor), None)
            self.sums.pop(id(leaf.tensor), None)
        if self.last_event.get(optimizer) == "backward":
            self.last_event[optimizer] = "zeroed"

    def step_begins(self, step: Step) -> None:
        if step.inside:
            self.inside, self.passes_inside = step.optimizer, 0
            return
        if self.last_event.get(step.optimizer) == "zeroed":
            self.emptied[step.optimizer] += 1
        self._took(step.optimizer.leaves, step)

    def step_ended(self, step: Step) -> None:
        if step.inside:
            self._took(step.optimizer.leaves, step)
            self.inside = None
        self.last_event[step.optimizer] = "step"
        self._spend(step.optimizer.leaves)

    def _spend(self, leaves: list[Leaf]) -> None:
        for leaf in leaves:
            gradient = leaf.tensor.grad
            if gradient is not None:
                self.spent[id(leaf.tensor)] = (weakref.ref(gradient), gradient._version, norm(gradient))

    def _took(self, leaves: list[Leaf], step: Step | None) -> None:
        """Count a step that takes sums of old gradients and new ones."""
        there = [leaf for leaf in leaves if id(leaf.tensor) in self.sums and leaf.tensor.grad is not None]
        taken = [self.sums.pop(id(leaf.tensor)) for leaf in there]
        if not taken:
            return
        self.steps_of_sums += 1
        if self.first is None:
            old = math.hypot(*(size for _, size, _ in taken))
            new = math.hypot(*(size for *_, size in taken))
            total = math.hypot(*norms([leaf.tensor.grad for leaf in there if leaf.tensor.grad is not None]))
            steps = 1 + (self.run.steps if step is None else step.optimizer.steps - step.inside)
            self.first = Sum(step, self.passed, [leaf.name for leaf in there], old, new, total, steps)

    def findings(self) -> Iterator[Finding]:
        if self.first is not None:
            yield self._not_zeroed(self.first)
        for optimizer, count in self.emptied.items():
            if count >= max(1, optimizer.watched - 1):  # the first step may come before any gradient
                yield _zeroed_before_step(optimizer, count)
        if not self.run.backward_places and not any(leaf.steps for leaf in self.run.leaves.values()):
            yield from map(_no_backward, self.run.stepping)
        ended = self.run.error is not None  # by an error, perhaps before the first step was reached
        for optimizer in self.run.optimizers:
            if _idle(optimizer) and not (ended and max(leaf.passes for leaf in optimizer.leaves) == 1):
                yield _never_stepped(optimizer)

    def _not_zeroed(self, first: Sum) -> Finding:
        step, place, names = first.step, first.place, first.names
        name = f"{names[0]}.grad.zero_()" if step is None else f"{step.optimizer.title}.zero_grad()"
        where = f"   # before line {place.line}: {place.code}" if place else ""
        return Finding(
            "not_zeroed",
            f"The gradients are not set to zero between steps: step {first.at} takes the sum of its own gradient "
            "and of one that an earlier step has used.",
            "`backward` adds to the gradients that are there, so steps point ever less where the loss falls.",
            name + where,
            place,
            {
                "step": first.at,
                "norm_left_over": first.old,
                "norm_of_this_pass": first.new,
                "norm_of_their_sum": first.total,
                "steps_with_sums": self.steps_of_sums,
                "steps": self.run.steps if step is None else step.optimizer.steps,
                "parameters": names[:10],
            },
        )


def _zeroed_before_step(optimizer: WatchedOptimizer, count: int) -> Finding:
    name = optimizer.title
    return Finding(
        "zeroed_before_step",
        f"The gradients are cleared before they are used: `{name}.zero_grad()` runs between `backward` and "
        f"`{name}.step()`.",
        "Every step then finds no gradient, and no parameter moves.",
        f"{name}.zero_grad()\nloss.backward()\n{name}.step()",
        optimizer.zeroed_at,
        {"steps_without_gradient": count, "steps": optimizer.steps},
    )


def _no_backward(optimizer: WatchedOptimizer) -> Finding:
    name = optimizer.title
    return Finding(
        "no_backward",
        f"`{name}` takes {counted(optimizer.steps, 'step')}, but `backward` is never called.",
        "Without a backward pass there are no gradients, and a step changes nothing.",
        f"loss.backward()   # before {name}.step()",
        optimizer.stepped_at,
        {"steps": optimizer.steps, "backward_passes": 0},
    )


def _idle(optimizer: WatchedOptimizer) -> bool:
    """Whether an optimizer's parameters got gradients, but neither it nor the script ever moved them."""
    reached = [leaf for leaf in optimizer.leaves if leaf.passes]
    return not optimizer.steps and bool(reached) and all(len(leaf.optimizers) == 1 for leaf in reached)


def _never_stepped(optimizer: WatchedOptimizer) -> Finding:
    passes = max(leaf.passes for leaf in optimizer.leaves)
    return Finding(
        "never_stepped",
        f"`{optimizer.title}` ({optimizer.kind}) never takes a step, though {counted(passes, 'backward pass')} "
        "gave its parameters gradients.",
        "Gradients alone change nothing: `step()` moves the parameters.",
        f"{optimizer.title}.step()   # after the backward pass",
        optimizer.place,
        {"backward_passes": passes, "steps": 0},
    )
