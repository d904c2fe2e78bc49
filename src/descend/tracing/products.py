"""Products of arrays that are summed along axes: matrices, dot products, einsum."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from descend.tracing.sums import SUM, total
from descend.tracing.tape import Tape, UntraceableError, Value
from descend.tracing.traced import Traced, as_traced, combined, handles, traced
from descend.tracing.ufuncs import in_words

Labels = Sequence[object]
"""A name for each axis of an array; axes of one name go together."""


def contracted(tape: Tape, operands: Sequence[Value], labels: Sequence[Labels], result: Labels) -> Value:
    """Return the product of arrays, summed along every axis whose name is not one of the result's."""
    arrays = [as_traced(tape, operand) for operand in operands]
    names = [*result, *dict.fromkeys(name for each in labels for name in each if name not in result)]
    product = None
    for array, axis_labels in zip(arrays, labels, strict=True):
        aligned = _aligned(array, axis_labels, names)
        product = aligned if product is None else combined(tape, "*", product, aligned)
    summed = tuple(range(len(result), len(names)))
    return total(tape, product, summed) if summed else product


def _aligned(array: Traced, axis_labels: Labels, names: Labels) -> Traced:
    """Return an array whose axes are in the order of names, of length 1 where it has none of a name."""
    if len(axis_labels) != array.ndim:
        raise ValueError(f"an array of {array.ndim} axes is used as one of {len(axis_labels)}")
    if len(set(axis_labels)) < len(axis_labels):
        raise UntraceableError("takes the diagonal of an array")
    order = [axis_labels.index(name) for name in names if name in axis_labels]
    aligned_places = array.places.transpose(order)
    aligned_places = aligned_places[tuple(slice(None) if name in axis_labels else None for name in names)]
    axis = None if array.axis is None else names.index(axis_labels[array.ndim + array.axis]) - len(names)
    return traced(array.tape, np.array(aligned_places), axis, array.mask)


@in_words("matmul")
def matmul(left_matrix: Value, right_matrix: Value) -> Value:
    """Return the product of matrices, or of a matrix and a vector."""
    tape = next(each.tape for each in (left_matrix, right_matrix) if isinstance(each, Traced))
    left_matrix, right_matrix = as_traced(tape, left_matrix), as_traced(tape, right_matrix)
    if not left_matrix.ndim or not right_matrix.ndim:
        raise ValueError("matmul: Input operand does not have enough dimensions")
    stack = max(left_matrix.ndim, right_matrix.ndim, 2) - 2
    outer = [f"stack {stack_number}" for stack_number in range(stack)]
    left: Labels = ["sum"] if left_matrix.ndim == 1 else [*outer[stack - left_matrix.ndim + 2 :], "row", "sum"]
    right: Labels = ["sum"] if right_matrix.ndim == 1 else [*outer[stack - right_matrix.ndim + 2 :], "sum", "column"]
    result = [*outer, *(["row"] if left_matrix.ndim > 1 else []), *(["column"] if right_matrix.ndim > 1 else [])]
    _refuse_lengths(left_matrix, -1, right_matrix, 0 if right_matrix.ndim == 1 else -2)
    return contracted(tape, (left_matrix, right_matrix), (left, right), result)


def _refuse_lengths(left_array: Traced, axis: int, right_array: Traced, along: int) -> None:
    """Raise an error unless axes of two arrays, along which a product is summed, are of one length."""
    if any(
        array.axis is not None and at % array.ndim == array.ndim + array.axis
        for array, at in ((left_array, axis), (right_array, along))
    ):
        raise UntraceableError(SUM)
    lengths = left_array.places.shape[axis], right_array.places.shape[along]
    if lengths[0] != lengths[1]:
        raise ValueError(f"axes of the lengths {lengths[0]} and {lengths[1]} cannot be summed together")


@handles(np.dot, method="dot")
def _dot(tape: Tape, a: Value, b: Value, out: None = None) -> Value:
    a, b = as_traced(tape, a), as_traced(tape, b)
    if not a.ndim or not b.ndim:
        return combined(tape, "*", a, b)
    return _tensordot(tape, a, b, ((a.ndim - 1,), (max(b.ndim - 2, 0),)))


@handles(np.inner)
def _inner(tape: Tape, a: Value, b: Value) -> Value:
    a, b = as_traced(tape, a), as_traced(tape, b)
    if not a.ndim or not b.ndim:
        return combined(tape, "*", a, b)
    return _tensordot(tape, a, b, ((a.ndim - 1,), (b.ndim - 1,)))


@handles(np.vdot)
def _vdot(tape: Tape, a: Value, b: Value) -> Value:
    a, b = as_traced(tape, a), as_traced(tape, b)
    if a.ndim > 1 or b.ndim > 1:
        raise UntraceableError("calls np.vdot of arrays of several axes")
    return _tensordot(tape, a, b, 1)


@handles(np.tensordot)
def _tensordot(tape: Tape, a: Value, b: Value, axes: Value = 2) -> Value:
    a, b = as_traced(tape, a), as_traced(tape, b)
    if isinstance(axes, int):
        axes = range(a.ndim - axes, a.ndim), range(axes)
    ours, theirs = ([axis] if isinstance(axis, int) else list(axis) for axis in axes)
    left, right = [f"left {axis}" for axis in range(a.ndim)], [f"right {axis}" for axis in range(b.ndim)]
    for left_axis, right_axis in zip(ours, theirs, strict=True):
        _refuse_lengths(a, left_axis, b, right_axis)
        right[right_axis] = left[left_axis]
    shared = set(left) & set(right)
    return contracted(tape, (a, b), (left, right), [name for name in (*left, *right) if name not in shared])


@handles(np.outer)
def _outer(tape: Tape, a: Value, b: Value, out: None = None) -> Value:
    a, b = as_traced(tape, a), as_traced(tape, b)
    if a.ndim > 1 or b.ndim > 1:
        raise UntraceableError("calls np.outer of arrays of several axes")
    left, right = ["left"][: a.ndim], ["right"][: b.ndim]
    return contracted(tape, (a, b), (left, right), [*left, *right])


@handles(np.einsum)
def _einsum(tape: Tape, subscripts: Value, *operands: Value, **_: Value) -> Value:
    if not isinstance(subscripts, str) or "." in subscripts:
        raise UntraceableError("calls np.einsum with other than letters")
    label_texts, arrow, result = subscripts.replace(" ", "").partition("->")
    labels = label_texts.split(",")
    if not arrow:
        result = "".join(sorted(letter for letter in set(label_texts) - {","} if label_texts.count(letter) == 1))
    return contracted(tape, operands, labels, result)


setattr(Traced, "__matmul__", matmul)  # noqa: B010 - as operators are set
setattr(Traced, "__rmatmul__", lambda one, other: matmul(other, one))  # noqa: B010
