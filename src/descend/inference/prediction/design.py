"""Where to measure next: the further rows that make a parameter, a quantity or all parameters most certain."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError
from descend.formula.printers.code import plain_name
from descend.inference.estimates import Estimates
from descend.inference.intervals import listed
from descend.inference.prediction.inverse_question import checked_sigma
from descend.inference.prediction.new_measurement import even_variance, planned_measurement
from descend.inference.quantities.curve import curve_of, group_columns, inputs_named, placed
from descend.inference.quantities.quantity import Quantity
from descend.registry import closest
from descend.wording import spell

Array = NDArray[np.float64]
Ranges = Mapping[str, tuple[float, float]]
CANDIDATES = 401
"""Places along a single input that are tried; of several inputs, about as many in all times their number."""
ROUNDS = 50
"""How often all points are exchanged for better ones, at most."""
GAIN = 1e-9
"""An exchange that lowers the criterion by a smaller share is none."""


@dataclass(frozen=True)
class Design:
    """Further measurements, and what they are expected to do.

    aim: what they make certain: a quantity, or "all" parameters together. points: the inputs of each measurement.
    error_now, error_then: the standard error of the aim before and after; for "all", the volume of the confidence
    ellipsoid as the geometric mean of its axes. along, alone: values of the one input, and the error after a single
    measurement there; empty if there are several inputs.
    """

    aim: str
    points: tuple[dict[str, float], ...]
    error_now: float
    error_then: float
    along: Array
    alone: Array

    def plain(self) -> dict[str, object]:
        """Return it as plain values, as in the JSON."""
        now, then = self.error_now, self.error_then
        return {"for": self.aim, "points": list(self.points), "standard_error_now": now, "standard_error_then": then}

    def __str__(self) -> str:
        points = [
            ", ".join(f"{plain_name(name)} = {value:.6g}" for name, value in each.items()) for each in self.points
        ]
        lines = [
            f"{count}x  {point}" for point, count in sorted({point: points.count(point) for point in points}.items())
        ]
        word = "the mean axis of the confidence ellipsoid" if self.aim == "all" else f"the standard error of {self.aim}"
        fall = f"{word} falls from {self.error_now:.4g} to {self.error_then:.4g}"
        return "\n".join(["Measure at", *(f"  {line}" for line in lines), f"and {fall}, if the model is right."])


def design(
    estimates: Estimates,
    ranges: Ranges,
    quantity: Quantity | None,
    points: int,
    at: Mapping[str, object],
    sigma: float | None,
) -> Design:
    """Return the measurements within some ranges after which the aim is most certain.

    With V the covariance of the parameters, v the variance of a measurement, f its derivatives by the parameters and c
    those of the aim, the information after some measurements and the criterion are

        M = V^-1 + sum over them of f f' / v,     sqrt(c' M^-1 c), or (det M)^(-1/2p) for all parameters (D-optimal).

    Each measurement in turn is put where it lowers the criterion most, first one by one, then in exchange for itself,
    until no exchange helps. The same place may be taken several times.

    at: values of the inputs that do not vary. sigma: standard deviation of a measurement, if the fit does not know it.

    Source: Fedorov (1972), Theory of Optimal Experiments; Atkinson & Donev (1992), Optimum Experimental Designs.

    Raises ConfigError for unknown inputs, and where there is no covariance.
    """
    model, covariance = estimates.model, estimates.needed_covariance()
    model.loss.refuse_classes("no standard deviation by which to plan measurements")
    if not isinstance(covariance, np.ndarray):
        raise ConfigError(f"{model.parameters.size:,} parameters are too many for a design. Fit one group by itself.")
    if estimates.undetermined or not np.isfinite(covariance).all():
        raise ConfigError(
            "There is no covariance of all parameters: the data do not determine "
            f"{listed(estimates.undetermined)} by themselves. Fix one of them."
        )
    candidates = _candidates(estimates, ranges, at)
    moving = covariance.diagonal() > 0.0  # those at a bound, or fixed, are known
    information: Array = np.asarray(np.linalg.inv(covariance[np.ix_(moving, moving)]), dtype=np.float64)
    curve = curve_of(model)
    variance = _variance(estimates, sigma, candidates)
    with np.errstate(all="ignore"):  # a place where a measurement has no error is none
        slopes = np.array([curve.gradient(estimates.theta, point) for point in candidates]) / np.sqrt(variance)[:, None]
    usable: NDArray[np.bool_] = np.asarray(np.isfinite(slopes).all(axis=1))
    if not usable.any():
        raise ConfigError("The curve has no derivative in this range. Choose another.")
    slopes = np.where(usable[:, None], slopes, 0.0)[:, moving]
    aim = None if quantity is None else quantity.with_gradient(estimates.theta)[1][moving]
    now = _criterion(information, aim)
    points_chosen = _chosen(information, slopes, aim, points)
    then = _criterion(information + slopes[points_chosen].T @ slopes[points_chosen], aim)
    names = tuple(ranges)
    inputs = tuple({name: float(candidates[point][name]) for name in names} for point in sorted(points_chosen))
    along = np.array([point[names[0]] for point in candidates]) if len(names) == 1 else np.empty(0)
    alone = np.sqrt(_after(information, slopes, aim)) if len(names) == 1 else np.empty(0)
    return Design("all" if quantity is None else quantity.name, inputs, now, then, along, alone)


def _candidates(estimates: Estimates, ranges: Ranges, at: Mapping[str, object]) -> list[dict[str, float]]:
    """Return the inputs of all places that are tried."""
    inputs, groups = inputs_named(estimates.model), group_columns(estimates.model)
    for name in (*ranges, *at):
        if name not in inputs or (name in groups and name in ranges):
            raise ConfigError(
                f"`{name}` is no input of the model that can vary.{closest(name, inputs)} Inputs: {', '.join(inputs)}."
            )
    missing = [name for name in inputs if name not in ranges and name not in at]
    if missing:
        raise ConfigError(f"Give each input a range, `between`, or a value, `at`: {listed(missing)} has neither.")
    for name, (low, high) in ranges.items():
        if not low < high:
            raise ConfigError(f"The range of `{name}` from {low:g} to {high:g} is empty.")
    count = max(round((CANDIDATES * len(ranges)) ** (1.0 / len(ranges))), 3)
    axes = [np.linspace(low, high, count).tolist() for low, high in ranges.values()]
    first = placed(estimates.model, {**at, **{name: low for name, (low, _) in ranges.items()}})
    return [{**first, **dict(zip(ranges, values, strict=True))} for values in itertools.product(*axes)]


def _variance(estimates: Estimates, sigma: float | None, places: Sequence[Mapping[str, float]]) -> Array:
    """Return the variance of a measurement at each place."""
    checked_sigma(sigma, None)
    measurement = planned_measurement(estimates, sigma)
    if measurement is not None and measurement.known_in(places[0]):
        columns = {name: np.array([candidate[name] for candidate in places]) for name in places[0]} or {"": np.empty(1)}
        return measurement.unit * measurement.share(columns, estimates.model.predict(estimates.theta, columns))
    variance = even_variance(estimates, sigma, measurement)
    if variance is not None:
        return np.full(len(places), variance)
    raise ConfigError(
        f"The spread of a further measurement is not known. Give its standard deviation, {spell('sigma', 0.1)}."
    )


def _criterion(information: Array, aim: Array | None) -> float:
    if aim is None:
        return math.exp(-0.5 * float(np.linalg.slogdet(information)[1]) / len(information))
    return math.sqrt(float(aim @ np.linalg.solve(information, aim)))


def _after(information: Array, slopes: Array, aim: Array | None) -> Array:
    """Return the criterion, squared, after one measurement at each place.

    (M + f f')^-1 = M^-1 - M^-1 f f' M^-1 / (1 + f' M^-1 f), and det(M + f f') = det M (1 + f' M^-1 f).
    """
    inverse = np.linalg.inv(information)
    reach = slopes @ inverse
    factor = 1.0 + np.einsum("ij,ij->i", reach, slopes)
    if aim is None:
        size = len(information)
        return np.asarray(_criterion(information, None) ** 2 * factor ** (-1.0 / size))
    return np.asarray(aim @ inverse @ aim - (reach @ aim) ** 2 / factor)


def _chosen(information: Array, slopes: Array, aim: Array | None, points: int) -> list[int]:
    """Return the places of the measurements, by exchange."""
    points_chosen: list[int] = []
    for _ in range(points):
        best = int(np.argmin(_after(information, slopes, aim)))
        points_chosen.append(best)
        information = information + np.outer(slopes[best], slopes[best])
    for _ in range(ROUNDS):
        before = _criterion(information, aim)
        for number, old in enumerate(points_chosen):
            without = information - np.outer(slopes[old], slopes[old])
            best = int(np.argmin(_after(without, slopes, aim)))
            information = without + np.outer(slopes[best], slopes[best])
            points_chosen[number] = best
        if _criterion(information, aim) >= before * (1.0 - GAIN):
            break
    return points_chosen
