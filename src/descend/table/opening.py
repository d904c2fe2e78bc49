"""The door to every kind of data: the sources of rows, each of which says what it takes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from descend.errors import DataError
from descend.table.arrays import from_mapping
from descend.table.table import Table

SCHEMES = frozenset(
    ("duckdb", "sqlite", "postgres", "postgresql", "spark", "mysql", "mssql", "bigquery", "snowflake", "trino")
)
"""How the address of a database may begin."""


class Source(Protocol):
    """A kind of data that rows can be read from: a class with these two methods, and `register` of one instance.

    takes: whether data given by a user are of this kind; of text, too, which is what the command line hands over.
    open: the rows, as a dict of columns (arrays or lists of one length), or as a `Table` of your own.

    A dict is all that most sources need: such rows are in memory, and DuckDB sums them for the engine ``query``. For
    rows that stay where they are, write a subclass of `Table` whose `lazy` returns a `Lazy` over an Ibis table.

    >>> class Squares:
    ...     def takes(self, data):
    ...         return isinstance(data, str) and data.startswith("squares:")
    ...     def open(self, data):
    ...         x = np.arange(float(data.partition(":")[2]))
    ...         return {"x": x, "y": x**2}
    >>> squares = register(Squares())
    >>> open_table("squares:4", where="y > 1").numbers(["x", "y"])
    {'x': array([2., 3.]), 'y': array([4., 9.])}
    >>> SOURCES.remove(squares)
    """

    def takes(self, data: Any) -> bool:
        """Whether the data are of this kind."""

    def open(self, data: Any) -> Table | Mapping[str, Any]:
        """Return the rows. Raises DataError if they cannot be read."""


@dataclass(frozen=True)
class OwnSource:
    """A source of the library itself, whose code is loaded when it is needed. reader: module and function."""

    takes: Callable[[Any], bool]
    reader: str

    def open(self, data: Any) -> Table:
        """Return the rows."""
        module, _, function = self.reader.partition(":")
        table: Table = getattr(import_module(f"descend.table.{module}"), function)(data)
        return table


def _is_address(data: Any) -> bool:
    return isinstance(data, str) and data.partition("://")[0] in SCHEMES and not os.path.lexists(data)


def _is_files(data: Any) -> bool:
    several = isinstance(data, list | tuple) and (not data or isinstance(data[0], str | os.PathLike))
    return several or isinstance(data, str | os.PathLike)


def _is_stream(data: Any) -> bool:
    # A single column also streams, but has no name.
    return hasattr(data, "__arrow_c_stream__") and (hasattr(data, "schema") or not hasattr(data, "__array__"))


def _frame(library: str, *names: str) -> Callable[[Any], bool]:
    def is_frame(data: Any) -> bool:
        # A frame can only have come from a library that is imported, so none is imported to find out.
        module = sys.modules.get(library)
        return module is not None and isinstance(data, tuple(getattr(module, name, ()) for name in names))

    return is_frame


SOURCES: list[Source] = [
    OwnSource(lambda data: isinstance(data, Mapping), "arrays:from_mapping"),
    OwnSource(_is_address, "address:from_url"),
    OwnSource(_is_files, "files:open_files"),
    OwnSource(lambda data: isinstance(data, np.ndarray) and bool(data.dtype.names), "arrays:from_records"),
    OwnSource(_frame("pandas", "DataFrame"), "frames:from_pandas"),
    OwnSource(_frame("polars", "DataFrame", "LazyFrame"), "frames:from_polars"),
    OwnSource(_frame("ibis", "Table"), "remote:from_ibis"),
    OwnSource(_is_stream, "frames:from_arrow"),
]
"""Every source of rows; the first that takes the data opens them."""


def register(source: Source) -> Source:
    """Add a source from outside the package, which is asked before all others; returns it."""
    SOURCES.insert(0, source)
    return source


def open_table(data: Any, where: str | None = None) -> Table:
    """Open data as a table.

    data: one of
        a path, a pattern such as ``data/*.csv``, or a list of them: CSV and other delimited text, JSON,
        Parquet, also packed by gzip or zstd;
        a dict of columns: arrays, lists, tensors of one length; or a structured array;
        a pandas or polars frame, or anything else with an Arrow stream (``__arrow_c_stream__``);
        an Ibis table, or the address of one, such as ``postgres://user@host/database?table=t``; its rows stay there;
        whatever a source takes that was registered (`register`);
        a `Table`, which is returned as it is.
    where: an SQL condition; only rows for which it holds are in the table.

    Raises DataError if the data cannot be read or the condition makes no sense for them.

    >>> open_table({"x": [1, 2, 3]}, where="x > 1").numbers(["x"])
    {'x': array([2., 3.])}
    """
    table = data if isinstance(data, Table) else _opened(data)
    return table if where is None else table.filtered(where)


def _opened(data: Any) -> Table:
    for source in SOURCES:
        if source.takes(data):
            opened = source.open(data)
            return opened if isinstance(opened, Table) else from_mapping(opened)
    if isinstance(data, np.ndarray | list | tuple) or hasattr(data, "__array__"):
        raise DataError('The data have no column names. Give a dict of columns, such as {"x": x, "y": y}.')
    raise DataError(
        f"Data of type {type(data).__name__} cannot be read. Give a path, a dict of columns, "
        "or a pandas, polars or Arrow frame."
    )
