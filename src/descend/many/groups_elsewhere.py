"""Groups whose rows stay where they are, in files or a database: which there are, and the rows of some of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from descend.errors import DataError
from descend.gradients.derived import Program
from descend.many.grouped import Grouped
from descend.many.groups import Groups
from descend.many.shared_model import model_by_groups, program_of
from descend.many.source_of_fits import OfRows
from descend.models import Model
from descend.options.request import Request
from descend.problem.model_reading import columns_read
from descend.problem.out_of_core import IN_MEMORY
from descend.results import Fit
from descend.results.fitting import fit_table
from descend.table import Table
from descend.table.joined_in_database import blocks, fetched
from descend.table.keyed_rows import KeyedRows
from descend.table.lazy import Lazy
from descend.table.levels import keys_in_order, said
from descend.table.memory import LEAST, PROGRAM, read_size, there_is
from descend.table.not_numbers import quoted_if_odd

Array = NDArray[np.float64]
Places = NDArray[np.intp]
BLOCK = 1 << 16
"""Rows that are fetched at a time."""
FEWEST, MOST = 1 << 14, 1 << 20
"""Rows that are fitted at a time, if memory allows: enough that no processor waits, few enough to tell how it goes."""
BYTES_OF_A_GROUP = 300
"""Bytes that a key and what came of its group take, about."""
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
        limit = None if request.memory_limit is None else read_size(request.memory_limit)
        table = table.with_codings(model.codings)
        lazy = table.lazy(columns_read(request, model), limit and _room(limit, 0) // 2, by).with_roles(request.roles)
        groups, complete = _counted_groups(lazy, table)
        room = _room(limit or there_is() // 2, len(groups))
        if limit is not None:
            lazy.limit(max(room // 2, LEAST))
        return cls(request, table, model, lazy, groups, complete, room / 6.0)

    @cached_property
    def within(self) -> Request:
        """The request that rows in memory are fitted by."""
        return self.request.but(by=None, engine="auto", memory_limit=None)

    @cached_property
    def program(self) -> Program | None:
        """What all groups can be fitted with together; None if each has to be fitted by itself."""
        return program_of(self.within, self.model, self.table)

    @property
    def most(self) -> int:
        """How many rows may be in memory at a time."""
        each = IN_MEMORY * 8.0 * (len(self.lazy.names) + 1)
        return int(min(max(self.room / each, FEWEST), MOST))

    @cached_property
    def keyed(self) -> KeyedRows:
        """The rows, and what tells their groups apart."""
        return KeyedRows(self.lazy, self.groups.keys)

    def shares(self, group_places: Places) -> Iterator[tuple[Places, Grouped]]:
        """Fetch groups, in order, so many at a time as may be in memory: their places, and the groups as a table."""
        if self.lazy.backend.name in STREAMING:
            yield from self._streamed(group_places)
            return
        share = np.cumsum(self.groups.sizes[group_places]) // self.most
        for some in np.split(group_places, np.flatnonzero(np.diff(share)) + 1):
            if len(some):
                yield some, self.fetch(some)

    def _streamed(self, group: Places) -> Iterator[tuple[Places, Grouped]]:
        if not len(group):
            return
        keyed_columns = self.keyed.beside()
        self.keyed.put(keyed_columns, group)
        keyed_rows = self.keyed.joined(keyed_columns, self.lazy.table)
        keyed_rows = keyed_rows.order_by([name for name in ("g", "place") if name in keyed_rows.columns])
        waiting: list[dict[str, Array]] = []
        rows = 0
        for block in blocks(self.lazy, keyed_rows, BLOCK, keyed_columns):
            waiting.append(block)
            rows += len(block["g"])
            if rows < self.most:
                continue
            joined = {name: np.concatenate([each[name] for each in waiting]) for name in block}
            end = int(np.searchsorted(joined["g"], joined["g"][-1]))  # the last group may go on in the next block
            if end:
                yield self._grouped(group, {name: column[:end] for name, column in joined.items()})
            waiting, rows = [{name: column[end:].copy() for name, column in joined.items()}], rows - end
        if rows:
            yield self._grouped(group, {name: np.concatenate([each[name] for each in waiting]) for name in waiting[0]})

    def fetch(self, group_places: Places) -> Grouped:
        """Fetch the rows of some groups."""
        keyed_columns = self.keyed.beside()
        self.keyed.put(keyed_columns, group_places)
        rows_of_groups = fetched(self.lazy, self.keyed.joined(keyed_columns, self.lazy.table), keyed_columns)
        order = np.argsort(rows_of_groups["g"], kind="stable")
        return self._grouped(group_places, {name: column[order] for name, column in rows_of_groups.items()})[1]

    def _grouped(self, group_places: Places, rows: Mapping[str, Array]) -> tuple[Places, Grouped]:
        """Return groups from their rows, which are in order and numbered among some places."""
        numbers = rows["g"].astype(np.intp)
        begins = np.flatnonzero(np.r_[True, numbers[1:] != numbers[:-1]])
        groups_chosen, ends = group_places[numbers[begins]], np.r_[begins, len(numbers)].astype(np.intp)
        keys = [self.groups.keys[group] for group in groups_chosen.tolist()]
        groups = Groups(self.groups.by, keys, np.arange(len(numbers)), ends, 0)
        columns = {name: rows[f"c{number}"] for number, name in enumerate(self.lazy.names)}
        return groups_chosen, Grouped(self.within, self.table, self.model, groups, columns)

    @property
    def unreadable(self) -> Mapping[int, str]:
        """None: rows are read from one source."""
        return {}

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
        fit_options, began = {} if start is None else {"start": start, "second_look": False}, time.perf_counter()
        table = self.table.filtered(self.condition(group))
        table.source = f"the group {said(self.groups.keys[group])}"
        # What tells groups apart is in this table, and no pattern of the formula may take it.
        return fit_table(self.within.but(engine="query", by=self.groups.by, **fit_options), table, None, began)


def _room(limit: int, groups: int) -> int:
    """Return how many bytes of a limit on all memory are left beside this program, and what is kept of each group."""
    return max(limit - PROGRAM - BYTES_OF_A_GROUP * groups, LEAST // 2)


def _counted_groups(lazy: Lazy, table: Table) -> tuple[Groups, Places]:
    """Return the groups, and how many complete rows each has."""
    rows = lazy.table
    keys = [f"k{number}" for number in range(len(lazy.by))]
    finite = [lazy.finite(name) for name in lazy.names]
    complete = finite[0]
    for other_finite in finite[1:]:
        complete = complete & other_finite
    counted = rows.group_by(keys).aggregate(n=rows.count(), complete=complete.ifelse(1, 0).sum())
    counted_keys = fetched(lazy, counted)
    named = {name: counted_keys[key] for name, key in zip(lazy.by, keys, strict=True)}
    finite_keys, order = keys_in_order(table, named)
    if not finite_keys:
        raise DataError(f"No row of {table.source} has a value in {' and '.join(f'`{name}`' for name in lazy.by)}.")
    sizes = counted_keys["n"][order].astype(np.intp)
    ends = np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp)
    ungrouped = int(counted_keys["n"].sum()) - int(ends[-1])
    groups = Groups(lazy.by, finite_keys, np.empty(0, dtype=np.intp), ends, ungrouped)
    return groups, counted_keys["complete"][order].astype(np.intp)


def _literal(value: str | float) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).lower() if isinstance(value, bool) else repr(value)
