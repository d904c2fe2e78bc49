"""Rows in a database of the user's own, reached through Ibis."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn, TypeVar

import numpy as np
import numpy.typing as npt

from descend.errors import ConfigError, DataError
from descend.table.arrays import from_mapping
from descend.table.connection import Connection
from descend.table.database import bad_condition, checked_condition, unused
from descend.table.held_out import BY_CONTENTS, EVENLY
from descend.table.lazy import GOLDEN, LARGEST, OUT_OF_RANGE, UNORDERED, Lazy
from descend.table.sql import import_ibis, reason
from descend.table.table import EXACT, TRUTH, Coding, Label, Numbers, Table, label, refuse_duplicates
from descend.wording import spell

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.expr.datatypes import DataType

    from descend.table.rounding import Rounded

Result = TypeVar("Result")
LARGEST_BACK = 9_000_000_000_000_000_000
"""Whole numbers up to this size come back from float64 as 64-bit integers."""


class RemoteTable(Table):
    """An Ibis table: a table, a view or a query of some database."""

    def __init__(
        self, table: ir.Table, source: str, conditions: tuple[str, ...] = (), connection: Connection | None = None
    ) -> None:
        backend = table.get_backend()
        self.connection = connection or Connection(backend, f"the database ({backend.name})")
        self.source, self.far = source, backend.name
        self.names = tuple(table.columns)
        self.conditions = conditions
        self._table = table
        self._rows: int | None = None
        refuse_duplicates(self.names, source)

    @property
    def rows(self) -> int:
        if self._rows is None:
            counted = self._lazily((), self._table)
            self._rows = int(self._attempt(lambda: counted.one(self._table.aggregate(n=self._table.count())))[0])
        return self._rows

    @property
    def types(self) -> dict[str, str]:
        schema = self._table.schema()
        return {name: _kind(schema[name]) for name in self.names}

    def text(self, name: str) -> npt.NDArray[np.object_]:
        self._known([name])
        column_query = self._lazily((name,), self._table.select(c0=self._table[name]))
        cells = self._attempt(lambda: column_query.run(column_query.sql(column_query.table)))
        return np.array([None if cell is None else label(cell) for (cell,) in cells], dtype=object)

    def filtered(self, where: str) -> RemoteTable:
        import_ibis()
        import sqlglot
        from ibis.expr import operations

        condition = checked_condition(where, self.names)
        backend = self._table.get_backend()
        try:
            sql = sqlglot.parse_one(condition, read="duckdb").sql(dialect=backend.dialect)
            query = f"SELECT * FROM ({self._lazily((), self._table).sql(self._table)}) AS filtered WHERE (\n{sql}\n)"
            table = operations.SQLQueryResult(query, self._table.schema(), backend).to_expr()
            filtered = RemoteTable(table, self.source, (*self.conditions, condition), self.connection)
            rows = self._lazily((), table)
            rows.run(rows.sql(table.limit(0)))
        except Exception as error:  # each database has its own
            raise bad_condition(where, error, self) from None
        return filtered

    def shares(
        self, share: float, seed: int, groupings: Sequence[Sequence[str]] = (), needed: Sequence[str] = ()
    ) -> tuple[RemoteTable, RemoteTable, str]:
        ibis, drawn, out = import_ibis(), unused("drawn", self.names), unused("held_out", self.names)
        evenly = self._table.get_backend().name not in UNORDERED
        numbered = self._table.mutate(**{drawn: ibis.row_number() if evenly else self._of_contents()})
        place = numbered[drawn].cast("float64") * GOLDEN + float(np.random.default_rng(seed).random())
        held_out = place - place.floor() < share
        values = [numbered[name].cast("float64") for name in needed]
        complete = ibis.and_(*((value.abs() <= LARGEST).fill_null(False) for value in values))
        for columns in groupings:
            group = ibis.window(group_by=[*(numbered[name] for name in columns), *([complete] if values else [])])
            held_out &= numbered[drawn] != numbered[drawn].min().over(group)
        marked = numbered.mutate(**{out: held_out})
        parts = copy.copy(self), copy.copy(self)
        for part, kept in zip(parts, (marked[out], ~marked[out]), strict=True):
            rows = marked.filter(kept)
            # What is counted over groups comes in another order, unless it is sorted.
            part._table, part._rows = (rows.order_by(drawn) if groupings and evenly else rows).drop(drawn, out), None
        return *parts, EVENLY if evenly else BY_CONTENTS

    def _of_contents(self) -> ir.IntegerValue:
        """Return a number of each row that follows from its contents, for rows that come in another order each time."""
        from ibis.expr import operations

        if not self._table.get_backend().has_operation(operations.Hash):
            raise ConfigError(
                f"A share of the rows is held out by what is in them, and `{self.far}` has no function for "
                f"that. Give the rows held out as a table of their own: {spell('validation', 'FILE')}."
            )
        kinds = self.types
        columns = [self._as_key(name) for name in self.names if kinds[name] in ("number", "boolean", "text")]
        hashes = [(key.hash() % 999_983).fill_null(0) * (place + 1) for place, key in enumerate(columns)]
        return sum(hashes[1:], hashes[0]) if hashes else import_ibis().literal(0)

    def lazy(self, names: Sequence[str], memory: int | None = None, by: Sequence[str] = ()) -> Lazy:
        self._known([*self.given(names), *by])
        kinds = self.types
        columns: dict[str, ir.Value] = {}
        for column_number, name in enumerate(names):
            if name in self.codings:
                columns[f"c{column_number}"] = self._coded(self.codings[name])
                continue
            if kinds[name] == "text" and name not in self.counted:
                self._count_words(name)
            if name not in self.counted and kinds[name] not in ("number", "boolean"):
                from descend.table.not_numbers import not_numeric

                raise not_numeric(name, self.source, kinds[name])
            columns[f"c{column_number}"] = self._double(name)
        columns |= {f"k{column_number}": self._as_key(name) for column_number, name in enumerate(by)}
        return self._lazily(names, self._table.select(**columns) if columns else self._table, by)

    def _double(self, name: str) -> ir.Value:
        if self.types[name] == "boolean" and name not in self.counted:
            self._count(name, TRUTH)
        return self._counted(name) if name in self.counted else self._table[name].cast("float64")

    def _as_key(self, name: str) -> ir.Value:
        """Return a column that tells groups apart: doubles, or text that is null where it is empty."""
        numbers = self.types[name] in ("number", "boolean")
        return self._double(name) if numbers else self._table[name].cast("string").nullif("")

    def combinations(self, columns: Sequence[str]) -> list[tuple[Label | None, ...]]:
        keys = {f"k{key_number}": self._as_key(name) for key_number, name in enumerate(columns)}
        key_query = self._lazily((), self._table.select(**keys).distinct())
        return self._attempt(lambda: key_query.run(key_query.sql(key_query.table)))

    def _coded(self, coding: Coding) -> ir.Value:
        """Return the numbers of a coding: null where a cell is missing, -1 for what has none."""
        ibis = import_ibis()
        keys = [self._as_key(name) for name in coding.columns]
        keys_present = ibis.and_(*(key.notnull() for key in keys))
        cases = [
            (ibis.and_(*(key == value for key, value in zip(keys, values, strict=True))), float(key_number))
            for key_number, values in enumerate(coding.keys)
        ]
        return ibis.cases(*cases, (keys_present, -1.0), else_=None)

    def release(self) -> None:
        self.connection.release()

    def size(self, columns: int) -> float:
        return float("inf")

    def exact_up_to(self, name: str) -> float:
        dtype = self._table.schema()[name]
        if dtype.is_decimal():
            return float(EXACT / 10.0 ** (dtype.scale or 0))
        return EXACT if dtype.is_integer() and dtype.nbytes == 8 else math.inf

    def rounded(self, name: str) -> Rounded | None:
        from descend.table.rounding import Rounded, alike, matters

        lazy = self._lazily((name,), self._table.select(c0=self._table[name]))
        cell = lazy.table.c0
        # A number rounded up past the largest integer cannot be converted back, and trying would be an error.
        back = cell.between(-LARGEST_BACK, LARGEST_BACK).ifelse(cell, 0) if cell.type().is_integer() else cell
        changed = (back.cast("float64").cast(cell.type()) != cell).fill_null(False)
        counted = lazy.table.aggregate(count=changed.ifelse(1, 0).sum(), least=cell.min(), largest=cell.max())
        count, least, largest = self._attempt(lambda: lazy.one(counted))
        if not count or not matters(least, largest):
            return None
        (first,) = self._attempt(lambda: lazy.one(lazy.table.filter(changed).limit(1)))
        position = self._attempt(lambda: lazy.first(changed))
        return Rounded(int(count), "" if position is None else f"row {position + 1}", str(first), alike(least, largest))

    def with_gaps(self, names: Sequence[str]) -> dict[str, Numbers]:
        return self._read(names)  # in one query, as rows may come in another order each time

    def _read(self, names: Sequence[str]) -> dict[str, Numbers]:
        if not names:
            return {}
        lazy = self.lazy(names)
        columns: dict[str, Numbers] = self._attempt(lazy.arrays)
        for name in self.codings.keys() & columns.keys():
            columns[name] = np.where(columns[name] < 0.0, -math.inf, columns[name])
        self._rows = len(columns[names[0]])
        return columns

    def place(self, position: int) -> str:
        return "" if self.connection.backend.name in UNORDERED else f"row {position + 1}"

    def _lazily(self, names: Sequence[str], table: ir.Table, by: Sequence[str] = ()) -> Lazy:
        lazy = Lazy(names, table, self._table, self.connection, by)
        lazy.explain = self._explained
        return lazy

    def _explained(self, error: Exception) -> Exception:
        """Return what to raise for an error of the database; what makes a sum no number is told there."""
        if isinstance(error, DataError) or OUT_OF_RANGE.search(str(error)):
            return error
        return DataError(f"{self.source} cannot be read: {reason(error)}.")

    def words(self, name: str, most: int) -> list[str]:
        self._known([name])
        column = self._table[name]
        query = self._lazily((name,), self._table.filter(column.notnull()).select(c0=column).distinct().limit(most))
        return sorted(label(cell) for (cell,) in self._attempt(lambda: query.run(query.sql(query.table))))

    def _count_words(self, name: str) -> None:
        """Note what the words of a text column count as. Raises DataError where they are no numbers."""
        from descend.table.yes_no_words import SPELLINGS, truth_of

        counted = truth_of(self.words(name, SPELLINGS + 1))
        if counted is None:
            self._refuse_text(name)
        self._count(name, counted)

    def _counted(self, name: str) -> ir.Value:
        """Return a column whose words count as numbers as these."""
        column, counted = self._table[name], self.counted[name]
        if column.type().is_boolean():
            truth = column.ifelse(counted.get("true", 0.0), counted.get("false", 0.0))
            return column.isnull().ifelse(None, truth)
        column_text = column if column.type().is_string() else column.cast("int64").cast("string")
        return column_text.cases(*counted.items(), else_=None).cast("float64")

    def _refuse_text(self, name: str) -> NoReturn:
        words = self._lazily(
            (name,), self._table.filter(self._table[name].notnull()).select(c0=self._table[name]).limit(1)
        )
        words_in_column = self._attempt(lambda: words.run(words.sql(words.table)))
        cell = words_in_column[0][0] if words_in_column else ""
        from descend.table.not_numbers import not_a_number

        raise not_a_number(name, self.source, "a row", cell, 1, 1)

    def _attempt(self, query: Callable[[], Result]) -> Result:
        try:
            return query()
        except Exception as error:  # each database has its own
            raise self._explained(error) from None


def from_ibis(table: ir.Table) -> Table:
    """Make a table of an Ibis table; if that is in memory, of its columns."""
    import_ibis()
    from ibis.expr import operations

    operation = table.op()
    if isinstance(operation, operations.InMemoryTable):
        frame = operation.data.to_pyarrow(operation.schema)
        return from_mapping(
            {name: np.array(frame.column(name).to_pylist(), dtype=object) for name in frame.column_names}
        )
    name = getattr(operation, "name", None)
    return RemoteTable(table, f"`{name}`" if isinstance(name, str) else "the query")


def _kind(dtype: DataType) -> str:
    if dtype.is_boolean():
        return "boolean"
    if dtype.is_numeric():
        return "number"
    if dtype.is_temporal() or dtype.is_interval():
        return "time"
    return "text" if dtype.is_string() or dtype.is_uuid() or dtype.is_json() else "other"
