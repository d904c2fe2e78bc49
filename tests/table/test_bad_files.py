"""Every way a file can be wrong has one message, which names the file and the place and says what to do."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import descend
from descend.errors import DataError
from descend.table import open_table


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, so that paths in messages are short."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def message(data: Any, names: list[str] | None = None, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        open_table(data, options.pop("where", None)).numbers(names or ["x"], **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("e.csv", "", "`e.csv` is empty. Give a file with a header and rows."),
        ("e.csv", " \n\n", "`e.csv` is empty. Give a file with a header and rows."),
        ("h.csv", "x,y\n", "`h.csv` has a header but no rows. Give a file with at least one row."),
        (
            "n.csv",
            "0.0,1.3\n0.1,1.5\n",
            "`n.csv` has no header: its first line holds only numbers, `0.0,1.3`. "
            "Add a line above it with a name for each column.",
        ),
        ("n.csv", ",,\n1,2,3\n", "`n.csv` has no header. Add a first line with a name for each column."),
        ("d.csv", "x,y,x\n1,2,3\n", "Two columns of `d.csv` are named `x`: columns 1 and 3. Rename one of them."),
        (
            "r.csv",
            "x,y\n1,2\n3\n",
            "Line 3 of `r.csv` has 1 cell, but its header has 2. "
            "Correct that line, or put cells that hold a delimiter in double quotes.",
        ),
        (
            "r.csv",
            "x,y\n1,2\n\n3,4,5\n6,7\n",
            "Line 4 of `r.csv` has 3 cells, but its header has 2. "
            "Correct that line, or put cells that hold a delimiter in double quotes.",
        ),
        (
            "q.csv",
            'x,y\n1,"2\n3,4\n',
            "Line 2 of `q.csv` opens a double quote that is never closed. Close it.",
        ),
        (
            "m.csv",
            "x,y\n" + "1,2\n" * 20_000 + "3,4\r\n5,6\n",
            "`m.csv` ends its lines in more than one way, such as LF and CRLF. Save it again with one.",
        ),
        (
            "b.csv",
            b"x,y\n\0\1\2",
            "`b.csv` is not text: it holds NUL bytes, as binary files do. Save it as CSV, Parquet or JSON.",
        ),
        (
            "l.csv",
            "x,温度\n1,2\n".encode("gbk"),
            "`l.csv` is not UTF-8 text: byte 0xCE in line 1 cannot be read. Save it as UTF-8; "
            "if it is Latin-1, `iconv -f LATIN1 -t UTF-8 FILE > NEW` does so.",
        ),
        ("s.csv", b"PK\x03\x04more", "`s.csv` is a ZIP archive, or a spreadsheet: save the sheet as CSV."),
        ("z.csv.bz2", b"BZh9more", "`z.csv.bz2` is packed by bzip2: unpack it, or pack it by gzip or zstd."),
        (
            "p.parquet",
            "x,y\n1,2\n",
            "`p.parquet` is not a Parquet file, though its name says so. It may be damaged: write it again.",
        ),
        (
            "j.json",
            "[1, 2]",
            '`j.json` does not hold JSON records. Each row must be one object, such as {"x": 1}.',
        ),
        ("z.csv.zst", b"\x28\xb5\x2f\xfd\x00", "`z.csv.zst` is cut short: its last block is missing. Write it again."),
    ],
)
def test_files_that_hold_no_table(name: str, content: str | bytes, said: str) -> None:
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert message(name) == said


def test_damaged_files_are_refused_in_the_words_of_the_reader(here: Path) -> None:
    (here / "p.parquet").write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    assert message("p.parquet").startswith("`p.parquet` cannot be read: ")
    packed = gzip.compress(b"x,y\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(100_000)))
    (here / "t.csv.gz").write_bytes(packed[: len(packed) // 2])
    assert message("t.csv.gz").startswith("`t.csv.gz` cannot be read: unexpected end of GZIP stream")
    (here / "t.csv.gz").write_bytes(packed[:1000])
    assert message("t.csv.gz") == (
        "`t.csv.gz` cannot be read: compressed file ended before the end-of-stream marker was reached. "
        "It may be damaged: write it again."
    )
    (here / "t.csv.gz").write_bytes(b"\x1f\x8b" + b"x" * 50)
    assert message("t.csv.gz").endswith("It may be damaged: write it again.")
    (here / "j.json").write_text('[{"x": 1}, {"x": 2]')
    assert message("j.json").startswith("`j.json` cannot be read: malformed JSON in file")


def test_a_zstd_file_cut_short_does_not_lose_rows_in_silence(here: Path) -> None:
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("COPY (SELECT i AS x, hash(i) AS y FROM range(50000) t(i)) TO 't.csv.zst' (FORMAT csv)")
    packed = (here / "t.csv.zst").read_bytes()
    assert open_table("t.csv.zst").numbers(["x"])["x"].size == 50_000
    for size in (len(packed) - 1, len(packed) // 2, 10, 5):
        (here / "t.csv.zst").write_bytes(packed[:size])
        assert message("t.csv.zst") == "`t.csv.zst` is cut short: its last block is missing. Write it again."
    # Two packed files joined are one file, as for gzip, and so is one with a frame to skip.
    (here / "t.csv.zst").write_bytes(packed + b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc")
    assert open_table("t.csv.zst").numbers(["x"])["x"].size == 50_000


def test_a_formula_without_quotes_is_told_of_them(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(here))
    monkeypatch.setenv("USERPROFILE", str(here))
    assert message(str(here)) == (
        f"`{here}` is a folder. Give a file in it, or a pattern such as `{here}/*.csv`. A shell reads ~ as this "
        "folder: put a formula in quotes."
    )


def test_paths_that_lead_nowhere(here: Path) -> None:
    (here / "line.csv").write_text("x,y\n1,2\n")
    (here / "data").mkdir()
    assert message("lime.csv") == "There is no file `lime.csv`. Did you mean `line.csv`?"
    assert message("other.parquet") == "There is no file `other.parquet`. Check the path."
    assert message("no/line.csv") == "There is no file `no/line.csv`: its folder `no` cannot be found. Check the path."
    assert message("data") == "`data` is a folder. Give a file in it, or a pattern such as `data/*.csv`."
    assert (
        message(here / "data/")
        == f"`{here}/data` is a folder. Give a file in it, or a pattern such as `{here}/data/*.csv`."
    )
    (here / "a\\[1].csv").write_text("x\n1\n")
    assert message("a\\[1].csv") == (
        "The name of `a\\[1].csv` has a backslash and one of *, ? and [, and cannot be read. Rename the file."
    )
    assert message("*.tsv") == "No file matches `*.tsv`. Check the pattern and the folder it starts from."
    assert message([]) == "The list of files is empty. Give at least one file."
    assert message("") == "The path of the file is empty or has a NUL character. Give the path of a file."
    assert message("a\0b") == "The path of the file is empty or has a NUL character. Give the path of a file."
    assert message("https://example.org/line.csv") == (
        "`https://example.org/line.csv` is a web address. Download the file, then give its path."
    )
    assert message(["line.csv", 3]) == "A list of files must hold paths, but it holds 3. Give each file as text."


def test_a_file_without_permission(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "line.csv").write_text("x,y\n1,2\n")

    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    # A test run by root may read everything, so the refusal is played.
    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(DataError) as caught:
        open_table("line.csv")
    monkeypatch.undo()
    assert str(caught.value) == "`line.csv` cannot be read: permission denied. Check the file and your permissions."


def test_links_that_lead_nowhere(here: Path) -> None:
    (here / "dangling.csv").symlink_to("nowhere")
    assert message("dangling.csv") == (
        "`dangling.csv` cannot be read: no such file or directory. Check the file and your permissions."
    )
    (here / "loop.csv").symlink_to("loop.csv")
    assert message("loop.csv") == (
        "`loop.csv` cannot be read: too many levels of symbolic links. Check the file and your permissions."
    )


def test_files_that_do_not_fit_together(here: Path) -> None:
    (here / "a.csv").write_text("x,y\n1,2\n")
    (here / "b.csv").write_text("x,z\n1,2\n")
    (here / "c.json").write_text('{"x": 1}')
    assert message("?.csv") == (
        "`a.csv` and `b.csv` do not have the same columns: `x`, `y` and `x`, `z`. "
        "Give files whose first lines are alike."
    )
    assert message(["a.csv", "c.json"]) == (
        "`a.csv` and `c.json` are of different kinds, delimited text and JSON. Give files of one kind."
    )
    (here / "b.csv").write_text("x,y\n1,2\n3\n")
    assert message("?.csv") == (
        "Line 3 of `b.csv` has 1 cell, but its header has 2. "
        "Correct that line, or put cells that hold a delimiter in double quotes."
    )


def test_text_where_numbers_are_needed(here: Path) -> None:
    (here / "t.csv").write_text("price,unit price,color\n1,a,red\nn/a,2,blue\n3,?,green\n4,,red\n")
    assert message("t.csv", ["price"]) == (
        "`price` in t.csv is text: row 2 holds 'n/a'. Its other 3 cells are numbers. Correct the data, "
        'or leave such rows out with where="try_cast(price as double) is not null".'
    )
    advised = "try_cast(price as double) is not null"
    assert open_table("t.csv", where=advised).numbers(["price"])["price"].tolist() == [1.0, 3.0, 4.0]
    assert message("t.csv", ["unit price"]) == (
        "`unit price` in t.csv is text: row 1 holds 'a'. Of its 3 cells 2 are not numbers. Correct the data, "
        "or leave such rows out with where='try_cast(\"unit price\" as double) is not null'."
    )
    advised = 'try_cast("unit price" as double) is not null'
    assert open_table("t.csv", where=advised).numbers(["unit price"])["unit price"].tolist() == [2.0]
    assert (
        message("t.csv", ["color"])
        == "`color` in t.csv is text: row 1 holds 'red'. Use a column of numbers, such as 0 and 1; "
        "for categories, write u[color] in a formula: a parameter for each of them."
    )
    assert message("t.csv", ["price"], where="color <> 'red'") == (
        "`price` in t.csv is text: row 2 holds 'n/a'. Its other cell is a number. Correct the data, "
        'or leave such rows out with where="try_cast(price as double) is not null".'
    )


def test_other_things_that_are_not_numbers(here: Path) -> None:
    (here / "t.csv").write_text("day;x\n2024-01-01;3,14\n2024-01-02;-2.5\n")
    assert message("t.csv", ["x"]) == (
        "`x` in t.csv is text: row 1 holds '3,14'. Numbers need a decimal point, not a comma: write 3.14."
    )
    assert message("t.csv", ["day"]) == (
        "`day` in t.csv holds dates or times, which are not numbers. "
        'Turn them into numbers first, such as days since the first one: `python -c "import duckdb; '
        "duckdb.sql('''copy (select *, date_diff('second', min(t.day) over (), t.day)/86400 as days from 't.csv' t) "
        "to 't-in-days.csv' ''')\"` writes them to t-in-days.csv, as `days`."
    )
    assert message("t.csv", ["z"]) == "There is no column `z` in t.csv. Its columns: `day`, `x`."
    (here / "t.json").write_text('{"x": [1, 2]}')
    assert (
        message("t.json") == "`x` in t.json holds neither numbers nor text. Use a column with one number in each row."
    )


def test_missing_values_are_counted_and_placed(here: Path) -> None:
    (here / "a.csv").write_text("x,y\n1,2\n,3\n")
    (here / "b.csv").write_text("x,y\n1,inf\n,3\n")
    assert message("a.csv") == (
        'In a.csv, `x` has a missing value in row 2. Correct it, or leave that row out with missing="drop".'
    )
    assert message("?.csv", ["x", "y"]) == (
        "In 2 files matching ?.csv, `x` has 2 missing values, the first in row 2 of a.csv; "
        "`y` has an infinite value in row 1 of b.csv. "
        'Correct them, or leave such rows out with missing="drop".'
    )
    # Rows keep the number they have in the file, whatever the condition leaves out.
    assert message("?.csv", ["x"], where="y <> 2").startswith(
        "In 2 files matching ?.csv, `x` has 2 missing values, the first in row 2 of a.csv."
    )
    assert message("b.csv", ["x"], where="y = 3").startswith("In b.csv, `x` has a missing value in row 2.")
    (here / "c.csv").write_text("x,y\n,2\n1,\n")
    assert message("c.csv", ["x", "y"], missing="drop") == (
        "No row of c.csv is complete: each has a missing or infinite value in `x` or `y`. "
        "Fill them in, or use other columns."
    )


def test_text_in_another_encoding_beyond_the_first_look(here: Path) -> None:
    (here / "l.csv").write_bytes(b"x,y\n" + b"1,2\n" * 20_000 + "1,café\n".encode("latin-1"))
    said = (
        "`l.csv` is not UTF-8 text: line 20002 cannot be read. Save it as UTF-8; "
        "if it is Latin-1, `iconv -f LATIN1 -t UTF-8 FILE > NEW` does so."
    )
    assert message("l.csv", ["y"]) == said
    assert message("l.csv", ["x"], where="x = 1") == said
    assert open_table("l.csv").numbers(["x"])["x"].size == 20_001


@pytest.mark.parametrize(
    ("first", "second", "days"),
    [("2024-01-31", "2024-03-01", 30.0), ("2024-01-01 12:00:00", "2024-01-01 18:00:00", 0.25)],
)
def test_the_command_for_dates_does_what_it_says(here: Path, first: str, second: str, days: float) -> None:
    (here / "t.csv").write_text(f"day,x\n{second},1\n{first},2\n")
    command = re.search('duckdb.sql.*"`', message("t.csv", ["day"]))
    assert command is not None
    subprocess.run([sys.executable, "-c", "import duckdb; " + command[0][:-2]], check=True)
    assert open_table("t-in-days.csv").numbers(["days"])["days"].tolist() == [days, 0.0]


def test_a_model_file_is_no_table(tmp_path):
    path = tmp_path / "line.json"
    descend.fit("y ~ w*x", {"x": [1.0, 2.0, 3.0], "y": [2.0, 4.1, 5.9]}).save(path)
    with pytest.raises(descend.DataError) as caught:
        descend.fit("y ~ w*x", path)
    assert str(caught.value) == (
        f"`{path}` is a model file, as a fit is saved, not a table. Give the table of data here; a model file stands "
        "where a model is asked for, as in `descend predict line.json new.csv`."
    )
