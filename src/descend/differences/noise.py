"""How noisy a function is: what remains of its values, a hair apart, once everything smooth is subtracted."""

from __future__ import annotations

import math

import numpy as np

from descend.differences.calls import Array, Calls

APART = 1e-8
"""First distance between neighbouring points, as a share of each parameter."""
WIDER = 1e3
"""How much further apart they are set where most values do not change, as those in single precision."""
WIDEST = 1e-3
POINTS, MORE_POINTS = 3, 6
"""Points beside the first, where each is a call, and where one call takes all of them."""
QUIETEST = 0.95
"""Share of the rows, the quietest, that count: a row that jumps is no noise."""
LEAST = float(np.finfo(np.float64).eps) / 4.0
"""Relative noise of one rounded number, which no function is below."""


def noise_of(differences: Array) -> float:
    """Return the standard deviation of the noise in equally spaced values (m + 1, n), all rows taken together.

    Differences of order k remove a polynomial of degree k - 1, and multiply the variance of independent noise by
    (2k)! / (k!)**2:

        sigma_k**2 = (k!)**2 / (2k)! * mean (Delta^k f)**2

    The least of the orders from 2 on counts, as those below still contain some of the function itself; the mean is that
    of the quietest 95% of the rows, which makes it a tenth too small where all are alike.

    Source: Moré & Wild (2011), SIAM J. Sci. Comput. 33, 1292-1314.

    >>> noisy = np.random.default_rng(0).normal(scale=1e-6, size=(5, 400)) + np.linspace(0, 1e-6, 5)[:, None]
    >>> round(1e6 * noise_of(noisy), 1)
    0.9
    """
    noise = math.inf
    for order in range(1, len(differences)):
        differences = np.diff(differences, axis=0)
        if order == 1 and len(differences) > 1:
            continue
        squares = np.sort(np.mean(differences**2, axis=0))
        squares = squares[: max(1, math.ceil(QUIETEST * len(squares)))]
        noise = min(noise, math.sqrt(float(squares.mean()) * math.factorial(order) ** 2 / math.factorial(2 * order)))
    return noise


def measured_noise(calls: Calls, theta: Array, units: Array) -> float:
    """Return the noise of a function near theta: its standard deviation, over rows in which it has values.

    units: what counts as a step of size 1 for each parameter.
    """
    step_apart = APART
    while True:
        count = MORE_POINTS if calls.learn(theta) else POINTS
        points = np.array([theta + sample_number * step_apart * units for sample_number in range(count + 1)])
        values = calls.values(points)
        values = values[:, np.isfinite(values).all(axis=0)]
        if not values.size:
            return math.nan
        still = np.mean(values[1:] == values[:-1])
        if still > 0.5 and step_apart < WIDEST and (values != 0.0).any():
            step_apart *= WIDER
            continue
        return max(noise_of(values), LEAST * float(np.sqrt(np.mean(values[0] ** 2))))
