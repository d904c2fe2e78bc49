"""What every table can do, and the checks that all of them share."""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
import numpy.typing as npt

from descend.errors import ConfigError, DataError
from descend.registry import closest
from descend.table.rows import Cells, finite
from descend.wording import spell

if TYPE_CHECKING:
    from descend.table.in_matrix import InMatrix
    from descend.table.lazy import Lazy
    from descend.table.rounding import Rounded

Numbers = npt.NDArray[np.float64]
Label = str | int | float | bool
"""What tells a group of rows apart: the value of a cell."""
LISTED = 12
EXACT = 2.0**53
"""The magnitude up to which float64 has every whole number."""
TRUTH: Mapping[str, float] = {"false": 0.0, "true": 1.0}
"""What the cells of a column of booleans count as."""


def check_missing(missing: str) -> None:
    """Raise ConfigError for an unknown way to deal with missing values."""
    if missing not in ("raise", "drop"):
        guess = closest(str(missing), ("raise", "drop"))
        raise ConfigError(f"{spell('missing')} is `{missing}`.{guess} It can be `raise` or `drop`.")


class Coding(Protocol):
    """Numbers that follow from other columns, such as which group a row is in (see ``levels.Levels``).

    name: of the column that holds them. columns: those that they follow from. keys: the values of these columns of
    which each has the number of its place here.
    """

    @property
    def name(self) -> str: ...
    @property
    def columns(self) -> tuple[str, ...]: ...
    @property
    def keys(self) -> tuple[tuple[Label, ...], ...]: ...
    def codes(self, table: Table) -> Numbers:
        """Return the number of each row, NaN where a value is missing, -infinity where values have no number."""
        ...

    def numbered(self, cells: Sequence[Cells]) -> Numbers:
        """Return the same, given the cells of each column: doubles, or text that is None where it is missing."""
        ...

    def check(self, table: Table, columns: Mapping[str, Numbers], missing: str) -> None:
        """Refuse a row whose values have no number, unless it is left out anyway. Raises DataError that names it."""
        ...


class Table(ABC):
    """Named columns of one length. Made by `open_table`; columns are read when they are asked for.

    source: where the rows come from, in words for messages, such as ``line.csv``.
    names: the columns, in order.
    conditions: the SQL conditions on the rows, all of which hold for the rows here.
    counted: for each column of words that was read as numbers, what each word counts as.
    codings: further columns that can be read, which follow from the others, by name.
    notes: sentences on how the data were read, where a reader would not expect it.
    units: what the data say of the units of columns, beside their names, as text; given_units: of those whose values
    are quantities with units.

    >>> from descend.table import open_table
    >>> table = open_table({"x": [1.0, 2.0, 3.0], "site": ["a", "b", "a"]})
    >>> table.names, table.rows, table.types["site"]
    (('x', 'site'), 3, 'text')
    >>> table.numbers(["x"])
    {'x': array([1., 2., 3.])}
    """

    source: str
    names: tuple[str, ...]
    conditions: tuple[str, ...]
    codings: Mapping[str, Coding] = MappingProxyType({})
    notes: tuple[str, ...] = ()
    units: Mapping[str, str] = MappingProxyType({})
    given_units: Mapping[str, str] = MappingProxyType({})
    gapless: frozenset[str] = frozenset()
    """Columns that are known to hold a finite number in each row, so that nobody needs to look."""
    counted: Mapping[str, Mapping[str, float]] = MappingProxyType({})

    far: str | None = None
    """The name of Ibis's backend, where the rows are in a database of the user's own."""

    @property
    @abstractmethod
    def rows(self) -> int:
        """The number of rows."""

    @property
    @abstractmethod
    def types(self) -> dict[str, str]:
        """The kind of each column: ``number``, ``text``, ``boolean``, ``time`` or ``other``."""

    @abstractmethod
    def text(self, name: str) -> npt.NDArray[np.object_]:
        """Return one column as text, None where a cell is missing."""

    def words(self, name: str, most: int) -> list[str]:
        """Return the different cells of one column as text, sorted; of more than ``most``, some."""
        return sorted({*self.text(name).tolist()} - {None})[:most]

    @abstractmethod
    def filtered(self, where: str) -> Table:
        """Return the rows for which the SQL condition ``where`` holds."""

    def with_column(self, name: str, values: object) -> Table:
        """Return the same rows with one more column: an array with a value for each row, or one number for all.

        Raises DataError where the rows lie elsewhere, or there are not as many values.
        """
        raise DataError(
            f"`{name}` was given as values, but the rows are in {self.source}. Put the values into it as a "
            "column, and name that."
        )

    def with_words(self, name: str, words: Mapping[str, float]) -> Table:
        """Return the same rows with a column of words read as numbers: what each word counts as."""
        table_copy = copy.copy(self)
        table_copy._count(name, words)
        return table_copy

    def _count(self, name: str, words: Mapping[str, float]) -> None:
        self.counted = {**self.counted, name: words}

    def with_codings(self, codings: Iterable[Coding]) -> Self:
        """Return the same rows, of which these numbers can be read, too."""
        table = copy.copy(self)
        table.codings = {coding.name: coding for coding in codings}
        return table

    def combinations(self, columns: Sequence[str]) -> list[tuple[Label | None, ...]] | None:
        """Return the combinations of values of some columns, numbers as floats; None if that takes reading all rows."""
        return None

    def keep_zeros(self, columns: Sequence[str], text: bool = False) -> tuple[str, ...]:
        """Read columns of a text file that tell groups apart as text if their numbers begin with 0, such as zip codes.

        text: whether to do so in any case, as their groups are known as text. Returns sentences that say so.
        """
        return ()

    def categories(self, name: str) -> Sequence[Label] | None:
        """Return the values of a column in the order that the data give them; None if they give none."""
        return None

    def release(self) -> None:  # noqa: B027
        """Let go of what keeps others from changing the data, until rows are needed again."""

    @abstractmethod
    def _read(self, names: Sequence[str]) -> dict[str, Numbers]:
        """Return the columns as contiguous float64, NaN for missing cells; DataError if one is not numeric."""

    @abstractmethod
    def place(self, position: int) -> str:
        """Return where the row at ``position`` (from 0) was before any condition, such as ``row 4``.

        Empty where rows have no order.
        """

    @abstractmethod
    def lazy(self, names: Sequence[str], memory: int | None = None, by: Sequence[str] = ()) -> Lazy:
        """Return columns of numbers where they lie, for a database to sum; DataError if one is not numeric.

        memory: the bytes that a database within this process may take. by: columns that tell groups of rows apart.
        """

    @abstractmethod
    def size(self, columns: int) -> float:
        """Return how many bytes so many columns would take in memory beyond those they take now, about."""

    @abstractmethod
    def exact_up_to(self, name: str) -> float:
        """Return the magnitude up to which float64 surely has every number of a column; infinity for floats."""

    @abstractmethod
    def rounded(self, name: str) -> Rounded | None:
        """Return what float64 loses of a column of numbers, None if it is not worth a note; looks at each cell."""

    def rounding_notes(self, columns: Mapping[str, Numbers]) -> tuple[str, ...]:
        """Return a sentence for each column whose cells float64 rounds.

        columns: the cells as float64, or at least the smallest and the largest of them. The exact cells are looked at
        only where these are large enough. Raises DataError for a column whose differences all vanish.
        """
        notes = []
        for name, cells in columns.items():
            if name in self.codings or name not in self.names:
                continue
            limit = self.exact_up_to(name)
            if limit == math.inf or not len(cells) or not max(-float(np.min(cells)), float(np.max(cells))) > limit:
                continue
            if (rounded_cells := self.rounded(name)) is not None:
                from descend.table.rounding import note_of

                notes.append(note_of(name, self.source, rounded_cells))
        return tuple(notes)

    @property
    def numeric_names(self) -> tuple[str, ...]:
        """The columns that hold numbers, or booleans, which count as 0 and 1."""
        return tuple(name for name, kind in self.types.items() if kind in ("number", "boolean"))

    def numbers(self, names: Sequence[str], missing: str = "raise") -> dict[str, Numbers]:
        """Return columns as float64 arrays of one length, one-dimensional and contiguous.

        names: the columns wanted; no other is read.
        missing: what to do with a row that has a missing (null, NaN) or infinite value in any of them:
            ``raise`` refuses it, ``drop`` leaves the row out of all of them.

        Arrays that already have this form are returned as they are, not copied: do not change them.
        Raises DataError if a column does not exist, is not numeric, or has such a value, or if no row is left.
        """
        check_missing(missing)
        columns = self.with_gaps(names)
        for name in self.codings.keys() & columns.keys():
            self.codings[name].check(self, columns, missing)
        complete = True
        for name, column in columns.items():
            if name not in self.gapless and not finite(column):
                complete = False
            elif not column.size:
                raise self.no_rows()
        return columns if complete else self._without_gaps(columns, missing)

    def in_matrix(self, names: Sequence[str]) -> InMatrix | None:
        """Return the columns of the table, if all those of a matrix in which some of them lie are among the names."""
        return None

    def with_gaps(self, names: Sequence[str]) -> dict[str, Numbers]:
        """Return columns as `numbers` does, with NaN where a cell is missing."""
        if not self.codings:
            return self._read(names)
        columns_read = self._read([name for name in names if name not in self.codings])
        return {name: self.codings[name].codes(self) if name in self.codings else columns_read[name] for name in names}

    def complete(self, names: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Return which rows have a finite number in each of these columns: those that ``drop`` keeps."""
        complete: npt.NDArray[np.bool_] = np.logical_and.reduce(
            [np.isfinite(column) for column in self.with_gaps(names).values()]
        )
        return complete

    def cells(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return every column: numbers as float64, NaN where missing; anything else as text, None where missing."""
        kinds = self.types
        numbers = self._read([name for name in self.names if kinds[name] == "number"])
        return {name: numbers[name] if name in numbers else self.text(name) for name in self.names}

    def _without_gaps(self, columns: dict[str, Numbers], missing: str) -> dict[str, Numbers]:
        if missing == "raise":
            from descend.table.not_numbers import gaps_in

            raise DataError(self.gaps(gaps_in(columns, self.place)))
        rows_complete = np.logical_and.reduce([np.isfinite(column) for column in columns.values()])
        if not rows_complete.any():
            raise self.none_complete(tuple(columns))
        return {name: column[rows_complete] for name, column in columns.items()}

    def gaps(self, gaps_by_column: Mapping[str, tuple[int, int, str]]) -> str:
        """Say which columns have missing and infinite values: how many of each, and where the first is."""
        from descend.table.not_numbers import gaps

        return gaps(self.source, {self.shown(name): counts for name, counts in gaps_by_column.items()})

    def none_complete(self, names: Sequence[str]) -> DataError:
        """Return the error for a table of which no row is complete."""
        return DataError(
            f"No row of {self.source} is complete: each has a missing or infinite value in "
            f"{listing(self.given(names), 'or')}. Fill them in, or use other columns."
        )

    def given(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return columns of the data, in place of those that follow from them."""
        origins = {name: coding.columns for name, coding in self.codings.items()}
        return tuple(dict.fromkeys(column for name in names for column in origins.get(name, (name,))))

    def shown(self, name: str) -> str:
        """Return a column as messages name it: ``\\`x\\```, or what it follows from, ``\\`plate\\` or \\`well\\```."""
        return listing(self.given((name,)), "or")

    def no_rows(self) -> DataError:
        """Return the error for a table without rows."""
        if self.conditions:
            return DataError(f"No row of {self.source} meets the condition `{self.conditions[-1]}`. Loosen it.")
        return DataError(f"There are no rows in {self.source}. Give data with at least one row.")

    def _known(self, names: Sequence[str]) -> None:
        """Refuse names that are not columns."""
        names_of_table = set(self.names)
        for name in names:
            if name not in names_of_table:
                raise self._unknown(name)

    def _unknown(self, name: object) -> DataError:
        columns = listing(self.names)
        return DataError(
            f"There is no column `{name}` in {self.source}.{closest(str(name), self.names)} Its columns: {columns}."
        )


def refuse_duplicates(names: Sequence[str], source: str) -> None:
    """Raise DataError for a name that occurs twice."""
    first: dict[str, int] = {}
    for position, name in enumerate(names, 1):
        if name in first:
            raise DataError(
                f"Two columns of {source} are named `{name}`: columns {first[name]} and {position}. Rename one of them."
            )
        first[name] = position


def listing(names: Sequence[str] | dict[str, Numbers], last: str = "") -> str:
    """Return names in backticks, at most `LISTED` of them: ``\\`x\\`, \\`y\\` and 3 more``."""
    names_listed = [f"`{name}`" for name in list(names)[:LISTED]]
    if len(names) > LISTED:
        return f"{', '.join(names_listed)} and {len(names) - LISTED} more"
    if last and len(names_listed) > 1:
        return f"{', '.join(names_listed[:-1])} {last} {names_listed[-1]}"
    return ", ".join(names_listed)


def label(cell: object) -> str:
    """Return a cell as text; a whole number has no point, whatever it is stored as.

    >>> label(3.0), label(3), label(2.5), label("a"), label(True)
    ('3', '3', '2.5', 'a', 'true')
    """
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell)
