"""Very many parameters per group of rows that stay where they are: what sums them, and what does not go with that."""

from __future__ import annotations

from typing import NoReturn

from descend.engines.arrow_query import ArrowQueryEngine
from descend.engines.arrow_stream import ArrowStreamEngine
from descend.errors import ConfigError
from descend.formula.printers.database import LackingFunctionError
from descend.gradients.contract import Kernel
from descend.gradients.derived import Program
from descend.options.request import Request
from descend.problem.arrow_limits import refuse
from descend.table.joined_in_database import TAKING
from descend.table.lazy import Lazy
from descend.wording import spell


def refuse_for_arrow(code: Program | Kernel, request: Request) -> None:
    """Raise ConfigError for a request that does not go with an arrow, or not with one whose rows are elsewhere."""
    assert isinstance(code, Program)
    refuse(code, request.engine)
    if request.batch_size is not None:
        raise ConfigError(
            f"Rows that stay where they are are summed by one query for all groups, so that {code.parameters.size:,} "
            f"parameters, most of one group each, take no batches. Leave out {spell('batch_size')}, or use "
            f"{spell('engine', 'numpy')}."
        )
    if request.roles.clusters:
        refuse_clusters(code.parameters.size)
    if request.device is not None:
        raise ConfigError(
            f"A device does not go with {code.parameters.size:,} parameters, most of one group each. Leave out "
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
    database, lacking = lazy.backend.name, "takes no table of ours with the parameters of groups"
    if database in TAKING:
        try:
            return ArrowQueryEngine(program, lazy, counted), ()
        except LackingFunctionError as error:
            lacking = f"has no function {error}"
    note = f"rows streamed to NumPy in blocks, as the database ({database}) {lacking}"
    return ArrowStreamEngine(program, lazy, counted), (note,)
