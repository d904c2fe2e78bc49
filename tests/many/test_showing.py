"""What a user sees of many fits: the text, the small pictures, the page and the notebook."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from tests.many.hard import FORMULA, START, wells

import descend
from descend.errors import ConfigError, DataError
from descend.many.text import render
from descend.report.figures import Axis, Panel, Points
from descend.report.multiples import in_common


@pytest.fixture(scope="module")
def fits():
    """Twelve decays, three of which cannot be fitted."""
    return descend.fit(FORMULA, wells(), by="well", start=START)


def titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes]


def notes(figure):
    return [axes.texts[0].get_text() for axes in figure.axes]


def test_the_summary_counts_outcomes_and_says_why(fits):
    lines = fits.summary().splitlines()
    assert lines[0] == "y ~ a*exp(-b*x) + c, by well"
    assert lines[1].startswith("  12 groups: 9 converged, 3 refused, in ")
    assert lines[3].split() == ["well", "a", "b", "c", "R²", "rows", "outcome"]
    assert lines[6].split() == ["2", "-", "-", "-", "-", "12", "refused"]
    text = fits.summary()
    assert "  1 refused  5: 3 parameters (a, b, c) cannot be determined from 2 rows of the group 5." in text
    assert "  and 4 more: a saved table has all of them, in Python fits.frame()" in text
    assert re.search(r"^  R² +\S+ +\S+ +\S+$", text, re.MULTILINE)


def test_alike_reasons_are_one(fits):
    data = wells()
    data["well"] = np.where(data["well"] < 8, data["well"], 5 + 100 * np.arange(len(data["well"])))
    many = descend.fit(FORMULA, data, by="well", start=START)
    assert re.search(r"^  49 refused  such as 7, \d+ and \d+: The group 7 has one row of data\.", many.summary(), re.M)


def test_a_wide_table_shows_the_parameters_that_fit():
    rng = np.random.default_rng(0)
    data = {f"x{k}": rng.normal(size=60) for k in range(20)}
    data |= {"y": rng.normal(size=60), "site": np.repeat(["A", "B"], 30)}
    text = descend.fit("y ~ w @ [*]", data, by="site").summary()
    assert max(map(len, text.splitlines()[2:])) <= 100
    assert re.search(r"and \d+ more parameters, in the table that is saved", text)


def test_a_narrow_table_keeps_a_parameter_and_its_interval_together(fits):
    lines = render(fits, 40, 0.9).splitlines()
    assert next(line for line in lines if "outcome" in line).split() == [
        "well",
        "a",
        "low",
        "high",
        "R²",
        "rows",
        "outcome",
    ]
    assert any(line.startswith("  and 2 more parameters, in the table that is saved") for line in lines)
    assert "  and 1 more parameter, in the table that is saved" in render(fits, 40).splitlines()


def test_the_worst_groups_come_first_and_say_how_good_they_are(fits):
    figure = fits.plot()
    assert sorted(titles(figure)[:3]) == ["well 2", "well 5", "well 7"]
    assert notes(figure)[titles(figure).index("well 7")].startswith("refused: The group 7 has")
    squared = [float(note.removeprefix("R² ")) for note in notes(figure)[3:]]
    assert squared == sorted(squared) and len(squared) == 9
    limits = {axes.get_ylim() for axes in figure.axes} | {axes.get_xlim() for axes in figure.axes}
    assert len(limits) == 2  # all pictures share both axes
    assert figure.axes[0].get_ylabel() == "y" and figure.axes[1].get_ylabel() == ""


def test_groups_can_be_chosen_and_counted(fits):
    assert titles(fits.plot([3, 1])) == ["well 3", "well 1"]
    assert titles(fits.plot(3)) == titles(fits.plot(np.array([3]))) == ["well 3"]
    assert len(fits.plot(most=4).axes) == 4
    assert fits.plot(most=4).get_supxlabel() == "The 4 worst of 12 groups."
    with pytest.raises(DataError, match="There is no group 99 of `well`"):
        fits.plot([99])
    with pytest.raises(ConfigError, match=r"The number of groups to draw must be a whole number, 1 or more; it is 0\."):
        fits.plot(most=0)


def test_a_loaded_file_is_drawn_over_rows(fits, tmp_path):
    fits.save(tmp_path / "fits.json")
    figure = descend.load(tmp_path / "fits.json").plot(data=wells(), most=5)
    assert titles(figure) == titles(fits.plot(most=5))
    np.testing.assert_allclose(figure.axes[3].lines[1].get_ydata(), fits.plot(most=5).axes[3].lines[1].get_ydata())


def test_axes_are_shared_where_ranges_are_alike():
    def panel(high):
        return Panel("p", "p", Axis("x"), Axis("y"), [Points(np.array([0.0, 1.0]), np.array([0.0, high]))])

    alike, said = in_common([panel(1.0), panel(2.0), panel(3.0)])
    assert len({(each.y.low, each.y.high) for each in alike}) == 1 and said == ""
    assert (alike[0].y.low, alike[0].y.high) == pytest.approx((-0.15, 3.15))
    unlike, said = in_common([panel(1.0), panel(1.0), panel(100.0)])
    assert [each.y.high for each in unlike] == pytest.approx([1.05, 1.05, 105.0])
    assert said == "Each picture has a vertical axis of its own."


def test_several_inputs_and_functions_are_drawn_too():
    rng = np.random.default_rng(1)
    data = {"x": rng.normal(size=40), "z": rng.normal(size=40), "site": np.repeat(["A", "B"], 20)}
    data["y"] = data["x"] + 2 * data["z"] + 0.1 * rng.normal(size=40)
    figure = descend.fit("y ~ a*x + b*z", data, by="site").plot()
    assert figure.axes[0].get_xlabel() == "y, observed" and figure.axes[0].get_ylabel() == "predicted"
    figure = descend.fit(lambda x, a: a * x if len(x) else x, data, by="site", response="y").plot()
    assert len(figure.axes) == 2


def test_the_page_has_all_groups_and_needs_no_network(fits, tmp_path):
    fits.report(tmp_path / "page.html", command="descend fit ...")
    page = (tmp_path / "page.html").read_text()
    assert page.count('<section class="group"') == 12 and page.count('href="#group-5"') >= 2
    assert "12 groups: 9 converged, 3 refused" in page and "fits = descend.fit(" in page and "descend fit ..." in page
    assert "default-src 'none'" in page and not re.search(r"(src|href)=.https?:", page)
    rows = re.search(r'<table id="groups">.*?</table>', page, re.DOTALL)
    assert rows is not None and rows[0].count("<tr>") == 13


def test_a_page_of_many_groups_is_small_and_has_the_curve_of_each(tmp_path):
    """Sixty groups have all that is known of their fits, the others of the table their rows and curve as numbers."""
    rng = np.random.default_rng(0)
    group, x = np.repeat(np.arange(300), 12), np.tile(np.linspace(0.0, 4.0, 12), 300)
    y = (1.0 + group % 7) * np.exp(-x) + 0.3 + 0.01 * rng.normal(size=x.size)
    many = descend.fit(FORMULA, {"x": x, "y": y, "well": group}, by="well")
    many.report(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.count('<section class="group"') == 60 and len(page) < 1_200_000
    assert "Choose a group to see its curve; the 60 worst have all that is known of their fits." in page
    assert len(set(re.findall(r'<th scope="row"[^>]*><a href="#group-(\d+)"', page))) == 300
    found = re.search(r'<script type="application/json" id="compact">(.*?)</script>', page)
    compact = json.loads(found[1])
    assert (compact["x"], compact["y"], len(compact["groups"])) == ("x", "y", 240)
    place = many.worst()[-1]
    (left, right, low, high), dots, curve = compact["groups"][str(place)]
    rows = np.array(dots).reshape(-1, 2) / 999 * [right - left, high - low] + [left, low]
    np.testing.assert_allclose(rows, np.c_[x, y][group == place], atol=2e-3 * (high - low))
    line = np.array(curve).reshape(-1, 2) / 999 * [right - left, high - low] + [left, low]
    expected = many.predict({"x": line[:, 0], "well": np.full(len(line), place)})
    np.testing.assert_allclose(line[:, 1], expected, atol=5e-3 * (high - low))


def test_names_cannot_leave_the_block_of_numbers(tmp_path):
    data = {"</script><b>": np.arange(1000.0) % 10, "y": np.arange(1000.0) % 7, "site": np.arange(1000) // 10}
    descend.fit("y ~ a*`</script><b>` + c", data, by="site").report(tmp_path / "page.html")
    assert "</script><b>" not in (tmp_path / "page.html").read_text()


def test_a_notebook_shows_counts_groups_and_pictures(fits):
    html = fits._repr_html_()
    assert html.startswith('<div class="descend-fit">') and html.count("<figure>") == 6
    assert "9 converged, 3 refused" in html and "And 2 more groups." in html and "id=" not in html.split("<svg")[0]


def test_a_file_without_rows_is_shown_in_tables(fits, tmp_path):
    fits.save(tmp_path / "fits.json")
    loaded = descend.load(tmp_path / "fits.json")
    assert "<figure>" not in loaded._repr_html_() and "9 converged" in loaded._repr_html_()
    loaded.report(tmp_path / "page.html")
    assert "12 groups: 9 converged" in (tmp_path / "page.html").read_text()
