"""Writing columns to a file: delimited text, JSON or Parquet, by its ending; what Parquet keeps beside its columns."""

from __future__ import annotations

import csv
import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from descend.errors import OutputError
from descend.output import atomic_path

BLOCK = 10_000
PARQUET = ".parquet"
Cells = npt.NDArray[np.generic]
Columns = Mapping[str, Cells]


def write_columns(
    path: str | os.PathLike[str], columns: Mapping[str, npt.ArrayLike], about: Mapping[str, str] | None = None
) -> None:
    """Write columns of one length to ``path``, in one step: the old file or the new one, never half of one.

    The ending decides: ``.csv``, ``.tsv``, ``.txt`` (commas), ``.json`` (a list of records), ``.jsonl`` and
    ``.ndjson`` (one record a line), ``.parquet``. In text each float has the fewest digits that give it
    back exactly. NaN is an empty cell; in JSON it is null, and so is infinity, for which JSON has no word.
    about: texts by name that Parquet keeps beside the columns; other kinds of files have no place for them.

    Raises OutputError if the ending is another one or the file cannot be written.
    """
    target = refuse_unknown_ending(path)
    arrays = {name: np.asarray(column) for name, column in columns.items()}
    if len({len(array) for array in arrays.values()}) > 1:
        raise ValueError(f"columns of different lengths: { {name: len(array) for name, array in arrays.items()} }")
    with atomic_path(target) as temporary:
        if about and target.suffix.lower() == PARQUET:
            _write_parquet(temporary, arrays, about)
        else:
            WRITERS[target.suffix.lower()](temporary, arrays)


def texts_beside(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the texts that a Parquet file keeps beside its columns, by name. Raises DataError if it is unreadable."""
    import duckdb

    from descend.table.database import literal, quiet, unreadable

    query = f"SELECT decode(key), decode(value) FROM parquet_kv_metadata({literal(os.fspath(path))})"
    with duckdb.connect(":memory:") as connection:
        try:
            return dict(quiet(connection).execute(query).fetchall())
        except duckdb.Error as error:
            raise unreadable(f"`{os.fspath(path)}`", error) from None


def refuse_unknown_ending(path: str | os.PathLike[str]) -> Path:
    """Return ``path`` if its ending is one that `write_columns` knows; called before any work starts."""
    target = Path(path)
    if target.suffix.lower() not in WRITERS:
        raise OutputError(f"`{target}` cannot be written: its ending must be one of {', '.join(WRITERS)}.")
    return target


def _write_delimited(path: Path, columns: Columns) -> None:
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(_rows(columns))


def _write_lines(path: Path, columns: Columns) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(record + "\n" for record in _records(columns))


def _write_records(path: Path, columns: Columns) -> None:
    with path.open("w", encoding="utf-8") as file:
        separator = "[\n"
        for record in _records(columns):
            file.write(separator + record)
            separator = ",\n"
        file.write("\n]\n" if separator != "[\n" else "[]\n")


def _write_parquet(path: Path, columns: Columns, about: Mapping[str, str] | None = None) -> None:
    import duckdb

    from descend.table.database import distinct, literal, quiet
    from descend.table.sql import reason

    distinct_names = set(distinct(list(columns)))
    if alike := [name for name in columns if name not in distinct_names]:
        raise OutputError(
            f"Parquet cannot tell columns apart whose names differ only in capitals, such as `{alike[0]}`. Write CSV."
        )
    entries = ", ".join(f"{name}: {literal(text)}" for name, text in (about or {}).items())
    options = f"FORMAT parquet, KV_METADATA {{{entries}}}" if entries else "FORMAT parquet"
    with duckdb.connect(":memory:") as connection:
        quiet(connection).register("columns", dict(columns))
        try:
            connection.execute(f"COPY (SELECT * FROM columns) TO {literal(str(path))} ({options})")
        except duckdb.IOException as error:
            number = re.search(r'"errno":"(\d+)"', str(error))
            raise (OSError(int(number[1]), os.strerror(int(number[1]))) if number else OSError(reason(error))) from None


WRITERS = {
    ".csv": _write_delimited,
    ".tsv": _write_delimited,
    ".txt": _write_delimited,
    ".json": _write_records,
    ".jsonl": _write_lines,
    ".ndjson": _write_lines,
    PARQUET: _write_parquet,
}


def _rows(columns: Columns) -> Iterable[tuple[object, ...]]:
    # repr writes Python's own floats shortest; converting a block of them at a time is enough.
    rows = len(next(iter(columns.values()), ()))
    for start in range(0, rows, BLOCK):
        yield from zip(*(_listed(column[start : start + BLOCK]) for column in columns.values()), strict=True)


def _listed(cells: Cells) -> list[object]:
    """Return cells as Python objects, None for NaN."""
    kind = cells.dtype.kind
    cells_listed: list[object] = (cells.astype(str) if kind in "mM" else cells).tolist()
    if kind in "fmM":
        for position in np.flatnonzero(np.isnan(cells) if kind == "f" else np.isnat(cells)):
            cells_listed[position] = None
    return cells_listed


def _records(columns: Columns) -> Iterable[str]:
    for row in _rows(columns):
        cells = (None if isinstance(cell, float) and not math.isfinite(cell) else cell for cell in row)
        yield json.dumps(dict(zip(columns, cells, strict=True)), ensure_ascii=False, allow_nan=False)
