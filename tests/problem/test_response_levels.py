"""Words in the place of numbers: two levels of a response, yes and no, booleans."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import descend
from descend.errors import ConfigError, DataError

X = [1.0, 2.0, 3.0, 3.0, 4.0, 2.0, 5.0, 1.5]
ONE = [0, 1, 0, 1, 1, 0, 1, 0]
KINDS: dict[str, tuple[Any, Any]] = {
    "boolean": (False, True),
    "yes": ("no", "yes"),
    "t": ("F", "T"),
    "any": ("alive", "dead"),
}
RULE = "In `end`, `{one}` counts as 1 and `{zero}` counts as 0, so that predictions are probabilities of `{one}`; "


def ends(zero: Any, one: Any) -> list[Any]:
    return [one if each else zero for each in ONE]


@pytest.fixture(scope="module")
def numbers() -> descend.Fit:
    return descend.fit("end ~ a + b*x", {"x": X, "end": ONE}, loss="logistic")


def opened(source: str, folder: Path, columns: dict[str, list[Any]]) -> Any:
    if source == "dict":
        return columns
    if source == "csv":
        rows = zip(*columns.values(), strict=True)
        lines = [",".join(columns), *(",".join(str(cell) for cell in row) for row in rows)]
        (folder / "ends.csv").write_text("\n".join(lines) + "\n")
        return folder / "ends.csv"
    return getattr(pytest.importorskip(source), "DataFrame" if source != "pyarrow" else "table")(columns)


@pytest.mark.parametrize("source", ["dict", "csv", "pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_response_of_two_levels_counts_as_zero_and_one(
    kind: str, source: str, tmp_path: Path, numbers: descend.Fit
) -> None:
    zero, one = KINDS[kind]
    data = opened(source, tmp_path, {"x": X, "end": ends(zero, one)})
    fit = descend.fit("end ~ a + b*x", data, loss="logistic")
    assert fit.parameters == pytest.approx(numbers.parameters, rel=1e-12)
    assert fit.aic == pytest.approx(numbers.aic, rel=1e-12)
    zero, one = (str(each).lower() if isinstance(each, bool) else each for each in (zero, one))
    note = f"in `end`, `{one}` counts as 1 and `{zero}` counts as 0, so that predictions are probabilities of `{one}`; "
    assert f'{note}for those of `{zero}` use reference={{"end": "{one}"}}' in fit.notes
    assert fit.response_levels == {zero: 0.0, one: 1.0}


@pytest.mark.parametrize("engine", ["numpy", "query"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_reference_counts_as_zero(kind: str, engine: str, tmp_path: Path, numbers: descend.Fit) -> None:
    zero, one = KINDS[kind]
    data = opened("csv", tmp_path, {"x": X, "end": ends(zero, one)})
    zero, one = (str(each) for each in (zero, one))
    level = one.lower() if kind == "boolean" else one
    fit = descend.fit("end ~ a + b*x", data, loss="logistic", reference={"end": level}, engine=engine)
    assert fit.parameters == pytest.approx({name: -value for name, value in numbers.parameters.items()}, rel=1e-8)


def test_other_losses_of_probabilities_take_words(numbers: descend.Fit) -> None:
    data = {"x": X, "end": ends("alive", "dead")}
    bernoulli = descend.fit("end ~ sigmoid(a + b*x)", data, loss="bernoulli")
    assert bernoulli.parameters == pytest.approx(numbers.parameters, rel=1e-6)
    traced = descend.fit(lambda x, a, b: a + b * x, data, response="end", loss="logistic")
    assert traced.parameters == pytest.approx(numbers.parameters, rel=1e-8)
    fits = descend.fit("end ~ a + b*x", {**data, "day": [1, 1, 2, 1, 2, 1, 1, 1]}, loss="logistic", by="day")
    assert len(fits) == 2


def test_a_saved_fit_knows_its_levels(tmp_path: Path) -> None:
    data = {"x": X, "end": ends("alive", "dead")}
    fit = descend.fit("end ~ a + b*x", data, loss="logistic", reference="end=dead")
    fit.save(tmp_path / "end.json")
    again = descend.load(tmp_path / "end.json")
    assert again.response_levels == {"dead": 0.0, "alive": 1.0}
    assert again.predict({"x": [2.0]}) == pytest.approx(fit.predict({"x": [2.0]}))


def test_a_missing_cell_stays_missing() -> None:
    data = {"x": X, "end": [None, *ends("alive", "dead")[1:]]}
    with pytest.raises(DataError, match="`end` has a missing value in row 1"):
        descend.fit("end ~ a + b*x", data, loss="logistic")
    assert descend.fit("end ~ a + b*x", data, loss="logistic", missing="drop").rows == len(X) - 1


@pytest.mark.parametrize(
    ("cells", "options", "message"),
    [
        (
            ["a", "b", "c"],
            {"loss": "logistic"},
            "`end` in the data is text: row 1 holds 'a'. It has more than two levels (`a`, `b`, `c`), and the logistic "
            'loss is for two. Use loss="multinomial" or, if they have an order, loss="ordinal"; or keep the rows of '
            "two of them with `where`.",
        ),
        (
            ["a", "a", "a"],
            {"loss": "logistic"},
            "`end` in the data is text: row 1 holds 'a'. So does every row, so that there is nothing to tell apart.",
        ),
        (
            ["a", "b", "a"],
            {},
            "`end` in the data is text: row 1 holds 'a'. The squared loss needs numbers; to tell `a` from `b`, use "
            'loss="logistic".',
        ),
        (
            ["a", "b", "c"],
            {},
            "`end` in the data is text: row 1 holds 'a'. The squared loss needs a column of numbers; classes are "
            'fitted by loss="multinomial" or, if they have an order, loss="ordinal".',
        ),
        (
            ["yes", "no", "yes"],
            {"loss": "logistic", "reference": "end=yess"},
            "`end` has no level `yess` to count as 0. Did you mean `yes`? It holds `no` and `yes`.",
        ),
        (
            ["yes", "no", "yes"],
            {"loss": "logistic", "reference": "no"},
            'The reference `no` has no name and level. Write it as "u=red", or in Python as {"u": "red"}.',
        ),
    ],
)
def test_what_is_no_response(cells: list[str], options: dict[str, Any], message: str) -> None:
    with pytest.raises((DataError, ConfigError), match=f"^{re.escape(message)}$"):
        descend.fit("end ~ a + b*x", {"x": [1.0, 2.0, 3.0], "end": cells}, **options)


@pytest.mark.parametrize("source", ["dict", "csv", "pandas", "polars"])
@pytest.mark.parametrize("kind", ["boolean", "yes", "t"])
def test_yes_and_no_count_in_an_expression(kind: str, source: str, tmp_path: Path) -> None:
    zero, one = KINDS[kind]
    y = [1.0 + 2.0 * each + 0.5 * x for each, x in zip(ONE, X, strict=True)]
    data = opened(source, tmp_path, {"x": X, "smoker": ends(zero, one), "y": y})
    fit = descend.fit("y ~ a + s*smoker + b*x", data)
    assert fit.parameters == pytest.approx({"a": 1.0, "s": 2.0, "b": 0.5})
    zero, one = (str(each).lower() if isinstance(each, bool) else each for each in (zero, one))
    assert f"in `smoker`, `{one}` counts as 1 and `{zero}` counts as 0" in fit.notes
    new = {"x": [0.0, 0.0], "smoker": list(KINDS[kind])}
    assert fit.predict(new) == pytest.approx([1.0, 3.0])


def test_other_words_in_an_expression_say_how_to_write_categories() -> None:
    with pytest.raises(DataError) as refused:
        descend.fit("y ~ a + b*color", {"y": [1.0, 2.0], "color": ["red", "blue"]})
    assert str(refused.value) == (
        "`color` in the data is text: row 1 holds 'red'. Use a column of numbers, such as 0 and 1; "
        "for categories, write u[color] in a formula: a parameter for each of them."
    )


@pytest.mark.filterwarnings("ignore:fetch_arrow_table")  # of Ibis's own use of DuckDB
def test_rows_in_a_database(numbers: descend.Fit, tmp_path: Path) -> None:
    ibis = pytest.importorskip("ibis")
    columns = {"x": X, "end": ends("alive", "dead"), "smoker": ends("no", "yes"), "old": ends(True, False)}
    table = ibis.duckdb.connect().read_csv(opened("csv", tmp_path, columns))
    fit = descend.fit("end ~ a + b*x", table, loss="logistic")
    assert fit.parameters == pytest.approx(numbers.parameters, rel=1e-6)
    turned = descend.fit("old ~ a + b*x", table, loss="logistic", reference="old=true")
    assert turned.parameters == pytest.approx(numbers.parameters, rel=1e-6)
    assert descend.fit("x ~ a + b*smoker", table).parameters["b"] == pytest.approx(
        np.mean(np.array(X)[np.array(ONE) == 1]) - np.mean(np.array(X)[np.array(ONE) == 0])
    )


def test_categories_keep_their_order(numbers: descend.Fit) -> None:
    pandas = pytest.importorskip("pandas")
    end = pandas.Categorical(ends("well", "ill"), categories=["well", "ill"], ordered=True)
    fit = descend.fit("end ~ a + b*x", pandas.DataFrame({"x": X, "end": end}), loss="logistic")
    assert fit.response_levels == {"well": 0.0, "ill": 1.0}
    assert fit.parameters == pytest.approx(numbers.parameters)
