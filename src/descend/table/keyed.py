"""Groups of rows in a database, told apart by key columns, to be joined with a few numbers of each group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.table.arrays import Cells
from descend.table.beside import Beside
from descend.table.lazy import Lazy

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from descend.table.levels import Key
    from descend.table.table import Numbers

Places = NDArray[np.intp]


@dataclass(frozen=True)
class KeyedRows:
    """Rows and their groups: for each, the values of the columns ``lazy.by``."""

    lazy: Lazy
    groups: Sequence[Key]

    @cached_property
    def keys(self) -> dict[str, Cells]:
        """The keys of all groups, as columns that are compared with those of the rows, by their names there."""
        schema, parts = self.lazy.table.schema(), zip(*self.groups, strict=True)
        text = {name: schema[name].is_string() for name in (f"k{number}" for number in range(len(self.lazy.by)))}
        return {
            name: np.array(values, dtype=object if text[name] else np.float64)
            for name, values in zip(text, parts, strict=True)
        }

    def beside(self, numbers: Sequence[str] = ()) -> Beside:
        """Return a table for the keys of groups, their place ``g`` and some numbers of each."""
        kinds = {name: "float64" if keys.dtype.kind == "f" else "string" for name, keys in self.keys.items()}
        return Beside(self.lazy, {"g": "int64"} | kinds | dict.fromkeys(numbers, "float64"))

    def put(self, beside: Beside, places: Places, numbers: Mapping[str, Numbers] | None = None) -> None:
        """Fill such a table for some groups, which are numbered in this order."""
        columns = {name: keys[places] for name, keys in self.keys.items()}
        beside.put({"g": np.arange(len(places)), **columns, **(numbers or {})})

    def joined(self, beside: Beside, rows: ir.Table, numbers: Sequence[str] = ()) -> ir.Table:
        """Return rows with the number of their group as ``g``, and what is known of it; only those of groups beside."""
        same = [rows[name] == beside.table[name] for name in self.keys]
        columns = [name for name in rows.columns if name not in self.keys]
        return rows.join(beside.table, same).select("g", *columns, *numbers)
