"""Indices that point beyond what they index: words of an embedding, labels, entries of an axis."""

from __future__ import annotations

from descend.doctor.checks.failure import Failure, dtype_of
from descend.doctor.finding import Finding

INDEXING = {"gather", "__getitem__", "index_select", "take_along_dim", "scatter", "scatter_"}


def from_zero(name: str, low: int) -> str:
    """Return the line that makes numbers begin at 0 whose least is ``low``.

    >>> from_zero("labels", 1), from_zero("labels", -1)
    ('labels = labels - 1', 'labels = labels + 1')
    """
    return f"{name} = {name} {'-' if low > 0 else '+'} {abs(low)}"


def embedding(failure: Failure) -> Finding | None:
    """Explain what was wrong with the indices of an embedding."""
    rows, table = failure.call.tensors[:2]
    name = failure.name(rows, "tokens")
    if rows.is_floating_point():
        return failure.finding(
            "index_dtype",
            f"The indices `{name}` of an embedding have the dtype {dtype_of(rows)}, not torch.long.",
            "An index is a whole number: the row of the table to take.",
            f"{name} = {name}.long()",
            dtype=dtype_of(rows),
        )
    low, high, count = int(rows.min()), int(rows.max()), len(table)
    if low >= 0 and high < count:
        return None
    fix = f"torch.nn.Embedding({high + 1}, {table.shape[1]})   # one row more than the largest index"
    if low and high - low < count:
        fix = f"{from_zero(name, low)}   # indices count from 0"
    return failure.finding(
        "index_out_of_range",
        f"The indices `{name}` of an embedding are out of range: they go from {low} to {high}, and its table has "
        f"{count} rows, 0 to {count - 1}.",
        "Indices count from 0, so a table needs one row more than the largest index.",
        fix,
        smallest_index=low,
        largest_index=high,
        rows=count,
    )


def one_hot(failure: Failure) -> Finding | None:
    """Explain what was wrong with the labels that `one_hot` was given."""
    labels = failure.call.tensors[0]
    name = failure.name(labels, "labels")
    if labels.is_floating_point() or labels.dtype.itemsize < 8:
        return failure.finding(
            "target_dtype",
            f"`one_hot` takes integers of the dtype torch.long, and `{name}` has {dtype_of(labels)}.",
            "A label is the index of the entry that is 1.",
            f"{name} = {name}.long()",
            dtype=dtype_of(labels),
        )
    low, high = int(labels.min()), int(labels.max())
    args = failure.call.args
    count = failure.call.kwargs.get("num_classes", args[1] if len(args) > 1 else -1)
    return failure.finding(
        "class_out_of_range",
        f"The labels `{name}` of `one_hot` are out of range: they go from {low} to {high}, and there are {count} "
        "classes, which count from 0.",
        "A label is the index of the entry that is 1.",
        f"{name} = {name} - {low}" if low else f"torch.nn.functional.one_hot({name}, {high + 1})",
        smallest_label=low,
        largest_label=high,
    )


def index(failure: Failure) -> Finding | None:
    """Explain an index beyond the end of an axis: mostly a label, which is to pick the score of its class."""
    import torch

    source, *others = failure.call.tensors
    args = [one for arg in failure.call.args[1:] for one in (arg if isinstance(arg, tuple) else (arg,))]
    placed = [(axis, one) for axis, one in enumerate(args) if isinstance(one, torch.Tensor)]
    if failure.call.name != "__getitem__":
        dim = failure.call.kwargs.get("dim", args[0] if args else 0)
        placed = [(dim, one) for one in others if not one.is_floating_point()] if isinstance(dim, int) else []
    for axis, given in placed:
        if given.is_floating_point() or given.dtype == torch.bool or not given.numel() or axis >= source.ndim:
            continue
        low, high, count = int(given.min()), int(given.max()), source.shape[axis]
        if -count * (failure.call.name == "__getitem__") <= low and high < count:
            continue
        name = failure.name(given, "labels")
        fix = f"{name} = {name} - {low}   # indices from 0 to {high - low}" if low > 0 and high - low < count else ""
        return failure.finding(
            "class_out_of_range" if source.is_floating_point() else "index_out_of_range",
            f"The indices `{name}` are out of range: they go from {low} to {high}, and dimension {axis} of what they "
            f"pick from has {count} entries, 0 to {count - 1}.",
            "Indices, such as labels that pick the score of a class, count from 0.",
            fix or f"{high + 1} entries in dimension {axis}, one more than the largest index; or indices that fit",
            smallest_index=low,
            largest_index=high,
            entries=count,
        )
    return None
