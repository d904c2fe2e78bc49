"""A share of the rows that is held out where the rows are: the same rows each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from descend.table.table import Table

EVENLY = "spread evenly over them"
BY_CONTENTS = "chosen by what is in them"
"""How rows are told apart: by their numbers, or by their contents where they come in another order each time."""


@runtime_checkable
class Divisible(Protocol):
    """A table that can be divided where its rows are."""

    def shares(
        self, share: float, seed: int, groupings: Sequence[Sequence[str]] = (), needed: Sequence[str] = ()
    ) -> tuple[Table, Table, str]:
        """Return this share of the rows, all others, and in words how they are told apart.

        groupings: columns that tell groups apart; the first row of each group is among the others. needed: columns of
        numbers; that row has a value in each of them, if any row of its group does.

        Raises ConfigError where the rows cannot be told apart.
        """
        ...


@dataclass(frozen=True)
class Part:
    """Some rows of a table: a share that is held out, or all others.

    out: which of them. share: those whose n phi + u has a fractional part below it are held out; n is the number of a
    row, phi the golden ratio, by which they spread evenly, and u is drawn by the seed. groupings: columns that tell
    groups apart, the first row of each of which is not held out. needed: columns in which that has values, if it may.
    """

    out: bool
    share: float
    seed: int
    groupings: tuple[Sequence[str], ...]
    needed: tuple[str, ...] = ()

    def complete(self, columns: Mapping[str, str]) -> str:
        """Return as SQL whether a row has all values that it needs. columns: as SQL, by name."""
        values = [f"coalesce(isfinite(TRY_CAST({columns[name]} AS DOUBLE)), false)" for name in self.needed]
        return f"({' AND '.join(values) or 'true'})"

    def condition(self, number: str, groups: Sequence[str]) -> str:
        """Return this as SQL. number: the column of row numbers. groups: the keys of each grouping, as SQL."""
        from descend.table.lazy import GOLDEN

        place = f"({number} * {GOLDEN!r}::DOUBLE + {float(np.random.default_rng(self.seed).random())!r})"
        first = [f"{number} = min({number}) OVER (PARTITION BY {keys})" for keys in groups]
        held_out = " AND ".join([f"{place} - floor{place} < {self.share!r}", *(f"NOT {each}" for each in first)])
        return held_out if self.out else f"NOT ({held_out})"
