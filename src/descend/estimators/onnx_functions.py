"""The functions of formulas by the operators of ONNX.

Runtimes lack most functions of circles, areas and errors in double precision: there they are built of those that all
have, to the last digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import reduce

from descend.errors import ConfigError
from descend.estimators.onnx_graph import Value
from descend.formula.error_function import (
    ERF_LOWER,
    ERF_UPPER,
    ERFC_LOWER,
    ERFC_UPPER,
    FAR_LOWER,
    FAR_UPPER,
    ONE_BY_ROOT_PI,
)

Build = Callable[..., Value]


def called(name: str, arguments: Sequence[Value]) -> Value:
    """Return a function of values. Raises ConfigError for one that ONNX has no operators for."""
    if name not in BUILDS:
        raise ConfigError(f"ONNX has no operators for `{name}`, so that this formula cannot be written as ONNX.")
    return BUILDS[name](*arguments)


def where(condition: Value, value_if: Value | float, value_else: Value | float) -> Value:
    """Return one value where a condition holds, else the other."""
    return condition.call("Where", value_if, value_else)


def equal(u: Value, other_value: Value | float) -> Value:
    """Return where two values are the same."""
    return u.call("Equal", other_value)


def operator(name: str) -> Build:
    """Return the function that an operator of ONNX is."""
    return lambda u, *others: u.call(name, *others)


def or_in_double(name: str, build: Build) -> Build:
    """Return an operator of ONNX, in double precision built of others."""
    return lambda u: build(u) if u.graph.double else u.call(name)


def _in_single(u: Value, name: str) -> Value:
    """Return an operator of a double, computed in single precision."""
    from onnx import TensorProto

    graph = u.graph
    return graph.cast(graph.node(name, graph.node("Cast", u.name, to=TensorProto.FLOAT)))


def _sin(u: Value) -> Value:
    return u.call("Sin")


def _cos(u: Value) -> Value:
    return u.call("Cos")


def _exp(u: Value) -> Value:
    return u.call("Exp")


def _sqrt(u: Value) -> Value:
    return u.call("Sqrt")


def _log1p(u: Value) -> Value:
    """Put back what 1 + u rounds away (Goldberg 1991, theorem 4)."""
    w = 1.0 + u
    return where(equal(w, 1.0), u, w.call("Log") * u / (w - 1.0))


def _expm1(u: Value) -> Value:
    """Return 2 t / (1 - t) with t = tanh(u/2), where u is small."""
    t = (0.5 * u).call("Tanh")
    return where(u.call("Abs") < 1.0, 2.0 * t / (1.0 - t), _exp(u) - 1.0)


def _cosh(u: Value) -> Value:
    return 0.5 * (_exp(u) + _exp(-u))


def _atan(u: Value) -> Value:
    """Return atan(u) = a + d - d^3/3 with a in single precision and d = (u cos a - sin a) / (cos a + u sin a)."""
    a = _in_single(u, "Atan")
    d = (u * _cos(a) - _sin(a)) / (_cos(a) + u * _sin(a))
    return a + d - d * d * d / 3.0


def _asin(u: Value) -> Value:
    """Return asin(u) = a + d + d^3/6 with a in single precision and d = u cos a - sqrt(1 - u^2) sin a."""
    a = _in_single(u, "Asin")
    d = u * _cos(a) - _sqrt((1.0 - u) * (1.0 + u)) * _sin(a)
    return a + d + d * d * d / 6.0


def _asinh(u: Value) -> Value:
    size = u.call("Abs")
    return u.call("Sign") * _log1p(size + size * size / (1.0 + _sqrt(1.0 + size * size)))


def _acosh(u: Value) -> Value:
    above = u - 1.0
    return _log1p(above + _sqrt(above * (2.0 + above)))


def _atan2(y: Value, x: Value) -> Value:
    angle = BUILDS["atan"](y / x)
    turned = angle + where(y >= 0.0, math.pi, -math.pi)
    upright = y.call("Sign") * (math.pi / 2.0)
    return where(x > 0.0, angle, where(x < 0.0, turned, upright))


def _horner(coefficients: Sequence[float], u: Value) -> Value:
    first, *lower_coefficients = coefficients
    return reduce(lambda value, each: value * u + each, lower_coefficients, u.graph.value(first))


def _tail(u: Value) -> Value:
    """Return erfc of u > 0.46875 (see ``error_function``)."""
    cut = (u * 16.0).call("Floor") / 16.0
    bell = _exp(-cut * cut) * _exp(-(u - cut) * (u + cut))
    middle = bell * _horner(ERFC_UPPER, u) / _horner(ERFC_LOWER, u)
    inverse = 1.0 / (u * u)
    far = bell * (ONE_BY_ROOT_PI - inverse * _horner(FAR_UPPER, inverse) / _horner(FAR_LOWER, inverse)) / u
    return where(u > 26.5, 0.0, where(u > 4.0, far, middle))


def _erf(u: Value) -> Value:
    size = u.call("Abs")
    near = u * _horner(ERF_UPPER, u * u) / _horner(ERF_LOWER, u * u)
    return where(size <= 0.46875, near, u.call("Sign") * (1.0 - _tail(size)))


def _erfc(u: Value) -> Value:
    size = u.call("Abs")
    near = 1.0 - u * _horner(ERF_UPPER, u * u) / _horner(ERF_LOWER, u * u)
    return where(size <= 0.46875, near, where(u < 0.0, 2.0 - _tail(size), _tail(size)))


def _sinc(u: Value) -> Value:
    turn = math.pi * u
    return where(equal(u, 0.0), 1.0, _sin(turn) / turn)


BUILDS: Mapping[str, Build] = {
    "exp": _exp,
    "log": operator("Log"),
    "log10": lambda u: u.call("Log") / math.log(10.0),
    "log2": lambda u: u.call("Log") / math.log(2.0),
    "sqrt": _sqrt,
    "log1p": _log1p,
    "expm1": _expm1,
    "cbrt": lambda u: u.call("Sign") * u.call("Abs").call("Pow", 1.0 / 3.0),
    "hypot": lambda u, v: _sqrt(u * u + v * v),
    "sinc": _sinc,
    "sin": _sin,
    "cos": _cos,
    "tan": or_in_double("Tan", lambda u: _sin(u) / _cos(u)),
    "asin": or_in_double("Asin", _asin),
    "acos": or_in_double("Acos", lambda u: math.pi / 2.0 - _asin(u)),
    "atan": or_in_double("Atan", _atan),
    "atan2": _atan2,
    "sinh": or_in_double("Sinh", lambda u: u.call("Tanh") * _cosh(u)),
    "cosh": or_in_double("Cosh", _cosh),
    "tanh": operator("Tanh"),
    "asinh": or_in_double("Asinh", _asinh),
    "acosh": or_in_double("Acosh", _acosh),
    "atanh": or_in_double("Atanh", lambda u: 0.5 * _log1p(2.0 * u / (1.0 - u))),
    "logit": lambda u: u.call("Log") - _log1p(-u),
    "sigmoid": operator("Sigmoid"),
    "softplus": lambda u: u.call("Max", 0.0) + _log1p(_exp(-u.call("Abs"))),
    "abs": operator("Abs"),
    "min": operator("Min"),
    "max": operator("Max"),
    "where": where,
    "erf": or_in_double("Erf", _erf),
    "erfc": _erfc,
    "normal_cdf": lambda u: 0.5 * _erfc(u * -math.sqrt(0.5)),
    "sign": operator("Sign"),
    "floor": operator("Floor"),
    "ceil": operator("Ceil"),
    "mod": lambda u, v: u - v * (u / v).call("Floor"),
}
"""How each function is built. Those of gamma, Bessel, Lambert and their kin have no operators."""
