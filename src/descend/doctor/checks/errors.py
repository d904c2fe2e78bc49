"""PyTorch errors that beginners meet, explained, with what to write instead."""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import NamedTuple

from descend.doctor.checks.calls import explained
from descend.doctor.contract import Check
from descend.doctor.finding import Finding
from descend.doctor.operation import Operation
from descend.doctor.run import Run
from descend.doctor.source import Source, code
from descend.doctor.user_code import Place

KNOWN = (
    (
        "backward through the graph a second time",
        "graph_reused",
        "The graph of the loss is gone through a second time: part of it was computed once, before the loop, or "
        "carries over from the step before.",
        "A backward pass frees the graph, and gradients at old parameters would be stale in any case.",
        "Compute prediction and loss inside the loop; give on a hidden state with state.detach().",
    ),
    (
        "modified by an inplace operation",
        "changed_in_place",
        "A tensor that the backward pass needs was changed in place after it was used.",
        "PyTorch keeps such tensors, not copies, to compute gradients from.",
        "x = x + 1   # in the place of x += 1; and step the optimizer only after every backward pass",
    ),
    (
        "a leaf Variable that requires grad is being used in an in-place operation",
        "changed_in_place",
        "A parameter is changed in place while PyTorch records.",
        "The step itself must not become a part of the graph.",
        "with torch.no_grad():\n    w -= rate * w.grad",
    ),
    (
        "is a view and is being modified inplace",
        "changed_in_place",
        "A part of a tensor is changed in place that PyTorch handed out together with others, as `unbind`, `split` "
        "and loops over a tensor do.",
        "A change of one such part cannot be followed back.",
        "parts = [part + 1 for part in parts]   # new tensors, in the place of part += 1",
    ),
    (
        "RNN input dtype",
        "input_dtype",
        "The input of a recurrent layer has another dtype than its weights: float64 (double), as NumPy's numbers are, "
        "where these are float32.",
        "A layer multiplies its input with its weights, and both must be of one dtype.",
        "x = x.float()   # before the layer; or torch.tensor(array, dtype=torch.float32) where it is made",
    ),
    (
        r"Expected hidden",
        "hidden_size",
        "A recurrent layer is given a hidden state for another number of rows than its input has: the state comes from "
        "a batch of another size, such as the last, smaller one.",
        "A hidden state has a row for each row of the batch.",
        "DataLoader(..., drop_last=True)   # or begin each batch with a state of its own: rnn(x)",
    ),
    (
        "can't optimize a non-leaf Tensor",
        "wrong_parameters",
        "The optimizer is given a tensor that was computed from others, not a parameter.",
        "Gradients are kept only in leaves: tensors that are not the result of a computation.",
        "w = (0.1 * torch.randn(3)).requires_grad_()   # requires_grad last",
    ),
    (
        "optimizer got an empty parameter list",
        "wrong_parameters",
        "The optimizer is given no parameters: the model has registered none.",
        "Layers count only as attributes of a module; in a plain list or dict they are not seen.",
        "self.layers = torch.nn.ModuleList([...])",
    ),
    (
        "grad can be implicitly created only for scalar outputs",
        "loss_not_scalar",
        "`backward` is called on many numbers, not on one loss.",
        "There is one gradient for each number; a loss is their mean or sum.",
        "loss.mean().backward()",
    ),
    (
        "'float' object has no attribute 'backward'",
        "detached_loss",
        "The loss is a plain number: it was taken out of its tensor, with item() or float().",
        "A number remembers no graph, so there is nothing to differentiate.",
        "Leave out .item() where the loss is computed.",
    ),
    (
        "Can't call numpy() on Tensor that requires grad",
        "detached_loss",
        "A tensor with a gradient is handed to NumPy.",
        "NumPy records no graph: what is computed there has no gradient.",
        "Use torch functions in the loss; for plots and prints: tensor.detach().numpy()",
    ),
    (
        "has already been called since the last update()",
        "scaler_not_updated",
        "The GradScaler is stepped, or unscales, a second time without an `update` in between.",
        "`update` sets its scale for the next step, and lets it begin one.",
        "scaler.step(optimizer)\nscaler.update()",
    ),
    (
        "unsupported operand type(s) for *: 'float' and 'NoneType'",
        "no_gradient",
        "The gradient is None where a step is taken by hand: the name no longer stands for a leaf.",
        "After w = w - rate * w.grad, w is a result of a computation, which keeps no gradient.",
        "with torch.no_grad():\n    w -= rate * w.grad",
    ),
)
"""Part of the message, the name of the finding, what happens, why, and what to write."""


IN_PLACE = re.compile(r"(?!_)\w*[a-z]_$|__i(add|sub|mul|truediv|floordiv|pow)__$|__setitem__$")
OPTIONALLY = {"relu", "leaky_relu", "elu", "relu6", "hardtanh", "dropout", "silu", "hardswish", "threshold"}
"""Functions that change their input if asked to, with ``inplace=True``."""
NO_CHANGE = {"requires_grad_", "detach_", "retain_grad_"}
RIVALS = (
    "The graph of a loss is gone through a second time: two losses share a part of it, such as what a generator made, "
    "and the first backward pass has freed it."
)
RIVALS_FIX = (
    "loss_d = criterion(critic(fake.detach()), zeros)   # detach what the first of the two losses shall not train"
)
USED_UP = (
    "The optimizer is given no parameters: the iterator that it is given was gone through before, and is used up.",
    "`model.parameters()`, `filter` and other generators can be gone through once.",
    "parameters = list(model.parameters())   # a list can be gone through again",
)
VERSION = re.compile(r"is at version (\d+)")
LATEST = 100
"""Changes in place, the latest ones, that are looked through for the one an error speaks of."""


class Change(NamedTuple):
    """A change in place: its line, the shape of what was changed, and which version of it came out."""

    place: Place | None
    shape: tuple[int, ...]
    version: int


SHAPE = re.compile(r"Tensor \[([\d, ]*)\]")


class Errors(Check):
    """Explains the error that ended the script, where it is a known one, with the values seen."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.changed: dict[tuple[int, ...], Change] = {}
        self.latest: deque[Change] = deque(maxlen=LATEST)

    def operation(self, operation: Operation) -> None:
        name, tensors = operation.name, operation.tensors
        if IN_PLACE.match(name):
            changes = name not in NO_CHANGE
        else:
            changes = name in OPTIONALLY and any(one is tensors[0] for one in operation.outputs)
        if changes and tensors:
            version = -1 if tensors[0].is_inference() else tensors[0]._version
            change = Change(operation.place, tuple(tensors[0].shape), version)
            self.changed[change.shape] = change
            self.latest.append(change)

    def explains(self, error: BaseException) -> bool:
        known = (*(part for part, *_ in KNOWN), "'Tensor' object is not callable")
        return any(part in str(error) for part in known) or explained(error, self.run.user_code) is not None

    def findings(self) -> Iterator[Finding]:
        error = self.run.error
        if error is None:
            return
        with_values = explained(error, self.run.user_code)
        if with_values is not None:
            yield with_values
            return
        lines = self.run.user_code.lines(error.__traceback__)
        place = lines[-1] if lines else None
        if str(error) == "'Tensor' object is not callable" and place is not None:
            yield _called_tensor(place)
            return
        if "empty parameter list" in str(error) and self._iterator_used_up(error):
            yield replace(Finding("wrong_parameters", *USED_UP), place=place)
            return
        for part, name, sentence, why, fix in KNOWN:
            if part in str(error):
                finding = Finding(name, sentence, why, fix, place)
                if name == "graph_reused" and len(self.run.optimizers) > 1:
                    finding = replace(finding, symptom=RIVALS, fix=RIVALS_FIX)
                yield self._changed(str(error), finding) if "modified by an inplace" in part else finding
                return

    def _iterator_used_up(self, error: BaseException) -> bool:
        """Whether the script holds an iterator at the line that failed, or before it, in place of parameters."""
        places = self.run.user_code.lines(error.__traceback__)
        frames, traceback = [], error.__traceback__
        while traceback is not None:
            frames.append(traceback.tb_frame)
            traceback = traceback.tb_next
        values = (item for frame in frames for item in frame.f_locals.items())
        iterators = {name for name, value in values if isinstance(value, Generator | filter | map)}
        return bool(places) and any(re.search(rf"\b{name}\b", places[-1].code) for name in iterators)

    def _changing(self, shape: tuple[int, ...] | None, version: re.Match[str] | None) -> Place | None:
        """Return the line of the last change that made this version of a tensor, or of one that it is a part of."""
        known = [one for one in self.latest if version is not None and one.version == int(version[1])]
        same = [one for one in known if one.shape == shape]
        bases = [one for one in known if shape is not None and math.prod(one.shape) > math.prod(shape)]
        exact = same or bases
        if exact:
            return exact[-1].place
        found = self.changed.get(shape) if shape is not None else None
        return found.place if found is not None else None

    def _changed(self, said: str, finding: Finding) -> Finding:
        """Name the line that changed a tensor, found by the shape that the error tells."""
        found = SHAPE.search(said)
        shape = tuple(int(size) for size in found[1].split(",") if size.strip()) if found else None
        evidence = {"shape": list(shape or ())}
        place = self._changing(shape, VERSION.search(said))
        if place is not None:
            rewritten = re.match(r"(\w+) ([-+*/])= (.+)$", place.code)
            fix = "{0} = {0} {1} {2}".format(*rewritten.groups()) if rewritten else finding.fix
            if re.match(r"[\w.]+\[.*\] [-+*/]?= ", place.code):
                fix = "states.append(state)   # a list, and after the loop: torch.stack(states, dim=1)"
            sentence = f"Line {place.line} changes a tensor in place that the backward pass needs: {place.code}."
            return Finding(finding.name, sentence, finding.why, fix, place, evidence)
        stepped = [
            one
            for one in self.run.stepping
            if any(shape in (tuple(leaf.tensor.shape), tuple(leaf.tensor.shape)[::-1]) for leaf in one.leaves)
        ]
        if shape and stepped:
            sentence = f"`{stepped[0].title}.step()` changes weights in place that a later backward pass still needs."
            fix = "Call every backward() first, then the steps; or compute the loss anew after a step."
            return Finding(finding.name, sentence, finding.why, fix, stepped[0].stepped_at, evidence)
        return finding


def _called_tensor(place: Place) -> Finding:
    """Explain a tensor that is called: the name of a function was given to its result, or a property has brackets."""
    source = Source.of(place.file)
    calls = [code(call.func) for call in source.calls_at(place.line)]
    reused = [name for name in calls if any(assignment.name == name for assignment in source.assignments)]
    if not reused:
        return Finding(
            "tensor_called",
            "A tensor is called as if it were a function.",
            "Attributes such as `.T`, `.data`, `.grad` and `.shape` are no methods; brackets call what they hold.",
            "x.T   # without brackets; a single number of a tensor: x[0]",
            place,
        )
    name = reused[0]
    return Finding(
        "tensor_called",
        f"`{name}` is called as a function, but holds a tensor: the name was given to the result of an earlier call.",
        "A name stands for what was assigned to it last, so the function is gone after its first call.",
        f"{name}_value = {name}(...)   # another name than that of the function",
        place,
        {"name": name},
    )
