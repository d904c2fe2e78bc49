"""Python around the mathematics: closures, objects, loops, guards, prints and dictionaries."""

import functools
import math
import operator
from dataclasses import dataclass
from math import exp, pi, sqrt
from typing import NamedTuple

import numpy as np
from tests.tracing.corpus.entry import entry

X = np.linspace(0.1, 6, 60)
SCALE = 2.5
CONSTANTS = {"k": 0.7, "unit": 1e3}
RATES = {"fast": 2.0, "slow": 0.3}


def decay(t, tau):
    return np.exp(-t / tau)


def calibrated(baseline):
    factor = baseline * SCALE

    def model(x, a, tau):
        return factor + a * decay(x, tau)

    return model


entry(X, dict(a=2.0, tau=1.4), 0.01, name="closure")(calibrated(0.3))
entry(X, dict(a=2.0, k=0.6), 0.01, name="lambda")(lambda x, a, k: a * np.exp(-k * x))


@entry(X, dict(a=2.0, k=0.6), 0.01)
def nested_functions_in_globals(x, a, k):
    return a * decay(x, 1 / k) * CONSTANTS["k"] / SCALE


def with_options(x, a, b, power=2, offset=0.0):
    return a * np.exp(-b * x**power) + offset


entry(X, dict(a=2.0, b=0.3), 0.01, name="partial")(functools.partial(with_options, power=1.5, offset=0.1))


@entry(X, dict(a=2.0, b=0.3, power=1.4), 0.01)
def default_arguments(x, a=1.0, b=0.5, power=1.0):
    return a * np.exp(-b * x**power)


@entry(X, dict(a=2.0, b=0.3), 0.01)
def keyword_only(x, *, a, b):
    return a / (1 + b * x)


@dataclass
class Thermometer:
    gain: float
    zero: float = 0.2

    def response(self, t, a, tau):
        return self.zero + self.gain * a * (1 - np.exp(-t / tau))


entry(X, dict(a=2.0, tau=1.3), 0.01, name="method_of_a_dataclass")(Thermometer(1.5).response)


class Baseline:
    """Remembers how often it was called, as such classes do."""

    def __init__(self, order):
        self.order = order
        self.calls = 0

    def __call__(self, x, a, k, c):
        self.calls += 1
        return sum(c * (x / 10) ** n for n in range(self.order)) + a * np.exp(-k * x)

    @staticmethod
    def power(x, a, b):
        return a * x**b


entry(X, dict(a=2.0, k=0.7, c=0.3), 0.01, name="class_with_call")(Baseline(3))
entry(X, dict(a=2.0, b=0.7), 0.01, name="static_method")(Baseline.power)


class Rates(NamedTuple):
    up: float
    down: float


@entry(X, dict(a=2.0, k1=1.7, k2=0.3), 0.01)
def named_tuple_of_parameters(x, a, k1, k2):
    rates = Rates(up=k1, down=k2)
    return a * (1 - np.exp(-rates.up * x)) * np.exp(-rates.down * x)


def chebyshev(n, x):
    if n == 0:
        return 1
    if n == 1:
        return x
    return 2 * x * chebyshev(n - 1, x) - chebyshev(n - 2, x)


@entry(X, dict(a=1.0, b=0.5, c=-0.3, d=0.2), 0.01)
def recursion(x, a, b, c, d):
    u = x / 3 - 1
    return a + b * chebyshev(1, u) + c * chebyshev(3, u) + d * np.exp(chebyshev(2, u))


@entry(X, dict(a=1.0, b=0.5, c=1.3), 0.005)
def continued_fraction(x, a, b, c):
    value = c
    for _ in range(3):
        value = a + b * x / value
    return value


def _scalar(x, a, k, c):
    if x < 3.0:
        return a * math.exp(-k * x) + c
    return a * math.exp(-k * 3.0) + c


entry(X, dict(a=2.0, k=0.7, c=0.3), 0.01, name="vectorized_scalars")(
    lambda x, a, k, c: np.vectorize(_scalar)(x, a, k, c)
)


@np.vectorize
def decorated_by_vectorize(x, a, k):
    return a * exp(-k * x) / sqrt(2 * pi)


entry(X, dict(a=2.0, k=0.7), 0.01, name="decorated_by_vectorize")(
    lambda x, a, k: decorated_by_vectorize(x, a, k)  # its own signature is *args
)


@entry(X, dict(a=2.0, k=0.7), 0.01)
def from_python_function(x, a, k):
    f = np.frompyfunc(lambda t: a * math.exp(-k * t), 1, 1)
    return f(x).astype(float)


@entry(X, dict(a=2.0, k=0.7, c=0.3), 0.01)
def list_comprehension(x, a, k, c):
    return np.array([a * math.exp(-k * xi) + c for xi in x])


@entry(X, dict(a=2.0, k=0.7, c=0.3), 0.01)
def appended_in_a_loop(x, a, k, c):
    result = []
    for xi in x:
        if xi > 4:
            result.append(c)
        else:
            result.append(c + a * np.exp(-k * xi) - a * np.exp(-k * 4))
    return np.array(result)


@entry(X, dict(a=2.0, k=0.7), 0.01)
def filled_by_index(x, a, k):
    y = np.zeros(len(x))
    for i in range(len(x)):
        y[i] = a * np.sqrt(k * x[i] + 1)
    return y


KINDS = {
    "exponential": lambda x, k: np.exp(-k * x),
    "hyperbolic": lambda x, k: 1 / (1 + k * x),
}


@entry(X, dict(a=2.0, k=0.7), 0.01)
def looked_up_in_a_dictionary(x, a, k, kind="hyperbolic"):
    parameters = {"a": a, "k": k}
    return parameters["a"] * KINDS[kind](x, parameters["k"])


@entry(X, dict(fast=2.0, slow=1.1), 0.01)
def loop_over_a_dictionary(x, fast, slow):
    amplitudes = dict(fast=fast, slow=slow)
    return sum(amplitudes[name] * np.exp(-rate * x) for name, rate in RATES.items())


@entry(X, dict(a=2.0, k=0.7), 0.01)
def matches_a_kind(x, a, k, kind="exp"):
    match kind:
        case "exp":
            return a * np.exp(-k * x)
        case _:
            raise ValueError(kind)


def timed(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


@entry(X, dict(a=2.0, k=0.7), 0.01)
@timed
def decorated_with_wraps(x, a, k):
    return a * np.exp(-k * x)


@entry(X, dict(a=2.0, b=0.7, c=0.4), 0.01)
def reduced(x, a, b, c):
    return functools.reduce(operator.add, [a * np.exp(-x), b * x, c * x**2 / 10])


@entry(X, dict(a=2.0, b=0.7, c=0.4), 0.01)
def horner_by_loop(x, a, b, c):
    y = 0
    for coefficient in reversed((a, b, c)):
        y = y * (x / 5) + coefficient
    return y


@entry(X, dict(w=1.7, a=1.2), 0.005)
def newton_iteration(M, w, a):
    """Kepler's equation, five steps."""
    e = 0.3 * w / 2
    E = M
    for _ in range(5):
        E = E - (E - e * np.sin(E) - M) / (1 - e * np.cos(E))
    return a * (1 - e * np.cos(E))


@entry(X, dict(a=2.0, k=0.7), 0.01)
def annotated(x: np.ndarray, a: float, k: float) -> np.ndarray:
    """Return a*exp(-k*x), and nothing else."""
    t: np.ndarray = x
    if (scaled := k * t) is not None:
        return np.multiply(a, np.exp(np.negative(scaled)))
    return t


@entry(X, dict(a=2.0, k=0.7), 0.01, whole=True)
def keyword_arguments(x, a, k, **kwargs):
    shift = kwargs.get("shift", 0.0)
    return a * np.exp(-k * (x - shift))


@entry(X, dict(a=2.0, k=0.7), 0.01, needs="numba")
def compiled_by_numba(x, a, k):
    import numba

    return _njit(numba)(x, a, k)


@functools.cache
def _njit(numba):
    @numba.njit
    def kernel(x, a, k):
        y = np.empty_like(x)
        for i in range(x.shape[0]):
            y[i] = a * np.exp(-k * x[i])
        return y

    return kernel


@entry(X, dict(a=2.0, log_k=-0.4), 0.01)
def parameter_on_a_log_scale(x, a, log_k):
    return a * np.exp(-np.exp(log_k) * x)


@entry(X, dict(a=2.0, k=0.7, n=3.0), 0.01)
def rounded_power(x, a, k, n):
    return a * x ** int(2) * np.exp(-k * x) + n
