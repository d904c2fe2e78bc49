"""JSON records, one row each, in a list or line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from descend.table.database import Database, as_read, files_literal, literal
from descend.table.query import NamedScan


class RecordScan(NamedScan):
    """A scan of JSON files; a record without a key has a missing value there."""

    def __init__(self, paths: Mapping[str, str], compression: str, database: Database) -> None:
        self.paths = paths
        self._options = f"union_by_name = true, hive_partitioning = false, compression = {literal(compression)}"
        self.names = tuple(self.types(database, whole=False))

    def types(self, database: Database, whole: bool) -> dict[str, str]:
        """Return the types DuckDB finds in the first 20,480 records, or in all."""
        sample = ", sample_size = -1" if whole else ""
        detected = database.columns(f"read_json({files_literal(list(self.paths))}, {self._options}{sample})")
        return {name: as_read(sql_type) for name, sql_type in detected.items()}

    def relation(self, types: Mapping[str, str], paths: Sequence[str] | None = None) -> str:
        """Return the read_json call for these types."""
        columns = ", ".join(f"{literal(name)}: {literal(types.get(name, 'VARCHAR'))}" for name in self.names)
        files = files_literal(list(self.paths) if paths is None else paths)
        return f"read_json({files}, {self._options}, columns = {{{columns}}})"
