"""What was found in many groups, judged: kept where it is a minimum that the rows determine."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from descend.many.groups import Groups
from descend.many.outcomes import Outcomes
from descend.many.together import Found
from descend.models import Model
from descend.options.request import Request
from descend.parameters import Bounds

Array = NDArray[np.float64]
Places = NDArray[np.intp]
VAGUE = 1e8
"""A parameter is not determined whose error is so many times its size, and what is usual in other groups."""


def losses_of(work: Known, groups: Places, found: Found) -> tuple[Array, Array]:
    """Return the mean loss of what was found in these groups, and R2."""
    squares = found.loss if work.model.loss.quadratic else found.squares
    r_squared = 1.0 - squares / work.about_mean[groups] if np.isfinite(squares).any() else np.nan * squares
    return found.loss / work.totals[groups], r_squared


def spread_of(work: Known, groups: Places, theta: Array, loss: Array) -> tuple[Array, Array]:
    """Return what the inverse curvature of each group has to be multiplied by, and the degrees of freedom of errors.

    These are infinite where the scale of the residuals is known, and not above 0 where nothing is left to tell it.
    loss: its sum over the rows.
    """
    own, spare = work.model.loss, spare_of(work, groups, theta)
    if not own.likelihood:
        return np.ones(len(groups)), spare
    if not own.quadratic or work.request.sigma is not None:
        return np.full(len(groups), own.unit), np.full(len(groups), np.inf)
    return 2.0 * loss / np.maximum(spare, 1.0), spare


def spare_of(work: Known, groups: Places, theta: Array) -> Array:
    """Return how many rows of each group there are beyond the parameters; those at a bound are known."""
    spare, bounds = (work.counting[groups] - work.model.parameters.size).astype(np.float64), work.bounds
    if bounds is not None:
        spare += ((theta <= bounds.low) | (theta >= bounds.high)).sum(axis=1)
    return spare


def keep(work: Known, groups: Places, found: Found, outcomes: Outcomes, held: bool = False) -> None:
    """Keep what converged at a minimum that the rows determine, within its bounds.

    held: whether the descents knew the bounds, so that they may have ended at one.
    """
    bounds = work.bounds
    scale, degrees = spread_of(work, groups, found.theta, found.loss)
    known = degrees > 0.0
    with np.errstate(invalid="ignore"):
        errors = np.sqrt(found.variances * scale[:, None])
        far = errors > VAGUE * np.abs(found.theta)
        if far.any() and found.converged.any():
            far &= errors > VAGUE * np.median(np.abs(found.theta[found.converged]), axis=0)
        vague = far.any(axis=1)
    errors[~known] = np.nan  # without rows to spare they are not known, though they tell what is not determined
    found.endless |= found.converged & vague
    found.converged &= ~vague
    if bounds is not None and not held:
        found.converged &= ((found.theta > bounds.low) & (found.theta < bounds.high)).all(axis=1)
    spare = spare_of(work, groups, found.theta)
    with np.errstate(all="ignore"):
        squares = np.where(work.model.loss.quadratic & (spare > 0.0), found.loss / spare, np.nan)
    outcomes.keep(groups, found, errors, losses_of(work, groups, found), (spare, squares))


class Known(Protocol):
    """What has to be known of groups to keep what was found in them: see `Grouped`."""

    @property
    def request(self) -> Request: ...
    @property
    def model(self) -> Model: ...
    @property
    def groups(self) -> Groups: ...
    @property
    def bounds(self) -> Bounds | None: ...
    @property
    def totals(self) -> Array: ...
    @property
    def counting(self) -> Places: ...
    @property
    def about_mean(self) -> Array: ...
