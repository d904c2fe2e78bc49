"""Files of every kind that can be opened, and the rows that come out of them."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from descend.table import open_table
from descend.table.layout import Decimals, Layout, find_layout


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, so that paths in messages are short."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def columns_of(path: str | list[str], where: str | None = None) -> dict[str, list[float]]:
    table = open_table(path, where)
    return {name: column.tolist() for name, column in table.numbers(table.names).items()}


def zstd_of(text: str) -> bytes:
    import duckdb

    Path("raw.txt").write_text(text)
    with duckdb.connect() as connection:
        # DuckDB's own writer, one column of whole lines, is the zstd packer at hand.
        connection.execute(
            "COPY (SELECT * FROM read_csv('raw.txt', header = false, columns = {line: 'VARCHAR'}, delim = '\x07', "
            "quote = '', auto_detect = false)) TO 'packed.zst' "
            "(FORMAT csv, HEADER false, DELIMITER '\x07', QUOTE '', COMPRESSION zstd)"
        )
    return Path("packed.zst").read_bytes()


LINE = "x,y\n1,2.5\n3,4.5\n"
READ = {"x": [1.0, 3.0], "y": [2.5, 4.5]}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("line.csv", LINE),
        ("line.tsv", LINE.replace(",", "\t")),
        ("line.txt", LINE.replace(",", " ")),
        ("line.csv", LINE.replace(",", ";")),
        ("line.csv", LINE.replace(",", "|")),
        ("line.dat", LINE.replace(",", ", ")),
        ("line", LINE),
        ("line.csv", LINE.rstrip("\n")),
        ("line.csv", "\ufeff" + LINE),
        ("line.csv", LINE.replace("\n", "\r\n")),
        ("line.csv", LINE.replace("\n", "\r")),
        ("line.csv", LINE.replace("\n", "\n\n") + "\n"),
        ("line.csv", "\n\n" + LINE),
        ("line.csv", '"x","y"\n"1","2.5"\n"3",4.5\n'),
        ("line.csv", "x,y\n1,2.5,\n3,4.5,\n"),
        ("line.csv", "# made by a logger, version 2\n" + LINE),
        ("line.csv", "# made by a logger\n# " + LINE),
        ("line.csv", "x,y\n+1.0e0, 25e-1\n3.,4.5\n"),
        ("line.csv.gz", gzip.compress(LINE.encode(), mtime=0)),
        ("line.csv", gzip.compress(LINE.encode(), mtime=0)),
        ("line.json", '[{"x": 1, "y": 2.5}, {"x": 3, "y": 4.5}]'),
        ("line.json", '[\n  {"x": 1, "y": 2.5},\n  {"y": 4.5, "x": 3}\n]\n'),
        ("line.jsonl", '{"x": 1, "y": 2.5}\n{"x": 3, "y": 4.5}\n'),
        ("line.ndjson", '{"x": "1", "y": 2.5}\n{"x": "3", "y": 4.5}\n'),
        ("line.jsonl.gz", gzip.compress(b'{"x": 1, "y": 2.5}\n{"x": 3, "y": 4.5}\n', mtime=0)),
    ],
)
def test_one_table_in_many_forms(name: str, content: str | bytes) -> None:
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    table = open_table(name)
    assert (table.source, table.names, table.rows) == (name, ("x", "y"), 2)
    assert columns_of(name) == READ
    if name != "line.ndjson":  # Its x are strings: numbers all the same, but text to SQL.
        assert columns_of(name, where="x > 0") == READ
        assert table.types == {"x": "number", "y": "number"}


def test_zstd(here: Path) -> None:
    (here / "line.csv.zst").write_bytes(zstd_of(LINE))
    assert columns_of("line.csv.zst") == READ
    (here / "line.jsonl.zst").write_bytes(zstd_of('{"x": 1, "y": 2.5}\n{"x": 3, "y": 4.5}\n'))
    assert columns_of("line.jsonl.zst") == READ


def test_parquet_whatever_it_is_called(here: Path) -> None:
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    data = {
        "x": pa.array([1, None, 3], pa.decimal128(10, 2)),
        "big": [2**60, 1, 2],
        "yes": [True, False, True],
        "site": ["a", "b", None],
        "list": [[1], [2], [3]],
    }
    for name in ("t.parquet", "t.pq", "t.csv"):
        parquet.write_table(pa.table(data), here / name)
        table = open_table(here / name)
        assert list(table.types.values()) == ["number", "number", "boolean", "text", "other"]
        assert table.numbers(["x", "yes"], missing="drop")["x"].tolist() == [1.0, 3.0]
        assert table.numbers(["big", "yes"])["big"].tolist() == [2.0**60, 1.0, 2.0]
        assert table.text("site").tolist() == ["a", "b", None]
        assert table.text("x").tolist() == ["1.00", None, "3.00"]


def test_types_of_a_text_file() -> None:
    Path("t.csv").write_text(
        "a,b,c,d,e,f\n1,true,z,2024-01-01,1.5,\n170141183460469231731687303715884105727,false,1,2024-01-02,,\n"
    )
    table = open_table("t.csv")
    assert list(table.types.values()) == ["number", "boolean", "text", "time", "number", "text"]
    assert table.numeric_names == ("a", "b", "e")
    columns = table.numbers(["b", "a"])
    assert columns["b"].tolist() == [1.0, 0.0]
    assert columns["a"].tolist() == [1.0, 2.0**127]
    assert table.text("a").tolist() == ["1", "1.7014118346046923e+38"]
    assert table.text("c").tolist() == ["z", "1"]


def test_missing_cells_are_empty_or_na_or_nan() -> None:
    Path("t.csv").write_text('x,y\n1,2\n,3\nNA,4\nNULL,5\nnan,6\n"",7\n8,9\n')
    columns = open_table("t.csv").numbers(["x", "y"], missing="drop")
    assert {name: column.tolist() for name, column in columns.items()} == {"x": [1.0, 8.0], "y": [2.0, 9.0]}


def test_floats_come_through_to_the_last_bit(here: Path) -> None:
    numbers = np.random.default_rng(0).standard_normal(1000) * 10.0 ** np.arange(-300, 200, 0.5)
    (here / "t.csv").write_text("x\n" + "".join(f"{number!r}\n" for number in numbers.tolist()))
    assert open_table("t.csv").numbers(["x"])["x"].tolist() == numbers.tolist()
    assert open_table("t.csv", where="true").numbers(["x"])["x"].tolist() == numbers.tolist()


def test_names_that_sql_takes_for_one_stay_two() -> None:
    Path("t.csv").write_text("t,T,c0\n1,2,3\n")
    assert columns_of("t.csv") == {"t": [1.0], "T": [2.0], "c0": [3.0]}
    assert columns_of("t.csv", where="c0 = 3") == {"t": [1.0], "T": [2.0], "c0": [3.0]}


def test_a_column_without_a_name_is_named_by_its_place() -> None:
    Path("t.csv").write_text(",x\n0,5\n1,6\n")
    assert columns_of("t.csv") == {"column0": [0.0, 1.0], "x": [5.0, 6.0]}


@pytest.mark.parametrize("late", ["1.5", "true", "n/a"])
def test_what_comes_late_in_a_file_counts_as_much(late: str) -> None:
    # Beyond the rows from which DuckDB guesses types, a fraction in a column of whole numbers would be rounded.
    Path("t.csv").write_text("x,y\n" + "1,2\n" * 21_000 + f"{late},3\n")
    Path("t.jsonl").write_text('{"x": 1, "y": 2}\n' * 21_000 + f'{{"x": {json.dumps(late)}, "y": 3, "z": 4}}\n')
    for path in ("t.csv", "t.jsonl"):
        table = open_table(path, where="y = 3")
        assert table.text("x").tolist() == [late]
        if late == "1.5":
            assert table.numbers(["x"])["x"].tolist() == [1.5]
    if late == "1.5":
        assert open_table("t.csv").numbers(["x"])["x"][-1] == 1.5


def test_rows_keep_their_order(here: Path) -> None:
    x = np.arange(300_000.0)
    (here / "t.csv").write_text("x,y\n" + "".join(f"{int(i)},{int(i) % 7}\n" for i in x))
    assert np.array_equal(open_table("t.csv").numbers(["x"])["x"], x)
    assert np.array_equal(open_table("t.csv", where="y = 3").numbers(["x"])["x"], x[x % 7 == 3])


def test_no_column_asked_for_is_no_column_given() -> None:
    Path("t.csv").write_text(LINE)
    assert open_table("t.csv").numbers([]) == {}


def test_only_the_columns_asked_for_are_read() -> None:
    Path("t.csv").write_text("x,y\n1,2\n3,not a number\n")
    assert open_table("t.csv").numbers(["x"])["x"].tolist() == [1.0, 3.0]


def test_several_files_are_one_table(here: Path) -> None:
    (here / "data").mkdir()
    for i in (3, 1, 2):
        (here / "data" / f"run{i}.csv").write_text(f"x,y\n{i},{i * i}\n")
    table = open_table("data/*.csv")
    assert (table.source, table.rows) == ("3 files matching data/*.csv", 3)
    assert columns_of("data/*.csv") == {"x": [1.0, 2.0, 3.0], "y": [1.0, 4.0, 9.0]}
    assert open_table("data/run[3].csv").source == "data/run3.csv"
    assert open_table("**/run?.csv").rows == 3
    given = ["data/run2.csv", here / "data" / "run1.csv"]
    assert open_table(given).numbers(["x"])["x"].tolist() == [2.0, 1.0]
    assert open_table(["data/run2.csv", "data/run1.csv"]).source == "data/run2.csv and data/run1.csv"
    assert open_table(["data/run2.csv", "data/run*.csv"]).source == "data/run2.csv and 2 more files"
    assert columns_of(["data/run2.csv", "data/run*.csv"])["x"] == [2.0, 1.0, 3.0]


def test_the_type_of_a_column_is_that_of_all_files(here: Path) -> None:
    for i in range(15):
        (here / f"{i:02}.csv").write_text("x\n1\n" if i < 14 else "x\nred\n")
    assert open_table("*.csv").types == {"x": "text"}


@pytest.mark.parametrize(
    "name", ["a[1].csv", "st*r.csv", "wh?t.csv", "it's.csv", "a;b --.csv", "{a,b}.csv", "数据.csv"]
)
def test_a_file_that_exists_opens_as_itself(name: str) -> None:
    for decoy in ("a1.csv", "star.csv", "what.csv", "a.csv"):
        Path(decoy).write_text("x\n666\n")
    Path(name).write_text("x\n1\n")
    assert columns_of(name) == {"x": [1.0]}
    assert columns_of(name, where="x < 666") == {"x": [1.0]}


def test_nothing_is_printed_when_python_ends_with_a_table_open(here: Path) -> None:
    (here / "t.csv").write_text(LINE)
    code = (
        "from descend.table import open_table\n"
        "table = open_table('t.csv'); table.numbers(['x'])\n"
        "data = open_table({'x': [1.0]}, where='x > 0')\n"
        "def keep(): return table, data\n"
        "try: open_table('t.csv', where='z > 0')\n"
        "except Exception as error: kept = error\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("head", "layout"),
    [
        ("a,b\n", Layout(",", ("a", "b"), 1)),
        ("a;b,c\n1;2,5\n", Layout(",", ("a;b", "c"), 1)),
        ("time;signal\n0;1,5\n1;1,7\n", Layout(";", ("time", "signal"), 1, decimals=Decimals("1,5"))),
        ("unit price\n3\n", Layout(",", ("unit price",), 1)),
        ("unit price\n3 4\n", Layout(" ", ("unit", "price"), 1)),
        ("#,name\n1,bob\n", Layout(",", ("#", "name"), 1)),
        ('"a,b";c\n1;2\n', Layout(";", ("a,b", "c"), 1)),
        ("# 1\n# 2\n\na b\n1 2\n", Layout(" ", ("a", "b"), 4)),
        ("# a b\n\n1 2\n", Layout(" ", ("a", "b"), 2)),
        ("a,b\r\n1,2\r\n", Layout(",", ("a", "b"), 1, "\r\n")),
        ('"a\nb",c\r\n1,2\r\n', Layout(",", ("a\nb", "c"), 1, "\r\n")),
        ("x\u2028y,z\n1,2\n", Layout(",", ("x\u2028y", "z"), 1)),
    ],
)
def test_layouts(head: str, layout: Layout) -> None:
    assert find_layout(head, "t.csv") == layout


def test_too_little_memory_is_told_with_the_option_that_helps(tmp_path, monkeypatch):
    import descend
    from descend.results import fitting

    def full(*_):
        raise MemoryError("Unable to allocate 7.28 TiB for an array with shape (10, 10)")

    monkeypatch.setattr(fitting, "pose", full)
    with pytest.raises(
        descend.ConfigError, match=r"^There is too little memory: unable to allocate 7.28 TiB .*memory_limit="
    ):
        descend.fit("y ~ a*x", {"x": [1.0], "y": [1.0]})


def test_files_as_groups_share_the_columns_that_most_of_them_have_in_order(here):
    from descend.table.by_file import Files

    for name, header in (("a", "t,y,p,own"), ("b", "t,y,q,own_too"), ("c", "t,y,p,q"), ("d", "u,t,y,q")):
        (here / f"{name}.csv").write_text(header + "\n" + ",".join(["1"] * len(header.split(","))) + "\n")
    files = Files.of("*.csv")
    assert files.names == ("t", "y", "p", "q")
    assert files.example().names == ("t", "y", "p", "q")
    (here / "c.csv").unlink()  # none that is left has all of t, y, p and q
    assert {"t", "y"} < {*Files.of("*.csv").example().names} < {"t", "y", "p", "q"}
