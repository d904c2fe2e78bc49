"""A fit whose parameters belong to groups: coloured curves with a legend, small pictures of many, and a table."""

from __future__ import annotations

import re

import numpy as np
import pytest

import descend
from descend.report import grouped
from descend.report.view_of_fit import view

FORMULA = "y ~ a[site]*exp(-b*x) + c"


def decays(groups, rows=12):
    """Decays whose height is that of their group; the noise of the last group is ten times that of the others."""
    rng = np.random.default_rng(0)
    site, x = np.repeat(np.arange(groups), rows), np.tile(np.linspace(0.0, 4.0, rows), groups)
    noise = np.where(site == groups - 1, 0.1, 0.01) * rng.normal(size=x.size)
    return {"x": x, "y": (1 + site / 5) * np.exp(-x) + 0.3 + noise, "site": np.array([f"S{each:02}" for each in site])}


@pytest.fixture(scope="module")
def few():
    return descend.fit(FORMULA, decays(8))


@pytest.fixture(scope="module")
def many():
    return descend.fit(FORMULA, decays(30))


def test_few_groups_have_their_colours_and_a_legend(few):
    panel = grouped.curves(view(few))
    dots, lines = panel.marks[::2], panel.marks[1::2]
    assert [line.name for line in lines] == [f"S{each:02}" for each in range(8)]
    assert len({(line.colour, line.dashes) for line in lines}) == 8
    assert [mark.colour for mark in dots] == [line.colour for line in lines]
    data = decays(8)
    rows = data["site"] == "S03"
    np.testing.assert_array_equal(dots[3].y, data["y"][rows])
    expected = few.predict({"x": lines[3].x, "site": np.full(len(lines[3].x), "S03")})
    np.testing.assert_allclose(lines[3].y, expected)
    (axes,) = few.plot().axes
    assert [entry.get_text() for entry in axes.get_legend().get_texts()] == [line.name for line in lines]
    assert axes.get_xlabel() == "x" and axes.get_ylabel() == "y"
    assert len(few.plot(residuals=True).axes) == 2 and few.plot(log="y").axes[0].get_yscale() == "log"


def test_many_groups_are_drawn_small_the_worst_first(many):
    figure = many.plot()
    assert len(figure.axes) == grouped.SMALL
    squared = [float(axes.texts[0].get_text().removeprefix("R² ")) for axes in figure.axes]
    assert squared == sorted(squared)
    assert figure.get_supxlabel() == "The 24 groups that fit worst, of 30."
    seen = view(many)
    group = next(group for group in seen.groups if group.name == "S29")
    y = decays(30)["y"][-12:]
    residuals = many.residuals[-12:]
    assert grouped.r_squared(seen, group) == pytest.approx(1 - (residuals**2).sum() / ((y - y.mean()) ** 2).sum())


def test_the_page_lists_groups_and_leads_to_each(few, many, tmp_path):
    for fit, groups in ((few, 8), (many, 30)):
        fit.report(tmp_path / "page.html")
        page = (tmp_path / "page.html").read_text()
        table = re.search(r'<table id="groups">.*?</table>', page, re.DOTALL)
        assert table is not None and table[0].count("<tr>") == groups + 1
        assert page.count('<section class="group"') == groups and page.count("#group-3") >= 2
        value = fit.parameters["a"]["S03"]
        assert f'data-v="{value:.9g}"' in table[0]
        assert ("stand in the table of the groups" in page) == (groups > grouped.TOGETHER)


def test_several_columns_tell_groups_apart():
    data = decays(6)
    data["half"] = np.where(np.char.lower(data["site"]) < "s03", "A", "B")
    data["number"] = np.array([int(site[1:]) % 3 for site in data["site"]])
    fit = descend.fit("y ~ a[half, number]*exp(-b*x) + c[half]", data)
    assert [group.name for group in view(fit).groups] == ["A, 0", "A, 1", "A, 2", "B, 0", "B, 1", "B, 2"]
    fit.plot()


def test_several_inputs_are_drawn_as_predicted_and_observed():
    rng = np.random.default_rng(1)
    data = {"x": rng.normal(size=60), "z": rng.normal(size=60), "site": np.repeat(["A", "B", "C"], 20)}
    data["y"] = data["x"] + 2 * data["z"] + 0.1 * rng.normal(size=60)
    fit = descend.fit("y ~ a[site]*x + b*z", data)
    (axes,) = fit.plot().axes
    assert axes.get_xlabel() == "y, observed"
    assert [entry.get_text() for entry in axes.get_legend().get_texts()] == ["A", "B", "C", "predicted = observed"]
    assert "A" in fit._repr_html_()


def test_a_saved_fit_is_drawn_over_rows(few, tmp_path):
    from typer.testing import CliRunner

    from descend.cli.main import app
    from descend.table.writing import write_columns

    few.save(tmp_path / "fit.json")
    write_columns(tmp_path / "rows.csv", decays(8))
    picture = tmp_path / "p.png"
    words = ["plot", str(tmp_path / "fit.json"), str(tmp_path / "rows.csv"), "--output", str(picture)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert picture.stat().st_size > 10_000
