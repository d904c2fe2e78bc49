"""Names of columns and files are data: whatever characters they hold, they reach DuckDB as names."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from descend.table import open_table
from descend.table.database import identifier, literal
from descend.table.writing import write_columns

HOSTILE = st.sampled_from(
    ["'", '"', ";", "--", "/*", "$$", "\\", "`", "{", "}", "[", "]", "*", "?", "select", "drop table", "数据", "é", " "]
)
# A header cannot keep spaces around a name, and a carriage return in it becomes a new line.
plain = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
words = st.lists(st.one_of(HOSTILE, plain), min_size=1, max_size=4).map("".join).map(str.strip).filter(bool)


def is_header(names: list[str]) -> bool:
    def number(name: str) -> bool:
        try:
            float(name)
        except ValueError:
            return False
        return True

    return not names[0].startswith("#") and not all(map(number, names))


@given(st.lists(words, min_size=2, max_size=3, unique_by=str.casefold).filter(is_header), st.sampled_from(",;\t|"))
@settings(max_examples=25)
@example(["select", "from"], ",")
@example(['a"; drop table t; --', "it's"], ";")
@example(["c0", "c1"], ",")
@example(["place", "x\ny"], ",")
def test_columns_of_any_name(names: list[str], delimiter: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(
                [names, range(len(names)), range(len(names))]
            )
        table = open_table(path)
        assert table.names == tuple(names)
        assert {name: column.tolist() for name, column in table.numbers(names).items()} == {
            name: [float(i), float(i)] for i, name in enumerate(names)
        }
        chosen = open_table(path, where=f"{identifier(names[1])} = 1")
        assert chosen.numbers(names)[names[1]].tolist() == [1.0, 1.0]
        assert open_table(path, where=f"{literal(names[0])} = {literal(names[1])}").rows == 0


@given(words.filter(lambda name: not {"/", "\\"} & set(name) and len(name.encode()) < 200))
@settings(max_examples=20)
@example("a[1]")
@example("'); drop table t; --")
@example("back\\slash")
def test_files_of_any_name(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.csv"
        assume(path.name not in (".csv", "..csv"))
        path.write_text("x\n1\n", encoding="utf-8")
        (Path(folder) / "decoy.csv").write_text("x\n666\n")
        assert open_table(str(path)).numbers(["x"])["x"].tolist() == [1.0]
        assert open_table(path, where="x < 666").rows == 1


@given(st.lists(words, min_size=1, max_size=3, unique_by=str.casefold).filter(is_header))
@settings(max_examples=20)
@pytest.mark.parametrize("ending", ["json", "parquet"])
def test_names_survive_typed_files(ending: str, names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"t.{ending}"
        write_columns(path, {name: [1.5, 2.5] for name in names})
        table = open_table(path, where=f"{identifier(names[0])} > 2")
        assert table.names == tuple(names)
        assert table.numbers(names) == {name: [2.5] for name in names}


@given(st.lists(words, min_size=1, max_size=3, unique_by=str.casefold))
@settings(max_examples=20)
def test_names_in_memory(names: list[str]) -> None:
    table = open_table({name: [1.0, 2.0] for name in names}, where=f"{identifier(names[-1])} > 1")
    assert table.numbers(names) == {name: [2.0] for name in names}
