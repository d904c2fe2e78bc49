"""PyTorch errors that people meet, explained with the values that were seen, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from descend.doctor.contract import Check
from descend.doctor.finding import Finding
from descend.doctor.ledger import Ledger
from descend.doctor.operation import Operation
from descend.doctor.places import Place

if TYPE_CHECKING:
    from torch import Tensor

Seen = Mapping[str, Any]
"""The variables of the innermost function that raised, by name."""


class Known(NamedTuple):
    """An error. part: a pattern of its message; then the finding; seen: a sentence with the values at hand."""

    part: str
    name: str
    symptom: str
    why: str
    fix: str
    seen: Callable[[Seen], str] = lambda _: ""


def span(tensor: Tensor) -> str:
    """Return the range of a tensor: `1…3`."""
    low, high = tensor.detach().min().item(), tensor.detach().max().item()
    return f"{low:.4g}…{high:.4g}"


def _labels(seen: Seen) -> str:
    scores, target = seen.get("input"), seen.get("target")
    if scores is None or target is None or target.is_floating_point():
        return ""
    return (
        f"Seen: labels {span(target)}, {scores.shape[1 if scores.ndim > 1 else 0]} outputs: the classes count from 0. "
    )


def _indices(seen: Seen) -> str:
    table, index = seen.get("weight"), seen.get("input")
    if table is None or index is None:
        return ""
    return f"Seen: indices {span(index)}, {table.shape[0]} rows: they count from 0. "


def _given(seen: Seen) -> str:
    given = seen.get("input")
    return "" if given is None else f"Seen: inputs {span(given)}. "


def _kinds(seen: Seen) -> str:
    kinds = {name: value for name, value in seen.items() if hasattr(value, "dtype") and hasattr(value, "grad_fn")}
    return f"Seen: {', '.join(f'{name} {value.dtype}' for name, value in kinds.items())}. " if kinds else ""


def _shapes(seen: Seen) -> str:
    kinds = {name: value for name, value in seen.items() if hasattr(value, "dtype") and hasattr(value, "grad_fn")}
    return f"Seen: {', '.join(f'{name} {tuple(value.shape)}' for name, value in kinds.items())}. " if kinds else ""


KNOWN = (
    Known(
        "backward through the graph a second time|backward through the graph second time",
        "graph_reused",
        "The graph of the loss is gone through a second time: part of it was computed once, before the loop, or "
        "carries over from the step before, as a hidden state does that was not detached.",
        "A backward pass frees the graph, and gradients at old parameters would be stale in any case; "
        "retain_graph=True "
        "hides that, and is no cure.",
        "Compute prediction and loss inside the loop; give on a hidden state with state = state.detach().",
    ),
    Known(
        "modified by an inplace operation",
        "changed_in_place",
        "A tensor that the backward pass needs was changed in place after it was used.",
        "PyTorch keeps such tensors, not copies, to compute gradients from.",
        "x = x + 1   # in the place of x += 1; and step the optimizer only after every backward pass",
    ),
    Known(
        "a leaf Variable that requires grad is being used in an in-place operation"
        "|a view of a leaf Variable that requires grad is being used in an in-place",
        "changed_in_place",
        "A parameter is changed in place while PyTorch records.",
        "The step itself must not become a part of the graph.",
        "with torch.no_grad():\n    w -= rate * w.grad",
    ),
    Known(
        "can't optimize a non-leaf Tensor",
        "wrong_parameters",
        "The optimizer is given a tensor that was computed from others, not a parameter.",
        "Gradients are kept only in leaves: tensors that are not the result of a computation.",
        "w = (0.1 * torch.randn(3)).requires_grad_()   # requires_grad last",
    ),
    Known(
        "optimizer got an empty parameter list",
        "wrong_parameters",
        "The optimizer is given no parameters: the model has registered none.",
        "Layers count only as attributes of a module; in a plain list or dict they are not seen.",
        "self.layers = torch.nn.ModuleList([...])",
    ),
    Known(
        "some parameters appear in more than one parameter group",
        "wrong_parameters",
        "The optimizer is given parameters that it already holds.",
        "A new group takes only what is new, such as a head that was added.",
        'optimizer.add_param_group({"params": model.head.parameters()})',
    ),
    Known(
        "grad can be implicitly created only for scalar outputs",
        "loss_not_scalar",
        "`backward` is called on many numbers, not on one loss.",
        "There is one gradient for each number; a loss is their mean or sum.",
        "loss.mean().backward()",
    ),
    Known(
        r"'(float|int|float64|float32|numpy\.\w+)' object has no attribute 'backward'",
        "detached_loss",
        "The loss is a plain number: it was taken out of its tensor, with item() or float().",
        "A number remembers no graph, so there is nothing to differentiate.",
        "Leave out .item() where the loss is computed.",
    ),
    Known(
        r"Can't call numpy\(\) on Tensor that requires grad",
        "detached_loss",
        "A tensor with a gradient is handed to NumPy.",
        "NumPy records no graph: what is computed there has no gradient.",
        "Use torch functions in the loss; for plots and prints: tensor.detach().numpy()",
    ),
    Known(
        r"unsupported operand type\(s\) for \*: '\w+' and 'NoneType'|'NoneType' object has no attribute '(zero_|data)'",
        "no_gradient",
        "The gradient is None where a step is taken by hand: the name no longer stands for a leaf, or `backward` "
        "has not "
        "reached it.",
        "After w = w - rate * w.grad, w is a result of a computation, which keeps no gradient.",
        "with torch.no_grad():\n    w -= rate * w.grad",
    ),
    Known(
        "all elements of input should be between 0 and 1",
        "not_probabilities",
        "BCELoss takes probabilities between 0 and 1, and is given raw scores (logits).",
        "It takes the logarithm of its input and of one minus its input.",
        "criterion = torch.nn.BCEWithLogitsLoss()   # which applies the sigmoid itself",
        _given,
    ),
    Known(
        r"Target -?\d+ is out of bounds|Class values must be",
        "class_index_out_of_range",
        "A label is out of range: there is no output for this class index.",
        "C outputs stand for the classes 0 to C - 1.",
        "y = y - y.min()   # labels from 0 on; and as many outputs as there are classes",
        _labels,
    ),
    Known(
        "index out of range in self",
        "embedding_index_out_of_range",
        "An index is out of range: the embedding has no row for it.",
        "An embedding of n rows takes the indices 0 to n - 1.",
        "torch.nn.Embedding(int(index.max()) + 1, size)   # or indices from 0 on",
        _indices,
    ),
    Known(
        "expected target dtype to be Long|expected scalar type Long but found|not implemented for '(Float|Double)'.*"
        "|nll_loss.*not implemented for '(Float|Double)'",
        "target_dtype",
        "The classes are floats: class indices must be whole numbers, dtype long.",
        "Floats of the shape of the labels cannot be told from other numbers; probabilities have a column for "
        "each class.",
        "y = y.long()",
        _kinds,
    ),
    Known(
        "Expected floating point type for target with class probabilities|"
        "result type Float can't be cast to the desired output type (Long|Int)",
        "target_dtype",
        "The target has a column for each class, one-hot, but of whole numbers: as probabilities they must be floats.",
        "Class indices, one a row, need no one-hot encoding at all.",
        "y = y.argmax(dim=1)   # class indices; or y.float()",
        _kinds,
    ),
    Known(
        "one_hot is only applicable to index tensor",
        "target_dtype",
        "The labels for `one_hot` are no whole numbers: it needs dtype long.",
        "Only class indices can be turned into columns; and cross_entropy takes the indices as they are.",
        "y = y.long()",
    ),
    Known(
        "multi-target not supported",
        "target_shape",
        "The labels are a column, of shape (n, 1): cross_entropy takes one class index a row, of shape (n,).",
        "A second dimension stands for further positions, such as pixels.",
        "y = y.squeeze(1)",
        _shapes,
    ),
    Known(
        r"(must have the same dtype|same dtype, but got|should be the same|expected scalar type Float but found"
        r"|Found dtype (Double|Long) but expected Float|mat1 and mat2 must have|expected m1 and m2 to have)",
        "input_dtype",
        "Inputs and weights differ in dtype: PyTorch layers have float32 weights, NumPy's arrays are float64 (double).",
        "A layer multiplies only numbers of one dtype.",
        "x, y = x.float(), y.float()",
        _kinds,
    ),
    Known(
        "Expected more than 1 value per channel when training",
        "batch_of_one",
        "Batch normalisation in training mode is given a batch of one row: the last batch of an epoch is that small.",
        "The variance of one row is 0, so there is nothing to divide by.",
        "DataLoader(..., drop_last=True)   # or a batch size that leaves no single row",
    ),
    Known(
        "mat1 and mat2 shapes cannot be multiplied|size mismatch, got input|"
        r"Given groups=\d+, weight of size|Expected (3D|4D|2D)|expected input\[",
        "input_shape",
        "The input does not have the shape that the layer takes.",
        "Linear takes (rows, in_features), Conv2d (rows, channels, height, width).",
        "print(x.shape)   # before the layer; x.flatten(1) before a Linear, or another in_features",
        _shapes,
    ),
    Known(
        r"Expected input batch_size \(\d+\) to match target batch_size",
        "target_shape",
        "Predictions and labels differ in the number of rows.",
        "Somewhere before, a reshape has moved features into rows, or the batch was cut twice.",
        "x.flatten(1)   # keeps the rows; x.view(-1, k) does not",
        _shapes,
    ),
    Known(
        "Expected all tensors to be on the same device",
        "device",
        "Model and data are on different devices.",
        "An operation takes tensors of one device.",
        "model.to(device); x, y = x.to(device), y.to(device)   # the model before the optimizer is made",
    ),
    Known(
        r"must be Tensor, not (tuple|list)|'tuple' object has no attribute",
        "tuple_output",
        "A tuple is used as if it were one tensor: LSTM and GRU return the output and the hidden state.",
        "The first of the two is what the next layer takes.",
        "output, hidden = lstm(x)",
    ),
    Known(
        r"cannot assign module before Module.__init__\(\) call",
        "not_initialised",
        "Layers are assigned before the module is initialised.",
        "nn.Module registers layers in tables that its own __init__ makes.",
        "super().__init__()   # the first line of __init__",
    ),
    Known(
        "stack expects each tensor to be equal size",
        "batch_shapes",
        "The rows of a batch differ in shape, so they cannot be stacked.",
        "A batch is one tensor.",
        "DataLoader(..., collate_fn=pad)   # torch.nn.utils.rnn.pad_sequence",
    ),
)
"""What PyTorch says, what it means, why, and what to write."""


class Errors(Check):
    """Explains the error that ended the script, where it is a known one, with what was seen."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.changed: dict[tuple[int, ...], Place | None] = {}

    def operation(self, operation: Operation) -> None:
        name = operation.name
        in_place = name == "__setitem__" or (name.endswith("_") and not name.endswith("__")) or name[:3] == "__i"
        if in_place and operation.tensors and operation.tensors[0].grad_fn is not None:
            self.changed[tuple(operation.tensors[0].shape)] = operation.place

    def explains(self, error: BaseException) -> bool:
        return any(re.search(known.part, str(error)) for known in KNOWN)

    def findings(self) -> list[Finding]:
        error = self.ledger.error
        if error is None:
            return []
        lines = self.ledger.scene.lines(error.__traceback__)
        said = str(error)
        for known in KNOWN:
            if re.search(known.part, said):
                place = lines[-1] if lines else None
                evidence: dict[str, object] = {"error": said.splitlines()[0]}
                fix = known.fix
                if known.name == "changed_in_place" and (changed := self._changed(said)) is not None:
                    place, fix = changed, f"{out_of_place(changed.code)}   # not in place"
                return [Finding(known.name, known.symptom, _seen(known, error) + known.why, fix, place, evidence)]
        return []

    def _changed(self, said: str) -> Place | None:
        """Return the last line that changed a tensor of the shape that the message tells."""
        found = re.search(r"Tensor \[([\d, ]*)\]", said)
        return None if found is None else self.changed.get(tuple(int(one) for one in re.findall(r"\d+", found[1])))


def out_of_place(code: str) -> str:
    """Return a line with `h *= 2` written as `h = h * 2`.

    >>> out_of_place("h *= 2 + x"), out_of_place("h.relu_()")
    ('h = h * (2 + x)', 'h.relu()')
    """
    found = re.fullmatch(r"([\w.\[\]]+)\s*([-+*/])=\s*(.+)", code)
    if found is None:
        return re.sub(r"(?<=\w)_\(", "(", code)
    value = found[3] if re.fullmatch(r"[\w.]+", found[3]) else f"({found[3]})"
    return f"{found[1]} = {found[1]} {found[2]} {value}"


def _seen(known: Known, error: BaseException) -> str:
    """Return the values that the innermost functions had, in a sentence; empty if there are none to tell."""
    frames: list[Seen] = []
    traceback: TracebackType | None = error.__traceback__
    while traceback is not None:
        frames.append(traceback.tb_frame.f_locals)
        traceback = traceback.tb_next
    for variables in reversed(frames):
        try:
            said = known.seen(variables)
        except Exception:  # what cannot be told is left out: the explanation stands without it
            continue
        if said:
            return said
    return ""
