"""Complex numbers in a traced function: a real and an imaginary part, each of which is traced.

A formula holds real numbers only; what a function makes of complex ones in between, such as |1/(1 + i w tau)|, is said
with their parts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from descend.tracing.tape import UntraceableError, Value
from descend.tracing.traced import Traced, combined, handles


class TracedComplex:
    """A complex number in each row. A part is traced, or plain numbers; one that is 0 everywhere is the number 0.

    modulus: its absolute value, where that is known without the parts.
    """

    __slots__ = ("imag", "modulus", "real")
    __array_priority__ = 2000.0

    def __init__(self, real: Value, imag: Value, modulus: Value = None) -> None:
        self.real = real
        self.imag = imag
        self.modulus = modulus

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Value, **options: Value) -> Value:
        """Write down a call of a function that works number by number."""
        return called(ufunc, method, *inputs, **options)

    def __array_function__(self, function: Callable[..., Value], types: Value, inputs: Value, options: Value) -> Value:
        part = PARTS.get(function)
        if part is None or options or len(inputs) != 1:
            raise UntraceableError(f"calls np.{function.__name__} of complex numbers")
        return part(inputs[0])

    def conjugate(self) -> TracedComplex:
        return TracedComplex(self.real, _negative(self.imag), self.modulus)

    conj = conjugate

    @property
    def shape(self) -> tuple[int, ...]:
        return np.broadcast_shapes(np.shape(self.real), np.shape(self.imag))

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype[np.complex128]:
        return np.dtype(np.complex128)

    def __abs__(self) -> Value:
        return absolute(self)

    def __neg__(self) -> TracedComplex:
        return TracedComplex(_negative(self.real), _negative(self.imag), self.modulus)

    def __pos__(self) -> TracedComplex:
        return self

    def __hash__(self) -> int:
        raise UntraceableError("looks a complex number up, as in a dict or a set")


def of(value: Value) -> TracedComplex:
    """Return a number or an array as one of complex numbers."""
    if type(value) is TracedComplex:
        return value
    if isinstance(value, np.ndarray) and value.dtype.kind == "c":
        return TracedComplex(_part(value.real), _part(value.imag))
    if isinstance(value, complex):
        return TracedComplex(value.real, value.imag)
    return TracedComplex(value, 0.0)


def called(ufunc: np.ufunc, method: str, *inputs: Value, **options: Value) -> Value:
    """Return the result of a function of complex numbers. Raises UntraceableError for one that is not known here."""
    if method != "__call__" or options or ufunc.__name__ not in FUNCTIONS:
        raise UntraceableError(f"calls `{ufunc.__name__}` of complex numbers")
    return FUNCTIONS[ufunc.__name__](*map(of, inputs))


def is_complex(value: Value) -> bool:
    """Whether this is a complex number, or an array of them."""
    return isinstance(value, complex | TracedComplex) or (isinstance(value, np.ndarray) and value.dtype.kind == "c")


# Parts that are 0 leave no trace, or formulas would be full of 0*x.


def _part(array: Value) -> Value:
    return array if np.any(array) else 0.0


def _zero(part: Value) -> bool:
    return isinstance(part, float | int) and part == 0


def _negative(part: Value) -> Value:
    return 0.0 if _zero(part) else -part


def _plus(one: Value, other: Value) -> Value:
    if _zero(one):
        return other
    return one if _zero(other) else one + other


def _minus(one: Value, other: Value) -> Value:
    if _zero(one):
        return _negative(other)
    return one if _zero(other) else one - other


def _times(one: Value, other: Value) -> Value:
    return 0.0 if _zero(one) or _zero(other) else one * other


def _over(one: Value, other: Value) -> Value:
    return 0.0 if _zero(one) else one / other


def _square(part: Value) -> Value:
    return 0.0 if _zero(part) else part**2


def add(z: TracedComplex, w: TracedComplex) -> TracedComplex:
    return TracedComplex(_plus(z.real, w.real), _plus(z.imag, w.imag))


def subtract(z: TracedComplex, w: TracedComplex) -> TracedComplex:
    return TracedComplex(_minus(z.real, w.real), _minus(z.imag, w.imag))


def multiply(z: TracedComplex, w: TracedComplex) -> TracedComplex:
    return TracedComplex(
        _minus(_times(z.real, w.real), _times(z.imag, w.imag)),
        _plus(_times(z.real, w.imag), _times(z.imag, w.real)),
        _times(absolute(z), absolute(w)),
    )


def divide(z: TracedComplex, w: TracedComplex) -> TracedComplex:
    """Return z conj(w) / |w|^2."""
    if _zero(w.imag):
        return TracedComplex(_over(z.real, w.real), _over(z.imag, w.real), _over(absolute(z), absolute(w)))
    size = _plus(_square(w.real), _square(w.imag))
    return TracedComplex(
        _over(_plus(_times(z.real, w.real), _times(z.imag, w.imag)), size),
        _over(_minus(_times(z.imag, w.real), _times(z.real, w.imag)), size),
        _over(absolute(z), absolute(w)),
    )


def absolute(z: TracedComplex) -> Value:
    """Return |z|."""
    if z.modulus is not None:
        return z.modulus
    if _zero(z.imag) or _zero(z.real):
        part = z.real if _zero(z.imag) else z.imag
        return abs(part) if isinstance(part, float | int) and part >= 0 else np.abs(part)
    return np.sqrt(z.real**2 + z.imag**2)


def angle(z: TracedComplex) -> Value:
    """Return the angle of z, from -pi to pi."""
    if not isinstance(z.real, Traced) and not isinstance(z.imag, Traced):
        return np.arctan2(z.imag, z.real)
    tape = z.real.tape if isinstance(z.real, Traced) else z.imag.tape
    return combined(tape, "atan2", z.imag, z.real)


def power(z: TracedComplex, w: TracedComplex) -> TracedComplex:
    """Return z^w for a real w: by multiplying if w is a small whole number, else |z|^w and w times the angle."""
    if not _zero(w.imag):
        return exponential(multiply(logarithm(z), w))
    exponent = w.real
    if isinstance(exponent, float | int | np.integer | np.floating) and float(exponent).is_integer():
        count = int(exponent)
        if 0 < abs(count) <= LARGEST:
            found = z
            for _ in range(abs(count) - 1):
                found = multiply(found, z)
            return found if count > 0 else divide(of(1.0), found)
    if _zero(z.imag) and not isinstance(z.real, Traced) and np.all(z.real > 0.0):
        return TracedComplex(z.real**exponent, 0.0)
    return polar(absolute(z) ** exponent, _times(exponent, angle(z)))


def polar(size: Value, turned: Value) -> TracedComplex:
    """Return ``size`` e^(i ``turned``)."""
    if _zero(turned):
        return TracedComplex(size, 0.0, np.abs(size))
    return TracedComplex(size * np.cos(turned), size * np.sin(turned), size)


def exponential(z: TracedComplex) -> TracedComplex:
    return polar(1.0 if _zero(z.real) else np.exp(z.real), z.imag)


def logarithm(z: TracedComplex) -> TracedComplex:
    return TracedComplex(np.log(absolute(z)), angle(z))


def square_root(z: TracedComplex) -> TracedComplex:
    return polar(np.sqrt(absolute(z)), 0.5 * angle(z))


def sine(z: TracedComplex) -> TracedComplex:
    return TracedComplex(np.sin(z.real) * np.cosh(z.imag), np.cos(z.real) * np.sinh(z.imag))


def cosine(z: TracedComplex) -> TracedComplex:
    return TracedComplex(np.cos(z.real) * np.cosh(z.imag), -np.sin(z.real) * np.sinh(z.imag))


def hyperbolic_sine(z: TracedComplex) -> TracedComplex:
    return TracedComplex(np.sinh(z.real) * np.cos(z.imag), np.cosh(z.real) * np.sin(z.imag))


def hyperbolic_cosine(z: TracedComplex) -> TracedComplex:
    return TracedComplex(np.cosh(z.real) * np.cos(z.imag), np.sinh(z.real) * np.sin(z.imag))


def faddeeva(z: TracedComplex) -> TracedComplex:
    """Return w(z): its real part is a Voigt profile where Im z > 0.

    Re w((x + i gamma)/(sigma sqrt(2))) = sigma sqrt(2 pi) V(x; sigma, gamma), here with sigma = 1/sqrt(2).
    """
    from scipy.special import voigt_profile

    return TracedComplex(math.sqrt(math.pi) * voigt_profile(z.real, math.sqrt(0.5), z.imag), _Unknown())


class _Unknown:
    """A part that no formula can say; asking for it ends the trace."""

    def __getattr__(self, name: str) -> Value:
        raise UntraceableError("uses the imaginary part of scipy.special.wofz")


LARGEST = 6
"""Up to this exponent a power is multiplied out."""
FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "add": add,
    "subtract": subtract,
    "multiply": multiply,
    "divide": divide,
    "power": power,
    "float_power": power,
    "negative": TracedComplex.__neg__,
    "positive": TracedComplex.__pos__,
    "square": lambda z: multiply(z, z),
    "reciprocal": lambda z: divide(of(1.0), z),
    "absolute": absolute,
    "conjugate": TracedComplex.conjugate,
    "exp": exponential,
    "log": logarithm,
    "sqrt": square_root,
    "sin": sine,
    "cos": cosine,
    "tan": lambda z: divide(sine(z), cosine(z)),
    "sinh": hyperbolic_sine,
    "cosh": hyperbolic_cosine,
    "tanh": lambda z: divide(hyperbolic_sine(z), hyperbolic_cosine(z)),
    "wofz": faddeeva,
}
"""Functions of complex numbers by the name of NumPy's or SciPy's ufunc."""
PARTS: Mapping[Callable[..., Value], Callable[[TracedComplex], Value]] = {
    np.real: lambda z: z.real,
    np.imag: lambda z: z.imag,
    np.angle: angle,
    np.conj: TracedComplex.conjugate,
}
