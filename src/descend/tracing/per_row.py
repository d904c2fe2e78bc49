"""Functions of plain numbers that NumPy calls with each row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np

from descend.tracing.array_of_lists import array_of, tape_of
from descend.tracing.branches import explored
from descend.tracing.tape import Tape, UntraceableError, Value
from descend.tracing.traced import Traced, common_rows, traced


class PerRow:
    """A function that is called with each row, as `numpy.vectorize` does. It may branch on the numbers of a row.

    excluded: the places and names of arguments that are passed as they are.
    """

    def __init__(self, function: Callable[..., object], excluded: Collection[int | str] = ()) -> None:
        self.function = function
        self.excluded = excluded

    def __call__(self, *arguments: Value, **options: Value) -> Value:
        names: list[int | str] = [*range(len(arguments)), *options]
        values: dict[int | str, Value] = dict(zip(names, (*arguments, *options.values()), strict=True))
        walked = [name for name in names if name not in self.excluded]
        tape = tape_of(*values.values())
        if tape is None:
            return np.vectorize(self.function, excluded=self.excluded)(*arguments, **options)
        numbers = [array_of(tape, values[name]) for name in walked]
        axis, mask = common_rows(numbers)
        arrays = np.broadcast_arrays(*(number.places for number in numbers))
        row_places = np.empty(arrays[0].shape, dtype=np.intp)
        for at in np.ndindex(row_places.shape):
            cells = {name: _number(tape, int(array[at])) for name, array in zip(walked, arrays, strict=True)}
            row_places[at] = self._called(tape, values | cells)
        return traced(tape, row_places, axis, mask)

    def _called(self, tape: Tape, values: Mapping[int | str, object]) -> int:
        values_listed = [value for name, value in values.items() if isinstance(name, int)]
        named = {name: value for name, value in values.items() if isinstance(name, str)}

        def call() -> int:
            result = array_of(tape, self.function(*values_listed, **named))
            if result.size != 1 or result.axis is not None:
                raise UntraceableError("calls np.vectorize with a function that returns arrays")
            return tape.numeric(int(result.places.flat[0]))

        return explored(tape, call)


def _number(tape: Tape, tape_place: int) -> float | Traced:
    value = tape.value(tape_place)
    return Traced(tape, tape_place, None) if value is None else value


def vectorized(
    function: Callable[..., object] | None = None, *_: object, excluded: Value = None, **options: Value
) -> Value:
    """Stand in for `numpy.vectorize`, also as a decorator."""
    if options.get("signature") is not None:
        raise UntraceableError("calls np.vectorize with a signature")
    if not callable(function):  # None, or the types of numba.vectorize
        return lambda inner: vectorized(inner, excluded=excluded)
    return PerRow(function, excluded or ())


def from_python(function: Callable[..., object], *_: object, **__: object) -> PerRow:
    """Stand in for `numpy.frompyfunc`."""
    return PerRow(function)
