"""Quantities of many fits: those of each group by itself, and R's; a group in which one is not defined says why."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.many.hard import FORMULA, START, wells
from typer.testing import CliRunner

import descend
from descend.cli.main import app
from descend.errors import ConfigError, FormulaError
from descend.many import saving

DATA = Path(__file__).parent / "data"
ASKED = [
    "half_life = log(2)/b",
    "at_3 = prediction(x=3)",
    "auc = area(x, 0, 5)",
    "reached = root(x, 0, 20, level=1.5)",
    "odd = sqrt(b - 0.9)",
]


def decays(groups=24, rows=12):
    rng = np.random.default_rng(3)
    x, well = np.tile(np.linspace(0, 5, rows), groups), np.repeat(np.arange(groups), rows)
    a, b = rng.uniform(2, 4, groups)[well], rng.uniform(0.3, 1.5, groups)[well]
    y = a * np.exp(-b * x) + 0.5 + 0.05 * rng.normal(size=len(x))
    return {"x": x, "y": y, "well": well, "s": rng.uniform(0.04, 0.06, len(x))}


def numbers(found):
    return [found.value, found.standard_error, *found.interval]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sigma": "s"},
        {"loss": "huber"},
        {"loss": "cauchy(scale=0.1)"},
        {"bounds": {"c": (0, 0.5)}},
        {"fix": {"c": 0.5}},
        {"ties": ["c = a/6"]},
        {"errors": "sandwich"},
        {"engine": "query"},
    ],
    ids=lambda options: " ".join(options) or "plain",
)
def test_the_quantities_of_a_group_are_those_of_its_fit(options):
    fits = descend.fit("y ~ a*exp(-b*x) + c", decays(), by="well", quantities=ASKED, **options)
    assert fits.succeeded and list(fits.quantities) == ["half_life", "at_3", "auc", "reached", "odd"]
    undefined = 0
    for place in range(0, len(fits), 3):
        for name, one in fits[place].quantities.items():
            found = fits.quantities[name].of(place, name)
            assert numbers(found) == pytest.approx(numbers(one), rel=1e-8, nan_ok=True)
            assert (found.why, found.text, found.level, found.method) == (one.why, one.text, one.level, one.method)
            undefined += bool(one.why)
        again = fits[place].quantity("log(2)/b")
        assert fits.quantities["half_life"].standard_error[place] == pytest.approx(again.standard_error, rel=1e-8)
    assert undefined  # of `odd`, which costs only that


def test_straight_lines_that_are_solved_without_descent():
    rng = np.random.default_rng(0)
    x, g = 2000 + np.tile(np.arange(10.0), 3), np.repeat(list("ABC"), 10)
    data = {"x": x, "y": 2 * (x - 2000) + rng.normal(size=30), "g": g}
    fits = descend.fit("y ~ a + b*x", data, by="g", quantities=["where = -a/b", "later = prediction(x=2012)"])
    for place, (key,) in enumerate(fits.keys):
        for name, one in fits[key].quantities.items():
            assert numbers(fits.quantities[name].of(place, name)) == pytest.approx(numbers(one), rel=1e-8)


def test_the_numbers_of_r():
    """nls(conc ~ a*exp(-b*time)+c) of each Subject of Indometh; with g the derivatives, sqrt(g %*% vcov(m) %*% g)."""
    fits = descend.fit(
        "conc ~ a*exp(-b*time) + c",
        DATA / "Indometh.csv",
        by="Subject",
        quantities={"half_life": "log(2)/b", "at_1": "prediction(time=1)"},
    )
    expected = {
        1: (0.4359373192, 0.0281248026, 0.5058102536, 0.0231476256),
        2: (0.4019974410, 0.0665159143, 0.7137634238, 0.0797585347),
        3: (0.4026090689, 0.0477222662, 0.8215245396, 0.0745028129),
        4: (0.6127712457, 0.0346143152, 0.8316080020, 0.0236122645),
        5: (0.2901007491, 0.0242072258, 0.4307553296, 0.0369494229),
        6: (0.4402416121, 0.0380106658, 0.7964961190, 0.0461467148),
    }
    for place, (subject,) in enumerate(fits.keys):
        found = [
            getattr(each, name)[place] for each in fits.quantities.values() for name in ("value", "standard_error")
        ]
        assert found == pytest.approx(expected[int(subject)], rel=1e-5)


@pytest.mark.parametrize("ending", ["json", "parquet"])
@pytest.mark.parametrize("few", [300, 3], ids=["whole", "light"])
def test_they_are_in_the_frame_and_in_files(tmp_path, ending, few, monkeypatch):
    monkeypatch.setattr(saving, "FEW", few)
    fits = descend.fit(FORMULA, wells(), by="well", start=START, quantities=["h = log(2)/b", "odd = log(b - 1)"])
    frame = fits.frame()
    assert [name for name in frame if "h" in name.split() or "odd" in name] == [
        "h", "odd", "h std. error", "odd std. error", "h low", "h high", "odd low", "odd high", "odd why",
    ]  # fmt: skip
    undefined = frame[frame["odd"].isna() & (frame["outcome"] == "converged")]
    assert len(undefined) and undefined["odd why"].str.startswith("`odd` is not defined at the fitted parameters").all()
    assert undefined["h std. error"].gt(0).all()
    fits.save(tmp_path / f"fits.{ending}")
    loaded = descend.load(tmp_path / f"fits.{ending}")
    for name, each in fits.quantities.items():
        np.testing.assert_array_equal(loaded.quantities[name].value, each.value)
        np.testing.assert_array_equal(loaded.quantities[name].standard_error, each.standard_error)
        np.testing.assert_array_equal(loaded.quantities[name].low, each.low)
        np.testing.assert_array_equal(loaded.quantities[name].high, each.high)
        assert loaded.quantities[name].why == each.why
    one, there = fits[0].quantities["h"], loaded[0].quantities["h"]
    assert (there.value, there.standard_error) == pytest.approx((one.value, one.standard_error), rel=1e-6)
    loaded.save(tmp_path / "again.json")
    assert descend.load(tmp_path / "again.json").quantities["odd"].why == fits.quantities["odd"].why


def test_what_is_shown_and_printed(tmp_path):
    path = tmp_path / "wells.csv"
    data = decays(groups=3)
    rows = zip(data["x"], data["y"], data["well"], strict=True)
    path.write_text("x,y,well\n" + "".join(f"{x},{y},{well}\n" for x, y, well in rows) + "0,1,9\n1,2,9\n")
    asked = ["--by", "well", "--quantity", "half_life = log(2)/b", "--quantity", "odd = log(b - 9)"]
    files = ["--report", str(tmp_path / "fits.html"), "--table-output", str(tmp_path / "fits.md")]
    command = ["fit", "y ~ a*exp(-b*x) + c", str(path), *asked]
    result = CliRunner().invoke(app, [*command, *files])
    assert result.exit_code == 1
    shown = result.stdout
    assert "well        a         b         c  half_life  odd      R²  rows  outcome" in shown
    assert "odd is not known in 3 of 4 groups, such as 0: `odd` is not defined at the" in shown
    assert "half\\_life" in (tmp_path / "fits.md").read_text()
    assert "half_life" in (tmp_path / "fits.html").read_text()
    lines = [json.loads(line) for line in CliRunner().invoke(app, [*command, "--json"]).stdout.splitlines()]
    first = lines[0]["quantities"]["half_life"]
    assert first["value"] == pytest.approx(np.log(2) / lines[0]["parameters"]["b"])
    assert first["interval"][0] < first["value"] < first["interval"][1] and first["expression"] == "log(2)/b"
    assert lines[0]["quantities"]["odd"]["value"] is None and "not defined" in lines[0]["quantities"]["odd"]["why"]
    assert lines[3]["outcome"] == "refused" and lines[3]["quantities"]["half_life"]["value"] is None


def test_many_groups_whose_curves_are_followed_are_told(monkeypatch):
    monkeypatch.setattr("descend.many.call.MANY", 3)
    fits = descend.fit(
        "y ~ a*exp(-b*x) + c", decays(groups=4), by="well", quantities=["auc = area(x, 0, 5)", "q = b^2"]
    )
    assert "`auc` is read off the curve of each group by itself, one after the other" in fits.notes


def test_wrong_ones_are_refused_before_any_group_is_fitted():
    with pytest.raises(ConfigError) as error:
        descend.fit("y ~ a*exp(-b*x) + c", decays(), by="well", quantities=["well = log(2)/b"])
    assert str(error.value) == (
        "`well` tells the groups apart, so it cannot be the name of a quantity in `quantities`. Choose another name."
    )
    with pytest.raises(FormulaError, match="`d` is not a parameter of the model"):
        descend.fit("y ~ a*exp(-b*x) + c", decays(), by="well", quantities=["log(2)/d"])


def test_groups_without_rows_to_spare_have_values_but_no_errors():
    data = {"x": [0.0, 1.0, 0.0, 1.0, 2.0], "y": [1.0, 2.0, 1.0, 2.0, 3.5], "g": list("aabbb")}
    fits = descend.fit("y ~ a + b*x", data, by="g", quantities=["r = b/a"])
    found = fits.quantities["r"]
    assert found.value[0] == pytest.approx(1.0) and np.isnan(found.standard_error[0])
    assert found.why[0] == fits["a"].quantities["r"].why
    assert found.why[0].startswith("There are no standard errors: 2 parameters leave nothing of as many rows")
