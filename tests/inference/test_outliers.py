"""Outliers by a false discovery rate: found where planted, seldom elsewhere, left out only if asked for, and told."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import descend
from descend import ConfigError
from descend.cli.main import app
from descend.cli.verb import with_values
from descend.options.outliers import read_outliers

CURVE = "y ~ a*exp(-b*x) + c"
LINE = "y ~ a + b*x"


def decay(seed: int = 3, rows: int = 30) -> dict[str, np.ndarray]:
    """A decay with noise of 0.05, and two rows that do not belong, 5 and 18."""
    x = np.linspace(0.0, 5.0, rows)
    y = 3.0 * np.exp(-0.8 * x) + 0.5 + 0.05 * np.random.default_rng(seed).normal(size=rows)
    y[[4, 17]] += [1.0, -0.8]
    return {"x": x, "y": y}


def without(data: dict[str, np.ndarray], *numbers: int) -> dict[str, np.ndarray]:
    return {name: np.delete(column, np.array(numbers) - 1) for name, column in data.items()}


def test_planted_rows_are_listed_and_still_count():
    data = decay(0)
    fit, plain = descend.fit(CURVE, data, outliers=True), descend.fit(CURVE, data)
    assert [each.row for each in fit.outliers.rows] == [5, 18]
    assert [each.place for each in fit.outliers.rows] == ["row 5", "row 18"]
    assert fit.outliers.rows[0].residual == pytest.approx(1.0, abs=0.15)
    assert fit.outliers.scatter == pytest.approx(0.05, rel=0.4)
    assert (fit.rows, fit.parameters) == (30, plain.parameters)
    assert fit.notes[0] == "rows 5, 18 of 30 are outliers, by a false discovery rate of 1% (ROUT), and still counted"
    assert plain.outliers is None


def test_rows_left_out_are_told_with_the_estimates_of_all(tmp_path):
    data = decay(0)
    fit, plain = descend.fit(CURVE, data, outliers="drop"), descend.fit(CURVE, data)
    others = descend.fit(CURVE, without(data, 5, 18))
    assert fit.rows == 28
    assert fit.theta == pytest.approx(others.theta, rel=1e-7)
    assert fit.standard_errors == pytest.approx(others.standard_errors, rel=1e-6)
    known = ", ".join(
        f"{name} = {plain.parameters[name]:.6g} ± {plain.standard_errors[name]:.3g}" for name in plain.parameters
    )
    assert fit.notes[0] == (
        f"rows 5, 18 of 30 are outliers, by a false discovery rate of 1% (ROUT), and left out; with all rows {known}"
    )
    assert fit.outliers.dropped
    assert fit.outliers.with_all_rows["b"] == (plain.parameters["b"], plain.standard_errors["b"])
    fit.save(tmp_path / "fit.json")
    loaded = descend.load(tmp_path / "fit.json")
    assert loaded.outliers == fit.outliers and loaded.notes == fit.notes
    assert [each["row"] for each in json.loads((tmp_path / "fit.json").read_text())["outliers"]["rows"]] == [5, 18]
    fit.report(tmp_path / "fit.html")
    page = (tmp_path / "fit.html").read_text()
    assert "outliers=&quot;drop&quot;" in page and "and left out; with all rows" in page


@pytest.mark.parametrize("options", [{}, {"weights": "w"}, {"sigma": "s"}])
def test_lines_with_leverage_functions_and_sizes_of_errors(options):
    random = np.random.default_rng(1)
    x = np.append(np.linspace(0.0, 5.0, 40), [20.0, 21.0])
    size = np.linspace(0.05, 0.4, 42)
    y = 1.0 + 2.0 * x + size * random.normal(size=42)
    y[40:] = [5.0, 5.5]  # they would pull a line, and a robust loss, to themselves
    data = {"x": x, "y": y, "s": size, "w": size**-2}

    def line(x, a, b):
        return a + b * x

    fit = descend.fit(line, data, response="y", outliers="drop", start={"a": 1.0, "b": 1.0}, **options)
    assert {41, 42} <= {each.row for each in fit.outliers.rows}
    assert fit.parameters["b"] == pytest.approx(2.0, abs=0.05)


def test_groups_words_gaps_and_conditions_keep_their_rows(tmp_path):
    random = np.random.default_rng(2)
    x = np.tile(np.linspace(0.0, 4.0, 20), 2)
    site = np.repeat(["A", "B"], 20)
    y = np.where(site == "A", 1.0, 3.0) + 2.0 * x + 0.1 * random.normal(size=40)
    y[30] += 2.0
    lines = [f"{a},{b},{c:.6f}" for a, b, c in zip(site, x, y, strict=True)]
    lines[2] = "A,,4.0"
    (tmp_path / "rows.csv").write_text("site,x,y\n" + "\n".join(lines) + "\n")
    path = tmp_path / "rows.csv"
    fit = descend.fit("y ~ a[site] + b*x", path, missing="drop", where="x < 3.9 or x is null", outliers="drop")
    assert [each.place for each in fit.outliers.rows] == ["row 31"]
    assert fit.rows == 40 - 1 - 2 - 1
    assert fit.parameters["a"]["B"] == pytest.approx(3.0, abs=0.1)


def test_normal_scatter_has_few_false_discoveries_and_planted_rows_are_found():
    """With Q = 1%, data without outliers have one in about 1% to 3% of cases (Motulsky and Brown, table 1)."""
    false, found = 0, 0
    x = np.linspace(0.0, 5.0, 24)
    for seed in range(8):
        y = 1.0 + 2.0 * x + 0.1 * np.random.default_rng(seed).normal(size=24)
        false += len(descend.fit(LINE, {"x": x, "y": y}, outliers="list").outliers) > 0
        y[8] += 1.0
        found += 9 in [each.row for each in descend.fit(LINE, {"x": x, "y": y}, outliers="list").outliers.rows]
    assert false <= 1 and found == 8


@pytest.mark.slow
@pytest.mark.parametrize("formula", [LINE, CURVE])
def test_the_rate_of_false_discoveries(formula):
    false, start = 0, {"a": 1.0, "b": 1.0} if formula == LINE else {"a": 3.0, "b": 0.8, "c": 0.5}
    x = np.linspace(0.0, 5.0, 30)
    for seed in range(300):
        noise = 0.1 * np.random.default_rng(seed).normal(size=30)
        y = (1.0 + 2.0 * x if formula == LINE else 3.0 * np.exp(-0.8 * x) + 0.5) + noise
        false += len(descend.fit(formula, {"x": x, "y": y}, start=start, outliers=0.01).outliers) > 0
    assert 0.002 < false / 300 < 0.06


def test_data_that_most_rows_meet_exactly():
    x = np.arange(12.0)
    y = 1.0 + 2.0 * x
    y[3] += 0.5
    fit = descend.fit(LINE, {"x": x, "y": y}, outliers="drop")
    assert [each.row for each in fit.outliers.rows] == [4]
    assert fit.theta == pytest.approx([1.0, 2.0])
    none = descend.fit(LINE, {"x": x, "y": 1.0 + 2.0 * x}, outliers="drop")
    assert not none.outliers.rows
    assert none.notes[0] == "none of 12 rows is an outlier, by a false discovery rate of 1% (ROUT)"


@pytest.mark.parametrize(
    ("text", "drop", "rate"),
    [("list", False, 0.01), ("drop", True, 0.01), ("0.05", False, 0.05), ("drop(5%)", True, 0.05), (0.1, False, 0.1)],
)
def test_what_may_be_asked(text, drop, rate):
    found = read_outliers(text)
    assert (found.drop, found.rate) == (drop, rate)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"outliers": "dorp"},
            "`outliers` is 'dorp'. It can be `list`, `drop`, or the false discovery rate with either, such as 0.05 or "
            "`drop(0.05)`.",
        ),
        (
            {"outliers": 1.0},
            "The false discovery rate of outliers is a share above 0, at most 0.5, such as 0.01 for 1%; it is 1.0.",
        ),
        (
            {"outliers": "list", "loss": "huber"},
            'Outliers are rows too far off for normal scatter, which the huber loss does not have. Use loss="squared", '
            "or leave out `outliers`: a robust loss gives outliers little weight itself.",
        ),
        ({"outliers": "list", "l2": 0.1}, "`outliers` does not go with a penalty. Leave out one of the two."),
        (
            {"outliers": "list", "x_sigma": {"x": 0.1}},
            "`outliers` does not go with errors of inputs. Leave out one of the two.",
        ),
        (
            {"outliers": "drop", "rounded": 0.1},
            "Outliers are told from exact values with errors that are alike to both sides, and those of this fit are "
            "censored or rounded. Leave out `outliers`.",
        ),
        (
            {"outliers": "drop", "sigma": (0.1, 0.2)},
            "Outliers are told from exact values with errors that are alike to both sides, and those of this fit are "
            "not. Leave out `outliers`.",
        ),
        (
            {"outliers": "drop", "variance": "power"},
            "`outliers` does not go with a variance estimated from all rows, those far off among them. Leave out one "
            "of the two.",
        ),
        (
            {"outliers": "list", "engine": "query"},
            'Outliers are told from the rows in memory, but these stay where they are. Leave out engine="query", or '
            "`outliers`.",
        ),
        (
            {"outliers": "list", "by": "g"},
            "`outliers` are told from the rows of one fit, and `by` makes many. Leave out one of the two, or fit one "
            "group alone.",
        ),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    data = {**decay(), "g": np.arange(30) % 2}
    with pytest.raises(ConfigError) as caught:
        descend.fit(LINE, data, **options)
    assert str(caught.value) == message


def test_outliers_of_several_responses_are_refused():
    with pytest.raises(ConfigError) as caught:
        descend.fit("y ~ a + b*x; g ~ b*x", {**decay(), "g": np.arange(30.0)}, outliers="drop")
    assert str(caught.value) == (
        "`outliers` are rows of one response, and there are several. Fit one formula, or look at fit.influence()."
    )


@pytest.mark.parametrize("options", [{"weights": "1/prediction^2"}, {"sigma": "0.05*g + 0.002*prediction"}])
def test_weights_from_the_prediction_are_computed_again_without_outliers(options, tmp_path):
    data = {**decay(), "g": np.ones(30)}
    file = tmp_path / "decay.csv"
    np.savetxt(file, np.column_stack(list(data.values())), delimiter=",", header="x,y,g", comments="", fmt="%.17g")
    fit = descend.fit(CURVE, str(file), outliers="drop", **options)
    rows = [each.row for each in fit.outliers.rows]
    assert {5, 18} <= set(rows) and fit.rows == 30 - len(rows)
    alone = descend.fit(CURVE, without(data, *rows), **options)
    assert fit.parameters == pytest.approx(alone.parameters, rel=1e-6)


def test_on_the_command_line_the_flag_may_stand_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = decay(0)
    lines = [f"{a},{b}" for a, b in zip(data["x"], data["y"], strict=True)]
    (tmp_path / "decay.csv").write_text("x,y\n" + "\n".join(lines) + "\n")
    for words in (["--outliers", CURVE, "decay.csv"], [CURVE, "decay.csv", "--outliers"]):
        ran = CliRunner().invoke(app, ["fit", *words, "--json"])
        assert ran.exit_code == 0, ran.output
        assert '"dropped": false' in ran.output and '"row": 18' in ran.output
    assert with_values(["fit", CURVE, "decay.csv", "--outliers", "drop"])[-1] == "drop"
    assert with_values(["fit", "--outliers", "decay.csv"]) == ["fit", "--outliers", "list", "decay.csv"]


def test_the_rows_that_are_left_keep_their_numbers():
    fit = descend.fit(CURVE, decay(0), outliers="drop")
    found = fit.influence()
    assert found.row.tolist() == [number for number in range(1, 31) if number not in (5, 18)]
    assert found.residual[found.row == 30] == pytest.approx(decay(0)["y"][29] - fit.predict({"x": [5.0]}))
    assert [line.split()[1] for line in str(found).splitlines()[1:]] == [str(found.row[each]) for each in found.most()]


def test_models_that_leave_out_other_rows_are_not_compared():
    with pytest.raises(ConfigError, match="leaves out other outliers than"):
        descend.compare([CURVE, "y ~ a + 0*x"], decay(0), outliers="drop")
