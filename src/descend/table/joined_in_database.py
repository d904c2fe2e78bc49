"""A small table of ours beside rows in a database, to be joined with them: which groups, and a few numbers of each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from descend.table.lazy import Lazy
from descend.table.looked_up import cells_of
from descend.table.rows import Cells
from descend.table.sql import cursor_of, import_ibis

if TYPE_CHECKING:
    import ibis.expr.types as ir

NUMBERS = itertools.count(1)
TAKING = frozenset({"duckdb", "postgres", "pyspark"})
"""Databases that take such a table: by an Arrow stream, as parameters of a query, as a data frame."""
POSTGRES_TYPES = {"float64": "float8", "int64": "int8", "string": "text"}


class Beside:
    """A table of the columns ``kinds`` (``float64``, ``int64`` or ``string``), which each `put` fills anew.

    lazy: the rows that it is put beside. table: the Ibis table to join them with.
    """

    def __init__(self, lazy: Lazy, kinds: Mapping[str, str]) -> None:
        ibis = import_ibis()
        from ibis.expr import operations

        self.lazy, self.backend, self.kinds = lazy, lazy.backend, dict(kinds)
        self.name = f"descend_beside_{next(NUMBERS)}"
        self.table: ir.Table = operations.DatabaseTable(self.name, ibis.schema(self.kinds), self.backend).to_expr()
        self.given: list[list[object]] = []
        self.texts: dict[object, str] = {}

    def sql(self, expression: ir.Table) -> str:
        """Return the SQL of a query that refers to this table, written once: it is asked anew for other contents."""
        query = expression.op()
        if query not in self.texts:
            self.texts[query] = self.lazy.sql(expression)
        return self.texts[query]

    def put(self, columns: Mapping[str, Cells | Sequence[str]]) -> None:
        """Fill the table."""
        if self.backend.name == "postgres":
            self.given = [np.asarray(columns[name]).tolist() for name in self.kinds]
            return
        import pyarrow

        schema = pyarrow.schema([(name, getattr(pyarrow, kind)()) for name, kind in self.kinds.items()])
        table = pyarrow.table({name: columns[name] for name in self.kinds}, schema=schema)
        if self.backend.name == "pyspark":
            self.backend._session.createDataFrame(table).createOrReplaceTempView(self.name)
            return
        # Copied, for DuckDB plans a join well only where it knows how many rows there are.
        connection = self.backend.con
        connection.register(f"{self.name}_given", table)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {self.name} AS SELECT * FROM {self.name}_given")
        connection.unregister(f"{self.name}_given")

    def in_query(self, sql: str) -> tuple[str, list[list[object]]]:
        """Return a query that refers to this table, and its parameters: of Postgres, where nothing is written."""
        if self.backend.name != "postgres":
            return sql, []
        arrays = ", ".join(f"%b::{POSTGRES_TYPES[kind]}[]" for kind in self.kinds.values())
        names = ", ".join(f'"{name}"' for name in self.kinds)
        escaped = sql.replace("%", "%%")
        text = f'WITH "{self.name}"({names}) AS (SELECT * FROM unnest({arrays})) SELECT * FROM ({escaped}) AS joined'
        return text, self.given


def blocks(lazy: Lazy, expression: ir.Table, rows: int, columns: Beside | None = None) -> Iterator[dict[str, Cells]]:
    """Fetch an Ibis table in blocks of so many rows at most: numbers are doubles, NaN where missing, all else objects.

    columns: the table of ours that it refers to. Let ``lazy.attempt`` do the work that takes the blocks, as there is no
    resuming in the middle, and ask the database nothing else meanwhile.
    """
    backend, names = lazy.backend, tuple(expression.columns)
    sql, arrays = (lazy.sql(expression), []) if columns is None else columns.in_query(columns.sql(expression))
    if backend.name == "duckdb":
        for batch in backend.con.sql(sql).to_arrow_reader(rows):
            yield {name: cells_of(batch.column(column_number)) for column_number, name in enumerate(names)}
    elif backend.name == "pyspark":
        answer = backend.raw_sql(sql).toArrow()
        yield {name: cells_of(answer.column(column_number)) for column_number, name in enumerate(names)}
    else:
        text = {name for name, kind in expression.schema().items() if kind.is_string()}
        with cursor_of(backend, sql, arrays) as cursor:
            while fetched := cursor.fetchmany(rows):
                named = zip(names, zip(*fetched, strict=True), strict=True)
                yield {name: np.array(column, dtype=object if name in text else float) for name, column in named}


def fetched(lazy: Lazy, expression: ir.Table, columns_beside: Beside | None = None) -> dict[str, Cells]:
    """Fetch all rows of an Ibis table as `blocks` does, again from the beginning if the connection is lost."""
    columns = lazy.attempt(lambda: list(blocks(lazy, expression, 1 << 16, columns_beside)))
    return {name: np.concatenate([block[name] for block in columns] or [np.empty(0)]) for name in expression.columns}
