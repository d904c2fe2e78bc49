"""Stand-ins for `float`, `int` and `complex`: types like these, which let symbols through."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from descend.tracing.complex_numbers import TracedComplex
from descend.tracing.tape import UntraceableError, Value
from descend.tracing.traced import Traced


class _Type(type):
    """A type that makes numbers of what it is called with, unless that is a symbol; NumPy takes it as a dtype."""

    original: type

    def __call__(cls, *arguments: Value, **options: Value) -> Value:
        if any(isinstance(each, Traced) for each in arguments):
            return cls.of_symbol(*arguments)
        return cls.original(*arguments, **options)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.original)

    def __eq__(cls, other_type: object) -> bool:
        return other_type is cls or other_type is cls.original

    def __hash__(cls) -> int:
        return hash(cls.original)

    def __getattr__(cls, name: str) -> Value:
        return getattr(cls.original, name)


class Float(metaclass=_Type):
    """Stands in for `float`."""

    original: ClassVar[type] = float
    dtype = np.dtype(float)

    @staticmethod
    def of_symbol(symbol: Traced) -> Traced:
        if symbol.axis is not None:
            raise UntraceableError(f"turns {symbol} in all rows into one number")
        return symbol


class Float64(metaclass=_Type):
    """Stands in for `numpy.float64`, which takes arrays, too."""

    original: ClassVar[type] = np.float64
    dtype = np.dtype(float)

    @staticmethod
    def of_symbol(symbol: Traced) -> Traced:
        return symbol


class Int(metaclass=_Type):
    """Stands in for `int`."""

    original: ClassVar[type] = int
    dtype = np.dtype(int)

    @staticmethod
    def of_symbol(symbol: Traced) -> int:
        value = symbol.tape.value(int(symbol.places.flat[0])) if symbol.size == 1 else None
        if value is None:
            raise UntraceableError(f"turns {symbol} into a whole number")
        return int(value)


class Complex(metaclass=_Type):
    """Stands in for `complex`."""

    original: ClassVar[type] = complex
    dtype = np.dtype(complex)

    @staticmethod
    def of_symbol(real: Value, imag: Value = 0.0) -> TracedComplex:
        for complex_part in (real, imag):
            if isinstance(complex_part, Traced) and complex_part.axis is not None:
                raise UntraceableError(f"turns {complex_part} in all rows into one number")
        return TracedComplex(real, imag)


def plain(dtype: Value) -> Value:
    """Return a type that NumPy knows."""
    return dtype.original if isinstance(dtype, _Type) else dtype
