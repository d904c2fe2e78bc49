"""A robust fit that takes the scatter as Lorentzian, with the robust standard deviation of its residuals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from descend.problem.problem import Problem
from descend.starts.reweighted import Regression, Reweighted, reweighted
from descend.starts.s_estimate import SHORT, s_estimate

Array = NDArray[np.float64]
ONE_SIGMA = 0.6827
"""Share of normal residuals within one standard deviation."""

SETTLED = 1e-7
"""Change of the scale that is far below what a probability tells apart."""


def lorentzian(problem: Problem, theta: Array, degrees: float) -> tuple[Regression, Reweighted | None]:
    """Return the rows of a problem, and the minimum of sum log(1 + (r/s)**2); None where none is found.

    s, the robust standard deviation of the residuals, is that below which 68.27% of them lie, times n / (n - p), at the
    minimum itself. Residuals are scaled by the weights of their rows. theta: where least squares ends; an S-estimate is
    a second start, and the lesser s of both ends counts. degrees: n - p.

    Source: Motulsky & Brown (2006), BMC Bioinformatics 7, 123.
    """
    rows = Regression.of(problem, scaled=True)
    widened = len(rows.y) / degrees

    def scale_of(residual: Array) -> float:
        return widened * float(np.quantile(np.abs(residual), ONE_SIGMA))

    first = s_estimate(rows, [theta], problem.model.linear, SHORT)
    with np.errstate(all="ignore"):
        starts = [theta] if first is None else [theta, first.theta]
        ends = [reweighted(rows, start, _loss, _weight, scale_of, settled=SETTLED) for start in starts]
    finite_ends = [end for end in ends if end is not None]
    return rows, min(finite_ends, key=lambda end: end.scale, default=None)


def _loss(residual: Array, scale: float) -> Array:
    return np.log1p((residual / scale) ** 2)


def _weight(residual: Array, scale: float) -> Array:
    return 1.0 / (1.0 + (residual / scale) ** 2)
