"""The S-estimate: the curve whose residuals have the least robust scale, even if nearly half of the rows are wrong."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from descend.losses.contract import NORMAL
from descend.starts.reweighted import ROUNDS, Regression, Reweighted, reweighted

Array = NDArray[np.float64]
TUNING = 1.548
"""Multiple of the scale beyond which a residual counts as 1: for normal noise, and a breakdown of one half."""
DRAWN, DRAWN_CURVES = 500, 60
"""Subsets of as many rows as parameters that are tried, of a line and of a curve."""
ALL = 6_000
"""All subsets of a line are tried if there are at most so many."""
SEARCHED = 1_000
"""Rows by which subsets are judged, at most."""
BEST, FINALISTS = 8, 2
"""Of these, those that are followed for so many rounds, and of them, those that go on with all rows to the end."""
SHORT = 30
SCALINGS = 40


def s_estimate(rows: Regression, starts: Iterable[Array], linear: bool, rounds: int = ROUNDS) -> Reweighted | None:
    """Return the S-estimate; None where none is found. rounds: of the last descents; few give a start.

    Its scale s is the least of all parameters' scales, each of which solves, with n rows and p parameters,

        sum chi(r / (1.548 s)) = (n - p) / 2,   chi(u) = u**2 (3 - 3 u**2 + u**4) for |u| < 1, 1 beyond

    Candidates are the starts, and the curves through subsets of p rows: all of them, or drawn, the same each time. Each
    takes two steps of reweighted least squares; the best ones go on until nothing changes.

    Source: Rousseeuw & Yohai (1984), Lecture Notes in Statistics 26, 256-272; Salibian-Barrera & Yohai (2006), J.
    Comput. Graph. Statist. 15, 414-427.
    """
    count, size = len(rows.y), rows.model.parameters.size
    if count < 2 * size or not size:
        return None
    random = np.random.default_rng(0)
    sample = rows if count <= SEARCHED else rows.take(np.sort(random.choice(count, SEARCHED, replace=False)))
    with np.errstate(all="ignore"):
        known = [theta for theta in starts if np.isfinite(theta).all()]
        if not known:
            return None
        candidates = _lines(sample, known[0], random) if linear else _curves(sample, known, random)
        best = [theta for _, theta in sorted(candidates, key=lambda each: each[0])[:BEST]]
        there = _least((_followed(sample, theta, SHORT) for theta in (*known, *best)), FINALISTS)
        found = _least((_followed(rows, each.theta, rounds) for each in there), 1)
    return found[0] if found else None


def _least(ends: Iterable[Reweighted | None], most: int) -> list[Reweighted]:
    """Return the ends with the least scales."""
    found = [end for end in ends if end is not None and np.isfinite(end.theta).all()]
    return sorted(found, key=lambda end: end.scale)[:most]


def chi(residual: Array, scale: float | Array) -> Array:
    """Return the loss of each row, between 0 and 1."""
    square = np.minimum((residual / (TUNING * scale)) ** 2, 1.0)
    found: Array = square * (3.0 - 3.0 * square + square * square)
    return found


def _weight(residual: Array, scale: float | Array) -> Array:
    found: Array = np.maximum(1.0 - (residual / (TUNING * scale)) ** 2, 0.0) ** 2
    return found


def scale_of(residual: Array, omega: Array, size: int) -> float:
    """Return the scale of residuals that solves the equation of ``s_estimate``; 0 where most of them are 0."""
    share = 0.5 * (len(residual) - size) / len(residual)
    total, scale = float(omega.sum()), NORMAL * float(np.median(np.abs(residual)))
    if not scale > 0.0:
        return 0.0
    for _ in range(SCALINGS):  # Newton's method in the logarithm of the scale
        square = np.minimum((residual / (TUNING * scale)) ** 2, 1.0)
        excess = float(omega @ (square * (3.0 - 3.0 * square + square * square))) / total - share
        slope = float(omega @ (square * (1.0 - square) ** 2)) * 6.0 / total
        change = min(max(excess / slope, -1.0), 1.0) if slope > 0.0 else math.copysign(1.0, excess)
        scale *= math.exp(change)
        if abs(change) <= 1e-12 or not 0.0 < scale < math.inf:
            break
    return scale


def _followed(rows: Regression, theta: Array, rounds: int = ROUNDS) -> Reweighted | None:
    size = rows.model.parameters.size

    def rule(residual: Array) -> float:
        return scale_of(residual, rows.omega, size)

    return reweighted(rows, rows.inside(theta), chi, _weight, rule, rounds)


def _subsets(count: int, size: int, most: int, random: np.random.Generator) -> NDArray[np.intp]:
    if math.comb(count, size) <= ALL and most == DRAWN:
        return np.array(list(itertools.combinations(range(count), size)))
    return np.array([random.choice(count, size, replace=False) for _ in range(most)])


def _lines(rows: Regression, theta: Array, random: np.random.Generator) -> list[tuple[float, Array]]:
    """Return lines through subsets after two steps of reweighted least squares, all at once, with their scales."""
    residual, design = rows.linearised(theta)
    norms = np.sqrt(np.square(design).sum(axis=0))
    if not (norms > 0.0).all():
        return []
    design = design / norms
    places = _subsets(len(design), design.shape[1], DRAWN, random)
    moves = _solved(design[places], residual[places][..., None])[..., 0]
    pairs = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    for _ in range(2):
        left = residual - moves @ design.T
        scale = NORMAL * np.median(np.abs(left), axis=1, keepdims=True)
        weights = _weight(left, np.maximum(scale, 1e-300)) * rows.omega
        curvature = (weights @ pairs).reshape(-1, *design.shape[1:] * 2)
        moves = _solved(curvature, (weights @ (design * residual[:, None]))[..., None])[..., 0]
    left = residual - moves @ design.T
    rough = np.median(np.abs(left), axis=1)
    few = np.argsort(np.where(np.isfinite(rough), rough, np.inf), kind="stable")[: 10 * BEST]
    size = design.shape[1]
    return [
        (scale_of(left[place], rows.omega, size), theta + moves[place] / norms)
        for place in few.tolist()
        if np.isfinite(moves[place]).all()
    ]


def _solved(matrices: Array, right: Array) -> Array:
    """Solve many small systems; what is singular has NaN."""
    determinant = np.abs(np.linalg.det(matrices))
    fine = np.isfinite(determinant) & (determinant > 1e-12 * np.nanmax(determinant, initial=0.0))
    found = np.full(right.shape, np.nan)
    if fine.any():
        found[fine] = np.linalg.solve(matrices[fine], right[fine])
    return found


def _curves(rows: Regression, starts: Sequence[Array], random: np.random.Generator) -> list[tuple[float, Array]]:
    """Return curves through subsets, by a few Gauss-Newton steps from the starts in turn, with their scales."""
    size = rows.model.parameters.size
    found: list[tuple[float, Array]] = []
    for number, places in enumerate(_subsets(len(rows.y), size, DRAWN_CURVES, random)):
        few = rows.take(places)
        end = reweighted(few, starts[number % len(starts)], _squares, _ones, lambda residual: 1.0, rounds=10)
        if end is None or not np.isfinite(end.theta).all():
            continue
        near = _followed(rows, end.theta, 2)
        if near is not None:
            found.append((near.scale, near.theta))
    return found


def _squares(residual: Array, scale: float) -> Array:
    return residual * residual


def _ones(residual: Array, scale: float) -> Array:
    return np.ones_like(residual)
