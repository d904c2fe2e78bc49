"""Text files of delimited columns (CSV and its kin): where the columns are, and how DuckDB reads them.

The delimiter and the header are found here, from the first lines, because a wrong guess must not pass
in silence: DuckDB's own detection reads a file of uneven lines as one column, skips lines it cannot
place, and renames columns. What it is then told leaves it nothing to guess but the types.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from descend.errors import DataError
from descend.table.database import Database, as_read, distinct, files_literal, identifier, literal, unused
from descend.table.decimals import COMMA, Decimals, find_decimals
from descend.table.query import Scan
from descend.table.table import duplicate_names

DELIMITERS = (",", "\t", ";", "|", " ")
SAMPLED = 100
DETECTED = 20_480
NULLS = "['', 'NA', 'NULL', 'null']"


@dataclass(frozen=True)
class Layout:
    """The delimiter of a file, its column names, how many lines come before the first row, how lines end if known.

    decimals: how it writes numbers.
    """

    delimiter: str
    names: tuple[str, ...]
    skip: int
    line_end: str = "\n"
    decimals: Decimals = field(default_factory=Decimals)


def find_layout(head: str, source: str) -> Layout:
    """Find the layout from the first lines of a file.

    The delimiter is the one of comma, tab, semicolon, bar and space for which most lines have as many
    cells as the header. Lines above the header that are blank or start with ``#`` are skipped; if numbers
    follow them at once, the last of them is the header.

    Raises DataError if there is no header, a name stands in it twice, or lines end in more than one way.

    >>> found = find_layout("time;signal\\n0;1,5\\n1;1,7\\n", "`a.csv`")
    >>> found.delimiter, found.names, found.decimals.comma
    (';', ('time', 'signal'), '1,5')
    """
    line_end = _line_end(head, source)
    # Unlike str.splitlines this ends lines only where a CSV file does.
    lines = list(itertools.islice(io.StringIO(head, newline=None), 2 * SAMPLED))
    header, skip = _header(lines, source)
    lines = [header, *lines[skip:][:SAMPLED]]
    delimiter = _delimiter(lines)
    names = [name.strip() for name in next(_cells(lines, delimiter), [])]
    if not any(names):
        raise DataError(f"{source} has no header. Add a first line with a name for each column.")
    if all(_is_number(name) or COMMA.fullmatch(name) for name in names if name):
        raise DataError(
            f"{source} has no header: its first line holds only numbers, `{_short(header)}`. "
            "Add a line above it with a name for each column."
        )
    if len(names) == 1 and _is_aligned(header, lines[1:]):
        raise DataError(
            f"{source} has columns set apart by several spaces. Put one comma between them; "
            "`sed 's/^ *//; s/  */,/g' FILE > NEW` does so."
        )
    # Programs that write row numbers leave their column without a name.
    names = [name or f"column{position}" for position, name in enumerate(names)]
    if error := duplicate_names(names, source):
        raise error
    rows = [row for row in _cells(lines[1:], delimiter) if row]
    if delimiter == "," and rows and all(len(row) == 2 * len(names) and all(map(_is_number, row)) for row in rows):
        raise DataError(
            f"{source} has {len(names)} names in its header but {len(rows[0])} cells in each row: its numbers seem to "
            "have decimal commas, which separate the cells too. Save it with semicolons between the cells, or with "
            "decimal points."
        )
    return Layout(delimiter, tuple(names), skip, line_end, find_decimals(rows))


def has_rows(head: str, found: Layout) -> bool:
    """Return whether there is anything below the header."""
    return any(line.strip() for line in itertools.islice(io.StringIO(head, newline=None), found.skip, None))


class DelimitedScan(Scan):
    """A scan of delimited text files that have one layout.

    Within SQL a column goes by its position, so that names which SQL takes for the same
    (``t`` and ``T``) stay apart.
    """

    def __init__(self, paths: Mapping[str, str], found: Layout, compression: str) -> None:
        self.names = found.names
        self.paths = paths
        self.decimals = found.decimals
        stem = unused("c", found.names)
        self._columns = {name: f"{stem}{position}" for position, name in enumerate(found.names)}
        line_end = f"new_line = {literal(repr(found.line_end)[1:-1])}, " if found.line_end else ""
        self._options = (
            f"delim = {literal(found.delimiter)}, quote = '\"', escape = '\"', header = false, skip = {found.skip}, "
            f"{line_end}{found.decimals.options}"
            f"nullstr = {NULLS}, compression = {literal(compression)}"
        )

    def types(self, database: Database, whole: bool) -> dict[str, str]:
        """Return the types found in the first `DETECTED` rows of each file, or in all rows."""
        import duckdb

        sample = ", sample_size = -1" if whole else ""
        relation = f"read_csv({files_literal(list(self.paths))}, {self._options}, files_to_sniff = -1{sample})"
        try:
            detected = [as_read(sql_type) for sql_type in database.columns(relation).values()]
        except duckdb.InvalidInputException:
            # Detection cannot say which line is at fault; reading can.
            counts = ", ".join(f"count({column})" for column in self._columns.values())
            database.one(f"SELECT {counts} FROM {self.relation({})}")
            detected = []
        types = {name: detected[i] if i < len(detected) else "VARCHAR" for i, name in enumerate(self.names)}
        return types | self._numbers_taken_for_text(types, database, whole)

    def _numbers_taken_for_text(self, types: Mapping[str, str], database: Database, whole: bool) -> dict[str, str]:
        # DuckDB reads `+1` and `inf` as numbers but does not detect them as such.
        words = [name for name, sql_type in types.items() if sql_type == "VARCHAR"]
        if not words:
            return {}
        columns = [self._columns[name] for name in words]
        tests = ", ".join(
            f"count({column}) > 0 AND count({column}) = count(TRY_CAST({self.decimals.as_point(column)} AS DOUBLE))"
            for column in columns
        )
        limit = "" if whole else f" LIMIT {DETECTED}"
        are_numbers = database.one(f"SELECT {tests} FROM (SELECT {', '.join(columns)} FROM {self.relation({})}{limit})")
        return {name: "DOUBLE" for name, are in zip(words, are_numbers, strict=True) if are}

    def relation(self, types: Mapping[str, str], paths: Sequence[str] | None = None) -> str:
        """Return the read_csv call for these types; a column without one is read as text."""
        columns = ", ".join(
            f"{column}: {literal(types.get(name, 'VARCHAR'))}" for name, column in self._columns.items()
        )
        return (
            f"read_csv({files_literal(list(self.paths) if paths is None else paths)}, {self._options}, "
            f"auto_detect = false, columns = {{{columns}}})"
        )

    def column(self, name: str) -> str:
        """Return the identifier of the column's position."""
        return self._columns[name]

    def aliases(self) -> str:
        """Return the names that are distinct in SQL, as names of their columns."""
        return "".join(f", {self._columns[name]} AS {identifier(name)}" for name in distinct(self.names))

    def as_numbers(self, names: Sequence[str]) -> str:
        """Return the read_csv call that reads these columns as DOUBLE."""
        return self.relation(dict.fromkeys(names, "DOUBLE"))

    def explain(self, error: Exception) -> DataError | None:
        """Return the error for uneven lines, open quotes, other encodings, lines without end."""
        said = str(error)
        file = re.search(r"^  file = (.*)$", said, re.MULTILINE)
        source = f"`{self.paths.get(file[1] if file else '', next(iter(self.paths.values())))}`"
        if "reached an invalid state" in said:
            return mixed_line_ends(source)
        line = re.search(r"CSV Error on Line: (\d+)", said)
        if line is None:
            return None
        uneven = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", said)
        if uneven:
            cells = f"{uneven[2]} cell{'s' if uneven[2] != '1' else ''}"
            return DataError(
                f"Line {line[1]} of {source} has {cells}, but its header has {uneven[1]}. "
                "Correct that line, or put cells that hold a delimiter in double quotes."
            )
        if "unterminated quote" in said:
            return DataError(f"Line {line[1]} of {source} opens a double quote that is never closed. Close it.")
        if "nvalid unicode" in said or "not utf-8" in said:
            return not_utf8(source, f"line {line[1]}")
        return None


def not_utf8(source: str, place: str) -> DataError:
    """Return the error for text in another encoding, with a command that converts it."""
    return DataError(
        f"{source} is not UTF-8 text: {place} cannot be read. Save it as UTF-8; "
        "if it is Latin-1, `iconv -f LATIN1 -t UTF-8 FILE > NEW` does so."
    )


def mixed_line_ends(source: str) -> DataError:
    """Return the error for a file put together from files of different systems."""
    return DataError(f"{source} ends its lines in more than one way, such as LF and CRLF. Save it again with one.")


def _header(lines: Sequence[str], source: str) -> tuple[str, int]:
    """Return the header, without a mark of comment, and how many lines come before the first row."""
    first = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    marked = [line for line in lines[:first] if line.startswith("#")]
    if any('"' in line for line in marked):
        # DuckDB takes the quote for the start of a cell, which may run over many rows, and skips it.
        raise DataError(
            f"{source} has a double quote in a line above its header that starts with `#`. Remove the quote."
        )
    if marked and (first == len(lines) or _has_number(lines[first])):
        bare = marked[-1][1:].lstrip(" ")
        return marked[-1] if bare.startswith(DELIMITERS) else bare, first
    return lines[first] if first < len(lines) else "", first + 1


def _line_end(head: str, source: str) -> str:
    kinds = set(re.findall(r"\r\n|\r|\n", re.sub(r'"[^"]*"', "", head)))
    if len(kinds) > 1:
        raise mixed_line_ends(source)
    return kinds.pop() if kinds else "\n"


def _cells(lines: Sequence[str], delimiter: str) -> csv._reader:  # type: ignore[name-defined]
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter != " ")


def _delimiter(lines: Sequence[str]) -> str:
    best, best_share = ",", 0.0
    for delimiter in DELIMITERS:
        try:
            header, *rows = (row for row in _cells(lines, delimiter) if row)
        except (csv.Error, ValueError):
            continue
        even = [len(row) == len(header) or (len(row) == len(header) + 1 and not row[-1]) for row in rows]
        share = sum(even) / len(even) if even else 1.0
        # Words of a name are also separated by spaces, so nothing short of a perfect table will do.
        if len(header) > 1 and share > best_share and (delimiter != " " or (share == 1.0 and rows and all(header))):
            best, best_share = delimiter, share
    return best


def _is_aligned(header: str, rows: Sequence[str]) -> bool:
    """Return whether a file of one column looks like several columns lined up with spaces."""
    widths = {len(row.split()) for row in rows if row.strip()}
    return widths == {len(header.split())} and 1 not in widths


def _has_number(line: str) -> bool:
    return any(map(_is_number, re.split(r"[,;\t|]" if re.search(r"[,;\t|]", line) else " ", line)))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _short(line: str) -> str:
    line = line.rstrip("\n")
    return line if len(line) <= 40 else line[:37] + "..."
