"""Bootstrap intervals: the fit repeated on samples of its own rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.descent.run import Interruptible
from descend.descent.solution import Solution
from descend.errors import ConfigError
from descend.inference.covariance.standard_errors import flat_errors, generalized_covariance, of_one_row
from descend.inference.determined import free_to_move, undetermined
from descend.inference.estimates import estimates_of
from descend.inference.intervals import Intervals, listed, quantile
from descend.inference.refit import refit, well_conditioned
from descend.inference.scored_rows import rows_by_distance
from descend.inference.statistics import degrees_of_freedom, error_degrees
from descend.optimizers.curvature import matrix_of
from descend.options.checks import refuse_not_whole
from descend.problem.objective import OnRows
from descend.wording import using

Array = NDArray[np.float64]
Places = NDArray[np.intp]
FEWEST = 100
"""With fewer resamples than this, the ends of an interval are mostly noise."""
TOO_WIDE = 5
"""An interval that is more than this many times as wide as the standard errors imply gets a warning."""
ALONE = 0.5
"""Rows are drawn within groups unless so large a share of them is alone in its group."""
CLOSE = 1e-6
"""A refit may stop when the square of its distance to the minimum, in standard errors, is below this."""


def bootstrap_intervals(
    solution: Solution, level: float, resamples: int, seed: int, on_resample: Callable[[int], None] | None
) -> Intervals:
    """Return BCa intervals from fits to ``resamples`` samples of the rows, drawn with replacement.

    The interval is made of two quantiles of the fitted values, moved for bias and skewness:

        Phi(z0 + (z0 + z) / (1 - a (z0 + z))),   z = the normal quantiles of (1 -+ level) / 2

    z is widened to the t quantile with n - p degrees of freedom, times sqrt(n / (n - p)), because fits to few rows vary
    less than they should. z0: normal quantile of the share of values below the estimate.
    a: sum u**3 / (6 (sum u**2)**1.5), with u_i the influence of row i on the parameter.

    Whole rows are drawn, with their inputs and weights, so the interval also holds if the residuals are not alike. Each
    fit starts at the optimum. Fits that find no minimum, or whose rows leave a parameter undetermined, are left out and
    counted. After Ctrl-C, the fits made so far are used.

    Source: Efron (1987), J. Am. Statist. Assoc. 82, 171-200; widening, Hesterberg (2015), Am. Statist. 69, 371-386.

    Raises ConfigError where there are no standard errors.
    """
    estimates, fits = estimates_of(solution), resampled(solution, resamples, seed, on_resample)
    assert estimates.covariance is not None
    values, influence, reach = fits.values, fits.influence, fits.reach(level)
    labels, best = solution.model.parameters.labels, solution.theta
    unknown = undetermined(solution.model, estimates.covariance, solution.undetermined)
    alone = of_one_row(solution) & ~unknown
    if solution.constraints is not None:
        constraints, whole_of = solution.constraints, solution.constraints.parameters
        jacobian, free_named = constraints.jacobian(solution.theta), solution.model.parameters.named
        labels, best, influence = whole_of.labels, whole_of.flat(solution.parameters), influence @ jacobian.T
        values = np.array([whole_of.flat(constraints.complete(free_named(value))) for value in values])
        unknown, alone = ((jacobian[:, some] != 0.0).any(axis=1) for some in (unknown, alone))
    errors = flat_errors(solution.model, solution.theta, estimates.covariance, solution.undetermined)
    ends = {
        label: (-math.inf, math.inf)
        if unknown[component]
        else (math.nan, math.nan)
        if alone[component]
        else skewed_ends(values[:, component], best[component], influence[:, component], reach)
        for component, label in enumerate(labels)
    }
    notes = [*fits.notes, *_too_wide(labels, ends, errors, reach)]
    if alone.any():
        of_one = listed([label for label, lone in zip(labels, alone, strict=True) if lone])
        notes.append(f"one row alone determines {of_one}, and is in every sample, so there is no interval: ask for t")
    return Intervals(estimates, ends, level, "bootstrap", notes)


@dataclass(frozen=True)
class Drawn:
    """The parameters fitted to samples of the rows, (resamples, p), and how far each row pulls them, (rows, p).

    degrees: of freedom. notes: what was noticed on the way, in sentences.
    """

    values: Array
    influence: Array
    degrees: int
    notes: tuple[str, ...]

    def reach(self, level: float) -> float:
        """Return the widened quantile of a level."""
        return quantile(level, self.degrees) * math.sqrt(1.0 + self.values.shape[1] / self.degrees)


def resampled(solution: Solution, resamples: int, seed: int, on_resample: Callable[[int], None] | None = None) -> Drawn:
    """Fit ``resamples`` samples of the rows, drawn with replacement. Raises ConfigError where that cannot be."""
    if solution.objective.priors is not None:
        raise ConfigError(
            "The bootstrap draws other rows, and what is known beforehand stays the same, so that intervals would be "
            "too narrow. With priors use the method t or profile."
        )
    if solution.all_rows is not None:
        raise ConfigError(
            "The bootstrap draws rows from memory, but the rows of this fit stayed where they are. "
            f"Use the method t, sandwich or profile, or fit{using('engine', 'numpy')}."
        )
    if solution.coupling is not None:
        raise ConfigError(
            "The bootstrap draws rows one by one, but with a covariance they go together. Use the method t or profile."
        )
    if solution.model.inexact and solution.model.formula is not None and solution.model.formula.parts:
        raise ConfigError(
            "The bootstrap draws responses one by one, but those of a row share its true inputs. Use the method t or "
            "profile."
        )
    if solution.objective.arrow:
        raise ConfigError(
            f"The bootstrap does not go with {solution.theta.size:,} parameters, most of which belong to one group: "
            "samples of the rows leave groups without any. Use the method t, sandwich or profile."
        )
    refuse_not_whole(resamples, "number of resamples", FEWEST)
    refuse_not_whole(seed, "seed", 0)
    key = f"{__name__}.resampled({resamples}, {seed})"
    if key not in solution.answers:
        solution.answers[key] = _drawn(solution, resamples, seed, on_resample)
    resampled_fits: Drawn = solution.answers[key]
    return resampled_fits


def _drawn(solution: Solution, resamples: int, seed: int, on_resample: Callable[[int], None] | None) -> Drawn:
    estimates = estimates_of(solution)
    covariance = matrix_of(generalized_covariance(solution, estimates.kind))
    if covariance is None or estimates.covariance is None:
        raise ConfigError(estimates.why_none)
    degrees = int(degrees_of_freedom(solution) or 0)
    if degrees < 1:
        raise ConfigError(
            "The bootstrap draws other rows, and there are only as many as parameters. Give more rows, or use the "
            "method t or profile."
        )
    values, notes = _resampled(solution, resamples, seed, on_resample)
    if len(values) < FEWEST:
        raise ConfigError(
            f"Of the samples of rows that were drawn, only {len(values)} could be fitted, too few for an interval. "
            "Give more rows, or use the method t or profile."
        )
    return Drawn(values, _influence(solution, covariance), degrees, tuple(notes))


def _too_wide(labels: Sequence[str], ends: Mapping[str, tuple[float, float]], errors: Array, reach: float) -> list[str]:
    """Warn of intervals that are many times as wide as the standard errors: there the resamples say little."""
    usual = dict(zip(labels, (2.0 * reach * errors).tolist(), strict=True))
    widths = {label: ends[label][1] - ends[label][0] for label in labels}
    wide = [label for label, width in widths.items() if TOO_WIDE * usual[label] < width < math.inf]
    if not wide:
        return []
    are = "is" if len(wide) == 1 else "are"
    return [
        f"the bootstrap {'interval' if len(wide) == 1 else 'intervals'} of {listed(wide)} {are} more than {TOO_WIDE:g} "
        "times as wide as the standard errors say, for many resamples hold too few different rows to determine "
        f"{'it' if len(wide) == 1 else 'them'}: ask for profile instead"
    ]


def _resampled(
    solution: Solution, resamples: int, seed: int, on_resample: Callable[[int], None] | None
) -> tuple[Array, list[str]]:
    random, draw = np.random.default_rng(seed), _drawing(solution)
    values, failed, weak, done = [], 0, 0, 0
    objective, free = solution.objective, free_to_move(solution)
    one_score = not (solution.loss_function.kinked or solution.loss_function.several_scores)
    lean = one_score and well_conditioned(objective(solution.theta, 2), free)
    close = CLOSE / solution.rows * (1.0 if math.isinf(error_degrees(solution)) else solution.loss)
    with np.errstate(all="ignore"), Interruptible() as stop:
        for done in range(1, resamples + 1):
            resampled_rows = OnRows(objective, draw(random))
            refitted_point = refit(resampled_rows, solution.theta, free, close, lean)
            if refitted_point is None:
                failed += 1
            elif lean and not well_conditioned(refitted_point, free):
                weak += 1
            else:
                values.append(refitted_point.theta)
            if on_resample is not None:
                on_resample(done)
            if stop():
                break
    grouping = _grouping(solution)
    notes = (
        [f"the bootstrap draws rows within each group of `{grouping[1:-1]}`, so that none is lost"] if grouping else []
    )
    if done < resamples:
        notes.append(f"the bootstrap was interrupted after {done:,} of {resamples:,} resamples")
    if weak:
        notes.append(
            f"{weak:,} of {done:,} resamples of the bootstrap do not determine the parameters, for they hold too few "
            "different rows, and are left out: ask for profile instead"
        )
    if failed:
        notes.append(f"{failed:,} of {done:,} resamples of the bootstrap could not be fitted and are left out")
    return np.array(values).reshape(-1, solution.theta.size), notes


def _drawing(solution: Solution) -> Callable[[np.random.Generator], Places]:
    """Return what draws as many rows as there are, with replacement: within each group where `_grouping` names any.

    Source: Davison & Hinkley (1997), Bootstrap Methods and their Application, 3.2.
    """
    name = _grouping(solution)
    if name is None:
        return lambda random: random.integers(0, solution.rows, solution.rows)
    groups = solution.columns[name].astype(np.intp)
    order, sizes = np.argsort(groups, kind="stable"), np.bincount(groups)
    begins, counts = np.repeat(np.cumsum(sizes) - sizes, sizes), np.repeat(sizes, sizes)
    return lambda random: order[begins + random.integers(0, counts)]


def _grouping(solution: Solution) -> str | None:
    """Return the grouping with most groups that have parameters; None if there is none, or most rows are alone in it.

    A sample of all rows could lack a group, whose parameters would then seem not to vary.
    """
    codings = [coding for coding in solution.model.codings if coding.name in solution.columns]
    if not codings:
        return None
    finest = max(codings, key=lambda coding: len(coding.keys)).name
    sizes = np.bincount(solution.columns[finest].astype(np.intp))
    return finest if np.count_nonzero(sizes == 1) < ALONE * solution.rows else None


def _influence(solution: Solution, covariance: Array) -> Array:
    """Return, as (rows, p), how far each row pulls each parameter, to first order."""
    rows = rows_by_distance(solution)
    pull = rows.omega * rows.loss.slope(rows.score, rows.y)
    influence: Array = -(rows.jacobian * pull[:, None]) @ covariance
    return influence


def skewed_ends(values: Array, estimate: float, influence: Array, reach: float) -> tuple[float, float]:
    """Return the ends of the BCa interval of a number (see ``bootstrap_intervals``).

    values: those of the resamples. influence: (rows,), how far each row pulls the number, to first order.
    """
    from scipy import special

    squares = float(influence @ influence)
    skewness = float((influence**3).sum()) / (6.0 * squares**1.5) if squares > 0.0 else 0.0
    below = (np.count_nonzero(values < estimate) + 0.5 * np.count_nonzero(values == estimate)) / len(values)
    bias = float(special.ndtri(np.clip(below, 0.5 / len(values), 1.0 - 0.5 / len(values))))
    z = bias + np.array([-reach, reach])
    # "weibull" gives the least of k values the probability 1 / (k + 1), so that no end is drawn inwards.
    low, high = np.quantile(values, special.ndtr(bias + z / (1.0 - skewness * z)), method="weibull")
    return float(low), float(high)
