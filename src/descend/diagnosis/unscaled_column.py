"""Unscaled column: one column far beyond the others in size, so that no rate suits all parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from descend.diagnosis.case import Array, Case
from descend.diagnosis.cause import Cause, Diagnosis, Evidence
from descend.diagnosis.progress import Progress, counted, losses, went_well
from descend.optimizers.curvature import matrix_of
from descend.problem.point import Objective
from descend.problem.standardized import column_moments, entering, standardized
from descend.wording import spell

BEYOND = 10.0
"""How many times larger or smaller than the others a column must be."""
MILD = 30.0
"""Up to this ratio of sizes, a smaller rate is as good a remedy as another scale."""
GAIN = 100.0
"""How many times better the condition must be in standardised columns."""


@dataclass(frozen=True)
class Scales:
    """The column that is to blame: its size, that of the others, and what standardising all of them gains."""

    column: str
    size: float
    others: float
    before: float
    after: float
    objective: Objective

    @property
    def ratio(self) -> float:
        return self.size / self.others


def unscaled_column(case: Case) -> Diagnosis | None:
    """Say so if one column is far larger than the others, and in standardised columns the same run goes well."""
    if case.optimizer.recurrence is None:
        return None
    scales = scales_of(case)
    if scales is None or (case.diverged and scales.ratio < 1.0):
        return None
    helped = _stable(case, scales) if case.diverged else _in_time(case, scales)
    if not helped or (scales.ratio < MILD and _smaller_rate_serves(case)):
        return None
    evidence: Evidence = {
        "column": scales.column,
        "size": scales.size,
        "size_of_others": scales.others,
        "condition": scales.before,
        "condition_standardized": scales.after,
        "learning_rate": case.rate,
        "epochs": case.epochs,
    }
    limit = case.stable_rate
    if limit is not None:
        evidence["largest_stable_rate"] = limit
    size = "larger" if scales.ratio > 1.0 else "smaller"
    times = scales.ratio if scales.ratio > 1.0 else 1.0 / scales.ratio
    sentence = (
        f"`{scales.column}` has values around {scales.size:.3g}, {times:.3g} times {size} than what the other "
        f"parameters multiply: the condition of J is {scales.before:.3g}, and {scales.after:.3g} in standardised "
        "columns"
    )
    if case.beyond and limit is not None:
        sentence += f"; the rate {case.rate:g} is {case.rate / limit:.3g} times the largest stable one"
    standardize = (
        spell("standardize", True)
        if not case.model.in_place
        else "subtract its mean and divide by its standard deviation"
    )
    advice = f"Standardise `{scales.column}` ({standardize}), and the same learning rate serves."
    if not case.diverged:
        advice = f"Standardise `{scales.column}` ({standardize}): then {counted(case.epochs)} will do."
    if case.beyond and limit is not None:
        advice += f" As it is, the largest stable rate at the start is {limit:.3g}."
    return Diagnosis(Cause.UNSCALED_COLUMN, evidence, sentence + ".", advice)


def scales_of(case: Case) -> Scales | None:
    """Find the column that stands out, and compare the condition of J with that in standardised columns."""
    if case.objective.units is not None:
        return None
    sizes, moments = _sizes(case)
    if len(sizes) < 2:
        return None
    logs = {name: abs(np.log(size / _others(sizes, name))) for name, size in sizes.items() if name and size > 0.0}
    if not logs:
        return None
    name = max(logs, key=lambda each: float(logs[each]))
    size, sizes_of_others = sizes[name], _others(sizes, name)
    if max(size / sizes_of_others, sizes_of_others / size) < BEYOND:
        return None
    rescaled = standard(case)
    if rescaled is None:
        return None
    if moments is not None and rescaled.units is not None:
        before, after = _of_matrix(moments), _of_matrix(np.asarray(rescaled.units.curvature(moments)))
    else:
        before, after = _condition(case, case.objective), _condition(case, rescaled)
    if before is None or after is None or before < GAIN * after:
        return None
    return Scales(name, size, sizes_of_others, before, after, rescaled)


def _others(sizes: dict[str, float], name: str) -> float:
    return float(np.median([size for other_column, size in sizes.items() if other_column != name])) or 1.0


def _sizes(case: Case) -> tuple[dict[str, float], Array | None]:
    """Return the size of the column each parameter multiplies ('' for the intercept), and the columns' moments.

    For a nonlinear model or one without a formula: the root mean square of each input, beside a 1, and no moments.
    """
    model = case.model
    if model.formula is not None and model.linear and case.objective.bounds is None:
        moments = column_moments(case.problem, case.beginning.first)
        texts, _ = entering(model)
        roots = np.sqrt(moments.diagonal())
        return dict(zip(texts, roots.tolist(), strict=True)), matrix_of(moments)
    responses = set(model.response_columns) or {model.response}
    inputs = {name: values for name, values in case.columns.items() if name not in responses}
    sizes = {name: float(np.sqrt(np.mean(np.square(values)))) for name, values in inputs.items()}
    if case.start.size > len(sizes):
        sizes[""] = 1.0
    return sizes, None


def standard(case: Case) -> Objective | None:
    """Return J over standardised inputs, centred unless J is then not finite, as under a logarithm."""
    model = case.model
    if model.formula is not None and model.linear and case.objective.bounds is None:
        return standardized(case.problem, case.beginning.first)[0]
    responses = set(case.model.response_columns) or {case.model.response}
    centred, scaled = {}, {}
    for name, values in case.columns.items():
        spread = float(values.std())
        if name in responses or not spread > 1e-12 * float(np.abs(values).max()):
            centred[name] = scaled[name] = values
            continue
        centred[name] = (values - values.mean()) / spread
        scaled[name] = values / float(np.sqrt(np.mean(values**2)))
    for columns in (centred, scaled):
        built = case.over(columns)
        point = built(case.start, 1)
        if np.isfinite(point.loss) and np.isfinite(point.gradient).all():
            return built
    return None


def _condition(case: Case, objective: Objective) -> float | None:
    """Return the condition of the curvature at the start; for a module, whose smallest is not known, the largest."""
    if case.model.in_place or case.start.size > 300:
        return case.largest_curvature(case.start, objective)
    curvature = matrix_of(objective(case.start, 2).curvature)
    return None if curvature is None or not np.isfinite(curvature).all() else _of_matrix(curvature)


def _of_matrix(curvature: Array) -> float | None:
    """Return the condition of a matrix, at most 1e15."""
    values = np.linalg.eigvalsh(curvature)
    return float(values[-1] / max(values[0], 1e-15 * values[-1])) if values[-1] > 0.0 else None


def _begin(column_scales: Scales) -> Array | None:
    """Return where a trial in standardised columns begins; None to begin with the same numbers as the run."""
    return None if column_scales.objective.first is None else column_scales.objective.first.theta


def _stable(case: Case, scales: Scales) -> bool:
    return went_well(case.trial(_begin(scales), objective=scales.objective, epochs=max(50, 2 * case.epochs)))


def _smaller_rate_serves(case: Case) -> bool:
    """Whether the rate was beyond the largest stable one, and half of that would have done in the same epochs."""
    limit = case.stable_rate
    if not case.beyond or limit is None or case.plan.batch_size is not None:
        return False
    steps = case.trial(rate=0.5 * limit, epochs=case.plan.epochs)
    return went_well(steps) and case.settled(steps, case.objective)


def _in_time(case: Case, column_scales: Scales) -> bool:
    """Whether the epochs that were run would have been enough in standardised columns, at this rate or one for them.

    For a run that oscillates, it is enough if it no longer does.
    """
    for rate in (case.rate, "auto"):
        steps = case.trial(_begin(column_scales), objective=column_scales.objective, rate=rate)
        if case.progress.hovers and rate == case.rate and went_well(steps) and not Progress(losses(steps)).hovers:
            return True
        if went_well(steps) and case.settled(steps, column_scales.objective):
            return True
    return False
