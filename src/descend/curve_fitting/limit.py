"""The limit of SciPy's ``maxfev`` and ``max_nfev`` on how often the function is evaluated."""

from __future__ import annotations

from collections.abc import Callable

from descend.curve_fitting.scipy_arguments import Arguments
from descend.descent.step import Step
from descend.problem.problem import Problem


def evaluations(problem: Problem) -> int:
    """Return how often the function was called, or its formula was evaluated in all rows."""
    return problem.model.calls or round(problem.objective.passes)


def limited(arguments: Arguments, problem: Problem) -> Callable[[Step], None] | None:
    """Return a reader of steps that ends a run beyond the limit; None if there is none."""
    limit = arguments.limit
    if limit is None:
        return None

    def read(step: Step) -> None:
        if step.outcome is None and evaluations(problem) >= limit:
            raise StopIteration

    return read


def interruption(arguments: Arguments, problem: Problem) -> BaseException:
    """Return the error for a run that was interrupted: by its limit, or by Ctrl-C."""
    if arguments.limit is None or evaluations(problem) < arguments.limit:
        return KeyboardInterrupt()
    return RuntimeError(
        f"Optimal parameters not found: Number of calls to function has reached maxfev = {arguments.limit}."
    )
