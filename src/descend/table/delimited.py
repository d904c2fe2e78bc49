"""Text files of delimited columns (CSV and its kin), as DuckDB reads them.

`descend.table.layout` finds where the columns are, because a wrong guess must not pass in silence: DuckDB's own
detection reads a file of uneven lines as one column, skips lines it cannot place, and renames columns. It is told so
much here that it has nothing left to guess but the types.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from descend.errors import DataError
from descend.table.database import Database, absolute, as_read, files_literal, literal, unreadable, unused
from descend.table.files import Copies, File, not_utf8
from descend.table.layout import NULLS, Layout, find_layout, has_rows
from descend.table.query import QueryTable
from descend.table.scan import Scan
from descend.table.table import listing

if TYPE_CHECKING:
    from descend.table.numerals import Numeral

DETECTED = 20_480
LIMITS = r"'\s*([<>]=?|[≤≥])?\s*[+-]?[0-9.]*,?[0-9]+([eE][+-]?\d+)?\s*'"
"""What matches a number, or a limit such as <0,5, in a file with decimal commas."""
ENCODED = "`{}` is not UTF-8 text, and is read as Windows-1252, of which Latin-1 is a part"


class DelimitedScan(Scan):
    """A scan of delimited text files that share one layout.

    In SQL a column is called by its position, so that names which SQL takes for the same
    (``t`` and ``T``) stay apart.
    """

    def __init__(self, paths: Mapping[str, str], layout: Layout, compression: str) -> None:
        self.names = layout.names
        self.paths = paths
        self.decimals = layout.decimals
        self._numerals: dict[str, Numeral] = {}
        self._limits: list[str] = []
        stem = unused("c", layout.names)
        self.columns = {name: f"{stem}{position}" for position, name in enumerate(layout.names)}
        decimals = ("decimal_separator = ',', " if layout.decimals.comma else "") + (
            "thousands = '.', " if layout.decimals.thousands else ""
        )
        line_end = f"new_line = {literal(repr(layout.line_end)[1:-1])}, " if layout.line_end else ""
        self._options = (
            f"delim = {literal(layout.delimiter)}, quote = '\"', escape = '\"', header = false, skip = {layout.skip}, "
            f"{line_end}{decimals}"
            f"nullstr = [{', '.join(map(literal, NULLS))}], compression = {literal(compression)}"
        )

    def types(self, database: Database, every_row: bool) -> dict[str, str]:
        """Return the types found in the first `DETECTED` rows of each file, or in all rows."""
        import duckdb

        sample = ", sample_size = -1" if every_row else ""
        relation = f"read_csv({files_literal(list(self.paths))}, {self._options}, files_to_sniff = -1{sample})"
        try:
            detected = [as_read(sql_type) for sql_type in database.columns(relation).values()]
        except duckdb.InvalidInputException:
            # Detection cannot say which line is at fault; reading can.
            counts = ", ".join(f"count({column})" for column in self.columns.values())
            database.one(f"SELECT {counts} FROM {self.relation({})}")
            detected = []
        types = {name: detected[i] if i < len(detected) else "VARCHAR" for i, name in enumerate(self.names)}
        types |= self._words_taken_for_truth(types, database)
        return types | self._numbers_taken_for_text(types, database, every_row)

    def _words_taken_for_truth(self, types: Mapping[str, str], database: Database) -> dict[str, str]:
        # DuckDB reads yes and no, and t and f, as booleans, of which nobody could tell the words that were written.
        truths = [name for name, sql_type in types.items() if sql_type == "BOOLEAN"]
        if not truths:
            return {}
        tests = ", ".join(f"bool_and(lower({self.columns[name]}) IN ('true', 'false'))" for name in truths)
        rows = (
            f"(SELECT {', '.join(self.columns[name] for name in truths)} FROM {self._as_written({})} LIMIT {DETECTED})"
        )
        truth_words = database.one(f"SELECT {tests} FROM {rows}")
        return {name: "VARCHAR" for name, truth_word in zip(truths, truth_words, strict=True) if truth_word is False}

    def _numbers_taken_for_text(self, types: Mapping[str, str], database: Database, every_row: bool) -> dict[str, str]:
        from descend.table.numerals import AGGREGATES, as_point, counts, numeral

        # DuckDB reads `+1` and `inf` as numbers but does not detect them as such.
        words = [name for name, sql_type in types.items() if sql_type == "VARCHAR"]
        if not words:
            return {}
        columns = [self.columns[name] for name in words]
        tests = ", ".join(
            f"count({column}) > 0 AND count({column}) = count(TRY_CAST({as_point(column, self.decimals)} AS DOUBLE))"
            for column in columns
        )
        limit = "" if every_row else f" LIMIT {DETECTED}"
        rows = f"(SELECT {', '.join(columns)} FROM {self._as_written({})}{limit})"
        plain = database.one(f"SELECT {tests} FROM {rows}")
        others = [name for name, is_plain in zip(words, plain, strict=True) if not is_plain]
        if others:
            aggregates = ", ".join(counts(self.columns[name], self.decimals) for name in others)
            numerals_in_cells = iter(database.one(f"SELECT {aggregates} FROM {rows}"))
            numerals = {name: numeral(list(itertools.islice(numerals_in_cells, AGGREGATES))) for name in others}
            self._numerals = {name: one for name, one in numerals.items() if one is not None}
            left = [name for name in others if name not in self._numerals] if self.decimals.comma else []
            if left:  # `<0,5` is no number, but the limit in it is read as one
                tests = ", ".join(
                    f"count({column}) = count(*) FILTER (regexp_full_match({column}, {LIMITS}))"
                    for column in map(self.columns.__getitem__, left)
                )
                numerals_in_cells = iter(database.one(f"SELECT {tests} FROM {rows}"))
                self._limits = [name for name in left if next(numerals_in_cells)]
        return {name: "DOUBLE" for name in words if name not in others or name in self._numerals}

    def notes(self, source: str) -> tuple[str, ...]:
        notes = (numeral_of_column.note(name, source) for name, numeral_of_column in self._numerals.items())
        return tuple(note for note in notes if note)

    def relation(self, types: Mapping[str, str], paths: Sequence[str] | None = None) -> str:
        odd = [name for name in self._numerals if types.get(name) == "DOUBLE"]
        if self._limits:
            from descend.table.numerals import as_point

            limits = map(self.columns.__getitem__, self._limits)
            points = ", ".join(f"{as_point(column, self.decimals)} AS {column}" for column in limits)
            return f"(SELECT * REPLACE ({points}) FROM {self._with_numerals(types, odd, paths)})"
        return self._with_numerals(types, odd, paths)

    def _with_numerals(self, types: Mapping[str, str], odd: list[str], paths: Sequence[str] | None) -> str:
        if not odd:
            return self._as_written(types, paths)
        from descend.table.numerals import as_plain

        plain = ", ".join(
            f"CAST({as_plain(column, self.decimals)} AS DOUBLE) AS {column}"
            for column in map(self.columns.__getitem__, odd)
        )
        return f"(SELECT * REPLACE ({plain}) FROM {self._as_written({**types} | dict.fromkeys(odd, 'VARCHAR'), paths)})"

    def _as_written(self, types: Mapping[str, str], paths: Sequence[str] | None = None) -> str:
        """Return the read_csv call for these types."""
        columns = ", ".join(f"{column}: {literal(types.get(name, 'VARCHAR'))}" for name, column in self.columns.items())
        return (
            f"read_csv({files_literal(list(self.paths) if paths is None else paths)}, {self._options}, "
            f"auto_detect = false, columns = {{{columns}}})"
        )

    def as_numbers(self, names: Sequence[str]) -> str:
        return self._as_written(dict.fromkeys(names, "DOUBLE"))

    def explain(self, error: Exception) -> DataError | None:
        database_message = str(error)
        file = re.search(r"^  file = (.*)$", database_message, re.MULTILINE)
        source = f"`{self.paths.get(file[1] if file else '', next(iter(self.paths.values())))}`"
        if "reached an invalid state" in database_message:
            return DataError(
                f"{source} ends its lines in more than one way, such as LF and CRLF. Save it again with one."
            )
        line = re.search(r"CSV Error on Line: (\d+)", database_message)
        if line is None:
            return None
        uneven = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", database_message)
        if uneven:
            cells = f"{uneven[2]} cell{'s' if uneven[2] != '1' else ''}"
            return DataError(
                f"Line {line[1]} of {source} has {cells}, but its header has {uneven[1]}. "
                "Correct that line, or put cells that hold a delimiter in double quotes."
            )
        if "Maximum line size" in database_message:
            return DataError(
                f"Line {line[1]} of {source} is longer than two million characters. Shorten it, or close a double "
                "quote that is opened above it."
            )
        if "unterminated quote" in database_message:
            return DataError(f"Line {line[1]} of {source} opens a double quote that is never closed. Close it.")
        if "nvalid unicode" in database_message or "not utf-8" in database_message:
            return not_utf8(source, f"line {line[1]}")
        return None


def open_delimited(files: Sequence[File], source: str) -> QueryTable:
    """Open delimited text files, whose columns have to be the same, as one table."""
    layouts = [_layout(file) for file in files]
    first = layouts[0]
    for file, other_layout in zip(files, layouts, strict=True):
        if (other_layout.names, other_layout.delimiter) != (first.names, first.delimiter):
            raise DataError(
                f"`{files[0].path}` and `{file.path}` do not have the same columns: "
                f"{listing(first.names)} and {listing(other_layout.names)}. Give files whose first lines are alike."
            )
        if file.complete and not has_rows(file.head, other_layout):
            raise DataError(f"`{file.path}` has a header but no rows. Give a file with at least one row.")
    packing, file_copies = files[0].packing, [each.copies for each in files]
    paths_by_url = {absolute(file.place): file.path for file in files}
    like_the_first = {(each.skip, each.line_end) for each in layouts} == {(first.skip, first.line_end)}
    if packing != "zstd" and not (like_the_first and all(map(_is_tidy, files, layouts))):
        from descend.table.tidying import tidied

        skip, copies = max(each.skip for each in layouts), Copies()
        tidy = [tidied(copies, file, layout, skip) for file, layout in zip(files, layouts, strict=True)]
        paths_by_url, packing = dict(zip(tidy, paths_by_url.values(), strict=True)), ""
        first, file_copies = replace(first, skip=skip, line_end="\n"), [copies]
    # A file of whole numbers does not show how it would write decimals.
    commas = next((each for each in layouts if each.decimals.comma), first)
    scan = DelimitedScan(paths_by_url, replace(first, decimals=commas.decimals), packing or "none")
    scan.copies = file_copies
    table = QueryTable(Database(list(paths_by_url)), scan, source)
    notes = [note for each in layouts for note in each.notes]
    notes += [ENCODED.format(file.path) for file in files if file.encoding == "cp1252"]
    if scan.decimals.comma:
        from descend.table.numerals import decimals_note

        notes.append(decimals_note(scan.decimals, source))
    table.notes = tuple(notes)
    if first.units:
        from descend.table.units import beside

        table.units = beside(first.names, first.units)
    return table


def _is_tidy(file: File, layout: Layout) -> bool:
    return file.encoding == "utf-8" and not layout.untidy


def _layout(file: File) -> Layout:
    if file.packing == "zstd":
        # Unpacking the first lines loses how they end.
        return replace(find_layout(_unpacked_head(file), f"`{file.path}`"), line_end="", uneven_ends=False)
    return find_layout(file.head, f"`{file.path}`")


def _unpacked_head(file: File) -> str:
    """Return the first lines of a file packed by zstd, which DuckDB unpacks and Python does not."""
    import duckdb

    bell = "\x07"  # A delimiter that does not occur in text, so that each line is one cell.
    file_url = absolute(file.place)
    database = Database([file_url])
    try:
        rows = database.run(
            f"SELECT line FROM read_csv({files_literal([file_url])}, auto_detect = false, header = false, "
            f"columns = {{line: 'VARCHAR'}}, delim = '{bell}', quote = '', escape = '', "
            f"compression = '{file.packing}') LIMIT 200"
        ).fetchall()
    except duckdb.Error as error:
        raise unreadable(f"`{file.path}`", error) from None
    return "".join(f"{line or ''}\n" for (line,) in rows).removeprefix("\ufeff")
