"""The standard error and interval of a quantity, by each method."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from descend.descent.solution import Solution
from descend.errors import ConfigError
from descend.inference.covariance.inverse_curvature import variance_of
from descend.inference.covariance.standard_errors import generalized_covariance
from descend.inference.estimates import Estimates, estimates_of
from descend.inference.intervals import quantile
from descend.inference.quantities.estimate import Estimated
from descend.inference.quantities.quadrature import UndefinedError
from descend.inference.quantities.quantity import Quantity
from descend.inference.quantities.reading import read_quantities
from descend.parameters.ties import Ties

if TYPE_CHECKING:
    from descend.inference.profile.sides import Sides


def by_delta_method(quantity: Quantity, estimates: Estimates, level: float) -> Estimated:
    """Return the quantity with its standard error and t interval.

    With g the derivatives of the quantity by the parameters and V their covariance:

        error = sqrt(g' V g),   interval = value -+ t quantile * error

    Where the data do not determine each parameter, V is that of ``Combinations`` if they determine the quantity.
    """
    nothing = Estimated(quantity.name, quantity.text, math.nan, math.nan, (math.nan, math.nan), level, "t")
    try:
        value, gradient = quantity.with_gradient(estimates.theta)
    except UndefinedError as error:
        return replace(nothing, why=f"`{quantity.name}` is not defined at the fitted parameters: {error}")
    covariance, open_labels = estimates.covariance, estimates.undetermined
    if estimates.determine(gradient):
        covariance, open_labels = estimates.joint_covariance, ()
    if covariance is None:
        return replace(nothing, value=value, why=estimates.why_none)
    if not np.isfinite(gradient).all():
        why = f"`{quantity.name}` has no standard error: its derivative is not finite at the fitted parameters."
        return replace(nothing, value=value, why=why)
    used = gradient != 0.0
    variance = variance_of(covariance, gradient)
    open_used = [label for label in np.array(estimates.model.parameters.labels)[used].tolist() if label in open_labels]
    if open_used or not math.isfinite(variance):
        why = f"`{quantity.name}` has no standard error: the data do not determine {_named(open_used)} by themselves."
        return replace(nothing, value=value, why=why)
    deviation = math.sqrt(max(variance, 0.0))
    if not deviation:
        return replace(nothing, value=value, why=f"`{quantity.name}` has no error: what it depends on is held.")
    reach = quantile(level, estimates.degrees) * deviation
    return replace(nothing, value=value, standard_error=deviation, interval=(value - reach, value + reach))


def _named(labels: list[str]) -> str:
    return " and ".join(f"`{label}`" for label in labels) or "its parameters"


def by_profile(quantity: Quantity, solution: Solution, estimated: Estimated) -> Estimated:
    """Return the estimate with its profile interval (see ``profile_intervals``): it is held, all else fitted again.

    The quantity takes the place of the parameter that it depends on most, so that its profile is that of a parameter.
    """
    from descend.inference.profile.intervals import interval_of, refuse_without_likelihood

    refuse_without_likelihood(solution)
    if math.isnan(estimated.standard_error):
        return replace(estimated, method="profile")
    reach = quantile(estimated.level, estimates_of(solution).degrees)
    with np.errstate(all="ignore"):
        sides, component = (_sides_in_arrow if solution.objective.arrow else _sides)(quantity, solution)
        interval, notes = interval_of(sides, component, quantity.name, reach, estimated.level)
    return replace(estimated, interval=interval, method="profile", why="; ".join(notes))


def _sides(quantity: Quantity, solution: Solution) -> tuple[Sides, int]:
    """Return both sides of the profile of a quantity, and which parameter it takes the place of."""
    from descend.inference.profile.intervals import sides_of_quantity
    from descend.inference.quantities.exchanged_parameter import Exchanged

    covariance = generalized_covariance(solution, "model")
    if covariance is None:
        raise ConfigError(estimates_of(solution, "model").why_none)
    gradient = quantity.with_gradient(solution.theta)[1]
    component = int(np.argmax(np.abs(gradient) * np.sqrt(np.nan_to_num(covariance.diagonal()))))
    objective = Exchanged(solution.objective, quantity, component, solution.theta)
    phi, rates = objective.exchanged(solution.theta), objective.rates(solution.theta)
    return sides_of_quantity(solution, objective, phi, rates, component), component


def _sides_in_arrow(quantity: Quantity, solution: Solution) -> tuple[Sides, int]:
    """Return the same of a quantity that is a parameter, where most parameters belong to one group each."""
    from descend.inference.profile.sides import Sides

    varying = np.flatnonzero(quantity.with_gradient(solution.theta)[1])
    generalized = generalized_covariance(solution, "model")
    if len(varying) != 1 or quantity.text != solution.model.parameters.labels[varying[0]] or generalized is None:
        raise ConfigError(
            f"`{quantity.name}` has no profile interval: with {solution.theta.size:,} parameters, most of which belong "
            "to one group, only single parameters have. Use the method t."
        )
    component = int(varying[0])
    return Sides(solution, generalized, [component]), component


def by_bootstrap(
    quantity: Quantity,
    solution: Solution,
    estimated: Estimated,
    resamples: int,
    seed: int,
    on_resample: Callable[[int], None] | None,
) -> Estimated:
    """Return the estimate with its bootstrap interval (see ``bootstrap_intervals``)."""
    from descend.inference.bootstrap import resampled, skewed_ends

    if math.isnan(estimated.value):
        return replace(estimated, method="bootstrap")
    fits = resampled(solution, resamples, seed, on_resample)
    values, undefined = [], 0
    for theta in fits.values:
        try:
            values.append(quantity.value(theta))
        except ConfigError:
            undefined += 1
    notes = list(fits.notes)
    if undefined:
        notes.append(
            f"`{quantity.name}` is not defined in {undefined:,} of {len(fits.values):,} resamples, which are left out"
        )
    influence = fits.influence @ quantity.with_gradient(solution.theta)[1]
    ends = skewed_ends(np.array(values), estimated.value, influence, fits.reach(estimated.level))
    return replace(estimated, interval=ends, method="bootstrap", why="; ".join(notes))


def estimated_quantity(
    quantity: Quantity,
    estimates: Estimates,
    solution: Solution | None,
    level: float,
    method: str,
    resamples: int = 1000,
    seed: int = 0,
    on_resample: Callable[[int], None] | None = None,
) -> Estimated:
    """Return a quantity with its interval by any method; profile and bootstrap need the solution."""
    estimated = replace(by_delta_method(quantity, estimates, level), method=method)
    if solution is None or method not in ("profile", "bootstrap") or math.isnan(estimated.value):
        return estimated
    if method == "profile":
        return by_profile(quantity, solution, estimated)
    return by_bootstrap(quantity, solution, estimated, resamples, seed, on_resample)


def estimated_quantities(
    quantities_asked: Ties,
    estimates: Estimates,
    solution: Solution | None = None,
    level: float = 0.95,
    method: str = "t",
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Estimated]:
    """Return quantities by name, with their intervals."""
    return {
        quantity.name: estimated_quantity(quantity, estimates, solution, level, method, resamples, seed)
        for quantity in read_quantities(quantities_asked, estimates.model)
    }
