"""The in-process DuckDB connection of one table, closed to everything but the files of that table."""

from __future__ import annotations

import os
import re
import tempfile
import weakref
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from descend.errors import DataError
from descend.registry import closest
from descend.table.headers import plain_names
from descend.table.memory import how_to_need_less, keep_memory
from descend.table.sql import reason
from descend.table.table import listing

if TYPE_CHECKING:
    import duckdb

    from descend.table.lazy import Lazy
    from descend.table.table import Label, Numbers, Table

WORDS = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|\b(?<!AS )\w+\b(?!\s*\()""", re.DOTALL)
"""Texts, quoted names, comments and words of SQL, but for functions and types."""
KEYWORDS = frozenset(["AND", "OR", "NOT", "IN", "IS", "NULL", "BETWEEN", "LIKE", "CASE", "WHEN", "THEN", "ELSE", "END"])
"""Words of a condition that are no names, as DuckDB writes them; it quotes a column that is called so."""
OF_THREADS = 1 << 28
"""Bytes of memory below which one thread reads the files, as each has columns of its own in memory."""
BATCH = 1 << 16
"""Rows that Arrow is handed at a time."""
KINDS = {
    "number": "TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT UHUGEINT "
    "BIGNUM FLOAT DOUBLE DECIMAL",
    "boolean": "BOOLEAN",
    "text": "VARCHAR ENUM UUID JSON",
    "time": "DATE TIME TIMESTAMP TIMESTAMP_S TIMESTAMP_MS TIMESTAMP_NS TIME_NS INTERVAL",
}
KIND_OF = {sql_type: kind for kind, sql_types in KINDS.items() for sql_type in sql_types.split()}


class Database:
    """A DuckDB connection, opened at the first query and closed with the table.

    paths: the files it may read. Conditions are written by the user, so nothing else is within their reach.
    """

    def __init__(self, paths: Sequence[str] = (), memory: int | None = None) -> None:
        self._paths = paths
        self._memory = memory
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._views = 0

    def run(self, sql: str) -> duckdb.DuckDBPyConnection:
        """Run one query and return the connection, whose fetch methods hold the result."""
        return self.connection.execute(sql)

    def one(self, sql: str) -> tuple[Any, ...]:
        """Return the only row of a query."""
        rows: list[tuple[Any, ...]] = self.run(sql).fetchall()  # a result not read to its end blocks the connection
        return rows[0]

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The open connection."""
        if self._connection is None:
            import duckdb

            # No Python variable of a caller may be read as a table, and no extension fetched.
            settings: dict[str, str | bool | int | float | list[str]]
            settings = {
                "python_enable_replacements": False,
                "autoinstall_known_extensions": False,
                # What does not fit into memory must not be written into the user's current folder.
                "temp_directory": os.path.join(temporary_folder(), f"descend-{os.getpid()}"),
            }
            self._connection = duckdb.connect(":memory:", config=settings)
            quiet(self._connection)
            # A connection still open when Python ends makes DuckDB's bindings print warnings of leaks.
            weakref.finalize(self, self._connection.close)
            readable = [form for path in self._paths for form in {path, glob_escaped(path)}]
            self._connection.execute(f"SET allowed_paths = [{', '.join(map(literal, readable))}]")
            self._connection.execute("SET enable_external_access = false")
            self.limit(self._memory)
        return self._connection

    def limit(self, memory: int | None) -> None:
        """Limit memory to so many bytes, if that is a number; the rest goes to disk."""
        if memory is not None:
            self.run(f"SET memory_limit = '{memory}B'")
            # Each thread would read a whole row group, of all columns, before it looks at the first row.
            self.run("SET disable_parquet_prefetching = true")
            if memory < OF_THREADS:
                self.run("SET threads = 1")

    def columns(self, relation: str) -> dict[str, str]:
        """Return the SQL type of each column of a relation, by name."""
        return {row[0]: row[1] for row in self.run(f"DESCRIBE SELECT * FROM {relation}").fetchall()}

    def doubles(self, expressions: Mapping[str, str], relation: str, rows: int | None = None) -> dict[str, Numbers]:
        """Return the value of each expression over the rows of a relation, in order, NaN for null.

        rows: their number, if it is known and so large that importing Arrow pays: through it they come in a quarter of
            the time.
        """
        selected = ", ".join(f"{sql} AS c{i}" for i, sql in enumerate(expressions.values()))
        sql = f"SELECT {selected} FROM {relation}"
        columns = None if rows is None else self._by_arrow(sql, rows, len(expressions))
        if columns is None:
            fetched = self.run(sql).fetchnumpy()
            columns = [_plain(fetched[f"c{i}"]) for i in range(len(expressions))]
        return dict(zip(expressions, columns, strict=True))

    def _by_arrow(self, sql: str, rows: int, count: int) -> list[Numbers] | None:
        """Return the columns of a query through Arrow; None if it is not installed, or does not yield all the rows."""
        try:
            import pyarrow as arrow
        except ImportError:
            return None
        keep_memory()
        columns, begin = [np.empty(rows) for _ in range(count)], 0
        try:
            for batch in self.connection.cursor().sql(sql).to_arrow_reader(BATCH):
                end = begin + batch.num_rows
                for column, batch_column in zip(columns, batch.columns, strict=True):
                    column[begin:end] = np.from_dlpack(batch_column)  # to_numpy would import pandas
                begin = end
        except (OSError, ValueError, arrow.ArrowException):
            return None  # a null, or what DuckDB itself tells better
        return columns if begin == rows else None

    def combinations(self, cells: Mapping[str, str], relation: str) -> list[tuple[Label | None, ...]]:
        """Return the combinations of the values of SQL expressions over a relation, None for null."""
        return self.run(f"SELECT DISTINCT {', '.join(cells.values())} FROM {relation}").fetchall()

    def lazy(
        self,
        names: Sequence[str],
        relation: str,
        expressions: Sequence[str],
        rowid_column: str = "",
        in_memory: bool = False,
        keys: Mapping[str, tuple[str, str]] = MappingProxyType({}),
    ) -> Lazy:
        """Return the values of SQL expressions over a relation as columns that DuckDB sums.

        rowid_column: the column of the relation that numbers the rows, if there is one.
        in_memory: whether to read them once, into memory as far as there is room and a temporary file beyond.
        keys: expression and type of each column that tells groups apart, by its name.
        """
        from descend.table.lazy import Lazy
        from descend.table.sql import import_ibis

        ibis = import_ibis()
        from ibis.expr import operations

        self._views += 1
        view = f"rows{self._views}"
        selected = ", ".join(f"{sql} AS c{number}" for number, sql in enumerate(expressions)) or "1 AS nothing"
        selected += "".join(f", {sql} AS k{number}" for number, (sql, _) in enumerate(keys.values()))
        selected += f", {rowid_column} AS place" if rowid_column else ""
        if in_memory:
            self.run(f"CREATE TEMP TABLE kept{self._views} AS SELECT {selected} FROM {relation}")
            selected, relation, rowid_column = "*, rowid AS place", f"kept{self._views}", "rowid"
        self.run(f"CREATE TEMP VIEW {view} AS SELECT {selected} FROM {relation}")
        # Given the types, Ibis need not ask for them.
        types = {f"c{number}": "float64" for number in range(len(expressions))} or {"nothing": "int32"}
        types |= {f"k{number}": kind for number, (_, kind) in enumerate(keys.values())}
        schema = ibis.schema(types | ({"place": "int64"} if rowid_column else {}))
        backend = ibis.duckdb.from_connection(self.connection)
        return Lazy(names, operations.DatabaseTable(view, schema, backend).to_expr(), self, by=tuple(keys))


def temporary_folder() -> str:
    """Return the folder for rows that do not fit into memory; where there is no room at all, none will be written."""
    try:
        return tempfile.gettempdir()
    except FileNotFoundError:
        return os.curdir


def quiet(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Return a connection, or a cursor, that draws no progress bar, as DuckDB does in interactive sessions."""
    return connection.execute("SET enable_progress_bar = false")


def identifier(name: str) -> str:
    """Return a name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return text as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def glob_escaped(path: str) -> str:
    """Return a path in the form in which DuckDB takes it for one file, whatever characters it has."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in path)


def files_literal(paths: Sequence[str]) -> str:
    """Return paths as an SQL list of files."""
    return f"[{', '.join(literal(glob_escaped(path)) for path in paths)}]"


def kind_of(sql_type: str) -> str:
    """Return ``number``, ``text``, ``boolean``, ``time`` or ``other`` for an SQL type.

    >>> kind_of("DECIMAL(18,3)"), kind_of("TIMESTAMP WITH TIME ZONE"), kind_of("BIGINT[]")
    ('number', 'time', 'other')
    """
    return "other" if sql_type.endswith("]") else KIND_OF.get(sql_type.split("(")[0].split(" ")[0], "other")


def as_read(sql_type: str) -> str:
    """Return the type to read a column of a text file as, given the type guessed from its first rows.

    Whole numbers may have fractions further down, which a cast would round in silence; JSON of mixed types is text.
    """
    return "DOUBLE" if kind_of(sql_type) == "number" else "VARCHAR" if sql_type == "JSON" else sql_type


def unused(stem: str, names: Sequence[str]) -> str:
    """Return a name that starts with ``stem`` and that no column has, regardless of case."""
    column_names = {name.casefold() for name in names}
    while any(name.startswith(stem) for name in column_names):
        stem += "_"
    return stem


def distinct(names: Sequence[str]) -> list[str]:
    """Return the names that differ from every other one in more than case, which SQL ignores."""
    counts = Counter(name.casefold() for name in names)
    return [name for name in names if counts[name.casefold()] == 1]


def renamed(condition: str, names: Mapping[str, str]) -> str:
    """Return a condition with its columns renamed, quoted or not; the case of each letter counts.

    >>> renamed("X > 1 and \\"x\\" <> 'x'", {"x": "c0", "X": "c1"})
    "c1 > 1 and c0 <> 'x'"
    """

    def other(token: re.Match[str]) -> str:
        name = token[0][1:-1].replace('""', '"') if token[0].startswith('"') else token[0]
        return token[0] if token[0] in KEYWORDS else names.get(name, token[0])

    return WORDS.sub(other, condition) if names else condition


def in_days(name: str, types: Mapping[str, str], paths: Mapping[str, str]) -> str:
    """Return a command that adds a column of days to the one file of a table; empty if a plain command will not do."""
    (path,) = paths.values() if len(paths) == 1 else ("",)
    plain = name.isidentifier() and not re.search(r"['\"\\$`!]", path)
    if not (path and plain and types[name].startswith(("DATE", "TIMESTAMP"))):
        return ""
    new = unused("days", list(types))
    days = f"date_diff('second', min(t.{name}) over (), t.{name})/86400 as {new}"
    csv_path = f"{os.path.splitext(path)[0]}-in-days.csv"
    sql = f"copy (select *, {days} from '{path}' t) to '{csv_path}'"
    return f": `python -c \"import duckdb; duckdb.sql('''{sql} ''')\"` writes them to {csv_path}, as `{new}`"


def unreadable(source: str, error: Exception) -> DataError:
    """Return the error for a source DuckDB cannot read, in its own words."""
    import duckdb

    if isinstance(error, duckdb.OutOfMemoryException):
        return DataError(f"{source} does not fit into memory. {how_to_need_less()}")
    return DataError(f"{source} cannot be read: {reason(error)}. It may be damaged: write it again.")


def checked_condition(where: str, columns: Sequence[str]) -> str:
    """Return ``where`` if it is one SQL expression, which nothing can follow or close early, with columns in full.

    Raises DataError with DuckDB's reason if it is not.
    """
    import duckdb

    if not where.strip():
        raise DataError("The condition on the rows is empty. Write one such as `x > 1`, or leave it out.")
    try:
        condition = str(duckdb.SQLExpression(where))
    except TypeError:
        raise DataError("The condition on the rows is not valid Unicode text. Write it anew.") from None
    except duckdb.Error as error:
        raise bad_condition(where, error) from None
    return renamed(condition, {name: identifier(column) for name, column in plain_names(columns).items()})


def bad_condition(where: str, error: Exception, table: Table | None = None) -> DataError:
    """Return the error for a condition that DuckDB refuses, as such or on the columns of ``table``."""
    condition = " ".join(where.split())
    column = re.search(r'Referenced column "(.*)" not found', str(error))
    if column and table:
        return DataError(
            f"There is no column `{column[1]}` in {table.source}, which the condition `{condition}` needs."
            f"{closest(column[1], table.names)} Its columns: {listing(table.names)}."
        )
    if "Cannot compare values of type VARCHAR and type" in str(error):
        return DataError(
            f"The condition `{condition}` compares a column of text with a number. "
            "Take the numbers out of a column `c` by `try_cast(c as double)`."
        )
    return DataError(
        f"The condition `{condition}` does not work: {reason(error)}. Write it in SQL, such as `x > 1 and site = 'a'`."
    )


def absolute(path: str) -> str:
    """Return an absolute path: one that DuckDB cannot take for a web address or a home directory."""
    return os.path.abspath(path)


def _plain(column: object) -> Numbers:
    filled = column.filled(np.nan) if hasattr(column, "filled") else column  # masked where it is null
    return np.ascontiguousarray(filled, dtype=np.float64)
