"""Optimizers that are made again and again, and stages of training whose layers were left frozen."""

from __future__ import annotations

import re

from descend.doctor.contract import Check
from descend.doctor.finding import WARNING, Finding, counted, listed
from descend.doctor.ledger import Ledger, WatchedOptimizer
from descend.doctor.operation import Operation
from descend.doctor.places import Place

OFTEN = 4
"""Optimizers from one line that are more than a script needs."""


class Optimizers(Check):
    """Counts the optimizers that one line makes, and looks for frozen layers among what a later one holds."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.copied: set[int] = set()

    def findings(self) -> list[Finding]:
        made: dict[Place | None, list[WatchedOptimizer]] = {}
        for one in self.ledger.stepping:
            made.setdefault(one.place, []).append(one)
        found = [_remade(several) for several in made.values() if _in_vain(several)]
        stages = self.ledger.stepping
        for number, later in enumerate(stages[1:], 1):
            earlier = {key for one in stages[:number] for key in one.keys}
            frozen = [leaf.name for leaf in later.leaves if not leaf.tensor.requires_grad and not leaf.steps]
            shared = earlier & later.keys
            if frozen and shared and not any(leaf.steps for leaf in later.leaves if id(leaf.tensor) not in earlier):
                found.append(_frozen(later, frozen))
                break
        return found or self._head_frozen()

    def _head_frozen(self) -> list[Finding]:
        """Look for a last layer whose bias is trained, while its weights stay frozen as they were drawn."""
        for root, called in self.ledger.roots.values():
            layers = [one for one in root.modules() if getattr(one, "weight", None) is not None and one._parameters]
            halves = [one for one in layers if self._steps(getattr(one, "bias", None)) and not self._steps(one.weight)]
            halves = [one for one in halves if not one.weight.requires_grad and id(one.weight) not in self.copied]
            if len(halves) == 1 and halves[0] is layers[-1]:
                held = [one for one in self.ledger.stepping if id(halves[0].bias) in one.keys]
                path = next(path for path, one in root.named_modules() if one is halves[0])
                name = re.sub(r"\.(\d+)", r"[\1]", f"{called or 'model'}.{path}".rstrip("."))
                return [_half_frozen(held[-1], name)] if held else []
        return []

    def _steps(self, tensor: object) -> int:
        leaf = self.ledger.leaves.get(id(tensor))
        return 0 if leaf is None else leaf.steps

    def operation(self, operation: Operation) -> None:
        if operation.name == "copy_":
            self.copied.add(id(operation.tensors[0]))  # loaded, perhaps


def _in_vain(several: list[WatchedOptimizer]) -> bool:
    """Whether optimizers that keep a state were made over and over for the same parameters."""
    if len(several) < OFTEN or len({one.keys for one in several[-OFTEN:]}) > 1:
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
        f"{several[0].called} = torch.optim.{several[0].kind}(...)   # once, before the loop",
        several[0].place,
        {"made": len(several), "steps_each": steps},
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
