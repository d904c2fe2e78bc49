"""What a traced function is called with: values that write down what is done with them.

A `Traced` stands for an array of numbers, one axis of which may be the rows of the data. It knows the place on the
tape of each of its cells; along the axis of rows all cells are one: what a formula says of one row it says of all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn, cast

import numpy as np
from numpy.typing import NDArray

from descend.tracing.tape import RAISED, Tape, UntraceableError
from descend.tracing.text import text_of
from descend.tracing.ufuncs import IN_WORDS, OPERATORS, named_functions

Places = NDArray[np.intp]
Cells = int | Places
"""The place of a single cell, or of each cell of an array (whose axis of rows has the length 1)."""

LONGEST_SHOWN = 60
"""Characters of what a message shows of a computation."""


class Traced:
    """An array of symbols.

    cells: where its cells stand on the tape. axis: the axis of rows, counted from the end, or None if there is none.
    """

    __slots__ = ("axis", "cells", "tape")
    __array_priority__ = 1000.0

    def __init__(self, tape: Tape, cells: Cells, axis: int | None) -> None:
        self.tape = tape
        self.cells = cells
        self.axis = axis

    @property
    def places(self) -> Places:
        """The cells as an array of places, with an axis of length 1 for the rows."""
        if isinstance(self.cells, np.ndarray):
            return self.cells
        return np.full((1,) if self.axis is not None else (), self.cells, dtype=np.intp)

    @property
    def shape(self) -> tuple[int, ...]:
        shape = list(self.places.shape)
        if self.axis is not None:
            shape[self.axis] = self.tape.rows
        return tuple(shape)

    @property
    def ndim(self) -> int:
        return self.places.ndim

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    @property
    def dtype(self) -> np.dtype[Any]:
        logical = bool(self.places.size) and self.tape.logical(int(self.places.flat[0]))
        return np.dtype(np.bool_ if logical else np.float64)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """Write down a call of a function that works number by number."""
        name = ufunc.__name__
        if method != "__call__":
            raise UntraceableError(f"calls np.{name}.{method}")
        out = options.pop("out", None)
        if options.pop("where", True) is not True:
            raise UntraceableError(f"calls np.{name} for some rows only")
        result = self._called(name, inputs)
        if out is None:
            return result
        if not isinstance(out[0], Traced):
            raise UntraceableError("writes what depends on the parameters into an array of its own")
        return out[0].become(result)

    def _called(self, name: str, inputs: tuple[Any, ...]) -> Any:
        if name in IN_WORDS:
            return IN_WORDS[name](*inputs)
        operation = OPERATORS.get(name) or named_functions().get(name)
        if operation is None:
            raise UntraceableError(f"calls `{name}`, which formulas do not know")
        return combined(self.tape, operation, *inputs)

    def __array_function__(self, function: Callable[..., Any], types: Any, inputs: Any, options: Any) -> Any:
        """Write down a call of another function of NumPy."""
        if function not in HANDLERS:
            raise UntraceableError(f"calls np.{function.__name__}")
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
        if not self.shape:
            raise TypeError("'float' object is not iterable")
        by_rows = self.axis == -self.ndim
        if by_rows and self.tape.path is None:
            raise UntraceableError("goes through its rows one by one")
        axis = None if by_rows else self.axis
        for cells in self.places:
            yield Traced(self.tape, cells if isinstance(cells, np.ndarray) and cells.ndim else int(cells), axis)

    @property  # type: ignore[misc]
    def __class__(self) -> type:  # what a function may ask of its arguments: they stand for arrays and numbers
        return np.ndarray if self.axis is not None or isinstance(self.cells, np.ndarray) else float

    def __copy__(self) -> Traced:
        return Traced(self.tape, self.cells, self.axis)

    def __deepcopy__(self, memo: object) -> Traced:
        return self.__copy__()

    # What a formula cannot say.

    def __bool__(self) -> bool:
        """Return whether it is to be found true; see `branches`."""
        if self.size != 1 or self.axis is not None:
            raise UntraceableError(f"asks of a whole array whether {self}")
        return self.tape.holds(int(self.places.flat[0]))

    def __float__(self) -> NoReturn:
        raise UntraceableError(f"turns {self} into a plain number")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NoReturn:
        raise UntraceableError(f"turns {self} into a plain array")

    __int__ = __index__ = __complex__ = __float__

    def __hash__(self) -> int:
        raise UntraceableError(f"looks {self} up, as in a dict or a set")

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("object of type 'float' has no len()")
        return self.shape[0]

    # Operators. What changes an array in place changes it wherever it is known, as in NumPy; numbers never change.

    def become(self, result: Traced) -> Traced:
        """Take over the cells of another; of a number, which never changes, return the other."""
        if not self.shape:
            return result
        if result.shape != self.shape:
            raise ValueError(f"non-broadcastable output operand with shape {self.shape}")
        self.cells, self.axis = result.cells, result.axis
        return self


Handler = Callable[..., Any]
HANDLERS: dict[Callable[..., Any], Handler] = {}
"""NumPy's other functions: what each does with traced arrays. The first argument of a handler is the tape."""


def handles(*functions: Callable[..., Any]) -> Callable[[Handler], Handler]:
    """Let the decorated function stand in for functions of NumPy."""

    def register(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(functions, handler))
        return handler

    return register


def combined(tape: Tape, operation: str, *operands: Any) -> Traced:
    """Return the result of an operation on numbers and arrays, cell by cell, broadcast as in NumPy."""
    numbers = [operand if type(operand) is Traced else constant(tape, operand) for operand in operands]
    if all(type(number.cells) is int for number in numbers):
        cells = tape.apply(operation, *(cast(int, number.cells) for number in numbers))
        axis = next((number.axis for number in numbers if number.axis is not None), None)
        return Traced(tape, cells, axis)
    axis = common_axis(tape, numbers)
    arrays = np.broadcast_arrays(*(number.places for number in numbers))
    places = np.empty(arrays[0].shape, dtype=np.intp)
    for at in np.ndindex(places.shape):
        places[at] = tape.apply(operation, *(int(array[at]) for array in arrays))
    return Traced(tape, places, axis)


def common_axis(tape: Tape, numbers: list[Traced]) -> int | None:
    """Return the axis of rows of arrays that are broadcast against each other."""
    axes = {number.axis for number in numbers if number.axis is not None}
    if len(axes) > 1:
        raise UntraceableError("sets each row of the data against every other")
    axis = axes.pop() if axes else None
    for number in numbers:
        if axis is not None and number.axis is None and number.ndim >= -axis and number.places.shape[axis] != 1:
            raise UntraceableError(f"uses an array of {number.places.shape[axis]} numbers with one for each row")
    return axis


def constant(tape: Tape, value: Any) -> Traced:
    """Return numbers that the function brings along as cells of the tape."""
    if isinstance(value, float | int):
        return Traced(tape, tape.number(value), None)
    array = np.asarray(value)
    if array.dtype == object:
        return stacked(tape, array)
    if array.dtype.kind not in "bif" or (array.dtype.kind == "f" and array.dtype.itemsize > 8):
        raise UntraceableError(f"computes with numbers of the type {array.dtype}")
    if array.ndim == 0:
        return Traced(tape, tape.number(float(array)), None)
    places = [tape.number(number) for number in array.ravel().astype(np.float64).tolist()]
    return Traced(tape, np.array(places, dtype=np.intp).reshape(array.shape), None)


def stacked(tape: Tape, array: NDArray[np.object_]) -> Traced:
    """Return an array of objects, some of which are traced numbers, as cells of the tape."""
    raise UntraceableError("puts its arguments into an array")


def _operator(operation: str) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    def forward(self: Traced, other: Any) -> Any:
        return combined(self.tape, operation, self, other) if _known(other) else NotImplemented

    def backward(self: Traced, other: Any) -> Any:
        return combined(self.tape, operation, other, self) if _known(other) else NotImplemented

    def in_place(self: Traced, other: Any) -> Any:
        return self.become(combined(self.tape, operation, self, other)) if _known(other) else NotImplemented

    return forward, backward, in_place


def _known(other: Any) -> bool:
    return isinstance(other, Traced | float | int | np.ndarray | np.generic | list | tuple)


for _name, _operation in (("add", "+"), ("sub", "-"), ("mul", "*"), ("truediv", "/"), ("pow", "^"), ("mod", "mod")):
    _forward, _backward, _in_place = _operator(_operation)
    setattr(Traced, f"__{_name}__", _forward)
    setattr(Traced, f"__r{_name}__", _backward)
    setattr(Traced, f"__i{_name}__", _in_place)
for _name, _operation in (("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">="), ("eq", "=="), ("ne", "!=")):
    setattr(Traced, f"__{_name}__", _operator(_operation)[0])
for _name, _operation in (("and", "and"), ("or", "or")):
    _forward, _backward, _in_place = _operator(_operation)
    setattr(Traced, f"__{_name}__", _forward)
    setattr(Traced, f"__r{_name}__", _backward)
    setattr(Traced, f"__i{_name}__", _in_place)


def _unary(operation: str) -> Callable[[Traced], Traced]:
    return lambda self: combined(self.tape, operation, self)


for _name, _operation in (("neg", "neg"), ("abs", "abs"), ("invert", "not")):
    setattr(Traced, f"__{_name}__", _unary(_operation))
setattr(Traced, "__pos__", lambda self: self)  # noqa: B010 - like its neighbours
