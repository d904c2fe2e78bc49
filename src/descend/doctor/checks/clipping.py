"""Gradients that are clipped to nothing, at the wrong moment, or while they are still scaled."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from descend.doctor.contract import Check, Replacement, norms
from descend.doctor.finding import Finding
from descend.doctor.operation import Operation
from descend.doctor.run import Backward, Run, Step
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch import Tensor
    from torch.amp.grad_scaler import GradScaler

    Given = Tensor | Iterable[Tensor]

ENOUGH = 5
SHRINKING = {"clamp", "clamp_", "clip", "clip_", "mul", "mul_", "div", "div_", "__imul__", "__itruediv__", "__mul__"}
NOTHING = 1e-3
"""Clipped to less than this share of their size, gradients carry plain gradient descent nowhere."""


@dataclass(eq=False)
class Clips:
    """What one line clips: the norms before, the limit, and how often gradients were still scaled.

    late: how often a step had been taken with them already.
    """

    limit: float
    place: Place | None
    norms: list[float] = field(default_factory=list)
    scaled: int = 0
    late: int = 0
    kinds: set[str] = field(default_factory=set)


class Clipping(Check):
    """Follows `clip_grad_norm_` and `clip_grad_value_`, and the scaling of losses beside them."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.clips: dict[Place | None, Clips] = {}
        self.scaled = False
        self.scaling = False
        """Whether a GradScaler is at work, which multiplies gradients and divides them again."""
        self.inside = self.stepped = False
        self.gradients: set[int] | None = None
        """Where the numbers of the gradients lie, looked up when first asked for after a backward pass."""
        self.passed: float | None = None
        """The size of the gradients after the last backward pass."""
        self.changed: Place | None = None

    def replaces(self) -> Iterator[Replacement]:
        import torch

        yield torch.nn.utils, "clip_grad_norm_", self._by_norm
        yield torch.nn.utils, "clip_grad_value_", self._by_value
        yield torch.amp.GradScaler, "scale", self._scale
        yield torch.amp.GradScaler, "unscale_", self._unscale

    def _by_norm(
        self, theirs: Callable[..., Tensor], given: Given, max_norm: float, *args: object, **kwargs: object
    ) -> Tensor:
        parameters = _kept(given)
        self.inside = True
        size = theirs(parameters, max_norm, *args, **kwargs)
        self.inside = False
        self._clipped(parameters, float(max_norm), float(size))
        return size

    def _by_value(
        self, theirs: Callable[..., object], given: Given, clip_value: float, *args: object, **kwargs: object
    ) -> object:
        parameters = _kept(given)
        gradients = [one.grad for one in parameters if one.grad is not None]
        largest = max((float(one.abs().max()) for one in gradients if one.numel()), default=0.0)
        self._clipped(parameters, float(clip_value), largest)
        self.inside = True
        result = theirs(parameters, clip_value, *args, **kwargs)
        self.inside = False
        return result

    def operation(self, operation: Operation) -> None:
        if operation.name not in SHRINKING or self.inside or self.passed is None or not operation.tensors:
            return
        if self.gradients is None:
            gradients = [leaf.tensor.grad for leaf in self.run.leaves.values()]
            self.gradients = {one.data_ptr() for one in gradients if one is not None and not one.is_sparse}
        if not operation.tensors[0].is_sparse and operation.tensors[0].data_ptr() in self.gradients:
            self.changed = operation.place

    def backward_ended(self, backward: Backward) -> None:
        self.gradients, self.changed, self.stepped = None, None, False
        self.passed = math.hypot(*backward.norms.values()) if backward.norms else None

    def step_begins(self, step: Step) -> None:
        if self.changed is None or self.passed is None or self.scaling:
            return
        gradients = [leaf.tensor.grad for leaf in step.optimizer.leaves if leaf.tensor.grad is not None]
        left = math.hypot(*norms(gradients)) if gradients else 0.0
        clips = self.clips.setdefault(self.changed, Clips(left, self.changed))
        clips.limit = max(clips.limit, left)
        clips.norms.append(self.passed)
        clips.kinds.add(step.optimizer.kind)

    def _clipped(self, parameters: list[Tensor], limit: float, size: float) -> None:
        place = self.run.here()
        clips = self.clips.setdefault(place, Clips(limit, place))
        clips.norms.append(size)
        clips.scaled += self.scaled
        clips.late += self.stepped
        held = {id(one) for one in parameters}
        clips.kinds |= {one.kind for one in self.run.optimizers if held & one.tensor_ids}

    def _scale(self, theirs: Callable[..., object], scaler: GradScaler, *args: object, **kwargs: object) -> object:
        self.scaling = self.scaling or bool(scaler.is_enabled())
        self.scaled = bool(scaler.is_enabled()) and float(scaler.get_scale()) != 1.0
        return theirs(scaler, *args, **kwargs)

    def _unscale(self, theirs: Callable[..., object], scaler: GradScaler, *args: object, **kwargs: object) -> object:
        self.scaled = False
        return theirs(scaler, *args, **kwargs)

    def step_ended(self, step: Step) -> None:
        self.stepped = True
        self.scaled = False

    def findings(self) -> Iterator[Finding]:
        return filter(None, map(_judged, self.clips.values()))


def _judged(clips: Clips) -> Finding | None:
    if len(clips.norms) < ENOUGH:
        return None
    size = median(clips.norms)
    evidence: dict[str, object] = {"limit": clips.limit, "median_norm": size, "calls": len(clips.norms)}
    if clips.scaled > len(clips.norms) / 2:
        return Finding(
            "clipped_before_unscale",
            f"Gradients are clipped to {clips.limit:g} while they are still scaled by the GradScaler.",
            "The limit is then that many times too small, and what is left after the scaler has divided is next "
            "to nothing.",
            "scaler.unscale_(optimizer)\ntorch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)",
            clips.place,
            evidence,
        )
    if clips.late == len(clips.norms):
        return Finding(
            "clipped_after_step",
            f"Gradients are clipped to {clips.limit:g} after the step that uses them has been taken.",
            "The step takes them as they are, and the next backward pass makes new ones: nothing is ever clipped.",
            "loss.backward()\ntorch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)\noptimizer.step()",
            clips.place,
            evidence,
        )
    if max(clips.norms) == 0.0:
        return Finding(
            "clipped_before_backward",
            "Gradients are clipped where there are none: before `backward` has computed them, or after they were "
            "zeroed.",
            "What is clipped is 0 each time; the gradients that the step takes are not clipped.",
            "loss.backward()\ntorch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)\noptimizer.step()",
            clips.place,
            evidence,
        )
    adaptive = clips.kinds and not clips.kinds & {"SGD", "ASGD", "Rprop", "LBFGS"}
    if clips.limit < NOTHING * size and not (adaptive and clips.limit > 1e-5):
        return Finding(
            "clipped_to_nothing",
            f"Gradients are clipped to {clips.limit:g}, but their size is {size:.3g}: next to nothing of them is left.",
            "Clipping is for rare gradients that are far too large; here it makes every step too small.",
            "torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)",
            clips.place,
            evidence,
        )
    return None


def _kept(parameters: Given) -> list[Tensor]:
    """Return parameters as a list, as a generator can be gone through once."""
    import torch

    return [parameters] if isinstance(parameters, torch.Tensor) else list(parameters)
