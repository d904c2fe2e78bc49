"""The page in a browser with the network off: no error, no request, nothing that axe-core finds wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import descend

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    x = np.arange(100) / 10
    line = {"x": x, "y": 2 * x + 2 * np.random.default_rng(0).uniform(size=100)}
    curve = Path(__file__).parents[2] / "examples" / "data" / "chwirut2.csv"
    formula = "response ~ exp(-b1*distance) / (b2 + b3*distance)"
    fits = {
        "textbook": descend.fit("y ~ w*x", line, start={"w": 0}, optimizer="gd", learning_rate=0.001, epochs=100),
        "curve": descend.fit(formula, curve, start={"b1": 0.1, "b2": 0.01, "b3": 0.02}),
        "diverged": descend.fit("y ~ w*x + b", line, optimizer="gd", learning_rate=0.05),
    }
    for name, fitted in fits.items():
        fitted.report(folder / f"{name}.html")
    fits["textbook"].animate().save(folder / "film.html")
    return {name: folder / f"{name}.html" for name in (*fits, "film")}


def opened(browser: Any, place: Path, **options: Any) -> tuple[Any, list[str], list[str]]:
    """Open a page with the network off; return it, what it complained of, and what it asked for."""
    tab = browser.new_context(offline=True, **options).new_page()
    complaints: list[str] = []
    asked: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(place.as_uri())
    return tab, complaints, asked


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["textbook", "curve", "diverged", "film"])
def test_it_is_accessible_quiet_and_alone(browser, pages, name, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    tab, complaints, asked = opened(browser, pages[name], color_scheme=scheme)
    found = axe.Axe().run(tab).response["violations"]
    assert [(one["id"], one["impact"], one["nodes"][0]["html"]) for one in found] == []
    assert complaints == [] and asked == [pages[name].as_uri()]


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1280])
def test_a_click_on_any_group_draws_it(browser, tmp_path, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    group, x = np.repeat(np.arange(80), 12), np.tile(np.linspace(0.0, 4.0, 12), 80)
    y = (1 + group % 5) * np.exp(-x) + 0.01 * np.random.default_rng(0).normal(size=x.size)
    fits = descend.fit("y ~ a*exp(-b*x)", {"x": x, "y": y, "well": group}, by="well")
    fits.report(tmp_path / "wells.html")
    tab, complaints, asked = opened(browser, tmp_path / "wells.html", viewport={"width": width, "height": 800})
    best = fits.worst()[-1]
    assert tab.locator("section.group:target").count() == 0
    tab.locator(f'#groups a[href="#group-{best}"]').focus()
    tab.keyboard.press("Enter")
    one = tab.locator("section.group:target")
    assert one.locator("h2").text_content() == f"well = {best}" and one.locator("svg path").count() > 8
    assert one.locator("dd").first.text_content().startswith(f"{fits.parameters['a'][best]:.4f}"[:5])
    assert axe.Axe().run(tab).response["violations"] == []
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    one.locator("a").click()
    assert tab.locator("section.group:target").count() == 0
    tab.locator("#groups th button", has_text="b").first.click()
    tab.locator("#groups tbody a").first.click()
    assert tab.locator("section.group:target").count() == 1 and complaints == [] and len(asked) == 1


@pytest.mark.parametrize("width", [320, 390, 1200])
def test_it_fits_the_screen(browser, pages, width):
    tab, _, _ = opened(browser, pages["curve"], viewport={"width": width, "height": 800})
    assert tab.evaluate("document.documentElement.scrollWidth") == width


def test_the_theme_is_the_readers(browser, pages):
    tab, complaints, _ = opened(browser, pages["curve"], color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = tab.evaluate(ground)
    tab.get_by_role("button", name="Dark").press("Enter")
    dark = tab.evaluate(ground)
    assert dark != light and tab.get_by_role("button", name="Dark").get_attribute("aria-pressed") == "true"
    tab.emulate_media(media="print")
    assert tab.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
    assert not tab.get_by_role("button", name="Dark").is_visible() and complaints == []


def test_pointing_at_a_row_reads_it_out(browser, pages):
    tab, complaints, _ = opened(browser, pages["curve"], viewport={"width": 1200, "height": 900})
    picture = tab.locator("svg[data-x]").first
    picture.scroll_into_view_if_needed()
    data = np.genfromtxt(Path(__file__).parents[2] / "examples" / "data" / "chwirut2.csv", delimiter=",", names=True)
    first = picture.locator(".dots").first.get_attribute("d").removeprefix("M").partition("h0")[0].split(" ")
    box = picture.bounding_box()
    scale = box["width"] / 560
    tab.mouse.move(box["x"] + float(first[0]) * scale + 1, box["y"] + float(first[1]) * scale + 1)
    x, y = (float(part) for part in tab.locator(".readout").text_content().split(", "))
    assert x == pytest.approx(data["distance"][0], abs=0.02) and y == pytest.approx(data["response"][0], abs=0.3)
    assert complaints == []


def test_the_film_plays_pauses_and_goes_to_any_step(browser, pages):
    tab, complaints, _ = opened(browser, pages["film"], reduced_motion="reduce")
    said, slider, play = tab.locator("#said"), tab.locator("#frame"), tab.locator("#play")
    assert said.text_content().startswith("epoch 0 · ") and play.text_content() == "Play"
    slider.fill("20")
    assert said.text_content().startswith("epoch 20 · ")
    tab.get_by_role("button", name="One step on").click()
    assert said.text_content().startswith("epoch 21 · ") and slider.get_attribute("aria-valuetext").startswith(
        "epoch 21"
    )
    curve = tab.locator(".film g[clip-path] > g path").first.get_attribute("d")
    play.click()
    tab.wait_for_timeout(500)
    play.click()
    at = slider.input_value()
    tab.wait_for_timeout(300)
    assert slider.input_value() == at and play.text_content() == "Play"
    assert tab.locator(".film g[clip-path] > g path").first.get_attribute("d") != curve and complaints == []
