"""Robust losses and quantiles: a line with noise whose quantile is known, and the interval of its slope.

The noise is normal, or Student's t of 3 degrees of freedom, which has outliers. The intervals are estimate -+ the
quantile of t times the standard error.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy import stats

import descend
from coverage_cases.case import TARGET, Case, Held, holds
from descend.losses import LOSSES

NOISE = {"normal": stats.norm, "t3": stats.t(3)}
KINDS = [
    *((loss, rows, noise) for loss in ("huber", "tukey", "cauchy", "soft_l1") for rows in (20, 50) for noise in NOISE),
    *(("absolute", rows, noise) for rows in (20, 50, 200) for noise in NOISE),
    *((f"pinball(quantile={share})", rows, noise) for share in (0.75, 0.9) for rows in (40, 100) for noise in NOISE),
]


def counted(loss: str, rows: int, noise: str, seeds: range) -> Held:
    """Count in how many of the data sets the interval of the slope held the true one, 2."""
    built = LOSSES.build(loss)
    shift = NOISE[noise].ppf(built.sides[0] / sum(built.sides)) if built.kinked else 0.0
    x, found = np.linspace(0.0, 10.0, rows), list[float]()
    for seed in seeds:
        errors = NOISE[noise].rvs(size=rows, random_state=np.random.default_rng([11, rows, seed])) - shift
        fit = descend.fit("y ~ a + b*x", {"x": x, "y": 1.0 + 2.0 * x + errors}, loss=loss)
        found.append(holds(fit.intervals()["b"], 2.0))
    return {"t": {"b": found}}


CASES: dict[str, Case] = {
    f"{loss}, {rows} rows, {noise}": Case("y ~ a + b*x", partial(counted, loss, rows, noise), {"t": TARGET})
    for loss, rows, noise in KINDS
}
