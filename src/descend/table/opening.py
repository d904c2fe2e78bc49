"""The door to every kind of data."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from descend.errors import DataError
from descend.table.arrays import from_mapping, from_records
from descend.table.table import Table

Opens = Callable[[Any], Table]
"""Makes a table of data of one kind."""


SCHEMES = frozenset(
    ("duckdb", "sqlite", "postgres", "postgresql", "spark", "mysql", "mssql", "bigquery", "snowflake", "trino")
)
"""How the address of a database may begin."""


def open_table(data: object, where: str | None = None) -> Table:
    """Open data as a table.

    data: one of
        a path, a pattern such as ``data/*.csv``, or a list of them: CSV and other delimited text, JSON,
        Parquet, also packed by gzip or zstd;
        a dict of columns: arrays, lists, tensors of one length; or a structured array;
        a pandas or polars frame, or anything else with an Arrow stream (``__arrow_c_stream__``);
        an Ibis table, or the address of one, such as ``postgres://user@host/database?table=t``; its rows stay there;
        a `Table`, which is returned as it is;
        whatever was registered (see `register`).
    where: an SQL condition; only rows for which it holds are in the table.

    Raises DataError if the data cannot be read or the condition makes no sense for them.

    >>> open_table({"x": [1, 2, 3]}, where="x > 1").numbers(["x"])
    {'x': array([2., 3.])}
    """
    table = _opened(data)
    if where is None:
        return table
    from descend.table.units import with_units_of

    return with_units_of(table.filtered(where), table)


def register(takes: Callable[[object], bool], opens: Opens) -> None:
    """Add a kind of data from outside the package, tried before all others: what it takes, and how that is opened.

    >>> register(lambda data: isinstance(data, range), lambda data: open_table({"number": list(data)}))
    >>> open_table(range(3)).numbers(["number"])
    {'number': array([0., 1., 2.])}
    >>> del SOURCES[0]  # and forgotten again
    """
    SOURCES.insert(0, (takes, opens))


def _opened(data: object) -> Table:
    for takes, opens in SOURCES:
        if _taken(data, takes):
            table: object = opens(data)
            if not isinstance(table, Table):
                kind = "None" if table is None else f"a value of type {type(table).__name__}"
                raise DataError(
                    f"{_named(opens)}, which opens such data, returned {kind}. It must return a table: let it return "
                    "what `descend.table.open_table` makes, of a dict of arrays, for example."
                )
            return table
    raise _unsupported(data)


def _taken(data: object, takes: Callable[[object], bool]) -> bool:
    """Whether data are of a kind, by the test for it, which may be one from outside that fails at other kinds."""
    try:
        return takes(data)
    except Exception as error:
        raise DataError(
            f"{_named(takes)}, which tells a kind of data from others, failed at data of type {type(data).__name__}: "
            f"{type(error).__name__}: {error}. Let it return False for other kinds."
        ) from error


def _named(function: Callable[..., object]) -> str:
    return f"`{getattr(function, '__name__', type(function).__name__)}` of `{function.__module__}`"


def _is_address(data: object) -> bool:
    return isinstance(data, str) and data.partition("://")[0] in SCHEMES and not os.path.lexists(data)


def is_path(data: object) -> bool:
    """Whether data are named by a path, or by a list of them."""
    many = isinstance(data, list | tuple) and (not data or isinstance(data[0], str | os.PathLike))
    return many or isinstance(data, str | os.PathLike)


def _streams(data: object) -> bool:
    # A single column also streams, but has no name.
    return hasattr(data, "__arrow_c_stream__") and (hasattr(data, "schema") or not hasattr(data, "__array__"))


def _frame(library: str, *names: str) -> Callable[[object], bool]:
    """Return a test for the frames of a library, without importing it: where a frame exists, it was imported."""

    def takes(data: object) -> bool:
        module = sys.modules.get(library)
        return module is not None and any(isinstance(data, getattr(module, name, ())) for name in names)

    return takes


def _by(module: str, name: str) -> Callable[..., Table]:
    """Return a function that opens data with a module that is imported only then."""

    def opens(*data: object) -> Table:
        table: Table = getattr(import_module(f"descend.table.{module}"), name)(*data)
        return table

    return opens


FORMATS = {
    "delimited": _by("delimited", "open_delimited"),
    "json": _by("typed", "open_typed"),
    "parquet": _by("typed", "open_typed"),
}
"""What opens files of each kind, as one table whose rows are in the order of the files."""


def _open_files(data: Any) -> Table:
    from descend.table.files import find_files

    files, source = find_files(data)
    return FORMATS[files[0].kind](files, source)


SOURCES: list[tuple[Callable[[object], bool], Opens]] = [
    (lambda data: isinstance(data, dict | Mapping), from_mapping),
    (lambda data: isinstance(data, Table), lambda table: table),
    (_is_address, _by("address", "from_url")),
    (is_path, _open_files),
    (lambda data: isinstance(data, np.ndarray) and bool(data.dtype.names), from_records),
    (_frame("pandas", "DataFrame"), _by("frames", "from_pandas")),
    (_frame("polars", "DataFrame", "LazyFrame"), _by("frames", "from_polars")),
    (_frame("ibis", "Table"), _by("remote", "from_ibis")),
    (_streams, _by("frames", "from_arrow")),
]
"""Every kind of data: a test for it, and what makes a table of it. The first test that succeeds counts."""


def is_table(data: object) -> bool:
    """Whether data are of a kind that `open_table` opens."""
    return any(_taken(data, takes) for takes, _ in SOURCES)


def _unsupported(data: object) -> DataError:
    if isinstance(data, (np.ndarray, list, tuple)) or hasattr(data, "__array__"):
        return DataError('The data have no column names. Give a dict of columns, such as {"x": x, "y": y}.')
    if data is None:
        return DataError("The data are missing. Give a path, a dict of columns, or a pandas, polars or Arrow frame.")
    return DataError(
        f"Data of type {type(data).__name__} cannot be read. Give a path, a dict of columns, "
        "or a pandas, polars or Arrow frame."
    )
