"""The door to every kind of data."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from descend.errors import DataError
from descend.table.arrays import from_mapping, from_records
from descend.table.table import Table

SCHEMES = frozenset(
    ("duckdb", "sqlite", "postgres", "postgresql", "spark", "mysql", "mssql", "bigquery", "snowflake", "trino")
)
"""How the address of a database may begin."""


def open_table(data: Any, where: str | None = None) -> Table:
    """Open data as a table.

    data: one of
        a path, a pattern such as ``data/*.csv``, or a list of them: CSV and other delimited text, JSON,
        Parquet, also packed by gzip or zstd;
        a dict of columns: arrays, lists, tensors of one length; or a structured array;
        a pandas or polars frame, or anything else with an Arrow stream (``__arrow_c_stream__``);
        an Ibis table, or the address of one, such as ``postgres://user@host/database?table=t``; its rows stay there;
        a `Table`, which is returned as it is.
    where: an SQL condition; only rows for which it holds are in the table.

    Raises DataError if the data cannot be read or the condition makes no sense for them.

    >>> open_table({"x": [1, 2, 3]}, where="x > 1").numbers(["x"])
    {'x': array([2., 3.])}
    """
    table = _opened(data)
    return table if where is None else table.filtered(where)


def _opened(data: Any) -> Table:
    if isinstance(data, Mapping):
        return from_mapping(data)
    if isinstance(data, Table):
        return data
    if isinstance(data, str) and data.partition("://")[0] in SCHEMES and not os.path.lexists(data):
        from descend.table.address import from_url

        return from_url(data)
    if isinstance(data, (str, os.PathLike)) or (isinstance(data, (list, tuple)) and _has_paths(data)):
        from descend.table.files import open_files

        return open_files(data)
    if isinstance(data, np.ndarray) and data.dtype.names:
        return from_records(data)
    if _is_frame(data, "pandas", "DataFrame"):
        from descend.table.frames import from_pandas

        return from_pandas(data)
    if _is_frame(data, "polars", "DataFrame") or _is_frame(data, "polars", "LazyFrame"):
        from descend.table.frames import from_polars

        return from_polars(data)
    if _is_frame(data, "ibis", "Table"):
        from descend.table.remote import from_ibis

        return from_ibis(data)
    # A single column also streams, but has no name.
    if hasattr(data, "__arrow_c_stream__") and (hasattr(data, "schema") or not hasattr(data, "__array__")):
        from descend.table.frames import from_arrow

        return from_arrow(data)
    raise _unsupported(data)


def _has_paths(data: list[Any] | tuple[Any, ...]) -> bool:
    return not data or isinstance(data[0], (str, os.PathLike))


def _is_frame(data: Any, library: str, name: str) -> bool:
    # A frame can only have come from a library that is imported, so none is imported to find out.
    module = sys.modules.get(library)
    return module is not None and isinstance(data, getattr(module, name, ()))


def _unsupported(data: Any) -> DataError:
    if isinstance(data, (np.ndarray, list, tuple)) or hasattr(data, "__array__"):
        return DataError('The data have no column names. Give a dict of columns, such as {"x": x, "y": y}.')
    return DataError(
        f"Data of type {type(data).__name__} cannot be read. Give a path, a dict of columns, "
        "or a pandas, polars or Arrow frame."
    )
