"""Starts of losses with many minima that rows with leverage do not pull to themselves: the S-estimate."""

from __future__ import annotations

import numpy as np

from descend.errors import ConfigError, DataError
from descend.problem.point import Array
from descend.problem.problem import Problem
from descend.starts.reweighted import Regression, Reweighted
from descend.starts.s_estimate import s_estimate, scale_of

LESS = 0.95
"""An S-estimate is another fit than one whose residuals have a scale larger than this share of it."""


def better_start(problem: Problem, theta: Array) -> Reweighted | None:
    """Return the S-estimate if its residuals have a clearly lower robust scale than those of a fit; else None."""
    if problem.objective.arrow or not np.isfinite(theta).all():
        return None
    rows = Regression.of(problem, scaled=False)
    with np.errstate(all="ignore"):
        s_start = s_estimate(rows, [theta], problem.model.linear)
        here = scale_of(rows.residuals(theta), rows.omega, problem.model.parameters.size)
    return s_start if s_start is not None and s_start.scale < LESS * here else None


def mm_start(problem: Problem, theta: Array) -> Reweighted:
    """Return the S-estimate, with whose scale an MM-estimate is fitted.

    theta: where another fit ends. Raises ConfigError for rows that are not in memory, and DataError for too few.
    """
    if problem.all_rows is not None or problem.objective.arrow:
        raise ConfigError(
            "The scale `mm` is that of an S-estimate, which is found among rows in memory and few parameters. Use the "
            "scale `auto`."
        )
    start = s_estimate(Regression.of(problem, scaled=False), [theta], problem.model.linear)
    if start is None:
        raise DataError(
            "An S-estimate needs at least twice as many rows as parameters, and a finite start. Give more rows, or use "
            "the scale `auto`."
        )
    return start
