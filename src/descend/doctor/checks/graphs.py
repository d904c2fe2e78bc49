"""Losses that are kept together with their graphs."""

from __future__ import annotations

import gc
import linecache
import re
import weakref
from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from descend.doctor.contract import Check
from descend.doctor.finding import WARNING, Finding
from descend.doctor.operation import ADDING, DIVIDING, MULTIPLYING, ByTensor, Operation
from descend.doctor.run import Backward, Run, Step
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

KEPT = 16
"""Results of a model that are there at once, with their graphs, and no step of a recurrent layer by hand."""
MANY = 6
"""Losses of earlier passes, or terms of a sum of them, that are still there when they count as kept."""


class Graphs(Check):
    """Follows each loss after its backward pass: whether it is kept in a list, or added to a sum that has a graph."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.terms_in_sum: ByTensor[int] = ByTensor()  # how many losses were added to it; 0 is one loss alone
        self.roots: deque[list[weakref.ref[Tensor]]] = deque(maxlen=MANY + 2)
        """Of each pass the loss, and what it was divided from: Lightning and others divide before they go back."""
        self.divided: ByTensor[list[weakref.ref[Tensor]]] = ByTensor()
        self.found: Finding | None = None
        self.last_outputs: dict[Place | None, deque[weakref.ref[Tensor]]] = {}
        self.lists_of_outputs: dict[Place | None, tuple[str, Place | None]] = {}
        """Lists of what a model returned, with its graph, that no backward pass has reached so far."""
        self.outputs_trained_on: set[Place | None] = set()
        self.recent_outputs: deque[tuple[int, weakref.ref[Tensor]]] = deque(maxlen=2 * KEPT)
        """What models returned lately, and after how many steps."""

    def forwarded(self, model: Module, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        place = self.run.model_called_at
        if outputs and outputs[0].grad_fn is not None:
            self.recent_outputs.append((self.run.steps, weakref.ref(outputs[0])))
        known = place in self.lists_of_outputs or place in self.outputs_trained_on
        if not outputs or outputs[0].grad_fn is None or known:
            return
        queue = self.last_outputs.setdefault(place, deque(maxlen=KEPT))
        queue.append(weakref.ref(outputs[0]))
        alive = [one for ref in queue if (one := ref()) is not None and one.grad_fn is not None]
        if len(alive) < KEPT:
            return
        name = self._holder(alive[0])
        self.lists_of_outputs[place] = name or "a list", _appended(name, place) if name else place
        for one in alive:
            if one.grad_fn is not None:
                one.grad_fn.register_prehook(lambda *_: self._reached(place))

    def _reached(self, place: Place | None) -> None:
        self.outputs_trained_on.add(place)
        self.lists_of_outputs.pop(place, None)

    def operation(self, operation: Operation) -> None:
        adds, scales = operation.name in ADDING, operation.name in DIVIDING | MULTIPLYING
        if self.found is not None or not (adds or scales) or not operation.outputs:
            return
        output = operation.outputs[0]
        if scales and output.ndim == 0 and output.requires_grad:
            first = operation.tensors[0]
            self.divided[output] = [weakref.ref(first), *(self.divided.of(first) or ())]
        terms = [count for tensor in operation.tensors if (count := self.terms_in_sum.of(tensor)) is not None]
        if not terms or not output.requires_grad:
            return
        count = max(terms) + adds
        self.terms_in_sum[output] = count
        if count >= MANY and self.run.steps >= MANY:
            self.found = _kept("total", "is the sum of losses with the graph of each", operation.place, "total", count)

    def backward_ended(self, backward: Backward) -> None:
        for root in backward.roots:
            if root.grad_fn is not None and self.found is None:
                passed = [weakref.ref(root), *(self.divided.of(root) or ())]
                for one in passed:
                    if (tensor := one()) is not None:
                        self.terms_in_sum[tensor] = 0
                self.roots.append(passed)

    def step_ended(self, step: Step) -> None:
        if self.found is not None or len(self.roots) < MANY + 2:
            return
        if self.run.steps % KEPT == 0:
            self.found = self._outputs_kept()
        if self.found is not None:
            return
        alive = [kept for passed in list(self.roots)[:MANY] if (kept := _alive(passed)) is not None]
        if len(alive) < MANY:
            return
        name = self._holder(alive[0])
        passed = self.run.backward_places[-1]
        place = _appended(name, passed) or passed
        called = f"`{name}`" if name else "something"
        self.found = _kept(name or "losses", "", place, called, len(alive))

    def _outputs_kept(self) -> Finding | None:
        """Look for results of a model that are still there, with their graphs, many steps after their own."""
        there = [(steps, one) for steps, ref in self.recent_outputs if (one := ref()) is not None]
        outputs = [(steps, one) for steps, one in there if one.grad_fn is not None]
        old = [one for steps, one in outputs if steps < self.run.steps - 1]
        if len(old) < KEPT or len({steps for steps, _ in outputs}) < KEPT:
            return None
        name, place = self._holder(old[0]), self.run.model_called_at
        return None if name is None else _outputs(name, _appended(name, place) or place)

    def _holder(self, tensor: Tensor) -> str | None:
        """Return what the user calls the list that holds a tensor, perhaps as an attribute of something."""
        variables = ((name, value) for name, value in self.run.user_code.variables() if _holds(value, tensor))
        found = next((name for name, _ in variables), None)
        if found is not None:
            return found
        lists = [one for one in gc.get_referrers(tensor) if isinstance(one, list | deque)]
        for owner in (owner for one in lists for owner in gc.get_referrers(one)):
            holder = owner if isinstance(owner, dict) else getattr(owner, "__dict__", {})
            named = [key for key, value in holder.items() if any(value is one for one in lists)]
            names = [key for key in named if isinstance(key, str)]
            if names and not names[0].startswith("_"):
                return names[0]
        return None

    def findings(self) -> Iterator[Finding]:
        if self.found is not None:
            yield self.found
        elif self.lists_of_outputs and self.run.backward_places:
            yield _outputs(*next(iter(self.lists_of_outputs.values())))


def _outputs(name: str, place: Place | None) -> Finding:
    return Finding(
        "graphs_kept",
        f"What the model returns is kept in `{name}` with the graph of each call, which no backward pass needs.",
        "A result holds on to all that it was computed from, so memory grows with each batch.",
        "with torch.no_grad():   # around the evaluation; or keep output.detach()",
        place,
        {"outputs_with_a_graph": KEPT},
        WARNING,
    )


def _alive(passed: list[weakref.ref[Tensor]]) -> Tensor | None:
    """Return the first of these tensors that is still there, with its graph."""
    return next((one for ref in passed if (one := ref()) is not None and one.grad_fn is not None), None)


def _holds(value: object, tensor: Tensor) -> bool:
    """Whether a list, or a list in a dict, holds a tensor."""
    if isinstance(value, dict):
        return any(inner is tensor or _holds(inner, tensor) for inner in value.values() if not isinstance(inner, dict))
    return isinstance(value, list | deque) and any(item is tensor for item in value)


def _kept(name: str, how: str, place: Place | None, called: str, count: int) -> Finding:
    symptom = (
        f"A running total {how}." if how else f"The losses of all steps are kept in {called}, with the graph of each."
    )
    fix = "total += loss.item()" if how else f"{name}.append(loss.item())   # or loss.detach()"
    return Finding(
        "graphs_kept",
        symptom,
        "A loss holds on to all that it was computed from, so memory grows at each step.",
        fix,
        place,
        {"losses_with_a_graph": count},
        WARNING,
    )


def _appended(name: str | None, passed: Place | None) -> Place | None:
    """Return the line that appends to a list, in the file of the backward pass and nearest to it."""
    if passed is None:
        return None
    pattern = re.compile(r"\.append\(\s*\w*loss\w*\s*\)")  # where a library steps, the list is out of sight
    if name is not None:
        pattern = re.compile(
            rf"\b{re.escape(name.removeprefix('self.'))}(\[[^]]*\])?(\.append\(|\s*\+=\s*\[|\[[^]]*\] =)"
        )
    text = enumerate(linecache.getlines(passed.file), 1)
    lines = [number for number, line in text if pattern.search(line) and not line.lstrip().startswith("#")]
    naming = [at for at in lines if "loss" in linecache.getline(passed.file, at).lower()]
    lines = naming or lines
    return Place(passed.file, min(lines, key=lambda line: abs(line - passed.line))) if lines else None
