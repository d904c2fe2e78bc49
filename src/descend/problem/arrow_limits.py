"""Very many parameters per group, an arrow: what that does not go with, and what sums rows that stay where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from descend.errors import ConfigError
from descend.gradients.derived import Program
from descend.options.request import Request
from descend.wording import spell

if TYPE_CHECKING:
    from descend.engines.arrow_query import ArrowQueryEngine
    from descend.engines.arrow_stream import ArrowStreamEngine
    from descend.table.lazy import Lazy

MOST_SHARED = 1_000
"""Parameters that do not belong to a group of the finest grouping, at most: their curvature is a matrix."""
MOST_BORDER = 1 << 27
"""Pairs of an own and a shared parameter, at most: 1 GiB."""


def refuse(program: Program, engine: str) -> None:
    """Raise ConfigError for an engine, a gradient or a second grouping for which there is no arrow."""
    size = program.parameters.size
    if engine not in ("numpy", "auto", "query"):
        raise ConfigError(
            f"The engine `{engine}` sums curvature as a matrix, and for that {size:,} parameters, most of one group "
            f"each, are too many. Leave out the engine, or use {spell('engine', 'numpy')}."
        )
    if program.by_hand is not None:
        raise ConfigError(
            f"A gradient by hand does not go with {size:,} parameters, most of one group each. Leave it out: the "
            "derived one is summed group by group."
        )
    if program.loss.own_parameters:
        raise ConfigError(
            f"The {program.loss.name} loss has parameters of its own, which do not go with {size:,} parameters, most "
            "of one group each. Use another loss, or fewer groups."
        )
    _refuse_wide(program)


def _refuse_wide(program: Program) -> None:
    """Refuse parameters outside the finest grouping that are too many for the border of an arrow."""
    levels = {term.levels.columns: len(term.levels) for term in program.formula.terms.values() if term.levels}
    finest = max(levels, key=lambda columns: levels[columns])
    own = sum(
        len(program.formula.parameters[name] or ())
        for name in {
            term.vector for term in program.formula.terms.values() if term.levels and term.levels.columns == finest
        }
    )
    shared = program.parameters.size - own
    if shared <= MOST_SHARED and own * shared <= MOST_BORDER:
        return
    name = f"`{', '.join(finest)}`"
    others = {columns: count for columns, count in levels.items() if columns != finest}
    most = max(min(MOST_SHARED, MOST_BORDER // own), 1)
    if others:
        other = max(others, key=lambda columns: others[columns])
        raise ConfigError(
            f"{name} has {levels[finest]:,} groups and `{', '.join(other)}` has {others[other]:,}: parameters of two "
            f"groupings as large as these cannot be fitted together. Beside those of {name} there may be {most:,} "
            f"parameters, and there are {shared:,}. Leave one grouping out, or make it coarser."
        )
    raise ConfigError(
        f"{shared:,} parameters are shared by the {levels[finest]:,} groups of {name}; with as many groups there may "
        f"be {most:,}. Leave some out."
    )


def refuse_for_arrow(program: Program, request: Request) -> None:
    """Raise ConfigError for a request that does not go with an arrow, or not with one whose rows are elsewhere."""
    refuse(program, request.engine)
    if request.batch_size is not None:
        raise ConfigError(
            "Rows that stay where they are are summed by one query for all groups, so that "
            f"{program.parameters.size:,} parameters, most of one group each, take no batches. Leave out "
            f"{spell('batch_size')}, or use {spell('engine', 'numpy')}."
        )
    if request.roles.clusters:
        refuse_clusters(program.parameters.size)
    if request.device is not None:
        raise ConfigError(
            f"A device does not go with {program.parameters.size:,} parameters, most of one group each. Leave out "
            f"{spell('device')}."
        )


def refuse_clusters(size: int) -> NoReturn:
    """Raise ConfigError for clustered errors, which take the pulls of all rows."""
    raise ConfigError(
        f"Clustered errors of {size:,} parameters, most of one group each, take all rows in memory, but these stay "
        f"where they are. Use {spell('engine', 'numpy')}, or other {spell('errors')}."
    )


def engine_of_arrow(
    program: Program, lazy: Lazy, counted: tuple[int, float]
) -> tuple[ArrowQueryEngine | ArrowStreamEngine, tuple[str, ...]]:
    """Return what sums the rows, and a sentence where that is not the database."""
    from descend.engines.arrow_query import ArrowQueryEngine
    from descend.engines.arrow_stream import ArrowStreamEngine
    from descend.formula.printers.database import LackingFunctionError
    from descend.table.joined_in_database import TAKING

    database, lacking = lazy.backend.name, "takes no table of ours with the parameters of groups"
    if database in TAKING:
        try:
            return ArrowQueryEngine(program, lazy, counted), ()
        except LackingFunctionError as error:
            lacking = f"has no function {error}"
    note = f"rows streamed to NumPy in blocks, as the database ({database}) {lacking}"
    return ArrowStreamEngine(program, lazy, counted), (note,)
