"""Options that are wrong for every group, refused once, before any group is fitted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from descend.descent.beginning import choose
from descend.errors import ConfigError, DescendError, FormulaError
from descend.losses import LEAST_SQUARES
from descend.many.fitting import Grouped
from descend.optimizers.schedules import schedule_of
from descend.options.request import Request
from descend.problem.posing import pose
from descend.starts.robust import loss_of
from descend.table import Table

if TYPE_CHECKING:
    from descend.many.distant import DistantGroups

HARMLESS = frozenset({"model", "data", "by", "response", "where", "loss", "memory_limit"})
"""What is given of a request in which there is nothing to refuse that was not looked at yet."""


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
