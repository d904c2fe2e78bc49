"""Checks a gradient by hand before a fit, at one point; only a mismatch is taken to the gradient court."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.engines.numpy_engine import NumpyEngine
from descend.engines.totals import Engine
from descend.errors import ConfigError
from descend.gradients.contract import Summand
from descend.gradients.court import Finding, Judgement
from descend.gradients.derived import as_program, derived
from descend.gradients.jacobian_by_hand import JacobianKernel
from descend.models import Model
from descend.problem.point import Point
from descend.table.rows import Rows

if TYPE_CHECKING:
    from descend.gradients.court.evidence import Case

Array = NDArray[np.float64]
CLOSE = 1e-5
"""Differences above this share of the gradient's possible size are investigated; single precision stays below."""
TRIED = 6
MOST_SYMBOLS = 200
"""With more parameters, a mismatch is reported but not explained, as that would take longer than the fit."""


def before_fit(model: Model, code: Summand, rows: Rows, engine: Engine, first: Point) -> Judgement:
    """Judge a gradient by hand where a descent is about to start from ``first``.

    A text that algebra proves right costs nothing more, and the proof is kept. Otherwise the gradient is compared
    beside the start, with the derived one or, for a function, with the change of J along one direction.
    """
    proof = False
    if (program := as_program(code)) is not None:
        from descend.gradients.court.proof import proved

        proof = proved(program, thorough=False)
    if proof or agrees(model, rows, engine, first):
        return approved(model, first, proof)
    if len(model.parameters.shapes) <= MOST_SYMBOLS:
        case = court_case(model, rows, engine, first.theta, program is None)
        try:
            return judged(case, code, str(model))
        except ConfigError:
            return approved(model, first)  # there is no point at which it could be tested
    return _rejected(model, first)


def judged(case: Case, code: Summand, model: str, **witnesses: Any) -> Judgement:
    """Put a gradient before the court, or a Jacobian before that of its own.

    witnesses: further arguments of the court of gradients. Raises ConfigError where nothing can be judged.
    """
    if not isinstance(code, JacobianKernel):
        from descend.gradients.court.trial import hold

        return hold(case, model, **witnesses)
    from descend.gradients.court import jacobian

    returned = code.returned(case.start, case.columns)
    turned = returned.shape[0] != case.rows
    stepped = witnesses.get("stepped")
    return jacobian.hold(case, code.given, turned, model, **({} if stepped is None else {"stepped": stepped}))


def accusation(judgement: Judgement, sampled: int | None = None) -> str:
    """Return the note for a fit with a wrong gradient by hand; sampled: how many rows were used, if not all."""
    sample = "" if sampled is None else f" This was told from a sample of {sampled:,} rows."
    return f"the {judgement.subject} by hand of {judgement.accusation} The fit used it as it is.{sample}"


def court_case(model: Model, rows: Rows, engine: Engine, start: Array, python: bool) -> Case:
    """Return what the court needs to know of a model and of the gradient that ``engine`` sums."""
    from descend.gradients.court.evidence import Case
    from descend.gradients.court.rows import FormulaRows, FunctionRows

    judged = FunctionRows(model) if model.symbolic is None else FormulaRows(model.symbolic)

    def accused(theta: Array, chosen: NDArray[np.intp] | None) -> Array:
        totals = engine.evaluate(theta, 1, chosen)
        assert totals.gradient is not None
        return totals.gradient / totals.rows

    bounds = model.bounds

    def allowed(theta: Array) -> bool:
        return bounds is None or bool(bounds.contains(theta).all())

    return Case(judged, rows.columns, accused, start, rows.omega, allowed, python, [start] if python else [])


def agrees(model: Model, rows: Rows, engine: Engine, first: Point, truth: Engine | None = None) -> bool:
    """Compare gradients at the first point near the start where all is finite, with the sums of ``truth`` if given."""
    scales = _scales(first)
    bounds = model.bounds
    if truth is None and model.formula is not None:
        truth = NumpyEngine(derived(model.formula, model.loss), rows)
    for number in range(TRIED):
        turn = (np.arange(1, first.theta.size + 1) * 0.6180339887498949 + 0.37 * (number + 1)) % 1.0
        theta = first.theta + np.where(turn < 0.5, -1.0, 1.0) * (0.1 + turn) * 0.3 ** (number + 1) * scales
        if bounds is not None and not bounds.contains(theta).all():
            continue
        right = _sums(truth, theta) if truth is not None else None
        if truth is not None and (right is None or not np.isfinite(right).all()):
            continue
        values_of_starts = _sums(engine, theta)
        if values_of_starts is None or not np.isfinite(values_of_starts).all():
            continue
        if right is not None:
            size = np.maximum(np.abs(right), math.sqrt(abs(first.loss)) * _lengths(first))
            return bool((np.abs(values_of_starts - right) <= CLOSE * size + 1e-300).all())
        change = _change(model, rows, theta, scales * (0.5 + turn))
        if change is not None:
            along = values_of_starts * scales * (0.5 + turn)
            return abs(float(along.sum()) - change) <= CLOSE * max(abs(change), float(np.abs(along).sum()))
    return False


def _sums(engine: Engine, theta: Array) -> Array | None:
    totals = engine.evaluate(theta, 1)
    return None if totals.gradient is None else totals.gradient / totals.rows


def _change(model: Model, rows: Rows, theta: Array, direction: Array) -> float | None:
    """Return the derivative of J along a direction, by one central difference of the predictions."""
    step = 1e-4
    y = rows.y
    ahead, behind = (model.scores(theta + sign * step * direction, rows.columns) for sign in (1.0, -1.0))
    up, down = (float(np.average(model.loss.value(score, y), weights=rows.omega)) for score in (ahead, behind))
    change = (up - down) / (2.0 * step)
    return change if math.isfinite(change) else None


def _lengths(first: Point) -> Array:
    if first.curvature is None:
        return np.zeros(first.theta.size)
    lengths: Array = np.sqrt(np.maximum(np.nan_to_num(first.curvature.diagonal()), 0.0))
    return lengths


def _scales(first: Point) -> Array:
    size = np.where(first.theta != 0.0, np.abs(first.theta), 1.0)
    lengths = _lengths(first)
    scales = np.where(lengths > 0.0, math.sqrt(abs(first.loss)) / np.where(lengths > 0.0, lengths, 1.0), size)
    return np.clip(scales, 1e-3 * size, 1e3 * size)


def approved(model: Model, first: Point, proof: bool = False) -> Judgement:
    """Return the judgement of a gradient that is right."""
    text = "correct, proved." if proof else "correct."
    findings = {label: Finding(label, "correct", text) for label in model.parameters.labels}
    at = dict(zip(model.parameters.labels, first.theta.tolist(), strict=True))
    return Judgement(findings, proof, 0 if proof else 1, str(model), str(model.loss), at)


def _rejected(model: Model, first: Point) -> Judgement:
    right = approved(model, first)
    text = "it, or that of another parameter, is not the derivative."
    return replace(
        right,
        parameters={name: replace(each, verdict="wrong", explanation=text) for name, each in right.parameters.items()},
    )
