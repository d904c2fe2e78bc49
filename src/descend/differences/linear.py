"""Which parameters enter a function linearly, found by calling it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from descend.differences.calls import Array, Calls

STRAIGHT = 1e-9
"""Share of the largest value by which values on a line may miss it."""


def linear_places(calls: Calls, bases: Sequence[Array], steps: Array, components: Sequence[int]) -> list[int]:
    """Return those of the ``components`` in which a function is affine, all of them together, around each of the bases.

    With s_k a long step of parameter k: f(theta + 2 s_k) - 2 f(theta + s_k) + f(theta) is 0 to rounding for each by
    itself, and f(theta + s) - f(theta) - (f(theta + s_k) - f(theta)) - (f(theta + s - s_k) - f(theta)) for all that are
    taken together, s being the sum of their steps, so that no two are multiplied with each other.
    """
    linear: list[int] = []
    linear_found = {}
    for number, base in enumerate(bases):
        moves = [step * np.eye(base.size)[place] for place in components for step in (steps[place], 2.0 * steps[place])]
        values = calls.values(np.array([base, *(base + move for move in moves)]))
        for order, place in enumerate(components):
            linear_found[number, place] = values[0], values[1 + 2 * order], values[2 + 2 * order]
    bent = {
        place
        for (_, place), (start, middle, end) in linear_found.items()
        if not straight(end - middle, middle - start, start, middle, end)
    }
    for place in (place for place in components if place not in bent):
        if all(
            _apart(calls, base, steps, linear, place, linear_found[number, place]) for number, base in enumerate(bases)
        ):
            linear.append(place)
    return linear


def _apart(
    calls: Calls, base: Array, steps: Array, linear: list[int], component: int, values: tuple[Array, Array, Array]
) -> bool:
    """Whether a parameter has the same effect once those that are taken have moved."""
    if not linear:
        return True
    probe_theta = base.copy()
    probe_theta[linear] += steps[linear]
    further = probe_theta.copy()
    further[component] += steps[component]
    before, after = calls.values(np.array([base, probe_theta, further]))[1:]
    return straight(after - before, values[1] - values[0], before, after, values[0], values[1])


def straight(first_values: Array, second_values: Array, *sizes: Array) -> bool:
    """Whether two changes are the same in every row that has values, to rounding of values of some sizes."""
    largest = np.max(np.abs(sizes), axis=0)
    mask = np.isfinite(largest)
    return bool(mask.any() and (np.abs(first_values - second_values)[mask] <= STRAIGHT * largest[mask].max()).all())
