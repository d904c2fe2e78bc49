"""J with all second derivatives as its curvature, for descents that these lead to the minimum in fewer steps."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import lru_cache

from sympy import Expr, cancel

from descend.engines.numpy_engine import NumpyEngine
from descend.gradients.derived import Program, as_program
from descend.losses import Loss
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE
from descend.problem.objective import VectorObjective, objective_over
from descend.problem.point import Point
from descend.problem.problem import Problem


def newton_objective(problem: Problem, first: Point) -> VectorObjective | None:
    """Return J with its own curvature, where that is another than the one of inference and never negative; else None.

    It takes ``first`` for what is known at the start, with the curvature there.
    """
    objective, code = problem.objective, as_program(problem.code)
    if code is None or code.by_hand is not None or not isinstance(objective.engine, NumpyEngine):
        return None
    if not problem.model.log_linear or problem.all_rows is not None or problem.model.loss.own_parameters:
        return None
    if objective.bounds is not None or objective.priors is not None or objective.kinks is not None or objective.arrow:
        return None
    program = with_second_derivatives(code)
    if program is None:
        return None
    row_objective = objective_over(NumpyEngine(program, objective.engine.rows), objective.penalty)
    row_objective.floor, row_objective.edge = objective.floor, objective.edge
    row_objective.noted(first)
    return row_objective


@lru_cache(maxsize=32)
def with_second_derivatives(program: Program) -> Program | None:
    """Return a program whose curvature is the matrix of second derivatives of J; None where it has that already.

    Of a prediction m = exp(s), s linear in the parameters, d2l/ds2 = m**2 l'' + m l', so that the weight of a row, the
    factor of (dm/dtheta)(dm/dtheta)', is

        l'' + l' / m

    where the usual one is the Fisher information, which a descent that goes by it approaches its minimum the slower
    the fewer rows there are for each parameter. Both are the same for counts.
    """
    value, slope, weight = program.loss.expressions
    first = slope.xreplace({RESIDUAL: PREDICTION - RESPONSE})
    exact = cancel(first.diff(PREDICTION) + first / PREDICTION)
    if cancel(exact - weight.xreplace({RESIDUAL: PREDICTION - RESPONSE})) == 0:
        return None
    return replace(program, loss=_weighed_by(program.loss, (value, slope, exact)))


def _weighed_by(loss: Loss, expressions: tuple[Expr, Expr, Expr]) -> Loss:
    loss_weighed = copy.copy(loss)
    loss_weighed.__dict__["expressions"] = expressions
    return loss_weighed
