"""A table whose rows stand one after another as often as each has something to say: once for every response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from descend.errors import ConfigError
from descend.table.arrays import from_mapping
from descend.table.lazy import Lazy
from descend.table.rounding import Rounded
from descend.table.table import Label, Numbers, Table
from descend.wording import spell


class StackedTable(Table):
    """The rows of a table several times over, with columns of their own that differ from time to time.

    table: the rows. times: how often. own: further columns, (times * rows,), numbers or text.

    >>> from descend.table import open_table
    >>> twice = StackedTable(open_table({"x": [1.0, 2.0]}), 2, {"value": np.array([1.0, 2.0, 10.0, 20.0])})
    >>> {name: column.tolist() for name, column in twice.numbers(["x", "value"]).items()}
    {'x': [1.0, 2.0, 1.0, 2.0], 'value': [1.0, 2.0, 10.0, 20.0]}
    >>> twice.place(2)
    'row 1'
    """

    def __init__(self, table: Table, times: int, own_columns: Mapping[str, npt.NDArray[np.generic]]) -> None:
        self.table, self.times = table, times
        self.own = from_mapping(dict(own_columns))
        self.source, self.conditions = table.source, table.conditions
        self.names = (*(name for name in table.names if name not in self.own.names), *self.own.names)
        self.notes, self.counted = table.notes, table.counted
        self.units, self.given_units = table.units, table.given_units

    @property
    def rows(self) -> int:
        return self.times * self.table.rows

    @property
    def types(self) -> dict[str, str]:
        return {**self.table.types, **self.own.types}

    def text(self, name: str) -> npt.NDArray[np.object_]:
        return self.own.text(name) if name in self.own.names else np.tile(self.table.text(name), self.times)

    def filtered(self, where: str) -> Table:
        return from_mapping(self.cells()).filtered(where)

    def with_words(self, name: str, words: Mapping[str, float]) -> Table:
        own_columns = {each: self.own._columns[each] for each in self.own.names}
        return StackedTable(self.table.with_words(name, words), self.times, own_columns)

    def categories(self, name: str) -> Sequence[Label] | None:
        return None if name in self.own.names else self.table.categories(name)

    def release(self) -> None:
        self.table.release()

    def place(self, position: int) -> str:
        return self.table.place(position % self.table.rows)

    def lazy(self, names: Sequence[str], memory: int | None = None, by: Sequence[str] = ()) -> Lazy:
        raise ConfigError(
            f"Several formulas are fitted to rows in memory: leave out {spell('engine', 'query')} and "
            f"{spell('memory_limit')}, or fit each formula by itself."
        )

    def size(self, columns: int) -> float:
        return 0.0

    def exact_up_to(self, name: str) -> float:
        return self._of(name).exact_up_to(name)

    def rounded(self, name: str) -> Rounded | None:
        return self._of(name).rounded(name)

    def _of(self, name: str) -> Table:
        return self.own if name in self.own.names else self.table

    def _read(self, names: Sequence[str]) -> dict[str, Numbers]:
        table_columns = self.table.with_gaps([name for name in names if name not in self.own.names])
        columns = self.own.with_gaps([name for name in names if name in self.own.names])
        self.counted = {**self.counted, **self.table.counted}
        return {name: columns[name] if name in columns else np.tile(table_columns[name], self.times) for name in names}
