"""The error of a model on rows that it was not fitted to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.descent.solution import Solution
from descend.errors import ConfigError
from descend.inference.determined import free_to_move
from descend.inference.refit import refit, well_conditioned
from descend.inference.scored_rows import row_weights
from descend.options.checks import refuse_not_whole
from descend.problem.objective import OnRows
from descend.problem.point import Point
from descend.table import Table
from descend.table.levels import Levels

Places = NDArray[np.intp]
CLOSE = 1e-9
"""A refit may stop when the square of its distance to the minimum, as a share of J, is below this."""


@dataclass(frozen=True)
class HeldOut:
    """The mean loss of rows that were held out, over all folds.

    error: for the squared loss its root, in the unit of the response. standard_error: of that, from how folds differ.
    folds: how many there were; failed: in how many of them the model could not be fitted, which are left out.
    """

    error: float
    standard_error: float
    folds: int
    failed: int = 0


def folds_of(
    table: Table,
    used: NDArray[np.bool_],
    folds: int,
    seed: int = 0,
    group: str | None = None,
    order: str | None = None,
) -> list[Places]:
    """Return the rows that each fold holds out, among those used.

    Rows are drawn at random; with ``group``, a column, groups are held out whole; with ``order``, a column, each fold
    is a stretch of rows that follow one another in it.

    Raises ConfigError for fewer than two folds, or more than there are rows or groups.
    """
    refuse_not_whole(folds, "number of folds", 2)
    units, kind = np.arange(int(np.count_nonzero(used))), "rows"
    if group is not None:
        levels = Levels.of(table, [group])
        units = np.nan_to_num(levels.codes(table), nan=float(len(levels))).astype(np.intp)[used]
        kind = f"groups of `{group}`"
    names = np.unique(units)
    if folds > len(names):
        raise ConfigError(f"{folds} folds need at least as many {kind}; there are {len(names):,}.")
    if order is not None:
        ranks = np.argsort(table.numbers((order,))[order][used], kind="stable")
        return [np.sort(fold) for fold in np.array_split(ranks, folds)]
    shuffled = np.random.default_rng(seed).permutation(names)
    return [np.flatnonzero(np.isin(units, fold)) for fold in np.array_split(shuffled, folds)]


def held_out_error(solution: Solution, folds: Sequence[Places]) -> HeldOut:
    """Fit a model again without each fold, from the fit to all rows, and return its error there.

    Raises ConfigError if the rows are not in memory, or no fold could be fitted.
    """
    if solution.all_rows is not None:
        raise ConfigError("Rows are held out of those in memory, but the rows of this fit stayed where they are.")
    if solution.coupling is not None:
        raise ConfigError("Rows that have a covariance go together, so that none are held out. Leave out the folds.")
    objective, free = solution.objective, free_to_move(solution)
    full = objective(solution.theta, 2)
    lean = well_conditioned(full, free)
    omega, y = row_weights(solution), solution.model.observed(solution.columns)
    sums, weights = [], []
    for fold in folds:
        training_rows = np.setdiff1d(np.arange(solution.rows), fold)
        on_training_rows = OnRows(objective, training_rows)
        with np.errstate(all="ignore"):
            if not _determines(on_training_rows(solution.theta, 2), full, free, lean):
                continue
            fit_of_fold = refit(on_training_rows, solution.theta, free, CLOSE * solution.loss, lean)
        if fit_of_fold is None or (lean and not well_conditioned(fit_of_fold, free)):
            continue  # a parameter that these rows leave open would keep its value from the fit to all rows
        columns = {name: values[fold] for name, values in solution.columns.items()}
        loss = solution.loss_function.given(columns, solution.model.parameters.named(fit_of_fold.theta))
        losses = loss.value(solution.model.scores(fit_of_fold.theta, columns), y[fold])
        sums.append(float(omega[fold] @ losses))
        weights.append(float(omega[fold].sum()))
    if not sums:
        raise ConfigError(
            f"No fold of `{solution.model}` could be fitted without its rows, which leave some of its parameters open, "
            "such as those of groups that are held out whole. Hold out fewer rows, or some of each group."
        )
    means = np.array(sums) / np.array(weights)
    mean, failed = sum(sums) / sum(weights), len(folds) - len(sums)
    spread = float(np.std(means, ddof=1)) / math.sqrt(len(means)) if len(means) > 1 else math.nan
    if solution.loss_function.quadratic and mean > 0.0:
        return HeldOut(math.sqrt(mean), spread / (2.0 * math.sqrt(mean)), len(folds), failed)
    return HeldOut(mean, spread, len(folds), failed)


def _determines(training_part: Point, full: Point, free: NDArray[np.bool_], lean: bool) -> bool:
    """Whether some rows determine all that every row does: what they do not would stay as the rows held out left it."""
    if training_part.curvature is None or full.curvature is None:
        return True
    some, every = training_part.curvature.diagonal()[free], full.curvature.diagonal()[free]
    return bool(((some > 0.0) | ~(every > 0.0)).all()) and (not lean or well_conditioned(training_part, free))
