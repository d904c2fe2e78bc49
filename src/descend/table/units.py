"""What data say of the units of their columns elsewhere than in the names: metadata, and values that have units."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

from descend.table.database import Database, literal

if TYPE_CHECKING:
    import pandas
    import pyarrow

    from descend.table.table import Table

KEYS = ("units", "unit")
"""What metadata call a unit, or the units by column."""
Like = TypeVar("Like", bound="Table")


def with_units_of(table: Like, other_table: Table) -> Like:
    """Return a table, of whose columns the units are known that those of another have."""
    table.units, table.given_units = other_table.units, other_table.given_units
    return table


def is_quantity(value_given: object) -> bool:
    """Whether values have a unit: those of Pint."""
    return hasattr(value_given, "magnitude") and hasattr(value_given, "units")


def text_of(unit: object) -> str:
    """Return a unit of Pint, or of metadata, as text."""
    if isinstance(unit, bytes):
        return unit.decode(errors="replace")
    return f"{unit:~C}" if hasattr(unit, "dimensionality") else str(unit)


def of_pandas(frame: pandas.DataFrame) -> tuple[dict[str, str], dict[str, str]]:
    """Return the units that the metadata of a frame, or of its columns, say; and those of quantities of Pint."""
    units_of_frame = _of_mapping(frame.attrs)
    units_by_column = {}
    for name, dtype in zip(frame.columns, frame.dtypes, strict=True):
        if hasattr(dtype, "units"):
            units_by_column[name] = text_of(dtype.units)
    return units_of_frame, units_by_column


def of_schema(schema: pyarrow.Schema) -> dict[str, str]:
    """Return the units that the metadata of an Arrow schema say of its fields."""
    units_by_column = {}
    for name in schema.names:
        metadata = schema.field(name).metadata or {}
        unit = next((metadata[key.encode()] for key in KEYS if key.encode() in metadata), None)
        if unit is not None:
            units_by_column[name] = text_of(unit)
    return units_by_column | _of_json((schema.metadata or {}).get(b"PANDAS_ATTRS"))


def of_parquet(path: str, database: Database) -> dict[str, str]:
    """Return the units that the metadata of a Parquet file say: those of Arrow's fields, or of a pandas frame."""
    rows = database.run(f"SELECT key, value FROM parquet_kv_metadata({literal(path)})").fetchall()
    units_by_column: Mapping[bytes, bytes] = dict(rows)
    arrow = units_by_column.get(b"ARROW:schema")
    if arrow is not None and b"unit" in (plain := base64.b64decode(arrow)):
        try:
            import pyarrow
        except ImportError:
            return _of_json(units_by_column.get(b"PANDAS_ATTRS"))
        return of_schema(pyarrow.ipc.read_schema(pyarrow.py_buffer(plain)))
    return _of_json(units_by_column.get(b"PANDAS_ATTRS"))


def _of_json(text: bytes | None) -> dict[str, str]:
    try:
        units_by_column = json.loads(text or b"{}")
    except ValueError:
        return {}
    return _of_mapping(units_by_column) if isinstance(units_by_column, Mapping) else {}


def _of_mapping(attributes: Mapping[object, object]) -> dict[str, str]:
    """Return the units by column in metadata, ``{"units": {"t": "s"}}``."""
    for key in KEYS:
        units_of_attributes = attributes.get(key)
        if isinstance(units_of_attributes, Mapping):
            return {str(name): text_of(unit) for name, unit in units_of_attributes.items()}
    return {}


def beside(names: Iterable[str], cells: Iterable[str]) -> dict[str, str]:
    """Return the cells of a line of units, by the names above them; those of empty cells are left out."""
    return {name: cell.strip() for name, cell in zip(names, cells, strict=False) if cell.strip()}
