"""Where many fits are made: of rows in memory, of rows that stream through it, or by sums where the rows lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from descend.errors import ConfigError
from descend.many.fitting import fit_each
from descend.many.grouped import Grouped
from descend.many.outcomes import Outcomes
from descend.many.progress import Done
from descend.many.refusals import refuse_options
from descend.options.request import Request
from descend.table import Table

if TYPE_CHECKING:
    from descend.many.groups_elsewhere import DistantGroups

TEXT = 10
"""How many times the memory of a number a text takes that tells groups apart."""
QUERIES = 64
"""Numbers of rows that come here once in the time in which a number of a group's sums is asked for at each step, about:
there are some 16 steps, and each query passes over all rows."""


def fit_placed(
    request: Request, table: Table, by: Sequence[str], on_done: Done | None = None
) -> tuple[Grouped | DistantGroups, Outcomes, tuple[str, ...]]:
    """Fit every group, and say in sentences where that was done, if it was not in memory.

    on_done: called with the number of groups done, and of all, as it goes on. Raises DescendError where no group can be
    fitted.
    """
    if request.reference:
        from descend.problem.response_levels import settled_response

        request, table = settled_response(request, table)
    if request.memory_limit is not None or request.engine == "query" or table.size(len(table.names)):
        stays, why = _stays(request, table, by)
        if stays:
            from descend.many.groups_elsewhere import DistantGroups

            distant = DistantGroups.of(request, table, by)
            refuse_options(distant)
            return distant, *_where_they_lie(distant, why, on_done)
    grouped = Grouped.of(request, table, by)
    refuse_options(grouped)
    return grouped, fit_each(grouped, on_done=on_done), ()


def _where_they_lie(groups_fitted: DistantGroups, why: str, on_done: Done | None) -> tuple[Outcomes, tuple[str, ...]]:
    """Have the groups summed by the database, if asked to or fewer numbers travel so, else stream the rows."""
    from descend.many.streamed import fit_streamed
    from descend.many.summed_by_database import Summed, fit_summed

    requested, far = groups_fitted.request.engine == "query", groups_fitted.table.far is not None
    if requested or (far and _fewer_sums(groups_fitted)):
        summed = Summed.of(groups_fitted)
        if isinstance(summed, Summed):
            notes = () if requested else ("all groups summed by queries of their database, as these are fewer",)
            return fit_summed(summed, on_done), notes
        why = f", as {summed}"
    where_text = f"in their database ({groups_fitted.table.source})" if far else "in DuckDB"
    return fit_streamed(groups_fitted, on_done), (f"rows sorted by group {where_text}, and fitted as they come{why}",)


def _fewer_sums(groups_fitted: DistantGroups) -> bool:
    """Whether fewer numbers travel if all groups are summed where they lie than if their rows are fetched."""
    size = groups_fitted.model.parameters.size
    of_group = len(groups_fitted.groups.by) + 2 * size + 1 + size * (size + 3) // 2
    of_row = len(groups_fitted.lazy.names) + 1
    return QUERIES * of_group * len(groups_fitted.groups) < of_row * int(groups_fitted.groups.ends[-1])


def _stays(request: Request, table: Table, by: Sequence[str]) -> tuple[bool, str]:
    """Say whether the rows stay where they are, and why, as the end of a sentence, if that was decided here.

    Raises ConfigError for a memory limit that cannot be kept.
    """
    from descend.problem.out_of_core import IN_MEMORY
    from descend.table.joined_in_database import TAKING
    from descend.table.memory import read_size, there_is, written

    limit = None if request.memory_limit is None else read_size(request.memory_limit)
    words = sum(table.types[name] not in ("number", "boolean") for name in by if name in table.names)
    needed, far = IN_MEMORY * table.size(len(table.names) + TEXT * words), table.far
    foreign = far is not None and far not in TAKING
    if foreign or request.engine not in ("auto", "query"):
        if limit is not None and (needed > limit or far is not None):
            cause = f"the database ({far})" if foreign else f"the engine `{request.engine}`"
            remedy = "Copy them into a Parquet file" if foreign else "Leave out the engine"
            raise ConfigError(
                f"With {cause}, one fit for each group of {' and '.join(by)} needs all rows in memory"
                f"{'' if far else f', about {written(needed)}'}, but the memory limit is {written(limit)}. {remedy}, "
                "or raise the limit."
            )
        return False, ""
    if request.engine == "query" or far is not None:
        return True, ""
    allowed = there_is() // 2 if limit is None else limit
    most = "half of this machine's memory" if limit is None else "the memory limit"
    return needed > allowed, (
        f", as they would take about {written(needed)} of memory, more than {most}, {written(allowed)}"
    )
