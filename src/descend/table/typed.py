"""Sources that name and type their columns themselves, as DuckDB reads them: Parquet, JSON records, Arrow streams."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from descend.table.database import Database, absolute, as_read, files_literal, identifier, literal, unreadable
from descend.table.files import File
from descend.table.query import QueryTable
from descend.table.scan import Scan


class NamedScan(Scan):
    """A scan whose columns go by their names in SQL."""

    @cached_property
    def columns(self) -> dict[str, str]:  # type: ignore[override]
        return {name: identifier(name) for name in self.names}

    def as_numbers(self, names: Sequence[str]) -> None:
        """Return None: the types come with the names."""

    def notes(self, source: str) -> tuple[str, ...]:
        return ()

    def explain(self, error: Exception) -> None:
        """Return None: DuckDB says where the fault is."""


class Relation(NamedScan):
    """A scan of a source that has types of its own: Parquet, Arrow."""

    typed = True

    def __init__(
        self,
        names: Sequence[str],
        columns_read: Callable[[Sequence[str]], str],
        paths: Mapping[str, str],
        numbered: str | None = None,
    ) -> None:
        """Keep ``columns_read``, which returns the FROM item for files; ``numbered``, one with `file_row_number`."""
        self.numbered = numbered
        self.names = tuple(names)
        self.paths = paths
        self._read = columns_read

    def types(self, database: Database, every_row: bool) -> dict[str, str]:
        return database.columns(self.relation({}))

    def relation(self, types: Mapping[str, str], paths: Sequence[str] | None = None) -> str:
        return self._read(list(self.paths) if paths is None else paths)


class RecordScan(NamedScan):
    """A scan of JSON files; where a record lacks a key, the value is missing."""

    def __init__(self, paths: Mapping[str, str], compression: str, database: Database) -> None:
        self.paths = paths
        self._options = f"union_by_name = true, hive_partitioning = false, compression = {literal(compression)}"
        self.names = tuple(self.types(database, every_row=False))

    def types(self, database: Database, every_row: bool) -> dict[str, str]:
        sample = ", sample_size = -1" if every_row else ""
        detected = database.columns(f"read_json({files_literal(list(self.paths))}, {self._options}{sample})")
        return {name: as_read(sql_type) for name, sql_type in detected.items()}

    def relation(self, types: Mapping[str, str], paths: Sequence[str] | None = None) -> str:
        columns = ", ".join(f"{literal(name)}: {literal(types.get(name, 'VARCHAR'))}" for name in self.names)
        files = files_literal(list(self.paths) if paths is None else paths)
        return f"read_json({files}, {self._options}, columns = {{{columns}}})"


def open_typed(files: Sequence[File], source: str) -> QueryTable:
    """Open files of JSON records or Parquet as one table."""
    import duckdb

    paths_by_url = {absolute(file.place): file.path for file in files}
    database = Database(list(paths_by_url))
    try:
        scan = (
            RecordScan(paths_by_url, files[0].packing or "none", database)
            if files[0].kind == "json"
            else _parquet(paths_by_url, database)
        )
    except duckdb.Error as error:
        raise unreadable(f"`{source}`", error) from None
    scan.copies = [file.copies for file in files]
    table = QueryTable(database, scan, source)
    if files[0].kind == "parquet":
        from descend.table.units import of_parquet

        table.units = of_parquet(next(iter(paths_by_url)), database)
    return table


def _parquet(url: Mapping[str, str], database: Database) -> Relation:
    def read(paths: Sequence[str], more: str = "") -> str:
        return f"read_parquet({files_literal(paths)}, union_by_name = true, hive_partitioning = false{more})"

    names = tuple(database.columns(read(list(url))))
    has_row_number = "file_row_number" in (name.casefold() for name in names)
    return Relation(names, read, url, None if has_row_number else read(list(url), ", file_row_number = true"))
