"""Quantities of many fits: each in all groups at once, with its error by the delta method."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from descend.descent.outcome import Outcome
from descend.errors import ConfigError
from descend.inference.estimates import Estimates, why_none
from descend.inference.quantities.interval_methods import by_delta_method
from descend.inference.quantities.quantity import Quantity
from descend.inference.quantities.reading import read_quantities
from descend.many.correlations import shares
from descend.many.kept_minima import GroupStatistics, spread_of
from descend.many.outcomes import Outcomes, Roots
from descend.many.quantified import LEVEL, Quantified, reach
from descend.models import Model
from descend.parameters.ties import Ties
from descend.wording import spell

Array = NDArray[np.float64]
Places = NDArray[np.intp]


def check_for_groups(quantities_asked: Ties, model: Model, by: Sequence[str]) -> None:
    """Raise ConfigError or FormulaError for quantities that cannot be told of each group."""
    for quantity in read_quantities(quantities_asked, model):
        if quantity.name in by:
            raise ConfigError(
                f"`{quantity.name}` tells the groups apart, so it cannot be the name of a quantity in "
                f"{spell('quantities')}. Choose another name."
            )


def quantify(groups_fitted: GroupStatistics, groups: Places, outcomes: Outcomes, roots_of: Roots) -> None:
    """Keep the quantities of those groups that were fitted together, with their errors.

    With g the derivatives of a quantity by the parameters, R the root of their covariance, and s its scale:

        error = sqrt(s) |R'g|,   interval = value -+ t quantile * error
    """
    together = outcomes.outcome == str(Outcome.CONVERGED)
    together[list(outcomes.fits)] = False
    for share in shares(groups[together[groups]], outcomes.parameters.shape[1]):
        _quantify(groups_fitted, share, outcomes, roots_of(share, outcomes.parameters[share]))


def _quantify(groups_fitted: GroupStatistics, groups: Places, outcomes: Outcomes, roots: Array) -> None:
    theta = outcomes.parameters[groups]
    scale, degrees = spread_of(groups_fitted, groups, theta, outcomes.loss[groups] * groups_fitted.totals[groups])
    reached = reach(degrees, LEVEL)
    for quantity in groups_fitted.derived_quantities:
        column = outcomes.quantity(quantity.name, quantity.text)
        value, gradient = quantity.over(theta)
        with np.errstate(all="ignore"):
            along = np.einsum("gij,gi->gj", roots, np.nan_to_num(gradient))
            variance = np.einsum("gj,gj->g", along, along) * scale
            error = np.where(degrees > 0.0, np.sqrt(variance), np.nan)
        sure = np.isfinite(value) & np.isfinite(gradient).all(axis=1) & (error > 0.0) & np.isfinite(error)
        error[~sure] = np.nan
        column.take(groups, Quantified(quantity.text, value, error, value - reached * error, value + reached * error))
        for number in np.flatnonzero(~sure).tolist():
            covariance = None if not degrees[number] > 0.0 else np.full((theta.shape[1],) * 2, variance[number] * 0.0)
            column.why[int(groups[number])] = _why(groups_fitted.model, quantity, theta[number], covariance)


def _why(model: Model, quantity: Quantity, theta: Array, covariance: Array | None) -> str:
    """Say why a quantity has no value or no error in a group, as a fit of it does."""
    nothing = why_none(model, False, Outcome.CONVERGED, 0.0)
    group = Estimates(model, theta, covariance, "model", math.inf, (), (), True, nothing, None, None, None, None)
    return by_delta_method(quantity, group, LEVEL).why
