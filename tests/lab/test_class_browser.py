"""What a class does in the lab, in a browser: drawing, steps by hand, links with data, the projector, keys alone."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from tests.lab.pages import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

COPIED = "document.getElementById('copy-link').dataset.copied"


def test_a_curve_is_drawn_and_fitted(opened):
    page = opened()
    tab = page.tab
    tab.locator("[data-own=draw]").click()
    box = tab.locator("#drawing").bounding_box()
    tab.mouse.move(box["x"] + 80, box["y"] + box["height"] - 80)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] - 60, box["y"] + 60, steps=12)
    tab.mouse.up()
    assert int(tab.locator("#draw-told").text_content().split()[0]) > 30
    tab.locator("#own-use").click()
    page.film_has("problem=upload")
    page.until("!document.getElementById('own').open")
    assert re.search(r"w = 0\.\d|w = 1\.\d", page.answer()) and "drawn.csv" in tab.locator("#command").text_content()


def test_points_of_two_kinds_are_drawn_by_keys_and_have_a_border_between_them(opened):
    page = opened()
    tab = page.tab
    tab.locator("[data-own=draw]").focus()
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "drawing"
    for kind, way in (("zero", "ArrowLeft"), ("one", "ArrowRight")):
        tab.locator("#draw-kind").select_option(kind)
        tab.locator("#drawing").focus()
        for key in (way, "ArrowUp", way, "ArrowDown"):
            tab.keyboard.press(f"Shift+{key}")
            tab.keyboard.press(" ")
    assert tab.locator("#draw-told").text_content().endswith("8 points")
    tab.locator("#own-use").click()
    page.film_has("loss=logistic")
    page.until("!!document.querySelector('#data-figure') && !!document.querySelector('.card.data .moving .border')")


def test_one_descends_by_hand_and_is_told_how_it_went(opened):
    page = opened("?problem=valley")
    tab, told = page.tab, page.tab.locator("#hand-told")
    tab.locator("#hand-begin").click()
    page.until("document.getElementById('hand-told').textContent.startsWith('You stand at w = 4, b = −3; J = ')")
    tab.locator("#hand-direction-input").fill("90")  # b up: uphill from there
    tab.keyboard.press("Enter")
    page.until("document.getElementById('hand-told').textContent.includes('you went uphill. Turn round.')")
    assert "Step 1: b up by 1." in told.text_content()
    assert "gd, with η = 0.07, would have gone to w = 3.1" in told.text_content()
    tab.locator("#hand-undo").click()
    plot = tab.locator("#surface-figure .nsewdrag").first
    box = plot.bounding_box()
    plot.click(position={"x": box["width"] * 0.65, "y": box["height"] * 0.85})
    tab.locator("#hand-take").click()
    page.until("document.getElementById('hand-told').textContent.includes('J fell from ')")
    assert tab.locator(".card.surface .moving .ghost").count() == 1
    tab.locator("#hand-leave").click()
    assert tab.locator(".player").is_visible() and not tab.locator("#hand").is_visible()


def copied_link(page: Page) -> str:
    page.tab.locator("#copy-link").click()
    page.until(COPIED)
    return str(page.tab.evaluate(COPIED))


def test_a_link_carries_a_few_rows_in_itself(opened):
    page = opened()
    page.tab.locator("[data-own=paste]").click()
    page.tab.locator("#pasted").fill("t (s)\tv (m/s)\n0\t1,5\n1\t2,5\n2\t3,7\n3\t4,4\n")
    page.tab.locator("#own-use").click()
    page.film_has("problem=upload")
    page.until("document.getElementById('told').textContent.includes('w = ')")
    answer, link = page.answer(), copied_link(page)
    assert "#data=" in link and len(link) < 400
    other = opened()
    other.tab.goto(link)
    other.film_has("problem=upload")
    other.until("document.getElementById('told').textContent.includes('w = ')")
    assert other.answer() == answer and "#data=" in other.tab.url
    other.tab.reload()
    other.film_has("problem=upload")


def test_a_link_carries_a_megabyte_that_the_lab_keeps(opened, tmp_path: Path):
    path = tmp_path / "large.csv"
    x = np.random.default_rng(0).normal(size=45_000)
    np.savetxt(path, np.column_stack([x, 2 * x + 1]), "%.8f", ",", header="x,y", comments="")
    assert 0.9e6 < path.stat().st_size < 2**20
    page = opened()
    with page.tab.expect_file_chooser() as chooser:
        page.tab.locator("#choose-file").click()
    chooser.value.set_files(path)
    page.film_has("problem=upload")
    page.until("document.getElementById('told').textContent.includes('w = ')")
    link = copied_link(page)
    assert re.search(r"data=[0-9a-f]{32}", link) and len(link) < 300
    other = opened()
    other.tab.goto(link)
    other.film_has("data=")
    other.until("document.getElementById('told').textContent.includes('w = ')")
    assert "10,000 of 45,000 rows" in other.tab.locator(".note").text_content()


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080)])
def test_on_a_projector_all_that_is_spoken_of_is_in_view(opened, width, height):
    page = opened("?problem=valley")
    page.tab.set_viewport_size({"width": width, "height": height})
    page.tab.locator("#projector").click()
    page.tab.wait_for_timeout(500)
    for part in ("#data-figure", "#surface-figure", "#loss-figure", "#play", "#epoch-told", "#equations", "#in-words"):
        box = page.tab.locator(part).bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= height and box["x"] + box["width"] <= width, part
    assert page.tab.locator("#shown-formula").text_content() == "y ~ w*x + b"
    left, right = (page.tab.locator(part).bounding_box() for part in (".card.data", ".card.loss"))
    assert right["x"] + right["width"] - left["x"] > 0.95 * width
    letters = "parseFloat(getComputedStyle(document.getElementById('in-words')).fontSize)"
    assert page.tab.evaluate(letters) >= (15 if width < 1900 else 22)
    page.tab.reload()
    page.film_has("problem=valley")
    assert page.tab.evaluate("document.documentElement.dataset.view") == "projector"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_dialogs_steps_by_hand_and_the_projector_are_accessible(opened, scheme, lang):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page = opened(f"?problem=sides&lang={lang}", color_scheme=scheme)
    tab = page.tab

    def clean() -> None:
        tab.wait_for_timeout(300)
        found = axe.Axe().run(tab).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"][:200], one["nodes"][0]["any"]) for one in found] == []

    for way in ("paste", "draw", "equation"):
        tab.locator(f"[data-own={way}]").click()
        clean()
        tab.keyboard.press("Escape")
    tab.locator("#hand-begin").click()
    page.until("document.getElementById('hand-told').children.length > 0")
    clean()
    tab.locator("#projector").click()
    clean()


def test_pictures_and_films_are_saved(opened, tmp_path: Path):
    page = opened("?problem=valley&epochs=8")
    with page.tab.expect_download() as download:
        page.tab.locator("[data-picture=surface]").click()
    assert download.value.suggested_filename == "valley-surface.png"
    download.value.save_as(tmp_path / "surface.png")
    image = pytest.importorskip("PIL.Image").open(tmp_path / "surface.png")
    assert image.width > 600 and len(image.convert("RGB").getcolors(2**24)) > 20
    with page.tab.expect_download(timeout=60_000) as download:
        page.tab.locator("#video").click()
    download.value.save_as(tmp_path / "film")
    assert download.value.suggested_filename in ("valley.webm", "valley.mp4")
    assert (tmp_path / "film").stat().st_size > 5_000


def test_an_equation_is_a_target_and_a_wrong_one_points(opened):
    page = opened()
    page.tab.locator("[data-own=equation]").click()
    page.type("equation", "y = 3*sin(")
    page.tab.locator("#own-use").click()
    page.until("document.getElementById('own-told').textContent.includes('3*sin(')")
    page.type("equation", "y = 3*x + 2")
    page.tab.locator("#own-use").click()
    page.film_has("problem=upload")
    page.until("document.getElementById('told').textContent.includes('w = 3')")


def test_steps_are_said_in_words(opened):
    page = opened("?problem=valley&rate=0.12")
    page.tab.locator("#first").click()
    said = page.tab.locator("#in-words")
    assert said.locator("p").first.text_content().startswith("J rises as w grows (slope 12.8), so w goes down, by 1.53")
    page.tab.locator("#frame-slider").fill("99")
    assert "the step was too long" in said.text_content()


ENGLISH = """() => {
    const found = [], sentence = /[A-Za-z'’]{2,}( [A-Za-z'’]{2,}){2,}/;
    const read = (node) => {
        if (node.nodeType === 3) { if (sentence.test(node.data)) found.push(node.data.trim()); return; }
        if (node.nodeType !== 1 || node.matches("code, pre, script, style, math, [lang=en]")) return;
        const said = ["title", "aria-label", "placeholder"].map((name) => node.getAttribute(name));
        found.push(...said.filter((text) => sentence.test(text)));
        node.childNodes.forEach(read);
    };
    read(document.getElementById("page"));
    return found;
}"""


def test_no_english_sentence_is_on_a_chinese_page_but_those_marked_as_english(opened):
    page = opened("?problem=valley&rate=0.2&optimizers=gd,adam&lang=zh")
    assert page.tab.evaluate(ENGLISH) == []
    page.tab.locator("#formula").fill("y ~ w*x + ")
    page.until("!!document.querySelector('#formula-told pre')")
    assert "这样无法计算" in page.tab.locator("#formula-told").text_content() and page.tab.evaluate(ENGLISH) == []
    page.tab.locator("#curves summary").click()
    page.tab.locator("#curve").click()
    page.tab.keyboard.type("weibull growth")
    page.tab.wait_for_timeout(300)
    page.tab.keyboard.press("ArrowDown")
    page.tab.keyboard.press("Enter")
    page.until("!!document.querySelector('#curve-picture svg')")
    assert "发芽" in page.tab.locator("#curve-picture").text_content() and page.tab.evaluate(ENGLISH) == []
