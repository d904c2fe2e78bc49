"""Plateau: the gradient has all but vanished far above what can be reached, because something is saturated."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import sympy
from sympy import Expr

from descend.descent.loop import flat
from descend.descent.outcome import Outcome
from descend.diagnosis.case import Array, Case
from descend.diagnosis.cause import Cause, Diagnosis, Evidence
from descend.formula import as_text
from descend.formula.compile import compile_expression
from descend.formula.structure import linear_unknowns
from descend.formula.symbols import Parameter, Predictor
from descend.identifiability.jumps import in_jumps, jumping
from descend.optimizers.curvature import is_finite
from descend.wording import spell, using, worded

if TYPE_CHECKING:
    from descend.diagnosis.operations import Operation

VANISHED = 1e-3
"""Derivative of a function such as sigmoid or tanh, as a share of its largest, below which a row is saturated."""
SATURATED = 0.8
"""Share of the rows that must be saturated."""
MUCH_LOWER = 0.8
"""A loss below this share of the one reached shows that the run did not end at the minimum."""
NO_INFLUENCE = 1e-6
"""Share of J by which doubling a parameter may change it and still have no influence."""
DEAD = 0.95
"""Share of the outputs of a layer of a module that must have no derivative."""
UNEXPLAINED = 0.8
"""Share of the loss of the best constant above which a module explains nothing."""
WATCHED = 2048
STILL = 0.02
"""If the second half of a run lowers the loss by less than this share, it has made no progress."""


def plateau(case: Case) -> Diagnosis | None:
    """Look for what is saturated where a run came to rest."""
    if case.diverged or (case.epochs < 1 and case.outcome is not Outcome.STALLED):
        return None
    if case.model.in_place:
        return _of_module(case)
    if case.model.linear or not _at_rest(case):
        return None
    level = flat(case.end, case.plan.scales) or case.outcome is Outcome.STALLED
    idle = _without_influence(case)
    saturated = _saturated(case)
    if not (level or idle or saturated):
        return None
    reached, lower = case.end.loss, _lower(case)
    if not lower <= MUCH_LOWER * reached and not (level and (idle or flat(case.end, case.plan.scales))):
        return None
    from descend.diagnosis.rate_too_large import thrown_to_rest

    thrown = thrown_to_rest(case, MUCH_LOWER * reached)
    if thrown is not None:
        return thrown
    evidence: Evidence = {
        "loss": reached,
        "loss_reachable": lower if lower < reached else None,
        "gradient_norm": float(case.end.norm),
        "without_influence": idle,
    }
    words = []
    if saturated is not None:
        curve, share = saturated
        evidence |= {"expression": curve, "share_of_rows_saturated": share}
        words.append(f"`{curve}` is saturated in {100.0 * share:.3g}% of the rows")
    elif idle:
        influence = "no influence at the start" if case.first.norm == 0.0 else "lost all influence"
        words.append(f"{' and '.join(idle)} {'have' if len(idle) > 1 else 'has'} {influence}")
    words.append(f"the gradient is {case.end.norm:.3g} where the loss is {reached:.4g}")
    if lower < MUCH_LOWER * reached:
        words.append(f"{lower:.4g} is reached from another start")
    advice = _advice(case, saturated, idle)
    return Diagnosis(Cause.PLATEAU, evidence, ", ".join(words) + ".", advice)


def _advice(case: Case, saturated: tuple[str, float] | None, idle: list[str]) -> str:
    restart = f"give starting values{using('start')}"
    if case.problem.given:
        searched = case.model.formula is not None
        restart = "try other starting values"
        if searched:
            restart += worded("searching", f", or leave {spell('start')} out to have some searched for")
    if saturated is not None:
        curve, share = saturated
        return (
            f"The descent is on a plateau, for `{curve}` hardly changes any more in {100.0 * share:.3g}% of the "
            f"rows: start its parameters where it does; {restart}."
        )
    if idle and (jumps := jumping(case.model, case.objective, case.last, idle)):
        return f"The descent is on a plateau: {in_jumps(jumps)}"
    if idle:
        return (
            f"The descent is on a plateau: start where {' and '.join(idle)} still matter{'s' * (len(idle) == 1)}; "
            + (f"{restart}.")
        )
    return f"The descent is on a plateau: {restart}."


def _at_rest(case: Case) -> bool:
    if case.outcome is Outcome.STALLED:
        return not case.progress.hovers
    level = case.progress.level
    return case.progress.at(0.5) - level <= STILL * abs(level) and not case.progress.hovers


def _without_influence(case: Case) -> list[str]:
    """Return the nonlinear parameters that could be doubled with hardly an effect on J."""
    curvature = case.end.curvature
    if curvature is None or not is_finite(curvature):
        return []
    reach = np.maximum(np.abs(case.last), 1.0)
    idle = curvature.diagonal() * reach**2 <= NO_INFLUENCE * abs(case.end.loss)
    labels = case.model.parameters.labels
    return [labels[k] for k in np.flatnonzero(idle & _nonlinear(case))]


def _nonlinear(case: Case) -> Array:
    model = case.model
    mask = np.ones(case.last.size, dtype=bool)
    if model.formula is not None:
        for symbol in linear_unknowns(model.formula):
            name = model.formula.terms[symbol].vector if isinstance(symbol, Predictor) else symbol.name
            mask[model.parameters.slices[name]] = False
    return mask


def _saturated(case: Case) -> tuple[str, float] | None:
    """Return the part of the formula whose derivative has vanished in most rows, and in which share of them."""
    model = case.model.symbolic
    if model is None:
        return None
    theta, columns, count = case.in_units(case.last), case.problem.columns, case.rows
    values = model.values(theta, columns)
    symbols = tuple(values)
    best: tuple[str, float] | None = None
    for node in _saturable(model.prediction):
        argument_of_node = compile_expression(node.args[0], symbols)(*values.values())
        argument_of_node = np.broadcast_to(np.asarray(argument_of_node, dtype=np.float64), (count,))
        slope, largest = _slope(node, argument_of_node)
        share = float((np.abs(slope) < VANISHED * largest).mean())
        if share >= SATURATED and (best is None or share > best[1]):
            best = as_text(node), share
    return best


def _saturable(expression: Expr) -> Iterator[Expr]:
    for node in sympy.preorder_traversal(expression):
        if isinstance(node, sympy.Function) and len(node.args) == 1 and node.atoms(Parameter, Predictor):
            yield node


def _slope(node: Expr, argument: Array) -> tuple[Array, float]:
    """Return the derivative of a function at each row, and its largest for arguments that are not extreme."""
    symbol = sympy.Dummy("z")
    function = compile_expression(node.func(symbol), (symbol,))

    def slope(at: Array) -> Array:
        step = 1e-6 * np.maximum(np.abs(at), 1.0)
        return np.asarray((function(at + step) - function(at - step)) / (2.0 * step))

    usual = slope(np.linspace(-3.0, 0.0, 61))
    return slope(argument), float(np.abs(usual[np.isfinite(usual)]).max(initial=0.0))


def _lower(case: Case) -> float:
    """Return the lowest J that a search from elsewhere finds."""
    model, problem = case.model, case.problem
    if model.formula is not None:
        from descend.starts.basins import search_anew

        lower_start = search_anew(problem)
        return math.inf if lower_start is None else float(problem.objective(lower_start.theta, 0).loss)
    starts = [share * theta for theta in (case.start, case.last) for share in (0.1, 0.01, -0.1)]
    starts += [np.full(case.last.size, value) for value in (0.1, 1.0, -0.1)]
    single = np.eye(case.last.size, dtype=bool)
    starts += [np.where(lone_row, share * case.last, case.last) for lone_row in single for share in (0.1, 0.01, -1.0)]
    return min((case.lowest(np.asarray(theta), case.objective) for theta in starts), default=math.inf)


def _of_module(case: Case) -> Diagnosis | None:
    """Look for layers whose derivative vanishes: relu at 0 in every row, or saturated sigmoid or tanh."""
    level = case.progress.level
    constant = best_constant(case)
    if not level >= UNEXPLAINED * constant:
        return None
    from descend.diagnosis.operations import watched_torch

    flat = case.objective
    module, inputs = flat.module, flat.inputs[:WATCHED]
    try:
        with flat.standing_at(case.last):
            operations = watched_torch(lambda: module(inputs), module)
    except Exception:  # a module that cannot be watched is not looked into
        return None
    layers = [(operation, _dead(operation)) for operation in operations]
    dead_layers = [(operation, share) for operation, share in layers if share is not None and share >= DEAD]
    if not dead_layers:
        return None
    operation, share = dead_layers[0]
    layer = f"{operation.name} in {operation.layer or type(module).__name__}"
    evidence: Evidence = {
        "layer": layer,
        "share_without_derivative": share,
        "loss": level,
        "loss_of_best_constant": constant,
        "gradient_norm": float(case.objective(case.last, 1).norm),
    }
    death = "dead" if operation.name.startswith("relu") else "saturated"
    sentence = (
        f"{100.0 * share:.3g}% of what {layer} returns has no derivative ({death}), so nothing before it can learn: "
        f"the loss is {level:.4g}, that of the best constant {constant:.4g}."
    )
    advice = "Start from smaller weights, scale the inputs to about 1, or use a smaller rate; leaky_relu never dies."
    return Diagnosis(Cause.PLATEAU, evidence, sentence, advice)


def _dead(operation: Operation) -> float | None:
    output = operation.output
    if output.size == 0:
        return None
    if operation.name in ("relu", "relu6", "threshold", "clamp_min"):
        return float((output <= 0.0).mean())
    if operation.name == "sigmoid":
        return float((np.minimum(output, 1.0 - output) < VANISHED / 4.0).mean())
    if operation.name in ("tanh", "softsign", "hardtanh"):
        return float((1.0 - output**2 < VANISHED).mean())
    return None


def best_constant(case: Case) -> float:
    """Return approximately the lowest J of a model that predicts the same number in every row."""
    loss = case.model.loss
    y = case.columns[case.model.response]
    levels = [float(y.mean()), *np.quantile(y, (0.1, 0.25, 0.5, 0.75, 0.9)).tolist()]
    if loss.link is not None:
        share = min(max(float(y.mean()), 1e-6), 1.0 - 1e-6)
        levels = [math.log(share / (1.0 - share))]
    means = [float(np.mean(loss.value(np.full(len(y), level), y))) for level in levels]
    return min((value for value in means if math.isfinite(value)), default=math.inf)
