"""Directions in which a likelihood rises for ever, so that it has no maximum."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
FEW = 2_000
"""Rows that a linear program is given at a time."""
ROUNDS = 20
"""How many times rows that contradict a direction are added."""
STRICT, AGAINST = 1e-6, 1e-7
"""For rows and directions of length 1: the product above which a row moves, and how far it may move the wrong way."""
NULL = 1e-9
"""Singular value below which the rows say nothing about a direction."""


@dataclass(frozen=True)
class Recession:
    """direction: in parameter space. moved: how many of the ``rows`` rows are predicted ever better along it."""

    direction: Array
    moved: int
    rows: int


@dataclass(frozen=True)
class Pulls:
    """What rows require of a direction d: design d is 0 or has the sign of ``wanted``; it is 0 where ``wanted`` is 0.

    design: (rows, p). wanted: (rows,) 1, -1 or 0.
    """

    design: Array
    wanted: Array

    def normed(self) -> Pulls:
        """Return the rows that constrain d, scaled to length 1."""
        length = np.sqrt(np.square(self.design).sum(axis=1))
        informative = np.isfinite(length) & (length > 0.0)
        return Pulls(self.design[informative] / length[informative, None], self.wanted[informative])


def recession(some: Pulls, all_rows: Callable[[], Iterable[Pulls]], low: Array, high: Array) -> Recession | None:
    """Return a direction along which some rows are predicted ever better and none worse; None if there is none.

    A linear program over some of the rows finds it; rows that contradict the answer are added, and it is solved again.

    some: rows to begin with, any number. low, high: bounds of the parameters; the direction never leads out of them.
    Source: Albert & Anderson (1984), Biometrika 71, 1-10; Konis (2007), PhD thesis, Oxford; Correia, Guimaraes & Zylkin
    (2019), Verifying the existence of maximum likelihood estimates for generalized linear models.
    """
    basis = _alike(some.normed().design)
    pulls = Pulls(some.design @ basis, some.wanted).normed()
    pulls = pulls if len(pulls.wanted) <= FEW else _some(pulls, _spread(pulls))
    bounds = np.concatenate([basis[np.isfinite(high)], -basis[np.isfinite(low)]])
    for _ in range(ROUNDS):
        direction = _best(pulls, bounds)
        if direction is None:
            return None
        rows_moved = rows = 0
        against = []
        for block in all_rows():
            block_pulls = Pulls(block.design @ basis, block.wanted).normed()
            product = block_pulls.design @ direction
            gain = np.where(block_pulls.wanted == 0.0, -np.abs(product), block_pulls.wanted * product)
            rows_moved, rows = rows_moved + int((gain > STRICT).sum()), rows + len(block.wanted)
            wrong = np.flatnonzero(gain < -AGAINST)
            if wrong.size:
                against.append(_some(block_pulls, wrong[np.argsort(gain[wrong])[:FEW]]))
        if not against:
            return Recession(basis @ direction, rows_moved, rows)
        every = (pulls, *against)
        pulls = Pulls(*(np.concatenate([getattr(each, name) for each in every]) for name in ("design", "wanted")))
    return None


def _some(pulls: Pulls, places: NDArray[np.intp]) -> Pulls:
    return Pulls(pulls.design[places], pulls.wanted[places])


def _spread(pulls: Pulls) -> NDArray[np.intp]:
    return np.linspace(0, len(pulls.wanted) - 1, FEW).astype(np.intp)


def _alike(design: Array) -> Array:
    """Return (p, r) coordinates in which the rows have equal spread, so that nearly equal columns do no harm."""
    scale = np.sqrt(np.square(design).sum(axis=0))
    scale = np.where(scale > 0.0, scale, 1.0)
    _, values, right = np.linalg.svd(design / scale, full_matrices=False)
    independent = values > NULL * values[0]
    return np.asarray((right[independent] / values[independent, None]).T / scale[:, None])


def _best(pulls: Pulls, bounds: Array) -> Array | None:
    """Return the direction d, of length 1, that gains most over rows of length 1; None if none gains.

    maximise sum wanted a' d   where   wanted a' d >= 0,   a' d = 0 where wanted is 0,   bounds d <= 0
    """
    flat_pulls, free = pulls.design[pulls.wanted == 0.0], pulls.wanted != 0.0
    basis = np.eye(pulls.design.shape[1])
    if len(flat_pulls):
        _, sizes, directions = np.linalg.svd(flat_pulls)
        basis = directions[int((sizes > NULL * sizes[0]).sum()) :].T
    gains = (pulls.design[free] * pulls.wanted[free, None]) @ basis
    norms = np.sqrt(np.square(gains).sum(axis=1))
    moving = norms > NULL
    if not moving.any():
        return None
    from scipy.optimize import linprog

    gains = gains[moving] / norms[moving, None]
    sides = np.concatenate([-gains, bounds @ basis])
    exact = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    program = linprog(-gains.sum(axis=0), sides, np.zeros(len(sides)), bounds=(-1.0, 1.0), options=exact)
    if program.status != 0 or not (gains @ program.x).max() > STRICT:
        return None
    direction = basis @ program.x
    return np.asarray(direction / np.sqrt(direction @ direction))
