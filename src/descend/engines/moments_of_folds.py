"""Sums over each of several folds of rows that stay in their files, in one pass over all of them."""

from __future__ import annotations

import numpy as np

from descend.engines.compiled import compiled
from descend.engines.stream import block_rows
from descend.engines.totals import Array, Totals
from descend.gradients.derived import Program
from descend.table.lazy import Lazy


def moments_of_folds(program: Program, lazy: Lazy, folds: int, seed: int = 0) -> list[Totals]:
    """Return loss, gradient and curvature at 0, summed over each fold; of a parabola they are those anywhere.

    lazy: the rows, which must be complete. Each row is in a fold drawn at random, the same one each time.
    """
    return lazy.attempt(lambda: _summed(program, lazy, folds, seed))


def _summed(program: Program, lazy: Lazy, folds: int, seed: int) -> list[Totals]:
    kernel = compiled(program, "numpy", lazy.roles.spread is not None)
    size, draws = program.parameters.size, np.random.default_rng(seed)
    zero: Array = np.zeros(size)
    weights, losses = np.zeros(folds), np.zeros(folds)
    gradients, curvatures = np.zeros((folds, size)), np.zeros((folds, size, size))
    for block in lazy.blocks(block_rows(lazy)):
        fold_of_row = draws.integers(0, folds, block.count)
        for fold in range(folds):
            fold_totals = block.take(fold_of_row == fold)
            if not fold_totals.count:
                continue
            loss, gradient, curvature = kernel.sums(zero, kernel.prepare(fold_totals), 2)
            weights[fold] += fold_totals.total
            losses[fold] += loss
            gradients[fold] += gradient
            curvatures[fold] += curvature
    return [Totals(*each) for each in zip(weights.tolist(), losses.tolist(), gradients, curvatures, strict=True)]
