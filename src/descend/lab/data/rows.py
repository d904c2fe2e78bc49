"""Rows to descend on: generated, from the file that the lab was started with, or uploaded."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain, count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend import api
from descend.errors import DataError, DescendError
from descend.formula.printers.code import plain_name
from descend.lab.cache import Cache
from descend.lab.data.data_in_links import MOST_CARRIED, Shelf
from descend.lab.data.problems import PROBLEMS
from descend.lab.data.text_columns import MOST_ROWS as MOST_READ
from descend.lab.data.text_columns import left_out
from descend.lab.serving.limits import LIMITS, OWN
from descend.lab.state import FILE, UPLOAD, State
from descend.lab.words.option_names import on_the_page
from descend.many.groups import Groups
from descend.table import Table, open_table
from descend.table.files import inspect
from descend.table.levels import Label, said
from descend.table.not_numbers import quoted_if_odd
from descend.wording import speaking

Array = NDArray[np.float64]
Words = NDArray[np.object_]

MOST_GROUPS = 20_000
"""Different values of a column that may tell groups apart, at most."""
MOST_CELLS = 2_000_000
"""Cells of a file that are kept in full, at most, for fits of its groups; of larger files there is the sample."""
MOST_OFFERED = 12
"""Columns that are offered to tell groups apart, at most."""
KINDS = ("text", "time")
"""Kinds of columns that are read as words."""
MOST_COLUMNS = 100
SUFFIXES = (".csv", ".tsv", ".txt")
MOST_UPLOADED_COLUMNS = 2_000
MOST_UPLOADS = 64
"""Most uploads that are kept; then the one whose last use is longest ago is forgotten."""
GROUPS: Cache[Groups] = Cache(16)
"""Which row is in which group, by the rows and the columns that tell groups apart."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Columns of numbers. key: identifies these rows. name: of their file. total: how many rows they were sampled from.

    gaps: whether some values are missing. left_out: columns that are not numbers. odd: sentences on what is unexpected
    in the file. words: columns of few different words, which may tell groups apart. groupings: all columns that may.
    full: all rows of the file, where these are a sample and there are not too many. where: the condition that chose
    these rows from the file.
    """

    key: tuple[object, ...]
    columns: Mapping[str, Array]
    name: str
    total: int
    gaps: bool = False
    left_out: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    words: Mapping[str, Words] = field(default_factory=dict)
    groupings: tuple[str, ...] = ()
    full: Rows | None = None
    where: str = ""

    @property
    def table(self) -> dict[str, Array | Words]:
        """All columns, numbers and words."""
        return {**self.columns, **self.words}

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values())))

    @property
    def missing(self) -> str:
        """The value of the option ``missing`` for these rows."""
        return "drop" if self.gaps else "raise"

    @property
    def sampled(self) -> bool:
        return self.rows < self.total


class Library:
    """The rows of a lab: one file, and what readers uploaded, by keys that nobody can guess."""

    def __init__(self, file: Rows | None = None, most_upload: int = OWN.upload, shelf: Shelf | None = None) -> None:
        self.file = file
        self.most_upload = most_upload
        self.uploads: Cache[Rows] = Cache(MOST_UPLOADS)
        self._texts: Cache[tuple[bytes, str]] = Cache(MOST_UPLOADS)
        self._shelf = shelf
        self._of_links: Cache[Rows] = Cache(MOST_UPLOADS)

    @property
    def shelf(self) -> Shelf:
        """The files that are kept for links."""
        if self._shelf is None:
            self._shelf = Shelf()
        return self._shelf

    def take(self, text: bytes, name: str) -> str:
        """Read a file from its bytes, and return its key. Raises DataError."""
        with stored(text, name) as path:
            try:
                return self.add(path, name)
            except DescendError as error:
                raise DataError(str(error).replace(str(path), name)) from None

    def text(self, key: object) -> tuple[bytes, str] | None:
        """Return an uploaded file and its name, if a link can carry it; None if it is not kept here."""
        return self._texts.get(key) if isinstance(key, str) else None

    def add(self, path: str | os.PathLike[str], name: str) -> str:
        """Read an uploaded file and return its key. Raises DataError.

        A compressed file is refused: a few of its bytes may be more rows than this machine can hold.
        """
        file_inspected = inspect(os.fspath(path))
        if file_inspected.packing or file_inspected.kind != "delimited":
            raise DataError(f"`{name}` is {file_inspected.words}. Upload it as plain CSV.")
        header = file_inspected.head.partition("\n")[0]
        if max(map(header.count, ",;\t|")) >= MOST_UPLOADED_COLUMNS:
            raise DataError(
                f"`{name}` has more than {MOST_UPLOADED_COLUMNS:,} columns, the most that are taken here. Upload some "
                "of them, or use the command line."
            )
        key = secrets.token_urlsafe(18)
        self.uploads.put(key, read_rows(path, name, (UPLOAD, key)))
        if os.path.getsize(path) <= MOST_CARRIED:
            self._texts.put(key, (Path(path).read_bytes(), name))
        return key

    def of_link(self, link_key: str) -> Rows | None:
        """Return the rows of a file that is kept for a link; None if it is not."""
        rows_of_shelf = self.shelf.get(link_key)
        if rows_of_shelf is None:
            return None
        text, name = rows_of_shelf

        def read() -> Rows:
            with stored(text, name) as path:
                return read_rows(path, name, (UPLOAD, link_key))

        return self._of_links(link_key, read)

    def rows(self, page: State, key: str | None) -> Rows | None:
        """Return the rows of a state; None if they were uploaded and are not kept here, or no longer.

        Raises DataError for a group that there is not.
        """
        rows = self._all(page, key)
        return rows if rows is None or not (page.by and page.group) else of_group(rows, page.by, page.group)

    def _all(self, page_state: State, key: str | None) -> Rows | None:
        if page_state.problem == FILE:
            return self.file
        if page_state.problem == UPLOAD:
            if page_state.data:
                return self.of_link(page_state.data)
            return self.uploads.get(key) if isinstance(key, str) else None
        return generated(page_state.problem, page_state.noise, page_state.seed)


@contextmanager
def stored(text: bytes, name: str) -> Iterator[Path]:
    """Put a file where it can be read, in a folder made for it: its name is only shown."""
    suffix = Path(name).suffix.lower()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"rows{suffix if suffix in SUFFIXES else '.csv'}"
        path.write_bytes(text)
        yield path


def of_group(rows: Rows, by: Sequence[str], name: str) -> Rows:
    """Return the rows of one group, a sample if there are many. Raises DataError for one that there is not."""
    every = rows.full or rows
    groups = _groups(every, by)
    group_number = next((group_number for group_number, key in enumerate(groups.keys) if said(key) == name), None)
    if group_number is None:
        columns_listed = " and ".join(f"`{column}`" for column in by)
        raise DataError(f"There is no group `{name}` of {columns_listed} in these rows.")
    group_rows, key = groups.rows(group_number), groups.keys[group_number]
    condition = " and ".join(f"{quoted_if_odd(column)} = {_sql(value)}" for column, value in zip(by, key, strict=True))
    group = replace(_chosen(every, group_rows), key=(*rows.key, *by, name), total=len(group_rows), where=condition)
    return sampled(group) if group.rows > LIMITS.get().rows else group


def groups_of(rows: Rows, by: Sequence[str]) -> int:
    """Return how many groups there are. Raises DataError for a column that there is not."""
    return len(_groups(rows, by))


def first_groups(rows: Rows, by: Sequence[str], count: int) -> Rows:
    """Return the rows of some groups, evenly spaced among all."""
    groups = _groups(rows, by)
    group_numbers = np.unique(np.linspace(0, len(groups) - 1, count).astype(int)).tolist()
    return _chosen(rows, np.concatenate([groups.rows(group_number) for group_number in group_numbers]))


def _groups(rows: Rows, by: Sequence[str]) -> Groups:
    return GROUPS((rows.key, tuple(by)), lambda: Groups.of(open_table(rows.table), by))


def _chosen(rows: Rows, places: NDArray[np.intp]) -> Rows:
    columns = {column: values[places] for column, values in rows.columns.items()}
    return replace(rows, columns=columns, words={name: cells[places] for name, cells in rows.words.items()}, full=None)


def _sql(value: Label) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else f"{value}"


@lru_cache(maxsize=64)
def generated(problem: str, noise: float | None, seed: int) -> Rows:
    """Make the rows of a built-in problem."""
    recipe = PROBLEMS[problem]
    columns = api.generate(recipe.written(noise), recipe.columns, rows=recipe.rows, seed=seed)
    total = len(next(iter(columns.values())))
    return Rows((problem, noise, seed), columns, f"{problem}.csv", total, groupings=recipe.by)


def read_rows(path: str | os.PathLike[str], name: str, key: tuple[object, ...]) -> Rows:
    """Read the columns of numbers of a file, and a random sample if it has many rows. Raises DataError."""
    table = open_table(path)
    with speaking(on_the_page("en")):
        other_columns, odd = left_out(table, name)
    odd = tuple(text.replace(str(path), name) for text in (*table.notes, *odd))
    names = table.numeric_names[:MOST_COLUMNS]
    try:
        columns: Mapping[str, Any] = table.numbers(names)
        complete = True
    except DataError:  # some cells are empty
        columns, complete = table.cells(), False
    total = len(columns[names[0]])
    columns = {column: columns[column] for column in names}
    texts = _words(table, other_columns)
    left = tuple(column for column in other_columns if column not in texts)
    rows_read = Rows(key, columns, name, total, not complete, left, odd, texts)
    if total > LIMITS.get().rows:
        rows_read = sampled(rows_read, total * (len(columns) + len(texts)) <= MOST_CELLS)
    return replace(rows_read, groupings=_groupings((rows_read.full or rows_read).table))


def sampled(rows: Rows, keep: bool = False) -> Rows:
    """Return a random sample of many rows. keep: whether all of them stay beside it."""
    rows_chosen = np.sort(np.random.default_rng(0).choice(rows.rows, LIMITS.get().rows, replace=False))
    return replace(_chosen(rows, rows_chosen), full=rows if keep else None)


def _groupings(table: Mapping[str, Array | Words]) -> tuple[str, ...]:
    """Return the columns that may tell groups apart: words, and whole numbers that recur, the fewest values first."""
    group_counts: dict[str, int] = {}
    for name, cells in table.items():
        if cells.dtype == object:
            group_counts[name] = len(set(cells.tolist()))
            continue
        finite_cells = cells[np.isfinite(cells)]
        if len(finite_cells) and (finite_cells == np.round(finite_cells)).all():
            levels = len(np.unique(finite_cells))
            if 1 < levels <= min(MOST_GROUPS, len(finite_cells) // 2):
                group_counts[name] = levels
    words_first = sorted(group_counts, key=lambda name: (table[name].dtype != object, group_counts[name]))
    return tuple(words_first[:MOST_OFFERED])


def _words(table: Table, names: Sequence[str]) -> dict[str, Words]:
    """Return the columns of words that may tell groups apart: few different ones, none of them missing."""
    words_of_columns: dict[str, Words] = {}
    for name in names[:MOST_COLUMNS] if table.rows <= MOST_READ else ():
        if table.types[name] in KINDS:
            cells = table.text(name)
            if len(set(cells.tolist())) <= min(MOST_GROUPS, len(cells) // 2) and all(cells.tolist()):
                words_of_columns[name] = cells
    return words_of_columns


def first_formula(names: Sequence[str]) -> str:
    """Propose a formula for some columns: the last one as a line over the first.

    >>> first_formula(["load", "length"]), first_formula(["unit price", "w"]), first_formula(["y"])
    ('length ~ w*load + b', 'w ~ b*`unit price` + m', 'y ~ w')
    """
    free = (name for name in chain("wbmk", (f"w{number}" for number in count(1))) if name not in names)
    slope, offset = next(free), next(free)
    if len(names) == 1:
        return f"{plain_name(names[0])} ~ {slope}"
    return f"{plain_name(names[-1])} ~ {slope}*{plain_name(names[0])} + {offset}"
