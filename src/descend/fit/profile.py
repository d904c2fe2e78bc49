"""Profile-likelihood intervals: how far one parameter can go while the others make up for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.descent.module.model import ModuleModel
from descend.descent.objective import Point
from descend.errors import ConfigError
from descend.fit.intervals import Intervals, quantile, why_none
from descend.fit.refit import Part, free_to_move, refit, well_conditioned
from descend.fit.rows import row_weights
from descend.fit.standard_errors import generalized_covariance, undetermined
from descend.formula.symbols import Parameter

if TYPE_CHECKING:
    from descend.fit.result import Fit

Array = NDArray[np.float64]
CLOSE = 1e-6
"""Relative error of tau at which an end is found."""
FARTHEST = 40
"""How many times the distance is doubled before an end counts as open: some 1e12 standard errors."""
NEAR = 5.0
"""Standard errors over which the others are taken to move along the tangent of the profile."""
LEVEL_OFF = 1e-9
"""Relative growth of tau, over two doublings of the distance, at which it has come to an end."""
IMAGES = 33
"""Values at which a tie is looked at."""
TRIALS = 60
"""Points between two brackets at most."""
ROUNDING = 16.0 * float(np.finfo(np.float64).eps)
"""Share of the response that residuals may be from rounding alone."""
NO_WIDTH = 4.0 * float(np.finfo(np.float64).eps)
"""Standard error, as a share of the estimate, that is nothing but rounding: the fit is perfect."""


@dataclass(frozen=True)
class _Reached:
    """A point of the profile: distance from the optimum in standard errors, tau there and its derivative by it.

    theta: all parameters. tangent: their derivatives by the distance.
    """

    distance: float
    tau: float
    slope: float
    theta: Array
    tangent: Array


def profile_intervals(fit: Fit, level: float) -> Intervals:
    """Return, for each parameter, the values b at which |tau(b)| is at most the quantile of ``t_intervals``.

    With J_b the least J that the other parameters reach within their bounds while this one is held at b, and W the sum
    of row weights:

        tau(b)**2 = W (J_b - J) / s**2      squared, s**2 = W J / (n - p)
                    W (J_b - J)             squared with sigma
                    2 W (J_b - J)           poisson, logistic

    For a linear model these are the t intervals. An end beyond a bound is that bound; one is infinite if |tau| stays
    below the quantile however far the parameter goes. Ends are found by Newton's method on tau, whose derivative is
    that of J by the parameter held, and each J_b from the last along the tangent of the profile.

    Source: Bates & Watts (1988), Nonlinear Regression Analysis, sec. 6.1; Venzon & Moolgavkar (1988), Appl. Statist.
    37, 87-94.

    Raises ConfigError for losses that are no likelihood, and where there are no standard errors.
    """
    if not fit.loss_function.likelihood:
        raise ConfigError(
            f"A profile interval needs a likelihood, which the {fit.loss_function.name} loss is not. "
            "Use the method sandwich or bootstrap."
        )
    covariance = fit.covariance_of("model")
    generalized = generalized_covariance(fit, "model")
    if covariance is None or generalized is None:
        raise ConfigError(why_none(fit))
    reach = quantile(level, fit.error_degrees)
    unknown = undetermined(fit, covariance)
    ends, notes = {}, []
    with np.errstate(all="ignore"):
        for place, label in enumerate(fit.model.parameters.labels):
            if unknown[place]:
                ends[label] = (-math.inf, math.inf)
                continue
            profile = _Profile(fit, place, generalized, reach)
            ends[label] = (profile.end(-1.0), profile.end(1.0))
            for end, sign, word in zip(ends[label], (-1.0, 1.0), ("lower", "upper"), strict=True):
                if math.isinf(end):
                    notes.append(f"`{label}` has no {word} end at {level * 100:g}%: the data do not bound it there")
                elif sign in profile.walls:
                    notes.append(f"the {word} end of `{label}`, {end:.6g}, is where the model ceases to have a value")
    tied, more = _of_tied(fit, ends)
    return Intervals(fit, ends | tied, level, "profile", notes + more)


def _of_tied(fit: Fit, ends: dict[str, tuple[float, float]]) -> tuple[dict[str, tuple[float, float]], list[str]]:
    """Return the images of the ends of the parameters that others are tied to.

    That is their profile interval as long as they are tied to one parameter, and rise or fall with it all the way.
    """
    held = fit.constraints
    found: dict[str, tuple[float, float]] = {}
    notes: list[str] = []
    if held is None:
        return found, notes
    for name, expression in held.tied.items():
        symbols = [symbol.name for symbol in expression.atoms(Parameter)]
        if len(symbols) == 1:
            values = np.linspace(*ends[symbols[0]], IMAGES)
            image = np.array([held.complete({**fit.parameters, symbols[0]: float(value)})[name] for value in values])
            rises = np.diff(image)
            if np.isfinite(image).all() and ((rises > 0.0).all() or (rises < 0.0).all()):
                found[name] = (float(image.min()), float(image.max()))
                continue
        notes.append(f"`{name}` is tied in a way that leaves it no profile interval: ask for t or bootstrap instead")
    return found, notes


class _Profile:
    """tau of one parameter, as a function of its distance from the optimum in standard errors."""

    def __init__(self, fit: Fit, place: int, covariance: Array, reach: float) -> None:
        assert fit.kept is not None and fit.degrees_of_freedom is not None
        assert not isinstance(fit.model, ModuleModel)
        self.fit, self.place, self.theta, self.reach = fit, place, fit.theta, reach
        self.parameters = fit.model.parameters
        objective = fit.kept.objective
        self.part, self.bounds = Part(objective), objective.bounds
        self.free = free_to_move(fit)
        point = objective(fit.theta, 2)
        self.lean = well_conditioned(point, self.free)
        self.free[place] = False
        total = float(row_weights(fit).sum())
        if fit.loss_function.name != "squared":
            self.factor = 2.0 * total
        else:
            perfect = not fit.loss > 0.0
            self.factor = total if fit.sigma is not None or perfect else fit.degrees_of_freedom / fit.loss
        self.rounding = _rounding(fit)
        self.error = math.sqrt(covariance[place, place])
        tangent = covariance[:, place] / self.error if self.error else np.zeros(fit.theta.size)
        if not self.error and fit.model.parameters.labels[place] in fit.at_bound and point.curvature is not None:
            self.error = 1.0 / math.sqrt(0.5 * self.factor * point.curvature[place, place])
        self.walls: set[float] = set()
        self.start = _Reached(0.0, 0.0, 1.0, fit.theta, tangent)

    def end(self, sign: float) -> float:
        """Return the value at which |tau| is ``reach``, or the bound before it; infinite if there is none."""
        best, edge = float(self.theta[self.place]), self._edge(sign)
        if self.error <= NO_WIDTH * abs(best) or edge == best:
            return best  # of a perfect fit, any other value is infinitely less likely
        room = abs(edge - best) / self.error
        if self.fit.loss <= self.rounding:
            return best + sign * min(self.reach, room) * self.error  # J has no digits left to profile
        distance = self._distance(sign, room)
        return edge if math.isinf(distance) else best + distance * self.error

    def _edge(self, sign: float) -> float:
        if self.bounds is None:
            return math.copysign(math.inf, sign)
        return float((self.bounds.low if sign < 0.0 else self.bounds.high)[self.place])

    def _distance(self, sign: float, edge: float) -> float:
        """Return the signed distance of the end; infinite if |tau| is below ``reach`` everywhere up to the edge."""
        inside, wall, flat = self.start, math.inf, 0
        step = min(self.reach, edge)
        for _ in range(FARTHEST):
            trial = self.at(sign * step, inside)
            if trial is None:
                # The model has no value there: go half as far beyond the last place where it has one.
                wall = step
            elif abs(trial.tau) >= self.reach * (1.0 - CLOSE):
                return self._between(inside, trial)
            elif step == edge:
                return math.inf
            else:
                flat = flat + 1 if abs(trial.tau) <= abs(inside.tau) * (1.0 + LEVEL_OFF) else 0
                inside = trial
                if flat == 2:
                    break
            inner = abs(inside.distance)
            step = 0.5 * (inner + wall) if math.isfinite(wall) else min(self._next(inside), edge)
        if math.isinf(wall) or wall == edge:
            return math.inf
        self.walls.add(sign)
        return inside.distance

    def _next(self, inside: _Reached) -> float:
        """Say how far to go next: a little beyond where Newton's method sees the end, but at most twice as far."""
        inner = abs(inside.distance)
        missing = (self.reach - abs(inside.tau)) / inside.slope if inside.slope > 0.0 else math.inf
        return min(inner + 1.001 * missing, 2.0 * inner)

    def _between(self, inside: _Reached, outside: _Reached) -> float:
        """Return the end between two brackets, by Newton's method from the nearer; by halves where that leaves them."""
        for count in range(TRIALS):
            near = min(inside, outside, key=lambda point: abs(abs(point.tau) - self.reach))
            missing = self.reach - abs(near.tau)
            if abs(missing) <= CLOSE * self.reach:
                return near.distance
            low, high = abs(inside.distance), abs(outside.distance)
            step = abs(near.distance) + (missing / near.slope if near.slope > 0.0 else math.inf)
            if not low < step < high or count % 8 == 7:
                step = 0.5 * (low + high)
            middle = self.at(math.copysign(step, outside.distance), near)
            if middle is None or step in (low, high):
                return inside.distance
            if abs(middle.tau) < self.reach:
                inside = middle
            else:
                outside = middle
        return outside.distance

    def at(self, distance: float, near: _Reached) -> _Reached | None:
        """Fit the others with this one held at ``distance``, starting from a point nearby."""
        moved = distance - near.distance
        # Far out the tangent says nothing of the others any more.
        ahead = near.theta + moved * near.tangent if abs(moved) <= NEAR else near.theta
        point = self._refit(ahead, distance)
        if point is None and ahead is not near.theta:
            point = self._refit(near.theta, distance)
        return None if point is None else self._reached(distance, point)

    def _refit(self, start: Array, distance: float) -> Point | None:
        start = start.copy()
        start[self.place] = self.theta[self.place] + distance * self.error
        if self.bounds is not None:
            start = np.clip(start, self.bounds.low, self.bounds.high)
        return refit(self.part, start, self.free, 0.5 * CLOSE * self.reach**2 / self.factor, self.lean)

    def _reached(self, distance: float, point: Point) -> _Reached:
        place, gradient, loss, slope = self.place, point.gradient, point.loss, float(point.gradient[self.place])
        tangent = np.zeros(self.theta.size)
        tangent[place] = self.error
        moving = self.free if self.bounds is None else self.free & ~self.bounds.blocked(point.theta, gradient)
        places = np.flatnonzero(moving)
        if places.size and point.curvature is not None and np.isfinite(point.curvature).all():
            curvature = point.curvature[places[:, None], places]
            right = np.column_stack([-point.curvature[places, place], -gradient[places]])
            (along, left) = np.linalg.lstsq(curvature, right, rcond=1e-14)[0].T
            tangent[places] = along * self.error
            # What one more Gauss-Newton step would still gain.
            loss += 0.5 * float(gradient[places] @ left)
            slope += float(point.curvature[place, places] @ left)
        if not loss >= self.fit.loss:
            loss = point.loss  # the step would go too far for a parabola
        rise = loss - self.fit.loss
        if rise < -1e-7 * abs(self.fit.loss) - self.rounding:
            raise ConfigError(
                f"There is a better fit: with `{self.parameters.labels[place]}` at "
                f"{point.theta[place]:.6g} the loss is {loss:.6g}, below {self.fit.loss:.6g}. "
                f"Fit again from there: {self.parameters.mentioned(point.theta, most=20)}."
            )
        tau = math.sqrt(max(rise, 0.0) * self.factor)
        change = abs(self.error * slope) * self.factor / (2.0 * tau) if tau else 1.0
        if slope * distance < 0.0:
            change = -change
        return _Reached(distance, math.copysign(tau, distance), change, point.theta, tangent)


def _rounding(fit: Fit) -> float:
    """Return a squared loss that residuals of nothing but rounding may have; 0 for other losses."""
    if fit.loss_function.name != "squared" or fit.kept is None or isinstance(fit.model, ModuleModel):
        return 0.0
    y, omega = fit.model.observed(fit.kept.columns), row_weights(fit)
    return ROUNDING**2 * float(omega @ (y * y)) / float(omega.sum())
