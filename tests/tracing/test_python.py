"""What is Python in a traced function: numbers of `math`, loops over rows, methods, wrappers."""

from __future__ import annotations

import dataclasses
import fractions
import functools
import math
import threading
from math import exp

import numpy as np
import pytest
from scipy import interpolate

from descend.tracing.tape import UntraceableError
from descend.tracing.tracing import trace


def line(x, a, b):
    return np.asarray(a) * np.array(x) + float(b)


def growth(u):
    return math.exp(u)


def factorial_like(n, u):
    return u if n == 0 else u * factorial_like(n - 1, u)


@functools.lru_cache
def remembered(a):
    return math.exp(a)


@dataclasses.dataclass(frozen=True)
class Peak:
    width: float
    shape: object = growth

    def height(self, u):
        return math.exp(self.width) * np.exp(-(np.asarray(u) ** 2)) * self.shape(1)

    def __call__(self, x, a, b):
        return a * self.height(x - b)


class Steep:
    @staticmethod
    def rate(b):
        return math.log(b)

    @property
    def two(self):
        return 2

    def at(self, x, a, b):
        return a * x * self.rate(b) * self.two


SHAPES = {"line": line, "growth": growth}
NARROW = Peak(0.0)


def loop_over_rows(x, a, b):
    out = []
    for each in x:
        out.append(a * math.exp(-b * each))
    return np.array(out)


def printing(x, a, b):
    print("a is", a, f"{a:.3f} {b!r}")
    return float(a) * x + b


def of_length(x, a, b):
    return np.ones(len(x)) * a + np.full(x.shape, b, dtype=float) * x


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (line, "a*x + b"),
        (
            lambda x, a, b: math.exp(a) * x + math.sqrt(b) / math.log(a, 10),
            "exp(a)*x + sqrt(b)/(log(a)/2.302585092994046)",
        ),
        (lambda x, a, b: [a * exp(-b * each) for each in x], "a*exp(-b*x)"),
        (lambda x, a, b: max(a, 0) * x + min(a, b, 1.0), "max(a, 0)*x + min(min(a, b), 1)"),
        (lambda x, a, b: math.fsum([a, b]) + sum(math.pow(a, k) for k in range(2)) + x, "a + b + 1 + a + x"),
        (lambda x, a, b: SHAPES["line"](x, a, b) * SHAPES["growth"](a), "(a*x + b)*exp(a)"),
        (lambda x, a, b: factorial_like(2, math.sin(a)) * x + b, "sin(a)*sin(a)*sin(a)*x + b"),
        (lambda x, a, b: remembered(a) * x + b, "exp(a)*x + b"),
        (lambda x, a, b: a * x + b if isinstance(x, np.ndarray) and isinstance(a, float) else 0.0, "a*x + b"),
        (lambda x, a, b: NARROW(x, a, b), "a*exp(-(x - b)^2)*2.718281828459045"),
        (NARROW, "a*exp(-(x - b)^2)*2.718281828459045"),
        (Steep().at, "a*x*log(b)*2"),
        (functools.partial(lambda k, x, a, b: math.exp(k * a) * x + b, 3), "exp(3*a)*x + b"),
        (functools.lru_cache(line), "a*x + b"),
        (loop_over_rows, "a*exp(-b*x)"),
        (lambda x, a, b: np.fromiter((a * math.exp(-b * u) for u in x), float), "a*exp(-b*x)"),
        (printing, "a*x + b"),
        (of_length, "a + b*x"),
    ],
)
def test_python_becomes_a_formula(function, text):
    assert trace(function, ["x"], ["a", "b"]) == text


def test_a_jitted_function_is_traced_as_its_python():
    numba = pytest.importorskip("numba")
    inner = numba.njit(growth)

    @numba.njit
    def decay(x, a, b):
        return a * np.exp(-b * x) + inner(a)

    @numba.vectorize
    def ramp(x, a, b):
        return a * math.exp(-x) if x < b else 0.0

    def compiling(x, a, b):
        compiled = numba.njit(cache=False)(lambda u: math.exp(u))
        return compiled(a) * x + b

    assert trace(decay, ["x"], ["a", "b"]) == "a*exp(-b*x) + exp(a)"
    assert trace(ramp, ["x"], ["a", "b"]) == "where(x < b, a*exp(-x), 0)"
    assert trace(compiling, ["x"], ["a", "b"]) == "exp(a)*x + b"


def test_the_function_and_what_it_refers_to_stay_as_they_are():
    before = dict(globals()), math.exp, np.asarray, dict(vars(NARROW))
    trace(lambda x, a: NARROW(np.asarray(x), a, math.exp(a)), ["x"], ["a"])
    assert (dict(globals()), math.exp, np.asarray, dict(vars(NARROW))) == before
    assert type(NARROW) is Peak and line.__globals__ is globals()


def test_threads_do_not_notice_each_other():
    texts = []

    def traced(k):
        texts.append(trace(lambda x, a: math.exp(a) ** k * np.asarray(x), ["x"], ["a"]) == f"exp(a)^{k}*x")

    threads = [threading.Thread(target=traced, args=(k,)) for k in range(2, 12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == [True] * 10


def swallowing(x, a):
    try:
        scale = int(a)
    except TypeError:
        scale = 1
    return scale * x


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (swallowing, "turns a into a whole number"),
        (lambda x, a: a * x / sum(x), "sums over its rows"),
        (lambda x, a: x * math.exp(x), "calls math.exp with all rows at once"),
        (lambda x, a: a * x if any(x > a) else x, "calls any with all rows"),
        (lambda x, a: a * x if x > 1 else x, "asks of a whole array whether x > 1"),
        (lambda x, a: {1.0: x}[a], "looks a up, as in a dict or a set"),
        (lambda x, a: np.array([x[k] for k in range(1, len(x))]), "goes through some of its rows"),
        (lambda x, a: fractions.Fraction(a) * x, "raises AttributeError when it is called with symbols"),
        (lambda x, a: interpolate.CubicSpline([0.0, 1.0, 2.0], [a, 1.0, 2.0])(x), "turns a into a plain number"),
        (lambda x, a: 1 / 0 * a, "raises ZeroDivisionError when it is called with symbols"),
    ],
)
def test_the_reason_names_the_line(function, reason):
    with pytest.raises(UntraceableError) as caught:
        trace(function, ["x"], ["a"])
    first = function.__code__.co_firstlineno
    assert str(caught.value) == f"{reason} (line {first + 2 if function is swallowing else first})"


def of_each_row(x, a, b):
    out = np.zeros_like(x)
    for k in range(len(x)):
        out[k] = a * math.exp(-b * x[k])
    return out


def importing(x, a, b):
    import math as m

    from numpy import asarray

    return m.exp(a) * asarray(x, dtype=float) + b


@pytest.mark.parametrize(
    ("function", "text"), [(of_each_row, "a*exp(-b*x)"), (importing, "exp(a)*x + b"), (np.vectorize(importing), None)]
)
def test_rows_by_number_and_modules_imported_within(function, text):
    assert trace(function, ["x"], ["a", "b"]) == (text or "exp(a)*x + b")


def test_a_class_that_is_told_of_its_subclasses_hears_of_none():
    heard = []

    class Registered:
        def __init_subclass__(cls):
            heard.append(cls)

    class Curve(Registered):
        rate = 2.0

        def value(self, x, a):
            return a * np.exp(-self.rate * x) if a > 0 else a * x

    assert "exp(-2*x)" in trace(Curve().value, ["x"], ["a"])
    assert heard == [Curve]
