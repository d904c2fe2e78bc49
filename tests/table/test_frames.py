"""Data frames of pandas, polars and Arrow; pandas and polars also where pyarrow is not installed."""

from __future__ import annotations

import datetime
import subprocess
import sys
import textwrap
from typing import Any

import numpy as np
import pytest

from descend.errors import DataError
from descend.table import open_table

DAY = datetime.date(2024, 1, 1)


@pytest.fixture(params=["pandas", "polars", "lazy", "pyarrow", "batch"])
def frame(request: pytest.FixtureRequest) -> Any:
    """The same five rows in frames of every kind."""
    data = {
        "x": [1.0, 2.0, None, 4.0, float("nan")],
        "n": [1, None, 3, 4, 5],
        "yes": [True, False, True, None, True],
        "site": ["a", "b", None, "a", "b"],
        "day": [DAY, DAY, None, DAY, DAY],
    }
    library = pytest.importorskip("pyarrow" if request.param == "batch" else request.param.replace("lazy", "polars"))
    if request.param == "pandas":
        kinds = {"n": "Int64", "yes": "boolean", "site": "category", "day": "datetime64[us]"}
        return library.DataFrame({name: library.Series(cells, dtype=kinds.get(name)) for name, cells in data.items()})
    if request.param in ("polars", "lazy"):
        frame = library.DataFrame(data)
        return frame.lazy() if request.param == "lazy" else frame
    table = library.table(data)
    return table.to_batches()[0] if request.param == "batch" else table


def test_frames_of_every_kind_read_alike(frame: Any) -> None:
    table = open_table(frame)
    assert (table.source, table.rows) == ("the data", 5)
    assert table.types == {"x": "number", "n": "number", "yes": "boolean", "site": "text", "day": "time"}
    columns = table.numbers(["x", "n", "yes"], missing="drop")
    assert {name: column.tolist() for name, column in columns.items()} == {"x": [1.0], "n": [1.0], "yes": [1.0]}
    assert all(column.dtype == np.float64 and column.flags.c_contiguous for column in columns.values())
    assert table.text("site").tolist() == ["a", "b", None, "a", "b"]
    assert table.text("n").tolist() == ["1", None, "3", "4", "5"]
    with pytest.raises(DataError, match="`n` has a missing value in row 2"):
        table.numbers(["n"])
    with pytest.raises(DataError, match="`site` in the data is text: row 1 holds 'a'"):
        table.numbers(["site"])
    with pytest.raises(DataError, match="`day` in the data holds dates or times"):
        table.numbers(["day"])
    with pytest.raises(DataError, match="There is no column `m`"):
        table.numbers(["m"])


def test_conditions_on_frames(frame: Any) -> None:
    table = open_table(frame, where="site = 'a' or n = 2 or yes and day is null")
    assert table.rows == 3
    assert table.text("n").tolist() == ["1", "3", "4"]
    with pytest.raises(DataError, match="`x` has a missing value in row 3"):
        table.numbers(["x"])
    assert open_table(frame, where="day >= '2024-01-01'").rows == 4


def test_a_stream_that_flows_once_can_be_read_twice() -> None:
    pa = pytest.importorskip("pyarrow")
    reader = pa.table({"x": [1, 2], "y": [3.0, 4.0]}).to_reader()
    table = open_table(reader)
    assert table.numbers(["x"])["x"].tolist() == [1.0, 2.0]
    assert table.numbers(["y", "x"])["y"].tolist() == [3.0, 4.0]
    assert table.rows == 2


def test_columns_of_a_wide_pandas_frame_come_out_contiguous() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(np.arange(12.0).reshape(4, 3), columns=["a", "b", "c"], index=[3, 1, 2, 0])
    column = open_table(frame).numbers(["b"])["b"]
    assert column.flags.c_contiguous
    assert column.tolist() == [1.0, 4.0, 7.0, 10.0]


def test_polars_decimals_and_categories() -> None:
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(
        [
            pl.Series("d", ["1.5", None]).cast(pl.Decimal(10, 2)),
            pl.Series("c", ["a", "b"], dtype=pl.Categorical),
            pl.Series("i", [1, 2], dtype=pl.Int128),
        ]
    )
    table = open_table(frame)
    assert table.types == {"d": "number", "c": "text", "i": "number"}
    assert table.numbers(["d", "i"], missing="drop")["d"].tolist() == [1.5]
    assert table.text("c").tolist() == ["a", "b"]


def test_names_must_be_text_and_distinct() -> None:
    pd, pa = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    for data, said in [
        (
            pd.DataFrame([[1, 2]]),
            "A column of the data is named 0, which is not text. Name it with text, such as `x0`.",
        ),
        (
            pd.DataFrame([[1, 2]], columns=["a", "a"]),
            "Two columns of the data are named `a`: columns 1 and 2. Rename one of them.",
        ),
        (
            pa.table([[1], [2]], names=["a", "a"]),
            "Two columns of the data are named `a`: columns 1 and 2. Rename one of them.",
        ),
        (pd.DataFrame(), "The data have no columns. Give at least one."),
        (
            pd.Series([1.0], name="x"),
            'The data have no column names. Give a dict of columns, such as {"x": x, "y": y}.',
        ),
        (pa.array([1.0]), 'The data have no column names. Give a dict of columns, such as {"x": x, "y": y}.'),
    ]:
        with pytest.raises(DataError) as caught:
            open_table(data)
        assert str(caught.value) == said


def test_pandas_and_polars_without_pyarrow() -> None:
    pytest.importorskip("pandas"), pytest.importorskip("polars")
    code = """
        import sys

        class Blocked:
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] == "pyarrow":
                    raise ModuleNotFoundError("No module named 'pyarrow'", name="pyarrow")

        sys.meta_path.insert(0, Blocked())
        import pandas, polars
        from descend.table import open_table

        data = {"x": [1.0, 2.0], "n": [1, None], "s": ["a", "b"]}
        for frame in (pandas.DataFrame(data), polars.DataFrame(data)):
            for table in (open_table(frame), open_table(frame, where="s in ('a', 'b')")):
                print(table.numbers(["x"])["x"].tolist(), list(table.types.values()), table.text("s").tolist())
            print(open_table(frame, where="n is null").numbers(["x"])["x"].tolist())

        class Stream:
            def __arrow_c_stream__(self, requested_schema=None):
                return polars.DataFrame(data).__arrow_c_stream__(requested_schema)

        print(open_table(Stream()).numbers(["x"])["x"].tolist())
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True)
    line = "[1.0, 2.0] ['number', 'number', 'text'] ['a', 'b']\n"
    assert (done.stdout, done.stderr) == (2 * (2 * line + "[2.0]\n") + "[1.0, 2.0]\n", "")
