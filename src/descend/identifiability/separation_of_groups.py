"""Groups whose response never leaves the end of its range: their own parameters run to infinity, and no others do."""

from __future__ import annotations

import numpy as np

from descend.formula.trade_off import joined
from descend.identifiability.of_groups import levels_of, some_groups
from descend.problem.problem import Problem
from descend.wording import using

Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def endless_groups(problem: Problem, theta: Array) -> str | None:
    """Say in which groups every count is 0, or every outcome the same, if a parameter of theirs alone changes them all.

    J then falls for as long as that parameter runs on. A parameter that is penalised, or held by a bound on that side,
    does not.
    """
    engine, symbolic = problem.objective.engine.grouped, problem.model.symbolic
    assert engine is not None and symbolic is not None
    domain, penalty, bounds = problem.model.loss.response_domain, problem.objective.penalty, problem.objective.bounds
    y, codes = problem.rows.y, problem.rows.columns[engine.grouping].astype(np.intp)
    counting = slice(None) if problem.rows.omega is None else problem.rows.omega > 0.0
    y, codes = y[counting], codes[counting]
    groups = engine.layout.own.shape[1]
    lowest, highest = np.full(groups, np.inf), np.full(groups, -np.inf)
    np.minimum.at(lowest, codes, y)
    np.maximum.at(highest, codes, y)
    for end, way, infinity in ((domain.low, -1.0, "minus infinity"), (domain.high, 1.0, "infinity")):
        same = (lowest == end) & (highest == end)
        if not same.any():
            continue
        _, along, row_slopes = symbolic.scores_and_parts(theta, problem.rows.columns)
        along, row_slopes = along[counting], row_slopes[counting]
        free = np.ones(theta.size, dtype=bool) if penalty is None else (penalty.l1 == 0.0) & (penalty.l2 == 0.0)
        if problem.objective.priors is not None:
            free &= ~problem.objective.priors.priors.pulling
        least, most = np.full(theta.size, np.inf), np.full(theta.size, -np.inf)
        np.minimum.at(least, row_slopes, along)
        np.maximum.at(most, row_slopes, along)
        rising, falling = least > 0.0, most < 0.0
        up, down = (rising, falling) if way > 0.0 else (falling, rising)
        if bounds is not None:
            up, down = up & np.isinf(bounds.high), down & np.isinf(bounds.low)
        runs = (free & (up | down))[engine.layout.own] & same
        endless = np.flatnonzero(runs.any(axis=0))
        if not endless.size:
            continue
        levels, names = levels_of(problem.model, engine.layout)
        moving = list(dict.fromkeys(name for name, runs_of_name in zip(names, runs, strict=True) if runs_of_name.any()))
        which, them = some_groups(levels, endless)
        towards = f" towards {infinity}" if rising[engine.layout.own[runs.any(axis=1)][0, endless[0]]] else ""
        return (
            f"`{problem.model.response}` is {end:g} in every row of {which}, so the loss falls for as long as "
            f"{joined(moving)} of {them} {'run' if len(moving) > 1 else 'runs'}{towards}, and there is no best fit. "
            f"Leave {them} out, or add a penalty{using('l2')}."
        )
    return None
