"""Optimizers that hold other parameters than those the loss depends on."""

from __future__ import annotations

from descend.doctor.check import Check
from descend.doctor.finding import WARNING, Finding, listed
from descend.doctor.ledger import Leaf, Optimizer


class Parameters(Check):
    """Holds the parameters that receive gradients against those that the optimizers step."""

    def findings(self) -> list[Finding]:
        stepping = self.ledger.stepping
        if not stepping:
            return []
        homeless = [
            leaf for leaf in self.ledger.leaves.values()
            if leaf.trainable and leaf.passes and not leaf.held and not leaf.moved
        ]  # fmt: skip
        stale = [one for one in stepping if one.leaves and not any(leaf.steps or leaf.passes for leaf in one.leaves)]
        if stale and homeless:
            return [_stale(stale[0], homeless)]
        if homeless and any(leaf.trainable for one in stepping for leaf in one.leaves):
            return [_left_out(stepping[0], homeless)]
        return []


def _stale(optimizer: Optimizer, reached: list[Leaf]) -> Finding:
    held, names = [leaf.name for leaf in optimizer.leaves], [leaf.name for leaf in reached]
    older = " of an older model" if set(held) & set(names) else ""
    return Finding(
        "wrong_parameters",
        f"`{optimizer.called}` steps parameters that the loss does not depend on: it holds {listed(held)}{older}, "
        f"but the gradients go to {listed(names)}.",
        "The model in use never changes.",
        f"{optimizer.called} = {optimizer.kind}(model.parameters(), ...)   # after the model is final",
        optimizer.place,
        {"held": held, "receive_gradients": names, "steps": optimizer.steps},
    )


def _left_out(optimizer: Optimizer, homeless: list[Leaf]) -> Finding:
    names = [leaf.name for leaf in homeless]
    is_, get = ("is", "gets") if len(names) == 1 else ("are", "get")
    return Finding(
        "wrong_parameters",
        f"{listed(names)} {get} gradients but {is_} in no optimizer.",
        "They keep their starting values, whatever the gradients say.",
        f"{optimizer.called}.add_param_group({{'params': [...]}})   # or requires_grad_(False), if they are to stay",
        optimizer.place,
        {"parameters": names, "passes": max(leaf.passes for leaf in homeless)},
        WARNING,
    )
