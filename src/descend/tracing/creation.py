"""Arrays like others: filled with numbers, of the same shape."""

from __future__ import annotations

import copy

import numpy as np

from descend.tracing.tape import Tape, UntraceableError, Value
from descend.tracing.traced import Traced, as_traced, combined, constant, handles, traced


@handles(np.zeros_like, np.empty_like)
def _zeros_like(tape: Tape, prototype: Traced, dtype: Value = None, **options: Value) -> Traced:
    return _like(tape, prototype, 0.0, dtype, **options)


@handles(np.ones_like)
def _ones_like(tape: Tape, a: Traced, dtype: Value = None, **options: Value) -> Traced:
    return _like(tape, a, 1.0, dtype, **options)


@handles(np.full_like)
def _full_like(tape: Tape, a: Value, fill_value: Value, dtype: Value = None, **options: Value) -> Value:
    a = as_traced(tape, a)
    if type(fill_value) not in (float, int, bool):  # what is traced, or an array
        filled = combined(tape, "+", _like(tape, a, 0.0, None, **options), fill_value)
        return cast(tape, filled, a.dtype if dtype is None else dtype)
    return _like(tape, a, fill_value, dtype, **options)


def _like(tape: Tape, a: Traced, value: float, dtype: Value, **options: Value) -> Traced:
    if options.get("shape") is not None:
        raise UntraceableError("makes an array of a shape of its own")
    kind = _kind(a.dtype if dtype is None else dtype)
    constant_place = tape.number(value) if kind == "f" else constant(tape, bool(value))
    return traced(tape, np.full(a.places.shape, constant_place, dtype=np.intp), a.axis, a.mask)


def cast(tape: Tape, array: Traced, dtype: Value, *_: Value, **__: Value) -> Traced:
    """Return a copy as numbers, or as truth values. Raises UntraceableError of other types."""
    kind = _kind(dtype)
    convert = tape.truth if kind == "b" else tape.numeric
    converted_places = np.array([convert(tape_place) for tape_place in array.places.ravel().tolist()], dtype=np.intp)
    return traced(tape, converted_places.reshape(array.places.shape), array.axis, array.mask)


def _kind(dtype: Value) -> str:
    kind = np.dtype(dtype)
    if kind not in (np.dtype(np.float64), np.dtype(np.bool_)):
        raise UntraceableError(f"computes with numbers of the type {kind}")
    return kind.kind


@handles(np.copy, method="copy")
def _copy(tape: Tape, a: Value, order: str = "K", subok: bool = False) -> Traced:
    return copy.copy(as_traced(tape, a))


handles(np.real, np.real_if_close, method="conj")(lambda tape, val, **_: val)
handles(np.imag)(lambda tape, val: _like(tape, val, 0.0, None))
handles(np.iscomplexobj)(lambda tape, x: False)
handles(np.isrealobj)(lambda tape, x: True)
handles(np.result_type, np.common_type)(lambda tape, *_: np.dtype(float))
Traced.real = property(lambda self: self)  # type: ignore[attr-defined]
Traced.imag = property(lambda self: _like(self.tape, self, 0.0, None))  # type: ignore[attr-defined]


@handles(method="item")
def _item(tape: Tape, array: Traced) -> Traced:
    if array.size != 1:
        raise ValueError("can only convert an array of size 1 to a Python scalar")
    return Traced(tape, int(array.places.flat[0]), None)


@handles(method="fill")
def _fill(tape: Tape, array: Traced, value: Value) -> None:
    array.become(as_traced(tape, value))
