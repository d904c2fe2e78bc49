"""The site: its tables name every part, its Chinese pages keep in step, it builds strictly, browsers can read it."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from docs.builder import pages

from descend.formula.functions import CONSTANTS, FUNCTIONS
from descend.losses import LOSSES
from descend.optimizers import OPTIMIZERS, SCHEDULES

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
CHINESE = sorted(path.name for path in (DOCS / "zh").glob("*.md"))
LANGUAGES = ["", "zh/"]


def page_text(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("page", "registry"), [("losses.md", LOSSES), ("optimizers.md", OPTIMIZERS)])
def test_the_tables_hold_every_part_with_its_settings(language, page, registry):
    rows = re.findall(r"^\| `(\w+)(?:\((.*?)\))?` \|", page_text(language + page), re.M)
    assert [name for name, _ in rows] == list(registry)
    for name, settings in rows:
        assert registry.build(f"{name}({settings})") == registry.build(name)
        fields = [field.name for field in dataclasses.fields(registry[name])]
        assert re.findall(r"(\w+)=", settings) == fields


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_schedule_function_and_constant_is_listed(language):
    for name in SCHEDULES:
        assert re.search(rf"`{name}(\(.*?\))?`", page_text(f"{language}optimizers.md")), name
    formulas = page_text(f"{language}formulas.md")
    listed = re.search(r"^(?:Functions: |函数：)(.*?)(?:Constants: |常数：)(.*?)\n\n", formulas, re.M | re.S)
    assert sorted(re.findall(r"`(\w+)`", listed[1])) == sorted(FUNCTIONS)
    assert re.findall(r"`(\w+)`", listed[2]) == [name for name in CONSTANTS if name.isascii()]


@pytest.mark.parametrize("page", CHINESE)
def test_a_chinese_page_shows_the_same_blocks(page):
    bare = [[block.bare for block in pages.blocks(page_text(f"{language}{page}"))] for language in LANGUAGES]
    assert bare[0] == bare[1]


def test_every_page_has_its_place():
    text = re.sub(r"!!\S+", "", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    placed = re.findall(r"[\w/]+\.md", text[text.index("nav:") :])
    assert yaml.safe_load(text)["strict"] is True
    assert {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")} <= set(placed)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build it as `make docs` does: every page runs, and a warning is an error."""
    place = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(place)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
    return place


@pytest.mark.slow
def test_it_asks_the_network_for_nothing(site):
    for path in site.rglob("*.html"):
        found = re.findall(
            r'<(?:script|link|img|iframe)\b[^>]*?(?:src|href)="(https?://[^"]+)"', path.read_text("utf-8")
        )
        assert found == [], path


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("page", ["index", "lesson", "losses", "reference/options", "zh/index"])
def test_a_browser_reads_it(site, browser, page, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    tab = browser.new_context(offline=True, viewport={"width": width, "height": 800}).new_page()
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto((site / f"{page}.html").as_uri())
    assert tab.locator("h1").first.is_visible()
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")  # nothing hangs out at the side
    assert errors == []
    assert [found["id"] for found in axe.Axe().run(tab).response["violations"]] == []


EVERYDAY = """half-life; outliers; error bars; initial guess; starting values; weights; slow; NaN; missing values;
constraints; confidence intervals; R squared; goodness of fit; logistic; too many iterations; covariance
could not be estimated; does not converge; overfitting; save the fit; Excel; export; fix a parameter;
global fit; IC50; calibration; p-value; log axis; residuals; learning rate; errors in x;
cross-validation; larger than memory"""


@pytest.mark.parametrize("words", [words.strip() for words in EVERYDAY.split(";")])
def test_a_search_in_everyday_words_finds_a_heading(words):
    """The search of the site ranks headings first, and knows no other forms of a word."""
    headings = [
        set(re.findall(r"[\w-]+", line.casefold())) for line in page_text("how.md").split("\n") if line[:3] == "## "
    ]
    assert any(set(words.casefold().split()) <= heading for heading in headings), words
