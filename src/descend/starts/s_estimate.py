"""The S-estimate: the curve whose residuals have the least robust scale, even if nearly half of the rows are wrong."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError, DataError
from descend.losses.contract import NORMAL
from descend.problem.problem import Problem
from descend.starts.reweighted import ROUNDS, Regression, Reweighted, reweighted

Array = NDArray[np.float64]
TUNING = 1.548
"""Multiple of the scale beyond which a residual counts as 1: for normal noise, and a breakdown of one half."""
DRAWN, DRAWN_CURVES = 150, 60
"""Subsets of as many rows as parameters that are tried, of a line and of a curve."""
SEARCHED = 1_000
"""Rows by which they are judged, at most."""
BEST, FINALISTS, SHORT = 8, 2, 30
"""Of these, those that go on for so many rounds, and of them, those that go on with all rows to the end."""
LESS = 0.95
"""An S-estimate is another fit than one whose residuals have a scale larger than this share of it."""


def s_estimate(rows: Regression, starts: Iterable[Array], linear: bool, rounds: int = ROUNDS) -> Reweighted | None:
    """Return the S-estimate; None where none is found. rounds: of the last descents; few give a start.

    Its scale s is the least of all parameters' scales, each of which solves, with n rows and p parameters,

        sum chi(r / (1.548 s)) = (n - p) / 2,   chi(u) = u**2 (3 - 3 u**2 + u**4) for |u| < 1, 1 beyond

    Candidates are the starts, and curves through subsets of p rows, drawn the same each time, which take two steps of
    reweighted least squares; the best ones go on until nothing changes.

    Source: Rousseeuw & Yohai (1984), Lecture Notes in Statistics 26, 256-272; Salibian-Barrera & Yohai (2006), J.
    Comput. Graph. Statist. 15, 414-427.
    """
    count, size = len(rows.y), rows.model.parameters.size
    finite = [theta for theta in starts if np.isfinite(theta).all()]
    if count < 2 * size or not size or not finite:
        return None
    random = np.random.default_rng(0)
    sample = rows if count <= SEARCHED else rows.take(np.sort(random.choice(count, SEARCHED, replace=False)))
    candidates: list[Reweighted | None] = []
    with np.errstate(all="ignore"):
        for number in range(DRAWN if linear else DRAWN_CURVES):
            few = sample.take(np.sort(random.choice(len(sample.y), size, replace=False)))
            through = reweighted(few, finite[number % len(finite)], _squares, _ones, _one, 1 if linear else 10)
            candidates.append(None if through is None else _followed(sample, through.theta, 2))
        best = [*finite, *(each.theta for each in _least(candidates, BEST))]
        there = _least((_followed(sample, theta, SHORT) for theta in best), FINALISTS)
        best_ends = _least((_followed(rows, each.theta, rounds) for each in there), 1)
    return best_ends[0] if best_ends else None


def scale_of(residual: Array, omega: Array, size: int) -> float:
    """Return the scale of residuals that solves the equation of ``s_estimate``; 0 where most of them are 0."""
    share = 0.5 * (len(residual) - size) / len(residual)
    total, scale = float(omega.sum()), NORMAL * float(np.median(np.abs(residual)))
    for _ in range(40 if scale > 0.0 else 0):  # Newton's method in the logarithm of the scale
        square = np.minimum((residual / (TUNING * scale)) ** 2, 1.0)
        excess = float(omega @ _chi(residual, scale)) / total - share
        slope = float(omega @ (square * (1.0 - square) ** 2)) * 6.0 / total
        change = min(max(excess / slope, -1.0), 1.0) if slope > 0.0 else math.copysign(1.0, excess)
        scale *= math.exp(change)
        if abs(change) <= 1e-12 or not 0.0 < scale < math.inf:
            break
    return scale


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


def _followed(rows: Regression, theta: Array, rounds: int) -> Reweighted | None:
    def rule(residual: Array) -> float:
        return scale_of(residual, rows.omega, rows.model.parameters.size)

    return reweighted(rows, rows.inside(theta), _chi, _weight, rule, rounds)


def _least(ends: Iterable[Reweighted | None], most: int) -> list[Reweighted]:
    """Return the ends with the least scales."""
    finite_ends = [end for end in ends if end is not None and np.isfinite(end.theta).all()]
    return sorted(finite_ends, key=lambda end: end.scale)[:most]


def _chi(residual: Array, scale: float) -> Array:
    square = np.minimum((residual / (TUNING * scale)) ** 2, 1.0)
    chi_of_residual: Array = square * (3.0 - 3.0 * square + square * square)
    return chi_of_residual


def _weight(residual: Array, scale: float) -> Array:
    weight_of_residual: Array = np.maximum(1.0 - (residual / (TUNING * scale)) ** 2, 0.0) ** 2
    return weight_of_residual


def _squares(residual: Array, scale: float) -> Array:
    return residual * residual


def _ones(residual: Array, scale: float) -> Array:
    return np.ones_like(residual)


def _one(residual: Array) -> float:
    return 1.0
