"""Files that readers upload: those that can be read are, of the others one message says what is wrong."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from descend.errors import DataError
from descend.lab.data.rows import read_rows
from descend.lab.serving.limits import OWN
from descend.lab.serving.server import make_app


@pytest.fixture(scope="module")
def lab():
    return make_app(limits=replace(OWN, upload=6000)).server.test_client()


def upload(lab, content, name="rows.csv"):
    length = {"CONTENT_LENGTH": str(len(content))}
    reply = lab.post(
        "/upload", data=content, headers={"Host": "127.0.0.1:8050", "X-Name": name}, environ_overrides=length
    )
    return json.loads(reply.text) if reply.text.startswith("{") else {"error": reply.text}


@pytest.mark.parametrize(
    ("content", "formula"),
    [
        ("x;y\n1;2\n2;4.5\n3;5.5\n", "y ~ w*x + b"),
        ("x\ty\n1\t2\n2\t4\n", "y ~ w*x + b"),
        ("\ufeffx,y\r\n1,2\r\n2,4\r\n", "y ~ w*x + b"),
        ('"unit price","y, z"\n1,2\n2,4\n', "`y, z` ~ w*`unit price` + b"),
        ("温度,压力\n1,2\n2,4\n", "压力 ~ w*温度 + b"),
        ("name,x,y\nann,1,2\nbob,2,3\n", "y ~ w*x + b"),
        ("# of May\n\nx,y\n1,2\n2,4", "y ~ w*x + b"),
    ],
    ids=["semicolons", "tabs", "mark of bytes", "quoted names", "Chinese names", "a column of text", "a comment"],
)
def test_a_file_that_can_be_read(lab, content, formula):
    told = upload(lab, content.encode())
    assert parse_qs(told["search"][1:])["formula"] == [formula]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "`rows.csv` is empty. Give a file with a header and rows."),
        (b"x,y\n", "`rows.csv` has a header but no rows. Give a file with at least one row."),
        (b"1,2\n3,4\n", "`rows.csv` has no header: its first line holds only numbers, `1,2`. Add a line above it with "
                        "a name for each column."),
        (b"name\nann\n", "`rows.csv` has no column of numbers. The lab needs at least one."),
        (b"x,y\n\x00\x01,2\n", "`rows.csv` is not text: it holds NUL bytes, as binary files do. Save it as CSV."),
        ("温度,压力\n1,2\n".encode("gbk"), "`rows.csv` is not UTF-8 text: byte 0xCE in line 1 cannot be read. Save it "
                                          "as UTF-8, in a spreadsheet as “CSV UTF-8”."),
        (b"x,y\n" + b"1,2\n" * 3000, "This is larger than 0 MB, the most that is taken here."),
        (b"y\n1\n2\nn/a\n", "`y` in rows.csv is text: row 3 holds 'n/a'. Its other 2 cells are numbers. Correct the "
                            "data, or leave such rows out of the file."),
        (gzip.compress(b"x,y\n1,2\n", mtime=0), "`rows.csv` is delimited text packed by gzip. Upload it as plain CSV."),
        (b"PAR1" + bytes(40) + b"PAR1", "`rows.csv` is Parquet. Upload it as plain CSV."),
        (b"a" + b",a" * 2000 + b"\n", "`rows.csv` has more than 2,000 columns, the most that are taken here. Upload "
                                      "some of them, or use the command line."),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_told_in_one_message(lab, content, error):
    assert upload(lab, content) == {"error": error}


def test_numbers_with_decimal_commas_are_read_with_a_note_unless_they_may_be_thousands(tmp_path: Path):
    path = tmp_path / "upload-1234.csv"
    path.write_text("x;y\n1,5;2,25\n2,5;4,5\n")
    rows = read_rows(path, "rows.csv", ("rows",))
    assert rows.columns["y"].tolist() == [2.25, 4.5]
    assert rows.odd == ("numbers in rows.csv are read with decimal commas: 1,5 as 1.5",)
    path.write_text('x,y\n1,"1,234"\n2,"2,345"\n')
    rows = read_rows(path, "rows.csv", ("others",))
    assert list(rows.columns) == ["x"]
    assert rows.odd == (
        "`y` in rows.csv is text: row 1 holds '1,234'. Its comma may mark decimals or thousands: write 1.234 or 1234.",
    )


def test_columns_that_are_no_numbers_are_left_out_and_named(tmp_path: Path):
    path = tmp_path / "upload-1234.csv"
    path.write_text("name,x,when,y\nann,1,2024-01-01,2\nbob,2,2024-01-02,n/a\ncleo,3,2024-01-03,5\n")
    rows = read_rows(path, "people.csv", ("people",))
    assert list(rows.columns) == ["x"] and rows.left_out == ("name", "when", "y")
    assert rows.odd == (
        "`y` in people.csv is text: row 2 holds 'n/a'. Its other 2 cells are numbers. Correct the data, or leave such "
        "rows out of the file.",
    )


def test_words_with_commas_are_no_numbers(tmp_path: Path):
    path = tmp_path / "places.csv"
    path.write_text('place,x\n"Paris, 11",1\n"12,5 km",2\n')
    assert read_rows(path, "places.csv", ("places",)).left_out == ("place",)
    path.write_text('place\n"12,5 km"\n')
    with pytest.raises(DataError) as error:
        read_rows(path, "places.csv", ("places",))
    assert str(error.value) == "`places.csv` has no column of numbers. The lab needs at least one."
