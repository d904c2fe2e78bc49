"""How the rows of one source, such as a CSV file, are written in SQL."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from descend.errors import DataError
from descend.table.database import Database, distinct, identifier, renamed


class Scan(ABC):
    """How the rows of one source are written in SQL."""

    names: tuple[str, ...]
    columns: Mapping[str, str]
    """What each column is called within `relation`, as an SQL identifier."""
    paths: Mapping[str, str]
    """The files by absolute path, each with the path that was given for it."""
    copies: object = None
    """What keeps those files that are copies from being removed."""
    typed = False
    """Whether the source fixes the types of its columns, and knows how many rows it has."""
    numbered: str | None = None
    """The FROM item of all rows with a column `file_row_number`, if the source has one."""

    @abstractmethod
    def types(self, database: Database, every_row: bool) -> dict[str, str]:
        """Return the SQL type of each column; guessed from the first rows, or from all if ``every_row``."""

    @abstractmethod
    def relation(self, types: Mapping[str, str], paths: Sequence[str] | None = None) -> str:
        """Return the FROM item that reads the columns as these types, from all files or some."""

    def aliases(self) -> str:
        """Return what a SELECT must add to ``*`` so that conditions can use the names that SQL can tell apart."""
        names = (name for name in distinct(self.names) if self.columns[name] != identifier(name))
        return "".join(f", {self.columns[name]} AS {identifier(name)}" for name in names)

    def in_columns(self, condition: str) -> str:
        """Return a condition with identifiers in place of names that differ only in case, quoted or not."""
        distinct_names = set(distinct(self.names))
        return renamed(condition, {name: column for name, column in self.columns.items() if name not in distinct_names})

    @abstractmethod
    def as_numbers(self, names: Sequence[str]) -> str | None:
        """Return a relation that reads columns as DOUBLE without a look at their types, if there is one."""

    @abstractmethod
    def notes(self, source: str) -> tuple[str, ...]:
        """Say how cells are read, where a reader would not expect it; to be called after `types`."""

    @abstractmethod
    def explain(self, error: Exception) -> DataError | None:
        """Return the error for a source that DuckDB cannot read, or None where DuckDB's own words will do."""
