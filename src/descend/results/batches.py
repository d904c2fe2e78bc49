"""A fit of rows that come batch by batch: their moments are kept, the rows are not."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np
from sympy import Expr

from descend.engines.merged import MergedEngine, merged
from descend.engines.moments import Factors, MomentsEngine, refusal
from descend.errors import ConfigError, DataError
from descend.gradients.derived import as_program
from descend.losses import LOSSES
from descend.losses.row_sums import row_terms, sum_over_rows
from descend.options.request import OPTIONS, Request
from descend.problem.objective import objective_over
from descend.problem.posing import pose
from descend.problem.problem import AllRows, Problem
from descend.results.loaded import LoadedFit
from descend.results.loading import restored
from descend.results.saving import content_of
from descend.results.solved import fit_of
from descend.starts.begin_and_descend import solve
from descend.table import Table
from descend.table.rows import Roles, Rows

if TYPE_CHECKING:
    from descend.table.lazy import Lazy

Ranges = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Batches:
    """What is kept of the rows so far.

    formula, labels: what they were summed for. roles: where their weights came from. factors: their moments. count: how
    many rows there are; counting: those of a weight above 0. omega: the sum of the weights. mean, spread: of the
    response, sum omega (y - mean)**2. squares: sum y**2. terms: the sum of each of ``row_terms``. ranges: the
    least and the largest value of each column.
    """

    formula: str
    labels: tuple[str, ...]
    roles: Roles
    factors: Factors
    count: int
    counting: int
    omega: float
    mean: float
    spread: float
    squares: float
    terms: Mapping[Expr, float]
    ranges: Ranges

    @classmethod
    def of(cls, problem: Problem) -> Batches:
        """Return what is kept of the rows of a problem. Raises ConfigError where moments do not say all of it."""
        rows, program, engine = problem.rows, as_program(problem.code), problem.objective.engine
        refused = "is for rows in memory" if problem.all_rows is not None else refusal(problem.code)
        if refused is not None:
            raise without_moments(refused)
        assert program is not None
        if problem.objective.arrow:
            raise ConfigError("partial_fit is not for parameters of very many groups. Use fit for all rows at once.")
        summed = engine if isinstance(engine, MomentsEngine) else MomentsEngine(program, rows)
        omega = np.ones(rows.count) if rows.omega is None else rows.omega
        mean = float(omega @ rows.y / omega.sum())
        loss = problem.model.loss
        return cls(
            formula=str(problem.model),
            labels=tuple(problem.model.parameters.labels),
            roles=rows.roles,
            factors=summed.moments,
            count=rows.count,
            counting=int(np.count_nonzero(omega)),
            omega=float(omega.sum()),
            mean=mean,
            spread=float(omega @ (rows.y - mean) ** 2),
            squares=float(rows.y @ rows.y),
            terms={
                term: sum_over_rows(loss, term, rows.y, omega)
                for term in row_terms(loss, rows.roles.spread is not None)
            },
            ranges={name: (float(column.min()), float(column.max())) for name, column in rows.columns.items()},
        )

    def joined(self, later: Batches) -> Batches:
        """Return what is kept of both. Raises ConfigError or DataError where they are not of one fit."""
        if later.formula != self.formula:
            raise ConfigError(
                f"The rows before were summed for `{self.formula}`, and the formula is now `{later.formula}`. Clone "
                "the estimator to begin anew."
            )
        if later.labels != self.labels:
            new = sorted(set(later.labels) ^ set(self.labels))
            raise DataError(
                f"These rows have other groups than those before: {', '.join(f'`{label}`' for label in new[:3])}. "
                "Each batch needs rows of every group."
            )
        if later.roles.sigma != self.roles.sigma:
            raise ConfigError("Some batches have sigma, others do not. Give it for all of them, or for none.")
        omega = self.omega + later.omega
        share = later.omega / omega
        names = dict.fromkeys((*self.terms, *later.terms))
        # Rows without weights count 1 each, so that the terms of theirs that only weights have are 0.
        return replace(
            later if later.roles.spread else self,
            factors=merged(self.factors, later.factors),
            count=self.count + later.count,
            counting=self.counting + later.counting,
            omega=omega,
            mean=self.mean + share * (later.mean - self.mean),
            spread=self.spread + later.spread + self.omega * share * (later.mean - self.mean) ** 2,
            squares=self.squares + later.squares,
            terms={name: self.terms.get(name, 0.0) + later.terms.get(name, 0.0) for name in names},
            ranges=_wider(self.ranges, later.ranges),
        )

    def of_all(self, problem: Problem) -> Problem:
        """Return a problem of the last rows as that of all."""
        columns = {name: np.array(ends) for name, ends in self.ranges.items()}
        rows = Rows.of(columns, self.roles, problem.rows.observed, problem.rows.source)
        batch, engine = problem.objective, MergedEngine(self.factors, self.count, self.omega, rows)
        objective = batch.with_priors_of(objective_over(engine, batch.penalty, batch.bounds))
        objective.bounds = batch.bounds
        lazy = cast("Lazy", None)  # no rows are anywhere
        merged_rows = AllRows(lazy, self.counting, self.omega, self.spread, self.squares, self.terms)
        mean = self.squares / self.count
        return replace(problem, rows=rows, objective=objective, scale=mean, squares=mean, all_rows=merged_rows)


def _wider(first_ranges: Ranges, second_ranges: Ranges) -> Ranges:
    """Return ranges that hold both, of every column that either has."""
    every = {**first_ranges, **second_ranges}
    both = {name: (first_ranges.get(name, ends), second_ranges.get(name, ends)) for name, ends in every.items()}
    return {name: (min(a[0], b[0]), max(a[1], b[1])) for name, (a, b) in both.items()}


def fit_batch(request: Request, table: Table, before: Batches | None) -> tuple[LoadedFit, Batches]:
    """Fit the rows of a table and those before them, whose moments are known; return the moments of all, too.

    So many rows as determine the parameters need not be there yet: of equally good answers it is the shortest.

    Raises ConfigError for what needs the rows: other losses than the squared one, formulas that are not linear, robust
    errors, penalties that are chosen, priors, which count as rows do.
    """
    refuse({key: request[key] for key in OPTIONS})
    began = time.perf_counter()
    with np.errstate(all="ignore"):
        problem = pose(request.but(bare=True), table)
        found = Batches.of(problem)
        batches = found if before is None else before.joined(found)
        problem = batches.of_all(problem)
        try:
            solution = solve(problem, request, began=began)
        except DataError:
            solution = solve(problem, request.but(bare=True), began=began)
        fit = fit_of(solution)
        batch_fit = restored(content_of(fit), fit.model, fit.theta, fit.trace)
    return replace(batch_fit, _origin="was summed from batches"), batches


def refuse(values: Mapping[str, object]) -> None:
    """Raise ConfigError for options that cannot be fitted from moments."""
    for key, option in OPTIONS.items():
        if option.needs_rows and values.get(key):
            raise ConfigError(
                f"partial_fit keeps the moments of the rows and not the rows, which `{key}` needs. Leave it out, "
                "or use fit for all rows at once."
            )
    for key in ("l1", "l2"):
        if isinstance(values[key], str):
            raise ConfigError(
                f"partial_fit takes `{key}` as a number: rows that are gone cannot be held out. Choose it with fit."
            )
    if values["errors"] not in (None, "model"):
        raise ConfigError(
            f"The {values['errors']} errors need the residuals of all rows, and partial_fit keeps only their moments. "
            "Leave out `errors`, or use fit for all rows at once."
        )
    loss = LOSSES.build(cast("str", values["loss"]))
    if not loss.quadratic:
        raise without_moments(f"is for the squared loss, not for the {loss.name} loss")


def without_moments(refused: str) -> ConfigError:
    """Return the error for rows whose moments do not say all of them. refused: why, after "partial_fit "."""
    return ConfigError(
        f"partial_fit {refused}, as it keeps the moments of the rows and not the rows. Use fit for all of them."
    )
