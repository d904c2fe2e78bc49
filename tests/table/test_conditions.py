"""Conditions on the rows: SQL expressions, which can only choose rows or fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descend.errors import DataError
from descend.table import open_table


@pytest.fixture(params=["file", "arrays"])
def data(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Three rows, in a file and in memory."""
    monkeypatch.chdir(tmp_path)
    if request.param == "arrays":
        return {"x": np.array([1.0, 2.0, 3.0]), "site": ["a", "b", None], "unit price": [1, 2, 3]}
    Path("t.csv").write_text("x,site,unit price\n1,a,1\n2,b,2\n3,,3\n")
    return "t.csv"


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ("x > 1", [2.0, 3.0]),
        ("x>1 -- and so on", [2.0, 3.0]),
        ("x\n  between 2 and 3\n", [2.0, 3.0]),
        ("site = 'a'", [1.0]),
        ("site <> 'a'", [2.0]),
        ("site is null", [3.0]),
        ("site in ('a', 'b;--')", [1.0]),
        ('"unit price" >= 3 or X = 1', [1.0, 3.0]),
        ("x > 1 /* a note; */ and true", [2.0, 3.0]),
    ],
)
def test_conditions_choose_rows(data: Any, where: str, kept: list[float]) -> None:
    table = open_table(data, where)
    assert table.rows == len(kept)
    assert table.numbers(["x"])["x"].tolist() == kept
    assert open_table(open_table(data, "x < 3"), where).rows == len([x for x in kept if x < 3])


def test_nan_meets_no_condition_in_memory() -> None:
    # As in SQL and in pandas; DuckDB alone would count NaN as greater than any number.
    assert open_table({"x": [np.nan, 2.0]}, where="x > 1").numbers(["x"])["x"].tolist() == [2.0]


END = "Write it in SQL, such as `x > 1 and site = 'a'`."


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("x > 1) --", f'The condition `x > 1) --` does not work: syntax error at or near ")". {END}'),
        ("x >", f'The condition `x >` does not work: syntax error at or near ">". {END}'),
        ("sum(x) > 1", f"The condition `sum(x) > 1` does not work: WHERE clause cannot contain aggregates. {END}"),
        (
            "x > $1",
            f"The condition `x > $1` does not work: values were not provided for the following parameters: 1. {END}",
        ),
        ("", "The condition on the rows is empty. Write one such as `x > 1`, or leave it out."),
        ("\ud800", "The condition on the rows is not valid Unicode text. Write it anew."),
        (
            "site > 3",
            "The condition `site > 3` compares a column of text with a number. "
            "Take the numbers out of a column `c` by `try_cast(c as double)`.",
        ),
    ],
)
def test_mistakes_are_shown_in_one_line(data: Any, where: str, said: str) -> None:
    with pytest.raises(DataError) as caught:
        open_table(data, where)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (
            "sites = 'a'",
            "There is no column `sites` in {}, which the condition `sites = 'a'` needs. "
            "Did you mean `site`? Its columns: `x`, `site`, `unit price`.",
        ),
        ("x > 9", "No row of {} meets the condition `x > 9`. Loosen it."),
    ],
)
def test_mistakes_about_the_data(data: Any, where: str, said: str) -> None:
    with pytest.raises(DataError) as caught:
        open_table(data, where).numbers(["x"])
    assert str(caught.value) == said.format("t.csv" if data == "t.csv" else "the data")


@pytest.mark.parametrize(
    "where",
    [
        "1; drop table data",
        "true); drop table data; --",
        "true) union all select 1 from (select 1 where (true",
        "x > 1 limit 1",
        "x > 1 order by x",
        "x, site",
        "x in (select 1 from read_csv('secret.csv'))",
        "x in (select 1 from 'secret.csv')",
        "x in (select x from hidden)",
        "exists (select * from glob('*'))",
        "getenv('HOME') <> ''",
        "x > 1 /*",
        "'",
        '"',
        "$$",
    ],
)
def test_nothing_but_the_rows_is_in_reach(data: Any, where: str) -> None:
    Path("secret.csv").write_text("x\n1\n2\n3\n")
    hidden = {"x": np.array([1.0, 2.0, 3.0])}
    with pytest.raises(DataError, match=r"^The condition"):
        open_table(data, where)
    assert sorted(path.name for path in Path().iterdir() if path.name != "t.csv") == ["secret.csv"]
    assert open_table(data).rows == len(hidden["x"])


@given(st.text(alphabet=st.sampled_from(list("x1 ()'\";,-/*$<>=\n\\%[]{}:.?")), max_size=12))
def test_random_conditions_choose_rows_or_fail(where: str) -> None:
    try:
        rows = open_table({"x": [1.0, 2.0]}, where).rows
    except DataError as error:
        assert "\n" not in str(error)
    else:
        assert rows <= 2


def test_only_the_columns_that_a_condition_may_name_are_handed_to_sql(monkeypatch):
    import polars

    from descend.table import array_conditions

    handed = []
    original = array_conditions._for_sql
    monkeypatch.setattr(array_conditions, "_for_sql", lambda cells: handed.append(cells[0]) or original(cells))
    frame = polars.DataFrame({"x": [1.0, 2.0, 3.0], "note": ["p", "q", None], "Site": ["a", "b", "a"], "z": [7, 8, 9]})
    table = open_table(frame, where="SITE = 'a' and \"z\" < 9")
    assert table.rows == 1 and sorted(map(str, handed)) == ["7", "a"]
    assert open_table(frame, where="COLUMNS(['x', 'z']) > 1.5").rows == 2
    assert open_table(frame, where="note is null").numbers(["x"])["x"].tolist() == [3.0]
