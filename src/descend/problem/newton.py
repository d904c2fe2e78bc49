"""J with all second derivatives as its curvature, for descents that these lead to the minimum in fewer steps."""

from __future__ import annotations

from descend.engines.numpy_engine import NumpyEngine
from descend.gradients.derived import Program
from descend.problem.objective import VectorObjective, objective_over
from descend.problem.point import Point
from descend.problem.problem import Problem


def newton_objective(problem: Problem, first: Point) -> VectorObjective | None:
    """Return J with its own curvature, where that is another than the one of inference and never negative; else None.

    It takes ``first`` for what is known at the start, with the curvature there.
    """
    objective, code = problem.objective, problem.code
    usual = isinstance(code, Program) and code.by_hand is None and isinstance(objective.engine, NumpyEngine)
    if not usual or not problem.model.log_linear or problem.all_rows is not None or problem.model.loss.own_parameters:
        return None
    if objective.bounds is not None or objective.priors is not None or objective.kinks is not None or objective.arrow:
        return None
    from descend.gradients.by_second_derivatives import with_second_derivatives

    assert isinstance(code, Program)
    program = with_second_derivatives(code)
    if program is None:
        return None
    row_objective = objective_over(NumpyEngine(program, objective.engine.rows), objective.penalty)
    row_objective.floor, row_objective.edge = objective.floor, objective.edge
    row_objective.noted(first)
    return row_objective
