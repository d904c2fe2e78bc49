"""From the paths a user typed to a table: which files, of what kind, and whether they can be read."""

from __future__ import annotations

import glob
import os
import stat
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

from descend.errors import DataError
from descend.registry import closest
from descend.table.database import Database, absolute, files_literal
from descend.table.delimited import DelimitedScan
from descend.table.inspection import File, inspect
from descend.table.layout import Layout, find_layout, has_rows
from descend.table.query import QueryTable, Relation, Scan, unreadable
from descend.table.records import RecordScan
from descend.table.table import listing
from descend.table.tidying import Copies

STANDARD_INPUT = "-"
ENCODED = "`{}` is not UTF-8 text, and is read as Windows-1252, of which Latin-1 is a part"


def open_files(given: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> QueryTable:
    """Open the files that a path, a pattern or a list of them names, as one table; rows in the order of the files.

    Delimited text, JSON and Parquet are told apart by what the files hold, JSON also by its ending;
    gzip and zstd are unpacked. Raises DataError if a file is missing, is not one of these, or has no columns.
    """
    paths, source = _named(given)
    copies = Copies()
    files = [_inspected(path, copies) for path in paths]
    first = files[0]
    for other in files[1:]:
        if (other.kind, other.packing) != (first.kind, first.packing):
            raise DataError(
                f"`{first.path}` and `{other.path}` are of different kinds, {first.words} and {other.words}. "
                "Give files of one kind."
            )
    if first.kind == "delimited":
        return _delimited(files, source, copies)
    places = {absolute(file.place): file.path for file in files}
    database = Database(list(places))
    scan: Scan
    if first.kind == "json":
        scan = _records(places, first.packing, database, source)
    else:
        scan = _parquet(places, database, source)
    scan.copies = copies
    return QueryTable(database, scan, source)


def _inspected(path: str, copies: Copies) -> File:
    """Look at the start of a file; of standard input or a pipe, which can be read only once, at that of a copy."""
    if path == STANDARD_INPUT:
        if sys.stdin is None or sys.stdin.isatty():
            raise DataError(
                "The data are to come from standard input, but nothing is sent there. Write `descend fit ... - < FILE`."
            )
        return inspect("standard input", copies.of_stream(sys.stdin.buffer))
    try:
        mode = os.stat(path).st_mode
        if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode)):
            return inspect(path)
        with open(path, "rb") as stream:
            return inspect(path, copies.of_stream(stream))
    except OSError as error:
        said = (error.strerror or str(error)).lower()
        raise DataError(f"`{path}` cannot be read: {said}. Check the file and your permissions.") from None


def _delimited(files: Sequence[File], source: str, copies: Copies) -> QueryTable:
    layouts = [_layout(file) for file in files]
    first = layouts[0]
    for file, other in zip(files, layouts, strict=True):
        if (other.names, other.delimiter) != (first.names, first.delimiter):
            raise DataError(
                f"`{files[0].path}` and `{file.path}` do not have the same columns: "
                f"{listing(first.names)} and {listing(other.names)}. Give files whose first lines are alike."
            )
        if file.whole and not has_rows(file.head, other):
            raise DataError(f"`{file.path}` has a header but no rows. Give a file with at least one row.")
    packing, places = files[0].packing, {absolute(file.place): file.path for file in files}
    like_the_first = {(each.skip, each.line_end) for each in layouts} == {(first.skip, first.line_end)}
    if packing != "zstd" and not (like_the_first and all(map(_is_tidy, files, layouts))):
        skip = max(each.skip for each in layouts)
        tidied = [copies.tidied(file, layout, skip) for file, layout in zip(files, layouts, strict=True)]
        places, packing = dict(zip(tidied, places.values(), strict=True)), ""
        first = replace(first, skip=skip, line_end="\n")
    # A file of whole numbers does not show how it would write others.
    commas = next((each for each in layouts if each.decimals.comma), first)
    scan = DelimitedScan(places, replace(first, decimals=commas.decimals), packing or "none")
    scan.copies = copies
    table = QueryTable(Database(list(places)), scan, source)
    told = [note for each in layouts for note in each.notes]
    told += [ENCODED.format(file.path) for file in files if file.encoding == "cp1252"]
    table.notes = (*told, *([scan.decimals.note(source)] if scan.decimals.comma else []))
    return table


def _is_tidy(file: File, layout: Layout) -> bool:
    return file.encoding == "utf-8" and not layout.untidy


def _records(places: Mapping[str, str], packing: str, database: Database, source: str) -> RecordScan:
    import duckdb

    try:
        return RecordScan(places, packing or "none", database)
    except duckdb.Error as error:
        raise unreadable(f"`{source}`", error) from None


def _parquet(places: Mapping[str, str], database: Database, source: str) -> Relation:
    import duckdb

    def read(paths: Sequence[str], more: str = "") -> str:
        return f"read_parquet({files_literal(paths)}, union_by_name = true, hive_partitioning = false{more})"

    try:
        names = tuple(database.columns(read(list(places))))
        taken = "file_row_number" in (name.casefold() for name in names)
        numbered = None if taken else read(list(places), ", file_row_number = true")
        return Relation(names, read, places, numbered)
    except duckdb.Error as error:
        raise unreadable(f"`{source}`", error) from None


def _layout(file: File) -> Layout:
    if file.packing == "zstd":
        # How lines end is lost in unpacking the first of them.
        return replace(find_layout(_unpacked_head(file), f"`{file.path}`"), line_end="", uneven_ends=False)
    return find_layout(file.head, f"`{file.path}`")


def _unpacked_head(file: File) -> str:
    """Return the first lines of a file packed by zstd, which DuckDB unpacks and Python does not."""
    import duckdb

    bell = "\x07"  # A delimiter that text does not hold, so that each line is one cell.
    place = absolute(file.place)
    database = Database([place])
    try:
        rows = database.run(
            f"SELECT line FROM read_csv({files_literal([place])}, auto_detect = false, header = false, "
            f"columns = {{line: 'VARCHAR'}}, delim = '{bell}', quote = '', escape = '', "
            f"compression = '{file.packing}') LIMIT 200"
        ).fetchall()
    except duckdb.Error as error:
        raise unreadable(f"`{file.path}`", error) from None
    return "".join(f"{line or ''}\n" for (line,) in rows).removeprefix("\ufeff")


def _named(given: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> tuple[list[str], str]:
    """Return the paths that were named, each once, and words for them."""
    if isinstance(given, (str, os.PathLike)):
        text = _text(given)
        if text == STANDARD_INPUT:
            return [text], "standard input"
        paths = _matching(text)
        source = text if paths == [text] else f"{len(paths)} files matching {text}" if len(paths) > 1 else paths[0]
        return paths, source
    texts = [_text(one) for one in given]
    paths = list(dict.fromkeys(path for text in texts for path in _matching(text)))
    if not paths:
        raise DataError("The list of files is empty. Give at least one file.")
    others = f"{len(paths) - 1} more files" if len(paths) > 2 else paths[-1]
    return paths, paths[0] if len(paths) == 1 else f"{paths[0]} and {others}"


def _matching(text: str) -> list[str]:
    """Return the file of this name, else those that match it as a pattern."""
    home = os.path.expanduser(text)
    for path in (text, home):
        if os.path.isdir(path):
            raise DataError(
                f"`{path}` is a folder. Give a file in it, or a pattern such as `{path.rstrip('/')}/*.csv`."
            )
        if os.path.lexists(path):
            return [_openable(path)]
    if "://" in text:
        raise DataError(f"`{text}` is a web address. Download the file, then give its path.")
    if not glob.has_magic(text):
        raise _missing(home)
    paths = sorted(path for path in glob.glob(home, recursive=True) if not os.path.isdir(path))
    if not paths:
        raise DataError(f"No file matches `{text}`. Check the pattern and the folder it starts from.")
    return [_openable(path) for path in paths]


def _openable(path: str) -> str:
    # DuckDB escapes the signs of a pattern only where no backslash, to it a separator of folders, stands beside them.
    if os.sep == "/" and "\\" in path and glob.has_magic(path):
        raise DataError(
            f"The name of `{path}` has a backslash and one of *, ? and [, and cannot be read. Rename the file."
        )
    return path


def _missing(path: str) -> DataError:
    folder, name = os.path.split(path)
    try:
        beside = os.listdir(folder or ".")
    except OSError:
        return DataError(f"There is no file `{path}`: its folder `{folder}` cannot be found. Check the path.")
    return DataError(f"There is no file `{path}`.{closest(name, beside) or ' Check the path.'}")


def _text(path: object) -> str:
    if not isinstance(path, (str, os.PathLike)):
        raise DataError(f"A list of files must hold paths, but it holds {path!r}. Give each file as text.")
    text = os.fsdecode(path)
    if not text or "\0" in text:
        raise DataError("The path of the file is empty or has a NUL character. Give the path of a file.")
    return text
