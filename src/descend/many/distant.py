"""Groups whose rows stay where they are, in files or a database: which there are, and the rows of some of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError, DataError
from descend.many.fitting import Grouped, model_by_groups
from descend.many.groups import Groups
from descend.many.source import OfRows
from descend.models import Model
from descend.options.request import Request
from descend.problem.out_of_core import IN_MEMORY
from descend.results import Fit
from descend.results.fitting import fit_table
from descend.table import Table
from descend.table.beside import TAKING, Beside, blocks, fetched
from descend.table.lazy import Lazy
from descend.table.levels import keys_in_order, said
from descend.table.memory import LEAST, PROGRAM, read_size, there_is, written
from descend.table.not_numbers import quoted_if_odd

if TYPE_CHECKING:
    import ibis.expr.types as ir

Array = NDArray[np.float64]
Places = NDArray[np.intp]
BLOCK = 1 << 16
"""Rows that are fetched at a time."""
FEWEST, MOST = 1 << 14, 1 << 21
"""Rows that are fitted at a time, if memory allows: enough that no processor waits, few enough to tell how it goes."""
STREAMING = frozenset({"duckdb", "postgres"})
"""Databases that hand over sorted rows as they are taken; of others each share of the groups is a query of its own."""


@dataclass(frozen=True)
class DistantGroups(OfRows):
    """A table by groups whose rows are not in memory.

    lazy: the columns that a fit reads, and those that tell groups apart. complete: the rows of each group without a
    missing or infinite cell. room: bytes that rows in memory may take while they are fitted.
    """

    request: Request
    table: Table
    model: Model
    lazy: Lazy
    groups: Groups
    complete: Places
    room: float

    @classmethod
    def of(cls, request: Request, table: Table, by: Sequence[str]) -> DistantGroups:
        """Ask for the groups of a table. Raises DescendError where no group can be fitted."""
        model = model_by_groups(request, table, by)
        limit = there_is() // 2 if request.memory_limit is None else read_size(request.memory_limit)
        room = max(limit - PROGRAM, LEAST // 2)
        memory = None if request.memory_limit is None else room // 2
        names = dict.fromkeys((*model.response_columns, *model.inputs, *request.roles.columns, *model.loss.own_columns))
        lazy = table.lazy(tuple(names), memory, by).with_roles(request.roles)
        groups, complete = _known(lazy, table)
        within = request.but(by=None, engine="auto", memory_limit=None)
        return cls(within, table, model, lazy, groups, complete, room / 4)

    @property
    def most(self) -> int:
        """How many rows may be in memory at a time."""
        each = IN_MEMORY * 8.0 * (len(self.lazy.names) + 1)
        return int(min(max(self.room / each, FEWEST), MOST))

    @cached_property
    def beside(self) -> Beside:
        """The groups that are found for: their keys, and their places."""
        schema = self.lazy.table.schema()
        kinds = {f"k{number}": str(schema[f"k{number}"]) for number in range(len(self.groups.by))}
        return Beside(self.lazy, {"g": "int64"} | kinds)

    def ask_for(self, places: Places) -> ir.Table:
        """Put groups beside the rows; returns the Ibis table of their rows, with the place of the group as ``g``."""
        keys = list(zip(*(self.groups.keys[place] for place in places.tolist()), strict=True))
        table, beside = self.lazy.table, self.beside
        columns: dict[str, object] = {"g": places}
        for number, values in enumerate(keys):
            text = beside.kinds[f"k{number}"] == "string"
            columns[f"k{number}"] = list(values) if text else np.array(values, dtype=np.float64)
        beside.put(columns)  # type: ignore[arg-type]
        same = [table[name] == beside.table[name] for name in beside.kinds if name != "g"]
        numbered = [name for name in table.columns if not name.startswith("k")]
        return table.join(beside.table, same).select("g", *numbered)

    def shares(self, places: Places) -> Iterator[tuple[Places, Grouped]]:
        """Fetch groups, in order, so many at a time as may be in memory: their places, and the groups as a table."""
        if self.lazy.backend.name in STREAMING:
            yield from self._streamed(places)
            return
        share = np.cumsum(self.groups.sizes[places]) // self.most
        for some in np.split(places, np.flatnonzero(np.diff(share)) + 1):
            if len(some):
                yield some, self.fetch(some)

    def _streamed(self, places: Places) -> Iterator[tuple[Places, Grouped]]:
        if not len(places):
            return
        found = self.ask_for(places)
        found = found.order_by([name for name in ("g", "place") if name in found.columns])
        waiting: list[dict[str, Array]] = []
        rows = 0
        for block in blocks(self.lazy, found, BLOCK, self.beside):
            waiting.append(block)
            rows += len(block["g"])
            if rows < self.most:
                continue
            joined = {name: np.concatenate([each[name] for each in waiting]) for name in block}
            end = int(np.searchsorted(joined["g"], joined["g"][-1]))  # the last group may go on in the next block
            if end:
                yield self._grouped({name: column[:end] for name, column in joined.items()})
            waiting, rows = [{name: column[end:].copy() for name, column in joined.items()}], rows - end
        if rows:
            yield self._grouped({name: np.concatenate([each[name] for each in waiting]) for name in waiting[0]})

    def fetch(self, places: Places) -> Grouped:
        """Fetch the rows of some groups."""
        found = fetched(self.lazy, self.ask_for(places), self.beside)
        order = np.argsort(found["g"], kind="stable")
        return self._grouped({name: column[order] for name, column in found.items()})[1]

    def _grouped(self, rows: Mapping[str, Array]) -> tuple[Places, Grouped]:
        """Return groups from their rows, which are in order."""
        places = rows["g"].astype(np.intp)
        begins = np.flatnonzero(np.r_[True, places[1:] != places[:-1]])
        chosen, ends = places[begins], np.r_[begins, len(places)].astype(np.intp)
        keys = [self.groups.keys[place] for place in chosen.tolist()]
        groups = Groups(self.groups.by, keys, np.arange(len(places)), ends, 0)
        columns = {name: rows[f"c{number}"] for number, name in enumerate(self.lazy.names)}
        return chosen, Grouped(self.request, self.table, self.model, groups, columns)

    def rows_of(self, group: int) -> Mapping[str, Array] | None:
        """Return the columns of one group; None if they do not fit into memory."""
        return None if self.groups.sizes[group] > self.most else self.fetch(np.array([group])).columns

    def condition(self, group: int) -> str:
        """Return the SQL condition for the rows of one group."""
        return " AND ".join(
            f"{quoted_if_odd(name)} = {_literal(value)}"
            for name, value in zip(self.groups.by, self.groups.keys[group], strict=True)
        )

    def alone(self, group: int, start: Mapping[str, object] | None = None) -> Fit:
        """Fit one group by itself: fetched, or where it lies if it does not fit into memory."""
        if self.groups.sizes[group] <= self.most:
            return self.fetch(np.array([group])).alone(0, start)
        known, began = {} if start is None else {"start": start, "second_look": False}, time.perf_counter()
        table = self.table.filtered(self.condition(group))
        table.source = f"the group {said(self.groups.keys[group])}"
        return fit_table(self.request.but(engine="query", **known), table, None, began)


def stays(request: Request, table: Table, by: Sequence[str]) -> tuple[bool, tuple[str, ...]]:
    """Say whether the rows stay where they are, and in a sentence why, if that was decided here.

    Raises ConfigError for a memory limit that cannot be kept.
    """
    limit = None if request.memory_limit is None else read_size(request.memory_limit)
    needed, far = IN_MEMORY * table.size(len(table.names)), table.far
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
        return False, ()
    if request.engine == "query":
        return True, ()
    if far is not None:
        return True, (f"rows sorted by group in their database ({table.source}), and fitted as they come",)
    allowed = there_is() // 2 if limit is None else limit
    most = "half of this machine's memory" if limit is None else "the memory limit"
    return needed > allowed, (
        f"rows sorted by group on disk, and fitted as they come, since they would take about {written(needed)} of "
        f"memory, more than {most}, {written(allowed)}",
    )


def _known(lazy: Lazy, table: Table) -> tuple[Groups, Places]:
    """Return the groups, and how many complete rows each has."""
    rows = lazy.table
    keys = [f"k{number}" for number in range(len(lazy.by))]
    finite = [lazy.finite(name) for name in lazy.names]
    complete = finite[0]
    for other in finite[1:]:
        complete = complete & other
    counted = rows.group_by(keys).aggregate(n=rows.count(), complete=complete.ifelse(1, 0).sum())
    found = fetched(lazy, counted)
    named = {name: found[key] for name, key in zip(lazy.by, keys, strict=True)}
    there, order = keys_in_order(table, named)
    if not there:
        raise DataError(f"No row of {table.source} has a value in {' and '.join(f'`{name}`' for name in lazy.by)}.")
    sizes = found["n"][order].astype(np.intp)
    ends = np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp)
    ungrouped = int(found["n"].sum()) - int(ends[-1])
    groups = Groups(lazy.by, there, np.empty(0, dtype=np.intp), ends, ungrouped)
    return groups, found["complete"][order].astype(np.intp)


def _literal(value: str | float) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).lower() if isinstance(value, bool) else repr(value)
