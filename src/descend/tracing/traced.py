"""What a traced function is called with: values that write down what is done with them.

A `Traced` stands for an array of numbers, one axis of which may be the rows of the data. It knows the place on the
tape of each of its cells; along the axis of rows all cells are one: what a formula says of one row it says of all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from descend.tracing.tape import RAISED, Tape, UntraceableError, Value
from descend.tracing.text import text_of
from descend.tracing.ufuncs import operation_of

Places = NDArray[np.intp]
Cells = int | Places
"""The place of a single cell, or of each cell of an array (whose axis of rows has the length 1)."""

LONGEST_SHOWN = 60
"""Characters of what a message shows of a computation."""


class Traced:
    """An array of symbols.

    cells: where its cells stand on the tape. axis: the axis of rows, counted from the end, or None if there is none.
    What is known under two names, or seen through a view, shares its cells, so that a change in place shows in all.
    """

    __slots__ = ("axis", "cells", "tape")
    __array_priority__ = 1000.0
    mask: int | None = None
    """The place of the condition of the rows that it holds; None if it holds all."""

    def __init__(self, tape: Tape, cells: Cells, axis: int | None) -> None:
        self.tape = tape
        self.cells = cells
        self.axis = axis

    @property
    def places(self) -> Places:
        """The cells as an array of places, with an axis of length 1 for the rows."""
        if type(self.cells) is int:
            return np.full((1,) if self.axis is not None else (), self.cells, dtype=np.intp)
        return self.cells  # type: ignore[return-value]

    def shared(self) -> Places:
        """Return its cells as an array that is its own from now on, to make views of."""
        if type(self.cells) is int:
            if self.axis is None:
                return self.places  # a number, which never changes
            self.cells = self.places
        return self.cells  # type: ignore[return-value]

    def view(self, places: Places | np.intp, axis: int | None) -> Traced:
        """Return an array that shares cells with this one, and holds the same rows."""
        if axis is not None and self.mask is not None:
            return Chosen(self.tape, places, axis, self.mask)  # type: ignore[arg-type]
        return Traced(self.tape, places if isinstance(places, np.ndarray) and places.ndim else int(places), axis)

    @property
    def shape(self) -> tuple[int, ...]:
        shape = list(self.places.shape)
        if self.axis is not None:
            shape[self.axis] = self.rows
        return tuple(shape)

    @property
    def rows(self) -> int:
        """How many rows it has. Raises UntraceableError if that depends on the data."""
        if self.mask is not None:
            raise UntraceableError(f"counts the rows where {Traced(self.tape, self.mask, None)}")
        return self.tape.rows

    @property
    def ndim(self) -> int:
        return int(self.axis is not None) if type(self.cells) is int else self.cells.ndim  # type: ignore[union-attr]

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    @property
    def logical(self) -> bool:
        """Whether its cells are true or false."""
        own_places = self.places
        return bool(own_places.size) and int(own_places.flat[0]) in self.tape.truths

    @property
    def dtype(self) -> np.dtype[Value]:
        return np.dtype(np.bool_ if self.logical else np.float64)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Value, **options: Value) -> Value:
        """Write down a call of a function that works number by number."""
        operation = operation_of(ufunc)
        if method != "__call__":
            return METHODS_OF_UFUNCS[method](self.tape, ufunc, *inputs, **options)
        if options:
            return OPTIONS_OF_UFUNCS[0](self.tape, ufunc, inputs, **options)
        if type(operation) is str:
            if len(inputs) == 1 and type(self.cells) is int:
                return Traced(self.tape, self.tape.unary(operation, self.cells), self.axis)
            return combined(self.tape, operation, *inputs)
        return operation(*inputs)  # type: ignore[operator]

    def __array_function__(self, function: Callable[..., Value], types: Value, inputs: Value, options: Value) -> Value:
        """Write down a call of another function of NumPy."""
        if function not in HANDLERS:
            raise UntraceableError(f"calls {function.__module__.replace('numpy', 'np', 1)}.{function.__name__}")
        return HANDLERS[function](self.tape, *inputs, **options)

    def __repr__(self) -> str:
        outer = RAISED.set(None)  # what cannot be written here may well be part of a formula
        try:
            text = text_of(self.tape.entries, int(self.places.flat[0])) if self.places.size else "nothing"
            return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 4]} ..."
        except UntraceableError:
            return "what it computed"
        finally:
            RAISED.reset(outer)

    def __format__(self, form: str) -> str:
        """Return its text: what a function prints of its parameters is no reason to stop."""
        return repr(self)

    def __iter__(self) -> Iterator[Traced]:
        """Yield what stands along the first axis; of rows, any one, which stands for each."""
        if not self.ndim:
            raise TypeError("'float' object is not iterable")
        by_rows = self.axis == -self.ndim
        if by_rows:
            if self.tape.path is None:
                raise UntraceableError("goes through its rows one by one")
            self.tape.path.by_rows = True
        for cells in self.shared():
            yield self.view(cells, None if by_rows else self.axis)

    @property  # type: ignore[misc]
    def __class__(self) -> type:  # what a function may ask of its arguments: they stand for arrays and numbers
        return np.ndarray if self.ndim else float

    def __copy__(self) -> Traced:
        own_places = self.places
        return self.view(own_places.copy() if own_places.ndim else own_places[()], self.axis)

    def __deepcopy__(self, memo: object) -> Traced:
        return self.__copy__()

    # What a formula cannot say.

    def __bool__(self) -> bool:
        """Return whether it is to be found true; see `branches`."""
        if self.axis is not None or self.places.size != 1:
            raise UntraceableError(f"asks of a whole array whether {self}")
        return self.tape.holds(int(self.places.flat[0]))

    def __float__(self) -> NoReturn:
        raise UntraceableError(f"turns {self} into a plain number")

    @property
    def __array__(self) -> Callable[..., NoReturn]:
        if not self.ndim:
            raise AttributeError("NumPy puts numbers that it does not know into arrays of objects")
        raise UntraceableError(f"turns {self} into a plain array")

    def __getattr__(self, name: str) -> Callable[[], Traced]:
        """Return the method that NumPy calls for a function of an array of objects, as `exp` for numpy.exp."""
        function = getattr(np, name, None)
        if isinstance(function, np.ufunc) and function.nin == 1:
            return lambda: function(self)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    __int__ = __index__ = __complex__ = __float__

    def __hash__(self) -> int:
        raise UntraceableError(f"looks {self} up, as in a dict or a set")

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("object of type 'float' has no len()")
        return self.shape[0]

    # Operators. What changes an array in place changes it wherever it is known, as in NumPy; numbers never change.

    def become(self, result: Traced) -> Traced:
        """Take over the cells of another; of a number, which never changes, return the other."""
        if not self.ndim:
            return result
        places = result.places
        fits = result.axis in (None, self.axis) and (result.axis is None or result.mask == self.mask)
        if not fits or np.broadcast_shapes(places.shape, self.places.shape) != self.places.shape:
            raise ValueError(f"non-broadcastable output operand with shape {result.places.shape}")
        convert = self.tape.truth if self.logical else self.tape.numeric
        if type(self.cells) is int:
            self.cells = convert(int(places.flat[0]))
        else:
            self.cells[...] = np.reshape([convert(each) for each in places.ravel().tolist()], places.shape)  # type: ignore[index]
        return self


class Chosen(Traced):
    """An array of those rows of the data where a condition holds, as x[x > 0] is."""

    __slots__ = ("mask",)

    def __init__(self, tape: Tape, cells: Cells, axis: int, mask: int) -> None:
        super().__init__(tape, cells, axis)
        self.cells = self.places  # never a single one, which operators would take for one of every row
        self.mask = mask


Handler = Callable[..., Value]
SomeHandler = TypeVar("SomeHandler", bound=Handler)
HANDLERS: dict[Callable[..., Value], Handler] = {}
"""NumPy's other functions: what each does with traced arrays. The first argument of a handler is the tape."""
METHODS_OF_UFUNCS: dict[str, Handler] = {}
"""What `reduce`, `outer` and the like do; they get the tape and the function first."""
OPTIONS_OF_UFUNCS: list[Handler] = []
"""What calls a function of numbers with `out` or `where`."""
OTHERS: list[tuple[Callable[[Value], bool], Handler]] = []
"""Operands other than real numbers: what tells them, and what combines them, in place of `combined`."""


def handles(*functions: Callable[..., Value], method: str | None = None) -> Callable[[SomeHandler], SomeHandler]:
    """Let the decorated function stand in for functions of NumPy, and for a method of arrays."""

    def register(handler: SomeHandler) -> SomeHandler:
        HANDLERS.update(dict.fromkeys(functions, handler))
        if method is not None:
            setattr(Traced, method, lambda self, *arguments, **options: handler(self.tape, self, *arguments, **options))
        return handler

    return register


def traced(tape: Tape, array_places: Places, axis: int | None, mask: int | None = None) -> Traced:
    """Return a new array with cells at given places, of the rows where the condition at `mask` holds."""
    if mask is not None and axis is not None:
        return Chosen(tape, array_places, axis, mask)
    single = array_places.size == 1 and array_places.ndim == (axis is not None)
    return Traced(tape, int(array_places.flat[0]) if single else array_places, axis)


def combined(tape: Tape, operation: str, *operands: Value) -> Traced:
    """Return the result of an operation on numbers and arrays, cell by cell, broadcast as in NumPy."""
    numbers = []
    for operand in operands:
        if type(operand) is not Traced:
            for tells, combine in OTHERS:
                if tells(operand):
                    return combine(tape, operation, *operands)  # type: ignore[no-any-return]
            operand = as_traced(tape, operand)
        numbers.append(operand)
    single = [number.cells for number in numbers if type(number.cells) is int]
    if len(single) == len(numbers):
        cells = tape.apply(operation, *single)
        axis = next((number.axis for number in numbers if number.axis is not None), None)
        return Traced(tape, cells, axis)
    axis, mask = common_rows(numbers)
    arrays = np.broadcast_arrays(*(number.places for number in numbers))
    refuse_size(arrays[0].size)
    places = [tape.apply(operation, *cells) for cells in zip(*(each.ravel().tolist() for each in arrays), strict=True)]
    return traced(tape, np.array(places, dtype=np.intp).reshape(arrays[0].shape), axis, mask)


def common_rows(numbers: list[Traced]) -> tuple[int | None, int | None]:
    """Return the axis of rows of arrays that are broadcast against each other, and which rows these are."""
    with_rows = [number for number in numbers if number.axis is not None]
    if len({number.axis for number in with_rows}) > 1:
        raise UntraceableError("sets each row of the data against every other")
    axis = with_rows[0].axis if with_rows else None
    masks = {number.mask for number in with_rows}
    if len(masks) > 1:
        raise UntraceableError("computes with the rows of two different choices at once")
    for number in numbers:
        if axis is not None and number.axis is None and number.ndim >= -axis and number.places.shape[axis] != 1:
            raise UntraceableError(f"uses an array of {number.places.shape[axis]} numbers with one for each row")
    return axis, masks.pop() if masks else None


LARGEST = 4096
"""Cells of an array: no formula that anybody can read has more parts."""


def refuse_size(cells: int) -> None:
    """Raise UntraceableError if an array has too many cells."""
    if cells > LARGEST:
        raise UntraceableError(f"computes {cells:,} numbers for each row, too many for a formula")


def as_traced(tape: Tape, value: Value) -> Traced:
    """Return numbers that a function brings along as cells of the tape; traced ones as they are."""
    if isinstance(value, Traced):
        return value
    if isinstance(value, float | int):
        return Traced(tape, constant(tape, value), None)
    if type(value) in (list, tuple) and any(_has_traced(each) for each in value):
        return listed(tape, value)
    array = np.asarray(value)
    refuse_size(array.size)
    if array.dtype == object:
        return stacked(tape, array)
    if array.dtype.kind not in "biuf" or (array.dtype.kind == "f" and array.dtype.itemsize != 8):
        raise UntraceableError(f"computes with numbers of the type {array.dtype}")
    constant_places = [constant(tape, number) for number in array.ravel().tolist()]
    return traced(tape, np.array(constant_places, dtype=np.intp).reshape(array.shape), None)


def constant(tape: Tape, value: float) -> int:
    """Return the place of a number, or of a truth value, that the function brings along."""
    return tape.logical_constant(bool(value)) if type(value) is bool else tape.number(value)


def _has_traced(value: Value) -> bool:
    return isinstance(value, Traced) or (type(value) in (list, tuple) and any(map(_has_traced, value)))


def listed(tape: Tape, members: Value) -> Traced:
    """Return the members of a list as one array, along a new first axis, as numpy.array does."""
    members_traced = [as_traced(tape, member) for member in members]
    shapes = {member_traced.shape for member_traced in members_traced}
    if len(shapes) > 1:
        raise ValueError("setting an array element with a sequence: the members differ in shape")
    axis, mask = common_rows(members_traced)
    return traced(tape, np.stack([member_traced.places for member_traced in members_traced]), axis, mask)


def stacked(tape: Tape, array: NDArray[np.object_]) -> Traced:
    """Return an array of objects, some of which are traced numbers, as cells of the tape."""
    members = [as_traced(tape, member) for member in array.ravel().tolist()]
    if any(part.ndim for part in members):
        raise UntraceableError("puts arrays into the cells of an array")
    return traced(tape, np.array([int(part.places) for part in members], dtype=np.intp).reshape(array.shape), None)
