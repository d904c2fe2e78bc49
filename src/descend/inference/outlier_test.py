"""Outliers are rows too far from a robust curve for normal scatter, by a rule that limits false discoveries."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from descend.descent.solution import Solution
from descend.errors import ConfigError
from descend.inference.outlying_rows import Outlier, Outliers
from descend.inference.row_places import positions, said_place
from descend.inference.statistics import degrees_of_freedom

Array = NDArray[np.float64]
JUDGED = 0.3
"""Only this share of the rows, the farthest ones, may be outliers."""


def outliers_of(solution: Solution, rate: float, labelled: Mapping[str, tuple[float, float | None]]) -> Outliers:
    """Return the rows that lie too far from the curve of a robust fit.

    With t_i = |r_i| / s, where s is the robust standard deviation of the residuals r of a fit with Lorentzian scatter,
    p_i the probability that Student's t with n - p degrees of freedom is as far, and t sorted rising, row i and all
    that are farther are outliers if

        p_i < Q (n - i + 1) / n

    for a row among the farthest 30%, the first such row. Of data with normal scatter, about a share Q has any.

    rate: Q. labelled: estimates and standard errors of all rows by label.

    Raises ConfigError where there are no degrees of freedom, or no robust fit.

    Source: Motulsky & Brown (2006), BMC Bioinformatics 7, 123; Benjamini & Hochberg (1995), J. R. Stat. Soc. B 57.
    """
    from scipy import special

    from descend.starts.lorentzian import lorentzian

    degrees = degrees_of_freedom(solution)
    if degrees is None or degrees <= 0:
        raise ConfigError(
            f"{solution.rows} rows and {solution.theta.size} parameters leave nothing to tell outliers by. Give more "
            "rows."
        )
    rows, robust = lorentzian(solution.problem, solution.theta, degrees)
    if robust is None:
        raise ConfigError("Outliers lie far from a robust fit, and none was found. Give starting values.")
    residual = rows.residuals(robust.theta)
    smallest_residual = 1e-9 * float(np.abs(rows.root * rows.y).max())
    distance = np.abs(residual) / max(robust.scale, smallest_residual, math.ulp(0.0))
    p = 2.0 * special.stdtr(degrees, -distance)
    outlier_places, numbers = farthest(p, distance, rate), positions(solution)
    outliers = tuple(
        Outlier(
            int(numbers[outlier_place]) + 1,
            said_place(solution, int(numbers[outlier_place])),
            float(residual[outlier_place] / rows.root[outlier_place]),
            float(distance[outlier_place]),
            float(p[outlier_place]),
        )
        for outlier_place in outlier_places.tolist()
    )
    return Outliers(rate, robust.scale, len(p), False, outliers, labelled)


def farthest(p: Array, distance: Array, rate: float) -> NDArray[np.intp]:
    """Return the places of the outliers, farthest first.

    >>> distance = np.array([0.1, 0.5, 0.9, 0.2, 6.0, 0.7, 0.4, 0.3, 1.1, 0.6])
    >>> farthest(np.array([0.9, 0.6, 0.4, 0.8, 1e-4, 0.5, 0.7, 0.8, 0.3, 0.6]), distance, 0.01)
    array([4])
    """
    count = len(p)
    order = np.argsort(distance, kind="stable")
    first = math.ceil((1.0 - JUDGED) * count)
    rank = np.arange(count)
    beyond = np.flatnonzero((p[order] < rate * (count - rank) / count) & (rank >= first))
    farthest_rows: NDArray[np.intp] = order[beyond[0] :][::-1] if beyond.size else np.empty(0, dtype=np.intp)
    return farthest_rows
