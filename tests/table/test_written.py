"""Written files read back as what was written, and a failure leaves the old file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descend.errors import OutputError
from descend.table import open_table
from descend.table.writing import write_columns


@pytest.mark.parametrize("ending", ["csv", "tsv", "txt", "json", "jsonl", "ndjson", "parquet"])
def test_what_is_written_is_read_back(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"t.{ending}"
    x = np.random.default_rng(0).standard_normal(20_001) * 10.0 ** np.linspace(-300, 300, 20_001)
    columns = {"x": x, "价格, net": np.arange(20_001), 'say "hi"': x > 0, "site": ["a", "b;,\t", "c"] * 6667}
    write_columns(path, columns)
    table = open_table(path)
    assert table.names == tuple(columns)
    assert table.types == dict(zip(columns, ["number", "number", "boolean", "text"], strict=True))
    assert np.array_equal(table.numbers(["x"])["x"], x)
    assert np.array_equal(table.numbers(['say "hi"'])['say "hi"'], x > 0)
    assert table.text("site").tolist() == columns["site"]
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@given(numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_floats_round_trip_exactly_and_in_the_fewest_digits(numbers: list[float], tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write_columns(path, {"x": numbers})
    assert path.read_text() == "x\n" + "".join(f"{number!r}\n" for number in numbers)
    assert open_table(path).numbers(["x"])["x"].tolist() == numbers


def test_json_is_json(tmp_path: Path) -> None:
    write_columns(tmp_path / "t.json", {"x": [1.0, np.nan, np.inf], "n": [1, 2, 3]})
    assert json.loads((tmp_path / "t.json").read_text()) == [
        {"x": 1.0, "n": 1},
        {"x": None, "n": 2},
        {"x": None, "n": 3},
    ]
    write_columns(tmp_path / "t.json", {"x": []})
    assert json.loads((tmp_path / "t.json").read_text()) == []
    write_columns(tmp_path / "t.jsonl", {"x": [0.1, 1e300]})
    assert (tmp_path / "t.jsonl").read_text() == '{"x": 0.1}\n{"x": 1e+300}\n'


def test_csv_in_plain_sight(tmp_path: Path) -> None:
    days = np.array(["2024-01-01", "NaT"], dtype="datetime64[D]")
    write_columns(tmp_path / "t.csv", {"x": [0.1, np.nan], "yes": [True, False], "day": days, "a,b": [None, "c,d"]})
    assert (tmp_path / "t.csv").read_text() == 'x,yes,day,"a,b"\n0.1,True,2024-01-01,\n,False,,"c,d"\n'


def test_places_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path, columns, said in [
        (
            "t.xlsx",
            {"x": [1.0]},
            "`t.xlsx` cannot be written: its ending must be one of .csv, .tsv, .txt, .json, .jsonl, .ndjson, .parquet.",
        ),
        (
            "no/t.csv",
            {"x": [1.0]},
            "`no/t.csv` cannot be written: the folder `no` does not exist. Create it first.",
        ),
        (
            "t.parquet",
            {"t": [1.0], "T": [2.0]},
            "Parquet cannot tell columns apart whose names differ only in capitals, such as `t`. Write CSV.",
        ),
    ]:
        with pytest.raises(OutputError) as caught:
            write_columns(path, columns)
        assert str(caught.value) == said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_a_failure_leaves_the_old_file(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"t.{ending}"
    write_columns(path, {"x": [1.0]})
    old = path.read_bytes()
    with pytest.raises(ValueError, match="columns of different lengths"):
        write_columns(path, {"x": [1.0, 2.0], "y": [1.0]})
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]
