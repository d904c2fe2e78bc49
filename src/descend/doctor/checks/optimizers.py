"""Optimizers that are made again and again, and stages of training whose layers were left frozen."""

from __future__ import annotations

from descend.doctor.contract import Check
from descend.doctor.finding import WARNING, Finding, counted, listed
from descend.doctor.ledger import WatchedOptimizer
from descend.doctor.places import Place

OFTEN = 4
"""Optimizers from one line that are more than a script needs."""


class Optimizers(Check):
    """Counts the optimizers that one line makes, and looks for frozen layers among what a later one holds."""

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
        return found


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
