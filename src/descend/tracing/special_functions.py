"""Functions of NumPy and `scipy.special` that formulas say with others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from descend.tracing.tape import Tape, UntraceableError, Value
from descend.tracing.traced import Traced, combined, handles
from descend.tracing.ufuncs import IN_WORDS, in_words


def tape_of(*operands: Value) -> Tape:
    """Return the tape of those operands that are traced."""
    return next(operand.tape for operand in operands if isinstance(operand, Traced))


def _called(operation: str, *operands: Value) -> Value:
    return combined(tape_of(*operands), operation, *operands)


def _unless_zero(u: Value, at_zero: Value, otherwise: Value) -> Value:
    return combined(tape_of(u, otherwise), "where", np.equal(u, 0.0), at_zero, otherwise)


LOG_2 = float(np.log(2.0))
WORDS: dict[str, Callable[..., Value]] = {
    **dict.fromkeys(("positive", "conjugate"), lambda u: +u),
    "square": lambda u: u**2,
    "reciprocal": lambda u: 1.0 / u,
    **dict.fromkeys(("radians", "deg2rad"), lambda u: u * (np.pi / 180.0)),
    **dict.fromkeys(("degrees", "rad2deg"), lambda u: u * (180.0 / np.pi)),
    "exp2": lambda u: 2.0**u,
    "exp10": lambda u: 10.0**u,
    "xlog1py": lambda u, v: _unless_zero(u, 0.0, u * np.log1p(v)),
    "entr": lambda u: -_unless_zero(u, 0.0, u * np.log(u)),
    "rel_entr": lambda u, v: _unless_zero(u, 0.0, u * np.log(u / v)),
    "kl_div": lambda u, v: _unless_zero(u, 0.0, u * np.log(u / v)) - u + v,
    "log_expit": lambda u: -_called("softplus", -u),
    "exprel": lambda u: _unless_zero(u, 1.0, np.expm1(u) / u),
    "cosm1": lambda u: -2.0 * np.sin(u / 2.0) ** 2,
    "powm1": lambda u, v: np.expm1(v * np.log(u)),
    "boxcox": lambda u, power: _unless_zero(power, np.log(u), np.expm1(power * np.log(u)) / power),
    "boxcox1p": lambda u, power: _unless_zero(power, np.log1p(u), np.expm1(power * np.log1p(u)) / power),
    "inv_boxcox": lambda u, power: _unless_zero(power, np.exp(u), np.exp(np.log1p(power * u) / power)),
    "sindg": lambda u: np.sin(u * (np.pi / 180.0)),
    "cosdg": lambda u: np.cos(u * (np.pi / 180.0)),
    "tandg": lambda u: np.tan(u * (np.pi / 180.0)),
    "rint": lambda u: np.floor(u / 2.0 + 0.25) + np.ceil(u / 2.0 - 0.25),  # halves go to the even neighbour
    "trunc": lambda u: np.where(u < 0, np.ceil(u), np.floor(u)),
    "floor_divide": lambda u, v: np.floor(u / v),
    "divmod": lambda u, v: (np.floor(u / v), np.remainder(u, v)),
    "fmod": lambda u, v: np.where(np.less(u, 0.0), -np.remainder(-u, np.abs(v)), np.remainder(u, np.abs(v))),
    "modf": lambda u: (u - np.trunc(u), np.trunc(u)),
    "logaddexp": lambda u, v: u + _called("softplus", np.subtract(v, u)),
    "logaddexp2": lambda u, v: u + _called("softplus", np.subtract(v, u) * LOG_2) / LOG_2,
    "copysign": lambda size, sign: np.where(np.less(sign, 0.0), -np.abs(size), np.abs(size)),
    "heaviside": lambda u, at_zero: np.where(np.greater(u, 0.0), 1.0, np.where(np.equal(u, 0.0), at_zero, 0.0)),
    "clip": lambda u, low, high: np.minimum(np.maximum(u, low), high),
    "logical_xor": np.not_equal,
    "bitwise_xor": np.not_equal,
    "ldexp": lambda u, power: u * 2.0**power,
}
"""What a function is said with, by its name."""
IN_WORDS.update(WORDS)
handles(np.fix)(lambda tape, x: np.trunc(x))


SCALED = {("iv", 0): "i0e", ("iv", 1): "i1e", ("kn", 0): "k0e", ("kn", 1): "k1e"}
"""Bessel functions of small orders, times an exponential function."""


@in_words("ive")
def _ive(order: Value, u: Traced) -> Value:
    scaled = SCALED.get(("iv", order))
    return _called("iv", order, u) * np.exp(-np.abs(u)) if scaled is None else _called(scaled, u)


@in_words("kve")
def _kve(order: Value, u: Traced) -> Value:
    scaled = SCALED.get(("kn", order))
    return _called("kn", order, u) * np.exp(u) if scaled is None else _called(scaled, u)


@in_words("_lambertw")
def _lambertw(z: Value, branch: Value, tolerance: Value) -> Value:
    if branch != 0:
        raise UntraceableError("calls lambertw on another branch than the main one")
    return combined(z.tape, "lambertw", z)


@handles(np.sinc)
def _sinc(tape: Tape, x: Value) -> Value:
    return combined(tape, "sinc", x)


@handles(np.round, np.around, method="round")
def rounded(tape: Tape, a: Value, decimals: int = 0, out: None = None) -> Value:
    """Return numbers rounded to so many decimals."""
    scaled = combined(tape, "*", a, 10.0**decimals)
    return combined(tape, "/", np.rint(scaled), 10.0**decimals)


def _method(function: np.ufunc, backward: bool = False) -> Callable[[Traced, Value], Value]:
    return lambda self, other: function(other, self) if backward else function(self, other)


setattr(Traced, "__floordiv__", _method(np.floor_divide))  # noqa: B010 - as operators are set
setattr(Traced, "__rfloordiv__", _method(np.floor_divide, backward=True))  # noqa: B010
setattr(Traced, "__ifloordiv__", lambda one, other: one.become(np.floor_divide(one, other)))  # noqa: B010
setattr(Traced, "__divmod__", _method(np.divmod))  # noqa: B010
