"""Losses that are cut off from the parameters, and where they were cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from descend.doctor.contract import Check
from descend.doctor.finding import Finding, capital, listed
from descend.doctor.operation import ByTensor, Operation
from descend.doctor.run import Backward, Cut, Leaf, Run, Step, WatchedOptimizer

if TYPE_CHECKING:
    from torch import Tensor

NUMBERS = {"item", "tolist", "numpy", "__float__", "__array__", "__int__"}
"""Functions that turn a tensor into numbers that remember no graph."""
MAKERS = {"tensor", "as_tensor", "from_numpy", "full", "FloatTensor"}
"""Functions that turn numbers into a new tensor."""
COMPARED = ("gt", "ge", "lt", "le", "eq", "ne")
STEPLIKE = {
    *COMPARED,
    *(f"__{name}__" for name in COMPARED),
    *("argmax", "argmin", "argsort", "round", "sign", "floor", "ceil", "long", "int", "bool"),
}
"""Functions whose derivative is 0 wherever it exists, so that PyTorch gives them no gradient."""
PRINTED = (".item()", ".tolist()", "float()", "int()")
"""How a cut ends that only takes a number, to be printed."""
SEARCHED = 20
"""At the first this many cuts the graph is searched for what is cut off; later ones repeat the same lines."""


class Detachment(Check):
    """Follows tensors cut from the graph (by `detach`, ``.data``, numbers or ``no_grad``) into the loss."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.cut: ByTensor[Cut] = ByTensor()
        self.number: Cut | None = None
        self.detached: tuple[Backward, Cut | None, str] | None = None
        self.before: dict[int, list[Cut]] = {}
        """For each optimizer, the cuts that were passed between its last step and the step before it, of any."""

    def operation(self, operation: Operation) -> None:
        import torch

        name = operation.name
        needs = [tensor for tensor in operation.tensors if tensor.requires_grad]
        if name in NUMBERS:
            known = self.cut.of(*operation.tensors)
            if needs or known is not None:
                self.number = self._cut(operation, needs, known)
            return
        ungraded = [one for one in operation.outputs if not one.requires_grad]
        if not ungraded:
            return
        found: Cut | None = None
        if needs and (torch.is_grad_enabled() or name not in ("zero_", "add_", "sub_", "copy_", "mul_")):
            found = self._cut(operation, needs)
        elif name in MAKERS and self.number is not None:
            found = self.number
        else:
            found = self.cut.of(*operation.tensors)
        if found is not None:
            for one in ungraded:
                self.cut[one] = found

    def _cut(self, operation: Operation, needs: list[Tensor], before: Cut | None = None) -> Cut:
        import torch

        how, fix = _described(operation, torch.is_grad_enabled())
        key = (operation.place, how)
        found = self.run.cuts.get(key)
        if found is None:
            from descend.doctor.mode import graph_leaves

            leaves = before.leaves if before is not None else frozenset()
            if needs and len(self.run.cuts) < SEARCHED:
                leaves = frozenset(map(id, (*graph_leaves(needs), *(one for one in needs if one.is_leaf))))
            found = self.run.cuts[key] = Cut(how, fix, operation.place, leaves)
        found.steps = self.run.steps
        return found

    def step_begins(self, step: Step) -> None:
        if len(self.run.stepping) > 1 and not any(leaf.passes for leaf in step.optimizer.leaves):
            passed = [cut for cut in self.run.cuts.values() if cut.steps == self.run.steps]
            self.before[id(step.optimizer)] = [cut for cut in passed if not cut.how.endswith(PRINTED)]

    def backward_begins(self, backward: Backward) -> None:
        if self.detached is not None:
            return
        if not any(root.requires_grad for root in backward.roots):
            self.detached = (backward, self.cut.of(backward.roots[0]), "none")
        elif all(root.is_leaf for root in backward.roots) and id(backward.roots[0]) not in self.run.leaves:
            self.detached = (backward, self.cut.of(backward.roots[0]) or self.number, "fresh")

    def explains(self, error: BaseException) -> bool:
        """Whether an error comes from a loss that is cut off."""
        return "does not require grad" in str(error) and self.detached is not None and self.detached[2] == "none"

    def findings(self) -> Iterator[Finding]:
        if self.detached is not None:
            yield self._detached(*self.detached)
            return
        reached = [leaf for leaf in self.run.leaves.values() if leaf.trainable and leaf.passes]
        if not self.run.backward_places or not all(leaf.optimizers for leaf in reached):
            return  # others than those of any optimizer get gradients, which is another finding
        for optimizer in self.run.stepping:
            trained = [leaf for leaf in optimizer.leaves if leaf.tensor.requires_grad]
            if trained and not any(leaf.steps + leaf.passes for leaf in trained):
                yield self._independent(optimizer, trained)

    def _detached(self, backward: Backward, cut: Cut | None, case: str) -> Finding:
        name = backward.name or "the loss"
        name = f"`{name}`" if backward.name else name
        evidence: dict[str, object] = {"backward_pass": backward.number}
        if backward.value is not None:
            evidence["loss"] = backward.value
        if cut is not None:
            return Finding(
                "detached_loss",
                f"{capital(name)} is cut off from the parameters: {cut.how}.",
                "No gradient gets past that place, so `backward` reaches no parameter.",
                cut.fix,
                cut.place or backward.place,
                evidence | ({"backward_line": backward.place.line} if backward.place else {}),
            )
        if case == "fresh":
            return Finding(
                "detached_loss",
                f"{capital(name)} is a new tensor, not the result of a computation with parameters.",
                "`backward` gives it a gradient of its own and reaches no parameter.",
                "Compute the loss from the prediction, without torch.tensor(...) or requires_grad_().",
                backward.place,
                evidence,
            )
        return Finding(
            "detached_loss",
            f"Nothing that {name} is computed from requires a gradient.",
            "PyTorch records a graph only for tensors with requires_grad=True, as the parameters of a module have.",
            "w = torch.zeros(1, requires_grad=True)   # or, for frozen layers: model.requires_grad_(True)",
            backward.place,
            evidence,
        )

    def _independent(self, optimizer: WatchedOptimizer, leaves: list[Leaf]) -> Finding:
        names, cut = [leaf.name for leaf in leaves], self.run.cut_of(leaves)
        if len(self.run.stepping) > 1:  # of two rivals one is cut off rightly: only the cuts for this step count
            wanted = {id(leaf.tensor) for leaf in leaves}
            passed = [one for one in self.before.get(id(optimizer), []) if wanted <= one.leaves]
            cut = passed[0] if len({one.place for one in passed}) == 1 else cut
        how = f": {cut.how}" if cut else ""
        return Finding(
            "detached_loss",
            f"The loss does not depend on what `{optimizer.title}` steps, {listed(names)}{how}.",
            "No gradient reaches them, so they never move.",
            cut.fix if cut else "Compute the loss from the prediction of the model that is trained.",
            (cut.place if cut else None) or optimizer.stepped_at,
            {"parameters": names, "passes": len(self.run.backward_places), "steps": optimizer.steps},
        )


def _described(operation: Operation, enabled: bool) -> tuple[str, str]:
    """Return how an operation cuts the graph, and what to write instead."""
    name = operation.name
    where = f"line {operation.place.line}" if operation.place else "a line"
    if name == "data":
        return f"{where} takes `.data`", "Leave out .data where the loss is computed."
    if name in ("detach", "detach_"):
        return f"{where} calls `detach`", "Leave out .detach() where the loss is computed."
    if name in NUMBERS:
        if name in ("numpy", "__array__"):
            return (
                f"{where} hands it to NumPy, which records no graph",
                "Use torch functions where the loss is computed.",
            )
        called = {"__float__": "float()", "__int__": "int()"}.get(name, f".{name}()")
        return (
            f"{where} turns it into a plain number with {called}",
            "Keep tensors up to `backward`; take numbers only for what is printed.",
        )
    if not enabled:
        return f"{where} runs under `torch.no_grad()`", "Compute the loss outside `with torch.no_grad():`."
    if name in STEPLIKE:
        return (
            f"{where} uses {operation.title}, which has no slope",
            "Compute the loss from the scores or probabilities, and use this only to count hits.",
        )
    return f"{where} uses {operation.title}, which passes no gradient on", "Use a function that has a gradient."
