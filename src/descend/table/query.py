"""A table whose rows DuckDB reads: files, and frames that stream Arrow data."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from descend.errors import DataError
from descend.table.cells import as_counted, as_label, coded, exact_cells, exact_up_to
from descend.table.database import Database, bad_condition, checked_condition, in_days, kind_of, unreadable, unused
from descend.table.held_out import EVENLY, Part
from descend.table.memory import there_is
from descend.table.scan import Scan
from descend.table.table import EXACT, TRUTH, Label, Numbers, Table

if TYPE_CHECKING:
    from descend.table.lazy import Lazy
    from descend.table.rounding import Rounded

Result = TypeVar("Result")
SMALL = 16 * 1024**2
"""Bytes of files, in all, that always fit into memory."""
MANY = 64 * 1024**2
"""Bytes of columns from which on they are read through Arrow."""
PACKED = 5
"""Size of an unpacked text file as a multiple of the packed one, about."""


class QueryTable(Table):
    """Rows read by DuckDB queries, in their order, and only the columns asked for."""

    def __init__(self, database: Database, scan: Scan, source: str, conditions: tuple[str, ...] = ()) -> None:
        self.source = source
        self.names = scan.names
        self.conditions = conditions
        self._database = database
        self._scan = scan
        self._sql_types: dict[str, str] = {}
        self._every_row = False
        self._as_text: frozenset[str] = frozenset()
        self._rows: int | None = None
        self._part: Part | None = None

    @property
    def rows(self) -> int:
        if self._rows is None:
            self._rows = self._attempt(lambda: self._rows_in(self._from()))
        return self._rows

    def rows_by_file(self) -> dict[str, int]:
        """Return how many rows of each file, by the path given for it, meet the conditions."""

        def rows_in(path: str) -> int:
            return self._rows_in(self._from(relation=self._scan.relation(self._described(), [path])))

        return self._attempt(lambda: {rows_of_path: rows_in(path) for path, rows_of_path in self._scan.paths.items()})

    @property
    def types(self) -> dict[str, str]:
        return self._attempt(lambda: {name: kind_of(sql_type) for name, sql_type in self._described().items()})

    def text(self, name: str) -> npt.NDArray[np.object_]:
        self._known([name])
        # Made anew if it is tried again, since the types of the columns may have changed by then.
        column = self._attempt(
            lambda: self._database.run(f"SELECT {self._label(name)} AS c FROM {self._from()}").fetchnumpy()["c"]
        )
        words = np.array(np.ma.getdata(column), dtype=object)
        words[np.ma.getmaskarray(column)] = None
        return words

    def combinations(self, columns: Sequence[str]) -> list[tuple[Label | None, ...]]:
        return self._attempt(lambda: self._database.combinations(self._keys(columns), self._from()))

    def keep_zeros(self, columns: Sequence[str], text: bool = False) -> tuple[str, ...]:
        described = {} if self._scan.typed else self._attempt(self._described)
        notes = []
        for name in columns:
            if kind_of(described.get(name, "")) != "number" or name in self.counted:
                continue
            column, relation = self._scan.columns[name], self._scan.relation({**described, name: "VARCHAR"})
            padded = f"regexp_full_match({column}, '\\s*0[0-9]+\\s*')"
            (cell,) = self._database.one(f"SELECT min({column}) FILTER (WHERE {padded}) FROM {relation}")
            if cell is not None:
                notes.append(
                    f"`{name}` is read as text, as some of its numbers begin with 0, such as {cell.strip()}: `01` and "
                    "`1` are two groups"
                )
            if cell is not None or text:
                self._as_text |= {name}
                self._sql_types = {**self._sql_types, name: "VARCHAR"}
        self.notes = tuple(dict.fromkeys((*self.notes, *notes)))
        return tuple(notes)

    def _keys(self, columns: Sequence[str]) -> dict[str, str]:
        return {name: self._as_key(name)[0] for name in columns}

    def words(self, name: str, most: int) -> list[str]:
        self._known([name])

        def found() -> list[tuple[str]]:
            sql = f"SELECT DISTINCT {self._label(name)} AS c FROM {self._from()} WHERE c IS NOT NULL LIMIT {most}"
            return self._database.run(sql).fetchall()

        return sorted(word for (word,) in self._attempt(found))

    def filtered(self, where: str) -> QueryTable:
        import duckdb

        condition = checked_condition(where, self.names)
        self._attempt(self._described)
        table = copy.copy(self)
        table.conditions, table._rows = (*self.conditions, condition), None
        try:
            self._database.run(f"EXPLAIN SELECT count(*) FROM {table._from()}")
        except duckdb.Error as error:
            raise bad_condition(where, error, self) from None
        return table

    def shares(
        self, share: float, seed: int, groupings: Sequence[Sequence[str]] = (), needed: Sequence[str] = ()
    ) -> tuple[QueryTable, QueryTable, str]:
        held_out, others = copy.copy(self), copy.copy(self)
        held_out._part, others._part = (Part(out, share, seed, (*groupings,), (*needed,)) for out in (True, False))
        held_out._rows = others._rows = None
        return held_out, others, EVENLY

    def _read(self, names: Sequence[str]) -> dict[str, Numbers]:
        if not names:
            return {}
        self._known(names)
        columns = self._optimistic(names)
        if columns is None:
            columns = self._attempt(
                lambda: self._database.doubles(self._as_doubles(names), self._from(), self._many(names))
            )
        self._rows = len(columns[names[0]])
        return columns

    def _optimistic(self, names: Sequence[str]) -> dict[str, Numbers] | None:
        # Most columns asked for as numbers are numbers; read so, they need no look at the types first.
        import duckdb

        odd = self.conditions or self._part or any(name in self.counted for name in names)
        relation = None if odd else self._scan.as_numbers(names)
        if relation is None:
            return None
        columns = {name: self._scan.columns[name] for name in names}
        try:
            return self._database.doubles(columns, relation, self._many(names))
        except duckdb.ConversionException:
            return None
        except duckdb.Error as error:
            raise self._explained(error) from None

    def _attempt(self, query: Callable[[], Result]) -> Result:
        """Do ``query``; if types guessed from the first rows did not fit later ones, guess from all and try again."""
        import duckdb

        try:
            return query()
        except duckdb.Error as error:
            failure = error
        if not self._every_row and isinstance(failure, duckdb.ConversionException | duckdb.InvalidInputException):
            self._every_row, self._sql_types = True, {}
            try:
                return query()
            except duckdb.Error as error:
                failure = error
        raise self._explained(failure) from None

    def _explained(self, error: Exception) -> DataError:
        import duckdb

        if isinstance(error, duckdb.OutOfMemoryException):
            return unreadable(f"`{self.source}`", error)
        scan_error = self._scan.explain(error)
        if scan_error is None and self.conditions:
            return bad_condition(self.conditions[-1], error, self)
        return scan_error or unreadable(f"`{self.source}`" if len(self._scan.paths) == 1 else self.source, error)

    def lazy(self, names: Sequence[str], memory: int | None = None, by: Sequence[str] = ()) -> Lazy:
        """Return columns of numbers that DuckDB reads anew for each query, or just once from text, which takes long.

        Text too large to be kept is read through once, to see whether all of it is what its first rows are.
        """
        self._known([*self.given(names), *by])
        self._database.limit(memory)
        row_column = unused("place", self.names) if self._scan.numbered else ""
        relation = f"(SELECT *, file_row_number AS {row_column} FROM {self._scan.numbered})" if row_column else ""
        text = not self._scan.typed
        in_memory = text and self.size(len(names) + len(by)) < (memory or there_is() // 2) / 2

        def opened() -> Lazy:
            expressions = list(self._as_doubles(names).values())
            keys = {name: self._as_key(name) for name in by}
            lazy = self._database.lazy(names, self._from(relation=relation), expressions, row_column, in_memory, keys)
            if text and not in_memory:
                lazy.one(lazy.table.aggregate(**{column: lazy.table[column].count() for column in lazy.table.columns}))
            return lazy

        lazy = self._attempt(opened)
        lazy.explain = self._explained
        return lazy

    def size(self, columns: int) -> float:
        """Estimate the size from the number of rows where that is known, else from the length of the text."""
        length = sum(map(os.path.getsize, self._scan.paths))
        if length < SMALL:
            return 0.0
        if self._scan.typed:
            return 8.0 * columns * self.rows
        packed = any(path.endswith((".gz", ".zst")) for path in self._scan.paths)
        return float(length) * min(1.0, columns / len(self.names)) * (PACKED if packed else 1)

    def exact_up_to(self, name: str) -> float:
        """Return the limit for the SQL type; in text any whole number may be too long, whatever type it is read as."""
        return exact_up_to(self._described()[name]) if self._scan.typed else EXACT

    def rounded(self, name: str) -> Rounded | None:
        return self._attempt(lambda: self._rounded(name))

    def _rounded(self, name: str) -> Rounded | None:
        from descend.table.rounding import Rounded, alike, matters

        scan, exact = self._scan, unused("exact", self.names)
        relation, changed = exact_cells(name, scan.columns[name], exact, self._described(), scan.relation, scan.typed)
        count, smallest, largest = self._database.one(
            f"SELECT count(*) FILTER (WHERE {changed}), min({exact}), max({exact}) FROM {self._from(relation=relation)}"
        )
        if not count or not matters(smallest, largest):
            return None
        row, cell = self._first(f"CAST({exact} AS VARCHAR)", changed, relation)
        return Rounded(count, self._row(row), cell, alike(smallest, largest))

    def _many(self, names: Sequence[str]) -> int | None:
        """Return the number of rows, if that is known without reading them, and they are many."""
        rows_known = self._scan.typed and not self.conditions and not self._part
        return self.rows if rows_known and self.size(len(names)) > MANY else None

    def _as_doubles(self, names: Sequence[str]) -> dict[str, str]:
        """Return the SQL of each column as DOUBLE; DataError if one is not numeric."""
        expressions: dict[str, str] = {}
        for name in names:
            if name in self.codings:
                expressions[name] = coded(self.codings[name], self._keys(self.codings[name].columns))
                continue
            kind = kind_of(self._described()[name])
            if kind == "boolean" and name not in self.counted:
                self._count(name, TRUTH)
            if name in self.counted:
                expressions[name] = as_counted(self._label(name), self.counted[name])
            elif kind == "text":
                expressions[name] = self._words_as_doubles(name)
            elif kind == "number":
                expressions[name] = f"CAST({self._scan.columns[name]} AS DOUBLE)"
            else:
                from descend.table.not_numbers import not_numeric

                raise not_numeric(name, self.source, kind, in_days(name, self._described(), self._scan.paths))
        return expressions

    def _words_as_doubles(self, name: str) -> str:
        """Return the SQL of a text column whose cells are numbers, or words that count as such.

        Raises DataError for other words.
        """
        column = f"CAST({self._scan.columns[name]} AS VARCHAR)"
        bad = f"{column} IS NOT NULL AND TRY_CAST({column} AS DOUBLE) IS NULL"
        count, cells = self._database.one(f"SELECT count(*) FILTER (WHERE {bad}), count({column}) FROM {self._from()}")
        if not count:
            return f"TRY_CAST({column} AS DOUBLE)"
        from descend.table.yes_no_words import SPELLINGS, truth_of

        counted = truth_of(self.words(name, SPELLINGS + 1))
        if counted is None:
            from descend.table.not_numbers import not_a_number

            row, cell = self._first(column, bad)
            raise not_a_number(name, self.source, self._row(row), cell, count, cells)
        self._count(name, counted)
        return self._as_doubles([name])[name]

    def place(self, position: int) -> str:
        if self.conditions or self._part:
            return self._row(self._attempt(lambda: self._first("1", "true", skip=position)[0]))
        return self._row(position + 1)

    def _first(self, sql: str, condition: str, relation: str = "", skip: int = 0) -> tuple[int, str]:
        """Return the number of the first row for which a condition holds, and an expression of its columns."""
        number = unused("place", self.names)
        row, value = self._database.one(
            f"SELECT {number}, {sql} FROM {self._from(number, relation)} AS t WHERE {condition} "
            f"ORDER BY {number} LIMIT 1 OFFSET {skip}"
        )
        return row, value

    def _row(self, row: int) -> str:
        """Return ``row 4``, or ``row 4 of b.csv`` if there are several files."""
        if len(self._scan.paths) < 2:
            return f"row {row}"
        for path in self._scan.paths:
            rows = self._rows_in(self._scan.relation(self._described(), [path]))
            if row <= rows:
                break
            row -= rows
        return f"row {row} of {self._scan.paths[path]}"

    def _rows_in(self, relation: str) -> int:
        return int(self._database.one(f"SELECT count(*) FROM {relation}")[0])

    def _from(self, number: str = "", relation: str = "") -> str:
        """Return the FROM item of the rows that meet the conditions; ``number`` names a column of row numbers."""
        relation = relation or self._scan.relation(self._described())
        drawn = unused("drawn", self.names) if self._part else number
        if drawn:
            relation = f"(SELECT row_number() OVER () AS {drawn}, * FROM {relation})"
        if self.conditions:
            conditions = " AND ".join(f"(\n{self._scan.in_columns(condition)}\n)" for condition in self.conditions)
            relation = f"(SELECT * FROM (SELECT *{self._scan.aliases()} FROM {relation}) WHERE {conditions})"
        if self._part:
            complete = self._part.complete(self._scan.columns)
            groups = [", ".join([*(self._as_key(name)[0] for name in each), complete]) for each in self._part.groupings]
            kept = f"{drawn} AS {number}, " if number else ""
            condition = self._part.condition(drawn, groups)
            # What is counted over groups comes in another order, unless it is sorted.
            clause = f"QUALIFY {condition} ORDER BY {drawn}" if groups else f"WHERE {condition}"
            relation = f"(SELECT {kept}* EXCLUDE ({drawn}) FROM {relation} {clause})"
        return relation

    def _as_key(self, name: str) -> tuple[str, str]:
        """Return the SQL and the type of a column that tells groups apart; null for an empty text."""
        number = kind_of(self._described()[name]) in ("number", "boolean")
        return (self._as_doubles([name])[name], "float64") if number else (f"nullif({self._label(name)}, '')", "string")

    def _label(self, name: str) -> str:
        return as_label(self._scan.columns[name], self._described()[name])

    def _described(self) -> dict[str, str]:
        if not self._sql_types:
            types = self._scan.types(self._database, self._every_row)
            self._sql_types = types | dict.fromkeys(self._as_text, "VARCHAR")
            self.notes = tuple(dict.fromkeys((*self.notes, *self._scan.notes(self.source))))
        return self._sql_types
