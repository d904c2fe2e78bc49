"""Numbers with more digits than float64 has are told of, wherever they come from."""

from __future__ import annotations

import decimal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import descend
from descend.errors import DataError

LONG = 2**60
ROWS = 20
TIMES = [LONG + 1000 * row + 1 for row in range(ROWS)]
Y = [2.0 * row + row % 3 for row in range(ROWS)]
SENTENCE = (
    "`t` has more digits than the 15 to 17 of a float: 1152921504606846977 in row 1 and 19 others were rounded. If "
    "such differences matter, subtract a constant from the column in the data first"
)


def in_csv(folder: Path) -> Any:
    path = folder / "long.csv"
    path.write_text("t,y\n" + "".join(f"{t},{y}\n" for t, y in zip(TIMES, Y, strict=True)))
    return path


def in_json(folder: Path) -> Any:
    path = folder / "long.json"
    path.write_text("".join(f'{{"t": {t}, "y": {y}}}\n' for t, y in zip(TIMES, Y, strict=True)))
    return path


def in_parquet(folder: Path) -> Any:
    duckdb = pytest.importorskip("duckdb")
    path = folder / "long.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"copy (select t::bigint as t, y from read_csv('{in_csv(folder)}')) to '{path}'")
    return path


def in_duckdb(folder: Path) -> Any:
    pytest.importorskip("ibis")
    import duckdb

    path = folder / "long.db"
    with duckdb.connect(path) as connection:
        connection.execute(f"create table rows as select t::bigint as t, y from read_csv('{in_csv(folder)}')")
    return f"duckdb://{path}?table=rows"


def in_sqlite(folder: Path) -> Any:
    pytest.importorskip("ibis")
    path = folder / "long.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("create table rows (t integer, y real)")
    connection.executemany("insert into rows values (?, ?)", list(zip(TIMES, Y, strict=True)))
    connection.commit()
    connection.close()
    return f"sqlite://{path}?table=rows"


def in_pandas(folder: Path) -> Any:
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame({"t": pandas.array(TIMES, dtype="Int64"), "y": Y})


def in_polars(folder: Path) -> Any:
    return pytest.importorskip("polars").DataFrame({"t": TIMES, "y": Y})


def in_arrow(folder: Path) -> Any:
    return pytest.importorskip("pyarrow").table({"t": TIMES, "y": Y})


def in_arrays(folder: Path) -> Any:
    return {"t": np.array(TIMES), "y": np.array(Y)}


def in_objects(folder: Path) -> Any:
    return {"t": np.array(TIMES, dtype=object), "y": Y}


KINDS = [in_arrays, in_objects, in_csv, in_json, in_parquet, in_duckdb, in_sqlite, in_pandas, in_polars, in_arrow]


@pytest.mark.parametrize("make", KINDS)
def test_whole_numbers_that_are_rounded_are_told_with_the_first_of_them(
    make: Callable[[Path], Any], tmp_path: Path
) -> None:
    fitted = descend.fit("y ~ a + b*t", make(tmp_path))
    assert [note for note in fitted.notes if "digits" in note] == [SENTENCE]


@pytest.mark.parametrize("make", [in_csv, in_arrays, in_parquet])
def test_rows_left_out_by_a_condition_are_not_counted(make: Callable[[Path], Any], tmp_path: Path) -> None:
    fitted = descend.fit("y ~ a + b*t", make(tmp_path), where="y > 3")
    (note,) = (note for note in fitted.notes if "digits" in note)
    assert "1152921504606848977 in row 3 and 17 others were rounded" in note


def test_a_query_within_a_file_tells_of_them_too(tmp_path: Path) -> None:
    pytest.importorskip("ibis")
    fitted = descend.fit("y ~ a + b*t", in_csv(tmp_path), engine="query")
    assert SENTENCE in fitted.notes


@pytest.mark.parametrize("kind", ["arrays", "csv", "query"])
def test_differences_that_all_vanish_are_refused(kind: str, tmp_path: Path) -> None:
    close = [LONG + row for row in range(ROWS)]
    data: Any = {"t": np.array(close), "y": np.array(Y)}
    if kind != "arrays":
        data = tmp_path / "close.csv"
        data.write_text("t,y\n" + "".join(f"{t},{y}\n" for t, y in zip(close, Y, strict=True)))
    if kind == "query":
        pytest.importorskip("ibis")
    with pytest.raises(DataError) as caught:
        descend.fit("y ~ a + b*t", data, engine="query" if kind == "query" else "auto")
    assert str(caught.value) == (
        f"The numbers in `t` of {'the data' if kind == 'arrays' else data} differ only in digits beyond the 15 to 17 "
        "that a float has, so all become one number; the first is 1152921504606846977 in row 2. Subtract a constant "
        "from the column in the data first."
    )


@pytest.mark.parametrize(
    "cells",
    [
        [2**53 - row for row in range(ROWS)],
        [2**60 + 1024 * row for row in range(ROWS)],
        [decimal.Decimal(row) / 7 for row in range(ROWS)],
        [float(t) for t in TIMES],
    ],
)
def test_nothing_is_said_where_nothing_is_lost(cells: Any) -> None:
    fitted = descend.fit("y ~ a + b*t", {"t": cells, "y": Y})
    assert not any("digits" in note for note in fitted.notes)


def test_decimals_that_lie_close_together_far_from_zero_are_told() -> None:
    arrow = pytest.importorskip("pyarrow")
    data = arrow.table({"t": [decimal.Decimal(t) / 1000 + decimal.Decimal("0.00025") for t in TIMES], "y": Y})
    (note,) = (note for note in descend.fit("y ~ a + b*t", data).notes if "digits" in note)
    assert note.startswith(
        "`t` has more digits than the 15 to 17 of a float: 1152921504606846.97725 in row 1 and 19 others were rounded."
    )


def test_gaps_do_not_hide_it() -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    gappy = [None, *TIMES[1:]]
    for data in (
        pandas.DataFrame({"t": pandas.array(gappy, dtype="Int64"), "y": Y}),
        polars.DataFrame({"t": gappy, "y": Y}),
    ):
        (note,) = (note for note in descend.fit("y ~ a + b*t", data, missing="drop").notes if "digits" in note)
        assert "1152921504606847977 in row 2 and 18 others were rounded" in note


@pytest.mark.parametrize("kind", ["arrays", "duckdb", "sqlite"])
def test_the_largest_integer_has_no_way_back_and_is_told_all_the_same(kind: str, tmp_path: Path) -> None:
    cells = [2**63 - 1, 1, 2, 3]
    data: Any = {"t": np.array(cells), "y": np.array([0.0, 1.0, 2.0, 4.0])}
    if kind != "arrays":
        pytest.importorskip("ibis")
        rows = ", ".join(f"({t}, {y})" for t, y in zip(cells, data["y"].tolist(), strict=True))
        path = tmp_path / f"large.{kind}"
        if kind == "duckdb":
            import duckdb

            with duckdb.connect(path) as connection:
                connection.execute("create table rows (t bigint, y double)")
                connection.execute(f"insert into rows values {rows}")
        else:
            with sqlite3.connect(path) as other:
                other.execute("create table rows (t integer, y real)")
                other.execute(f"insert into rows values {rows}")
            other.close()
        data = f"{kind}://{path}?table=rows"
    (note,) = (note for note in descend.fit("y ~ a + b*t", data).notes if "digits" in note)
    assert "9223372036854775807 in row 1 was rounded." in note
