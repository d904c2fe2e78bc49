"""The texts that a Parquet file keeps beside its columns (see ``write_columns``)."""

from __future__ import annotations

import os


def about(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return them by name; none if there are none. Raises DataError for a file that cannot be read."""
    import duckdb

    from descend.table.database import literal, quiet, unreadable

    query = f"SELECT decode(key), decode(value) FROM parquet_kv_metadata({literal(os.fspath(path))})"
    with duckdb.connect(":memory:") as connection:
        try:
            return dict(quiet(connection).execute(query).fetchall())
        except duckdb.Error as error:
            raise unreadable(f"`{os.fspath(path)}`", error) from None
