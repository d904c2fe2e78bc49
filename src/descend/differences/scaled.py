"""A factor and an added constant of a function: two columns of derivatives that cost no call."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from descend.differences.calls import Array, Calls

CONSTANT = 1e-6
"""Share of the largest by which the derivatives by an added constant may differ from row to row, found coarsely."""
FACTOR = 1e-5
"""How near to 1 a factor makes the part of a function that is proportional to it, derivatives being found coarsely."""
AGREES = 1e-12
"""Share of the largest value to which a function has to be what a factor and a constant make of it."""
MOVES = 0.37, -0.23
"""By how much both are moved to see that, as shares of the values."""


@dataclass(frozen=True)
class Scaled:
    """f(theta) = theta_factor * phi(others) + theta_constant: their derivatives are (f - theta_constant) / theta_factor
    and 1, whatever the others are. Either place is None where there is none.
    """

    factor: int | None
    constant: int | None

    def columns(self, theta: Array, values: Array) -> dict[int, Array]:
        """Return the derivatives by either, as far as the values at a point tell them."""
        added = 0.0 if self.constant is None else theta[self.constant]
        scaled_columns = {} if self.constant is None else {self.constant: np.ones(len(values))}
        if self.factor is not None and theta[self.factor] != 0.0:
            scaled_columns[self.factor] = (values - added) / theta[self.factor]
        return scaled_columns

    def holds(self, calls: Calls, theta: Array, values: Array, room: tuple[Array, Array]) -> bool:
        """Whether the function is what both make of it at a point where both are others: one call."""
        there = theta.copy()
        size = float(np.sqrt(np.mean(values**2)))
        if self.factor is not None:
            there[self.factor] *= 1.0 + MOVES[0]
        if self.constant is not None:
            there[self.constant] += MOVES[1] * size
        there = np.clip(there, *room)
        columns = self.columns(theta, values)
        expected = values + sum((there[component] - theta[component]) * column for component, column in columns.items())
        missed = np.abs(calls.value(there) - expected)
        return bool((missed <= AGREES * np.abs(expected).max()).all())


def scaled(theta: Array, values: Array, jacobian: Array) -> Scaled | None:
    """Return what look like the factor and the constant of a function at one point; None if it has neither.

    The values are then theta_factor * df/dtheta_factor + theta_constant (Euler), as far as derivatives tell that. Where
    others are 0 it may look so by chance.
    """
    size = np.abs(jacobian).max(axis=0)
    level = np.abs(jacobian - 1.0).max(axis=0) <= CONSTANT
    constant = int(np.flatnonzero(level)[0]) if level.any() else None
    above = values if constant is None else values - theta[constant]
    factor = None
    for component in range(theta.size):
        if component == constant or theta[component] == 0.0 or not size[component] > 0.0:
            continue
        if (np.abs(above - theta[component] * jacobian[:, component]) <= FACTOR * np.abs(values).max()).all():
            factor = component
            break
    return None if factor is None and constant is None else Scaled(factor, constant)
