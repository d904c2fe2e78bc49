"""Complex numbers in a traced function: a real and an imaginary part, each of which is traced.

A formula holds real numbers only; what a function makes of complex ones in between, such as |1/(1 + i w tau)|, is said
with their parts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from descend.tracing.tape import Tape, UntraceableError, Value
from descend.tracing.traced import OTHERS, Traced, combined, handles
from descend.tracing.ufuncs import OPERATORS


class TracedComplex:
    """A complex number in each row. A part is traced, or plain numbers; one that is 0 everywhere is the number 0.

    modulus: its absolute value, where that is known without the parts. twin: the number that this is the conjugate of.
    """

    __slots__ = ("imag", "modulus", "real", "twin")
    __array_priority__ = 2000.0

    def __init__(self, real: Value, imag: Value, modulus: Value = None, twin: TracedComplex | None = None) -> None:
        self.real = real
        self.imag = imag
        self.modulus = modulus
        self.twin = twin

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Value, **options: Value) -> Value:
        """Write down a call of a function that works number by number."""
        name = ufunc.__name__
        if method != "__call__" or options:
            raise UntraceableError(f"calls np.{name} of complex numbers in a way that formulas do not know")
        return called(OPERATORS.get(name, name), inputs)

    def __array_function__(self, function: Callable[..., Value], types: Value, inputs: Value, options: Value) -> Value:
        """Take a number apart; nothing else is known of complex ones."""
        part_of_complex = PARTS.get(function)
        if part_of_complex is None or options or len(inputs) != 1:
            raise UntraceableError(f"calls np.{function.__name__} of complex numbers")
        return part_of_complex(inputs[0])

    def conjugate(self) -> TracedComplex:
        """Return the number with its imaginary part negated."""
        return TracedComplex(self.real, _negative(self.imag), self.modulus, self)

    conj = conjugate

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


def called(operation: str, numbers: Sequence[Value]) -> Value:
    """Return the result of an operation. Raises UntraceableError for one that is not known here."""
    if operation not in FUNCTIONS:
        raise UntraceableError(f"calls `{operation}` of complex numbers")
    return FUNCTIONS[operation](*map(of, numbers))


def is_complex(value: Value) -> bool:
    """Whether this is a complex number, or an array of them."""
    return isinstance(value, complex | TracedComplex) or (isinstance(value, np.ndarray) and value.dtype.kind == "c")


# Parts that are 0 leave no trace, or formulas would be full of 0*x.


def _part(array: Value) -> Value:
    return array if np.any(array) else 0.0


def _zero(real_part: Value) -> bool:
    return type(real_part) in NUMBERS and real_part == 0


def _negative(real_part: Value) -> Value:
    return 0.0 if _zero(real_part) else -real_part


def _plus(first_part: Value, second_part: Value) -> Value:
    if _zero(first_part):
        return second_part
    return first_part if _zero(second_part) else first_part + second_part


def _minus(first_part: Value, second_part: Value) -> Value:
    if _zero(first_part):
        return _negative(second_part)
    return first_part if _zero(second_part) else first_part - second_part


def _times(first_part: Value, second_part: Value) -> Value:
    return 0.0 if _zero(first_part) or _zero(second_part) else first_part * second_part


def _over(first_part: Value, second_part: Value) -> Value:
    return 0.0 if _zero(first_part) else first_part / second_part


def add(z: TracedComplex, w: TracedComplex) -> TracedComplex:
    """Return z + w."""
    return TracedComplex(_plus(z.real, w.real), _plus(z.imag, w.imag))


def subtract(z: TracedComplex, w: TracedComplex) -> TracedComplex:
    """Return z - w."""
    return TracedComplex(_minus(z.real, w.real), _minus(z.imag, w.imag))


def multiply(z: TracedComplex, w: TracedComplex) -> TracedComplex:
    """Return z w."""
    if z.twin is w or w.twin is z:
        return TracedComplex(absolute(z) ** 2, 0.0)
    return TracedComplex(
        _minus(_times(z.real, w.real), _times(z.imag, w.imag)),
        _plus(_times(z.real, w.imag), _times(z.imag, w.real)),
        _times(absolute(z), absolute(w)),
    )


def divide(z: TracedComplex, w: TracedComplex) -> TracedComplex:
    """Return z/w, which is z conj(w) / |w|^2."""
    size = _over(absolute(z), absolute(w))
    if _zero(w.imag):
        return TracedComplex(_over(z.real, w.real), _over(z.imag, w.real), size)
    if _zero(w.real):
        return TracedComplex(_over(z.imag, w.imag), _negative(_over(z.real, w.imag)), size)
    squared = w.real**2 + w.imag**2
    return TracedComplex(
        _over(_plus(_times(z.real, w.real), _times(z.imag, w.imag)), squared),
        _over(_minus(_times(z.imag, w.real), _times(z.real, w.imag)), squared),
        size,
    )


def absolute(z: TracedComplex) -> Value:
    """Return |z|."""
    if z.modulus is not None:
        return z.modulus
    if _zero(z.imag) or _zero(z.real):
        only_part = z.real if _zero(z.imag) else z.imag
        return np.abs(only_part)
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
    if type(exponent) in NUMBERS and float(exponent).is_integer():
        count = int(exponent)
        if 0 < abs(count) <= LARGEST:
            product = z
            for _ in range(abs(count) - 1):
                product = multiply(product, z)
            return product if count > 0 else divide(of(1.0), product)
    if _zero(z.imag) and not isinstance(z.real, Traced) and np.all(z.real > 0.0):
        return TracedComplex(z.real**exponent, 0.0)
    return polar(absolute(z) ** exponent, _times(exponent, angle(z)))


def polar(size: Value, turned: Value) -> TracedComplex:
    """Return ``size`` e^(i ``turned``)."""
    if _zero(turned):
        return TracedComplex(size, 0.0, np.abs(size))
    return TracedComplex(size * np.cos(turned), size * np.sin(turned), size)


def exponential(z: TracedComplex) -> TracedComplex:
    """Return e^z."""
    return polar(1.0 if _zero(z.real) else np.exp(z.real), z.imag)


def logarithm(z: TracedComplex) -> TracedComplex:
    """Return log z."""
    return TracedComplex(np.log(absolute(z)), angle(z))


def square_root(z: TracedComplex) -> TracedComplex:
    """Return sqrt z."""
    return polar(np.sqrt(absolute(z)), 0.5 * angle(z))


def sine(z: TracedComplex) -> TracedComplex:
    """Return sin z."""
    return TracedComplex(np.sin(z.real) * np.cosh(z.imag), np.cos(z.real) * np.sinh(z.imag))


def cosine(z: TracedComplex) -> TracedComplex:
    """Return cos z."""
    return TracedComplex(np.cos(z.real) * np.cosh(z.imag), -np.sin(z.real) * np.sinh(z.imag))


def hyperbolic_sine(z: TracedComplex) -> TracedComplex:
    """Return sinh z."""
    return TracedComplex(np.sinh(z.real) * np.cos(z.imag), np.cosh(z.real) * np.sin(z.imag))


def hyperbolic_cosine(z: TracedComplex) -> TracedComplex:
    """Return cosh z."""
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


NUMBERS = (float, int, np.float64, np.int64)
"""Plain numbers; a traced one calls itself a float where a function asks."""
LARGEST = 6
"""Up to this exponent a power is multiplied out."""
FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "^": power,
    "neg": TracedComplex.__neg__,
    "positive": TracedComplex.__pos__,
    "square": lambda z: multiply(z, z),
    "reciprocal": lambda z: divide(of(1.0), z),
    "abs": absolute,
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
"""What is known of complex numbers, by the operation on a tape or the name of NumPy's or SciPy's function."""
PARTS: Mapping[Callable[..., Value], Callable[[TracedComplex], Value]] = {
    np.real: lambda z: z.real,
    np.imag: lambda z: z.imag,
    np.angle: angle,
    np.conj: TracedComplex.conjugate,
}


def _combined(tape: Tape, operation: str, *numbers: Value) -> Value:
    return called(operation, numbers)


def _operator(operation: str) -> tuple[Callable[..., Value], Callable[..., Value]]:
    return (
        lambda self, other: called(operation, (self, other)),
        lambda self, other: called(operation, (other, self)),
    )


for _name, _operation in {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "pow": "^"}.items():
    for _prefix, _method in zip(("", "r"), _operator(_operation), strict=True):
        setattr(TracedComplex, f"__{_prefix}{_name}__", _method)
OTHERS.append((is_complex, _combined))


@handles(np.angle)
def _angle(tape: Tape, number: Traced) -> Value:
    return angle(of(number))
