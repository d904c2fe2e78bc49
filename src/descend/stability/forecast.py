"""Where a descent on a parabola stands after any number of epochs, at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from descend.optimizers import Optimizer, Schedule
from descend.optimizers.recurrence import Recurrence
from descend.problem.point import Point

Array = NDArray[np.float64]
SINGULAR = 1e-13
"""With columns of length 1, a singular value below this share of the largest may be nothing but rounding."""


class Trajectory:
    """The closed form of gradient descent, heavy ball or Nesterov's method on a J that is a parabola.

    In the eigenbasis of the curvature R'R = V diag(L) V', with g = V'dJ/dtheta at the start,

        theta_k = theta_0 - rate V (D_k g),   D_k of each eigenvalue from its ``Recurrence``.

    point: where the descent begins, with its ``factor``. rate: the learning rate, the same at every epoch.
    """

    def __init__(self, point: Point, recurrence: Recurrence, rate: float) -> None:
        self.point, self.rate = point, rate
        assert isinstance(point.factor, np.ndarray)
        upper, right = point.factor[:-1, :-1], point.factor[:-1, -1]
        left, singular, self.vectors = np.linalg.svd(upper)
        norms = np.sqrt(np.add.reduce(upper * upper))
        shares = np.linalg.svd(upper / np.where(norms > 0.0, norms, 1.0), compute_uv=False)
        if not shares[-1] > SINGULAR * shares[0]:
            singular = np.where(singular > SINGULAR * singular[0], singular, 0.0)
        self.gradient = singular * (left.T @ right)
        self.modes = recurrence.modes(rate * singular**2)

    def theta(self, epoch: int) -> Array:
        """Return the parameters after so many epochs; not finite where they overflow."""
        if epoch == 0:
            start: Array = self.point.theta
            return start
        with np.errstate(all="ignore"):
            moves = np.where(self.gradient == 0.0, 0.0, self.modes.reach(epoch) * self.gradient)
            theta: Array = self.point.theta - self.rate * (moves @ self.vectors)
        return theta

    def epochs(self, last: int, bound: float) -> Iterator[int]:
        """Yield epochs to show: the first hundred, ninety round ones of each further power of ten, and the last two.

        The last is ``last``, or the first at which J is above ``bound``.
        """
        last = self.first_above(bound, last)
        epoch = 0
        while epoch < last - 1:
            yield epoch
            epoch += 10 ** max(0, len(str(epoch)) - 2)
        yield from range(max(0, last - 1), last + 1)

    def first_above(self, bound: float, last: int) -> int:
        """Return the first epoch at which J is above ``bound`` or not finite, ``last`` if it never is before.

        J is a sum of powers: once it is far above where it began, it only grows.
        """

        def below(epoch: int) -> bool:
            return bool(self.point.at(self.theta(epoch), 0).loss <= bound)

        low, high = 0, last
        if below(last):
            return last
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if below(middle) else (low, middle)
        return high


def trajectory(point: Point, optimizer: Optimizer, rate: float, schedule: Schedule) -> Trajectory | None:
    """Return the closed form of a descent from ``point``, if it has one."""
    recurrence = optimizer.recurrence
    if recurrence is None or not schedule.constant or point.proximal or not point.objective.engine.quadratic:
        return None
    point = point.at(point.theta, 3)
    return (
        None
        if not isinstance(point.factor, np.ndarray) or not np.isfinite(point.factor).all()
        else Trajectory(point, recurrence, rate)
    )
