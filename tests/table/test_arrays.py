"""Columns that are in memory: dicts of arrays, lists and tensors, and structured arrays."""

from __future__ import annotations

import datetime
import decimal
import subprocess
import sys
import timeit
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descend.errors import ConfigError, DataError
from descend.table import Table, arrays, open_table
from descend.table.kinds_of_cells import kind_of_cells
from descend.table.opening import SOURCES, register
from descend.table.stacked import StackedTable


def test_float64_arrays_are_used_as_they_are() -> None:
    x = np.arange(5.0)
    table = open_table({"x": x, "y": 2 * x})
    assert table.numbers(["x"])["x"] is x
    assert (table.source, table.names, table.rows) == ("the data", ("x", "y"), 5)


@pytest.mark.parametrize(
    "cells",
    [
        [1, 2, 3],
        (1.0, 2.0, 3.0),
        range(1, 4),
        np.array([1, 2, 3], dtype=np.int8),
        np.array([1, 2, 3], dtype=">f8"),
        np.array([1, 2, 3], dtype=np.float16),
        np.array([1, 2, 3], dtype=np.longdouble),
        np.arange(0.0, 8.0)[1:7:2] / 2 + 0.5,
        [decimal.Decimal(1), 2, 3.0],
        ["1", "2", " 3 "],
        np.ma.array([1, 2, 3]),
    ],
    ids=lambda cells: type(cells).__name__,
)
def test_everything_that_holds_numbers_becomes_contiguous_float64(cells: Any) -> None:
    column = open_table({"x": cells}).numbers(["x"])["x"]
    assert column.dtype == np.float64
    assert column.flags.c_contiguous
    assert column.ndim == 1
    assert column.tolist() == [1.0, 2.0, 3.0]


def test_booleans_count_as_zero_and_one() -> None:
    table = open_table({"x": [True, False], "y": np.array([True, None], dtype=object)})
    assert table.numbers(["x"])["x"].tolist() == [1.0, 0.0]
    assert table.numbers(["y"], missing="drop")["y"].tolist() == [1.0]
    assert table.types == {"x": "boolean", "y": "boolean"}


def test_whole_numbers_too_large_for_float64_are_rounded_to_the_nearest() -> None:
    column = open_table({"x": [2**53 + 1, 2**70]}).numbers(["x"])["x"]
    assert column.tolist() == [float(2**53 + 1), float(2**70)]


def test_tensors_may_carry_a_gradient() -> None:
    torch = pytest.importorskip("torch")
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    assert open_table({"x": x}).numbers(["x"])["x"].tolist() == [1.0, 2.0]


def test_a_structured_array_has_its_fields_as_columns() -> None:
    data = np.array([(1, 2.5), (3, 4.5)], dtype=[("x", int), ("y", float)])
    columns = open_table(data).numbers(["x", "y"])
    assert (columns["x"].tolist(), columns["y"].tolist()) == ([1.0, 3.0], [2.5, 4.5])


def test_types_name_what_each_column_holds() -> None:
    table = open_table(
        {
            "number": [1, 2],
            "decimal": [decimal.Decimal(1), None],
            "text": ["a", "b"],
            "mixed": np.array([1, "b"], dtype=object),
            "boolean": [True, False],
            "time": np.array(["2024-01-01", "2024-01-02"], dtype="datetime64[D]"),
            "day": [datetime.date(2024, 1, 1), None],
            "other": [1j, 2j],
        }
    )
    assert list(table.types.values()) == ["number", "number", "text", "text", "boolean", "time", "time", "other"]
    assert table.numeric_names == ("number", "decimal", "boolean")


def test_text_is_what_a_category_needs() -> None:
    table = open_table({"site": ["a", None, "b"], "year": [2020, 2021, 2020], "dose": [1.0, 0.5, np.nan]})
    assert table.text("site").tolist() == ["a", None, "b"]
    assert table.text("year").tolist() == ["2020", "2021", "2020"]
    assert table.text("dose").tolist() == ["1", "0.5", None]


def test_cells_and_complete_rows() -> None:
    table = open_table({"x": [1.0, np.nan, 3.0], "site": ["a", "b", None], "yes": [True, False, True]})
    assert table.complete(["x"]).tolist() == [True, False, True]
    cells = table.cells()
    assert cells["x"].tolist()[::2] == [1.0, 3.0]
    assert cells["site"].tolist() == ["a", "b", None]
    assert cells["yes"].tolist() == ["true", "false", "true"]


def test_an_open_table_passes_through(line: dict[str, np.ndarray]) -> None:
    table = open_table(line)
    assert open_table(table) is table
    assert open_table(table, where="x < 1").rows == 10


def test_missing_drop_leaves_a_row_out_of_every_column() -> None:
    table = open_table({"x": [1.0, np.nan, 3.0, 4.0], "y": [1.0, 2.0, np.inf, None], "z": [np.nan] * 4})
    columns = table.numbers(["x", "y"], missing="drop")
    assert {name: column.tolist() for name, column in columns.items()} == {"x": [1.0], "y": [1.0]}


@given(st.lists(st.one_of(st.none(), st.floats(), st.integers(), st.booleans()), min_size=1))
def test_drop_keeps_exactly_the_finite_cells(cells: list[Any]) -> None:
    numbers = [np.nan if cell is None else float(cell) for cell in cells]
    finite = [number for number in numbers if np.isfinite(number)]
    table = open_table({"x": cells})
    if finite:
        assert table.numbers(["x"], missing="drop")["x"].tolist() == finite
    else:
        with pytest.raises(DataError, match="No row of the data is complete"):
            table.numbers(["x"], missing="drop")


def test_a_small_dict_costs_microseconds_and_no_database(line: dict[str, np.ndarray]) -> None:
    seconds = min(timeit.repeat(lambda: open_table(line).numbers(["x", "y"]), number=200, repeat=5)) / 200
    # 7 microseconds where it was written; the rest is room for a busy machine.
    assert seconds < 60e-6
    code = (
        "import sys; from descend.table import open_table; open_table({'x': [1.0], 'y': [2]}).numbers(['x', 'y']);"
        "late = {'duckdb', 'pandas', 'polars', 'pyarrow', 'torch', 'sympy', 'scipy', 'matplotlib'};"
        "print(sorted(late & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


TEN = {f"column{i}": [1.0] for i in range(14)}


@pytest.mark.parametrize(
    ("data", "names", "message"),
    [
        ({}, ["x"], 'The data have no columns. Give at least one, such as {"x": [1.0, 2.0]}.'),
        ({"x": [], "y": []}, ["x"], "There are no rows in the data. Give data with at least one row."),
        ({"x": [1, 2], "y": [1]}, ["x"], "`x` has 2 rows but `y` has 1. Give columns of one length."),
        ({1: [1]}, ["x"], "A column of the data is named 1, which is not text. Name it with text, such as `x1`."),
        ({None: [1]}, ["x"], "A column of the data is named None, which is not text. Name it with text."),
        ({"x": 1.0}, ["x"], "`x` is a single value, not a column. Give one value for each row."),
        (
            {"x": np.zeros((3, 2))},
            ["x"],
            "`x` has 2 dimensions, of shape (3, 2); a column has one. Give each column of it a name of its own.",
        ),
        (
            {"x": [[1], [1, 2]]},
            ["x"],
            "`x` cannot be read as a column: its rows differ in length or kind. Give one value in each row.",
        ),
        (
            np.zeros((3, 2)),
            ["x"],
            'The data have no column names. Give a dict of columns, such as {"x": x, "y": y}.',
        ),
        (
            [1.0, 2.0],
            ["x"],
            'The data have no column names. Give a dict of columns, such as {"x": x, "y": y}.',
        ),
        (
            3,
            ["x"],
            "Data of type int cannot be read. Give a path, a dict of columns, or a pandas, polars or Arrow frame.",
        ),
        (
            {"price": [1.0], "y": [2.0]},
            ["pirce"],
            "There is no column `pirce` in the data. Did you mean `price`? Its columns: `price`, `y`.",
        ),
        (
            TEN,
            ["zz"],
            "There is no column `zz` in the data. Its columns: `column0`, `column1`, `column2`, `column3`, `column4`, "
            "`column5`, `column6`, `column7`, `column8`, `column9`, `column10`, `column11` and 2 more.",
        ),
        (
            {"c": ["red", "blue"]},
            ["c"],
            "`c` in the data is text: row 1 holds 'red'. Use a column of numbers, such as 0 and 1; "
            "for categories, write u[c] in a formula: a parameter for each of them.",
        ),
        (
            {"p": ["1", "n/a", "3", None]},
            ["p"],
            "`p` in the data is text: row 2 holds 'n/a'. Its other 2 cells are numbers. Correct the data, "
            'or leave such rows out with where="try_cast(p as double) is not null".',
        ),
        (
            {"t": np.array(["2024-01-01"], dtype="datetime64[D]")},
            ["t"],
            "`t` in the data holds dates or times, which are not numbers. "
            "Turn them into numbers first, such as days since the first one.",
        ),
        (
            {"z": [1j]},
            ["z"],
            "`z` in the data holds neither numbers nor text. Use a column with one number in each row.",
        ),
        (
            {"x": [1.0, np.nan, None], "y": [-np.inf, 1.0, 2.0], "z": [1, 2, 3]},
            ["x", "y", "z"],
            "In the data, `x` has 2 missing values, the first in row 2; `y` has an infinite value in row 1. "
            'Correct them, or leave such rows out with missing="drop".',
        ),
        (
            {f"x{i}": [np.nan, np.inf] for i in range(5)},
            ["x0", "x1", "x2", "x3", "x4"],
            "In the data, `x0` has 2 missing or infinite values, the first in row 1; "
            "`x1` has 2 missing or infinite values, the first in row 1; "
            "`x2` has 2 missing or infinite values, the first in row 1; so do 2 more columns. "
            'Correct them, or leave such rows out with missing="drop".',
        ),
    ],
)
def test_bad_columns_are_named(data: Any, names: list[str], message: str) -> None:
    with pytest.raises(DataError) as caught:
        open_table(data).numbers(names)
    assert str(caught.value) == message


def test_masked_cells_are_missing_not_the_values_behind_the_mask() -> None:
    table = open_table({"x": np.ma.array([1.0, 2.0], mask=[False, True])})
    with pytest.raises(DataError, match="`x` has a missing value in row 2"):
        table.numbers(["x"])


def test_no_complete_row_names_the_columns() -> None:
    table = open_table({"x": [1.0, np.nan], "y": [np.nan, 1.0]})
    with pytest.raises(DataError) as caught:
        table.numbers(["x", "y"], missing="drop")
    assert str(caught.value) == (
        "No row of the data is complete: each has a missing or infinite value in `x` or `y`. "
        "Fill them in, or use other columns."
    )


def test_missing_is_raise_or_drop(line: dict[str, np.ndarray]) -> None:
    with pytest.raises(ConfigError) as caught:
        open_table(line).numbers(["x"], missing="fill")
    assert str(caught.value) == "`missing` is `fill`. It can be `raise` or `drop`."


def test_table_is_the_contract_and_cannot_be_made_by_itself() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Table()  # type: ignore[abstract]


def test_cells_that_are_objects_are_looked_at_once_for_all_types(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def counted(cells: np.ndarray) -> str:
        seen.append(cells)
        return kind_of_cells(cells)

    monkeypatch.setattr(arrays, "kind_of_cells", counted)
    table = open_table({"site": np.array(["a", "b", None], dtype=object), "x": [1.0, 2.0, 3.0]})
    twice = StackedTable(table, 2, {"value": np.arange(6.0)})
    assert [twice.types[name] for name in ("site", "x", "value")] == ["text", "number", "number"]
    assert [table.types[name] for name in ("site", "x")] == ["text", "number"]
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("returned", "kind"), [(None, "None"), ({"x": [1.0], "y": [2.0]}, "a value of type dict")], ids=["None", "dict"]
)
def test_a_source_from_outside_has_to_return_a_table(returned, kind):
    def opens(data):
        return returned

    register(lambda data: data == "mine", opens)
    try:
        with pytest.raises(DataError) as refused:
            open_table("mine")
    finally:
        del SOURCES[0]
    assert str(refused.value) == (
        f"`opens` of `{__name__}`, which opens such data, returned {kind}. It must return a table: let it return what "
        "`descend.table.open_table` makes, of a dict of arrays, for example."
    )


def test_a_source_from_outside_has_to_tell_other_data_from_its_own():
    def takes(data):
        return data.startswith("mine")

    register(takes, open_table)
    try:
        with pytest.raises(DataError) as refused:
            open_table({"x": [1.0]})
    finally:
        del SOURCES[0]
    assert str(refused.value) == (
        f"`takes` of `{__name__}`, which tells a kind of data from others, failed at data of type dict: "
        "AttributeError: 'dict' object has no attribute 'startswith'. Let it return False for other kinds."
    )
