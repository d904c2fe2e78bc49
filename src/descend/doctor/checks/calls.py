"""A PyTorch call that raised an error, explained with the values it was given."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from descend.doctor.checks.failure import Failure, dtype_of, failed_call
from descend.doctor.checks.indices import INDEXING, embedding, from_zero, index, one_hot
from descend.doctor.finding import Finding
from descend.doctor.operation import OF_CHANCES, OF_CLASSES
from descend.doctor.user_code import UserCode

if TYPE_CHECKING:
    from torch import Tensor

LAYERS = {"linear", "conv1d", "conv2d", "conv3d", "lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell", "gru_cell"}
PRODUCTS = {"matmul", "__matmul__", "__rmatmul__", "mm", "bmm", "addmm", "mv", "einsum"}
IGNORED = -100
"""The label that cross_entropy leaves out, unless another is given."""


def explained(error: BaseException, user_code: UserCode) -> Finding | None:
    """Return what was wrong with the values of the call that raised an error, where that is known."""
    call = failed_call(error)
    if call is None:
        return None
    lines = user_code.lines(error.__traceback__)
    where = lines[-1] if lines else None
    for names, explanation in EXPLANATIONS:
        if call.name in names and len(call.tensors) >= (1 if call.name in ("batch_norm", "one_hot", "backward") else 2):
            return explanation(Failure(error, call, where, user_code))
    return None


def _classes(failure: Failure) -> Finding | None:
    import torch

    scores, target = failure.call.tensors[:2]
    name = failure.name(target, "labels")
    if scores.ndim > 1 and target.ndim and len(scores) != len(target):
        return _rows(failure, scores, target, name)
    if target.is_floating_point() and target.ndim < scores.ndim:
        return failure.finding(
            "target_dtype",
            f"The labels `{name}` have the dtype {dtype_of(target)}, but {failure.call.title} takes class numbers, "
            "which are integers (torch.long).",
            "A label is the index of an output, so it has to be a whole number: 0, 1, 2 ...",
            f"{name} = {name}.long()",
            dtype=dtype_of(target),
        )
    if not target.is_floating_point() and target.shape == scores.shape and target.ndim > 1:
        return failure.finding(
            "one_hot_integers",
            f"The labels `{name}` are one-hot rows of integers, with the shape {tuple(target.shape)}: such a target "
            "is taken for probabilities, whose dtype is a float.",
            f"{failure.call.title} takes one class number for each row, or a float probability for each class.",
            f"{name} = {name}.argmax(dim=1)   # class numbers; or {name}.float()",
            shape=list(target.shape),
            dtype=dtype_of(target),
        )
    if scores.ndim > 2 and scores.shape[:-1] == target.shape and not target.is_floating_point():
        return failure.finding(
            "target_shape",
            f"The scores have the shape {tuple(scores.shape)}, with the classes last, and the labels `{name}` "
            f"{tuple(target.shape)}; {failure.call.title} takes dimension 1, of {scores.shape[1]}, for the classes.",
            "With one label for each place, the classes come right after the rows.",
            f"scores = scores.movedim(-1, 1)   # or: scores.flatten(0, -2), {name}.flatten()",
            scores=list(scores.shape),
            labels=list(target.shape),
        )
    if target.ndim == scores.ndim and target.ndim == 2 and target.shape[1] == 1:
        return failure.finding(
            "target_shape",
            f"The labels `{name}` are a column, of the shape {tuple(target.shape)}, where {failure.call.title} takes "
            f"one class number a row, of the shape ({len(target)},).",
            "A second dimension would be one of classes.",
            f"{name} = {name}.squeeze(1){'.long()' if target.dtype != torch.long else ''}",
            shape=list(target.shape),
        )
    if not target.is_floating_point() and scores.ndim:
        return _labels(failure, scores, target, name)
    return None


def _rows(failure: Failure, scores: Tensor, target: Tensor, name: str) -> Finding:
    """Explain numbers of rows that differ."""
    fix = "x = x.flatten(1)   # keeps the rows, where view(-1, n) with another n than theirs does not"
    if scores.ndim > 1 and scores.shape[1] == len(target):
        fix = "scores = scores[:, -1]   # with batch_first=True the second axis is time: x[-1] is the last row"
    return failure.finding(
        "row_counts_differ",
        f"There are {len(scores)} rows of scores, of the shape {tuple(scores.shape)}, and {len(target)} labels "
        f"`{name}`.",
        f"{failure.call.title} takes a label for each row; rows are made more, or fewer, by a view to the wrong sizes.",
        fix,
        rows=len(scores),
        labels=len(target),
    )


def _labels(failure: Failure, scores: Tensor, target: Tensor, name: str) -> Finding | None:
    import torch

    count = scores.shape[1 if scores.ndim > 1 else 0]
    kept = target[target != failure.call.kwargs.get("ignore_index", IGNORED)]
    if kept.numel() and (int(kept.min()) < 0 or int(kept.max()) >= count):
        low, high = int(kept.min()), int(kept.max())
        fix = f"torch.nn.Linear(..., {high + 1})   # the last layer: one output for each class"
        if low and high - low < count:
            fix = f"{from_zero(name, low)}   # labels from 0 to {high - low}"
        return failure.finding(
            "class_out_of_range",
            f"The labels `{name}` are out of range: they go from {low} to {high}, and the model has {count} outputs; "
            f"the classes count from 0, so the largest label allowed is {count - 1}.",
            "A label is the index of an output.",
            fix,
            smallest_label=low,
            largest_label=high,
            outputs=count,
        )
    if target.dtype != torch.long:
        return failure.finding(
            "target_dtype",
            f"The labels `{name}` have the dtype {dtype_of(target)}, but {failure.call.title} takes torch.long.",
            "Class numbers are indices, for which PyTorch has the one dtype.",
            f"{name} = {name}.long()",
            dtype=dtype_of(target),
        )
    return None


def _binary(failure: Failure) -> Finding | None:
    scores, target = failure.call.tensors[:2]
    name = failure.name(target, "y")
    if scores.shape != target.shape:
        fix = (
            f"{name} = {name}.reshape({', '.join(map(str, scores.shape))})" if scores.numel() == target.numel() else ""
        )
        if scores.ndim == target.ndim + 1 and scores.shape[-1] == 1:
            fix = f"{name} = {name}.unsqueeze(-1)"
        return failure.finding(
            "target_shape",
            f"The prediction has the shape {tuple(scores.shape)} and the target `{name}` {tuple(target.shape)}.",
            f"{failure.call.title} takes one number of the target for each of the prediction.",
            fix or "Give prediction and target the same shape.",
            prediction=list(scores.shape),
            target=list(target.shape),
        )
    if not target.is_floating_point() or target.dtype != scores.dtype:
        return failure.finding(
            "target_dtype",
            f"The target `{name}` has the dtype {dtype_of(target)}, the prediction {dtype_of(scores)}.",
            f"{failure.call.title} takes float targets, as they are probabilities.",
            f"{name} = {name}.{'float' if scores.dtype.itemsize == 4 else 'double'}()",
            target=dtype_of(target),
            prediction=dtype_of(scores),
        )
    low, high = float(scores.detach().min()), float(scores.detach().max())
    if failure.call.name == "binary_cross_entropy" and (low < 0.0 or high > 1.0):
        return failure.finding(
            "logits_not_probabilities",
            f"{failure.call.title} (BCELoss) takes probabilities between 0 and 1, but is given numbers from {low:.3g} "
            f"to {high:.3g}: raw scores (logits).",
            "The logarithm of a probability exists only between 0 and 1; a sigmoid makes one of a score.",
            "criterion = torch.nn.BCEWithLogitsLoss()   # takes the scores, and applies the sigmoid itself",
            smallest=low,
            largest=high,
        )
    low, high = float(target.min()), float(target.max())
    if low < 0.0 or high > 1.0:
        return failure.finding(
            "target_out_of_range",
            f"The target `{name}` goes from {low:.3g} to {high:.3g}, but is a probability: between 0 and 1.",
            f"{failure.call.title} takes 0 and 1, or what lies between, for the two classes.",
            f"{name} = ({name} - ({low:g})) / {high - low:g}" if high > low else f"{name} = {name}.clamp(0, 1)",
            smallest=low,
            largest=high,
        )
    return None


def _batch_norm(failure: Failure) -> Finding | None:
    rows = failure.call.tensors[0]
    if rows.numel() != rows.shape[1] or "more than 1 value per channel" not in failure.said:
        return None
    return failure.finding(
        "batch_of_one",
        f"Batch normalisation in training mode is given a batch of one row, of the shape {tuple(rows.shape)}.",
        "One number has no variance to divide by; the last batch of a loader is often smaller than the others.",
        "DataLoader(..., drop_last=True)   # or a batch_size that leaves no single row; for predictions: model.eval()",
        shape=list(rows.shape),
    )


def _layer(failure: Failure) -> Finding | None:
    tensors = failure.call.tensors
    rows, weight = tensors[:2]
    if rows.dtype != weight.dtype:
        name = failure.name(rows, "x")
        turned = {"torch.float32": "float()", "torch.float64": "double()"}.get(
            dtype_of(weight), f"to({dtype_of(weight)})"
        )
        return failure.finding(
            "input_dtype",
            f"The input has the dtype {dtype_of(rows)}, the weights of the layer {dtype_of(weight)}.",
            "NumPy's numbers are float64 (double), the weights of a layer float32, and both must be the same.",
            f"{name} = {name}.{turned}   # and the targets likewise",
            input=dtype_of(rows),
            weights=dtype_of(weight),
        )
    if failure.call.name.startswith("conv") and rows.ndim == weight.ndim:
        groups = failure.call.argument("groups", 6)
        channels = weight.shape[1] * (groups if isinstance(groups, int) else 1)
        if rows.shape[1] != channels:
            last = rows.shape[-1] == channels
            fix = f"torch.nn.Conv{rows.ndim - 2}d({rows.shape[1]}, {weight.shape[0]}, ...)"
            return failure.finding(
                "input_shape",
                f"A convolution of {channels} channels is given {rows.shape[1]}: the shape {tuple(rows.shape)}.",
                "The channels come right after the rows: (rows, channels, height, width) of pictures.",
                "x = x.movedim(-1, 1)   # from channels last, as pictures are read" if last else fix,
                input=list(rows.shape),
                weights=list(weight.shape),
            )
    if failure.call.name == "linear" and rows.ndim and rows.shape[-1] != weight.shape[1]:
        return failure.finding(
            "input_shape",
            f"A Linear layer that takes {weight.shape[1]} numbers a row is given rows of {rows.shape[-1]}: the shape "
            f"{tuple(rows.shape)}.",
            "Its weights are one for each number of a row.",
            f"torch.nn.Linear({rows.shape[-1]}, {weight.shape[0]})   # or x.flatten(1), if a row has several axes",
            input=list(rows.shape),
            weights=list(weight.shape),
        )
    return None


def _backward(failure: Failure) -> Finding | None:
    found = re.search(r"Found dtype (\w+) but expected Float", failure.said)
    if found is None:
        return None
    dtype = {"Double": "float64 (double)", "Long": "int64 (long)"}.get(found[1], found[1].lower())
    return failure.finding(
        "target_dtype",
        f"The target has the dtype {dtype}, the prediction float32, so the loss cannot be differentiated.",
        "NumPy's numbers are float64 or int64, the weights of a layer float32.",
        "y = y.float()   # before the loss",
    )


def _product(failure: Failure) -> Finding | None:
    first, second = [one for one in failure.call.tensors if one.ndim][:2] or (None, None)
    if first is None or second is None or first.dtype == second.dtype:
        return None
    wrong = first if first.dtype != _trained_dtype(failure) else second
    name = failure.name(wrong, "x")
    return failure.finding(
        "input_dtype",
        f"A matrix product is given the dtypes {dtype_of(first)} and {dtype_of(second)}.",
        "NumPy's numbers are float64 (double), PyTorch's parameters float32, and both must be the same.",
        f"{name} = {name}.float()   # and the targets likewise",
        first=dtype_of(first),
        second=dtype_of(second),
    )


def _trained_dtype(failure: Failure) -> object:
    """Return the dtype of what is trained, among the factors of a product."""
    return next((one.dtype for one in failure.call.tensors if one.requires_grad), None)


EXPLANATIONS = (
    (OF_CLASSES, _classes),
    (OF_CHANCES, _binary),
    ({"embedding", "embedding_bag"}, embedding),
    ({"one_hot"}, one_hot),
    ({"batch_norm"}, _batch_norm),
    (LAYERS, _layer),
    ({"backward"}, _backward),
    (INDEXING, index),
    (PRODUCTS, _product),
)
"""Functions, and what explains an error that one of them raised."""
