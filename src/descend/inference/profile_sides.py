"""The sides of the profiles of a fit, held against each other: what one has found, another may go on from."""

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
from descend.inference.determined import at_bound, free_to_move
from descend.inference.digits import errors_hold
from descend.inference.profile_path import End, Path, Why
from descend.inference.profile_place import LOWER, Place, Side, fitted, is_lower
from descend.inference.refit import Part, newton_step, well_conditioned
from descend.inference.row_scores import row_weights
from descend.inference.statistics import dispersion_of, error_degrees, total_weight

Array = NDArray[np.float64]
TRIED, TRIED_OF_LIKE = 1, 3
"""Starting values, of the least loss, from which the others are fitted again at a place; more with like terms."""
EXTREME = (-64.0, -4.0, 4.0, 64.0)
"""Where that is, in units of the smallest such parameter."""
UNLIKELY = 6.0
"""|tau| from which on the path of a like term is followed no further."""
ROUNDING = 64.0 * float(np.finfo(np.float64).eps)
"""Share of the response that residuals may be from rounding alone."""
NO_WIDTH = 4.0 * float(np.finfo(np.float64).eps)
"""Standard error, as a share of the estimate, that is nothing but rounding: the fit is perfect."""


class Sides:
    """Both sides of the profiles of some parameters, as far as they were walked.

    covariance: (p, p), see ``generalized_covariance``.
    """

    def __init__(self, solution: Solution, covariance: Array, places: Iterable[int]) -> None:
        self.solution, self.model, self.covariance = solution, solution.model, covariance
        self.part, self.bounds = Part(solution.objective), solution.objective.bounds
        self.best, self.free, self.factor = self.part(solution.theta), free_to_move(solution), _factor(solution)
        self.lean = well_conditioned(self.best, self.free)
        self.exact = solution.loss <= _rounding(solution)
        self.convex = solution.model.linear or solution.model.log_linear
        self.paths = {place: [Path(side) for side in self._sides(place)] for place in places}
        self.likely: list[Array] = []
        self._alone: dict[Side, Path] = {}
        if not (self.convex or self.exact):
            self._hold_against_each_other()

    def of(self, place: int, reach: float) -> list[tuple[float, Why]]:
        """Return the lower and the upper end of a parameter where |tau| is ``reach``, and why it is there."""
        found = []
        for path in self.paths[place]:
            side, end = path.side, self._end(path, reach)
            # An open end is infinite, or the bound.
            at = side.value(end.distance) if end.distance < side.room else self._edge(place, side.error)
            found.append((at if side.room else float(self.solution.theta[place]), end.why))
        return found

    def _end(self, path: Path, reach: float) -> End:
        if self.exact and path.side.room:  # J has no digits left to profile
            return End(min(reach, path.side.room), path.places[0], Why.REACHED)
        end = path.end(reach, self._better)
        for place in path.places:
            self._refuse_better(path.side, place)
        return end

    def _hold_against_each_other(self) -> None:
        """Take the first place of each side; from each, the others may be fitted again at any place."""
        paths = [path for both in self.paths.values() for path in both if path.why is None]
        for path in paths:
            path.go_on()
            self._refuse_better(path.side, path.places[-1])
        size = self.best.theta.size
        likely = [path.places[-1].theta for path in paths]
        likely += [np.where(np.arange(size) == place, 0.0, self.best.theta) for place in self._factors]
        self.likely = [*likely, *(theta[exchange] for theta in likely for exchange in self._exchanges)]
        for path in paths:
            path.settle(self._better)

    def _edge(self, place: int, error: float) -> float:
        if self.bounds is None:
            return math.copysign(math.inf, error)
        return float((self.bounds.low if error < 0.0 else self.bounds.high)[place])

    def _sides(self, place: int) -> Iterator[Side]:
        best, error = float(self.solution.theta[place]), math.sqrt(self.covariance[place, place])
        tangent = self.covariance[:, place] / error if error else np.zeros(self.solution.theta.size)
        if (
            not error
            and self.model.parameters.labels[place] in at_bound(self.solution)
            and self.best.curvature is not None
        ):
            error = 1.0 / math.sqrt(0.5 * self.factor * self.best.curvature[place, place])
        free = self.free.copy()
        free[place] = False
        for sign in (-1.0, 1.0):
            # Of a perfect fit, any other value is infinitely less likely.
            perfect = error <= NO_WIDTH * abs(best)
            room = 0.0 if perfect else abs(self._edge(place, sign) - best) / error
            yield Side(self.part, self.best, place, sign * error, free, sign * tangent, self.factor, room, self.lean)

    def _refuse_better(self, side: Side, place: Place) -> None:
        """Raise an error if this place is a better fit than the optimum."""
        if place.rise >= -LOWER:
            return
        parameters, short = (
            self.model.parameters,
            "" if errors_hold(self.solution) else ", for this run stopped before it",
        )
        loss = self.solution.loss + place.rise / self.factor
        raise ConfigError(
            f"There is a better fit{short}: with `{parameters.labels[side.place]}` at {side.value(place.distance):.6g} "
            f"the loss is {loss:.9g}, below {self.solution.loss:.9g}. Fit again from there: "
            f"{parameters.mentioned(place.theta, most=20)}."
        )

    def _better(self, side: Side, place: Place) -> Place | None:
        """Fit the others again at a place, from elsewhere; None unless that is better."""
        for start in self._other_starts(side, place):
            found = fitted(side, place.distance, start, patient=False)
            if found is not None and is_lower(found, place):
                self._refuse_better(side, found)
                return found
        return None

    def _other_starts(self, side: Side, at: Place) -> Iterator[Array]:
        """Yield values of the others that may fit better at a place than those that the side came with.

        First those of the parameter of a like term at this value, where the terms have changed places, and those that
        the side would have come with, had the terms not changed places on the way. Then, of the
        first places of all sides, the optimum without one of its terms, also with terms exchanged, and the extremes,
        those with the least J.
        """
        value = side.value(at.distance)
        for exchange in self._exchanges:
            partner = int(exchange[side.place])
            if partner != side.place and partner in self.paths:
                yield self._alone_at(partner, value)[exchange]
        if self._exchanges:
            yield self._alone_at(side.place, value)
        starts = [*self.likely, *(self._with_factors(side, at.distance, extreme) for extreme in self._extremes)]
        losses = np.array([self.part(side.start(start, at.distance), 0).loss for start in starts])
        order = np.argsort(np.where(np.isfinite(losses), losses, math.inf))
        yield from (starts[number] for number in order[: TRIED_OF_LIKE if self._exchanges else TRIED])

    def _with_factors(self, side: Side, distance: float, start: Array) -> Array:
        """Return the start with the parameter held and the factors of the terms fitted, which takes one step."""
        point = self.part(side.start(start, distance))
        places = np.array([place for place in self._factors if side.free[place]], dtype=np.intp)
        theta = point.theta.copy()
        if places.size and point.curvature is not None:
            theta[places] += newton_step(point.curvature[places[:, None], places], point.gradient[places])
        return theta

    @cached_property
    def _extremes(self) -> list[Array]:
        """The optimum with one parameter inside a term far away, at most so far that the term is left to a single row.

        Only of like terms, for what they fit together one of them nearly fits alone.
        """
        inside = [place for place in np.flatnonzero(self.free).tolist() if place not in self._factors]
        size = float(np.abs(self.best.theta[inside]).min()) if inside and self._exchanges else 0.0
        found = []
        for place, share in itertools.product(inside, EXTREME) if size else ():
            theta = self.best.theta.copy()
            theta[place] = share * size
            found.append(theta)
        return found

    def _alone_at(self, place: int, value: float) -> Array:
        """Return all parameters where this one has a value, or as near as its own path leads, left to itself."""
        upper = int(value > self.best.theta[place])
        side = self.paths[place][upper].side
        path = self._alone.setdefault(side, Path(side))
        distance = (value - float(self.best.theta[place])) / side.error
        while path.places[-1].distance < distance and path.why is None and path.places[-1].tau < UNLIKELY:
            path.go_on()
        near = min(path.places, key=lambda each: abs(each.distance - distance))
        return near.theta + (distance - near.distance) * near.tangent

    @cached_property
    def _factors(self) -> list[int]:
        """Where the parameters stand that are factors of a term: at zero, what else is in the term has no say."""
        if self.model.formula is None:
            return []
        names, slices = (symbol.name for symbol in linear_unknowns(self.model.formula)), self.model.parameters.slices
        size = self.solution.theta.size
        return sorted(place for name in names if name in slices for place in range(size)[slices[name]])

    @cached_property
    def _exchanges(self) -> list[NDArray[np.intp]]:
        """The orders of the parameters in which two like terms have changed places."""
        found: list[NDArray[np.intp]] = []
        if self.model.formula is None:
            return found
        slices = self.model.parameters.slices
        for group in interchangeable(self.model.formula):
            free = [term for term in group if all(symbol.name in slices for symbol in term)]
            places = [[slices[symbol.name].start for symbol in term] for term in free]
            for one, other in itertools.combinations(places, 2):
                order = np.arange(self.solution.theta.size)
                order[one], order[other] = other, one
                found.append(order)
        return found


def _factor(solution: Solution) -> float:
    """Return tau**2 over the rise of J (see ``profile_intervals``)."""
    total = total_weight(solution)
    if not solution.loss_function.quadratic:
        return 2.0 * total / (dispersion_of(solution) or math.nan)
    known = math.isinf(error_degrees(solution)) or not solution.loss > 0.0
    return total if known else error_degrees(solution) / solution.loss


def _rounding(solution: Solution) -> float:
    """Return the squared loss that residuals of nothing but rounding may have; other losses have no least value."""
    if not solution.loss_function.quadratic:
        return -math.inf
    y, omega = solution.model.observed(solution.columns), row_weights(solution)
    return ROUNDING**2 * float(omega @ (y * y)) / float(omega.sum())
