"""One fit for each group: together where the model allows it, by itself where a group needs more."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from descend.descent.outcome import Outcome
from descend.errors import ConfigError, DescendError
from descend.gradients.contract import Program
from descend.losses import LOSSES
from descend.many.code import batch_code
from descend.many.groups import Groups
from descend.many.together import Found, together
from descend.models import Model
from descend.options.request import Request
from descend.parameters import Parameters
from descend.problem.model_reading import gradient_source, read_model
from descend.problem.posing import pose
from descend.results import Fit, fit_of
from descend.starts.robust import settled
from descend.starts.solving import solve
from descend.table import Table, open_table

Array = NDArray[np.float64]
SAMPLED = 24
"""Groups that are fitted by themselves first, for starts that the others try."""
REFUSED = "refused"
"""The outcome of a group that could not be fitted at all."""


@dataclass
class Outcomes:
    """What came of each group. parameters, errors: (groups, components), NaN where there is no fit."""

    parameters: Array
    errors: Array
    loss: Array
    r_squared: Array
    outcome: list[str]
    cause: dict[int, str] = field(default_factory=dict)
    fits: dict[int, Fit] = field(default_factory=dict)


@dataclass(frozen=True)
class Grouped:
    """A table, its groups, and the request that each group is fitted by."""

    request: Request
    table: Table
    groups: Groups
    columns: Mapping[str, Array]
    """Every column that a fit reads, in the order of the groups, NaN where a cell is missing."""

    def single(self, group: int, start: Mapping[str, object] | None = None) -> Fit:
        """Fit one group by itself, with all that a single fit does. Raises DescendError as that does."""
        rows = slice(self.groups.ends[group], self.groups.ends[group + 1])
        data = {name: column[rows] for name, column in self.columns.items()}
        began = time.perf_counter()
        request = (
            self.request.but(data=data)
            if start is None
            else self.request.but(data=data, start=start, second_look=False)
        )
        with np.errstate(all="ignore"):
            table = open_table(data)
            request = settled(request, table)
            return fit_of(solve(pose(request, table), request, began=began))


def grouped(request: Request, table: Table, by: Sequence[str]) -> tuple[Grouped, Model]:
    """Read the groups of a table, and what each fit needs of it. Raises DescendError for what no group could be fitted with."""
    model, _ = read_model(request, table, LOSSES.build(request.loss))
    groups = Groups.of(table, by)
    for name in by:
        if name in model.columns:
            raise ConfigError(
                f"`{name}` tells the groups apart, so it is the same in all rows of one: it cannot be in the model."
            )
    names = dict.fromkeys((*model.response_columns, *model.inputs, *request.roles.columns, *model.loss.own_columns))
    read = table.with_gaps(tuple(names))
    return Grouped(request, table, groups, {name: column[groups.order] for name, column in read.items()}), model


def fit_each(work: Grouped, model: Model) -> Outcomes:
    """Fit every group."""
    count, labels = len(work.groups), model.parameters.labels
    outcomes = Outcomes(
        np.full((count, len(labels)), np.nan),
        np.full((count, len(labels)), np.nan),
        np.full(count, np.nan),
        np.full(count, np.nan),
        [""] * count,
    )
    remaining = np.ones(count, dtype=bool)
    program = _program(work, model)
    if program is not None:
        remaining = _together(work, model, program, outcomes)
    for group in np.flatnonzero(remaining).tolist():
        _alone(work, group, model.parameters, outcomes)
    return outcomes


def _program(work: Grouped, model: Model) -> Program | None:
    """Return what all groups can be fitted with together; None if each must be fitted by itself."""
    request, loss = work.request, model.loss
    plain = loss.plain and not loss.kinked and loss.estimated is None and not (request.l1 or request.l2)
    chosen = request.optimizer is None and request.engine == "auto" and request.gradient in (None, "derived")
    asked = (request.epochs, request.tolerance, request.time_limit, request.batch_size, request.errors) == (None,) * 5
    if not (plain and chosen and asked) or model.symbolic is None or not (loss.quadratic or loss.dispersion_known):
        return None
    code = gradient_source(model, None, work.table, request.roles.spread)[1]
    return code if isinstance(code, Program) else None


def _together(work: Grouped, model: Model, program: Program, outcomes: Outcomes) -> NDArray[np.bool_]:
    """Fit groups together; return which are left for a fit of their own."""
    groups, columns, loss = work.groups, work.columns, model.loss
    y = model.observed(columns)
    omega = work.request.roles.omega(columns)
    sound = np.isfinite(y) & ~loss.response_domain.outside(y) if loss.response_domain.limited else np.isfinite(y)
    for column in columns.values():
        sound &= np.isfinite(column)
    begins = groups.ends[:-1]
    p = model.parameters.size
    whole = np.logical_and.reduceat(sound, begins)
    varied = np.maximum.reduceat(y, begins) > np.minimum.reduceat(y, begins)
    eligible = whole & varied & (groups.sizes > p)
    starts = _starts(work, model, np.flatnonzero(eligible), outcomes)
    eligible &= np.array([not done for done in outcomes.outcome])
    if not len(starts):
        return np.array([not done for done in outcomes.outcome])
    code = batch_code(program)
    found = together(
        code, starts, groups, {name: columns[name] for name in code.columns}, y, omega, np.flatnonzero(eligible)
    )
    errors = _errors(found, model, groups, work.request.sigma)
    good = found.converged & np.isfinite(errors).all(axis=1) & np.isfinite(found.theta).all(axis=1)
    bounds = None if model.constraints is None else model.constraints.bounds
    if bounds is not None:
        good &= ((found.theta >= bounds.low) & (found.theta <= bounds.high)).all(axis=1)
    weight = groups.sizes.astype(np.float64) if omega is None else np.add.reduceat(omega, begins)
    outcomes.parameters[good], outcomes.errors[good] = found.theta[good], errors[good]
    outcomes.loss[good] = (found.loss / weight)[good]
    if loss.quadratic:
        w = np.ones(len(y)) if omega is None else omega
        mean = np.add.reduceat(w * y, begins) / weight
        about = np.add.reduceat(w * (y - np.repeat(mean, groups.sizes)) ** 2, begins)
        outcomes.r_squared[good] = (1.0 - found.loss / about)[good]
    for group in np.flatnonzero(good).tolist():
        outcomes.outcome[group] = str(Outcome.CONVERGED)
    return np.array([not done for done in outcomes.outcome])


def _errors(found: Found, model: Model, groups: Groups, sigma: str | None) -> Array:
    """Return standard errors, (groups, p); NaN where the curvature is singular."""
    loss = model.loss
    scale = np.full(len(groups), loss.unit)
    if loss.quadratic and sigma is None:
        degrees = groups.sizes - model.parameters.size
        scale = 2.0 * found.loss / np.where(degrees > 0, degrees, np.nan)
    variance = np.einsum("gii->gi", found.inverted) * scale[:, None]
    return np.sqrt(variance)


def _starts(work: Grouped, model: Model, eligible: NDArray[np.intp], outcomes: Outcomes) -> Array:
    """Return starts to try in each group, (s, p): those given, or where the fits of a few groups ended."""
    given = dict(work.request.start or {})
    if set(model.parameters.shapes) <= set(given):
        return model.parameters.start(given, 1.0)[None]
    ends = []
    for group in (
        eligible[np.linspace(0, len(eligible) - 1, min(SAMPLED, len(eligible))).astype(np.intp)].tolist()
        if len(eligible)
        else []
    ):
        fit = _alone(work, group, model.parameters, outcomes)
        if fit is not None and fit.succeeded:
            ends.append(fit.theta)
    return np.unique(np.array(ends).reshape(-1, model.parameters.size), axis=0)


def _alone(work: Grouped, group: int, parameters: Parameters, outcomes: Outcomes) -> Fit | None:
    """Fit one group by itself, and keep what came of it."""
    try:
        fit = work.single(group)
    except DescendError as refusal:
        outcomes.outcome[group] = REFUSED
        outcomes.cause[group] = str(refusal)
        return None
    outcomes.fits[group] = fit
    outcomes.outcome[group] = str(fit.outcome)
    outcomes.parameters[group] = fit.theta
    errors = fit.standard_errors
    outcomes.errors[group] = np.concatenate(
        [np.ravel(np.asarray(errors[name], dtype=np.float64)) for name in parameters.shapes]
    )
    outcomes.loss[group] = fit.loss
    outcomes.r_squared[group] = np.nan if fit.r_squared is None else fit.r_squared
    if not fit.succeeded:
        outcomes.cause[group] = fit.advice
    return fit
