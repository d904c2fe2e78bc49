"""One fit for each group: together where the model allows it, by itself where a group needs more."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from descend.errors import DataError, DescendError
from descend.gradients.derived import Program
from descend.losses import Loss, Squared
from descend.many.arrays import NUMPY_ARRAYS, tensors
from descend.many.common_model import model_by_groups, program_of
from descend.many.doubts import beside, fit_doubted
from descend.many.groups import Groups, table_of_group, with_classes
from descend.many.keeping import keep
from descend.many.linear import is_linear, solved_linear, variances_of_linear
from descend.many.neighbours import NeighboursOfGroups, neighbours_of_groups
from descend.many.outcomes import Outcomes
from descend.many.progress import Done, Progress
from descend.many.rows import GroupedRows
from descend.many.scales import Scales
from descend.many.second_look import look_again, within_bounds
from descend.many.source import OfRows
from descend.many.starts import Starts, can_be_tried, evenly, trial_points, tried
from descend.many.together import Together
from descend.models import Model, kind_of
from descend.options.request import Request
from descend.parameters import Bounds
from descend.problem.model_reading import columns_read
from descend.problem.posing import untraced
from descend.problem.preflight import check_rows
from descend.problem.symmetry import upright
from descend.results import Fit
from descend.results.fitting import fit_table
from descend.starts.robust import loss_of
from descend.starts.search import can_agree
from descend.table import Table
from descend.table.levels import said

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Places = NDArray[np.intp]
SAMPLED = 24
"""Groups that are fitted by themselves first, for starts that all others try, where trial points cannot show any."""
RESOLVED = 1e-4
"""Squares about the mean that are a smaller share of all squares have lost digits to these."""
FEW = 2
"""Of these starts, those that a group descends from."""


@dataclass(frozen=True)
class Grouped(OfRows):
    """A table by groups, the model of each, and the request that each is fitted by.

    columns: every column that a fit reads, in the order of the groups, NaN where a cell is missing.
    unreadable: why the rows of some groups could not be read; one row without any value stands for them.
    """

    request: Request
    table: Table
    model: Model
    groups: Groups
    columns: Mapping[str, Array]
    unreadable: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, request: Request, table: Table, by: Sequence[str]) -> Grouped:
        """Read the groups of a table, and what a fit needs of it. Raises DescendError where no group can be fitted."""
        model = model_by_groups(request, table, by)
        table = table.with_codings(model.codings)
        groups = Groups.of(table, by)
        read = table.with_gaps(columns_read(request, model))
        pair = kind_of(request.model).original(request.model, model)
        if pair is not None:
            complete = np.logical_and.reduce([np.isfinite(column) for column in read.values()])
            begin = model.parameters.start(dict(request.start or {}), 1.0)
            doubt = pair.difference(begin, {name: column[complete] for name, column in read.items()})
            if doubt is not None:
                return cls.of(untraced(request, doubt), table, by)
        return cls(request, table, model, groups, {name: groups.arranged(column) for name, column in read.items()})

    def source(self, group: int) -> str:
        """Return what messages call one group."""
        return f"the group {said(self.groups.keys[group])}"

    def alone(self, group: int, start: Mapping[str, object] | None = None) -> Fit:
        """Fit one group by itself, with all that a fit does. Raises DescendError as that does.

        start: where it ends, if that is known.
        """
        if group in self.unreadable:
            raise DataError(self.unreadable[group])
        data = self.rows_of(group)
        known = {} if start is None else {"start": start, "second_look": False}
        request, began = self.request.but(by=None, data=data, **known), time.perf_counter()
        with np.errstate(all="ignore"):
            return fit_table(request, self.table_of(group), None, began)

    def table_of(self, group: int) -> Table:
        """Return the rows of one group as a table. Raises DataError where it lacks a level that others have."""
        data = with_classes(self.rows_of(group), self.model)
        return table_of_group(data, self.model.codings, self.table, self.source(group))

    def rows_of(self, group: int) -> dict[str, Array]:
        """Return the columns of one group."""
        rows = slice(self.groups.ends[group], self.groups.ends[group + 1])
        return {name: column[rows] for name, column in self.columns.items()}

    @cached_property
    def rows(self) -> GroupedRows:
        """The rows of all groups, for those that descend together."""
        omega = self.request.roles.omega(self.columns)
        return GroupedRows(self.groups, self.columns, self.model.observed(self.columns), omega)

    @cached_property
    def program(self) -> Program | None:
        """What all groups can be fitted with together, by squares for an estimated scale; None if nothing can."""
        if self.to_estimate is None:
            return program_of(self.request, self.model, self.table)
        return program_of(self.request, replace(self.model, loss=Squared()), self.table, Squared())  # type: ignore[type-var]

    @cached_property
    def to_estimate(self) -> Loss | None:
        """The loss whose scale is to be estimated in each group, if it is."""
        loss = loss_of(self.request)
        return None if loss.estimated is None else loss

    @property
    def neighbours(self) -> NeighboursOfGroups | None:
        """What neighbouring rows say of noise and outliers, as a fit of each group begins; None if it does not so."""
        formula, model, given = self.model.formula, self.model, self.request.start or {}
        if formula is None or model.linear or model.log_linear or len(formula.inputs) != 1:
            return None
        known = model.parameters.shapes.keys() <= given.keys()
        return None if known else neighbours_of_groups(self.rows, formula.inputs[0])

    @cached_property
    def together(self) -> Together | None:
        """What fits groups together: NumPy, or PyTorch if that or a device was asked for; None if nothing can."""
        if self.program is None:
            return None
        by_torch = self.request.engine == "torch" or self.request.device is not None
        return Together(self.program, self.rows, tensors(self.request.device) if by_torch else NUMPY_ARRAYS)

    @cached_property
    def searching(self) -> Together | None:
        """What looks for starts together: for a robust loss of residuals, with the squares of these."""
        together = self.together
        if together is None or together.program.loss.quadratic or not together.program.loss.of_residual:
            return together
        return replace(together, program=replace(together.program, loss=Squared()))

    @cached_property
    def trial_points(self) -> Array:
        """Points to try in any group, (points, p); none where they cannot show where to begin."""
        given, parameters, chosen = self.request.start or {}, self.model.parameters, np.flatnonzero(self.sound)
        searched = None if self.searching is None else self.searching.program
        if searched is None or not can_be_tried(searched) or not len(chosen):
            return np.empty((0, parameters.size))
        held = set() if set(parameters.shapes) <= set(given) else set(given)
        theta = parameters.start(dict(given), 1.0)
        return trial_points(searched, self.rows, chosen, held, theta, self.bounds)

    @cached_property
    def bounds(self) -> Bounds | None:
        """Bounds on the parameters, if there are any."""
        return None if self.model.constraints is None else self.model.constraints.bounds

    @cached_property
    def complete(self) -> Mask:
        """Which groups have no cell that is missing, or out of the range of the loss."""
        y, begins = self.rows.y, self.groups.ends[:-1]
        fine = np.isfinite(y)
        if self.model.loss.response_domain.limited:
            fine &= ~self.model.loss.response_domain.outside(y)
        for column in self.columns.values():
            if column is not y:
                fine &= np.isfinite(column)
        if fine.all():
            return np.ones(len(begins), dtype=bool)
        found: Mask = np.logical_and.reduceat(fine, begins)
        return found

    @cached_property
    def sound(self) -> Mask:
        """Which groups are complete, with as many rows as parameters and a response that varies."""
        y, ends = self.rows.y, self.groups.ends
        varied = y[ends[:-1]] != y[ends[1:] - 1]
        for group in np.flatnonzero(~varied).tolist():
            part = y[ends[group] : ends[group + 1]]
            varied[group] = part.max() > part.min()
        enough = self.groups.sizes >= self.model.parameters.size
        found: Mask = self.complete & varied & enough & self.groups.with_all_levels(self.columns, self.model.codings)
        return found

    @cached_property
    def totals(self) -> Array:
        """The sum of the row weights of each group."""
        omega = self.rows.omega
        return self.groups.sizes.astype(float) if omega is None else np.add.reduceat(omega, self.groups.ends[:-1])

    @property
    def counting(self) -> Places:
        """The number of rows of each group with a weight above 0."""
        return self.rows.counting

    @cached_property
    def about_mean(self) -> Array:
        """The weighted sum of the squares of the responses of each group about their mean."""
        begins, omega, y = self.groups.ends[:-1], self.rows.omega, self.rows.y
        weighted = y if omega is None else omega * y
        total, squares = np.add.reduceat(weighted, begins), np.add.reduceat(weighted * y, begins)
        mean = total / self.totals
        about = squares - mean * total
        if (about > RESOLVED * squares).all():
            return about
        apart = (y - np.repeat(mean, self.groups.sizes)) ** 2
        return np.add.reduceat(apart if omega is None else omega * apart, begins)


def fit_each(work: Grouped, starts: Starts | None = None, on_done: Done | None = None) -> Outcomes:
    """Fit every group: 1. together, from starts given or tried; 2. some again; 3. those that failed by themselves.

    Linear least squares need no start and no second look.

    starts: those to try, if they are known. on_done: called with how many groups are done, and how many there are.
    """
    outcomes = Outcomes.none(len(work.groups), work.model.parameters.size)
    progress = Progress(len(work.groups), on_done)
    _refuse(work, outcomes)
    chosen = np.flatnonzero(work.sound)
    together = work.together
    variances: Callable[[Places, Array, Array], Array] | None = None
    if together is not None and len(chosen) and together.arrays is NUMPY_ARRAYS and is_linear(work.model):
        keep(work, chosen, solved_linear(work, chosen), outcomes)
        variances = partial(variances_of_linear, work)
    elif together is not None and len(chosen):
        starts = starts_of(work, outcomes) if starts is None else starts
        if len(starts.points) and work.to_estimate is not None:
            scales = Scales.estimated(together, work.to_estimate, chosen, starts, work.neighbours)
            keep(work, chosen, scales.found, outcomes)
            together = scales.at_last(work.to_estimate)
        elif len(starts.points):
            found = replace(together, progress=progress).from_best(chosen, starts.points, starts.few)
            together.compare(chosen, starts.points, starts.few, found)
            keep(work, chosen, found, outcomes)
            within_bounds(work, together, starts, chosen, found, outcomes)
            look_again(work, together, starts, chosen, outcomes)
            if not can_agree(together.program, (), work.bounds is not None):
                known = chosen[~outcomes.open[chosen]]
                for theta in beside(together.program, outcomes.parameters[known], work.bounds):
                    keep(work, known, together.descend(known, theta, np.arange(len(known))), outcomes)
                fit_doubted(work, chosen, outcomes)
            outcomes.in_order(together.program, (work.request.start or {}).keys(), work.bounds)
        variances = replace(together, bounds=work.bounds).variances_of
    outcomes.variances = variances
    if variances is not None and work.derived_quantities:
        from descend.many.quantities import quantify

        quantify(work, chosen, outcomes, variances)
    left = np.flatnonzero(outcomes.open).tolist()
    for place, group in enumerate(left):
        progress.reached(len(work.groups) - len(left) + place)
        fit_alone(work, group, outcomes)
    return outcomes


def _refuse(work: Grouped, outcomes: Outcomes) -> None:
    """Refuse the groups with fewer rows than parameters, as a fit of each would."""
    if work.request.l1 or work.request.l2:
        return
    for group in np.flatnonzero(work.complete & (work.groups.sizes < work.model.parameters.size)).tolist():
        try:
            check_rows(work.model, work.rows_of(group), int(work.groups.sizes[group]), work.source(group), False)
        except DescendError as refusal:
            outcomes.refuse(group, str(refusal))
    for group in np.flatnonzero(~work.groups.with_all_levels(work.columns, work.model.codings)).tolist():
        try:
            work.table_of(group)
        except DescendError as refusal:
            outcomes.refuse(group, str(refusal))


def starts_of(work: Grouped, outcomes: Outcomes) -> Starts:
    """Return the starts that were given, or that trial points lead to, or where the fits of a few groups ended."""
    given, parameters, held = work.request.start or {}, work.model.parameters, work.model.constraints
    given = given if held is None else held.reduced(given)
    if set(parameters.shapes) <= set(given):
        return Starts(parameters.start(dict(given), 1.0)[None], 1)
    chosen = np.flatnonzero(work.sound)
    if work.searching is not None and len(work.trial_points):
        found = tried(work.searching, chosen, work.trial_points, given.keys())
        if found is not None and work.model.symbolic is not None:
            columns = work.rows_of(int(chosen[0]))
            ends = [upright(work.model.symbolic, each, columns, given.keys(), work.bounds) for each in found.points]
            return replace(found, points=np.array(ends))
    fits = (fit_alone(work, group, outcomes) for group in evenly(chosen, SAMPLED).tolist())
    ends = [fit.theta for fit in fits if fit is not None and fit.succeeded]
    return Starts(np.unique(np.array(ends).reshape(-1, parameters.size), axis=0), FEW)


class Alone(Protocol):
    """Groups, any of which can be fitted by itself."""

    @property
    def model(self) -> Model: ...

    def alone(self, group: int, start: Mapping[str, object] | None = None) -> Fit: ...


def fit_alone(work: Alone, group: int, outcomes: Outcomes) -> Fit | None:
    """Fit one group by itself, and keep what came of it."""
    try:
        fit = work.alone(group)
    except DescendError as refusal:
        outcomes.refuse(group, str(refusal))
        return None
    outcomes.put(group, fit)
    return fit
