"""Hooks into PyTorch that notify the checks of what a script does, and that are all removed afterwards."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from descend.doctor.by_hand import ByHand
from descend.doctor.contract import Check, norms
from descend.doctor.mode import graph_leaves, mode, transformed
from descend.doctor.operation import Label, Operation, tensors_of
from descend.doctor.run import Backward, Leaf, Run, Step
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module
    from torch.optim import Optimizer

Function = Callable[..., object]
Arguments = tuple[object, ...]
Options = dict[str, object]
LOOKED_AT = 10
"""Backward passes from one line whose graph is searched for leaves; after these, only the 16th, 32nd, 64th ..."""
CLOSE, EVERY = 200, 16
"""Steps that are all watched closely; after these, each 16th is. Of calls that do not train, fewer make a beginning."""
CLOSE_CALLS = 20
UNREADABLE = "A view was created in no_grad mode"
GROWTH = 2.0
"""A loss that has grown to more than this multiple of the first is looked at, wherever it is seen."""


class Enough(BaseException):
    """Ends the script once it has taken as many steps as were asked for."""


class Watch:
    """A context in which the checks are notified of every PyTorch call, backward pass and step.

    most_steps: end the script after so many steps of optimizers, or moves by hand; None lets it run.
    every_step: watch all steps closely, not only the first `CLOSE` and each `EVERY`-th after them.
    """

    def __init__(self, run: Run, checks: list[Check], most_steps: int | None = None, every_step: bool = False) -> None:
        self.run, self.checks, self.most_steps, self.every_step = run, checks, most_steps, every_step
        self.calls: dict[tuple[Place | None, bool], int] = {}
        self.trained: set[tuple[Place | None, bool]] = set()
        self.steps: list[Step | None] = []
        self.busy = 0  # above 0 while PyTorch or a check computes: such calls are not the script's
        self.undo = contextlib.ExitStack()
        self.by_hand = ByHand(run)
        self.passes: dict[Place | None, int] = {}

    def __enter__(self) -> Watch:
        import torch
        from torch.nn.modules import module as modules
        from torch.optim import optimizer as optimizers
        from torch.utils.data import dataloader

        with contextlib.ExitStack() as undo:
            self._replace(undo, torch.autograd, "backward", self._backward)
            self._replace(undo, torch.optim.Optimizer, "__init__", self._made)
            self._replace(undo, torch.optim.Optimizer, "zero_grad", self._zeroed)
            self._replace(undo, torch.nn.Module, "zero_grad", self._zeroed)
            self._replace(undo, torch, "compile", self._uncompiled)
            self._replace(undo, dataloader._BaseDataLoaderIter, "__next__", self._batch)
            for check in self.checks:
                for owner, name, ours in check.replaces():
                    self._replace(undo, owner, name, ours)
            for handle in (
                optimizers.register_optimizer_step_pre_hook(self._step_begins),
                optimizers.register_optimizer_step_post_hook(self._step_ended),
                modules.register_module_forward_pre_hook(self._layer_begins),
                modules.register_module_forward_hook(self._layer_ended, always_call=True),
            ):
                undo.callback(handle.remove)
            self.mode = mode(self)
            self._listen()
            undo.callback(self._turn_away)
            self.undo = undo.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self.undo.close()

    def _replace(self, undo: contextlib.ExitStack, owner: object, name: str, ours: Function) -> None:
        """Replace a function by ``ours``, which receives the original as its first argument."""
        import functools

        theirs = getattr(owner, name)

        @functools.wraps(theirs)
        def replacement(*args: object, **kwargs: object) -> object:
            return ours(theirs, *args, **kwargs)

        setattr(owner, name, replacement)
        undo.callback(setattr, owner, name, theirs)

    @contextlib.contextmanager
    def _aside(self) -> Iterator[None]:
        self.busy += 1
        try:
            yield
        finally:
            self.busy -= 1

    def _listen(self) -> None:
        if not self.run.closely_watched:
            self.mode.__enter__()  # type: ignore[no-untyped-call]
            self.run.closely_watched = True

    def _turn_away(self) -> None:
        from torch.overrides import _get_current_function_mode

        top = _get_current_function_mode()  # type: ignore[no-untyped-call]
        if self.run.closely_watched and top is self.mode:
            self.mode.__exit__(None, None, None)
            self.run.closely_watched = False

    def _next(self) -> None:
        """Decide at the end of a step whether the next is watched closely."""
        steps = self.run.steps
        if self.every_step or steps < CLOSE or steps % EVERY == 0:
            self._listen()
        else:
            self._turn_away()

    def _unusual(self, place: Place | None, value: float | None) -> bool:
        """Whether a backward pass that is not watched closely should be: it is new, or its loss has grown."""
        losses = self.run.losses.get(place)
        if place not in self.passes or value is None or not losses:
            return True
        return not value <= GROWTH * abs(losses[0])

    def operation(self, operation: Operation) -> None:
        """Notify the checks of a call, and label the graph with it."""
        label = Label(operation.function, operation.name, operation.place, tuple(self.run.layers))
        for output in operation.outputs:
            try:  # of a view changed under no_grad PyTorch tells not even its grad_fn
                node = output.grad_fn
            except RuntimeError:
                continue
            if node is not None:
                label.put_on(node)
        self._notify("operation", operation)

    def _notify(self, event: str, *about: object) -> None:
        """Notify the checks; one that cannot deal with it is left out: the script is to run as if nobody watched."""
        for check in tuple(self.checks):
            try:
                getattr(check, event)(*about)
            except Exception as error:
                if UNREADABLE not in str(error):
                    self.checks.remove(check)
                    self.run.checks_left_out.append(f"{type(check).__name__} ({type(error).__name__}: {error})")

    def _batch(self, theirs: Function, iterator: object) -> object:
        batch = theirs(iterator)
        tensors = tensors_of(list(batch.values()) if isinstance(batch, dict) else batch)
        self._notify("batch", iterator, tensors)
        return batch

    def _backward(self, theirs: Function, *args: Any, **kwargs: Any) -> object:
        if self.busy:
            return theirs(*args, **kwargs)
        if not self.run.closely_watched and self._passed_by(args[0] if args else kwargs["tensors"]):
            return theirs(*args, **kwargs)
        with self._aside():
            backward = self._begun(args[0] if args else kwargs["tensors"])
            with contextlib.ExitStack() as around:
                for check in self.checks:
                    around.enter_context(check.around_backward(backward))
                result = theirs(*args, **kwargs)
            self._received(backward)
            self._notify("backward_ended", backward)
            self.by_hand.keep(backward.received)
        return result

    def _passed_by(self, tensors: Tensor | Sequence[Tensor]) -> bool:
        """Note the loss of a backward pass that is not watched closely; False if it has to be after all."""
        run, roots = self.run, tensors_of(tensors)
        place = run.here()
        value = float(roots[0].detach()) if len(roots) == 1 and roots[0].numel() == 1 else None
        if self._unusual(place, value) or value is None:
            return False
        run.backward_places.append(place)
        run.losses[place].append(value)
        self.passes[place] += 1
        return True

    def _begun(self, tensors: Tensor | Sequence[Tensor]) -> Backward:
        run = self.run
        roots = tensors_of(tensors)
        single = len(roots) == 1 and roots[0].numel() == 1
        place = run.here()
        backward = Backward(
            len(run.backward_places) + 1,
            place,
            roots,
            float(roots[0].detach()) if single else None,
            run.user_code.name_of(roots[0]) if len(run.backward_places) < LOOKED_AT else None,
        )
        run.backward_places.append(place)
        if backward.value is not None:
            run.losses.setdefault(place, []).append(backward.value)
        count = self.passes[place] = self.passes.get(place, 0) + 1
        if count <= LOOKED_AT or count & (count - 1) == 0:
            run.leaves_of(graph_leaves(roots))
        moved = self.by_hand.moved()
        if moved:
            run.steps += 1
            if self.most_steps is not None and run.steps >= self.most_steps:
                raise Enough
        for leaf in run.leaves.values():
            gradient = leaf.tensor.grad
            if gradient is not None:
                backward.before[id(leaf.tensor)] = (gradient, gradient._version)
        self._notify("backward_begins", backward)
        return backward

    def _received(self, backward: Backward) -> None:
        """Find out which leaves the pass has reached, and how large their gradients are now."""
        received: list[Leaf] = []
        for key, leaf in self.run.leaves.items():
            gradient = leaf.tensor.grad
            if gradient is None:
                continue
            before = backward.before.get(key)
            if before is None or before[0] is not gradient or before[1] != gradient._version:
                received.append(leaf)
        backward.before.clear()
        backward.received = received
        gradients = [leaf.tensor.grad for leaf in received if leaf.tensor.grad is not None]
        for leaf, size in zip(received, norms(gradients), strict=True):
            leaf.passes += 1
            leaf.largest = max(leaf.largest, size) if size == size else leaf.largest
            backward.norms[id(leaf.tensor)] = size

    def _made(self, theirs: Function, optimizer: Optimizer, *args: object, **kwargs: object) -> object:
        result = theirs(optimizer, *args, **kwargs)
        if not self.busy:
            with self._aside():
                self.run.optimizer(optimizer)
        return result

    def _zeroed(self, theirs: Function, owner: Optimizer | Module, *args: object, **kwargs: object) -> object:
        import torch

        with self._aside():
            result = theirs(owner, *args, **kwargs)
            if not self.run.closely_watched:
                return result
            place = self.run.here()
            if not isinstance(owner, torch.nn.Module):
                found = [self.run.optimizer(owner)]
            else:
                module = {id(parameter) for parameter in owner.parameters()}
                found = [one for one in self.run.optimizers if one.leaves and module.issuperset(one.tensor_ids)]
            for optimizer in found:
                optimizer.zeroed_at = place
                self._notify("zeroed", optimizer)
        return result

    def _uncompiled(self, theirs: Function, model: object = None, **kwargs: object) -> object:
        """Leave out ``torch.compile``: it changes speed, not results, and what it compiles cannot be watched."""
        return (lambda function: function) if model is None else model

    def _step_begins(self, optimizer: Optimizer, args: Arguments, kwargs: Options) -> None:
        step = None
        with self._aside():
            entry = self.run.optimizer(optimizer)
            entry.last_rate = float(optimizer.param_groups[0].get("lr", float("nan")))
            if entry.first_rate is None:
                entry.first_rate = entry.last_rate
            entry.largest_rate = max(entry.largest_rate, entry.last_rate)
            if self.run.closely_watched:
                step = Step(entry, self.run.here(), _inside(args, kwargs))
                entry.stepped_at = step.place
                self._fed(step)
                self._notify("step_begins", step)
        self.steps.append(step)
        if not _inside(args, kwargs):
            self.busy += 1
            self._turn_away()  # what an optimizer computes is not the script's

    def _step_ended(self, optimizer: Optimizer, args: Arguments, kwargs: Options) -> None:
        entry = self.run.optimizer(optimizer)
        if not _inside(args, kwargs):
            self.busy -= 1
        step = self.steps.pop() if self.steps else None
        with self._aside():
            entry.steps += 1
            self.run.steps += 1
            if step is not None:
                entry.watched += 1
                if step.inside:
                    self._fed(step)
                self._notify("step_ended", step)
        self._next()
        if self.most_steps is not None and self.run.steps >= self.most_steps:
            raise Enough

    def _fed(self, step: Step) -> None:
        """Note which parameters a step has gradients for."""
        for leaf in step.optimizer.leaves:
            gradient = leaf.tensor.grad
            if gradient is not None:
                leaf.steps += 1
                if leaf.largest == 0.0:
                    leaf.largest = norms([gradient])[0]

    def _layer_begins(self, layer: Module, args: object) -> None:
        run = self.run
        if not run.layers:
            run.model_called_at = run.here()
            if not run.closely_watched and not self.busy:
                self._called()
            if id(layer) not in run.models:
                run.models[id(layer)] = (layer, run.user_code.name_of(layer))
        run.layers.append(layer)

    def _called(self) -> None:
        """Watch closely again where a model is called for another purpose than the usual step."""
        import torch

        key = (self.run.model_called_at, torch.is_grad_enabled())
        count = self.calls[key] = self.calls.get(key, 0) + 1
        training = key[1] and key in self.trained
        if not training and (count <= CLOSE_CALLS or count % EVERY == 0):
            self._listen()

    def _layer_ended(self, layer: Module, args: object, output: object) -> None:
        import torch

        if not self.run.layers:
            return
        self.run.layers.pop()
        root = not self.run.layers and self.run.closely_watched and not self.busy and not transformed()
        if root and next(layer.parameters(), None) is not None:  # not a loss or a metric, which are modules too
            self.trained.add((self.run.model_called_at, torch.is_grad_enabled()))
            with self._aside():
                outputs = tensors_of(output)
                self._notify("forwarded", layer, tensors_of(args), outputs)


def _inside(args: Arguments, kwargs: Options) -> bool:
    """Whether a step evaluates the loss itself; its arguments begin with the optimizer."""
    return bool(kwargs.get("closure")) or any(map(callable, args))
