"""A table by groups in memory, and what each of its groups shares with the others: model, rows, trial points."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.errors import DataError
from descend.formula.symbols import OMEGA
from descend.gradients.derived import Program
from descend.losses import Loss
from descend.losses.formulas import RESPONSE
from descend.losses.squared import Squared
from descend.many.arrays import NUMPY_ARRAYS, tensors
from descend.many.descending_groups import Together
from descend.many.groups import Groups, table_of_group, with_classes
from descend.many.neighbours import NeighboursOfGroups, neighbours_of_groups
from descend.many.rows_in_bands import GroupedRows
from descend.many.shared_model import model_by_groups, program_of
from descend.many.source_of_fits import OfRows
from descend.many.starts import can_be_tried, trial_points
from descend.models import Model, kind_of
from descend.options.request import Request
from descend.parameters import Bounds
from descend.problem.model_reading import columns_read
from descend.problem.posing import untraced
from descend.results import Fit
from descend.results.fitting import fit_table
from descend.starts.robust import loss_of
from descend.table import Table
from descend.table.levels import said

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Places = NDArray[np.intp]
RESOLVED = 1e-4
"""Squares about the mean that are a smaller share of all squares have lost digits to these."""


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
        read_ = table.with_gaps(columns_read(request, model))
        pair = kind_of(request.model).original(request.model, model)
        if pair is not None:
            complete = np.logical_and.reduce([np.isfinite(column) for column in read_.values()])
            begin = model.parameters.start(dict(request.start or {}), 1.0)
            doubt = pair.difference(begin, {name: column[complete] for name, column in read_.items()})
            if doubt is not None:
                return cls.of(untraced(request, doubt), table, by)
        return cls(request, table, model, groups, {name: groups.arranged(column) for name, column in read_.items()})

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
        fit_options = {} if start is None else {"start": start, "second_look": False}
        request, began = self.request.but(by=None, data=data, **fit_options), time.perf_counter()
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
        formula, model, starts_given = self.model.formula, self.model, self.request.start or {}
        if formula is None or model.linear or model.log_linear or len(formula.inputs) != 1:
            return None
        all_given = model.parameters.shapes.keys() <= starts_given.keys()
        return None if all_given else neighbours_of_groups(self.rows, formula.inputs[0])

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
        starts, parameters, groups_chosen = self.request.start or {}, self.model.parameters, np.flatnonzero(self.sound)
        searched = None if self.searching is None else self.searching.program
        if searched is None or not can_be_tried(searched) or not len(groups_chosen):
            return np.empty((0, parameters.size))
        names_given = set() if set(parameters.shapes) <= set(starts) else set(starts)
        theta = parameters.start(dict(starts), 1.0)
        return trial_points(searched, self.rows, groups_chosen, names_given, theta, self.bounds)

    @cached_property
    def bounds(self) -> Bounds | None:
        """Bounds on the parameters, if there are any."""
        return self.model.bounds

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
        complete_groups: Mask = np.logical_and.reduceat(fine, begins)
        return complete_groups

    @cached_property
    def sound(self) -> Mask:
        """Which groups are complete, with as many rows as parameters and a response that varies."""
        y, ends = self.rows.y, self.groups.ends
        varied = y[ends[:-1]] != y[ends[1:] - 1]
        for group in np.flatnonzero(~varied).tolist():
            response_of_group = y[ends[group] : ends[group + 1]]
            varied[group] = response_of_group.max() > response_of_group.min()
        enough = self.groups.sizes >= self.model.parameters.size
        groups: Mask = self.complete & varied & enough & self.groups.with_all_levels(self.columns, self.model.codings)
        return groups

    @cached_property
    def totals(self) -> Array:
        """The sum of the row weights of each group."""
        omega = self.rows.omega
        return self.groups.sizes.astype(float) if omega is None else np.add.reduceat(omega, self.groups.ends[:-1])

    @property
    def counting(self) -> Places:
        """The number of rows of each group with a weight above 0."""
        return self.rows.counting

    def sum_of(self, term: Expr, groups: Places) -> Array:
        """Return the sum over the rows of each of these groups with a weight above 0 of a term of the likelihood."""
        y, omega = self.rows.y, np.ones(len(self.rows.y)) if self.rows.omega is None else self.rows.omega
        each = self.model.loss.of_rows(term, {RESPONSE: y, OMEGA: omega})
        return np.add.reduceat(np.where(omega > 0.0, each, 0.0), self.groups.ends[:-1])[groups]

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
        squares_about_mean = (y - np.repeat(mean, self.groups.sizes)) ** 2
        return np.add.reduceat(squares_about_mean if omega is None else omega * squares_about_mean, begins)
