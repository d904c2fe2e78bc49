"""Parameters that an optimizer holds but no gradient ever reaches."""

from __future__ import annotations

from collections.abc import Iterator

from descend.doctor.contract import Check
from descend.doctor.finding import Finding, counted, listed
from descend.doctor.operation import Operation
from descend.doctor.run import Cut, Leaf, Run, WatchedOptimizer
from descend.doctor.user_code import Place

ENOUGH = 3
"""Steps after which a gradient that was zero in all of them counts as always zero."""
RECTIFIERS = {"relu", "relu_", "threshold"}


class Gradients(Check):
    """Tells parameters that are left out of the loss (no gradient) from those that are stuck (gradient zero)."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.alive: set[int | Place | None] = set()
        self.silent: dict[int | Place | None, tuple[Place | None, int]] = {}

    def operation(self, operation: Operation) -> None:
        if operation.name not in RECTIFIERS or not operation.outputs:
            return
        key = id(self.run.layers[-1]) if self.run.layers else operation.place
        if key in self.alive:
            return
        output = operation.outputs[0]
        if bool(output.any()):
            self.alive.add(key)
            self.silent.pop(key, None)
        else:
            self.silent[key] = (operation.place, output.numel())

    def findings(self) -> Iterator[Finding]:
        for optimizer in self.run.stepping:
            trainable = [leaf for leaf in optimizer.leaves if leaf.tensor.requires_grad]
            if not any(leaf.steps for leaf in trainable):
                continue  # the optimizer holds the wrong parameters, which is another finding
            unused = [leaf for leaf in trainable if not leaf.steps and not leaf.passes]
            learns = {leaf.name for leaf in trainable if leaf.largest > 0.0}
            stuck = [leaf for leaf in trainable if leaf.steps >= ENOUGH and leaf.largest == 0.0]
            stuck = [leaf for leaf in stuck if not _cancels(leaf.name, learns)]
            if unused:
                yield _unused(optimizer, unused, self.run.cut_of(unused))
            if stuck:
                yield _stuck(optimizer, stuck, next(iter(self.silent.values()), None))


def _cancels(name: str, learns: set[str]) -> bool:
    """Whether a parameter is the bias of a layer whose weights learn: what is added to all outputs may cancel out."""
    layer, _, own = name.rpartition(".")
    return own == "bias" and f"{layer}.weight" in learns


def _unused(optimizer: WatchedOptimizer, leaves: list[Leaf], cut: Cut | None) -> Finding:
    names = [leaf.name for leaf in leaves]
    sentence = (
        f"{listed(names)} never {'gets' if len(names) == 1 else 'get'} a gradient in "
        f"{counted(optimizer.steps, 'step')} of `{optimizer.title}`"
    )
    evidence = {"parameters": names, "gradient": None, "steps": optimizer.steps}
    if cut is not None:
        why = "No gradient gets past that place."
        return Finding("no_gradient", f"{sentence}: {cut.how}.", why, cut.fix, cut.place, evidence)
    return Finding(
        "no_gradient",
        f"{sentence}.",
        "The loss does not depend on them: the forward pass leaves them out.",
        "Use them in forward(), or leave them out of the model.",
        optimizer.place,
        evidence,
    )


def _stuck(optimizer: WatchedOptimizer, leaves: list[Leaf], silent: tuple[Place | None, int] | None) -> Finding:
    names = [leaf.name for leaf in leaves]
    sentence = f"The gradient of {listed(names)} is exactly zero in all {counted(optimizer.steps, 'step')}"
    evidence = {"parameters": names, "gradient": 0.0, "steps": optimizer.steps}
    if silent is not None:
        return Finding(
            "no_gradient",
            f"{sentence}: a ReLU is dead, it gives 0 for every input.",
            "Where a ReLU gives 0 its slope is 0 as well, so nothing before it can learn.",
            "torch.nn.LeakyReLU(0.01)   # or smaller starting values and biases, or scaled inputs",
            silent[0],
            evidence | {"outputs_of_the_relu": silent[1], "above_zero": 0},
        )
    return Finding(
        "no_gradient",
        f"{sentence}.",
        "They cannot move from where they start: the factors their gradient is multiplied with are 0.",
        "torch.nn.init.xavier_uniform_(w)   # start weights at small random values, not at 0",
        optimizer.place,
        evidence,
    )
