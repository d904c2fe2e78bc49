"""Traced arrays are indexed, broadcast, reshaped and reduced as NumPy does it, whatever the shapes."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from descend.tracing.tape import Tape, UntraceableError
from descend.tracing.traced import Traced, as_traced

ROWS = 7
SHAPES = arrays.array_shapes(min_dims=1, max_dims=3, max_side=3)


@st.composite
def traced_arrays(draw, shapes=SHAPES):
    """Return a traced array of different symbols, and an array that holds the number of each in its place."""
    shape = list(draw(shapes))
    axis = draw(st.integers(0, len(shape) - 1)) if draw(st.booleans()) else None
    if axis is not None:
        shape[axis] = 1
    tape = Tape(ROWS)
    kind = "parameter" if axis is None else "column"
    places = np.array([tape.add((kind, f"v{number}")) for number in range(int(np.prod(shape)))]).reshape(shape)
    return as_array(tape, places, None if axis is None else axis - len(shape))


def as_array(tape, places, axis):
    shape = list(places.shape)
    if axis is not None:
        shape[axis] = ROWS
    numbers = np.array(np.broadcast_to(places, shape)).astype(float)
    traced = Traced(tape, int(places[0]) if places.shape == (1,) and axis is not None else places, axis)
    return traced, numbers


def plain(traced):
    """Return what a traced array stands for, where the number of a symbol is its value."""
    tape = traced.tape
    values = []
    for operation, *operands in tape.entries:
        parts = [values[operand] for operand in operands if isinstance(operand, int)]
        match operation:
            case "number":
                values.append(operands[0])
            case "true" | "false":
                values.append(operation == "true")
            case "parameter" | "column":
                values.append(float(operands[0][1:]))
            case "where":
                values.append(parts[1] if parts[0] else parts[2])
            case "neg":
                values.append(-parts[0])
            case "+" | "-" | "*" | "<" | "==" | "max" | "!=" | "or":
                function = {"+": np.add, "-": np.subtract, "*": np.multiply, "<": np.less, "==": np.equal}
                function |= {"max": np.maximum, "!=": np.not_equal, "or": np.logical_or}
                values.append(function[operation](*parts))
            case _:
                raise AssertionError(operation)
    shape = traced.shape
    return np.broadcast_to(np.array(values, dtype=float)[traced.places], shape)


INDEX = st.one_of(
    st.integers(-3, 2), st.none(), st.just(...), st.slices(3), st.just(slice(None)), st.lists(st.integers(-2, 1))
)


@settings(max_examples=100, deadline=None)
@given(traced_arrays(), st.lists(INDEX, min_size=1, max_size=4))
def test_an_index_picks_what_it_picks_in_numpy(arrays, index):
    traced, numbers = arrays
    try:
        expected = numbers[tuple(index)]
    except IndexError:
        with pytest.raises((IndexError, UntraceableError)):
            _ = traced[tuple(index)]
        return
    try:
        found = traced[tuple(index)]
    except UntraceableError:
        assert traced.axis is not None
        return
    assert found.shape == expected.shape
    np.testing.assert_array_equal(plain(found), expected)


@settings(max_examples=100, deadline=None)
@given(traced_arrays(), st.lists(INDEX, min_size=1, max_size=3), st.booleans())
def test_an_index_sets_what_it_sets_in_numpy(arrays, index, added):
    traced, numbers = arrays
    index = tuple(index)
    with contextlib.suppress(IndexError):
        try:
            if added:
                traced[index] += 100.0
            else:
                traced[index] = 100.0
        except UntraceableError:
            assert traced.axis is not None
            return
        if added:
            numbers[index] += 100.0
        else:
            numbers[index] = 100.0
    np.testing.assert_array_equal(plain(traced), numbers)


@settings(max_examples=60, deadline=None)
@given(traced_arrays(), st.data())
def test_a_view_shares_its_cells(arrays, data):
    traced, numbers = arrays
    index = tuple(data.draw(st.lists(st.one_of(st.none(), st.just(slice(None)), st.integers(0, 0)), max_size=3)))
    try:
        view, part = traced[index], numbers[index]
    except (IndexError, UntraceableError):
        assume(False)
    assume(part.ndim)
    view -= 3.0
    part -= 3.0
    np.testing.assert_array_equal(plain(traced), numbers)
    transposed, other = traced.T, numbers.T
    transposed *= 2.0
    other *= 2.0
    np.testing.assert_array_equal(plain(traced), numbers)


@settings(max_examples=60, deadline=None)
@given(traced_arrays(), st.data())
def test_arrays_are_broadcast_as_in_numpy(arrays, data):
    traced, numbers = arrays
    constant = np.arange(1.0, 28.0)[: int(np.prod(shape := data.draw(SHAPES)))].reshape(shape)
    try:
        expected = numbers * constant - numbers
    except ValueError:
        with pytest.raises((ValueError, UntraceableError)):
            traced * constant - traced
        return
    try:
        found = traced * constant - traced
    except UntraceableError:
        assert traced.axis is not None
        return
    assert found.shape == expected.shape
    np.testing.assert_array_equal(plain(found), expected)


REDUCTIONS = [np.sum, np.prod, np.max, np.any, np.mean, np.cumsum, np.diff]


@settings(max_examples=60, deadline=None)
@given(traced_arrays(), st.sampled_from(REDUCTIONS), st.integers(-3, 2), st.booleans())
def test_arrays_are_reduced_as_in_numpy(arrays, function, axis, keepdims):
    traced, numbers = arrays
    options = {"keepdims": True} if keepdims and function not in (np.cumsum, np.diff) else {}
    if not -numbers.ndim <= axis < numbers.ndim:
        with pytest.raises(ValueError, match="out of bounds"):
            function(traced, axis=axis, **options)
    elif traced.axis is not None and axis % numbers.ndim == traced.ndim + traced.axis:
        with pytest.raises(UntraceableError, match="row"):
            function(traced, axis=axis, **options)
    elif function is not np.mean:
        expected = function(numbers, axis=axis, **options)
        if expected.size:
            found = function(traced, axis=axis, **options)
            assert found.shape == expected.shape
            np.testing.assert_array_equal(plain(found), expected)


@settings(max_examples=60, deadline=None)
@given(traced_arrays(), st.data())
def test_arrays_are_put_into_shape_as_in_numpy(arrays, data):
    traced, numbers = arrays
    order = data.draw(st.permutations(range(numbers.ndim)))
    lengths = data.draw(st.permutations([*numbers.shape, 1]))
    along = data.draw(st.sampled_from(range(numbers.ndim)))
    for function in (
        lambda array: array.transpose(order),
        lambda array: array.reshape(lengths),
        lambda array: array.ravel(),
        lambda array: np.squeeze(array),
        lambda array: np.expand_dims(array, 1),
        lambda array: np.stack([array, array + 1.0], axis=-1),
        lambda array: np.atleast_2d(array),
        lambda array: np.concatenate([array, 2.0 * array], axis=along),
    ):
        try:
            found = function(traced)
        except UntraceableError:
            assert traced.axis is not None
            continue
        expected = function(numbers)
        assert found.shape == expected.shape
        np.testing.assert_array_equal(plain(found), expected)


def test_lists_with_symbols_become_arrays():
    tape = Tape(ROWS)
    a = Traced(tape, tape.add(("parameter", "v0")), None)
    assert as_traced(tape, [[a, 1.0], [2.0, a]]).shape == (2, 2)
    assert np.exp(np.array([a, a])).shape == (2,)
    with pytest.raises(ValueError, match="the members differ in shape"):
        as_traced(tape, [a, [a, a]])
