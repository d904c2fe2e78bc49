"""Inverse prediction: which value of an input gives a response, with its interval (calibration)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError
from descend.formula.printers.code import plain_name
from descend.inference.covariance.inverse_curvature import variance_of
from descend.inference.estimates import Estimates
from descend.inference.intervals import NOT_AT_MINIMUM, listed, quantile
from descend.inference.prediction.inverse_answer import Inverse, Range
from descend.inference.prediction.inverse_question import Question
from descend.inference.prediction.new_measurement import Measurement, even_variance, planned_measurement
from descend.inference.quantities.curve import Curve, crossings, curve_of, root_between
from descend.models import Model
from descend.wording import spell

Array = NDArray[np.float64]
GRID = 401
"""Values of the input at which the curve is looked at first, within the range of the data."""
DECADES = 6
"""How far beyond the data a response is looked for: this many powers of ten times their range."""
PER_DECADE = 64
STRIDE = 0.05
"""First stride from the estimate to an end of the interval, in standard errors."""
GROWTH = 1.15
EDGE, HALVINGS = 1e-12, 60
"""How near, as a share of a stride, the end of the curve is found, and by so many halvings of it."""


@dataclass(frozen=True)
class Scale:
    """A function h of the curve, and its derivative, by which it is compared with a response."""

    of: Callable[[float], float]
    slope: Callable[[float], float]


PLAIN = Scale(float, lambda f: 1.0)
LOGARITHM = Scale(lambda f: math.log(f) if f > 0.0 else math.nan, lambda f: 1.0 / f if f > 0.0 else math.nan)
LOG_ODDS = Scale(
    lambda f: math.log(f / (1.0 - f)) if 0.0 < f < 1.0 else math.nan,
    lambda f: 1.0 / (f * (1.0 - f)) if 0.0 < f < 1.0 else math.nan,
)


def _scale_of(model: Model, mean: bool) -> Scale:
    """Return on which scale errors are even: as the bands of predictions, that of the link of a likelihood."""
    loss, domain = model.loss, model.loss.prediction_domain
    if not mean or loss.quadratic or not (loss.link is not None or domain.limited):
        return PLAIN
    bounded = loss.link == "sigmoid" or math.isfinite(domain.high)
    return LOG_ODDS if bounded else LOGARITHM


def invert(estimates: Estimates, question: Question, data: Range | None) -> Inverse:
    """Return the x at which the curve f(x; theta) reaches the mean y0 of m measurements, and its interval.

    With g the derivatives of f(x) by theta, V their covariance, and v the variance of a measurement (0 if only the
    curve is asked for):

        wald:       x -+ t sqrt(v/m + g' V g) / |df/dx|
        inversion:  all x around the estimate where (y0 - f(x))**2 <= t**2 (v/m + g' V g)

    v is the residual variance, to which m > 1 replicates add their own: with RSS on n - p degrees of freedom it is
    (RSS + sum (y - y0)**2) / (n - p + m - 1), which scales V too. For a line the inversion interval is Fieller's.

    For counts and probabilities the curve is compared by its logarithm or log-odds, on which its bands are even.

    data: the range of the input in the data, where the response is looked for first.

    Source: Seber & Wild (1989), Nonlinear Regression, sec. 5.4; Fieller (1954), J. R. Stat. Soc. B 16, 175-185.

    Raises ConfigError where there is no covariance, or no variance of a measurement.
    """
    curve = _Inverted(estimates, question, curve_of(estimates.model))
    nothing = Inverse(
        question.input, question.response, math.nan, math.nan, (math.nan, math.nan), question.level, question.interval
    )
    roots, outside = curve.roots(question.within or data or (0.0, 1.0), question.within is None)
    name, y0 = plain_name(question.input), curve.y0
    if not roots:
        where = f" between {name} = {question.within[0]:g} and {question.within[1]:g}" if question.within else ""
        return replace(nothing, why=f"no value of `{name}` gives {y0:g}{where}: the curve {curve.reaches}")
    if len(roots) > 1:
        roots_listed = listed([f"{root:.6g}" for root in roots])
        why = f"{y0:g} is reached more than once, at {name} = {roots_listed.replace('`', '')}: `between` chooses one"
        return replace(nothing, why=why)
    value, notes = roots[0], [] if estimates.at_minimum else [NOT_AT_MINIMUM]
    if outside:
        notes.append(f"{name} = {value:.6g} is outside the data")
    slope, variance = curve.slope(value), curve.variance(value)
    if math.isnan(variance) and estimates.undetermined:
        raise ConfigError(curve.undetermined)
    error = math.sqrt(curve.noise(value) + variance) / abs(slope) if slope else math.inf
    if question.interval == "wald":
        ends = value - curve.reach * error, value + curve.reach * error
    else:
        ends, end_notes = curve.ends(value, error)
        notes += end_notes
    return replace(nothing, value=value, standard_error=error, interval=ends, why="; ".join(notes))


class _Inverted:
    """The curve along one input, with what makes intervals of it."""

    def __init__(self, estimates: Estimates, question: Question, curve: Curve) -> None:
        self.curve, self.theta, self.name, self.others = curve, estimates.theta, question.input, question.others
        self.count, self.y0 = len(question.response), math.fsum(question.response) / len(question.response)
        self.covariance, degrees = estimates.needed_joint_covariance(), estimates.degrees
        self.scale = _scale_of(estimates.model, question.mean)
        self.estimates = estimates
        if estimates.undetermined and estimates.combinations is None:
            raise ConfigError(self.undetermined)
        self.measurement = planned_measurement(estimates, question.sigma)
        self.unit = 0.0
        measured_once = _one_measurement(estimates, question, self.measurement)
        spread = math.fsum((value - self.y0) ** 2 for value in question.response)
        alike = self.measurement is None and question.sigma is None and estimates.sigma is None
        if self.count > 1 and alike and estimates.model.loss.quadratic:
            pooled = (measured_once * degrees + spread) / (degrees + self.count - 1)
            self.covariance = self.covariance * (pooled / measured_once) if measured_once else self.covariance
            measured_once, degrees = pooled, degrees + self.count - 1
        if not question.mean:
            self.unit = measured_once / self.count
        self.reach = quantile(question.level, degrees)

    def along(self, values: Array) -> Array:
        return self.curve.along(self.theta, self.others, self.name, values)

    def rise(self, x: float) -> float:
        """Return f(x) - y0, or h(f(x)) - h(y0) on another scale."""
        value = self.curve.value(self.theta, {**self.others, self.name: x})
        return self.scale.of(value) - self.scale.of(self.y0)

    def noise(self, x: float) -> float:
        """Return the variance of the mean of the replicates, measured at x."""
        if self.measurement is None or not self.unit:
            return self.unit
        columns = {name: np.array([value]) for name, value in {**self.others, self.name: x}.items()}
        predicted = np.array([self.curve.value(self.theta, {**self.others, self.name: x})])
        return self.unit * float(self.measurement.share(columns, predicted, np.array([self.y0]))[0])

    def slope(self, x: float) -> float:
        inputs = {**self.others, self.name: x}
        return self._stretch(inputs) * self.curve.value(self.theta, inputs, (self.name,))

    def variance(self, x: float) -> float:
        """Return g' V g, the variance of the curve; NaN where the data do not determine the curve."""
        inputs = {**self.others, self.name: x}
        gradient = self._stretch(inputs) * self.curve.gradient(self.theta, inputs)
        if self.estimates.undetermined and not self.estimates.determine(gradient):
            return math.nan
        return variance_of(self.covariance, gradient)

    @property
    def undetermined(self) -> str:
        """Why there is no interval, where the data leave parameters open on which the curve depends."""
        return (
            f"There is no interval of `{self.name}`: the data do not determine {listed(self.estimates.undetermined)} "
            "by themselves. Remove one of them from the formula, or fix it."
        )

    def _stretch(self, inputs: Mapping[str, float]) -> float:
        """Return dh/df where the curve is."""
        return 1.0 if self.scale is PLAIN else self.scale.slope(self.curve.value(self.theta, inputs))

    def excess(self, x: float) -> float:
        """Return what is below 0 inside the inversion interval."""
        return float(self.rise(x) ** 2 - self.reach**2 * (self.noise(x) + self.variance(x)))

    def roots(self, data: Range, beyond: bool) -> tuple[list[float], bool]:
        """Return where the curve reaches the response: within a range, or beyond it, nearest first; and which it is."""
        low, high = data
        inside = self._crossings(_values(low, high))
        if inside or not beyond:
            return inside, False
        span = high - low or abs(high) or 1.0
        far = span * np.logspace(-2.0, DECADES, PER_DECADE * (DECADES + 2) + 1)
        below = low / np.logspace(0.0, DECADES, PER_DECADE * DECADES + 1) if low > 0.0 else low - far
        outside = [*self._crossings(np.append(high, high + far))[:1], *self._crossings(np.append(low, below))[:1]]
        return sorted(outside, key=lambda x: min(abs(x - low), abs(x - high)))[:1], True

    @cached_property
    def reaches(self) -> str:
        """Where the curve was seen to be, in words."""
        low, high = self._range_of_curve
        return f"goes from {low:.6g} to {high:.6g}" if low <= high else "has no value"

    _range_of_curve: Range = (math.inf, -math.inf)

    def _crossings(self, values: Array) -> list[float]:
        """Return the places between these values, in their order, where the curve crosses the response."""
        with np.errstate(all="ignore"):
            curve = self.along(values)
        finite = curve[np.isfinite(curve)]
        if finite.size:
            self._range_of_curve = (
                min(self._range_of_curve[0], float(finite.min())),
                max(self._range_of_curve[1], float(finite.max())),
            )
        above = np.where(np.isfinite(curve), curve - self.y0, np.nan)
        return crossings(self.rise, values, above)

    def ends(self, value: float, error: float) -> tuple[Range, list[str]]:
        """Return the inversion interval around the estimate, and sentences on ends that are open."""
        stride = error if 0.0 < error < math.inf else abs(value) or 1.0
        (low, why_low), (high, why_high) = self._end(value, -stride, "lower"), self._end(value, stride, "upper")
        return (low, high), [why for why in (why_low, why_high) if why]

    def _end(self, value: float, stride: float, word: str) -> tuple[float, str]:
        """Return one end of the interval, and why it is open, or where the curve ends; empty where it is neither."""
        name = plain_name(self.name)
        open_end = math.copysign(math.inf, stride), f"`{name}` has no {word} end: responses further out are as likely"
        inside = value
        for outside in _outwards(value, stride):
            excess = self.excess(outside)
            if not math.isfinite(excess):
                if self.scale is not PLAIN:  # where a probability rounds to 0 or 1
                    return open_end
                edge = self._edge(inside, outside)
                return edge, f"the {word} end of `{name}`, {edge:.6g}, is where the curve ceases to have a value"
            if excess > 0.0:
                return root_between(self.excess, inside, outside), ""
            inside = outside
        return open_end

    def _edge(self, end_within: float, outside: float) -> float:
        """Return the last place from which on the curve has no finite value; 0 where it is 0 to rounding."""
        negligible = EDGE * abs(outside - end_within)
        for _ in range(HALVINGS):
            middle = 0.5 * (end_within + outside)
            end_within, outside = (middle, outside) if math.isfinite(self.excess(middle)) else (end_within, middle)
        return 0.0 if abs(end_within) < negligible else end_within


def _outwards(value: float, error: float) -> Iterator[float]:
    """Yield places further and further from the estimate, first by a small share of its error."""
    stride, trial_input, last = STRIDE * error, value, abs(error) * 10.0**DECADES
    while abs(trial_input - value) < last:
        trial_input += stride
        stride *= GROWTH if abs(trial_input - value) > 4.0 * abs(error) else 1.0
        yield trial_input


def _values(low: float, high: float) -> Array:
    """Return values of the input between two, even, and also even in their logarithm where that can be."""
    even = np.linspace(low, high, GRID)
    return np.union1d(even, np.geomspace(low, high, GRID)) if 0.0 < low < high else even


def _one_measurement(estimates: Estimates, question: Question, measurement: Measurement | None) -> float:
    """Return the variance of a measurement, of weight 1. Raises ConfigError where it is needed and not known.

    measurement: where sigma or the weight of a row is computed; with sigma the unit is then 1.
    """
    if measurement is not None and (question.mean or measurement.known_in(question.others, question.input)):
        return measurement.unit
    variance = even_variance(estimates, question.sigma, measurement)
    if variance is not None:
        return variance
    if question.mean:
        return 0.0
    curve = f"or ask where the curve itself is there, {spell('mean', True)}"
    if measurement is not None:
        raise ConfigError(
            f"The fit computes `{measurement.computed.text}` for its rows, but {listed(measurement.inputs)} of the new "
            f"measurement is not known. Give its standard deviation, {spell('sigma', 0.1)}, {curve}."
        )
    if estimates.sigma is not None:
        raise ConfigError(
            f"The fit knows the errors of its rows from the column `{estimates.sigma}`, but not that of the new "
            f"measurement. Give it, {spell('sigma', 0.1)}, {curve}."
        )
    raise ConfigError(
        f"The spread of a new measurement is not known under the {estimates.model.loss.name} loss. Give its standard "
        f"deviation, {spell('sigma', 0.1)}, {curve}."
    )
