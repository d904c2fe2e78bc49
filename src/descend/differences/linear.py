"""Which parameters enter a function linearly, found by calling it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from descend.differences.calls import Array, Calls

STRAIGHT = 1e-9
"""Share of the largest value by which values on a line may miss it."""


def linear_places(calls: Calls, bases: Sequence[Array], steps: Array, places: Sequence[int]) -> list[int]:
    """Return those of the ``places`` in which a function is affine, all of them together, around each of the bases.

    With s_k a long step of parameter k: f(theta + 2 s_k) - 2 f(theta + s_k) + f(theta) is 0 to rounding for each by
    itself, and f(theta + s) - f(theta) - (f(theta + s_k) - f(theta)) - (f(theta + s - s_k) - f(theta)) for all that are
    taken together, s being the sum of their steps, so that no two are multiplied with each other.
    """
    taken: list[int] = []
    found = {}
    for number, base in enumerate(bases):
        moves = [step * np.eye(base.size)[place] for place in places for step in (steps[place], 2.0 * steps[place])]
        values = calls.values(np.array([base, *(base + move for move in moves)]))
        for order, place in enumerate(places):
            found[number, place] = values[0], values[1 + 2 * order], values[2 + 2 * order]
    bent = {
        place
        for (_, place), (start, middle, end) in found.items()
        if not straight(end - middle, middle - start, start, middle, end)
    }
    for place in (place for place in places if place not in bent):
        if all(_apart(calls, base, steps, taken, place, found[number, place]) for number, base in enumerate(bases)):
            taken.append(place)
    return taken


def _apart(
    calls: Calls, base: Array, steps: Array, taken: list[int], place: int, values: tuple[Array, Array, Array]
) -> bool:
    """Whether a parameter has the same effect once those that are taken have moved."""
    if not taken:
        return True
    moved = base.copy()
    moved[taken] += steps[taken]
    further = moved.copy()
    further[place] += steps[place]
    before, after = calls.values(np.array([base, moved, further]))[1:]
    return straight(after - before, values[1] - values[0], before, after, values[0], values[1])


def straight(one: Array, other: Array, *sizes: Array) -> bool:
    """Whether two changes are the same in every row that has values, to rounding of values of some sizes."""
    largest = np.max(np.abs(sizes), axis=0)
    there = np.isfinite(largest)
    return bool(there.any() and (np.abs(one - other)[there] <= STRAIGHT * largest[there].max()).all())
