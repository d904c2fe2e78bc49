"""A fit that lists outliers, or leaves them out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from descend.descent import Step
from descend.errors import ConfigError
from descend.inference.rows.outliers import Outliers, outliers_of
from descend.losses import LEAST_SQUARES, LOSSES, Loss
from descend.options.outliers import read_outliers
from descend.options.request import Request
from descend.results.solved import SolvedFit
from descend.table import Table
from descend.table.in_memory import with_rows
from descend.wording import spell

Fitting = Callable[[Request, Table, Callable[[Step], None] | None, float], SolvedFit]


def fit_with_outliers(
    request: Request, table: Table, on_step: Callable[[Step], None] | None, began: float, fitted: Fitting
) -> SolvedFit:
    """Fit all rows, and list those that are outliers; where they are to be left out, fit the others again.

    fitted: fits a request that says nothing of outliers. Raises ConfigError for what outliers cannot be told of.
    """
    rule = read_outliers(request.outliers)
    _refuse(request)
    plain = request.but(outliers=None)
    first = fitted(plain, table, None if rule.drop else on_step, began)
    solution = first.solution
    if solution.all_rows is not None or solution.objective.arrow:
        why = "but these stay where they are" if solution.all_rows is not None else "and fewer parameters per group"
        raise ConfigError(f"Outliers are told from the rows in memory, {why}. Leave out {spell('outliers')}.")
    _refuse_sided(solution.loss_function)
    outliers = outliers_of(solution, rule.rate, _by_label(first))
    if not (rule.drop and outliers.rows):
        return _with(first, outliers)
    rows_kept = np.ones(table.rows, dtype=bool)
    rows_kept[[each.row - 1 for each in outliers.rows]] = False
    names = [name for name in solution.problem.table.given(solution.columns) if name in table.names]
    smaller = with_rows(table, rows_kept, names)
    again = fitted(plain, smaller, on_step, began)
    return _with(again, replace(outliers, dropped=True))


def _with(fit: SolvedFit, outliers: Outliers) -> SolvedFit:
    fit.solution.answers["outliers"] = outliers
    return replace(fit, notes=(str(outliers), *fit.notes))


def _by_label(fit: SolvedFit) -> dict[str, tuple[float, float | None]]:
    """Return the estimates and their standard errors by label."""
    shapes, errors = fit.model.every_parameter, fit.standard_errors
    values = shapes.flat(fit.parameters).tolist()
    spread = [None] * len(values) if errors is None else shapes.flat(errors).tolist()
    return {
        label: (value, None if error is None or np.isnan(error) else error)
        for label, value, error in zip(shapes.labels, values, spread, strict=True)
    }


def _refuse_sided(loss: Loss) -> None:
    loss.refuse_classes("no outliers")
    if loss.states or loss.deviations:
        raise ConfigError(
            "Outliers are told from exact values with errors that are alike to both sides, and those of this fit are "
            f"{'censored or rounded' if loss.states else 'not'}. Leave out {spell('outliers')}."
        )


def _refuse(request: Request) -> None:
    loss = LOSSES.build(request.loss)
    _refuse_sided(loss)
    if isinstance(request.model, str) and ";" in request.model:
        raise ConfigError(
            f"{spell('outliers')} are rows of one response, and there are several. Fit one formula, or look at "
            "fit.influence()."
        )
    if loss.estimated is not None or not loss.quadratic:
        raise ConfigError(
            f"Outliers are rows too far off for normal scatter, which the {loss.name} loss does not have. Use "
            f"{spell('loss', LEAST_SQUARES.name)}, or leave out {spell('outliers')}: a robust loss gives outliers "
            "little weight itself."
        )
    for key, why in (
        ("covariance", "a covariance of the response"),
        ("x_sigma", "errors of inputs"),
        ("variance", "a variance estimated from all rows, those far off among them"),
        ("priors", "priors"),
        ("l1", "a penalty"),
        ("l2", "a penalty"),
        ("checkpoint", "a checkpoint, which keeps one run"),
    ):
        if request[key]:
            raise ConfigError(f"{spell('outliers')} does not go with {why}. Leave out one of the two.")
    if request.validation is not None:
        raise ConfigError(
            f"{spell('outliers')} are told of the rows that are fitted, and {spell('validation')} holds some out. "
            "Leave out one of the two."
        )
    if request.engine == "query":
        raise ConfigError(
            "Outliers are told from the rows in memory, but these stay where they are. Leave out "
            f"{spell('engine', 'query')}, or {spell('outliers')}."
        )
