"""The sides of all profiles of a fit, compared: what was found on one side may be a better start on another."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from descend.descent.solution import Solution
from descend.errors import ConfigError
from descend.formula.structure import interchangeable, linear_unknowns
from descend.inference.accuracy.digits import errors_hold
from descend.inference.covariance.inverse_curvature import Covariance
from descend.inference.determined import at_bound, free_to_move
from descend.inference.profile.path import End, Path, Why
from descend.inference.profile.point import LOWER, ProfilePoint, Side, fitted, is_lower
from descend.inference.refit import newton_step, well_conditioned
from descend.inference.scored_rows import row_weights
from descend.inference.statistics import dispersion_of, error_degrees, total_weight
from descend.optimizers.curvature import part_of

Array = NDArray[np.float64]
TRIED, TRIED_OF_LIKE = 1, 3
"""How many other starts, those of least loss, are tried at a point; the second number if the model has like terms."""
EXTREME = (-64.0, -4.0, 4.0, 64.0)
"""Values at which ``_extremes`` puts a parameter, in units of the smallest parameter inside a term."""
UNLIKELY = 6.0
"""|tau| from which on a path followed to exchange like terms goes no further."""
ROUNDING = 64.0 * float(np.finfo(np.float64).eps)
"""Size of residuals, as a share of the response, that may come from rounding alone."""
NO_WIDTH = 4.0 * float(np.finfo(np.float64).eps)
"""A standard error below this share of the estimate is nothing but rounding: the fit is perfect."""


class Sides:
    """Both sides of the profiles of some parameters, as far as they were followed.

    covariance: (p, p), see ``generalized_covariance``. original: the solution in its own parameters, if these are
    others: it says which may move, and how J is related to tau.
    """

    def __init__(
        self,
        solution: Solution,
        covariance: Covariance,
        components: Iterable[int],
        original: Solution | None = None,
    ) -> None:
        original = original or solution
        self.solution, self.model, self.covariance = solution, solution.model, covariance
        self.objective, self.bounds = solution.objective, solution.objective.bounds
        self.best, self.free, self.factor = self.objective(solution.theta, 2), free_to_move(original), _factor(original)
        self.lean = well_conditioned(self.best, self.free)
        self.exact = solution.loss <= _rounding(solution)
        self.convex = solution.model.linear or solution.model.log_linear
        self.paths = {component: [Path(side) for side in self._sides(component)] for component in components}
        self.likely: list[Array] = []
        self._alone: dict[Side, Path] = {}
        if not (self.convex or self.exact):
            self._hold_against_each_other()

    def of(self, component: int, reach: float) -> list[tuple[float, Why]]:
        """Return the lower and upper end of a parameter, where |tau| is ``reach``, each with why it is there."""
        ends_of_sides = []
        for path in self.paths[component]:
            side, end = path.side, self._end(path, reach)
            # An open end is at the bound, which is infinite if there is none.
            at = side.value(end.distance) if end.distance < side.room else self._edge(component, side.error)
            ends_of_sides.append((at if side.room else float(self.solution.theta[component]), end.why))
        return ends_of_sides

    def _end(self, path: Path, reach: float) -> End:
        if self.exact and path.side.room:  # J has no digits left to profile
            return End(min(reach, path.side.room), path.points[0], Why.REACHED)
        end = path.end(reach, self._better)
        for point in path.points:
            self._refuse_better(path.side, point)
        return end

    def _hold_against_each_other(self) -> None:
        """Follow each side to its first point; these points then serve as starts for fitting the others elsewhere."""
        paths = [path for both in self.paths.values() for path in both if path.why is None]
        for path in paths:
            path.go_on()
            self._refuse_better(path.side, path.points[-1])
        size = self.best.theta.size
        likely = [path.points[-1].theta for path in paths]
        likely += [np.where(np.arange(size) == component, 0.0, self.best.theta) for component in self._factors]
        self.likely = [*likely, *(theta[exchange] for theta in likely for exchange in self._exchanges)]
        for path in paths:
            path.settle(self._better)

    def _edge(self, component: int, error: float) -> float:
        if self.bounds is None:
            return math.copysign(math.inf, error)
        return float((self.bounds.low if error < 0.0 else self.bounds.high)[component])

    def _sides(self, component: int) -> Iterator[Side]:
        best, error = float(self.solution.theta[component]), math.sqrt(self.covariance.diagonal()[component])
        unit = np.zeros(self.solution.theta.size)
        unit[component] = 1.0
        tangent = self.covariance @ unit / error if error else unit * 0.0
        if (
            not error
            and self.model.parameters.labels[component] in at_bound(self.solution)
            and self.best.curvature is not None
        ):
            error = 1.0 / math.sqrt(0.5 * self.factor * float(self.best.curvature.diagonal()[component]))
        free = self.free.copy()
        free[component] = False
        for sign in (-1.0, 1.0):
            # Of a perfect fit, any other value is infinitely less likely.
            perfect = error <= NO_WIDTH * abs(best)
            room = 0.0 if perfect else abs(self._edge(component, sign) - best) / error
            yield Side(
                self.objective, self.best, component, sign * error, free, sign * tangent, self.factor, room, self.lean
            )

    def _refuse_better(self, side: Side, point: ProfilePoint) -> None:
        """Raise an error if this point is a better fit than the optimum."""
        if point.rise >= -LOWER:
            return
        parameters, label = self.model.parameters, self.model.parameters.labels[side.component]
        short = "" if errors_hold(self.solution) else ", for this run stopped before it"
        loss = self.solution.loss + point.rise / self.factor
        raise ConfigError(
            f"There is a better fit{short}: with `{label}` at {side.value(point.distance):.6g} "
            f"the loss is {loss:.9g}, below {self.solution.loss:.9g}. Fit again from there: "
            f"{parameters.mentioned(point.theta, most=20)}."
        )

    def _better(self, side: Side, point: ProfilePoint) -> ProfilePoint | None:
        """Fit the others again at a point, from other starts; None unless that is better."""
        for start in self._other_starts(side, point):
            better_point = fitted(side, point.distance, start, patient=False)
            if better_point is not None and is_lower(better_point, point):
                self._refuse_better(side, better_point)
                return better_point
        return None

    def _other_starts(self, side: Side, at: ProfilePoint) -> Iterator[Array]:
        """Yield starts from which the others may fit better at a point than where this side has led.

        With like terms, first those that the partner in the other term has at this value, with the terms exchanged, and
        those that the side would have without refits from other starts. Then the starts of least J among the first
        points of all sides and the optimum without one term, all these also with terms exchanged, and the extremes.
        """
        value = side.value(at.distance)
        for exchange in self._exchanges:
            partner = int(exchange[side.component])
            if partner != side.component and partner in self.paths:
                yield self._alone_at(partner, value)[exchange]
        if self._exchanges:
            yield self._alone_at(side.component, value)
        starts = [*self.likely, *(self._with_factors(side, at.distance, extreme) for extreme in self._extremes)]
        losses = np.array([self.objective(side.start(start, at.distance), 0).loss for start in starts])
        order = np.argsort(np.where(np.isfinite(losses), losses, math.inf))
        yield from (starts[number] for number in order[: TRIED_OF_LIKE if self._exchanges else TRIED])

    def _with_factors(self, side: Side, distance: float, start: Array) -> Array:
        """Return the start with the parameter held and the factors of the terms fitted to it, in one step."""
        point = self.objective(side.start(start, distance), 2)
        moving = np.zeros(side.free.size, dtype=bool)
        moving[[component for component in self._factors if side.free[component]]] = True
        moving_places = np.flatnonzero(moving)
        theta = point.theta.copy()
        if moving_places.size and point.curvature is not None:
            theta[moving_places] += newton_step(part_of(point.curvature, moving), point.gradient[moving_places])
        return theta

    @cached_property
    def _extremes(self) -> list[Array]:
        """The optimum with one parameter inside a term moved far away, at most until the term acts on only one row.

        Only for models with like terms: one of these fits alone nearly what they fit together.
        """
        free_inside = [component for component in np.flatnonzero(self.free).tolist() if component not in self._factors]
        size = float(np.abs(self.best.theta[free_inside]).min()) if free_inside and self._exchanges else 0.0
        extremes = []
        for component, share in itertools.product(free_inside, EXTREME) if size else ():
            theta = self.best.theta.copy()
            theta[component] = share * size
            extremes.append(theta)
        return extremes

    def _alone_at(self, component: int, value: float) -> Array:
        """Return all parameters where this one has a value, or as near to it as its path leads without refits."""
        upper = int(value > self.best.theta[component])
        side = self.paths[component][upper].side
        path = self._alone.setdefault(side, Path(side))
        distance = (value - float(self.best.theta[component])) / side.error
        while path.points[-1].distance < distance and path.why is None and path.points[-1].tau < UNLIKELY:
            path.go_on()
        near = min(path.points, key=lambda each: abs(each.distance - distance))
        return near.theta + (distance - near.distance) * near.tangent

    @cached_property
    def _factors(self) -> list[int]:
        """Indices of the parameters that are factors of a term: at zero, the term vanishes whatever else is in it."""
        if self.model.formula is None:
            return []
        names, slices = (symbol.name for symbol in linear_unknowns(self.model.formula)), self.model.parameters.slices
        size = self.solution.theta.size
        return sorted(component for name in names if name in slices for component in range(size)[slices[name]])

    @cached_property
    def _exchanges(self) -> list[NDArray[np.intp]]:
        """The permutations of the parameters that exchange two like terms."""
        exchanges: list[NDArray[np.intp]] = []
        if self.model.formula is None:
            return exchanges
        slices = self.model.parameters.slices
        for group in interchangeable(self.model.formula):
            free = [term for term in group if all(symbol.name in slices for symbol in term)]
            term_places = [[slices[symbol.name].start for symbol in term] for term in free]
            for first_term, second_term in itertools.combinations(term_places, 2):
                order = np.arange(self.solution.theta.size)
                order[first_term], order[second_term] = second_term, first_term
                exchanges.append(order)
        return exchanges


def _factor(solution: Solution) -> float:
    """Return tau**2 / rise of J (see ``profile_intervals``)."""
    total = total_weight(solution)
    if (priors := solution.objective.priors) is not None:
        return 2.0 / priors.scale
    if not solution.loss_function.quadratic:
        return 2.0 * total / (solution.loss_function.unit * (dispersion_of(solution) or math.nan))
    scale_known = math.isinf(error_degrees(solution)) or not solution.loss > 0.0
    return total if scale_known else error_degrees(solution) / solution.loss


def _rounding(solution: Solution) -> float:
    """Return the squared loss that rounding alone may leave; minus infinity for losses without a least value."""
    if not solution.loss_function.quadratic:
        return -math.inf
    y, omega = solution.model.observed(solution.columns), row_weights(solution)
    return ROUNDING**2 * float(omega @ (y * y)) / float(omega.sum())
