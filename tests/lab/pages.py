"""A page of the lab in a browser, as a reader has it before him."""

from __future__ import annotations

import re
import time
from typing import Any

SAID = "document.getElementById('told').dataset.link === document.documentElement.dataset.film"
"""The words to the film are there."""


class Page:
    """A page of the lab, and what it complained of."""

    def __init__(self, browser: Any, address: str, query: str = "", **options: Any) -> None:
        self.context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        self.tab = self.context.new_page()
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self.asked = 0
        self.tab.on("console", lambda message: self.complaints.append(message.text))
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.on("request", lambda request: self.count(request.url, address))
        self.tab.goto(address + query)
        self.until("document.documentElement.dataset.film", seconds=90.0)  # the first page waits for imports, too
        self.until(SAID)
        self.tab.wait_for_selector("#loss-figure .main-svg")

    def until(self, condition: str, *given: Any, seconds: float = 30.0) -> None:
        """Wait for a condition. Playwright's own way evaluates text in the page, which its policy forbids."""
        end = time.monotonic() + seconds
        while not self.tab.evaluate(condition, *given):
            assert time.monotonic() < end, f"{condition} {given} never came true"
            self.tab.wait_for_timeout(30)

    def count(self, url: str, address: str) -> None:
        self.asked += url.endswith(("/film", "/words", "/_dash-update-component"))
        if not url.startswith((address, "data:", "blob:")):
            self.elsewhere.append(url)

    def film_has(self, text: str) -> None:
        self.until("(text) => (document.documentElement.dataset.film || '').includes(text)", text)
        self.until(SAID)

    def type(self, field: str, text: str) -> None:
        self.tab.locator(f"#{field}").fill(text)

    def ends_of_the_path(self) -> list[tuple[float, float]]:
        """Where the path on the surface begins and ends, by the axes of the figure."""
        text = self.tab.locator("#surface-figure").locator("xpath=..").locator(".moving .way").first.get_attribute("d")
        places = [tuple(map(float, place.split(" "))) for place in re.split("[ML]", text)[1:]]
        back = """([x, y]) => {
            const { xaxis, yaxis } = document.querySelector('#surface-figure .js-plotly-plot')._fullLayout;
            return [xaxis.p2d(x), yaxis.p2d(y)];
        }"""
        return [tuple(self.tab.evaluate(back, list(place))) for place in (places[0], places[-1])]

    def answer(self) -> str:
        return str(self.tab.locator("#told tbody tr").first.text_content())
