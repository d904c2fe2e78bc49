"""The covariance of a fit's parameters, and the standard errors and correlations it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.descent.outcome import Outcome
from descend.errors import ConfigError
from descend.inference.covariance import Mask, Rank, covariance, known_covariance, rank_of, sandwich
from descend.inference.edge import held_at_edge
from descend.inference.intervals import Intervals, checked_errors, named, quantile, why_none
from descend.inference.refit import well_conditioned
from descend.inference.row_scores import refuse_without_data
from descend.inference.statistics import dispersion_of, total_weight
from descend.problem.point import Point

if TYPE_CHECKING:
    from descend.results.fit import Fit

Array = NDArray[np.float64]
MANY = 100_000
"""Rows from which on a pass over them counts."""


def covariance_of(fit: Fit, kind: str) -> Array | None:
    """Return the (p, p) covariance of a kind (see ``Fit.covariance_of``); that of a loaded fit is stored."""
    checked_errors(kind, fit.loss_function)
    if fit.kept is not None:
        found, rank = generalized_covariance(fit, kind), fit.rank
        if found is not None and fit.loss_function.prediction_domain.limited and (edge := held_at_edge(fit)).any():
            found[edge], found[:, edge] = np.nan, np.nan
        if found is None or rank is None:
            return found
        unknown = ~rank.estimable & ~_held(fit)
        found[unknown], found[:, unknown] = np.nan, np.nan
        return found if rank.estimable.any() else None
    if kind != fit.kind_of_errors:
        refuse_without_data(fit, f"{kind} errors")
    stored = fit.stored.get("covariance")
    return None if stored is None else np.array(stored, dtype=np.float64)


def generalized_covariance(fit: Fit, kind: str) -> Array | None:
    """Return the covariance with zeros for what is held: at a bound, or because others can make up for it."""
    loss = fit.loss_function
    if fit.penalised or fit.outcome is Outcome.DIVERGED or fit.model.in_place:
        return None  # no curvature matrix is formed for a module
    assert fit.kept is not None and fit.degrees_of_freedom is not None
    kept = None if fit.rank is None else fit.rank.kept
    with np.errstate(all="ignore"):
        everything = fit.kept.whole
        if kind == "sandwich" and everything is not None:
            from descend.inference import all_rows as whole  # few fits need it

            return whole.sandwich_of_sample(fit, everything)
        if kind == "sandwich":
            free = ~_held(fit) if kept is None else kept
            return sandwich(fit.counted_rows, loss, fit.degrees_of_freedom, None if free.all() else free)
        point = accurate_point(fit)
        if loss.quadratic and fit.sigma is None:
            return covariance(point, fit.degrees_of_freedom, kept)
        dispersion = dispersion_of(fit)
        return None if dispersion is None else known_covariance(point, total_weight(fit), loss.unit * dispersion, kept)


def accurate_point(fit: Fit) -> Point:
    """Return J at the parameters, with the triangle of the Jacobian where the curvature would cost digits.

    Of very many rows the triangle costs several passes, and is made only where it matters.
    """
    assert fit.kept is not None
    objective = fit.kept.objective
    if fit.rows > MANY:
        point = objective(fit.theta, 2)
        if well_conditioned(point, np.ones(fit.theta.size, dtype=bool)):
            return point
    return objective(fit.theta, 3)


def rank_of_fit(fit: Fit) -> Rank | None:
    """Return what is determined all the same, where a fit has undetermined parameters."""
    if not fit.undetermined or fit.kept is None:
        return None
    with np.errstate(all="ignore"):
        return rank_of(fit.kept.objective(fit.theta, 3))


def _held(fit: Fit) -> Mask:
    bounds = None if fit.constraints is None else fit.constraints.bounds
    return np.zeros(fit.theta.size, dtype=bool) if bounds is None else bounds.held(fit.theta)


def standard_errors(fit: Fit, covariance: Array) -> Array:
    """Return standard errors of all parameters, flat, from the covariance of the free ones.

    Of tied parameters by the delta method; NaN for what is fixed, lies at a bound, or depends on what is undetermined.
    """
    unknown = undetermined(fit, covariance)
    held = fit.constraints
    if held is None:
        return np.where(unknown, np.nan, np.sqrt(covariance.diagonal()))
    errors = held.whole.flat(held.standard_errors(fit.theta, np.nan_to_num(covariance)))
    errors[(held.jacobian(fit.theta)[:, unknown] != 0.0).any(axis=1)] = np.nan
    return errors


def undetermined(fit: Fit, covariance: Array) -> Mask:
    """Mark the free components that the data do not determine by themselves."""
    unknown: Mask = np.isnan(covariance.diagonal())
    unknown[[label in fit.undetermined for label in fit.model.parameters.labels]] = True
    return unknown


def t_intervals(fit: Fit, level: float, kind: str, method: str) -> Intervals:
    """Return estimate -+ quantile * standard error.

    The quantile is that of Student's t with the degrees of freedom of the fit; of the normal distribution where the
    scale is known, as it is with ``sigma`` and for the poisson and logistic losses.
    """
    covariance = fit.covariance_of(kind)
    if covariance is None or fit.model.in_place:
        raise ConfigError(why_none(fit))
    whole = fit.model.parameters if fit.constraints is None else fit.constraints.whole
    best, ends = whole.flat(fit.parameters), quantile(level, fit.error_degrees) * standard_errors(fit, covariance)
    both = {label: (value - end, value + end) for label, value, end in zip(whole.labels, best, ends, strict=True)}
    for label in fit.undetermined:
        both[label] = (-np.inf, np.inf)
    notes = []
    if fit.at_bound:
        where = f"at its bound, where {named(fit.at_bound)} ended"
        notes.append(f"a parameter has no {method} interval {where}: ask for profile instead")
    return Intervals(fit, both, level, method, notes)


def correlation(fit: Fit) -> Array | None:
    """Return the (p, p) correlation of the flat parameters; None where there is no covariance."""
    if fit.covariance is None:
        return None
    errors = np.sqrt(fit.covariance.diagonal())
    with np.errstate(all="ignore"):
        return fit.covariance / errors / errors[:, None]
