"""Lines lose the points that nobody sees, and nothing else."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from descend.report.thinning import thinned

NUMBERS = st.floats(-1e3, 1e3) | st.just(np.nan)
LINES = st.lists(st.tuples(NUMBERS, NUMBERS), max_size=40).map(lambda pairs: np.array(pairs).reshape(-1, 2).T)


@given(LINES)
def test_a_thinned_line_is_nowhere_far_from_the_full_one(line):
    x, y = line
    a, b = thinned(x, y, 0.5)
    known = np.isfinite(x) & np.isfinite(y)
    assert len(a) <= len(x) and np.count_nonzero(~(np.isfinite(a) & np.isfinite(b))) == np.count_nonzero(~known)
    ends = np.c_[a[:-1], b[:-1], a[1:], b[1:]]
    ends = ends[np.isfinite(ends).all(axis=1)]
    for place in np.c_[x, y][known]:
        on_a_point = np.hypot(a - place[0], b - place[1])
        nearest = np.nanmin(on_a_point)
        for left, low, right, high in ends:
            along, up = right - left, high - low
            length = along**2 + up**2
            share = np.clip(((place[0] - left) * along + (place[1] - low) * up) / length, 0, 1) if length else 0.0
            nearest = min(nearest, np.hypot(left + share * along - place[0], low + share * up - place[1]))
        assert nearest <= 0.5 + 1e-9 * 1e3


def test_a_smooth_curve_needs_few_points_and_a_straight_one_two():
    x = np.linspace(0.0, 480.0, 600)
    a, b = thinned(x, 270.0 * np.exp(-x / 100.0))
    assert len(a) < 60 and np.abs(np.interp(x, a, b) - 270.0 * np.exp(-x / 100.0)).max() < 0.25
    assert len(thinned(x, 2.0 * x)[0]) == 2
