"""Data of one's own: pasted, made by an equation, and carried by links."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from descend.errors import DataError
from descend.lab.data.data_in_links import MOST_KEPT, MOST_PACKED, Shelf, packed, unpacked
from descend.lab.data.pasted_text import headed
from descend.lab.data.rows import Library
from descend.lab.serving.server import make_app
from descend.lab.state import UPLOAD, State, read_query

HOST = {"Host": "127.0.0.1:8050"}


@pytest.fixture
def lab(tmp_path: Path):
    return make_app(keep=tmp_path / "kept").server.test_client()


def sent(lab, text: bytes | str, kind: str, name: str = "") -> dict:
    data = text.encode() if isinstance(text, str) else text
    return dict(json.loads(lab.post("/upload", data=data, headers={**HOST, "X-Kind": kind, "X-Name": name}).text))


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("t (s)\tv (m/s)\r\n0\t1,5\r\n1\t2,5\r\n2\t3,7\r\n", {"t (s)": [0, 1, 2], "v (m/s)": [1.5, 2.5, 3.7]}),
        ("1\t2\n2\t3\n3\t4.5\n", {"x": [1, 2, 3], "y": [2, 3, 4.5]}),
        ("t;v\n0,5;1,5\n1;2,5\n2,5;3,7\n", {"t": [0.5, 1, 2.5], "v": [1.5, 2.5, 3.7]}),
        ("Zeit\tWert\ns\tm\n0\t1\n1\t−2\n2\t3\n", {"Zeit": [0, 1, 2], "Wert": [1, -2, 3]}),
        ("1\t2\t3\n2\t3\t4\n5\t6\t8\n", {"x1": [1, 2, 5], "x2": [2, 3, 6], "y": [3, 4, 8]}),
        ("时间\t长度\n1\t2\n2\t3\n3\t5\n", {"时间": [1, 2, 3], "长度": [2, 3, 5]}),
        ("\n\nx,y\n\n1,2\n2,3\n3,5\n\n", {"x": [1, 2, 3], "y": [2, 3, 5]}),
    ],
)
def test_cells_of_a_spreadsheet_become_columns(text, columns):
    library = Library()
    rows = library.uploads.get(library.take(headed(text).encode(), "pasted.txt"))
    assert {name: values.tolist() for name, values in rows.columns.items()} == columns


def test_what_is_no_table_is_told(lab):
    assert "error" in sent(lab, "hello\nworld\n", "pasted", "pasted.txt")
    assert "error" in sent(lab, " ", "pasted", "pasted.txt")


def test_an_equation_makes_rows_and_a_wrong_one_points(lab):
    told = sent(lab, json.dumps({"equation": "y = 2*x + 1", "low": 0, "high": 4, "rows": 5}), "equation")
    assert told["columns"] == ["x", "y"]
    for asked, said in (
        ({"equation": "y = 2*("}, "y = 2*("),
        ({"equation": "y = x", "low": 3, "high": 3}, "x goes from a number to a larger one; this is 3 to 3."),
        ({"equation": "y = x", "low": None}, "x goes from a number to a larger one; this is nan to 10."),
        ({"equation": "y = x", "rows": None}, "The lab makes 2 to 2,000 rows; this is nan."),
        ({"equation": "y = x", "rows": 3000}, "The lab makes 2 to 2,000 rows; this is 3,000."),
        ({"equation": "y = open('/etc/passwd')"}, "open"),
    ):
        assert said in sent(lab, json.dumps(asked), "equation")["error"]
    for asked in ("[1]", "[" * 100_000, '{"low": 1' + "0" * 400 + "}"):
        assert "out of date" in sent(lab, asked, "equation")["error"]


def test_small_data_travel_in_the_link(lab):
    key = sent(lab, "x,y\n1,2\n2,4.5\n3,5.5\n", "", "springs.csv")["key"]
    letters = json.loads(lab.post("/share", data=key, headers=HOST).text)["packed"]
    assert unpacked(letters) == (b"x,y\n1,2\n2,4.5\n3,5.5\n", "springs.csv")
    assert sent(lab, letters, "link")["columns"] == ["x", "y"]


def test_a_megabyte_is_kept_for_a_link(lab, tmp_path: Path):
    random = np.random.default_rng(0)
    text = "x,y\n" + "".join(f"{x:.8f},{y:.8f}\n" for x, y in random.normal(size=(45_000, 2)))
    assert 0.9e6 < len(text) < 2**20
    key = sent(lab, text, "", "large.csv")["key"]
    kept = json.loads(lab.post("/share", data=key, headers=HOST).text)["kept"]
    assert [path.name for path in (tmp_path / "kept").iterdir()] == [f"{kept}.data"]
    state, unread = read_query(f"?problem=upload&formula=y~w*x&data={kept}")
    assert not unread and State(UPLOAD, "y~w*x", rate=None, start=(), epochs=200, data=kept) == state
    rows = Library(shelf=Shelf(tmp_path / "kept")).rows(state, None)  # another lab with the same folder
    assert (rows.total, rows.name) == (45_000, "large.csv")


def test_what_no_link_carries_is_told(lab):
    key = sent(lab, "x,y\n" + "1,2\n" * 300_000, "", "huge.csv")["key"]
    told = json.loads(lab.post("/share", data=key, headers=HOST).text)
    assert told["error"] == "The data are not here any more, or larger than 1 MB, the most a link carries."


@pytest.mark.parametrize("letters", ["A", "AAAA", "../../etc/passwd", packed(b"x,y\n1,2\n", "a.csv")[:-8], "é"])
def test_a_link_that_was_cut_is_told(letters, lab):
    with pytest.raises(DataError, match="The data in this link are not whole: a part of the link is missing"):
        unpacked(letters)
    assert "not whole" in sent(lab, letters, "link").get("error", "not whole")


def test_a_link_that_swells_is_refused():
    with pytest.raises(DataError, match="not whole"):
        unpacked(packed(b"0" * 2**22, "bomb.csv"))
    assert len(packed(b"0" * 2**22, "bomb.csv")) < MOST_PACKED


@pytest.mark.parametrize("name", ["../../../etc/passwd", "a" * 31, "A" * 32, "0" * 32, "..", "%2e%2e"])
def test_a_name_of_data_is_no_path(tmp_path: Path, name):
    shelf = Shelf(tmp_path / "kept")
    (tmp_path / "passwd.data").write_text("root:")
    assert shelf.get(name) is None
    if name != "0" * 32:
        assert read_query(f"?problem=upload&data={name}")[1] == ("data",)


def test_the_oldest_file_goes(tmp_path: Path):
    shelf = Shelf(tmp_path)
    first = shelf.put(b"x\n0\n", "0.csv")
    os.utime(tmp_path / f"{first}.data", (1, 1))
    places = [shelf.put(f"x\n{number}\n".encode(), "a.csv") for number in range(1, MOST_KEPT + 1)]
    assert shelf.get(first) is None and len(list(tmp_path.iterdir())) == MOST_KEPT
    assert shelf.get(places[-1]) == (f"x\n{MOST_KEPT}\n".encode(), "a.csv")
    assert shelf.put(b"x\n1\n", "a.csv") == places[0]  # the same data have the same name
