"""Files with decimal commas are read right where there is no doubt, with a note; else a message says what to write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import descend
from descend.errors import DataError
from descend.table import open_table

X, Y = [0.5, 1.0, 1.5, 2.25], [1.25, 2.5, 3.1, 4.75]


def comma(value: float) -> str:
    return str(value).replace(".", ",")


def written(folder: Path, pattern: str, head: str, start: str = "") -> Path:
    path = folder / "de.csv"
    rows = [pattern.format(comma(x), comma(y)) for x, y in zip(X, Y, strict=True)]
    path.write_text(start + "\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


FILES = {
    "semicolons": ("{};{}", "x;y", ""),
    "tabs": ("{}\t{}", "x\ty", ""),
    "quotes": ('"{}","{}"', '"x","y"', ""),
    "a mark of byte order": ("{};{}", "x;y", "\ufeff"),
    "spaces": (" {} ; {} ", " x ; y ", ""),
}


@pytest.mark.parametrize("name", FILES)
def test_decimal_commas_are_read_as_such(name: str, tmp_path: Path) -> None:
    path = written(tmp_path, *FILES[name])
    table = open_table(path)
    assert table.names == ("x", "y")
    assert table.types == {"x": "number", "y": "number"}
    columns = table.numbers(["x", "y"])
    assert (columns["x"].tolist(), columns["y"].tolist()) == (X, Y)
    assert table.notes == (f"numbers in {path} are read with decimal commas: 0,5 as 0.5",)
    assert open_table(path, where="x > 0.7").numbers(["x"])["x"].tolist() == X[1:]


def test_a_fit_says_so_and_a_prediction_too(tmp_path: Path, run: Any) -> None:
    path = written(tmp_path, *FILES["semicolons"])
    fitted = descend.fit("y ~ w*x", path)
    assert f"numbers in {path} are read with decimal commas: 0,5 as 0.5" in fitted.notes
    assert np.isclose(fitted.parameters["w"], np.dot(X, Y) / np.dot(X, X))
    fitted.save(tmp_path / "fit.json")
    ran = run("predict", tmp_path / "fit.json", path)
    assert (ran.code, ran.stderr) == (0, f"Note: numbers in {path} are read with decimal commas: 0,5 as 0.5.\n")
    assert ran.stdout.splitlines()[:2] == ["x,y,prediction", f"0.5,1.25,{float(fitted.predict({'x': [0.5]})[0])!r}"]


def test_points_between_thousands_are_told(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x;y\n1.200,5;1\n1.300;2\n12,5;3\n")
    table = open_table(path)
    assert table.numbers(["x"])["x"].tolist() == [1200.5, 1300.0, 12.5]
    assert table.notes == (
        f"numbers in {path} are read with decimal commas, and points between thousands: 1.200,5 as 1200.5",
    )


def test_a_file_of_whole_numbers_goes_with_one_of_decimal_commas(tmp_path: Path) -> None:
    for name, cells in {"a": "1;2", "b": "1,5;2,5"}.items():
        (tmp_path / f"{name}.csv").write_text(f"x;y\n{cells}\n")
    table = open_table(tmp_path / "*.csv")
    assert table.numbers(["x", "y"])["x"].tolist() == [1.0, 1.5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "x;y\n1,500;1\n2,250;2\n",
            "`x` in {} is text: row 1 holds '1,500'. Its comma may mark decimals or thousands: write 1.500 or 1500.",
        ),
        (
            "x;y\n1,5;1.5\n2,25;2.5\n",
            "`x` in {} is text: row 1 holds '1,5'. Numbers need a decimal point, not a comma: write 1.5.",
        ),
        (
            "x,y\n1,5,2,5\n2,25,3,5\n",
            "`{}` has 2 names in its header but 4 cells in each row: its numbers seem to have decimal commas, which "
            "separate the cells too. Save it with semicolons between the cells, or with decimal points.",
        ),
    ],
)
def test_what_is_not_clear_is_not_guessed(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        open_table(path).numbers(["x"])
    assert str(caught.value) == message.format(path)


def test_a_decimal_point_is_read_as_ever(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("site;x\na,b;1.5\nc,d;2.5\n")
    table = open_table(path)
    assert (table.numbers(["x"])["x"].tolist(), table.notes) == ([1.5, 2.5], ())


def test_limits_with_decimal_commas_are_read(tmp_path):
    path = tmp_path / "decay.csv"
    cells = ["9,045", "5,507", "3,296", "2,021", "1,210", "0,750", "<0,5", "<0,5"]
    path.write_text("t;y\n" + "".join(f"{t};{cell}\n" for t, cell in enumerate(cells)))
    fit = descend.fit("y ~ a*exp(-b*t)", path)
    numbers = [float(cell.strip("<").replace(",", ".")) for cell in cells]
    state = ["left" if "<" in cell else "none" for cell in cells]
    plain = descend.fit("y ~ a*exp(-b*t)", {"t": np.arange(8.0), "y": numbers, "s": state}, censored="s")
    assert fit.parameters == pytest.approx(plain.parameters, rel=1e-6)
