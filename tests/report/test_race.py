"""The page of a race: every optimizer is in its table and in both figures, in one colour."""

from __future__ import annotations

import re

import numpy as np

import descend
from descend.report.race import race_page

TEXTS = [("In Python", 'descend.compare("<model>")')]


def raced(names, formula="y ~ w*x + b", **options):
    x = np.arange(40) / 10
    data = {"x": x, "y": 2 * x + 1 + 0.1 * np.sin(9 * x)}
    return descend.compare(formula, data, names, epochs=60, **options).fits


def rows_of(page: str) -> list[str]:
    table = page[page.index("<tbody>") : page.index("</tbody>")]
    return [" ".join(re.sub("<[^>]*>", " ", row).split()) for row in table.split("</tr>") if row]


def colours_of(figure: str) -> dict[str, str]:
    """Read which colour the legend of a figure gives to each name."""
    samples = re.findall(r"<li>(.*?)</li>", figure)
    return {
        re.sub("<[^>]*>", "", text).split(":")[0].strip(): re.findall(r"var\(--(\w+)\)", text)[0] for text in samples
    }


def test_a_race_is_a_table_and_two_figures():
    fits = raced(["gd", "adam", "lbfgs"], learning_rate=0.05, start={"w": 0.0, "b": 0.0})
    page = race_page(fits, TEXTS)
    rows = rows_of(page)
    assert [row.split()[0] for row in rows] == ["gd", "adam", "lbfgs"]
    assert f"{fits['adam'].loss:.6g} 0.05" in rows[1] and "converged after" in rows[2] and " – " in rows[2]
    assert "<p>lbfgs came lowest: the loss is " in page
    losses, paths = re.findall(r"<figure>.*?</figure>", page, re.DOTALL)
    assert "Loss per epoch" in losses and "J over w and b" in paths
    assert colours_of(losses) == colours_of(paths) and len(set(colours_of(paths).values())) == 3
    assert "descend.compare(&quot;&lt;model&gt;&quot;)" in page


def test_of_one_parameter_there_is_no_surface():
    page = race_page(raced(["gd", "newton"], "y ~ w*x", start={"w": 0.0}), TEXTS)
    assert page.count("<figure>") == 1 and len(rows_of(page)) == 2


def test_those_that_came_as_low_are_named_too_and_one_that_diverged_wins_nothing():
    fits = raced(["lbfgs", "newton", "gd"], learning_rate=1.0, start={"w": 0.0, "b": 0.0})
    page = race_page(fits, TEXTS)
    assert "newton came lowest" in page and " lbfgs came as low." in page
    assert fits["gd"].outcome == "diverged" and "✕</span> gd: diverged" in page
    alone = race_page({"gd": fits["gd"]}, TEXTS)
    assert "diverged" in alone
