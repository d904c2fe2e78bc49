"""What residuals alone tell of a fit: whether they look like noise, or still hold something of the data."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.formula import Formula
from descend.formula.compile import over_rows
from descend.formula.structure import measures, waves
from descend.models import SymbolicModel
from descend.table.rows import Rows

Array = NDArray[np.float64]
FEW = 4
"""Residuals per parameter up to which they tell nothing."""
FOLLOWING = 2.0
"""Sum of products of neighbouring residuals, in its standard errors, that noise seldom reaches."""
OUT_OF_LINE = 8.0
"""Multiple of the median size of residuals that no residual of normal noise reaches."""
WAVE_ROWS = 64
"""Residuals below which a wave may hide in noise."""
LINE = 0.01
"""Probability that a periodogram of noise has a line that high."""


def following(residuals: Array, along: Array, most: float = FOLLOWING) -> bool:
    """Whether residuals resemble their neighbours along a column, as those of a curve that misses the data do.

    With p_i = r_i r_(i+1) in the order of the column:   sum p / sqrt(sum p**2) > min(most, sqrt(n) / 4)

    For noise, even of unequal variance, the left side has mean 0 and variance 1; for residuals that all follow each
    other it is about sqrt(n). For few residuals a quarter of that is the smaller threshold.

    >>> x = np.linspace(0.0, 1.0, 50)
    >>> following(x**2 - x, x), following(np.random.default_rng(1).normal(size=50), x)
    (True, False)
    """
    if not bool((along[1:] >= along[:-1]).all()):
        residuals = residuals[np.argsort(along, kind="stable")]
    products = residuals[1:] * residuals[:-1]
    enough = min(most, math.sqrt(residuals.size) / 4.0)
    return float(np.add.reduce(products)) > enough * math.sqrt(products.dot(products))


def out_of_line(residuals: Array) -> bool:
    """Whether a few residuals are far larger than the rest, as where a peak is so narrow that few rows show it."""
    size, half = np.abs(residuals), residuals.size // 2
    return float(size.max()) > OUT_OF_LINE * float(np.partition(size, half)[half])


def turning(residuals: Array, along: Array) -> bool:
    """Whether residuals still hold a wave, or are too few or too unevenly spaced along a column to tell.

    With g the highest of the m lines of the periodogram, as a share of their sum:   m (1 - g)**(m - 1) < 0.01
    Source: Fisher (1929), Proc. R. Soc. A 125, 54-59.
    """
    order = np.argsort(along, kind="stable")
    steps = np.diff(along[order])
    if residuals.size < WAVE_ROWS or not float(np.ptp(steps)) <= 1e-3 * abs(float(steps.mean())):
        return True
    power = np.abs(np.fft.rfft(residuals[order])[1:]) ** 2
    share = float(power.max()) / float(power.sum())
    return power.size * (1.0 - share) ** (power.size - 1) < LINE


def something_left(model: SymbolicModel, theta: Array, rows: Rows) -> bool:
    """Whether residuals are too few to look like noise, or show something that a formula of this kind could explain.

    They are examined along each input, and where there are several also along the prediction.
    """
    prediction = model.predict(theta, rows.columns)
    residual = model.observed(rows.columns) - prediction
    if rows.omega is not None:
        residual = residual * np.sqrt(rows.omega)
    if not model.inputs or residual.size <= FEW * theta.size:
        return True
    along = [rows.columns[name] for name in model.inputs]
    if len(along) > 1:
        along.append(prediction)
    turned, locations = _kinds(model.formula)
    if any(following(residual, each, FOLLOWING if locations < 2 else FOLLOWING / 2.0) for each in along):
        return True
    if locations and out_of_line(residual):
        return True
    return any(turning(residual, over_rows(each, rows.columns, residual.size)) for each in turned)


def many_basins(formula: Formula) -> bool:
    """Whether a formula holds a wave of unknown frequency, or two locations, be it of peaks or of steps."""
    turned, locations = _kinds(formula)
    return bool(turned) or locations > 1


@lru_cache(maxsize=128)
def _kinds(formula: Formula) -> tuple[tuple[Expr, ...], int]:
    """Return what the waves of a formula run along, and how many locations of peaks or steps it has."""
    locations = sum(measure.location is not None for measure in measures(formula).values())
    return tuple({wave.along for wave in waves(formula).values()}), locations
