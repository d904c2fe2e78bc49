"""The sides of the profiles of a fit, held against each other: what one has found, another may go on from."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.descent.module.model import ModuleModel
from descend.errors import ConfigError
from descend.fit.digits import errors_hold
from descend.fit.profile_path import End, Place, Side, Why, fitted, origin, outwards
from descend.fit.refit import Part, free_to_move, well_conditioned
from descend.fit.rows import row_weights
from descend.fit.statistics import total_weight
from descend.formula.structure import interchangeable, linear_unknowns
from descend.models import FormulaModel

if TYPE_CHECKING:
    from descend.fit.result import Fit

Array = NDArray[np.float64]
ROUNDS = 3
"""How often the sides are held against each other at most."""
FIRST = 0.5
"""First stride, as a share of the distance at which a parabola would end."""
TRIED = 1
"""Starting values, of the least loss, from which the others are fitted again at an end."""
LOWER = 1e-3
"""Fall of tau**2 below the optimum, or below what is wanted, that is more than rounding."""
ROUNDING = 64.0 * float(np.finfo(np.float64).eps)
"""Share of the response that residuals may be from rounding alone."""
NO_WIDTH = 4.0 * float(np.finfo(np.float64).eps)
"""Standard error, as a share of the estimate, that is nothing but rounding: the fit is perfect."""


class Sides:
    """Both sides of the profiles of some parameters.

    covariance: (p, p), see ``generalized_covariance``. reach: |tau| at the ends.
    """

    def __init__(self, fit: Fit, covariance: Array, reach: float, places: Iterable[int]) -> None:
        assert fit.kept is not None and not isinstance(fit.model, ModuleModel)
        self.fit, self.model, self.covariance, self.reach = fit, fit.model, covariance, reach
        self.part, self.bounds = Part(fit.kept.objective), fit.kept.objective.bounds
        self.best, self.free, self.factor = self.part(fit.theta), free_to_move(fit), _factor(fit)
        self.lean = well_conditioned(self.best, self.free)
        self.exact = fit.loss <= _rounding(fit)
        self.convex = fit.model.linear or (isinstance(fit.model, FormulaModel) and fit.model.log_linear)
        self.paths: dict[Side, list[Place]] = {}
        self.ends = {side: self._end(side, origin(side)) for place in places for side in self._sides(place)}
        for _ in range(0 if self.convex or self.exact else ROUNDS):
            if not any([self._goes_on(side) for side in self.ends]):
                break

    def of(self, place: int) -> list[tuple[float, Why]]:
        """Return the lower and the upper end of a parameter, and why it is there."""
        found = []
        for side, end in self.ends.items():
            if side.place == place:
                # An open end is infinite, or the bound.
                at = side.value(end.distance) if end.distance < side.room else self._edge(place, side.error)
                found.append((at if side.room else float(self.fit.theta[place]), end.why))
        return found

    def _edge(self, place: int, error: float) -> float:
        if self.bounds is None:
            return math.copysign(math.inf, error)
        return float((self.bounds.low if error < 0.0 else self.bounds.high)[place])

    def _sides(self, place: int) -> Iterator[Side]:
        best, error = float(self.fit.theta[place]), math.sqrt(self.covariance[place, place])
        tangent = self.covariance[:, place] / error if error else np.zeros(self.fit.theta.size)
        if not error and self.model.parameters.labels[place] in self.fit.at_bound and self.best.curvature is not None:
            error = 1.0 / math.sqrt(0.5 * self.factor * self.best.curvature[place, place])
        free = self.free.copy()
        free[place] = False
        for sign in (-1.0, 1.0):
            # Of a perfect fit, any other value is infinitely less likely.
            perfect = error <= NO_WIDTH * abs(best)
            room = 0.0 if perfect else abs(self._edge(place, sign) - best) / error
            yield Side(
                self.part, self.best, place, sign * error, free, sign * tangent, self.factor, self.reach, room,
                self.reach * (1.0 if self.convex else FIRST), self.lean,
            )  # fmt: skip

    def _end(self, side: Side, inside: Place) -> End:
        if side.room == 0.0:
            return End(0.0, inside, Why.BOUND)
        if self.exact:  # J has no digits left to profile
            return End(min(self.reach, side.room), inside, Why.REACHED)
        path = self.paths.setdefault(side, [])
        for each in outwards(side, inside):
            if isinstance(each, End):
                return each
            path.append(each)
            self._refuse_better(side, each)
        raise AssertionError("a side has an end")

    def _refuse_better(self, side: Side, place: Place) -> None:
        """Raise an error if this place is a better fit than the optimum."""
        if place.rise >= -LOWER:
            return
        parameters, short = self.model.parameters, "" if errors_hold(self.fit) else ", for this run stopped before it"
        loss = self.fit.loss + place.rise / self.factor
        raise ConfigError(
            f"There is a better fit{short}: with `{parameters.labels[side.place]}` at {side.value(place.distance):.6g} "
            f"the loss is {loss:.9g}, below {self.fit.loss:.9g}. Fit again from there: "
            f"{parameters.mentioned(place.theta, most=20)}."
        )

    def _goes_on(self, side: Side) -> bool:
        """Whether the others fit better at the end of a side than they did there; it then has another end."""
        end = self.ends[side]
        if end.why in (Why.BOUND, Why.OPEN) or not math.isfinite(end.distance):
            return False
        for start in self._elsewhere(side, end.distance):
            found = fitted(side, end.distance, start)
            if found is not None and found.rise < (1.0 - LOWER) * side.reach**2:
                self._refuse_better(side, found)
                self.ends[side] = self._end(side, found)
                return True
        return False

    def _elsewhere(self, side: Side, distance: float) -> Iterator[Array]:
        """Yield values of the others that may fit better at a distance than those that the side came with.

        First those of the parameter of a like term, where the terms have changed places. Then, of the ends of the other
        sides and the optimum without one of its terms, also with terms exchanged, those with the least J.
        """
        for exchange in self._exchanges:
            # Their profile is that of this one too.
            visited = [place.theta for other, path in self.paths.items() for place in path
                       if other.place == exchange[side.place] != side.place]  # fmt: skip
            if visited:
                nearest = min(visited, key=lambda theta: abs(theta[exchange[side.place]] - side.value(distance)))
                yield nearest[exchange]
        ends = [end.place.theta for other, end in self.ends.items() if other is not side]
        without = [np.where(np.arange(self.best.theta.size) == place, 0.0, self.best.theta) for place in self._factors]
        likely = [*ends, *without]
        starts = [*likely, *(theta[exchange] for theta in likely for exchange in self._exchanges)]
        losses = np.array([self.part(side.start(start, distance), 0).loss for start in starts])
        yield from (starts[place] for place in np.argsort(np.where(np.isfinite(losses), losses, math.inf))[:TRIED])

    @cached_property
    def _factors(self) -> list[int]:
        """Where the parameters stand that are factors of a term: at zero, what else is in the term has no say."""
        if not isinstance(self.model, FormulaModel):
            return []
        names, slices = (symbol.name for symbol in linear_unknowns(self.model.formula)), self.model.parameters.slices
        size = self.fit.theta.size
        return sorted(place for name in names if name in slices for place in range(size)[slices[name]])

    @cached_property
    def _exchanges(self) -> list[NDArray[np.intp]]:
        """The orders of the parameters in which two like terms have changed places."""
        found: list[NDArray[np.intp]] = []
        if not isinstance(self.model, FormulaModel):
            return found
        slices = self.model.parameters.slices
        for group in interchangeable(self.model.formula):
            free = [term for term in group if all(symbol.name in slices for symbol in term)]
            places = [[slices[symbol.name].start for symbol in term] for term in free]
            for one, other in itertools.combinations(places, 2):
                order = np.arange(self.fit.theta.size)
                order[one], order[other] = other, one
                found.append(order)
        return found


def _factor(fit: Fit) -> float:
    """Return tau**2 over the rise of J (see ``profile_intervals``)."""
    total = total_weight(fit)
    if fit.loss_function.name != "squared":
        return 2.0 * total
    known = math.isinf(fit.error_degrees) or not fit.loss > 0.0
    return total if known else fit.error_degrees / fit.loss


def _rounding(fit: Fit) -> float:
    """Return the squared loss that residuals of nothing but rounding may have; other losses have no least value."""
    if fit.loss_function.name != "squared" or fit.kept is None or isinstance(fit.model, ModuleModel):
        return -math.inf
    y, omega = fit.model.observed(fit.kept.columns), row_weights(fit)
    return ROUNDING**2 * float(omega @ (y * y)) / float(omega.sum())
