"""Groups of rows in a database, told apart by key columns: looked up here, or joined with a few numbers of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.table.joined_in_database import Beside
from descend.table.lazy import Lazy
from descend.table.looked_up import LookedUp
from descend.table.rows import Cells

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from descend.table.table import Label, Numbers, Table

Places = NDArray[np.intp]
WRITTEN = 60
"""Keys of a coding, at most, that are written into a query one after the other."""


def keyed(table: Table, names: Sequence[str], memory: int | None = None, largest_coding: int = 0) -> Lazy:
    """Return columns as `Table.lazy` does, in which codings of more than ``largest_coding`` keys are looked up.

    Their key columns then tell groups of rows apart.
    """
    codings = {name: table.codings[name] for name in names if name in table.codings}
    separate = {name: coding for name, coding in codings.items() if len(coding.keys) > largest_coding}
    if not separate:
        return table.lazy(names, memory)
    keyed_query = table.lazy([name for name in names if name not in separate], memory, table.given(separate))
    keyed_query.looked_up = LookedUp(separate, keyed_query.by)
    return keyed_query


@dataclass(frozen=True)
class KeyedRows:
    """Rows and their groups: for each, the values of the columns ``lazy.by``."""

    lazy: Lazy
    groups: Sequence[tuple[Label, ...]]

    @cached_property
    def keys(self) -> dict[str, Cells]:
        """The keys of all groups, as columns that are compared with those of the rows, by their names there."""
        schema, key_columns = self.lazy.table.schema(), zip(*self.groups, strict=True)
        text = {name: schema[name].is_string() for name in (f"k{number}" for number in range(len(self.lazy.by)))}
        return {
            name: np.array(values, dtype=object if text[name] else np.float64)
            for name, values in zip(text, key_columns, strict=True)
        }

    def beside(self, numbers: Sequence[str] = ()) -> Beside:
        """Return a table for the keys of groups, their place ``g`` and some numbers of each."""
        kinds = {name: "float64" if keys.dtype.kind == "f" else "string" for name, keys in self.keys.items()}
        return Beside(self.lazy, {"g": "int64"} | kinds | dict.fromkeys(numbers, "float64"))

    def put(self, columns_beside: Beside, group_numbers: Places, numbers: Mapping[str, Numbers] | None = None) -> None:
        """Fill such a table for some groups, which are numbered in this order."""
        columns = {name: keys[group_numbers] for name, keys in self.keys.items()}
        columns_beside.put({"g": np.arange(len(group_numbers)), **columns, **(numbers or {})})

    def joined(self, columns_beside: Beside, rows: ir.Table, numbers: Sequence[str] = ()) -> ir.Table:
        """Return rows with the number of their group as ``g``, and what is known of it; only those of groups beside."""
        same = [rows[name] == columns_beside.table[name] for name in self.keys]
        columns = [name for name in rows.columns if name not in self.keys]
        return rows.join(columns_beside.table, same).select("g", *columns, *numbers)
