"""Data frames: pandas and polars column by column, without pyarrow; others through their Arrow stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

import numpy as np

from descend.table.arrays import ArrayTable, Cells, checked_names
from descend.table.database import Database
from descend.table.query import QueryTable
from descend.table.table import EXACT, Label
from descend.table.typed import Relation

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

    Frame = pandas.DataFrame | polars.DataFrame


class Stream(Protocol):
    """Anything with an Arrow stream."""

    schema: pyarrow.Schema

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


class FrameColumns(Mapping[str, Cells]):
    """The columns of a frame as arrays, each converted when it is read."""

    def __init__(
        self, frame: pandas.DataFrame | polars.DataFrame, names: tuple[str, ...], convert: Callable[..., Cells]
    ) -> None:
        self._frame = frame
        self._names = dict.fromkeys(names)
        self._convert = convert

    def __getitem__(self, name: str) -> Cells:
        if name not in self._names:
            raise KeyError(name)
        cells: Cells = self._convert(self._frame[name])
        return cells

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def from_pandas(frame: pandas.DataFrame) -> ArrayTable:
    """Make a table of a pandas frame; its index is left out."""
    names = checked_names(frame.columns.tolist())

    def categories(name: str) -> Sequence[Label] | None:
        kinds = getattr(frame[name].dtype, "categories", None) if name in names else None  # of a categorical
        return None if kinds is None else kinds.tolist()

    table = ArrayTable(FrameColumns(frame, names, _pandas_cells), len(frame), categories=categories)
    if frame.attrs or any(hasattr(dtype, "units") for dtype in frame.dtypes):
        from descend.table.units import of_pandas

        table.units, table.given_units = of_pandas(frame)
    return table


def from_polars(frame: polars.DataFrame) -> ArrayTable:
    """Make a table of a polars frame; a lazy one is collected."""
    if hasattr(frame, "collect"):
        frame = frame.collect()
    names = checked_names(frame.columns)

    def categories(name: str) -> Sequence[Label] | None:
        import polars

        kind = frame[name].dtype if name in names else None
        return kind.categories.to_list() if isinstance(kind, polars.Enum) else None

    return ArrayTable(FrameColumns(frame, names, _polars_cells), len(frame), categories=categories)


def from_arrow(data: Stream) -> QueryTable:
    """Make a table of anything with an Arrow stream.

    An object that knows its number of rows can be streamed again and is read where it lies; a stream that may
    flow only once is kept in DuckDB.
    """
    database = Database()
    database.connection.register("stream", data if hasattr(data, "num_rows") else _Stream(data))
    relation = "stream"
    if not hasattr(data, "num_rows"):
        database.run("CREATE TABLE kept AS SELECT * FROM stream")
        database.connection.unregister("stream")
        relation = "kept"
    names = checked_names(data.schema.names if hasattr(data, "num_rows") else list(database.columns(relation)))
    table = QueryTable(database, Relation(names, lambda paths: relation, {}), "the data")
    if hasattr(getattr(data, "schema", None), "metadata"):
        from descend.table.units import of_schema

        table.units = of_schema(data.schema)
    return table


class _Stream:
    """Only the Arrow stream of an object, so that DuckDB needs no library of the object's kind."""

    def __init__(self, data: Stream) -> None:
        self._data = data

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._data.__arrow_c_stream__(requested_schema)


def _pandas_cells(column: pandas.Series) -> Cells:
    from pandas.api import types

    dtype = column.dtype
    if hasattr(dtype, "units"):  # of pint-pandas
        return np.asarray(column.array.quantity.magnitude, dtype=np.float64)
    if isinstance(dtype, np.dtype):
        cells: Cells = column.to_numpy()
    elif types.is_datetime64_any_dtype(dtype):
        cells = column.to_numpy(dtype="datetime64[ns]")
    elif types.is_integer_dtype(dtype) and _is_long(column.min(), column.max()):
        cells = column.astype(object).to_numpy()  # float64 would round them before anyone could tell
    elif types.is_numeric_dtype(dtype) and not types.is_bool_dtype(dtype):
        cells = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        # Strings, categories, booleans with gaps: as the objects they stand for.
        cells = column.astype(object).to_numpy()
    return cells


def _polars_cells(column: polars.Series) -> Cells:
    import polars

    exact = column.dtype.is_decimal() or column.dtype == polars.Int128
    gaps = column.dtype.is_integer() and column.null_count() > 0  # which make floats of the others
    if (exact or gaps) and _is_long(column.min(), column.max(), column.dtype.scale if column.dtype.is_decimal() else 0):
        return np.array(column.to_list(), dtype=object)
    if exact:
        column = column.cast(polars.Float64)
    elif column.dtype in (polars.Categorical, polars.Enum):
        column = column.cast(polars.String)
    cells: Cells = column.to_numpy()
    return cells


def _is_long(label_above: object, largest: object, scale: int = 0) -> bool:
    """Return whether numbers between these two may have more digits than float64."""
    exact = (int, np.integer, Decimal)
    return any(isinstance(end, exact) and abs(float(end)) * 10.0**scale > EXACT for end in (label_above, largest))
