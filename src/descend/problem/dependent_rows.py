"""Rows that are not independent of each other: in clusters, or with a covariance that is known."""

from __future__ import annotations

from descend.errors import ConfigError, DataError
from descend.gradients.contract import Kernel, Summand
from descend.losses import Loss
from descend.models import Model
from descend.options.kinds_of_errors import read_errors
from descend.options.request import Request
from descend.table import Table
from descend.table.levels import Levels
from descend.table.table import Coding
from descend.wording import spell


def with_clusters(table: Table, request: Request, model: Model) -> Table:
    """Return the same rows, of which the places of their clusters can be read, too.

    Raises ConfigError where no errors follow, and DataError for a column that is not there or has one value.
    """
    assert request.errors is not None
    kind = read_errors(request.errors)
    if model.inexact and model.formula is not None and model.formula.parts:
        raise ConfigError(
            "Errors of inputs of several responses take rows as independent, but clustered errors take those of a "
            "cluster as alike. Leave out one of the two."
        )
    codings: dict[str, Coding] = {coding.name: coding for coding in model.codings}
    for column in kind.columns:
        levels = Levels.of(table, (column,))
        if len(levels) < 2:
            raise DataError(
                f"All rows of {table.source} are of one cluster, `{column}` = {levels.labels[0]}. Clustered errors "
                "need several, of which none is large beside the others."
            )
        codings.setdefault(levels.name, levels)
    return table.with_codings(codings.values())


def refuse_clusters_elsewhere(request: Request, loss: Loss) -> None:
    """Raise ConfigError for clustered errors that rows which stay where they are do not have in one pass."""
    columns = request.roles.clusters
    if len(columns) > 1 or (columns and loss.kinked):
        kind = "by several columns" if len(columns) > 1 else f"of the {loss.name} loss"
        raise ConfigError(
            f"Clustered errors {kind} need the rows in memory, but these stay where they are. Use "
            f"{spell('engine', 'numpy')}, or cluster by one column with a smooth loss."
        )


def coupled_rows(code: Summand, model: Model, gradient: str, request: Request) -> Kernel:
    """Return the sums of a problem whose rows have a known covariance. Raises ConfigError where there are none."""
    if not model.loss.quadratic:
        raise ConfigError(
            f"{spell('covariance')} is that of normal errors, but the {model.loss.name} loss has errors of another "
            "kind. Use the squared loss."
        )
    if request.roles.clusters:
        raise ConfigError(
            f"{spell('covariance')} says how rows go together, and clustered errors estimate it. Leave out one of "
            "the two."
        )
    if code.arrow:
        raise ConfigError(
            f"{spell('covariance')} couples the rows of all groups, so that {model.parameters.size:,} parameters, most "
            "of one group each, are too many. Fit fewer groups."
        )
    from descend.gradients.whitened_rows import coupled

    return coupled(code, model, gradient)
