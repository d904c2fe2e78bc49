"""Parameters that an optimizer holds and no gradient ever reaches."""

from __future__ import annotations

from descend.doctor.check import Check
from descend.doctor.finding import Finding, counted, listed
from descend.doctor.ledger import Leaf, Optimizer

ENOUGH = 3
"""Steps after which a gradient that was zero in all of them counts as always zero."""


class Gradients(Check):
    """Tells parameters that are left out of the loss (no gradient) from those that are stuck (gradient zero)."""

    def findings(self) -> list[Finding]:
        found = []
        for optimizer in self.ledger.stepping:
            trainable = [leaf for leaf in optimizer.leaves if leaf.tensor.requires_grad]
            if not any(leaf.steps for leaf in trainable):
                continue  # the whole optimizer is beside the point, which is another finding
            unused = [leaf for leaf in trainable if not leaf.steps and not leaf.passes]
            stuck = [leaf for leaf in trainable if leaf.steps >= ENOUGH and leaf.largest == 0.0]
            if unused:
                found.append(_unused(optimizer, unused))
            if stuck:
                found.append(_stuck(optimizer, stuck))
        return found


def _unused(optimizer: Optimizer, leaves: list[Leaf]) -> Finding:
    names = [leaf.name for leaf in leaves]
    return Finding(
        "no_gradient",
        f"{listed(names)} never {'gets' if len(names) == 1 else 'get'} a gradient in "
        f"{counted(optimizer.steps, 'step')} of `{optimizer.called}`.",
        "The loss does not depend on what they compute: the forward pass leaves them out, or cuts them off.",
        "Use them in forward(), or leave them out of the model.",
        optimizer.place,
        {"parameters": names, "gradient": None, "steps": optimizer.steps},
    )


def _stuck(optimizer: Optimizer, leaves: list[Leaf]) -> Finding:
    names = [leaf.name for leaf in leaves]
    return Finding(
        "no_gradient",
        f"The gradient of {listed(names)} is exactly zero in all {counted(optimizer.steps, 'step')}.",
        "They cannot move from where they start.",
        "Give them other starting values.",
        optimizer.place,
        {"parameters": names, "gradient": 0.0, "steps": optimizer.steps},
    )
