"""Derivatives carried on from one point to the next, by what the values have changed in between."""

from __future__ import annotations

import numpy as np

from descend.differences.calls import Array

TRUSTED = 0.3
"""Share of the change of the values that the derivatives before may have missed."""
NOISE = 4.0
"""How many standard deviations of noise the change of the values may miss by chance."""
MOST = 6
"""How often derivatives are carried on before they are found anew."""


class Secant:
    """Broyden's update: of all derivatives that explain the last change of the values, those nearest to the old ones.

        J <- J + (f - f_0 - J d) (D**2 d)' / (d' D**2 d),   d = theta - theta_0

    D: the lengths of the columns of J, so that the units of the parameters do not matter.

    Source: Broyden (1965), Math. Comp. 19, 577-593; scaled as in Dennis & Schnabel (1983), 8.1.
    """

    def __init__(self) -> None:
        self._base: tuple[Array, Array, Array] | None = None
        self.carried_on = 0
        self.error = 0.0
        """Relative error of the derivatives, as far as what they missed since they were found anew tells."""

    def base(self, theta: Array, values: Array, jacobian: Array) -> None:
        """Take the point from which derivatives are carried on."""
        self._base = theta, values, jacobian

    def fresh(self) -> None:
        """Count anew, as derivatives are found anew."""
        self.carried_on, self.error = 0, 0.0

    def carried(self, theta: Array, values: Array, noise: float) -> Array | None:
        """Return the derivatives at a point; None where those before say too little about it.

        noise: root mean square of the noise of a value: a change that misses no more than that tells nothing new.
        """
        if self._base is None or self.carried_on >= MOST:
            return None
        before, old, jacobian = self._base
        move = theta - before
        change = values - old
        missed = change - jacobian @ move
        weighed = np.sum(jacobian**2, axis=0) * move
        length = float(weighed @ move)
        sizes = float(change @ change), float(missed @ missed)
        if not (np.isfinite(jacobian).all() and np.isfinite(sizes).all() and length > 0.0):
            return None
        if sizes[1] <= NOISE**2 * noise**2 * len(values):
            return jacobian
        if not sizes[1] <= TRUSTED**2 * sizes[0] or sizes[0] == 0.0:
            return None
        self.carried_on += 1
        self.error += 2.0 * float(np.sqrt(sizes[1] / sizes[0]))
        return jacobian + np.outer(missed, weighed / length)
