"""Where many fits are made: of rows in memory, or of rows that stay where they are and stream through it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from descend.many.fitting import Grouped, fit_each
from descend.many.outcomes import Outcomes
from descend.options.request import Request
from descend.table import Table

if TYPE_CHECKING:
    from descend.many.distant import DistantGroups

Done = Callable[[int, int], object]
"""(groups done, all groups)"""


def fit_placed(
    request: Request, table: Table, by: Sequence[str], on_done: Done | None = None
) -> tuple[Grouped | DistantGroups, Outcomes, tuple[str, ...]]:
    """Fit every group, and say in sentences where that was done, if it was not in memory.

    Raises DescendError where no group can be fitted.
    """
    if request.memory_limit is not None or request.engine == "query" or table.size(len(table.names)):
        from descend.many import distant
        from descend.many.streamed import fit_streamed

        there, notes = distant.stays(request, table, by)
        if there:
            work = distant.DistantGroups.of(request, table, by)
            return work, fit_streamed(work, on_done), notes
    grouped = Grouped.of(request, table, by)
    return grouped, fit_each(grouped), ()
