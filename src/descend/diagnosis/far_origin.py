"""Far origin: a column so far from 0, compared with its spread, that its origin decides how a descent goes."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from descend.descent.outcome import Outcome
from descend.diagnosis.case import Array, Case
from descend.diagnosis.cause import Cause, Diagnosis, Evidence
from descend.engines.numpy_engine import NumpyEngine
from descend.gradients.derived import derived
from descend.models import SymbolicModel
from descend.problem.objective import objective_over
from descend.starts.search import search
from descend.starts.trial_points import descended

FAR = 5.0
"""How many times its range the values of a column must be away from 0."""
LOWER = 1e-3
"""Share of the loss by which another origin must lower it."""
SAME = 1e-12
"""Predictions whose squared difference is below this share of their squares count as equal."""
EPOCHS = 200
ROWS, SHIFT = 24, 0.37
"""Rows, and shift of the origin, of the small table on which a formula is tested for absorbing another origin."""


def far_origin(case: Case) -> Diagnosis | None:
    """Say so if the same formula, with a column counted from near its values, reaches a lower J from its own start."""
    model = case.model.symbolic
    if model is None or model.linear or case.objective.bounds is not None:
        return None
    if case.plan.epochs_given and case.outcome is not Outcome.STALLED:
        return None
    origins = {name: low for name in model.inputs if (low := _far(case.columns[name])) and takes_up(model, name)}
    if not origins:
        return None
    shifted = {name: case.columns[name] - low for name, low in origins.items()}
    lower = _reached(case, model, shifted)
    end = float(case.at_hand(case.last, 0).loss)
    if not lower < end - LOWER * abs(end):
        return None
    name, low = next(iter(origins.items()))
    values = case.columns[name]
    evidence: Evidence = {
        "column": name,
        "min": float(values.min()),
        "max": float(values.max()),
        "origin": low,
        "loss": end,
        "loss_reachable": lower,
    }
    instead = " and ".join(f"`({each} - {number:.15g})` for `{each}`" for each, number in origins.items())
    sentence = (
        f"`{name}` lies between {values.min():.15g} and {values.max():.15g}, far from 0 beside its range of "
        f"{np.ptp(values):.4g}: the loss is {end:.4g}, and {lower:.4g} where `{name}` is counted from {low:.15g}."
    )
    they = f"`{name}`" if len(origins) == 1 else "these columns"
    advice = (
        f"Move the origin of {they}: write {instead} in the formula. It is the same curve, with parameters of a size "
        "that numbers can have."
    )
    return Diagnosis(Cause.FAR_ORIGIN, evidence, sentence, advice)


def _far(values: Array) -> float | None:
    """Return the value of a column that is nearest to 0 if it is far from there; rounded, as an origin is written."""
    low, high = float(values.min()), float(values.max())
    nearest, extent = min(low, high, key=abs), high - low
    if not (extent > 0.0 and low * high > 0.0 and abs(nearest) > FAR * extent):
        return None
    unit = 10.0 ** math.floor(math.log10(extent))
    rounded = math.floor(nearest / unit) * unit if low > 0.0 else math.ceil(nearest / unit) * unit
    return float(f"{rounded:.15g}")


def takes_up(model: SymbolicModel, name: str) -> bool:
    """Whether another origin of a column gives the same curves with other parameters, as in exp(-b*x) but not x^b.

    Tested on a small table: the formula in x is fitted to curves in x - 0.37.
    """
    from scipy import optimize

    random = np.random.default_rng(0)
    columns = {each: random.uniform(0.5, 3.0, ROWS) for each in model.inputs}
    theta = random.uniform(0.6, 1.4, model.parameters.size)
    with np.errstate(all="ignore"):
        shifted_prediction = model.predict(theta, {**columns, name: columns[name] - SHIFT})
        if not np.isfinite(shifted_prediction).all():
            return False

        def residuals(there: Array) -> Array:
            return np.nan_to_num(model.predict(there, columns) - shifted_prediction, nan=1e9, posinf=1e9, neginf=-1e9)

        refitted = optimize.least_squares(residuals, theta, xtol=1e-15, ftol=1e-15, gtol=1e-15)
    return bool(2.0 * refitted.cost <= SAME * float(shifted_prediction @ shifted_prediction))


def _reached(case: Case, model: SymbolicModel, shifted: Mapping[str, Array]) -> float:
    """Return the J that a descent reaches in the shifted columns, from a start that is searched for."""
    rows = case.problem.rows.replaced(shifted)
    program = derived(model.formula, model.loss)
    searched_start = search(program, rows, model.parameters.start({}, 1.0), (), True)
    if searched_start is None:
        return math.inf
    objective_of_case = case.problem.objective
    objective = objective_of_case.with_priors_of(objective_over(NumpyEngine(program, rows), objective_of_case.penalty))
    loss, _ = descended(objective, searched_start.theta, EPOCHS)
    return loss
