"""The first NaN or infinity: the operation that made it, forwards or backwards, and from what."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from descend.doctor.contract import Check
from descend.doctor.finding import Finding, capital
from descend.doctor.operation import ByTensor, Label, Operation
from descend.doctor.run import Backward, Run, Step, WatchedOptimizer
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.autograd.graph import Node
    from torch.utils._python_dispatch import TorchDispatchMode

ADVICE = {
    "log": "torch.log(x.clamp_min(1e-12))   # or a loss that takes logits",
    "log2": "torch.log2(x.clamp_min(1e-12))",
    "log10": "torch.log10(x.clamp_min(1e-12))",
    "sqrt": "torch.sqrt(x.clamp_min(1e-12))   # its slope at 0 is infinite",
    "norm": "(x.square().sum() + 1e-12).sqrt()   # its slope at 0 is undefined",
    "pow": "x.clamp_min(1e-12) ** exponent",
    "div": "numerator / denominator.clamp_min(1e-12)",
    "step": "A smaller learning rate; with Adam and its like, leave eps as it is.",
    "exp": "torch.exp(x.clamp_max(30.0))   # or a function that works with logarithms, such as torch.logsumexp",
    "softmax": "Leave at least one entry of each row unmasked.",
}
"""What to write in place of a function that gave a non-finite number."""
SAME = {
    **dict.fromkeys(("__truediv__", "true_divide", "__rtruediv__", "__rdiv__", "div_"), "div"),
    **dict.fromkeys(("rsqrt", "sqrt_"), "sqrt"),
    "vector_norm": "norm",
    "__pow__": "pow",
    "log_": "log",
}
"""Other names of these functions."""
SOURCES = {"tensor", "as_tensor", "from_numpy", "load", "stack", "default_collate"}


@dataclass(eq=False)
class Origin:
    """Where a non-finite number first occurred. ranges: smallest and largest finite number of each input."""

    title: str
    name: str
    kind: str
    place: Place | None
    layer: str | None
    ranges: list[tuple[float, float]]
    backwards: bool = False
    stepped: bool = False
    hidden: bool = False
    unwatched: bool = False
    data: bool = False
    parent: Origin | None = None
    evidence: dict[str, object] = field(default_factory=dict)
    step: int = 0


class Values(Check):
    """Looks at every result for NaN and infinity, and follows the first to the loss.

    Not every infinity is an error (a mask is filled with them): one counts when a step takes a gradient that is not
    finite, or one of a loss that is not, or when the last loss was not.
    """

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.origins: ByTensor[Origin] = ByTensor()
        self.candidate: Origin | None = None
        self.confirmed: Origin | None = None
        self.last_bad = False
        self.hidden: Origin | None = None
        """Why the loss of the last backward pass was not finite although its gradients were."""
        self.unheeded: Origin | None = None
        """The same for the first such backward pass after which a step was taken."""
        self.steps = 0
        self.roots: list[Tensor] = []
        self.place: Place | None = None
        self.mode = _gradients(self)

    def operation(self, operation: Operation) -> None:
        for output in operation.outputs:
            if not output.is_floating_point() or self._finite(output):
                if output.ndim == 0 and output.requires_grad:
                    self.last_bad = False
                continue
            if operation.name == "data" or self.origins.of(output) is not None:
                continue
            origin = self._origin(operation, output)
            if origin is not None:
                self.origins[output] = origin
                if output.ndim == 0 and output.requires_grad:
                    self.last_bad = True
                    self.candidate = self.candidate or origin

    def _finite(self, tensor: Tensor) -> bool:
        try:
            # A sum is several times cheaper than checking each number, which is done only if the sum is not finite.
            return math.isfinite(tensor.detach().sum().item()) or bool(tensor.isfinite().all())
        except (RuntimeError, NotImplementedError):
            return True  # inside vmap and the like there are no numbers to look at

    def _origin(self, operation: Operation, output: Tensor) -> Origin | None:
        """Return the origin of a result that is not finite: that of an input, or this operation."""
        kind = "NaN" if bool(output.isnan().any()) else "infinity"
        parent: Origin | None = None
        bad_input = None
        for tensor in operation.tensors:
            parent = self.origins.of(tensor)
            if parent is not None:
                break
            if tensor.is_floating_point() and not self._finite(tensor) and tensor is not output:
                bad_input = tensor
        if parent is not None and (parent.kind == kind or parent.data):
            return parent
        if bad_input is not None and self.candidate is not None:
            return self.candidate  # a parameter that an earlier step made non-finite
        if bad_input is not None and (leaf := self.run.leaves.get(id(bad_input))) is not None and leaf.steps:
            optimizer = leaf.optimizers[0] if leaf.optimizers else None
            place = optimizer.stepped_at if optimizer else operation.place
            return Origin(f"`{leaf.name}`", "step", kind, place, None, [], stepped=True, step=self.run.steps)
        ranges = [_range(tensor) for tensor in operation.tensors if tensor.is_floating_point() and tensor.numel()]
        source = not operation.tensors and operation.name in SOURCES
        name = SAME.get(operation.name, operation.name)
        origin = Origin(operation.title, name, kind, operation.place, self._layer(self.run.layers), ranges)
        origin.data = source or bad_input is not None
        origin.parent, origin.step = parent, self.run.steps + 1
        bad = output if bad_input is None else bad_input
        if origin.data:
            where = (~bad.detach().isfinite()).nonzero()
            origin.evidence = {"not_finite": len(where), "of": bad.numel(), "first_at": where[0].tolist()}
        return origin

    def _layer(self, layers: Sequence[torch.nn.Module]) -> str | None:
        """Name the layer that is running: `net.2` (Linear)."""
        if not layers:
            return None
        root, layer = layers[0], layers[-1]
        _, name = self.run.models.get(id(root), (root, None))
        path = next((path for path, module in root.named_modules() if module is layer), "")
        full_name = ".".join(part for part in (name or "model", path) if part)
        return f"`{full_name}` ({type(layer).__name__})"

    # Backwards: which node of the graph makes the first gradient that is not finite.

    @contextlib.contextmanager
    def around_backward(self, backward: Backward) -> Iterator[None]:
        """Watch the operations of a backward pass."""
        if self.candidate is not None or not all(self._finite(root.detach()) for root in backward.roots):
            yield
            return
        self.roots, self.place = backward.roots, backward.place
        with self.mode():
            yield
        self.roots = []

    def gradient_operation(self, node: Node, tensors: list[Tensor], result: Tensor) -> None:
        """Take note of the first operation of a backward pass whose result is not finite."""
        if self._finite(result):
            return
        label = _label(node, self.roots)
        kind = "NaN" if bool(result.isnan().any()) else "infinity"
        kept = _saved(node) or tensors
        ranges = [_range(tensor) for tensor in kept if tensor.numel()]
        if label is None:
            name = node.name().removesuffix("Backward0").lower()
            called, place, layer = f"`{name}`", self.place, None
        else:
            name, place = label.name, label.place
            called, layer = label.title, self._layer(label.layers)
        self.candidate = Origin(
            called, SAME.get(name, name), kind, place, layer, ranges, backwards=True, step=self.run.steps + 1
        )

    def backward_begins(self, backward: Backward) -> None:
        diverged = backward.value is not None and not math.isfinite(backward.value) and not self.run.closely_watched
        if diverged and self.candidate is None:
            kind = "NaN" if backward.value != backward.value else "infinity"
            self.candidate = Origin("the loss", "", kind, backward.place, None, [], step=self.run.steps + 1)
            self.candidate.unwatched = True
        if self.hidden is not None and self.run.steps > self.steps and self.run.trained_by_hand():
            self._followed()

    def backward_ended(self, backward: Backward) -> None:
        self.hidden = None
        if all(math.isfinite(size) for size in backward.norms.values()):
            if self.confirmed is None and backward.value is not None and math.isfinite(backward.value):
                self.candidate = None
            elif backward.value is not None and backward.norms:
                self.hidden, self.steps = self.origins.of(backward.roots[0]) or self.candidate, self.run.steps
        elif self.run.trained_by_hand() and self.candidate is not None:
            self._confirm()

    def zeroed(self, optimizer: WatchedOptimizer | None) -> None:
        self.hidden = None  # a script that checks its loss discards such gradients

    def step_begins(self, step: Step) -> None:
        if self.hidden is not None:
            self._followed()
        if self.candidate is not None and self.confirmed is None:
            gradients = [leaf.tensor.grad for leaf in step.optimizer.leaves if leaf.tensor.grad is not None]
            if not all(self._finite(one.coalesce().values() if one.is_sparse else one) for one in gradients):
                self._confirm()

    def _confirm(self) -> None:
        if self.confirmed is None:
            self.confirmed = self.candidate

    def _followed(self) -> None:
        self.unheeded = self.unheeded or self.hidden

    def findings(self) -> Iterator[Finding]:
        if self.confirmed is None and self.last_bad:
            self._confirm()
        if self.confirmed is None and self.unheeded is not None:
            self.unheeded.hidden = True
            self.confirmed = self.unheeded
        if self.confirmed is not None:
            yield _finding(self.confirmed)


def _finding(origin: Origin) -> Finding:
    evidence: dict[str, object] = {"step": origin.step, **origin.evidence}
    for number, (low, high) in enumerate(origin.ranges[:2], 1):
        which = "" if len(origin.ranges) == 1 else f"_{number}"
        evidence |= {f"input{which}_smallest": low, f"input{which}_largest": high}
    inside = f" in {origin.layer}" if origin.layer else ""
    made = "the first infinity" if origin.kind == "infinity" else "the first NaN"
    if origin.data:
        return Finding(
            "first_nan",
            f"The data are not finite: {'a NaN' if origin.kind == 'NaN' else 'an infinity'} comes in at "
            f"{origin.title}{inside}.",
            "One such number makes the loss, then every gradient and parameter, NaN.",
            "rows = torch.isfinite(x).all(dim=-1)\nx, y = x[rows], y[rows]",
            origin.place,
            evidence,
        )
    if origin.unwatched:
        return Finding(
            "first_nan",
            f"The loss becomes {'a NaN' if origin.kind == 'NaN' else 'infinite'} at step {origin.step}, which was not "
            "watched closely: in a long run only each 16th step is.",
            "It spreads to every gradient and parameter.",
            "descend doctor --every-step SCRIPT.py   # slower, and names the operation",
            origin.place,
            evidence,
        )
    if origin.stepped:
        sentence = (
            f"{origin.title} is not finite after step {origin.step}, though loss and gradients were finite before it."
        )
        why = "The step itself was too large for the numbers to hold, or divided by zero."
    elif origin.backwards:
        sentence = f"The backward pass of {origin.title}{inside} makes {made}, though the loss itself is finite."
        why = "Its slope is not finite at these inputs, so the parameters become NaN at the next step."
    else:
        came = ""
        if origin.parent is not None:
            came = f" out of an infinity made by {origin.parent.title}"
            came += f" at line {origin.parent.place.line}" if origin.parent.place else ""
        sentence = f"{capital(origin.title)}{inside} makes {made}{came}."
        why = "It spreads to the loss, and from there to every gradient and parameter."
        if origin.hidden:
            why = "It spreads to the loss: the gradients happen to be finite, but a step with them follows no loss."
    return Finding("first_nan", sentence, why, _advice(origin), origin.place, evidence)


def _advice(origin: Origin) -> str:
    for one in (origin, origin.parent):
        if one is not None and one.name in ADVICE:
            return ADVICE[one.name]
    return "Keep the inputs of this operation in a range in which it and its slope are finite."


def _range(tensor: Tensor) -> tuple[float, float]:
    """Return the smallest and the largest finite number in a tensor; NaN where there is none."""
    finite = tensor.detach()[tensor.detach().isfinite()]
    return (float(finite.min()), float(finite.max())) if finite.numel() else (math.nan, math.nan)


def _saved(node: Node) -> list[Tensor]:
    """Return the tensors that a node has kept from the forward pass."""
    import torch

    kept = []
    for name in ("_saved_self", "_saved_result", "_saved_other"):
        with contextlib.suppress(AttributeError, RuntimeError):
            tensor = getattr(node, name)
            if isinstance(tensor, torch.Tensor) and tensor.is_floating_point():
                kept.append(tensor)
    return kept


def _label(node: Node, roots: Sequence[Tensor]) -> Label | None:
    """Return the call that made a node; a node without a label belongs to the call its results went to."""
    seen: set[Node] = set()
    todo: list[tuple[Node, Label | None]] = [(root.grad_fn, None) for root in roots if root.grad_fn is not None]
    while todo:
        here, label = todo.pop()
        if here in seen:
            continue
        seen.add(here)
        label = Label.of(here) or label
        if here is node:
            return label
        todo.extend((following, label) for following, _ in here.next_functions if following is not None)
    return None


def _gradients(values: Values) -> type[TorchDispatchMode]:
    """Return a class of modes in which each operation of a backward pass is looked at."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    tensor = torch.Tensor

    class Gradients(TorchDispatchMode):  # type: ignore[no-untyped-call]
        """Passes each operation on, and looks at its results."""

        @classmethod
        def _should_skip_dynamo(cls) -> bool:
            return False  # nothing is compiled under watch, so nothing needs to be excluded

        def __torch_dispatch__(
            self,
            function: Callable[..., object],
            types: object,
            args: tuple[object, ...] = (),
            kwargs: dict[str, object] | None = None,
        ) -> object:
            result = function(*args, **(kwargs or {}))
            node: Any = torch._C._current_autograd_node()
            if node is not None and values.candidate is None:
                for one in result if isinstance(result, (tuple, list)) else (result,):
                    if isinstance(one, tensor) and one.is_floating_point() and one.layout == torch.strided:
                        inputs = [arg for arg in args if isinstance(arg, tensor) and torch.is_floating_point(arg)]
                        values.gradient_operation(node, inputs, one)
            return result

    return Gradients
