"""Where the columns of a delimited text file are: its delimiter, its header, and what stands above and below that."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from descend.errors import DataError
from descend.table.table import listing, refuse_duplicates

GROUPED = r"[+-]?\d{1,3}(?:\.\d{3})+"
COMMA = re.compile(rf"(?:{GROUPED}|[+-]?\d*),\d+(?:[eE][+-]?\d+)?")
"""A number with a decimal comma, maybe with points that set off thousands."""
UNCLEAR = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
"""A number whose comma may also set off thousands."""
INTEGER = re.compile(rf"[+-]?\d+|{GROUPED}")
BESIDE = re.compile(r"^(?:[<>]=?|[≤≥])\s*(?=[+-]?[\d.,])|(?<=\d) (?=\d{3})")
"""What makes a limit of a number, and blanks between its thousands."""
POINT = re.compile(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?")
NULLS = ("", "NA", "NULL", "null", "#N/A")
"""Cells without a value, as R, SQL and Excel write them."""
SPACES = "\u00a0\u2007\u2009\u202f"
"""Spaces that do not break a line."""
MINUS = "\u2212\u2013\u2012"
PLAIN = str.maketrans(SPACES + MINUS, " " * len(SPACES) + "-" * len(MINUS))
DELIMITERS = (",", "\t", ";", "|", " ")
SAMPLED = 100
HEADER_WITHIN = 60
"""Lines that may stand above a header."""
LONGEST_CELL = 1 << 26
LONGEST_NAME = 1_000
COMMENT = re.compile(r"#(?!(N/A|DIV/0!|VALUE!|REF!|NAME\?|NUM!|NULL!))|% ")
"""How a line begins that is not a row; a cell of Excel may begin with the same sign."""
EXCEL = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
"""A first line in which Excel notes the delimiter."""
WITHOUT_WIDTH = "\u200b\u2060\ufeff"
MISSING = (*NULLS, "-", "--", "?", "n/a", "N/A", "nan", "NaN", "None", "none", "missing")


@dataclass(frozen=True)
class Decimals:
    """How a file writes numbers. comma, thousands: an example with a decimal comma, and one with points as well."""

    comma: str = ""
    thousands: str = ""


@dataclass(frozen=True)
class Layout:
    """The delimiter of a file, its column names, how many lines come before the first row, how lines end if known.

    decimals: how it writes numbers. aligned: whether several spaces set columns apart. uneven_ends: whether lines end
    in more than one way. comments: whether lines that are comments stand between the rows. notes: sentences on
    lines that are left out. units: the cells of the line of units.
    """

    delimiter: str
    names: tuple[str, ...]
    skip: int
    line_end: str = "\n"
    decimals: Decimals = field(default_factory=Decimals)
    aligned: bool = False
    uneven_ends: bool = False
    comments: bool = False
    notes: tuple[str, ...] = ()
    units: tuple[str, ...] = ()

    @property
    def untidy(self) -> bool:
        """Whether DuckDB can read only a tidy copy."""
        return self.aligned or self.uneven_ends or self.comments


def find_layout(head: str, source: str) -> Layout:
    """Find the layout from the first lines of a file.

    The delimiter is the one of comma, tab, semicolon, bar and space for which most lines have as many cells as the
    header, or one cell more, which R writes for the names of rows; Excel may name it in a first line. Lines above the
    header that are blank or comments are skipped; if numbers follow them at once, the last of them is the header. Other
    lines lie above the header if all lines from it on, and none before, have as many cells, or if they hold words and
    values and end with a blank line. A line of words below the header, with only numbers below it, holds units.

    Raises DataError if there is no header, or a name stands in it twice.

    >>> found = find_layout("time;signal\\n0;1,5\\n1;1,7\\n", "`a.csv`")
    >>> found.delimiter, found.names, found.decimals.comma
    (';', ('time', 'signal'), '1,5')
    >>> found = find_layout("Instrument: X7\\n\\nt,v\\ns,V\\n0.1,2.3\\n0.2,2.9\\n", "`a.csv`")
    >>> found.names, found.skip, found.notes[0]
    (('t', 'v'), 4, 'the first line of `a.csv`, above its header, is left out')
    """
    line_ends = set(re.findall(r"\r\n|\r|\n", re.sub(r'"[^"]*"', "", head)))
    # Unlike str.splitlines this ends lines only where a CSV file does.
    lines = list(itertools.islice(io.StringIO(head, newline=None), 2 * SAMPLED))
    delimiters: Sequence[str] = DELIMITERS
    if lines and (excel := EXCEL.fullmatch(lines[0])):
        delimiters, lines[0] = excel[1], "\n"
    header, skip = _header(lines)
    marked = [is_comment(line) for line in lines[skip:] if line.strip()]
    comments = any(marked) and not all(marked)
    notes: tuple[str, ...] = ()
    with _long_cells():
        below = _rows_of(lines[skip:], comments)
        delimiter, even = _delimiter([header, *below], delimiters)
        aligned = not even and _is_aligned(header, below)
        start = None if aligned else _below_a_preamble(lines, skip if even else 0)
        if start is not None:
            header, below, skip = lines[start], _rows_of(lines[start + 1 :], comments), start + 1
            notes = (_left_out(start, lines, source),)
            delimiter, even = _delimiter([header, *below])
            aligned = not even and _is_aligned(header, below)
        if not even and not aligned and (layout_with_rows := _with_row_names(header, below, delimiters)):
            header, delimiter = layout_with_rows
        cells = _words if aligned else partial(_cells, delimiter=delimiter)
        first, *lines_below = itertools.chain(cells([header, *below]), [[]])
        names, rows = [name.strip(WITHOUT_WIDTH).strip() for name in first], [row for row in lines_below if row]
    names = _checked(names, header, source)
    if units := tuple(cell.strip() for cell in rows[0]) if _are_units(rows, names) else ():
        header_line = skip + 1 + next(i for i, line in enumerate(lines[skip:]) if line.strip())
        notes = (*notes, f"line {header_line} of {source}, below its header, is left out: it holds {listing(units)}")
        rows, skip = rows[1:], header_line
    if delimiter == "," and rows and all(len(row) == 2 * len(names) and all(map(_is_number, row)) for row in rows):
        raise DataError(
            f"{source} has {len(names)} names in its header but {len(rows[0])} cells in each row: its numbers seem to "
            "have decimal commas, which separate the cells too. Save it with semicolons between the cells, or with "
            "decimal points."
        )
    return Layout(
        delimiter="," if aligned else delimiter,
        names=tuple(names),
        skip=skip,
        line_end=next(iter(line_ends), "\n"),
        decimals=find_decimals(rows),
        aligned=aligned,
        uneven_ends=len(line_ends) > 1,
        comments=comments,
        notes=notes,
        units=units,
    )


def is_comment(line: str) -> bool:
    """Return whether a line that stands above the header or between rows is a comment.

    >>> [is_comment(line) for line in ("# pause", "#N/A,2.5", "% by hand", "%RH,T")]
    [True, False, True, False]
    """
    return COMMENT.match(line) is not None


def has_rows(head: str, layout: Layout) -> bool:
    """Return whether there is anything below the header."""
    return any(line.strip() for line in itertools.islice(io.StringIO(head, newline=None), layout.skip, None))


def _checked(names: list[str], header: str, source: str) -> list[str]:
    """Return the names of a header, with made-up ones for columns without a name; DataError if it is no header."""
    if not any(names):
        raise DataError(f"{source} has no header. Add a first line with a name for each column.")
    if all(_is_number(name) for name in names if name):
        raise DataError(
            f"{source} has no header: its first line holds only numbers, `{_short(header)}`. "
            "Add a line above it with a name for each column."
        )
    if (long := max(names, key=len)) and len(long) > LONGEST_NAME:
        raise DataError(
            f"{source} has no header: the name of column {names.index(long) + 1} would have {len(long):,} characters, "
            f"`{_short(long)}`. Add a first line with a name for each column, or close a double quote."
        )
    # Programs that write row numbers leave their column without a name.
    names = [name or f"column{position}" for position, name in enumerate(names)]
    refuse_duplicates(names, source)
    return names


def _header(lines: Sequence[str]) -> tuple[str, int]:
    """Return the header, without a comment mark, and how many lines come before the first row."""
    first = next((i for i, line in enumerate(lines) if line.strip() and not is_comment(line)), len(lines))
    marked = [line for line in lines[:first] if is_comment(line)]
    if marked and (first == len(lines) or _has_number(lines[first])):
        bare = marked[-1][1:].lstrip(" ")
        return marked[-1] if bare.startswith(DELIMITERS) else bare, first
    return lines[first] if first < len(lines) else "", first + 1


def _rows_of(lines: Sequence[str], comments: bool) -> list[str]:
    return [line for line in lines if not (comments and is_comment(line))][:SAMPLED]


def _below_a_preamble(lines: Sequence[str], even: int) -> int | None:
    """Return which line is the header below a preamble: one of words, with rows that hold numbers from there on.

    even: how many lines stand above the first row if all have as many cells, else 0. In that case lines above the
    header must begin with words and those below with numbers, with a blank line between them.
    """
    for start, line in enumerate(lines[:HEADER_WITHIN]):
        if not line.strip() or start == 0 or (even and (start <= even or lines[start - 1].strip())):
            continue
        below = _rows_of(lines[start + 1 :], comments=True)
        delimiter, fits = _delimiter([line, *below])
        aligned = not fits and _is_aligned(line, below)
        cells = _words if aligned else partial(_cells, delimiter=delimiter)
        names, *rows = (row for row in cells([line, *below]) if row)
        words = all(name.strip() for name in names) and not any(map(_is_number, names))
        rows = rows[1:] or rows  # a line of units may come first
        if not ((fits or aligned) and words and rows and all(any(map(_is_number, row)) for row in rows)):
            continue
        above = (row[0] for row in cells(lines[:start]) if row)
        if not even or (all(_is_number(row[0]) for row in rows) and not any(map(_is_number, above))):
            return start
    return None


def _with_row_names(header: str, lines: Sequence[str], delimiters: Sequence[str]) -> tuple[str, str] | None:
    """Return the header with a place for row names, and the delimiter, where R wrote row names without a header.

    They are one more cell in each row, in quotes; cells with numbers are not in quotes.
    """
    lines = [line for line in lines if line.strip()]
    if not lines or not all(line.startswith('"') for line in lines):
        return None
    for delimiter in delimiters:
        try:
            names, *rows = _cells([header, *lines], delimiter)
        except csv.Error:
            continue
        bare = all(line.count('"') < 2 * len(row) for line, row in zip(lines, rows, strict=False))
        if bare and len(rows) == len(lines) and all(len(row) == len(names) + 1 for row in rows):
            return f"{delimiter}{header}", delimiter
    return None


def _left_out(start: int, lines: Sequence[str], source: str) -> str:
    start = max((i + 1 for i in range(start) if lines[i].strip()), default=start)
    which = f"first {start} lines" if start > 1 else "first line"
    return f"the {which} of {source}, above its header, {'are' if start > 1 else 'is'} left out"


def _are_units(rows: Sequence[Sequence[str]], names: Sequence[str]) -> bool:
    """Whether the first row holds words where every other one has numbers, in two columns or all there are."""
    if len(rows) < 3 or any(len(row) != len(names) for row in rows):
        return False
    first, *later_lines = rows
    columns = [column for column, cells in enumerate(zip(*later_lines, strict=True)) if _are_numbers(cells)]
    units = [first[column].strip() for column in columns]
    if len(units) < min(2, len(names)) or any(map(_is_number, units)):
        return False
    return not all(cell in MISSING for cell in units)


def _are_numbers(cells: Sequence[str]) -> bool:
    """Whether cells are numbers, of which some may be missing."""
    filled_cells = [cell for cell in cells if cell.strip() not in MISSING]
    return bool(filled_cells) and all(map(_is_number, filled_cells))


def _cells(lines: Sequence[str], delimiter: str) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter != " ")


def _words(lines: Sequence[str]) -> Iterator[list[str]]:
    return (line.split() for line in lines if line.strip())


@contextmanager
def _long_cells() -> Iterator[None]:
    """Let Python's csv reader take cells of any length, for a while: its limit is that of the whole process."""
    before = csv.field_size_limit(LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _delimiter(lines: Sequence[str], delimiters: Sequence[str] = DELIMITERS) -> tuple[str, bool]:
    """Return the delimiter, and whether most lines have as many cells as the header, which must have several."""
    best, best_share = delimiters[0], 0.0
    for delimiter in delimiters:
        try:
            header, *rows = (row for row in _cells(lines, delimiter) if row)
        except (csv.Error, ValueError):
            continue
        fitting = [len(row) == len(header) or (len(row) == len(header) + 1 and not row[-1]) for row in rows]
        share = sum(fitting) / len(fitting) if fitting else 1.0
        # Spaces also separate the words of a name, so nothing short of a perfect table will do.
        if len(header) > 1 and share > best_share and (delimiter != " " or (share == 1.0 and rows and all(header))):
            best, best_share = delimiter, share
    return best, best_share > 0.5


def _is_aligned(header: str, rows: Sequence[str]) -> bool:
    """Return whether lines look like several columns lined up with spaces, or tabs."""
    widths = {len(row.split()) for row in rows if row.strip()}
    return widths == {len(header.split())} and 1 not in widths


def find_decimals(rows: Sequence[Sequence[str]]) -> Decimals:
    """Find out how numbers are written from the cells of the first rows.

    A comma marks decimals if all cells of some column are numbers written so, or limits such as <0,5, at least one of
    them beyond doubt (1,234 may be thousands), and no cell anywhere has a decimal point.

    >>> find_decimals([["a", "0,5"], ["b", "12"]])
    Decimals(comma='0,5', thousands='')
    """
    cells = [[BESIDE.sub("", cell.translate(PLAIN).strip()) for cell in row] for row in rows]
    if not any("," in cell for row in cells for cell in row):
        return Decimals()
    if any(POINT.fullmatch(cell) and not INTEGER.fullmatch(cell) for row in cells for cell in row):
        return Decimals()
    comma = thousands = ""
    for column in zip(*(row for row in cells if len(row) == len(cells[0])), strict=True):
        filled_cells = [cell for cell in column if cell not in NULLS]
        if not all(COMMA.fullmatch(cell) or INTEGER.fullmatch(cell) for cell in filled_cells):
            continue
        sure = [cell for cell in filled_cells if COMMA.fullmatch(cell) and not UNCLEAR.fullmatch(cell)]
        comma = comma or (sure[0] if sure else "")
        thousands = thousands or next((cell for cell in sure if "." in cell), "")
    return Decimals(comma, thousands if comma else "")


def _has_number(line: str) -> bool:
    return any(map(_is_number, re.split(r"[,;\t|]" if re.search(r"[,;\t|]", line) else " ", line)))


def _is_number(cell: str) -> bool:
    """Whether a cell is a number, with a decimal point or comma, or an exponent of Fortran.

    >>> [_is_number(cell) for cell in ("1.5", "\u22122", "2.1D+03", "0,5", "x")]
    [True, True, True, True, False]
    """
    plain = re.sub(r"(?<=\d)[dD](?=[+-]?\d+$)", "e", cell.translate(PLAIN).strip())
    if COMMA.fullmatch(plain):
        return True
    try:
        float(plain)
    except ValueError:
        return False
    return True


def _short(line: str) -> str:
    line = line.rstrip("\n")
    return line if len(line) <= 40 else line[:37] + "..."
