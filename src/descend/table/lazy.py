"""Rows that stay where they are: columns of doubles in some database, and how it is asked for sums of them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from descend.table.connection import Connection
from descend.table.rows import Cells, Roles, Rows
from descend.table.sql import NUMBERS, as_number, as_sql, cursor_of, exponent, import_ibis
from descend.table.summary import Summary

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.sql import SQLBackend
    from pyarrow import Array as ArrowArray
    from pyarrow import RecordBatch

    from descend.table.looked_up import LookedUp

Array = NDArray[np.float64]
Result = TypeVar("Result")
LARGEST = float(np.finfo(np.float64).max)
UNORDERED = frozenset({"postgres", "pyspark", "databricks", "bigquery", "snowflake", "trino", "mssql", "mysql"})
"""Databases whose rows have no order, and come in another one each time; rows are told apart by their contents."""
Row = tuple[Any, ...]
OUT_OF_RANGE = re.compile(r"out of range|overflow|underflow|division by zero|divide by zero", re.IGNORECASE)
"""What databases say of a result that is not a number, or too large."""
GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


class Lazy:
    """Columns of doubles in a database, null where a cell is missing.

    names: the columns. table: an Ibis table in which column k is called ``c{k}``, whatever its name; ``place``, if it
        has that too, is the number of the row in its file.
    by: columns that tell groups apart, called ``k{k}`` in the table: numbers and booleans as doubles, all else as text.
    roles: which of the columns say something of the rows themselves, such as their weights.
    looked_up: further columns of numbers, which follow from ``by``; only rows that are fetched have them.
    owner: what must live as long as the connection is used. connection: asks again where that is lost.
    """

    def __init__(
        self,
        names: Sequence[str],
        table: ir.Table,
        owner: object = None,
        connection: Connection | None = None,
        by: Sequence[str] = (),
    ) -> None:
        self.names, self.by = tuple(names), tuple(by)
        self.table = table
        self.owner = owner
        self.connection = connection
        self.backend: SQLBackend = table.get_backend()
        self.roles = Roles()
        self.looked_up: LookedUp | None = None
        self.twins = False
        """Whether so many rows are alike that their contents do not tell them apart."""
        self.explain: Callable[[Exception], Exception] | None = None

    @property
    def every(self) -> tuple[str, ...]:
        """The columns of numbers, with those that are looked up."""
        return self.names if self.looked_up is None else (*self.names, *self.looked_up.codings)

    def column(self, name: str) -> str:
        """Return what a column is called in the Ibis table."""
        return f"c{self.names.index(name)}"

    def where(self, condition: ir.BooleanValue | list[ir.BooleanValue]) -> Lazy:
        """Return the rows for which an Ibis condition on ``table`` holds."""
        return self.like(self.table.filter(condition))

    def finite(self, name: str) -> ir.BooleanValue:
        """Return the Ibis condition that a cell is neither missing nor infinite."""
        if self.looked_up is not None and name not in self.names:
            return self.looked_up.there(name, self.table)
        value = self.table[self.column(name)]
        # NaN is larger than every number in some databases and equal to nothing in others; neither passes this test.
        return (value.abs() <= LARGEST).fill_null(False)

    def complete(self) -> Lazy:
        """Return the rows that have a finite number in every column."""
        return self.where([self.finite(name) for name in self.every]) if self.every else self

    def with_roles(self, roles: Roles) -> Lazy:
        """Return the same rows with these roles for their columns."""
        lazy_of_roles = self.like(self.table)
        lazy_of_roles.roles = roles
        return lazy_of_roles

    def like(self, table: ir.Table) -> Lazy:
        """Return other rows with the same columns."""
        lazy_copy = Lazy(self.names, table, self.owner, self.connection, self.by)
        lazy_copy.explain, lazy_copy.twins, lazy_copy.roles = self.explain, self.twins, self.roles
        lazy_copy.looked_up = self.looked_up
        return lazy_copy

    def limit(self, memory: int) -> None:
        """Let DuckDB, which runs in this process, take so many bytes; other databases have limits of their own."""
        if self.backend.name == "duckdb":
            self.backend.con.execute(f"SET memory_limit = '{memory}B'")

    def attempt(self, query: Callable[[], Result]) -> Result:
        """Do work that asks the database, again from its beginning if the connection is lost meanwhile."""
        return query() if self.connection is None else self.connection.attempt(query)

    def first(self, condition: ir.BooleanValue) -> int | None:
        """Return the number (from 0) of the first row for which an Ibis condition holds.

        None if there is none, or the rows have no order.
        """
        if self.backend.name in UNORDERED:
            return None
        ibis = import_ibis()
        numbered = self.table.mutate(holds=condition, number=ibis.row_number())
        (row_number,) = self.one(numbered.filter(numbered.holds).aggregate(place=lambda table: table.number.min()))
        return None if row_number is None else int(row_number)

    def sample(self, total: int, most: int) -> Rows:
        """Fetch the columns of about ``most`` of ``total`` rows, the same ones each time; of fewer rows, all."""
        if total <= most:
            self.twins = True
            return self.rows()
        while True:
            numbered = self.numbered()
            sample_query = self.like(numbered.filter(spread(numbered.place, GOLDEN) < most / total)).rows()
            if self.twins or 0.5 < sample_query.count / most < 2.0:
                return sample_query
            self.twins = True

    def numbered(self) -> ir.Table:
        """Return the Ibis table with a column ``place``: a number for each row, the same each time."""
        ibis, table = import_ibis(), self.table
        if "place" in table.columns:
            return table
        if self.backend.name not in UNORDERED:
            return table.mutate(place=ibis.row_number())
        columns = [table[f"c{column_number}"] for column_number in range(len(self.names))]
        hashes = [column.hash() % 999_983 * (column_number + 1) for column_number, column in enumerate(columns)]
        if self.twins:  # numbered among equal rows, where it does not matter which is which
            alike = ibis.window(group_by=columns, order_by=columns[:1])
            hashes.append(ibis.row_number().over(alike))
        return table.mutate(place=sum(hashes[1:], hashes[0]))

    def one(self, aggregates: ir.Table) -> Row:
        """Return the one row of an Ibis table of aggregates."""
        return self.run(self.sql(aggregates))[0]

    def sql(self, expression: ir.Table, binding: str = "") -> str:
        """Return an Ibis table as SQL of its database: see `as_sql`."""
        return as_sql(self.backend, expression, binding)

    def prepared(self, sql: str) -> Callable[[Sequence[float]], Row]:
        """Return a function of the numbers left open in a query, as `sql` marks them, that returns its one row."""
        pieces = sql.split("\0")
        if self.backend.name != "duckdb":

            def filled(numbers: Sequence[float]) -> Row:
                written = [as_number(self.backend, number) for number in numbers]
                text = "".join(written[int(piece)] if place % 2 else piece for place, piece in enumerate(pieces))
                return self.run(text)[0]

            return filled
        # Planned once, as planning takes DuckDB several times as long as summing a small table.
        places = list(dict.fromkeys(int(piece) for piece in pieces[1::2]))
        marked = (f"${places.index(int(piece)) + 1}::DOUBLE" if odd % 2 else piece for odd, piece in enumerate(pieces))
        name = f"descend_{next(NUMBERS)}"
        prepare = f"PREPARE {name} AS {''.join(marked)}"
        self.run(prepare)
        prepared = [self._openings()]

        def executed(numbers: Sequence[float]) -> Row:
            written = ", ".join(exponent(numbers[place]) for place in places)
            execute = f"EXECUTE {name}({written})" if written else f"EXECUTE {name}"

            def work() -> list[Row]:
                if prepared != [self._openings()]:  # the connection is another one
                    self.run(prepare)
                    prepared[0] = self._openings()
                return self.run(execute)

            return self.attempt(work)[0]

        return executed

    def _openings(self) -> int:
        """Return how often the connection was reopened after a rest, which discards prepared queries."""
        return 0 if self.connection is None else self.connection.openings

    def run(self, sql: str) -> list[Row]:
        """Run a query and return its rows."""
        return self._explained(lambda: self._rows(sql))

    def _explained(self, query: Callable[[], Result]) -> Result:
        try:
            return self.attempt(query)
        except Exception as error:
            # Contents that make no sense may show up only further down in a file.
            raise (self.explain(error) if self.explain is not None else error) from None

    def _rows(self, sql: str) -> list[Row]:
        answer = self.backend.raw_sql(sql)
        if hasattr(answer, "collect"):
            return [tuple(row) for row in answer.collect()]
        rows: list[Row] = answer.fetchall()
        if self.backend.name != "duckdb":  # where the answer is the connection itself
            answer.close()
        return rows

    def rows(self) -> Rows:
        """Fetch all rows."""
        return Rows.of(self.arrays(), self.roles)

    def arrays(self, limit: int | None = None) -> dict[str, Array]:
        """Fetch the columns, or the first rows of them, NaN where a cell is missing."""
        if self.backend.name == "duckdb":
            table = self.table if limit is None else self.table.limit(limit)
            arrays = self.attempt(lambda: self.backend.con.execute(self.sql(table)).fetchnumpy())
            columns = {name: _filled(arrays[f"c{column_number}"]) for column_number, name in enumerate(self.names)}
            return columns | self._numbers(lambda key: _key(arrays[key]))
        if self.backend.name == "pyspark":
            return self._explained(lambda: self._block(self.backend.raw_sql(self.sql(self._only(limit))).toArrow()))
        blocks = self._explained(lambda: list(self._blocks(1 << 16 if limit is None else limit, limit)))
        return {name: np.concatenate([block[name] for block in blocks] or [np.empty(0)]) for name in self.every}

    def blocks(self, rows: int) -> Iterator[Rows]:
        """Fetch all rows in blocks of so many at most, NaN where a cell is missing.

        Let `attempt` do the work that takes the blocks, as there is no resuming in the middle.
        """
        return (Rows.of(block, self.roles) for block in self._blocks(rows))

    def _blocks(self, rows: int, limit: int | None = None) -> Iterator[dict[str, Array]]:
        sql = self.sql(self._only(limit))
        if self.backend.name == "duckdb":
            yield from (self._block(batch) for batch in self.backend.con.sql(sql).to_arrow_reader(rows))
            return
        with cursor_of(self.backend, sql) as cursor:
            while fetched := cursor.fetchmany(rows):
                cells = list(zip(*fetched, strict=True))
                block = {name: np.array(cell, dtype=np.float64) for name, cell in zip(self.names, cells, strict=False)}
                yield block | self._numbers(lambda key: self._key_cells(key, cells))  # noqa: B023

    def _only(self, limit: int | None) -> ir.Table:
        """Return the Ibis table without the numbers of its rows, or its first rows."""
        keys = 0 if self.looked_up is None else len(self.by)
        columns = [f"c{column}" for column in range(len(self.names))] + [f"k{column}" for column in range(keys)]
        table = self.table.select(columns) if columns else self.table
        return table if limit is None else table.limit(limit)

    def _block(self, batch: RecordBatch) -> dict[str, Array]:
        from descend.table.looked_up import cells_of

        block = {name: _doubles(batch.column(column_number)) for column_number, name in enumerate(self.names)}
        return block | self._numbers(lambda key: cells_of(batch.column(len(self.names) + int(key[1:]))))

    def _numbers(self, cells: Callable[[str], Cells]) -> dict[str, Array]:
        """Return the columns that are looked up. cells: returns those of a key column."""
        if self.looked_up is None:
            return {}
        return self.looked_up.numbers({f"k{key_number}": cells(f"k{key_number}") for key_number in range(len(self.by))})

    def _key_cells(self, key: str, key_columns: Sequence[Sequence[object]]) -> Cells:
        text = self.table.schema()[key].is_string()
        return np.array(key_columns[len(self.names) + int(key[1:])], dtype=object if text else np.float64)

    def counted(self) -> tuple[int, float]:
        """Return the number of rows, and the sum of their weights."""
        table, spread = self.table, self.roles.spread
        total = table.count() if spread is None else self.roles.weight(table[self.column(spread)]).sum()
        rows, weight = self.one(table.aggregate(rows=table.count(), weight=total))
        return int(rows), float(weight or 0.0)

    def summaries(self) -> tuple[int, dict[str, Summary]]:
        """Return the number of rows, and what there is to know of each column."""
        rows, column_summaries = self._summaries()
        for name, coding in {} if self.looked_up is None else self.looked_up.codings.items():
            (finite_cells,) = self.one(self.table.aggregate(there=self.finite(name).ifelse(1, 0).sum()))
            column_summaries[name] = Summary(rows - int(finite_cells or 0), 0, 0.0, len(coding.keys) - 1.0)
        return rows, column_summaries

    def _summaries(self) -> tuple[int, dict[str, Summary]]:
        ends: dict[str, ir.Value] = {"n": self.table.count()}
        for name in self.names:
            value = self.table[self.column(name)]
            column = self.column(name)
            ends |= {f"n{column}": value.count(), f"l{column}": value.min(), f"h{column}": value.max()}
        rows, *aggregates = self.one(self.table.aggregate(**ends))
        columns = list(zip(*[iter(aggregates)] * 3, strict=True))
        # If any cell is NaN, it is the largest, or both ends are NaN; so a look at the ends shows that there are none.
        if all(count == rows and math.isfinite(low) and math.isfinite(high) for count, low, high in columns if rows):
            return int(rows), {
                name: Summary(0, 0, low, high) for name, (_, low, high) in zip(self.names, columns, strict=True)
            }
        return self._with_gaps()

    def _with_gaps(self) -> tuple[int, dict[str, Summary]]:
        """Count what is missing and what is infinite, which takes longer."""
        aggregates: dict[str, ir.Value] = {"n": self.table.count()}
        for column_number, name in enumerate(self.names):
            value, finite = self.table[f"c{column_number}"], self.finite(name)
            infinite = (value.abs() > LARGEST).fill_null(False) & ~self._is_nan(value)
            aggregates |= {
                f"f{column_number}": finite.ifelse(1, 0).sum(),
                f"i{column_number}": infinite.ifelse(1, 0).sum(),
                f"l{column_number}": finite.ifelse(value, None).min(),
                f"h{column_number}": finite.ifelse(value, None).max(),
            }
        rows, *numbers = self.one(self.table.aggregate(**aggregates))
        summaries_by_name = {
            name: Summary(int(rows) - int(finite or 0) - int(infinite or 0), int(infinite or 0), low, high)
            for name, (finite, infinite, low, high) in zip(
                self.names, zip(*[iter(numbers)] * 4, strict=True), strict=True
            )
        }
        return int(rows), summaries_by_name

    def _is_nan(self, value: ir.NumericValue) -> ir.BooleanValue:
        ibis = import_ibis()
        from ibis.expr import operations

        knows_nan = self.backend.has_operation(operations.IsNan)
        return value.isnan().fill_null(False) if knows_nan else ibis.literal(False)


def spread(row_number: ir.NumericValue, multiplier: ir.NumericValue | float) -> ir.NumericValue:
    """Return shares in [0, 1) for row numbers, as Ibis values: multiples of an irrational number spread evenly."""
    turns = row_number.cast("float64") * multiplier
    return turns - turns.floor()


def _filled(column: np.ma.MaskedArray) -> Array:
    return np.ascontiguousarray(np.ma.filled(column, np.nan), dtype=np.float64)


def _key(column: np.ma.MaskedArray) -> Cells:
    """Return keys as DuckDB hands them over: doubles, or text that is None where it is missing."""
    return _filled(column) if column.dtype.kind == "f" else np.ma.filled(column.astype(object), None)


def _doubles(column: ArrowArray) -> Array:
    filled = column.to_numpy(zero_copy_only=False)
    return np.ascontiguousarray(filled, dtype=np.float64)
