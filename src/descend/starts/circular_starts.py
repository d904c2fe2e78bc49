"""Where the fit of directions begins: residuals repeat after a full turn, so that J has a minimum for each turn."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from descend.formula.symbols import Parameter
from descend.gradients.derived import Program, as_program
from descend.models import SymbolicModel
from descend.problem.problem import Problem
from descend.starts.search import Start, sample
from descend.starts.trial_points import descended, trials

Array = NDArray[np.float64]
ROWS = 512
"""Rows on which points are judged."""
FINE = 6
"""Slopes that are tried for each one more turn over all rows."""
MOST_SCANNED = 20
"""Slopes, components of vectors among them, that are tried at most: of more, each has too few of the rows."""
DESCENTS, EPOCHS = 6, 40
"""How many of the best points descend, and how far."""
MORE = 3.0
"""By how much n R**2 of the best points has to be above that of the usual start, besides what chance gives."""


def turned(problem: Problem, usual: Start | None, held: Collection[str]) -> Start | None:
    """Return a start whose residuals lie together better than those of the usual one; that itself if there is none.

    How closely residuals r lie together, wherever, is R = |mean of exp(i r)|; what is merely added to every prediction
    is then the direction of that mean. A parameter in which the formula is linear, or a component of a vector, is tried
    at slopes from one turn over all rows to the most that the rows can follow (Nyquist), one after the other; others
    are spread as in any search. Of m points without meaning the best has n R**2 of log(m) or so for each parameter that
    is tried by itself, which does not count.
    Source: Mardia & Jupp (2000), Directional Statistics, ch. 5.3 and 11.3.
    """
    model, program = problem.model.symbolic, as_program(problem.code)
    if model is None or program is None or problem.objective.bounds is not None:
        return usual
    rows = sample(problem.rows, ROWS)
    judge = _Judge(model, program, rows.columns, rows.y, held)
    begin = problem.start if usual is None else usual.theta
    end = descended(problem.objective, begin, EPOCHS)[1]
    points = [judge.best(points) for points in judge.turns(begin)] if model.linear else judge.spread(begin)
    ranked = sorted(points, key=judge.together, reverse=True)[:DESCENTS]
    if not ranked or not all(map(np.isfinite, ranked[0])):
        return usual
    ends = sorted((descended(problem.objective, point, EPOCHS) for point in ranked), key=lambda end: end[0])
    best, count = ends[0][1], rows.count
    gain = count * (judge.together(best) ** 2 - judge.together(end) ** 2)
    choices = max(len(judge.free), 1) if model.linear else 1
    if not gain > choices * math.log(max(judge.tried / choices, 1.0)) + MORE:
        return usual
    if judge.added is not None:
        best[judge.added] = math.remainder(best[judge.added], 2.0 * math.pi)
    return Start(best, f"start found among {judge.tried:,} points, as directions repeat after a full turn")


class _Judge:
    """Tells at how many points, and how closely, residuals lie together."""

    def __init__(
        self, model: SymbolicModel, program: Program, columns: Mapping[str, Array], y: Array, held: Collection[str]
    ) -> None:
        self.model, self.program, self.columns, self.y = model, program, columns, y
        self.tried = 0
        slopes, terms, slices = model.formula.jacobian, model.formula.terms, program.parameters.slices
        added = [each for each, slope in slopes.items() if isinstance(each, Parameter) and slope == 1]
        self.added = next((slices[each.name].start for each in added if each.name not in held), None)
        self.scanned = [each for each in slopes if isinstance(each, Parameter) and each.name not in held]
        names = {terms[each].vector if each in terms else each.name for each in slopes} - {*held}
        free = {theta for name in names for theta in range(slices[name].start, slices[name].stop)} - {self.added}
        self.free = sorted(free) if len(free) <= MOST_SCANNED else []

    def together(self, theta: Array) -> float:
        """Return R of the residuals; without a parameter that is merely added, their mean cosine."""
        return float(self._mean(self.model.scores(theta, self.columns)))

    def _mean(self, scores: Array) -> Array:
        with np.errstate(all="ignore"):
            mean = np.exp(1j * (self.y - scores)).mean(axis=-1)
        mean_score: Array = mean.real if self.added is None else np.abs(mean)
        return np.where(np.isfinite(mean_score), mean_score, -1.0)

    def _shifted(self, theta: Array) -> Array:
        if self.added is None:
            return theta
        trial_theta = theta.copy()
        with np.errstate(all="ignore"):
            trial_theta[self.added] += np.angle(np.exp(1j * (self.y - self.model.scores(theta, self.columns))).mean())
        return trial_theta

    def turns(self, theta: Array) -> Iterator[Array]:
        """Yield the points of each parameter in turn, the others where they were best: slopes, the gentlest first."""
        jacobian = self.model.scores_and_jacobian(theta, self.columns)[1]
        for theta_index in self.free * (2 if len(self.free) > 1 else 1):
            levels = np.unique(jacobian[:, theta_index])
            if len(levels) < 2:
                continue
            step = 2.0 * math.pi / float(levels[-1] - levels[0]) / FINE
            sizes = step * np.arange(FINE * (len(levels) - 1) // 2 + 1)
            points = np.repeat(theta[None, :], 2 * len(sizes), axis=0)
            points[:, theta_index] = np.column_stack([sizes, -sizes]).ravel()
            yield points
            theta = self.best(points)

    def best(self, points: Array) -> Array:
        """Return the best of some points of a linear formula, with what is merely added where it is best."""
        self.tried += len(points)
        score, jacobian = self.model.scores_and_jacobian(points[0], self.columns)
        judged = [float(self._mean(score + jacobian @ (point - points[0]))) for point in points]
        return self._shifted(points[int(np.argmax(judged))])

    def spread(self, theta: Array) -> list[Array]:
        """Return points over which the parameters that are not given are spread."""
        points = trials(self.program, self.columns, theta, self.scanned)
        self.tried += len(points)
        return [self._shifted(point) for point in points]
