"""Stand-ins for functions of Python and NumPy that take plain numbers only: they take symbols as well."""

from __future__ import annotations

import builtins
import functools
import math
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from descend.tracing.array_of_lists import array_of, tape_of
from descend.tracing.distributions import distributions
from descend.tracing.number_types import Complex, Float, Float64, Int, plain
from descend.tracing.per_row import from_python, vectorized
from descend.tracing.tape import EachRow, Rows, UntraceableError, Value
from descend.tracing.traced import Traced, combined

Function = Callable[..., Value]
IN_NUMPY = {
    name.partition("=")[0]: name.rpartition("=")[2]
    for name in (
        *("exp", "expm1", "exp2", "log2", "log10", "log1p", "sqrt", "cbrt", "sin", "cos", "tan", "sinh", "cosh"),
        *("tanh", "asin=arcsin", "acos=arccos", "atan=arctan", "asinh=arcsinh", "acosh=arccosh", "atanh=arctanh"),
        *("hypot", "fabs", "floor", "ceil", "trunc", "copysign", "fmod", "degrees", "radians", "isnan", "isinf"),
        *("isfinite", "atan2=arctan2", "pow=float_power"),
    )
}
"""Functions of `math`, and what NumPy calls them."""
IN_FORMULAS = ("erf", "erfc", "gamma", "lgamma")
"""Functions of `math` that formulas know by the same name."""
OF_LISTS = (np.sum, np.prod, np.mean, np.cumsum, np.dot, np.polyval, np.outer, np.maximum, np.minimum, np.where)
"""Functions of NumPy that take lists."""


@functools.lru_cache(maxsize=4)
def stand_ins(with_numba: bool, with_statistics: bool) -> Mapping[int, Function]:
    """Return what stands in for functions, by their identity, and for distributions."""
    number_by_number = {name: _with_numbers(name, getattr(np, of)) for name, of in IN_NUMPY.items()}
    number_by_number |= {name: _with_numbers(name, functools.partial(_combined, name)) for name in IN_FORMULAS}
    of_symbols: dict[Function, Function] = {getattr(math, name): called for name, called in number_by_number.items()}
    of_symbols |= {math.log: _logarithm, math.fsum: _sum, math.prod: _product, math.dist: _distance}
    of_symbols |= {min: functools.partial(_extreme, "min"), max: functools.partial(_extreme, "max")}
    of_symbols |= {each: functools.partial(_refusing_rows, each) for each in (any, all, sorted, reversed)}
    of_symbols |= {each: functools.partial(_with_lists, each) for each in OF_LISTS}
    functions: dict[Function, Function] = {each: _only_symbols(each, called) for each, called in of_symbols.items()}
    functions |= {float: Float, int: Int, complex: Complex, np.float64: Float64}
    functions |= {sum: _sum, len: _len, range: _range, enumerate: _enumerate, print: _print}
    makers = (np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray, np.asarray_chkfinite)
    functions |= {each: functools.partial(_array, each) for each in makers}
    functions |= {np.zeros: _filled_with(np.zeros, 0.0), np.empty: _filled_with(np.empty, 0.0)}
    functions |= {np.ones: _filled_with(np.ones, 1.0), np.full: _filled_with(np.full, None)}
    functions |= {np.vectorize: vectorized, np.frompyfunc: from_python, np.fromiter: _from_iterator}
    if with_numba:
        numba = sys.modules["numba"]
        functions |= {
            numba.prange: _range,
            numba.njit: _not_compiled,
            numba.jit: _not_compiled,
            numba.vectorize: vectorized,
        }
    functions.update(distributions(with_statistics))
    return {id(each): stand_in for each, stand_in in functions.items()}


def _only_symbols(function: Function, stand_in: Function) -> Function:
    """Let a function be called as it is unless a symbol is among its arguments, or in a list among them."""

    @functools.wraps(function)
    def called(*arguments: Value, **options: Value) -> Value:
        symbolic = tape_of(*arguments) is not None or any(isinstance(each, Iterator) for each in arguments)
        return (stand_in if symbolic else function)(*arguments, **options)

    if isinstance(function, np.ufunc):
        vars(called).update({name: getattr(function, name) for name in ("reduce", "accumulate", "outer")})
    return called


def _with_numbers(name: str, function: Function) -> Function:
    def called(*numbers: Value) -> Value:
        for number in numbers:
            _refuse_rows(number, f"calls math.{name} with all rows at once")
        return function(*numbers)

    return called


def _combined(operation: str, number: Traced) -> Traced:
    return combined(number.tape, operation, number)


def _refuse_rows(value: object, words: str) -> None:
    if isinstance(value, Traced) and value.axis is not None:
        raise UntraceableError(words)


def _refusing_rows(function: Function, *arguments: Value, **options: Value) -> Value:
    for each in arguments:
        _refuse_rows(each, f"calls {function.__name__} with all rows")
    return function(*arguments, **options)


def _logarithm(number: Value, base: Value = math.e) -> Value:
    _refuse_rows(number, "calls math.log with all rows at once")
    return np.log(number) if base == math.e else np.log(number) / np.log(base)


def _sum(numbers: Iterable[Value], /, start: Value = 0) -> Value:
    _refuse_rows(numbers, "sums over its rows")
    return builtins.sum(numbers, start)


def _product(numbers: Iterable[Value], /, *, start: Value = 1) -> Value:
    _refuse_rows(numbers, "multiplies its rows")
    return functools.reduce(lambda one, other: one * other, numbers, start)


def _distance(first_numbers: Iterable[Value], second_numbers: Iterable[Value]) -> Value:
    return np.sqrt(_sum((u - v) ** 2 for u, v in zip(first_numbers, second_numbers, strict=True)))


def _extreme(operation: str, *arguments: Value, **options: Value) -> Value:
    numbers = list(arguments[0]) if len(arguments) == 1 else arguments
    if options or any(isinstance(number, Traced) and number.axis is not None for number in (*arguments, *numbers)):
        raise UntraceableError(f"calls {operation} with all rows")
    tape = tape_of(*numbers)
    if tape is None:
        return (min if operation == "min" else max)(numbers)
    return functools.reduce(lambda one, other: combined(tape, operation, one, other), numbers)


def _len(value: Value, /) -> int:
    return value.rows if isinstance(value, Traced) and value.axis == -value.ndim else len(value)


def _range(*bounds: Value) -> Iterable[int]:
    """Return the numbers from one to another; of the number of all rows, one that stands for each."""
    path = next((bound.tape.path for bound in bounds if type(bound) is Rows), None)
    if path is None:
        return range(*bounds)
    path.by_rows = True
    if len(bounds) > 1 and not (bounds[0] == 0 and all(step == 1 for step in bounds[2:])):
        raise UntraceableError("goes through some of its rows")
    return (EachRow(0),)


def _enumerate(values: Value, start: int = 0) -> Iterator[tuple[int, Value]]:
    if isinstance(values, Traced) and values.axis == -values.ndim and start == 0:
        return iter([(EachRow(0), value) for value in values])
    return iter(enumerate(values, start))


def _print(*_: object, **__: object) -> None:
    """Print nothing: the function is called as it is soon enough."""


def _not_compiled(function: Function | None = None, *_: object, **__: object) -> Function:
    """Stand in for what compiles a function, also as a decorator with options."""
    return function if isinstance(function, types.FunctionType) else lambda inner: inner


def _array(function: Function, value: Value, dtype: Value = None, **options: Value) -> Value:
    """Stand in for what makes an array of numbers."""
    tape = tape_of(value)
    if tape is None:
        return function(value, dtype=plain(dtype), **options)
    if (kind := np.dtype(plain(dtype) or np.float64)) != np.float64:
        raise UntraceableError(f"makes an array of the type {kind}")
    array = array_of(tape, value)
    return Traced(tape, array.cells, array.axis) if function is np.array and options.get("copy", True) else array


def _from_iterator(iterator: Iterable[Value], dtype: Value = float, *arguments: Value, **options: Value) -> Value:
    members = list(iterator)
    if tape_of(members) is None:
        return np.fromiter(members, plain(dtype), *arguments, **options)
    return _array(np.array, members, dtype)


def _filled_with(function: Function, value: float | None) -> Function:
    """Stand in for what makes an array of one number; of as many as there are rows it becomes one of symbols."""

    def filled(shape: Value, *arguments: Value, **options: Value) -> Value:
        lengths = shape if isinstance(shape, tuple | list) else (shape,)
        axes = [axis_number - len(lengths) for axis_number, length in enumerate(lengths) if type(length) is Rows]
        number = (arguments[0] if arguments else options["fill_value"]) if value is None else value
        tape = lengths[axes[0]].tape if axes else tape_of(number)
        if tape is None:
            return function(shape, *map(plain, arguments), **{name: plain(each) for name, each in options.items()})
        if len(axes) > 1:
            raise UntraceableError("sets each row of the data against every other")
        lengths_of_rows = [1 if type(length) is Rows else length for length in lengths]
        cells = np.full(lengths_of_rows, tape.number(0.0), dtype=np.intp)
        return combined(tape, "+", Traced(tape, cells, axes[0] if axes else None), number)

    return filled


def _with_lists(function: Function, *arguments: Value, **options: Value) -> Value:
    """Stand in for a function of NumPy whose arguments may be lists of symbols."""
    tape = tape_of(*arguments)
    lists = (list, tuple)
    return function(
        *(array_of(tape, each) if tape and isinstance(each, lists) else each for each in arguments), **options
    )
