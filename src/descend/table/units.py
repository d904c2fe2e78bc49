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


def with_units_of(table: Like, other: Table) -> Like:
    """Return a table, of whose columns the units are known that those of another have."""
    table.units, table.given_units = other.units, other.given_units
    return table


def is_quantity(given: object) -> bool:
    """Whether values have a unit: those of Pint."""
    return hasattr(given, "magnitude") and hasattr(given, "units")


def text_of(unit: object) -> str:
    """Return a unit of Pint, or of metadata, as text."""
    if isinstance(unit, bytes):
        return unit.decode(errors="replace")
    return f"{unit:~C}" if hasattr(unit, "dimensionality") else str(unit)


def of_pandas(frame: pandas.DataFrame) -> tuple[dict[str, str], dict[str, str]]:
    """Return the units that the metadata of a frame, or of its columns, say; and those of quantities of Pint."""
    said = _of_mapping(frame.attrs)
    given = {}
    for name, dtype in zip(frame.columns, frame.dtypes, strict=True):
        if hasattr(dtype, "units"):
            given[name] = text_of(dtype.units)
    return said, given


def of_schema(schema: pyarrow.Schema) -> dict[str, str]:
    """Return the units that the metadata of an Arrow schema say of its fields."""
    found = {}
    for name in schema.names:
        metadata = schema.field(name).metadata or {}
        unit = next((metadata[key.encode()] for key in KEYS if key.encode() in metadata), None)
        if unit is not None:
            found[name] = text_of(unit)
    return found | _of_json((schema.metadata or {}).get(b"PANDAS_ATTRS"))


def of_parquet(path: str, database: Database) -> dict[str, str]:
    """Return the units that the metadata of a Parquet file say: those of Arrow's fields, or of a pandas frame."""
    rows = database.run(f"SELECT key, value FROM parquet_kv_metadata({literal(path)})").fetchall()
    known: Mapping[bytes, bytes] = dict(rows)
    arrow = known.get(b"ARROW:schema")
    if arrow is not None and b"unit" in (plain := base64.b64decode(arrow)):
        try:
            import pyarrow
        except ImportError:
            return _of_json(known.get(b"PANDAS_ATTRS"))
        return of_schema(pyarrow.ipc.read_schema(pyarrow.py_buffer(plain)))
    return _of_json(known.get(b"PANDAS_ATTRS"))


def _of_json(text: bytes | None) -> dict[str, str]:
    try:
        found = json.loads(text or b"{}")
    except ValueError:
        return {}
    return _of_mapping(found) if isinstance(found, Mapping) else {}


def _of_mapping(attributes: Mapping[object, object]) -> dict[str, str]:
    """Return the units by column in metadata, ``{"units": {"t": "s"}}``."""
    for key in KEYS:
        found = attributes.get(key)
        if isinstance(found, Mapping):
            return {str(name): text_of(unit) for name, unit in found.items()}
    return {}


def beside(names: Iterable[str], cells: Iterable[str]) -> dict[str, str]:
    """Return the cells of a line of units, by the names above them; those of empty cells are left out."""
    return {name: cell.strip() for name, cell in zip(names, cells, strict=False) if cell.strip()}
