"""J as a function of a quantity, in the place of one of the parameters that it depends on."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from descend.engines.batches import Places
from descend.errors import ConfigError
from descend.formula.factor import triangle
from descend.inference.quantities.quantity import Quantity
from descend.parameters import Bounds
from descend.problem.objective import Around, Numbers, VectorObjective
from descend.problem.triangle import Triangle

Array = NDArray[np.float64]
ITERATIONS = 60
"""Newton steps to the parameter at which the quantity has a value, at most."""
CLOSE = 8.0 * float(np.finfo(np.float64).eps)
"""Relative size of the last of these steps."""

NEAR = 1e-9
"""Where no step comes nearer, what is missed by a smaller share than this is rounding."""


class Exchanged(Around):
    """J(phi), with phi the parameters theta in which the one at ``component`` is replaced by the quantity q(theta).

    theta follows from phi by solving q(theta) = phi_k for theta_k, the others being the same; with T = dtheta/dphi,

        T_kj = -(dq/dtheta_j) / (dq/dtheta_k),   T_kk = 1 / (dq/dtheta_k),   and the unit matrix elsewhere,

    gradient T'g, curvature T'CT, triangle R T. So the profile of phi_k, found as that of any parameter, is the profile
    of the quantity. J is infinite where no theta_k gives the value, or only one beyond its bounds.
    """

    def __init__(self, inner: VectorObjective, quantity: Quantity, component: int, theta: Array) -> None:
        super().__init__(inner)
        self.quantity, self.place, self.last = quantity, component, float(theta[component])
        self.limits = (-math.inf, math.inf)
        if inner.bounds is not None:
            self.limits = float(inner.bounds.low[component]), float(inner.bounds.high[component])
            self.bounds = _without(inner.bounds, component)

    def exchanged(self, theta: Array) -> Array:
        """Return phi of theta."""
        phi = theta.copy()
        phi[self.place] = self.quantity.value(theta)
        return phi

    def rates(self, theta: Array) -> Array:
        """Return dphi/dtheta, (p, p)."""
        rates = np.eye(theta.size)
        rates[self.place] = self.quantity.with_gradient(theta)[1]
        return rates

    def original(self, phi: Array) -> Array | None:
        """Return theta of phi; None if there is none."""
        theta, aim = phi.copy(), float(phi[self.place])
        value_solved = self._solved(theta, aim, self.last)
        if value_solved is None:
            return None
        self.last = value_solved
        theta[self.place] = value_solved
        return theta

    def _solved(self, theta: Array, aim: float, value: float) -> float | None:
        """Solve q(theta) = aim for theta_k by Newton's method, halving steps that do not come nearer."""
        value_here = self._missed(theta, aim, value)
        if value_here is None:
            return None
        for _ in range(ITERATIONS):
            missed, slope = value_here
            step = -missed / slope if slope else math.nan
            if not math.isfinite(step):
                return None
            if abs(step) <= CLOSE * abs(value) or missed == 0.0:
                return value if missed == 0.0 else value + step
            value_there = self._missed(theta, aim, value + step)
            while value_there is None or not abs(value_there[0]) < abs(missed):
                step *= 0.5
                if abs(step) <= CLOSE * abs(value):
                    return value if abs(missed) <= NEAR * max(abs(aim), abs(slope * value)) else None
                value_there = self._missed(theta, aim, value + step)
            value, value_here = value + step, value_there
        return None

    def _missed(self, theta: Array, aim: float, value: float) -> tuple[float, float] | None:
        """Return by how much q misses its aim with a value of theta_k, and dq/dtheta_k there."""
        theta[self.place] = value
        try:
            quantity_value, gradient = self.quantity.with_gradient(theta)
        except ConfigError:
            return None
        return quantity_value - aim, float(gradient[self.place])

    def _back(self, phi: Array) -> tuple[Array, Array] | None:
        """Return theta and dtheta/dphi; None where J is infinite."""
        theta = self.original(phi)
        if theta is None or not self.limits[0] <= theta[self.place] <= self.limits[1]:
            return None
        gradient = self.rates(theta)[self.place]
        back = np.eye(phi.size)
        back[self.place] = -gradient / gradient[self.place]
        back[self.place, self.place] = 1.0 / gradient[self.place]
        return theta, back

    def numbers(self, theta: Array, order: int, rows: Places | None) -> Numbers:
        theta_back = self._back(theta)
        if theta_back is None:
            nothing = np.full(theta.size, math.nan)
            return math.inf, nothing if order else None, None if order < 2 else np.full((theta.size,) * 2, math.nan)
        loss, gradient, curvature = self.inner.numbers(theta_back[0], order, rows)
        back = theta_back[1]
        return (
            loss,
            None if gradient is None else back.T @ gradient,
            back.T @ curvature @ back if isinstance(curvature, np.ndarray) else None,
        )

    def triangle(self, theta: Array, rows: Places | None = None) -> Triangle | None:
        theta_back = self._back(theta)
        inner = None if theta_back is None else self.inner.triangle(theta_back[0], rows)
        if theta_back is None or inner is None:
            return None
        back, factor = theta_back[1], inner.factor
        assert isinstance(factor, np.ndarray)
        own_triangle = None if inner.own is None else back.T @ inner.own
        return Triangle(inner.loss, own_triangle, triangle(np.column_stack([factor[:, :-1] @ back, factor[:, -1]])))


def _without(bounds: Bounds, component: int) -> Bounds:
    """Return bounds that leave one component free."""
    low, high = bounds.low.copy(), bounds.high.copy()
    low[component], high[component] = -math.inf, math.inf
    strict, barred = bounds.strict.copy(), bounds.barred.copy()
    strict[:, component], barred[:, component] = False, False
    return Bounds(bounds.labels, low, high, strict, barred)
