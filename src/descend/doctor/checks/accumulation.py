"""Several backward passes before one step: gradients that are thrown away, or a sum where a mean was meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from descend.doctor.contract import Check, Replacement
from descend.doctor.finding import WARNING, Finding
from descend.doctor.operation import ByTensor, Label, Operation
from descend.doctor.run import Backward, Run, Step, WatchedOptimizer
from descend.doctor.source import Source
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch import Tensor
    from torch.autograd.graph import Node
    from torch.nn import Module

ENOUGH = 2
MEANS = ("MseLoss", "NllLoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "BinaryCrossEntropy")
SCALING = {"div_", "mul_", "__idiv__", "__itruediv__", "__imul__", "_foreach_div_", "_foreach_mul_"}


class Pass(NamedTuple):
    """A backward pass. kind: of its loss, where that is a mean over rows; reached: the leaves that it reached."""

    place: Place | None
    loss_at: Place | None
    kind: str
    reached: frozenset[int]


@dataclass(eq=False)
class Count:
    """The passes of an optimizer since its last step, and of each step how many it used and how many were in vain.

    common: the pass that most steps used; batches: the sizes and sums of the inputs of the passes.
    """

    pending: list[Pass] = field(default_factory=list)
    dropped: list[Pass] = field(default_factory=list)
    used: list[int] = field(default_factory=list)
    wasted: list[int] = field(default_factory=list)
    common: Pass | None = None
    batches: set[tuple[int, float]] = field(default_factory=set)

    def begin(self) -> None:
        """Forget what was before a step."""
        self.pending, self.dropped, self.batches = [], [], set()


class Accumulation(Check):
    """Counts the passes of one line, over one loss, between two steps."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.counts: dict[WatchedOptimizer, Count] = {}
        self.scaled = self.clipping = False
        self.last_inputs: tuple[int, float] = (0, 0.0)
        """How many numbers the model was given last, and their sum."""
        self.inside_step = False
        self.losses_of_one_row: ByTensor[bool] = ByTensor()
        """Losses of one row: their mean is their sum, and rows that come one by one are a batch together."""

    def replaces(self) -> Iterator[Replacement]:
        import torch

        yield torch.nn.utils, "clip_grad_norm_", self._clipped
        yield torch.nn.utils, "clip_grad_value_", self._clipped

    def _clipped(self, theirs: Callable[..., object], *args: object, **kwargs: object) -> object:
        self.clipping = True  # it multiplies gradients as well
        try:
            return theirs(*args, **kwargs)
        finally:
            self.clipping = False

    def operation(self, operation: Operation) -> None:
        if operation.name in SCALING and not self.clipping and not self.scaled and operation.tensors:
            gradients = {id(leaf.tensor.grad) for leaf in self.run.leaves.values() if leaf.tensor.grad is not None}
            self.scaled = id(operation.tensors[0]) in gradients
        pair, outputs = operation.compared, operation.outputs
        alone = pair[1].numel() == 1 if pair is not None else self.losses_of_one_row.of(*operation.tensors)
        if alone and outputs and outputs[0].numel() == 1:
            self.losses_of_one_row[outputs[0]] = True

    def forwarded(self, model: Module, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        import torch

        if inputs and inputs[0].layout == torch.strided:
            self.last_inputs = inputs[0].numel(), float(inputs[0].detach().double().sum())

    def backward_ended(self, backward: Backward) -> None:
        node = backward.roots[0].grad_fn if len(backward.roots) == 1 else None
        if node is None or self.inside_step:
            return
        label = Label.of(node)
        reached = frozenset(id(leaf.tensor) for leaf in backward.received)
        kind = "" if self.losses_of_one_row.of(backward.roots[0]) else _kind(node)
        passed = Pass(backward.place, label.place if label else None, kind, reached)
        for optimizer in {id(held): held for leaf in backward.received for held in leaf.optimizers}.values():
            self.counts.setdefault(optimizer, Count()).pending.append(passed)
            self.counts[optimizer].batches.add(self.last_inputs)

    def zeroed(self, optimizer: WatchedOptimizer | None) -> None:
        count = self.counts.get(optimizer) if optimizer is not None else None
        if count is not None:
            count.dropped += count.pending
            count.pending = []

    def step_begins(self, step: Step) -> None:
        self.inside_step = step.inside
        count = self.counts.get(step.optimizer)
        if count is None or step.inside or not count.pending:
            return
        (count.common, times) = Counter(count.pending).most_common(1)[0]
        count.used.append(
            times if len(count.batches) > 1 else 1
        )  # several losses of the same rows are meant to be added
        count.wasted.append(sum(passed.place == count.common.place for passed in count.dropped))
        count.begin()

    def step_ended(self, step: Step) -> None:
        self.inside_step = False
        count = self.counts.get(step.optimizer)
        if count is not None:
            count.begin()

    def findings(self) -> Iterator[Finding]:
        for optimizer, count in self.counts.items():
            if len(count.used) < ENOUGH or count.common is None:
                continue
            wasted, used = int(median(count.wasted)), int(median(count.used))
            if wasted >= ENOUGH:
                within = _same_loop(optimizer.zeroed_at, optimizer.stepped_at)
                yield (_cleared if within else _outside)(optimizer, wasted + used, len(count.used))
                return
            if used >= ENOUGH and count.common.kind and not self.scaled:
                yield _undivided(optimizer, count.common.place, used)
                return


def _kind(node: Node) -> str:
    """Return the kind of a loss that is a mean over rows as it stands; empty for sums, and what is divided."""
    name = node.name()
    if name.startswith(MEANS):
        return name if getattr(node, "_saved_reduction", 1) == 1 else ""
    following = node.next_functions[0][0] if name.startswith("Mean") else None
    return name if following is not None and following.name().startswith(("Pow", "Abs", "BinaryCross")) else ""


def _outside(optimizer: WatchedOptimizer, passes: int, steps: int) -> Finding:
    name = optimizer.title
    return Finding(
        "step_outside_loop",
        f"`{name}.step()` runs once for {passes} backward passes, and the gradients of all but the last of these are "
        "set to zero unused: it is called outside the loop over batches.",
        "Only the last batch of each round trains the model.",
        f"{name}.step()   # inside the loop, after each backward()",
        optimizer.stepped_at,
        {"passes_for_a_step": passes, "steps": steps},
    )


def _same_loop(first: Place | None, second: Place | None) -> bool:
    """Whether two lines are in the same innermost loop."""
    if first is None or second is None or first.file != second.file:
        return False
    source = Source.of(first.file)
    loops = source.loops_around(first.line)
    return bool(loops) and loops[-1:] == source.loops_around(second.line)[-1:]


def _cleared(optimizer: WatchedOptimizer, passes: int, steps: int) -> Finding:
    name = optimizer.title
    return Finding(
        "zeroed_within_accumulation",
        f"Gradients are to be accumulated over {passes} backward passes for each step of `{name}`, but "
        f"`{name}.zero_grad()` clears them before each pass, so that all but the last are lost.",
        "The step takes the gradient of one small batch, and the work of the others is in vain.",
        f"{name}.zero_grad()   # only after {name}.step()",
        optimizer.zeroed_at,
        {"passes_for_a_step": passes, "steps": steps},
    )


def _undivided(optimizer: WatchedOptimizer, place: Place | None, passes: int) -> Finding:
    return Finding(
        "accumulation_not_divided",
        f"Gradients are accumulated over {passes} backward passes for each step of `{optimizer.title}`, but the loss "
        "is not divided by their number.",
        f"Each loss is a mean, so the step takes the sum of {passes} means: it is {passes} times as long as for one "
        f"batch of all these rows. If a step was meant for each batch, `{optimizer.title}.step()` belongs inside the "
        "loop.",
        f"(loss / {passes}).backward()",
        place,
        {"passes_for_a_step": passes},
        WARNING,
    )
