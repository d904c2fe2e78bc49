"""Profile-likelihood intervals: how far one parameter can go while the others make up for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.descent.module.model import ModuleModel
from descend.errors import ConfigError
from descend.fit.intervals import Intervals, quantile, why_none
from descend.fit.refit import Held, refit
from descend.fit.uncertainty import LIKELIHOODS

if TYPE_CHECKING:
    from descend.fit.result import Fit

Array = NDArray[np.float64]
CLOSE = 1e-6
"""Relative error of tau at which an end is found."""
FARTHEST = 40
"""How many times the distance is doubled before an end counts as open: some 1e12 standard errors."""
NEAR = 5.0
"""Standard errors over which the others are taken to move along the ellipse of the covariance."""
LEVEL_OFF = 1e-9
"""Relative growth of tau, over two doublings of the distance, at which it has come to an end."""
TRIALS = 60
"""Evaluations between two brackets at most."""


@dataclass(frozen=True)
class _Reached:
    """A point of the profile: distance from the optimum in standard errors, tau there, and the free parameters."""

    distance: float
    tau: float
    free: Array


def profile_intervals(fit: Fit, level: float) -> Intervals:
    """Return, for each parameter, the values b at which |tau(b)| is at most the quantile of ``t_intervals``.

    With J_b the least J that the other parameters reach while this one is held at b, and W the sum of row weights:

        tau(b)**2 = W (J_b - J) / s**2      squared, s**2 = W J / (n - p)
                    W (J_b - J)             squared with sigma
                    2 W (J_b - J)           poisson, logistic

    For a linear model these are the t intervals. An end is infinite if |tau| stays below the quantile however far
    the parameter goes. Source: Bates & Watts (1988), Nonlinear Regression Analysis, sec. 6.1; Venzon & Moolgavkar
    (1988), Appl. Statist. 37, 87-94.

    Raises ConfigError for losses that are no likelihood, and where there are no standard errors.
    """
    if fit.loss_function.name not in LIKELIHOODS:
        raise ConfigError(
            f"A profile interval needs a likelihood, which the {fit.loss_function.name} loss is not. "
            "Use the method sandwich or bootstrap."
        )
    covariance = fit.covariance_of("model")
    if covariance is None:
        raise ConfigError(why_none(fit))
    reach = quantile(level, fit.error_degrees)
    low, high, notes = np.empty(fit.theta.size), np.empty(fit.theta.size), []
    with np.errstate(all="ignore"):
        for place, label in enumerate(fit.model.parameters.labels):
            profile = _Profile(fit, place, covariance)
            ends = []
            for sign, word in ((-1.0, "lower"), (1.0, "upper")):
                distance = profile.end(sign, reach)
                ends.append(float(fit.theta[place] + distance * profile.error))
                if math.isinf(distance):
                    notes.append(f"`{label}` has no {word} end at {level * 100:g}%: the data do not bound it there")
            low[place], high[place] = ends
    return Intervals(fit, low, high, level, "profile", notes)


class _Profile:
    """tau of one parameter, as a function of its distance from the optimum in standard errors."""

    def __init__(self, fit: Fit, place: int, covariance: Array) -> None:
        assert fit.kept is not None and fit.degrees_of_freedom is not None
        assert not isinstance(fit.model, ModuleModel)
        self.parameters = fit.model.parameters
        self.fit, self.place, self.theta = fit, place, fit.theta
        self.error = math.sqrt(covariance[place, place])
        self.held = Held(fit.kept.objective, place, fit.theta.size)
        # How the others move with this one, along the ellipse of the covariance.
        self.along = np.delete(covariance[:, place], place) / self.error
        engine = fit.kept.objective.engine
        weights = getattr(engine, "weights", None)
        total = float(fit.rows if weights is None else np.asarray(weights).sum())
        if fit.loss_function.name != "squared":
            self.factor = 2.0 * total
        else:
            perfect = not fit.loss > 0.0
            self.factor = total if fit.sigma is not None or perfect else fit.degrees_of_freedom / fit.loss

    def at(self, distance: float, near: _Reached) -> _Reached | None:
        """Fit the others with this one held at ``distance``, starting from a point nearby."""
        self.held.value = float(self.theta[self.place] + distance * self.error)
        moved = distance - near.distance
        # Far out the ellipse says nothing of the others any more.
        ahead = refit(self.held, near.free + moved * self.along) if abs(moved) <= NEAR else None
        found = ahead or refit(self.held, near.free)
        if found is None:
            return None
        loss, free = found
        rise = loss - self.fit.loss
        if rise < -1e-7 * abs(self.fit.loss):
            raise ConfigError(
                f"There is a better fit: with `{self.parameters.labels[self.place]}` at "
                f"{self.held.value:.6g} the loss is {loss:.6g}, below {self.fit.loss:.6g}. "
                f"Fit again from there: {self.parameters.mentioned(self.held.whole(free), most=20)}."
            )
        return _Reached(distance, math.copysign(math.sqrt(max(rise, 0.0) * self.factor), distance), free)

    def end(self, sign: float, reach: float) -> float:
        """Return the distance at which |tau| is ``reach``, by the secant between brackets; infinite if none is."""
        if self.error == 0.0:
            return 0.0  # a perfect fit: any other value is infinitely less likely
        inside = _Reached(0.0, 0.0, np.delete(self.theta, self.place))
        outside, wall, step, flat = None, math.inf, reach, 0
        for _ in range(FARTHEST):
            trial = self.at(sign * step, inside)
            if trial is None:
                # The model has no value there: go half as far beyond the last place where it has one.
                wall = step
            elif abs(trial.tau) >= reach * (1.0 - CLOSE):
                outside = trial
                break
            else:
                flat = flat + 1 if abs(trial.tau) <= abs(inside.tau) * (1.0 + LEVEL_OFF) else 0
                inside = trial
                if flat == 2:
                    break
            inner = abs(inside.distance)
            step = min(2.0 * step, 0.5 * (inner + wall)) if math.isfinite(wall) else self._next(inside, reach)
        if outside is None:
            return sign * (math.inf if math.isinf(wall) else abs(inside.distance))
        return self._between(inside, outside, reach)

    @staticmethod
    def _next(inside: _Reached, reach: float) -> float:
        """Say how far to go next: where tau would reach its value if it went on straight, but at most twice as far."""
        inner = abs(inside.distance)
        straight = inner * reach / abs(inside.tau) if inside.tau else math.inf
        return max(min(1.02 * straight, 2.0 * inner), 1.1 * inner) if straight < 2.0 * inner else 2.0 * inner

    def _between(self, inside: _Reached, outside: _Reached, reach: float) -> float:
        for count in range(TRIALS):
            if abs(abs(outside.tau) - reach) <= CLOSE * reach:
                break
            share = (reach - abs(inside.tau)) / (abs(outside.tau) - abs(inside.tau))
            # The secant converges fast but may creep from one side; then halve.
            share = min(max(share, 0.02), 0.98) if count % 4 < 3 else 0.5
            middle = self.at(inside.distance + share * (outside.distance - inside.distance), inside)
            if middle is None or abs(abs(middle.tau) - reach) <= CLOSE * reach:
                return (inside if middle is None else middle).distance
            if abs(middle.tau) < reach:
                inside = middle
            else:
                outside = middle
        return outside.distance
