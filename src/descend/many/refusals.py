"""What many fits cannot be asked for, refused once, before any group is fitted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from descend.descent.beginning import choose
from descend.errors import ConfigError, DescendError, FormulaError
from descend.losses import LEAST_SQUARES
from descend.many.grouped import Grouped
from descend.optimizers.schedules import schedule_of
from descend.options.request import Request
from descend.problem.posing import pose
from descend.results.fitting import follows_prediction
from descend.starts.robust import loss_of
from descend.table import Table
from descend.table.by_file import FILENAME
from descend.wording import spell

if TYPE_CHECKING:
    from descend.many.groups_elsewhere import DistantGroups

HARMLESS = frozenset({"model", "data", "by", "response", "where", "loss", "memory_limit"})
"""What is given of a request in which there is nothing to refuse that was not looked at yet."""


def refuse_of_one(request: Request) -> None:
    """Refuse what is told of one fit, from its steps or from all of its rows."""
    for key in ("log_every", "on_step"):
        if request[key] is not None:
            raise ConfigError(
                f"{spell(key)} follows the steps of one fit, and {spell('by')} makes many. Leave it out; in Python "
                "on_groups=function is told how many are done."
            )
    for key in ("checkpoint", "resume"):
        if request[key]:
            raise ConfigError(f"{spell(key)} keeps the run of one fit, and {spell('by')} makes many. Leave it out.")
    if request.roles.clusters:
        raise ConfigError(
            f"Clustered errors are of one fit, and {spell('by')} makes many. Leave out one of the two; one fit of all "
            "groups has parameters of each, as in a[site]."
        )
    if isinstance(request["l1"], str) or isinstance(request["l2"], str):
        raise ConfigError(
            f"A penalty is chosen by cross-validation for one fit, and {spell('by')} makes many. Give it as a number."
        )
    if request.validation is not None and not isinstance(request.validation, float):
        raise ConfigError(
            f"Rows of their own do not say which group each is held out of. Give {spell('validation')} as a share of "
            f"the rows, such as 0.2, or leave out {spell('by')}."
        )
    if request.outliers:
        raise ConfigError(
            f"{spell('outliers')} are told from the rows of one fit, and {spell('by')} makes many. Leave out one of "
            "the two, or fit one group alone."
        )


def refuse_reweighting(request: Request, table: Table) -> None:
    """Refuse weights that follow from the prediction, for which each group would be fitted again and again."""
    if follows_prediction(request, table):
        key = "variance" if request.variance is not None else "sigma" if request.sigma is not None else "weights"
        raise ConfigError(
            f"{spell(key)} follows from the prediction of one fit, and {spell('by')} makes many. Leave out one of the "
            "two; one fit of all groups has parameters of each, as in a[site]."
        )


def refuse_of_files(request: Request) -> None:
    """Refuse what one table alone can have, where each file is a group."""
    for key in ("memory_limit", "engine"):
        if request[key] not in (None, "auto"):
            raise ConfigError(
                f"{spell('by', FILENAME)} reads all files into memory, so that {spell(key)} has no meaning there. "
                "Leave it out."
            )
    for key in ("censored", "rounded"):
        if request[key] is not None:
            raise ConfigError(
                f"{spell(key)} is read of one table, and {spell('by', FILENAME)} makes one of each file. Read the "
                "files into one table, with a column that tells them apart."
            )


def refuse_options(groups_fitted: Grouped | DistantGroups) -> None:
    """Raise ConfigError or FormulaError if a request cannot be met in the first and the last group that are sound.

    What is wrong with their rows is told with these groups.
    """
    if not groups_fitted.request.given.keys() - HARMLESS:
        return
    refused: DescendError | None = None
    for request, table in _ends(groups_fitted):
        try:
            with np.errstate(all="ignore"):
                choose(pose(request, table), request)
            schedule_of(request.schedule)
        except (ConfigError, FormulaError) as error:
            refused = refused or error
        except DescendError:
            return
        else:
            return
    if refused is not None:
        raise refused


def _ends(fitted: Grouped | DistantGroups) -> Iterator[tuple[Request, Table]]:
    """Yield the request and the rows of the first and of the last group with enough complete rows, if there are any."""
    if isinstance(fitted, Grouped):
        if not fitted.sound.any():
            return
        grouped, some = fitted, np.flatnonzero(fitted.sound)[[0, -1]]
    else:
        sizes = fitted.groups.sizes
        likely = (fitted.complete == sizes) & (sizes > fitted.model.parameters.size) & (sizes <= fitted.most)
        if not likely.any():
            return
        grouped, some = fitted.fetch(np.unique(np.flatnonzero(likely)[[0, -1]])), np.array([0, -1])
    # A scale that is still to be estimated is a matter of each group's rows.
    quiet_options = {} if loss_of(fitted.request).estimated is None else {"loss": LEAST_SQUARES}
    for group in np.unique(some % len(grouped.groups)).tolist():
        yield grouped.request.but(by=None, data=None, **quiet_options), grouped.table_of(group)
