"""Many files as one table in which a column names the file of each row; one that cannot be read costs itself only."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from descend.errors import DataError
from descend.table.arrays import ArrayTable, from_mapping
from descend.table.files import named_files
from descend.table.opening import is_path, open_table
from descend.table.query import QueryTable
from descend.table.table import Table

Cells = npt.NDArray[np.generic]
FILENAME = "filename"
"""The column that names the file of each row."""


@dataclass(frozen=True)
class Files:
    """Files that are read as one table.

    source: words for them. paths: of each, by its name in the column `FILENAME`. where: an SQL condition on the rows.
    columns: of each file that can be read. unreadable: why each other file cannot be read, in a sentence, by its name.
    """

    source: str
    paths: dict[str, str]
    where: str | None
    columns: dict[str, tuple[str, ...]]
    unreadable: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, data: object, where: str | None = None) -> Files:
        """Look at the heads of files. Raises DataError if there are none, or none can be read."""
        paths_given, source = named_files(data)  # type: ignore[arg-type]
        files = cls(source, dict(zip(_names(paths_given), paths_given, strict=True)), where, {})
        for name, path in files.paths.items():
            try:
                files.columns[name] = open_table(path).names
            except DataError as error:
                files.unreadable[name] = str(error)
        if not files.columns:
            raise DataError(next(iter(files.unreadable.values())))
        return files

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that at least half of the files have, in the order of the first file that has most of them."""
        counted = Counter(name for names in self.columns.values() for name in names)
        common = {name for name, count in counted.items() if 2 * count >= len(self.columns)}
        model = max(self.columns.values(), key=lambda names: len(common.intersection(names)))
        return tuple(name for name in dict.fromkeys((*model, *counted)) if name in common)

    def example(self) -> Table:
        """Return the rows of a file that has all common columns, if any has."""
        common = set(self.names)
        for name, names in sorted(self.columns.items(), key=lambda item: -len(common.intersection(item[1]))):
            try:
                table = open_table(self.paths[name])
                table.types  # noqa: B018 - which reads the file
            except DataError:
                continue
            if common >= set(names):
                return table
            cells = table.cells()
            return open_table({key: cells[key] for key in self.names if key in cells})
        return open_table(next(self.paths[name] for name in self.columns))

    def read(
        self, numbers: Sequence[str], other_columns: Sequence[str] = (), gaps: bool = True
    ) -> tuple[ArrayTable, dict[str, str]]:
        """Read columns of all files as a table with the column `FILENAME`; why some could not be read, by their names.

        numbers: columns in which each cell has to be a number, or missing. others: those that may also be text.
        gaps: whether a file that could not be read has one row, without any value.
        """
        columns = tuple(dict.fromkeys((*numbers, *other_columns)))
        failed = dict(self.unreadable)
        file_parts: list[tuple[str, int, dict[str, Cells]]] = []
        for name, names in self.columns.items():
            lacking = [column for column in columns if column not in names]
            if lacking:
                failed[name] = _lacking(self.paths[name], lacking, names)
        alike: dict[tuple[str, ...], list[str]] = {}
        for name, names in self.columns.items():
            if name not in failed:
                alike.setdefault(names, []).append(name)
        for some in alike.values():
            file_parts += self._parts(some, numbers, columns, failed)
        if not file_parts:
            raise DataError(next(iter(failed.values())))
        return self._joined(columns, file_parts, failed if gaps else {}), failed

    def _parts(
        self, names: list[str], numbers: Sequence[str], columns: Sequence[str], failed: dict[str, str]
    ) -> Iterator[tuple[str, int, dict[str, Cells]]]:
        """Yield the name of each file, its rows and its columns; all at once, or in halves where one cannot be read."""
        paths = [self.paths[name] for name in names]
        try:
            table = open_table(paths, self.where)
            assert isinstance(table, QueryTable)  # as those of files are
            counts = table.rows_by_file()
            empty = [name for name in names if not counts[self.paths[name]]]
            if empty and len(names) == 1:
                raise table.no_rows()
            cells: dict[str, Cells] = dict(table.with_gaps(numbers))
            cells |= {column: _cells(table, column) for column in columns if column not in cells}
        except DataError as error:
            if len(names) == 1:
                failed[names[0]] = str(error)
                return
            half = len(names) // 2
            yield from self._parts(names[:half], numbers, columns, failed)
            yield from self._parts(names[half:], numbers, columns, failed)
            return
        begin = 0
        for name, path in zip(names, paths, strict=True):
            end = begin + counts[path]
            if end == begin:
                failed[name] = str(open_table(path, self.where).no_rows())
            else:
                yield name, end - begin, {column: values[begin:end] for column, values in cells.items()}
            begin = end

    def _joined(
        self, columns: Sequence[str], file: list[tuple[str, int, dict[str, Cells]]], failed: dict[str, str]
    ) -> ArrayTable:
        order = {name: file_number for file_number, name in enumerate(self.paths)}
        file = sorted(file, key=lambda part: order[part[0]])
        names = np.repeat(np.array([name for name, _, _ in file], dtype=object), [rows for _, rows, _ in file])
        joined: dict[str, Cells] = {}
        for column in columns:
            cells = [values[column] for _, _, values in file]
            numbers = all(each.dtype.kind == "f" for each in cells)
            gaps = np.full(len(failed), np.nan if numbers else None, dtype=np.float64 if numbers else object)
            joined[column] = (
                np.concatenate([*cells, gaps]) if numbers else np.concatenate([*map(_objects, cells), gaps])
            )
        table = from_mapping({**joined, FILENAME: np.concatenate([names, np.array([*failed], dtype=object)])})
        table.source = self.source
        return table


def open_by_file(data: object, by: Sequence[str], numbers: Sequence[str], where: str | None = None) -> Table:
    """Open data, of which a column names the file of each row if groups are files. numbers: columns of numbers.

    Raises DataError for a file that cannot be read.
    """
    if not by_file(data, by):
        return open_table(data, where)
    files = Files.of(data, where)
    shared = [name for name in files.names if all(name in names for names in files.columns.values())]
    table, failed = files.read(numbers, shared, gaps=False)
    if failed:
        raise DataError(next(iter(failed.values())))
    return table


def by_file(data: object, by: Sequence[str]) -> bool:
    """Whether groups are to be files: ``by`` has `FILENAME`, the data are files, and these have no such column."""
    if FILENAME not in by or not is_path(data):
        return False
    paths, _ = named_files(data)  # type: ignore[arg-type]
    for path in paths:
        try:
            return FILENAME not in open_table(path).names
        except DataError:
            continue
    return True


def _names(paths: Sequence[str]) -> list[str]:
    """Return the name of each file; with its folders, as far as they differ, where names alone are alike."""
    names = [os.path.basename(path) for path in paths]
    if len(set(names)) == len(names):
        return names
    shared = os.path.commonpath([os.path.dirname(os.path.abspath(path)) for path in paths])
    return [os.path.relpath(os.path.abspath(path), shared) for path in paths]


def _cells(table: Table, name: str) -> Cells:
    """Return a column as numbers; one of words as text."""
    if table.types[name] in ("number", "boolean"):
        return table.with_gaps((name,))[name]
    return table.text(name)


def _objects(cells: Cells) -> Cells:
    return cells.astype(object)


def _lacking(path: str, columns: Sequence[str], names: Sequence[str]) -> str:
    columns_lacking = " and ".join(f"`{name}`" for name in columns)
    return f"`{path}` has no column {columns_lacking}. Its columns: {', '.join(names)}."
