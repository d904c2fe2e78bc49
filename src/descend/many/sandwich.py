"""What is known of the fits of robust losses at their ends, for all groups of a band at once.

The variances hold whatever the distribution of the residuals: those that `inference.covariance.sandwich` gives each fit
by itself, HC3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.inference.covariance.sandwich import ALONE, LEAST_LEFT
from descend.losses import Loss
from descend.many.arrays import Arrays
from descend.many.sums import Band
from descend.many.systems import Entries, Factor

Array = NDArray[np.float64]
CLEAR = 1e-10
"""A pivot of the curvature that is a smaller share of its diagonal is left to a fit of its own."""


@dataclass(frozen=True)
class Robust:
    """At the ends of groups: the last step, to be subtracted, and variances, (p, groups), and the sum of squares.

    sure: where the curvature is clearly positive. root: (p, p, groups) R with R R' the covariance, if asked for.
    """

    step: Array
    variances: Array
    squares: Array
    sure: NDArray[np.bool_]
    root: Array | None


def robust_ends(band: Band, theta: Entries, loss: Loss, arrays: Arrays, rooted: bool = False) -> Robust:
    """Return what is known at the ends of the groups of a band.

    band: with code of scores, `code_of_scores`. theta: an array over groups for each parameter. rooted: whether the
    root of the covariance is asked for.

    With g = slope, b = second derivative and f = derivatives of the score of a row, h = b f'B^-1 f the step is
    B^-1 sum g f, that of Newton but for second derivatives of the score, and the variances are the diagonal of

        B^-1 (sum (g / (1 - h))^2 f f') B^-1,   B = sum b f f'
    """
    *columns, slope, bend, root, residual = band.evaluated(theta, arrays, False)
    dot, total = band.summing(arrays)
    bent = [bend * column for column in columns]
    curvature = [[dot(bent_row, two) for two in columns[: i + 1]] for i, bent_row in enumerate(bent)]
    factor = Factor.of(curvature)
    step = factor.solved([dot(slope, column) for column in columns])
    inner = factor.forward(columns)
    scaled = factor.scaled(inner)
    left = 1.0 - bend * sum((bent_row * two for bent_row, two in zip(inner, scaled, strict=True)), 0.0)
    pull = slope / (left if loss.likelihood else left.clip(LEAST_LEFT))
    pulls = [pull * each for each in factor.backward(scaled)]
    variances = [total(each**2) for each in pulls]
    root_of_covariance = None
    if rooted:
        covariance = Factor.of([[dot(one, two) for two in pulls[: i + 1]] for i, one in enumerate(pulls)])
        root_of_covariance = arrays.matrices(covariance.root(), variances[0])
    sure = dot(slope, slope) >= 0.0
    for pivot, row in zip(factor.pivots, curvature, strict=True):
        sure = sure & (pivot > CLEAR * row[-1])
    if loss.likelihood:
        for row in left:
            sure = sure & (row >= ALONE)
    steps, variances_of_groups = (np.array([arrays.to_numpy(each) for each in some]) for some in (step, variances))
    squares = arrays.to_numpy(dot(root * residual, root * residual))
    sure = arrays.to_numpy(sure) & np.isfinite(variances_of_groups).all(axis=0) & np.isfinite(steps).all(axis=0)
    return Robust(steps, variances_of_groups, squares, sure, root_of_covariance)
