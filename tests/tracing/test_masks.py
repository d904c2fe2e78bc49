"""Rows that are chosen by a condition, and what is written into them."""

from __future__ import annotations

import numpy as np
import pytest
from tests.tracing.tracing_checks import assert_traced

from descend.tracing.tape import UntraceableError
from descend.tracing.tracing import trace


def masked(x, a, b, m):
    y = np.zeros_like(x)
    y[x > m] = a * x[x > m]
    y[~(x > m)] = b
    return y


def stored_mask(x, a, b, m):
    y = np.full_like(x, np.nan)
    inside = (x > m) & (x < m + 1)
    y[inside] = a * x[inside] ** 2
    y[~inside] = b * x[~inside]
    return y


def three_parts(x, a, b, c):
    y = np.empty_like(x)
    y[x < 1] = a
    y[(x >= 1) & (x < 2)] = b * x[(x >= 1) & (x < 2)]
    y[x >= 2] = c
    return y


def parts_of_two_thresholds(x, a, b, m):
    y = np.empty_like(x)
    low, high = x <= m, x > m + 1
    middle = np.logical_not(np.logical_or(low, high))
    y[low] = a * x[low]
    y[middle] = b * x[middle]
    y[high] = a * b
    return y


def nested_masks(x, a, b, m):
    y = np.ones_like(x)
    right = x > m
    inner = x[right]
    part = a * inner
    part[inner > 2] = b
    y[right] = part
    return y


def by_numbers_of_rows(x, a, b, m):
    y = np.ones(len(x)) * b
    where = np.where(x > m)[0]
    y[where] = a * x[where]
    y[np.nonzero(x > 2.5)] = 2.5 * a
    y[np.flatnonzero(np.less(x, 0.5))] += a
    return y


def parts_in_a_row(x, a, b, m):
    left, right = x[x < m], x[x >= m]
    return np.concatenate((a * left, b * right**2))


def collected_conditions(x, a, b, m):
    mask = np.zeros_like(x, dtype=bool)
    mask |= x > m
    mask[x > 2.5] = True
    mask &= ~(x > 2.8)
    y = a * x
    y[mask] = b
    return y


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (masked, "where(x > m, a*x, b)"),
        (stored_mask, "where(x > m and x < m + 1, a*x^2, b*x)"),
        (three_parts, "where(x >= 2, c, where(x >= 1, b*x, a))"),
        (parts_of_two_thresholds, "where(x > m + 1, a*b, where(x <= m, a*x, b*x))"),
        (nested_masks, "where(x > m, where(x > 2, b, a*x), 1)"),
        (by_numbers_of_rows, None),
        (collected_conditions, None),
    ],
)
def test_what_is_written_into_some_rows_is_a_choice(function, text):
    found = assert_traced(function)
    assert text is None or found == text


def test_rows_that_were_parted_are_put_together_again_in_order():
    assert trace(parts_in_a_row, ["x"], ["a", "b", "m"]) == "where(x < m, a*x, b*x^2)"


def changed_in_place(x, a, b, m):
    y = a * x
    y[x > m] *= b
    y[np.less(x, m)] += 1.0
    y[x > 2] = -y[x > 2]
    y -= b
    return y


def put_and_placed(x, a, b, m):
    y = np.full_like(x, a)
    np.putmask(y, x > m, b * x)
    np.copyto(y, b - x, where=x > 2)
    np.place(y, x > 2.5, 3.0)
    y[...] = y * 2
    y[:] = y + a
    return y


def with_where_and_out(x, a, b, m):
    y = np.ones_like(x)
    np.multiply(a, x, out=y)
    np.exp(-b * x, out=y, where=x > m)
    return y + np.divide(a, x - m, out=np.zeros_like(x), where=x > m + 0.5)


def several_columns(X, a, b):
    Y = a * X
    Y[X[:, 0] > 1, 1] = b
    Y[X[:, 1] > 2] *= b
    Y[:, 0] += a
    Y[Y < 0.5] = 0.5
    first = X[X[:, 0] > 1.5]
    Y[X[:, 0] > 1.5] = first @ np.array([[a, 0.0], [0.0, b]])
    return Y.sum(axis=1)


def one_by_one(X, a, b):
    Y = np.stack([np.zeros_like(X[0])] * 3)
    for k in range(3):
        Y[k] = a * X[0] ** k
        Y[k, X[1] > 1.5] = b * X[0, X[1] > 1.5]
    return Y[0] + Y[-1] * Y[1]


def test_changes_in_place_are_traced():
    assert_traced(changed_in_place)
    assert_traced(put_and_placed)
    assert_traced(with_where_and_out)
    assert_traced(several_columns, columns=("x0", "x1"), stacked=1)
    assert_traced(one_by_one, columns=("x0", "x1"), stacked=0)


def aliased(x, a, b):
    y = a * x
    z = y
    z += b
    part = y[x > 1]
    part += 100.0  # a copy, in NumPy
    number = a
    number += 1.0  # a number is no array
    view = y[:]
    view *= 2.0
    fresh = y.copy()
    fresh -= 7.0
    return y + a


def test_what_is_known_under_two_names_changes_under_both():
    assert assert_traced(aliased) == "(a*x + b)*2 + a"


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x, a: x[x > a], "returns some of the rows of the data only"),
        (lambda x, a: x[x > a].sum() * x, "sums over the rows of the data (line {line})"),
        (lambda x, a: np.sum(x[x > a]) * x, "sums over the rows of the data (line {line})"),
        (lambda x, a: len(x[x > a]) * x, "counts the rows where x > a (line {line})"),
        (lambda x, a: x[x > a] + x, "computes with the rows of two different choices at once (line {line})"),
        (lambda x, a: x[0] * a, "takes rows of the data by their numbers (line {line})"),
        (lambda x, a: x[1:] * a, "takes rows of the data by their numbers (line {line})"),
        (lambda x, a: x[::-1] * a, "takes rows of the data by their numbers (line {line})"),
        (lambda x, a: np.array([1.0, 2.0])[a] * x, "turns a into a plain number (line {line})"),
        (lambda x, a: np.stack([x, x])[a] * x, "takes the cell of an array at the place a (line {line})"),
        (
            lambda x, a: np.log(x, where=x > a),
            "calls np.log for some rows and leaves the others undefined (line {line})",
        ),
        (lambda x, a: np.where(x > a)[0] * x, None),
    ],
)
def test_what_cannot_be_done_with_some_rows_is_said(function, reason):
    with pytest.raises(UntraceableError) as caught:
        trace(function, ["x"], ["a"])
    if reason is not None:
        assert str(caught.value) == reason.format(line=function.__code__.co_firstlineno)


def test_rows_of_two_conditions_do_not_fit_each_other():
    def mixed(x, a, b):
        y = np.zeros_like(x)
        y[x > a] = b * x
        return y

    line = mixed.__code__.co_firstlineno + 2
    with pytest.raises(UntraceableError, match=rf"^raises ValueError when it is called with symbols \(line {line}\)$"):
        trace(mixed, ["x"], ["a", "b"])
