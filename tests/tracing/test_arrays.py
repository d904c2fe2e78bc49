"""NumPy code with arrays, as people write it, becomes a formula with the same values and slopes."""

from __future__ import annotations

import numpy as np
import pytest
from tests.tracing.tracing_checks import assert_traced


def peaks_by_broadcasting(x, a1, a2, m1, m2, s):
    a, m = np.array([1.0, 2.0])[:, None], np.array([0.5, 1.5])[:, None]
    return np.sum(a * np.exp(-(((x - m * m1) / s) ** 2)), axis=0) * a1 + a2 * m2


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


def changed_in_place(x, a, b, m):
    y = a * x
    y[x > m] *= b
    y[np.less(x, m)] += 1.0
    y -= b
    return y


def nested_masks(x, a, b, m):
    y = np.ones_like(x)
    right = x > m
    inner = x[right]
    part = a * inner
    part[inner > 2] = b
    y[right] = part
    return y


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (masked, "where(x > m, a*x, b)"),
        (stored_mask, "where(x > m and x < m + 1, a*x^2, b*x)"),
        (three_parts, "where(x >= 2, c, where(x >= 1, b*x, a))"),
        (changed_in_place, None),
        (nested_masks, "where(x > m, where(x > 2, b, a*x), 1)"),
        (peaks_by_broadcasting, None),
    ],
)
def test_a_function_has_its_values_and_slopes(function, text):
    found = assert_traced(function)
    assert text is None or found == text
