"""One fit for each group: together where the model allows it, by itself where a group needs more."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from descend.descent.outcome import Outcome
from descend.errors import ConfigError, DescendError
from descend.gradients.contract import Program
from descend.losses import LOSSES
from descend.many.groups import Groups
from descend.many.rows import GroupedRows
from descend.many.source import OfRows
from descend.many.together import Found, Together
from descend.models import Model, kind_of
from descend.options.request import Request
from descend.problem.model_reading import gradient_source, read_model
from descend.problem.posing import untraced
from descend.results import Fit
from descend.results.fitting import fit_table
from descend.table import Table, open_table
from descend.table.levels import said

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Places = NDArray[np.intp]
SAMPLED = 24
"""Groups that are fitted by themselves first, for starts that all others try."""
LENT = 24
"""Groups with a poor fit from whose ends the others of them descend."""
POOR = 0.5
"""A fit that explains a smaller share of the variance is poor."""
REFUSED = "refused"
"""The outcome of a group that could not be fitted at all."""
LONGEST_WORD = f"U{max(map(len, (REFUSED, *map(str, Outcome))))}"
SAME = 1e-9
"""Losses that differ by a smaller share are one and the same."""
OWN = ("optimizer", "epochs", "tolerance", "time_limit", "batch_size", "errors", "learning_rate", "device")
"""Options with which every group is fitted by itself."""


@dataclass
class Outcomes:
    """What came of each group.

    parameters, errors: (groups, components), NaN where there is no fit. outcome: how it ended, empty if not yet.
    cause: why one failed, in a sentence. fits: those groups that were fitted by themselves.
    """

    parameters: Array
    errors: Array
    loss: Array
    r_squared: Array
    outcome: NDArray[np.str_]
    cause: dict[int, str] = field(default_factory=dict)
    fits: dict[int, Fit] = field(default_factory=dict)

    @classmethod
    def none(cls, groups: int, components: int) -> Outcomes:
        """Return the outcomes of groups before any is fitted."""
        empty = np.full(groups, np.nan)
        both = np.full((groups, components), np.nan)
        return cls(both, both.copy(), empty, empty.copy(), np.full(groups, "", dtype=LONGEST_WORD))

    def take(self, groups: Places, others: Outcomes) -> None:
        """Take over what came of some groups, which others have in this order; not the fits, which hold their rows."""
        for mine, theirs in (
            (self.parameters, others.parameters),
            (self.errors, others.errors),
            (self.loss, others.loss),
            (self.r_squared, others.r_squared),
            (self.outcome, others.outcome),
        ):
            mine[groups] = theirs
        self.cause |= {int(groups[place]): cause for place, cause in others.cause.items()}

    @property
    def open(self) -> Mask:
        """Which groups are not fitted yet."""
        found: Mask = self.outcome == ""
        return found


@dataclass(frozen=True)
class Grouped(OfRows):
    """A table by groups, the model of each, and the request that each is fitted by.

    columns: every column that a fit reads, in the order of the groups, NaN where a cell is missing.
    """

    request: Request
    table: Table
    model: Model
    groups: Groups
    columns: Mapping[str, Array]

    @classmethod
    def of(cls, request: Request, table: Table, by: Sequence[str]) -> Grouped:
        """Read the groups of a table, and what a fit needs of it. Raises DescendError where no group can be fitted."""
        model = model_by_groups(request, table, by)
        groups = Groups.of(table, by)
        names = dict.fromkeys((*model.response_columns, *model.inputs, *request.roles.columns, *model.loss.own_columns))
        read = table.with_gaps(tuple(names))
        pair = kind_of(request.model).original(request.model, model)
        if pair is not None:
            complete = np.logical_and.reduce([np.isfinite(column) for column in read.values()])
            begin = model.parameters.start(dict(request.start or {}), 1.0)
            doubt = pair.difference(begin, {name: column[complete] for name, column in read.items()})
            if doubt is not None:
                return cls.of(untraced(request, doubt), table, by)
        return cls(request, table, model, groups, {name: column[groups.order] for name, column in read.items()})

    def alone(self, group: int, start: Mapping[str, object] | None = None) -> Fit:
        """Fit one group by itself, with all that a fit does. Raises DescendError as that does.

        start: where it ends, if that is known.
        """
        data = self.rows_of(group)
        known = {} if start is None else {"start": start, "second_look": False}
        request, began = self.request.but(by=None, data=data, **known), time.perf_counter()
        with np.errstate(all="ignore"):
            table = open_table(data)
            table.source = f"the group {said(self.groups.keys[group])}"
            return fit_table(request, table, None, began)

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
        """What all groups can be fitted with together; None if each has to be fitted by itself."""
        request, model = self.request, self.model
        loss = model.loss
        smooth = loss.plain and not loss.kinked and loss.estimated is None and not (request.l1 or request.l2)
        chosen_options = any(request[key] is not None for key in OWN) or request.engine != "auto"
        if model.symbolic is None or not smooth or chosen_options or request.gradient not in (None, "derived"):
            return None
        if not (loss.quadratic or loss.dispersion_known):
            return None
        code = gradient_source(model, None, self.table, request.roles.spread)[1]
        return code if isinstance(code, Program) else None

    @cached_property
    def sound(self) -> Mask:
        """Which groups have more rows than parameters, a response that varies, and no cell missing or out of range."""
        y, begins = self.rows.y, self.groups.ends[:-1]
        fine = np.isfinite(y) & ~np.broadcast_to(self.model.loss.response_domain.outside(y), y.shape)
        for column in self.columns.values():
            fine &= np.isfinite(column)
        varied = np.maximum.reduceat(y, begins) > np.minimum.reduceat(y, begins)
        complete: Mask = np.logical_and.reduceat(fine, begins)
        return complete & varied & (self.groups.sizes > self.model.parameters.size)


def model_by_groups(request: Request, table: Table, by: Sequence[str]) -> Model:
    """Return the model of each group. Raises ConfigError for one that reads what tells the groups apart."""
    model, _ = read_model(request, table, LOSSES.build(request.loss))
    for name in by:
        if name in model.columns:
            raise ConfigError(
                f"`{name}` tells the groups apart, so that it is the same in all rows of a group and its influence "
                "cannot be seen there. Leave it out of the model, or group by other columns."
            )
    return model


def fit_each(work: Grouped, starts: Array | None = None) -> Outcomes:
    """Fit every group: 1. some by themselves, for starts; 2. all together; 3. those that failed by themselves.

    starts: those to try, (s, p), if they are known.
    """
    outcomes = Outcomes.none(len(work.groups), work.model.parameters.size)
    if work.program is not None:
        starts = starts_of(work, outcomes) if starts is None else starts
        if len(starts):
            chosen = np.flatnonzero(work.sound)  # those fitted already too: where others ended may lead lower
            _keep(work, Together(work.program, work.rows).fit(starts, chosen), outcomes)
            _look_again(work, starts, chosen, outcomes)
    for group in np.flatnonzero(outcomes.open).tolist():
        fit_alone(work, group, outcomes)
    return outcomes


def _look_again(work: Grouped, starts: Array, chosen: Places, outcomes: Outcomes) -> None:
    """Descend from many starts in the groups that failed or are fitted poorly: those, and where others of them ended.

    A group without the shape of the model has many minima, and those of such groups are far from all others.
    """
    assert work.program is not None
    again = chosen[outcomes.open[chosen] | (outcomes.r_squared[chosen] < POOR)]
    ended = again[np.isfinite(outcomes.errors[again]).all(axis=1)]
    some = ended[np.linspace(0, len(ended) - 1, min(LENT, len(ended))).astype(np.intp)]
    more = np.unique(np.concatenate([starts, outcomes.parameters[some]]), axis=0)
    if len(again) and len(more) > 1:
        _keep(work, Together(work.program, work.rows).fit(more, again, len(more)), outcomes)


def starts_of(work: Grouped, outcomes: Outcomes) -> Array:
    """Return starts to try in each group, (s, p): those given, or where the fits of a few groups ended."""
    given, parameters = work.request.start or {}, work.model.parameters
    if set(parameters.shapes) <= set(given):
        return parameters.start(dict(given), 1.0)[None]
    sound = np.flatnonzero(work.sound)
    some = sound[np.linspace(0, len(sound) - 1, min(SAMPLED, len(sound))).astype(np.intp)]
    fits = (fit_alone(work, group, outcomes) for group in some.tolist())
    ends = [fit.theta for fit in fits if fit is not None and fit.succeeded]
    return np.unique(np.array(ends).reshape(-1, parameters.size), axis=0)


def _keep(work: Grouped, found: Found, outcomes: Outcomes) -> None:
    """Keep what converged at a minimum that the rows determine, within its bounds."""
    loss, groups, rows = work.model.loss, work.groups, work.rows
    scale = np.full(len(groups), loss.unit)
    if loss.quadratic and work.request.sigma is None:
        scale = 2.0 * found.loss / np.maximum(groups.sizes - work.model.parameters.size, 1)
    with np.errstate(invalid="ignore"):
        errors = np.sqrt(found.variances * scale[:, None])
    good = found.converged & np.isfinite(errors).all(axis=1)
    bounds = None if work.model.constraints is None else work.model.constraints.bounds
    if bounds is not None:
        good &= ((found.theta > bounds.low) & (found.theta < bounds.high)).all(axis=1)
    begins, omega = groups.ends[:-1], 1.0 if rows.omega is None else rows.omega
    total = groups.sizes if rows.omega is None else np.add.reduceat(rows.omega, begins)
    good &= ~(outcomes.loss <= found.loss / total * (1.0 + SAME))
    outcomes.parameters[good], outcomes.errors[good] = found.theta[good], errors[good]
    outcomes.loss[good] = (found.loss / total)[good]
    if loss.quadratic:
        mean = np.add.reduceat(omega * rows.y, begins) / total
        about = np.add.reduceat(omega * (rows.y - np.repeat(mean, groups.sizes)) ** 2, begins)
        outcomes.r_squared[good] = 1.0 - found.loss[good] / about[good]
    outcomes.outcome[good] = str(Outcome.CONVERGED)
    outcomes.fits = {group: fit for group, fit in outcomes.fits.items() if not good[group]}
    outcomes.cause = {group: cause for group, cause in outcomes.cause.items() if not good[group]}


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
        outcomes.outcome[group], outcomes.cause[group] = REFUSED, str(refusal)
        return None
    outcomes.fits[group], outcomes.outcome[group] = fit, str(fit.outcome)
    outcomes.parameters[group], outcomes.loss[group] = fit.theta, fit.loss
    errors = fit.standard_errors or {}
    names = [name for name in work.model.parameters.shapes if name in errors]
    if len(names) == len(work.model.parameters.shapes):
        outcomes.errors[group] = np.concatenate([np.ravel(np.asarray(errors[name], dtype=float)) for name in names])
    outcomes.r_squared[group] = np.nan if fit.r_squared is None else fit.r_squared
    if not fit.succeeded:
        outcomes.cause[group] = fit.advice
    return fit
