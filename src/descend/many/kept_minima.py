"""What was found in many groups, judged: kept where it is a minimum that the rows determine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.many.descending_groups import Descents
from descend.many.outcomes import Outcomes
from descend.models import Model
from descend.options.request import Request
from descend.parameters import Bounds

if TYPE_CHECKING:
    from descend.inference.quantities.quantity import Quantity

Array = NDArray[np.float64]
Places = NDArray[np.intp]
VAGUE = 1e8
"""A parameter is not determined whose error is so many times its size, and what is usual in other groups."""


def losses_of(groups_fitted: GroupStatistics, groups: Places, descents: Descents) -> tuple[Array, Array]:
    """Return the mean loss of what was found in these groups, and R2."""
    squares = descents.loss if groups_fitted.model.loss.quadratic else descents.squares
    r_squared = 1.0 - squares / groups_fitted.about_mean[groups] if np.isfinite(squares).any() else np.nan * squares
    return descents.loss / groups_fitted.totals[groups], r_squared


def spread_of(groups_fitted: GroupStatistics, groups: Places, theta: Array, loss: Array) -> tuple[Array, Array]:
    """Return what the inverse curvature of each group has to be multiplied by, and the degrees of freedom of errors.

    These are infinite where the scale of the residuals is known, and not above 0 where nothing is left to tell it.
    loss: its sum over the rows.
    """
    loss_of_model, spare = groups_fitted.model.loss, spare_of(groups_fitted, groups, theta)
    if not loss_of_model.likelihood:
        return np.ones(len(groups)), spare
    if not loss_of_model.quadratic or groups_fitted.request.sigma is not None:
        return np.full(len(groups), loss_of_model.unit), np.full(len(groups), np.inf)
    return 2.0 * loss / np.maximum(spare, 1.0), spare


def spare_of(groups_fitted: GroupStatistics, groups: Places, theta: Array) -> Array:
    """Return how many rows of each group there are beyond the parameters; those at a bound are known."""
    bounds = groups_fitted.bounds
    spare = (groups_fitted.counting[groups] - groups_fitted.model.parameters.size).astype(np.float64)
    if bounds is not None:
        spare += ((theta <= bounds.low) | (theta >= bounds.high)).sum(axis=1)
    return spare


def keep(
    groups_fitted: GroupStatistics, groups: Places, descents: Descents, outcomes: Outcomes, held: bool = False
) -> None:
    """Keep what converged at a minimum that the rows determine, within its bounds.

    held: whether the descents knew the bounds, so that they may have ended at one.
    """
    bounds = groups_fitted.bounds
    scale, degrees = spread_of(groups_fitted, groups, descents.theta, descents.loss)
    positive = degrees > 0.0
    with np.errstate(invalid="ignore"):
        errors = np.sqrt(descents.variances * scale[:, None])
        far = errors > VAGUE * np.abs(descents.theta)
        if far.any() and descents.converged.any():
            far &= errors > VAGUE * np.median(np.abs(descents.theta[descents.converged]), axis=0)
        vague = far.any(axis=1)
    errors[~positive] = np.nan  # without rows to spare they are not known, though they tell what is not determined
    descents.endless |= descents.converged & vague
    descents.converged &= ~vague
    if bounds is not None and not held:
        descents.converged &= ((descents.theta > bounds.low) & (descents.theta < bounds.high)).all(axis=1)
    spare = spare_of(groups_fitted, groups, descents.theta)
    with np.errstate(all="ignore"):
        squares = np.where(groups_fitted.model.loss.quadratic & (spare > 0.0), descents.loss / spare, np.nan)
    outcomes.keep(groups, descents, errors, losses_of(groups_fitted, groups, descents), (spare, squares))


class GroupStatistics(Protocol):
    """What has to be known of groups to keep what was found in them: `Grouped` and `Summed` know it."""

    @property
    def request(self) -> Request: ...
    @property
    def model(self) -> Model: ...
    @property
    def bounds(self) -> Bounds | None: ...
    @property
    def totals(self) -> Array: ...
    @property
    def counting(self) -> Places: ...
    @property
    def about_mean(self) -> Array: ...
    @property
    def derived_quantities(self) -> Sequence[Quantity]: ...

    def sum_of(self, term: Expr, groups: Places) -> Array | None:
        """Return the sum of a term of the likelihood over the rows that count; None if it is not known."""
