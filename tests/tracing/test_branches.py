"""Branches on parameters, and on the numbers of a row, become choices."""

from __future__ import annotations

import math

import numpy as np
import pytest

from descend.tracing.tape import UntraceableError
from descend.tracing.tracing import trace


@np.vectorize
def ramp(x, a, b):
    if x < a:
        return 0.0
    elif x < b:
        return x - a
    return b - a


smaller = np.frompyfunc(lambda x, a: x if x < a else math.exp(a), 2, 1)


def penalty(x, a, b):
    if a < 0 or b < 0:
        return np.full_like(x, 1e10)
    return a * x + b


def refusing(x, a, b):
    if a <= 0:
        raise ValueError("a must be positive")
    if not b > 0:
        raise AssertionError  # what `assert b > 0` does where pytest does not rewrite it
    return a * x**b


def by_rows(x, a, b):
    out = []
    for each in x:
        if each > b:
            out.append(a)
        else:
            out.append(b * math.sin(each))
    return np.array(out)


def asking_twice(x, a, b):
    y = a * x if a > b else b * x
    return y + 1 if a > b else y - 1 if not a > b else y


def each_way_once(x, a, b):
    if a < b:
        return x
    if a >= b:
        return a * x
    return b * x


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (each_way_once, "where(a < b, x, a*x)"),
        (penalty, "where(a < 0, 10000000000, where(b < 0, 10000000000, a*x + b))"),
        (refusing, "a*x^b"),
        (lambda x, a, b: a * x if a > b else b * x, "where(a > b, a*x, b*x)"),
        (lambda x, a, b: (a or b) * x, "where(a != 0, a*x, b*x)"),
        (asking_twice, "where(a > b, a*x + 1, b*x - 1)"),
        (ramp, "where(x < a, 0, where(x < b, x - a, b - a))"),
        (lambda x, a, b: ramp(x, a, b) + ramp(x, b, a),
         "where(x < a, 0, where(x < b, x - a, b - a)) + where(x < b, 0, where(x < a, x - b, a - b))"),
        (lambda x, a, b: np.vectorize(lambda u: a if u < 1 else u, otypes=[float])(x) + b, "where(x < 1, a, x) + b"),
        (lambda x, a, b: smaller(x, a) + b, "where(x < a, x, exp(a)) + b"),
        (by_rows, "where(x > b, a, b*sin(x))"),
    ],
)  # fmt: skip
def test_a_branch_becomes_a_choice(function, text):
    assert trace(function, ["x"], ["a", "b"]) == text


def until_small(x, a):
    step = a
    while abs(step) > 1e-8:
        step = step / 2
    return step * x


def many_ways(x, a):
    for k in range(6):
        x = x + 1 if a > k else x - 1
    return x


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (until_small, "decides too often how to go on, as a loop does that ends when something is small (line {3})"),
        (many_ways, "has more than 32 ways through its branches"),
    ],
)
def test_too_many_branches_are_no_formula(function, reason):
    with pytest.raises(UntraceableError) as caught:
        trace(function, ["x"], ["a"])
    assert str(caught.value) == reason.format(None, None, None, function.__code__.co_firstlineno + 2)
