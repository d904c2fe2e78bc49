"""Rows to descend on: generated, from the file that the lab was started with, or uploaded."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend import api
from descend.errors import DataError
from descend.formula.printers.code import plain_name
from descend.lab.cache import Cache
from descend.lab.controls import on_the_page
from descend.lab.problems import PROBLEMS
from descend.lab.state import FILE, UPLOAD, State
from descend.lab.text_columns import MOST_ROWS as MOST_READ
from descend.lab.text_columns import left_out
from descend.table import Table, open_table
from descend.table.files import inspect
from descend.wording import speaking

Array = NDArray[np.float64]
Words = NDArray[np.object_]

MOST_WORDS = 100
"""Different words in a column that may tell groups apart, at most."""
MOST_ROWS = 10_000
"""Most rows that the lab uses; of more, a random sample is taken, so that each answer stays quick."""
MOST_COLUMNS = 100
MOST_UPLOAD = 512 * 2**20
"""Most bytes of an uploaded file."""
MOST_UPLOADED_COLUMNS = 2_000
MOST_UPLOADS = 64
"""Most uploads that are kept; then the one whose last use is longest ago is forgotten."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Columns of numbers. key: identifies these rows. name: of their file. total: how many rows they were sampled from.

    gaps: whether some values are missing. left_out: columns that are not numbers. odd: sentences on what is unexpected
    in the file. words: columns of few different words, which may tell groups apart.
    """

    key: tuple[object, ...]
    columns: Mapping[str, Array]
    name: str
    total: int
    gaps: bool = False
    left_out: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    words: Mapping[str, Words] = field(default_factory=dict)

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

    def __init__(self, file: Rows | None = None, most_upload: int = MOST_UPLOAD) -> None:
        self.file = file
        self.most_upload = most_upload
        self.uploads: Cache[Rows] = Cache(MOST_UPLOADS)

    def add(self, path: str | os.PathLike[str], name: str) -> str:
        """Read an uploaded file and return its key. Raises DataError.

        A compressed file is refused: a few of its bytes may be more rows than this machine can hold.
        """
        seen = inspect(os.fspath(path))
        if seen.packing or seen.kind != "delimited":
            raise DataError(f"`{name}` is {seen.words}. Upload it as plain CSV.")
        header = seen.head.partition("\n")[0]
        if max(map(header.count, ",;\t|")) >= MOST_UPLOADED_COLUMNS:
            raise DataError(
                f"`{name}` has more than {MOST_UPLOADED_COLUMNS:,} columns, the most that are taken here. Upload some "
                "of them, or use the command line."
            )
        key = secrets.token_urlsafe(18)
        self.uploads.put(key, read_rows(path, name, (UPLOAD, key)))
        return key

    def rows(self, state: State, key: str | None) -> Rows | None:
        """Return the rows of a state; None if they were uploaded and are not kept here, or no longer."""
        if state.problem == FILE:
            return self.file
        if state.problem == UPLOAD:
            return self.uploads.get(key) if isinstance(key, str) else None
        return generated(state.problem, state.noise, state.seed)


@lru_cache(maxsize=64)
def generated(problem: str, noise: float | None, seed: int) -> Rows:
    """Make the rows of a built-in problem."""
    recipe = PROBLEMS[problem]
    columns = api.generate(recipe.written(noise), recipe.columns, rows=recipe.rows, seed=seed)
    total = len(next(iter(columns.values())))
    return Rows((problem, noise, seed), columns, f"{problem}.csv", total)


def read_rows(path: str | os.PathLike[str], name: str, key: tuple[object, ...]) -> Rows:
    """Read the columns of numbers of a file, and a random sample if it has many rows. Raises DataError."""
    table = open_table(path)
    with speaking(on_the_page("en")):
        others, odd = left_out(table, name)
    odd = tuple(text.replace(str(path), name) for text in (*table.notes, *odd))
    names = table.numeric_names[:MOST_COLUMNS]
    try:
        columns: Mapping[str, Any] = table.numbers(names)
        complete = True
    except DataError:  # some cells are empty
        columns, complete = table.cells(), False
    total = len(columns[names[0]])
    columns = {column: columns[column] for column in names}
    texts = _words(table, others)
    if total > MOST_ROWS:
        chosen = np.sort(np.random.default_rng(0).choice(total, MOST_ROWS, replace=False))
        columns = {column: values[chosen] for column, values in columns.items()}
        texts = {column: values[chosen] for column, values in texts.items()}
    left = tuple(column for column in others if column not in texts)
    return Rows(key, columns, name, total, not complete, left, odd, texts)


def _words(table: Table, names: Sequence[str]) -> dict[str, Words]:
    """Return the columns of words that may tell groups apart: few different ones, none of them missing."""
    found: dict[str, Words] = {}
    for name in names[:MOST_COLUMNS] if table.rows <= MOST_READ else ():
        if table.types[name] == "text":
            cells = table.text(name)
            if len(set(cells.tolist())) <= min(MOST_WORDS, len(cells) // 2) and all(cells.tolist()):
                found[name] = cells
    return found


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
