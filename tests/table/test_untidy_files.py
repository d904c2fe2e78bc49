"""Files as instruments, spreadsheets and other programs write them are read right; what was left out is told."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import polars
import pytest

import descend
from descend.errors import DataError
from descend.table import open_table

T, V = [0.1, 0.2, 0.3, 0.4], [2.3, 2.9, 3.4, 4.2]
SOURCE = "`t.csv`"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, so that paths in messages are short."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table_of(content: str | bytes, name: str = "t.csv") -> Any:
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return open_table(name)


def rows(pattern: str, head: str = "t,v\n", end: str = "\n") -> str:
    return head + "".join(pattern.format(t, v) + end for t, v in zip(T, V, strict=True))


READ = {
    "exponents of Fortran": rows("{}D+00,{}d0"),
    "the sign for minus": rows("\u2212{},{}"),
    "spaces that do not break": rows("{}\u00a0,\u202f{}"),
    "aligned columns": rows("  {:8.2f}  {:6.3f}", "         t       v\n"),
    "aligned by tabs and spaces": rows("{}\t  {}", "t  \tv\n"),
    "a header that is a comment": rows("{} {}", "# t v\n"),
    "an aligned header that is a comment": rows("  {}   {}", "# made by x\n#  t     v\n"),
    "comments between rows": rows("{},{}\n# pause"),
    "several line ends": rows("{},{}\r").replace("\r\n", "\n", 2),
    "UTF-16": rows("{},{}").encode("utf-16"),
    "UTF-16 without its mark": rows("{},{}").encode("utf-16-le"),
    "UTF-32": rows("{},{}").encode("utf-32"),
    "the delimiter told to Excel": rows("{};{}", "sep=;\nt;v\n"),
    "names without width": rows("{},{}", "\u200bt,v\u200b\n"),
    "comments of MATLAB": rows("{} {}", "% by hand\n% t v\n"),
    "quotes in a comment": rows("{},{}", '# by "X\nt,v\n'),
    "long cells in a column nobody uses": rows("{},{},short", "t,v,note\n") + "0.5,4.9," + "x" * 200_000 + "\n",
}


@pytest.mark.parametrize("what", READ)
def test_it_is_read_as_it_is_meant(what: str) -> None:
    table = table_of(READ[what])
    assert table.names[:2] == ("t", "v")
    columns = table.numbers(["t", "v"])
    sign = -1 if what == "the sign for minus" else 1
    np.testing.assert_array_equal(sign * columns["t"][:4], T)
    np.testing.assert_array_equal(columns["v"][:4], V)
    assert table.notes == ()
    assert table.filtered("v > 3").numbers(["v"])["v"].tolist()[:2] == V[2:]


@pytest.mark.parametrize(
    ("content", "values", "notes"),
    [
        (
            rows("{},{}", "Instrument: X7\nRecorded: 2024-02-03\n\nt,v\n"),
            V,
            [f"the first 2 lines of {SOURCE}, above its header, are left out"],
        ),
        (
            rows("{}  {}", 'Made by "X7"\n t    v\n'),
            V,
            [f"the first line of {SOURCE}, above its header, is left out"],
        ),
        (
            rows("{},{}", "t,v\n(s),(V)\n"),
            V,
            [f"line 2 of {SOURCE}, below its header, is left out: it holds `(s)`, `(V)`"],
        ),
        (
            rows("{},{}", "A run of X7\n\nt,v\ns,V\n"),
            V,
            [
                f"the first line of {SOURCE}, above its header, is left out",
                f"line 4 of {SOURCE}, below its header, is left out: it holds `s`, `V`",
            ],
        ),
        (
            rows("{},{}", "Instrument,X7\nGain,3\n\nt,v\n"),
            V,
            [f"the first 2 lines of {SOURCE}, above its header, are left out"],
        ),
        (
            rows("{},{},lake", "t,v,kind\ns,V,-\n"),
            V,
            [f"line 2 of {SOURCE}, below its header, is left out: it holds `s`, `V`, `-`"],
        ),
        (rows("{},{}%"), V, ["numbers of `v` in t.csv are read without the sign `%`: 2.3% as 2.3"]),
        (rows("{},${}"), V, ["numbers of `v` in t.csv are read without the sign `$`: $2.3 as 2.3"]),
        (rows("{},-{} €"), [-v for v in V], ["numbers of `v` in t.csv are read without the sign `€`: -2.3 € as -2.3"]),
        (
            rows('{},"1,00{}"'),
            [1000 + v for v in V],
            ["numbers of `v` in t.csv are read with commas between thousands: 1,002.3 as 1002.3"],
        ),
        (rows("{},1 00{}"), [1000 + v for v in V], []),
        (rows("{};{}", "t;v\n").replace(".", ","), V, ["numbers in t.csv are read with decimal commas: 0,1 as 0.1"]),
        (
            rows("{};\u2212{}", "t;v\n").replace(".", ","),
            [-v for v in V],
            ["numbers in t.csv are read with decimal commas: 0,1 as 0.1"],
        ),
    ],
)
def test_what_was_left_out_is_told(content: str, values: list[float], notes: list[str]) -> None:
    table = table_of(content)
    np.testing.assert_allclose(table.numbers(["v"])["v"], values, rtol=1e-15)
    table.types  # noqa: B018 - notes on cells come with the types
    assert list(table.notes) == notes
    fitted = descend.fit("v ~ a*t + b", "t.csv")
    assert [note for note in fitted.notes if "t.csv" in note] == notes


@pytest.mark.parametrize("delimiter", [",", " ", "\t"])
def test_r_writes_names_of_rows_and_no_name_for_them(delimiter: str) -> None:
    lines = [delimiter.join(cells) for cells in [('"t"', '"v"'), ('"1"', "0.1", "2.3"), ('"b, c"', "0.2", "2.9")]]
    table = table_of("\n".join(lines) + "\n")
    assert table.names == ("column0", "t", "v")
    assert table.numbers(["v"])["v"].tolist() == [2.3, 2.9]


def test_cells_that_begin_like_comments_are_no_comments() -> None:
    table = table_of("t,v\n0.1,2.3\n#N/A,2.9\n# pause\n0.3,#N/A\n")
    assert np.isnan(table.numbers(["t"], missing="drop")["t"]).sum() == 0
    with pytest.raises(DataError, match=r"^In t.csv, `t` has a missing value in row 2. "):
        table.numbers(["t"])
    table = table_of("id,v\n#1,2.3\n#2,2.9\n")
    assert table.numbers(["v"])["v"].tolist() == [2.3, 2.9]


def test_what_is_no_table_at_all_is_told() -> None:
    for content, said in {
        "<!DOCTYPE html>\n<p>t,v</p>": "`t.csv` is a web page or XML, not a table. Download the file itself, or save "
        "it as CSV.",
        f'x,"{"y" * 5000}\n1,2': "`t.csv` has no header: the name of column 2 would have 5,004 characters, "
        f"`{'y' * 37}...`. Add a first line with a name for each column, or close a double quote.",
    }.items():
        with pytest.raises(DataError) as caught:
            table_of(content)
        assert str(caught.value) == said


def test_text_of_western_windows_is_read_with_a_note() -> None:
    table = table_of("t,T (°C)\n0.1,20\n0.2,21\n".encode("latin-1"))
    assert table.names == ("t", "T (°C)")
    assert table.numbers(["T (°C)"])["T (°C)"].tolist() == [20.0, 21.0]
    assert table.notes == ("`t.csv` is not UTF-8 text, and is read as Windows-1252, of which Latin-1 is a part",)


def test_signs_in_some_cells_only_and_commas_that_may_mark_decimals_are_left_to_the_user() -> None:
    for cells, said in {
        "2.3%,2.9": "`v` in t.csv is text: row 1 holds '2.3%'. Its other cell is a number.",
        "$2,€3": "`v` in t.csv is text: row 1 holds '$2'. Use a column of numbers",
        '"2,300","2,900"': "`v` in t.csv is text: row 1 holds '2,300'. Its comma may mark decimals or thousands: "
        "write 2.300 or 2300.",
    }.items():
        first, second = cells.split(",") if '"' not in cells else cells.split('","')
        first, second = (f'"{cell.strip(chr(34))}"' for cell in (first, second))
        with pytest.raises(DataError) as caught:
            table_of(f"t,v\n1,{first}\n2,{second}\n").numbers(["v"])
        assert str(caught.value).startswith(said)


def test_numbers_that_are_odd_only_far_below() -> None:
    table = table_of("t,v\n" + "1,2\n" * 30_000 + "1,\u22123\n")
    assert table.numbers(["v"])["v"][-2:].tolist() == [2.0, -3.0]


def test_untidy_files_of_one_kind_are_one_table() -> None:
    Path("a.csv").write_text(rows("  {}  {}", " t   v\n"))
    Path("b.csv").write_text(rows("{},{}", "Instrument\n\nt,v\n"))
    Path("c.csv").write_bytes(rows("{},{}").encode("utf-16"))
    table = open_table("?.csv")
    assert table.numbers(["v"])["v"].tolist() == V * 3
    assert table.notes == ("the first line of `b.csv`, above its header, is left out",)
    Path("d.csv").write_text("t,v\n1,2\n3\n")
    with pytest.raises(DataError, match=r"^Line \d of `d.csv` has 1 cell, but its header has 2"):
        open_table("?.csv").numbers(["v"])


def test_lines_keep_their_numbers_in_messages() -> None:
    with pytest.raises(DataError, match=r"^Line 6 of `t.csv` has 3 cells, but its header has 2"):
        table_of("Instrument: X7\n\nt,v\n0.1,2.3\n# pause\n0.2,2.9,3\n0.3,1\n0.4,1\n").numbers(["v"])


def test_a_packed_file_may_be_untidy() -> None:
    assert table_of(gzip.compress(rows("  {}  {}", " t   v\n").encode()), "t.txt.gz").numbers(["v"])["v"].tolist() == V


def test_a_line_too_long_is_told() -> None:
    with pytest.raises(DataError) as caught:
        table_of("t,v\n1,2\n3," + "4" * 2_500_000 + "\n").numbers(["t"])
    assert str(caught.value) == (
        "Line 3 of `t.csv` is longer than two million characters. Shorten it, or close a double quote that is opened "
        "above it."
    )


def test_a_named_pipe_is_read_once(here: Path) -> None:
    os.mkfifo(here / "pipe")
    writer = threading.Thread(target=lambda: (here / "pipe").write_text(rows("{},{}")))
    writer.start()
    table = open_table("pipe")
    writer.join()
    assert table.numbers(["v"])["v"].tolist() == V
    assert table.filtered("t > 0.3").numbers(["v"])["v"].tolist() == V[3:]


@pytest.mark.parametrize("content", [rows("{},{}"), '{"t": 0.1, "v": 2.3}\n{"t": 0.2, "v": 2.9}\n'])
def test_standard_input_is_read(content: str) -> None:
    command = [sys.executable, "-m", "descend", "fit", "v ~ a*t + b", "-", "--json"]
    ran = subprocess.run(command, input=content, capture_output=True, text=True)
    assert ran.returncode == 0
    assert '"rows": 4' in ran.stdout or '"rows": 2' in ran.stdout


def test_names_that_differ_in_capitals_only_can_stand_in_conditions() -> None:
    table = table_of("x,X,y\n1,10,0\n2,20,1\n3,30,2\n")
    assert table.filtered("x > 1 and X < 30").numbers(["y"])["y"].tolist() == [1.0]
    assert table.filtered("\"X\" = 30 and 'x' <> 'X'").numbers(["x"])["x"].tolist() == [3.0]
    values = {"x": [1, 2, 3], "X": [10, 20, 30], "y": [0, 1, 2]}
    for table in (open_table(values), open_table(pandas.DataFrame(values)), open_table(polars.DataFrame(values))):
        assert table.filtered("x > 1 and X < 30").numbers(["y"])["y"].tolist() == [1.0]
        assert table.filtered("\"X\" = 30 and 'x' <> 'X'").numbers(["x"])["x"].tolist() == [3.0]
