"""A request with priors before its descent: their bounds, where to begin, and the dispersion they are weighed by."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from descend.descent.beginning import Beginning
from descend.descent.run import run
from descend.descent.solution import Solution, solution_of
from descend.errors import ConfigError
from descend.inference.statistics import counting, dispersion_of
from descend.options.request import Request
from descend.parameters.prior_reading import bounds_of
from descend.problem.posing import pose
from descend.problem.problem import Problem
from descend.starts.choice_of_start import begin
from descend.table import Table
from descend.wording import spell

Array = NDArray[np.float64]
ROUNDS = 80
"""Estimates of the dispersion, at most."""
SETTLED = 1e-13
"""Relative change of the dispersion at which its estimate has settled."""
LEAST = 1e-24
"""Share of the mean square of the response below which a dispersion is rounding."""
MET = 1e-10
"""The same where the rows are no more than the parameters."""
NEAR = 0.05
"""A change of the logarithm below which the next estimate is extrapolated by a line through the last two."""


def with_dispersion(request: Request, table: Table, began: float) -> Request:
    """Return a request whose priors have bounds, a start, and a dispersion: known, or estimated with the parameters.

    An unknown dispersion phi and the mode theta have to fit each other: phi = S(theta) / (n - gamma(theta, phi)), with
    S the sum of squares and gamma as in ``posterior``, and theta least in J for this phi. That is found by estimating
    the one for the other, in turns, sped up by a secant.

    Of two descents, from where the data alone lead and from where the priors have their weight, the lower one counts.

    Raises ConfigError where nothing of the data is left to tell the dispersion.
    """
    bounds_given = request.bounds
    bounds = [bounds_given] if isinstance(bounds_given, str | Mapping) else list(bounds_given or ())
    request = request.but(bounds=[*bounds, *bounds_of(request.priors)] or None)
    quiet = request.unwatched()
    problem = pose(quiet, table)
    if problem.rows.roles.scale_known or problem.model.loss.dispersion_known:
        if problem.model.linear or problem.model.log_linear:
            return request
        return _started(request, problem, _lower(_end(begin(problem, quiet), quiet, began), quiet, began))
    alone = quiet.but(priors=None)
    first = _end(begin(pose(alone, table), alone), alone, began)
    guess = dispersion_of(first)
    smallest_dispersion = LEAST * (problem.squares or 1.0)
    if guess is None or not guess > smallest_dispersion:
        guess = max(1e-4 * problem.squares, smallest_dispersion) or 1.0
    solution_here = _from(_weighed(problem, guess), first.theta)
    solution = _lower(_end(solution_here, quiet, began), quiet, began)
    solution = _settled(problem, quiet, solution, guess, smallest_dispersion, began)
    priors = solution.objective.priors
    assert priors is not None
    scatter = (
        f"residual standard deviation {math.sqrt(priors.dispersion):.6g}"
        if problem.model.loss.quadratic
        else f"dispersion {priors.dispersion:.6g}"
    )
    note = f"priors are weighed against data of a {scatter}, which is estimated together with the parameters"
    request = request.but(
        prior_dispersion=priors.dispersion, dispersion_alone=dispersion_of(first), notes=(*request.notes, note)
    )
    return _started(request, problem, solution)


def _started(request: Request, problem: Problem, solution: Solution) -> Request:
    """Return the request with a start; where the user named an optimizer, to watch its way, those given are kept."""
    start_values = problem.model.parameters.named(solution.theta)
    return request.but(start=start_values if request.polish else {**start_values, **(request.start or {})})


def _settled(
    problem: Problem, quiet: Request, solution: Solution, tried: float, smallest_dispersion: float, began: float
) -> Solution:
    """Return the solution at the dispersion that it is estimated to have itself."""
    before: tuple[float, float] | None = None
    for _ in range(ROUNDS):
        estimate = dispersion_of(solution)
        few = counting(solution) <= solution.theta.size
        # So few rows can be met exactly, where the size of the errors that is told falls towards nothing.
        if estimate is None or (few and not estimate > MET * problem.squares):
            raise ConfigError(
                f"{counting(solution):,} rows leave nothing beside {solution.theta.size:,} parameters to tell the size "
                f"of the errors, against which priors are weighed. Give {spell('sigma')}, or more rows."
            )
        if not estimate > smallest_dispersion:
            return _end(_from(_weighed(problem, smallest_dispersion), solution.theta), quiet, began)
        change = math.log(estimate / tried)
        if abs(change) <= SETTLED:
            return solution
        ahead = change
        if before is not None and abs(change) < NEAR and change != before[1]:
            secant = -change * (math.log(tried) - before[0]) / (change - before[1])
            ahead = secant if abs(secant) <= 10.0 * abs(change) else change
        before, tried = (math.log(tried), change), tried * math.exp(ahead)
        solution = _end(_from(_weighed(problem, tried), solution.theta), quiet, began)
    return solution


def _weighed(problem: Problem, dispersion: float) -> Problem:
    """Return the same problem with priors weighed for another dispersion."""
    return replace(problem, objective=problem.objective.at_dispersion(dispersion))


def _from(problem: Problem, theta: Array) -> Beginning:
    bounds = problem.objective.bounds
    theta_within = theta if bounds is None else np.where(bounds.contains(theta), theta, bounds.interior(theta))
    return Beginning(problem, problem.objective(theta_within, 2), ())


def _end(beginning: Beginning, request: Request, began: float) -> Solution:
    return solution_of(run(beginning, request), request, began)


def _lower(solution: Solution, quiet: Request, began: float) -> Solution:
    """Return the lower of a solution and of where the priors lead as a start, unless there is but one minimum."""
    priors = solution.objective.priors
    assert priors is not None
    if solution.model.linear and priors.priors.bell:
        return solution
    start = _from(solution.problem, priors.priors.start(solution.theta))
    if not math.isfinite(start.first.loss):
        return solution
    other_solution = _end(start, quiet, began)
    return other_solution if other_solution.loss < solution.loss or not math.isfinite(solution.loss) else solution
