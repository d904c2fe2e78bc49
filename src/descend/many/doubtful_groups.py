"""Groups that may have ended in a worse minimum than a fit of their own finds, as of waves or of sums of like terms."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from descend.errors import DescendError
from descend.formula.parametrisation import shared
from descend.gradients.derived import Program
from descend.many.grouped import Grouped
from descend.many.outcomes import Outcomes
from descend.parameters import Bounds
from descend.starts.residual_noise import something_left
from descend.table.rows import Rows

Array = NDArray[np.float64]
Places = NDArray[np.intp]
UNLIKE = 1.2
"""Multiple of the median share that is left unexplained from which on a group is doubted."""
EXACT = 1e-9
"""Share that is left unexplained below which no group is."""
MOST = 256
"""Groups that are fitted by themselves for such a doubt, at most: those of which most is left."""
FACTORS = (0.15, 0.4, 2.5, 6.5)
"""Of a parameter that several terms share, to look for valleys beside where a group ended."""
CLEARLY = 1e-6
"""Share of the loss by which another minimum has to be lower."""


def beside(program: Program, thetas: Array, bounds: Bounds | None) -> Iterator[Array]:
    """Yield starts in the valleys beside where groups ended, (groups, p), of parameters that several terms share.

    Such is b of ``a*exp(-b*x) + c*exp(-b/6*x)``, whose two terms can take each other's place.
    """
    for symbol in shared(program.formula):
        component = program.parameters.slices[symbol.name].start
        for factor in FACTORS:
            thetas_beside = thetas.copy()
            thetas_beside[:, component] *= factor
            yield thetas_beside if bounds is None else np.clip(thetas_beside, bounds.low, bounds.high)


def fit_doubted(groups_fitted: Grouped, groups_doubted: Places, outcomes: Outcomes) -> None:
    """Fit by themselves groups that are fitted far worse than most, and not for noise; keep what is clearly lower."""
    model = groups_fitted.model.symbolic
    left = 1.0 - outcomes.r_squared[groups_doubted]
    finite_losses = np.isfinite(left)
    if model is None or not finite_losses.any():
        return
    far = finite_losses & (left > max(UNLIKE * float(np.median(left[finite_losses])), EXACT))
    order = np.argsort(-left[far], kind="stable")
    doubted = 0
    for group in groups_doubted[far][order].tolist():
        rows = Rows.of(groups_fitted.rows_of(group), groups_fitted.request.roles, model.observed)
        if group in outcomes.fits or not something_left(model, outcomes.parameters[group], rows):
            continue
        doubted += 1
        if doubted > MOST:
            return
        try:
            fit = groups_fitted.alone(group)
        except DescendError:
            continue
        if fit.succeeded and fit.loss < outcomes.loss[group] - CLEARLY * abs(outcomes.loss[group]):
            outcomes.put(group, fit)
