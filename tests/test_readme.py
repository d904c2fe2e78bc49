"""The README is short, its commands and Python blocks print what it shows, and its Chinese copy keeps in step."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docs.builder import pages

from descend.api import fit

ROOT = Path(__file__).parent.parent
PAGES = ["README.md", "README.zh-CN.md"]


def page_text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[pages.Block]:
    return pages.blocks(page_text(page))


@pytest.mark.parametrize("page", PAGES)
def test_it_is_short(page):
    assert len(page_text(page).splitlines()) <= 150


def test_the_two_commands_come_first():
    for page in PAGES:
        first = blocks(page)[0].text
        assert [line.split("#")[0].strip() for line in first.splitlines()] == ["make demo", "make test"]


@pytest.mark.slow
def test_the_commands_and_the_python_blocks_do_what_the_page_shows(tmp_path):
    pages.run(page_text("README.md").partition("\n## ")[2], tmp_path)
    assert {"decay.csv", "decay.json", "decay.png", "decay.html"} <= {path.name for path in tmp_path.iterdir()}


def test_the_lesson_shown_first_is_what_the_examples_print():
    source = (ROOT / "tests" / "test_examples.py").read_text()
    assert blocks("README.md")[1].text in source


@pytest.mark.parametrize("page", PAGES)
def test_the_measurements_are_fitted_as_certified(page):
    formula = re.search(r'descend fit "(response [^"]+)"', (ROOT / "Makefile").read_text(encoding="utf-8"))[1]
    fitted = fit(formula, ROOT / "examples" / "data" / "chwirut2.csv", start={"b1": 0.1, "b2": 0.01, "b3": 0.02})
    for name, certified in {"b1": 1.6657666537e-01, "b2": 5.1653291286e-03, "b3": 1.2150007096e-02}.items():
        assert f"{fitted.parameters[name]:.6g}" == f"{certified:.6g}"
        assert f"{name} = {certified:.6g}" in page_text(page)


def test_the_chinese_page_shows_the_same_blocks():
    assert [block.bare for block in blocks("README.zh-CN.md")] == [block.bare for block in blocks("README.md")]


@pytest.mark.parametrize("page", [*PAGES, "CHANGELOG.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page_text(page)):
        assert target.startswith("https://") or (ROOT / target).exists(), target
