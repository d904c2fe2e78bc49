"""Groups whose sums a database computes: all of them descend by one query an iteration, and only totals travel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.engines.sums_by_group import SumsByGroup
from descend.formula.printers.database import LackingFunctionError
from descend.many.arrays import NUMPY_ARRAYS
from descend.many.batch_code import BatchCode
from descend.many.components import by_component
from descend.many.criteria import judge
from descend.many.descending_groups import Descents, roots_at
from descend.many.descent import FIRST, descend_all
from descend.many.groups_elsewhere import DistantGroups
from descend.many.kept_minima import keep
from descend.many.outcomes import Outcomes
from descend.many.progress import Done
from descend.many.second_look import POOR
from descend.many.starts import Starts
from descend.many.streamed import fit_streamed, starts_of_sample, with_inference
from descend.many.sums import Band, Block
from descend.models import Model
from descend.options.request import Request
from descend.parameters import Bounds

if TYPE_CHECKING:
    from descend.inference.quantities.quantity import Quantity

Array = NDArray[np.float64]
Places = NDArray[np.intp]
AT_ONCE = 1 << 18
"""Groups that descend by the same queries, at most."""
ROUNDING = 1e-12
"""The share by which two sums of the same numbers may differ."""
FINISHING = 6
"""Further steps where groups converged, at most, each with fewer of them."""
DIGITS = 1e7
"""With variances so many times as large as if the other parameters were known, sums of squares lose as many digits."""
LEFT = 0.05
"""Once a smaller share of these groups goes on, their rows are fetched, and they are fitted in memory."""


@dataclass(frozen=True)
class Summed:
    """Groups of rows elsewhere, as far as the sums over their rows are known.

    sums: asks for them. chosen: the groups that can descend together. of_responses: sums of their responses, by name.
    """

    work: DistantGroups
    sums: SumsByGroup
    chosen: Places
    of_responses: dict[str, Array]

    @classmethod
    def of(cls, fitted: DistantGroups) -> Summed | str:
        """Ask for what is known of the groups; return why, if the database cannot sum them all."""
        program = fitted.program
        if program is None:
            return "each group has to be fitted by itself"
        if not program.loss.likelihood:
            return f"standard errors of the {program.loss.name} loss need each row"
        if program.loss.own_parameters:
            return f"the {program.loss.name} loss has parameters of its own"
        drop = fitted.request.missing == "drop"
        rows = fitted.lazy.complete().table if drop else fitted.lazy.table
        counting = fitted.complete if drop else np.where(fitted.complete == fitted.groups.sizes, fitted.groups.sizes, 0)
        some = np.flatnonzero(counting > fitted.model.parameters.size)
        try:
            sums = SumsByGroup(fitted.keyed, program, rows, *by_component(program))
            groups = sums.responses(some)
        except LackingFunctionError as error:
            return f"the database ({fitted.lazy.backend.name}) has no function {error}"
        domain = fitted.model.loss.response_domain
        sound = (groups["infinite"] == 0.0) & (groups["low"] < groups["high"]) & (groups["omega"] > 0.0)
        sound &= groups["size"] <= groups["omega"] * (1.0 + ROUNDING)  # no weight is below 0
        sound &= ~(domain.outside(groups["low"]) | domain.outside(groups["high"]))
        return cls(fitted, sums, some[sound], {name: values[sound] for name, values in groups.items()})

    @property
    def request(self) -> Request:
        return self.work.request

    @property
    def model(self) -> Model:
        return self.work.model

    @property
    def derived_quantities(self) -> Sequence[Quantity]:
        """The quantities that are asked for in each group."""
        return self.work.derived_quantities

    @property
    def bounds(self) -> Bounds | None:
        """Bounds on the parameters, if there are any."""
        return self.model.bounds

    @property
    def totals(self) -> Array:
        """The sum of the row weights of each group."""
        return self.of_responses["omega"]

    @property
    def counting(self) -> Places:
        """The number of rows of each group with a weight above 0."""
        return self.of_responses["counting"].astype(np.intp)

    @property
    def about_mean(self) -> Array:
        """The weighted sum of the squares of the responses of each group about their mean."""
        return self.of_responses["about"]

    @cached_property
    def code(self) -> BatchCode:
        """What the descent evaluates: a query for the groups whose places are the data of a block."""
        size = self.model.parameters.size

        def evaluate(data: Sequence[Array], products: object, theta: Sequence[Array], *others: object) -> object:
            loss, gradient, curvature = self.sums.at(self.chosen[data[0].astype(np.intp)], theta)
            return (), loss, gradient, curvature, (), ()

        relative = self.model.loss.quadratic
        return BatchCode((), tuple(range(size)), False, (), (), 1.0, relative, False, evaluate)

    def sum_of(self, term: Expr, some: Places) -> Array | None:
        """Return the sum over the rows of groups of a term of the likelihood; None if the database cannot write it."""
        try:
            return self.sums.sum_of(self.chosen[some], term)
        except LackingFunctionError:
            return None

    def descend(self, starts: Starts, some: Places) -> Descents:
        """Descend in the groups at these places, each from the start with the least loss."""
        descents = Descents.none(len(some), self.model.parameters.size)
        losses = self.sums.losses(self.chosen[some], starts.points)
        begin = starts.points[np.argsort(np.where(np.isnan(losses), np.inf, losses), axis=0)[0]]
        code, weight = self.code, self.sums.program.loss.expressions[2]
        scale = 0.5 * float(weight) * self.of_responses["squares"][some] if code.relative else self.totals[some]
        block = Block([Band(code, [some.astype(np.float64)], [], scale)], NUMPY_ARRAYS)
        ends = descend_all(list(begin.T), block, np.full(len(some), FIRST), LEFT)
        descents.put(np.arange(len(some)), ends, 1.0)
        squared = ~(ends.inflation < DIGITS) & ~ends.pending  # what sums of squares no longer tell is left to the rows
        descents.converged[squared] = descents.endless[squared] = False
        converged_groups = np.flatnonzero(descents.converged)
        for _ in range(FINISHING):
            if len(converged_groups):
                converged_groups = converged_groups[descents.finish(converged_groups, block.take(converged_groups))]
        return descents

    def roots_of(self, some: Places, theta: Array) -> Array:
        """Return the roots of the covariances of the groups at these places (see ``Together.roots_of``)."""
        block = Block([Band(self.code, [some.astype(np.float64)], [], np.ones(len(some)))], NUMPY_ARRAYS)
        with np.errstate(all="ignore"):
            return roots_at(block, theta)


def fit_summed(summed: Summed, on_done: Done | None = None) -> Outcomes:
    """Fit every group by sums of the database, and in memory those where that fails, or fits them poorly."""
    groups_fitted, size, groups = summed.work, len(summed.chosen), len(summed.work.groups)
    outcomes, outcomes_summed = (Outcomes.none(count, groups_fitted.model.parameters.size) for count in (groups, size))
    starts = starts_of_sample(groups_fitted)
    for begin in range(0, size, AT_ONCE) if starts is not None and len(starts.points) else ():
        assert starts is not None
        some = np.arange(begin, min(begin + AT_ONCE, size))
        with np.errstate(all="ignore"):
            keep(summed, some, summed.descend(starts, some), outcomes_summed)
            if summed.derived_quantities:
                from descend.many.quantities import quantify

                quantify(summed, some, outcomes_summed, summed.roots_of)
        if on_done is not None:
            on_done(int(np.count_nonzero(~outcomes_summed.open)), groups)
    outcomes_summed.rows[:] = groups_fitted.complete[summed.chosen]
    judge(summed, np.arange(size), outcomes_summed)
    outcomes_summed.roots = summed.roots_of
    outcomes.take(summed.chosen, with_inference(outcomes_summed, groups))
    outcomes.outcome[outcomes.r_squared < POOR] = ""
    return fit_streamed(groups_fitted, on_done, outcomes, starts)
