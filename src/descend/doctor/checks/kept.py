"""Weights that are kept to be taken up again, and that go on changing with the model, as they were not copied."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from descend.doctor.contract import Check, Replacement
from descend.doctor.finding import Finding
from descend.doctor.operation import ByTensor, Operation
from descend.doctor.run import Run
from descend.doctor.source import Source, callee, code
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch.nn import Module

SAME_NUMBERS = {"detach", "data", "cpu", "to", "view", "flatten"}


class State(NamedTuple):
    """One call of ``state_dict()``. steps: how many had been taken by then; loaded: how often weights were loaded."""

    place: Place
    model: weakref.ref[Module]
    steps: int
    loaded: int


class Kept(Check):
    """Follows the tensors that ``state_dict()`` hands out, which are those of the model, to where they are used."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.handed_out: ByTensor[tuple[State, int]] = ByTensor()
        """Where a tensor was handed out, and how often it had been changed by then."""
        self.loaded = 0
        self.found: Finding | None = None

    def replaces(self) -> Iterator[Replacement]:
        import torch

        yield torch.nn.Module, "state_dict", self._state
        yield torch.nn.Module, "load_state_dict", self._loads
        yield torch, "save", self._saves

    def _state(self, theirs: Callable[..., object], model: Module, *args: object, **kwargs: object) -> object:
        found = theirs(model, *args, **kwargs)
        of_a_part = bool(args) or kwargs.get("destination") is not None
        place = None if of_a_part else self.run.here()
        if place is not None and isinstance(found, dict):
            state = State(place, weakref.ref(model), self.run.steps, self.loaded)
            for value in found.values():
                if hasattr(value, "grad_fn"):
                    self.handed_out[value] = state, value._version
        return found

    def operation(self, operation: Operation) -> None:
        """Follow the tensors through what hands on the same numbers."""
        if operation.name in SAME_NUMBERS and self.handed_out.known and operation.tensors and operation.outputs:
            known, output = self.handed_out.of(operation.tensors[0]), operation.outputs[0]
            if known is not None and output.data_ptr() == operation.tensors[0].data_ptr():
                self.handed_out[output] = known

    def _loads(
        self, theirs: Callable[..., object], model: Module, weights: object, *more: object, **by: object
    ) -> object:
        self._look(weights, model, "loaded")
        self.loaded += 1
        return theirs(model, weights, *more, **by)

    def _saves(self, theirs: Callable[..., object], contents: object, *more: object, **by: object) -> object:
        for value in (contents, *(contents.values() if isinstance(contents, dict) else ())):
            self._look(value, None, "saved")
        return theirs(contents, *more, **by)

    def _look(self, weights: object, model: Module | None, used: str) -> None:
        """Take note of weights that are those of a model as it is now, handed out before it changed."""
        if not isinstance(weights, dict) or self.found is not None:
            return
        for value in weights.values():
            known = self.handed_out.of(value) if hasattr(value, "grad_fn") else None
            source = None if known is None else known[0].model()
            if known is None or source is None:
                continue
            state, version = known
            went_on = self.run.steps > state.steps or self.loaded > state.loaded
            # What was handed out before training began may be meant to stay that of the model: to follow it elsewhere.
            meant = model is not source and not state.steps
            now = {one.data_ptr(): one._version for one in (*source.parameters(), *source.buffers())}
            if went_on and not meant and now.get(value.data_ptr(), version) > version:
                self.found = _not_copied(state, self.run.steps, used)
                return

    def findings(self) -> Iterator[Finding]:
        if self.found is not None:
            yield self.found


def _not_copied(state: State, steps: int, used: str) -> Finding:
    source, line = Source.of(state.place.file), state.place.line
    name = next((assignment.name for assignment in source.assignments if assignment.line == line), "best")
    call = next((code(call) for call in source.calls_at(line) if callee(call) == "state_dict"), "model.state_dict()")
    return Finding(
        "weights_not_copied",
        f"Weights are kept without a copy: `{call}` hands out the tensors of the model themselves, which have changed "
        f"by the time they are {used}.",
        "What was kept as the best, or the first, are the last weights: nothing is taken up again.",
        f"{name} = {{key: value.clone() for key, value in {call}.items()}}   # or: copy.deepcopy({call})",
        state.place,
        {"kept_at_step": state.steps, f"{used}_at_step": steps},
    )
