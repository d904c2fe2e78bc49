"""Take the pictures of the report and of the lab: light, dark and on a phone. `make screenshots` runs this.

They go to docs/images. It needs Playwright (`pip install -e '.[dev]'`), a font with Chinese characters, and a Chromium:
that of $CHROMIUM, /usr/bin/chromium, or Playwright's.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

import descend

DOCS = Path(__file__).resolve().parent
CHWIRUT = "examples/data/chwirut2.csv"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SHAPES = {"light": (1200, "light"), "dark": (1200, "dark"), "phone": (390, "light")}
LAB = {
    "line": "?problem=line",
    "decay": "?problem=decay",
    "wave": "?problem=wave",
    "diverging": "?problem=valley&rate=0.12",
    "race": "?problem=valley&optimizers=gd,momentum,adam&rate=0.04",
    "sides": "?problem=sides",
    "zh": "?problem=decay&lang=zh",
}
"""By picture, the address of the lab that it shows."""
ONCE = {"sides": ("light",), "zh": ("light",)}
"""Of these pictures only some shapes."""
TOPS = {"report-curve-light": "section:has(#pictures) figure", "lab-race-light": ".player"}
"""Of these also the upper part alone, down to an element, for the README."""


def reports(folder: Path) -> dict[str, Path]:
    """Write a few reports: the textbook run, a curve, a run that diverged, several inputs."""
    x = np.arange(100) / 10
    line = {"x": x, "y": 2 * x + 2 * np.random.default_rng(0).uniform(size=100)}
    random = np.random.default_rng(1)
    x1, x2, x3 = random.normal(size=(3, 400))
    plane = {"x1": x1, "x2": x2, "x3": x3, "y": 1 + 2 * x1 - x2 + 0.5 * x1 * x3 + 0.3 * random.normal(size=400)}
    fits = {
        "textbook": descend.fit("y ~ w*x", line, start={"w": 0}, optimizer="gd", learning_rate=0.001, epochs=100),
        "curve": descend.fit(
            "response ~ exp(-b1*distance) / (b2 + b3*distance)", CHWIRUT, start={"b1": 0.1, "b2": 0.01, "b3": 0.02}
        ),
        "diverged": descend.fit("y ~ w*x + b", line, optimizer="gd", learning_rate=0.05),
        "inputs": descend.fit("y ~ w @ [x1, x2, x3] + b", plane, optimizer="momentum"),
    }
    pages = {name: folder / f"{name}.html" for name in fits}
    for name, fitted in fits.items():
        fitted.report(pages[name])
    return pages


@contextmanager
def opened(browser: Browser, address: str, shape: str, offline: bool) -> Iterator[Any]:
    """Open a page as it looks in a shape."""
    width, scheme = SHAPES[shape]
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
        offline=offline,
    )
    tab = context.new_page()
    tab.goto(address)
    yield tab
    context.close()


def keep(tab: Any, name: str) -> None:
    """Keep what a page looks like, and its upper part where the README shows that."""
    taken = Image.open(io.BytesIO(tab.screenshot(full_page=True))).convert("RGB")
    pictures = {name: taken}
    if name in TOPS:
        box = tab.locator(TOPS[name]).first.bounding_box()
        pictures[f"{name}-top"] = taken.crop((0, 0, taken.width, round(box["y"] + box["height"]) + 16))
    for each, image in pictures.items():
        picture(image, each)


@contextmanager
def lab() -> Iterator[str]:
    """Serve the lab: its address."""
    command = [sys.executable, "-m", "descend", "lab", "--no-browser", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        found = re.search(r"http://\S+", line := running.stderr.readline())
        assert found is not None, line
        yield found[0]
        running.terminate()


def main() -> None:
    """Write the reports and take them all, then the lab."""
    os.chdir(DOCS.parent)
    chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play, lab() as address:
        place = chromium if Path(chromium).exists() else None
        browser = play.chromium.launch(executable_path=place, args=FLAGS)
        for name, page in reports(Path(folder)).items():
            for shape in SHAPES:
                with opened(browser, page.as_uri(), shape, offline=True) as tab:
                    keep(tab, f"report-{name}-{shape}")
        for name, query in LAB.items():
            for shape in ONCE.get(name, tuple(SHAPES)):
                with opened(browser, address + query, shape, offline=False) as tab:
                    tab.wait_for_selector("#told tbody tr")
                    tab.wait_for_selector("#loss-figure .main-svg")
                    tab.wait_for_selector("#derived math", state="attached")
                    tab.wait_for_timeout(500)  # the figures settle
                    keep(tab, f"lab-{name}-{shape}")
        by_hand(browser, address)
        on_a_projector(browser, address)
        browser.close()


def by_hand(browser: Browser, address: str) -> None:
    """Take the picture of two steps by hand."""
    with opened(browser, f"{address}?problem=valley", "light", offline=False) as tab:
        tab.wait_for_selector("#told tbody tr")
        tab.locator("#hand-begin").click()
        tab.wait_for_selector("#hand-told p")
        for across, up in ((0.62, 0.6), (0.52, 0.5)):
            plot = tab.locator("#surface-figure .nsewdrag").first
            box = plot.bounding_box()
            plot.click(position={"x": across * box["width"], "y": up * box["height"]})
            tab.locator("#hand-take").click()
            tab.wait_for_timeout(800)
        crop(tab, "lab-hand-light", "#hand-card")


def on_a_projector(browser: Browser, address: str) -> None:
    """Take the picture of the view for a projector."""
    with opened(browser, f"{address}?problem=valley&rate=0.105", "light", offline=False) as tab:
        tab.set_viewport_size({"width": 1280, "height": 720})
        tab.wait_for_selector("#told tbody tr")
        tab.locator("#projector").click()
        tab.locator("#frame-slider").fill("12")
        tab.wait_for_timeout(800)
        picture(Image.open(io.BytesIO(tab.screenshot())).convert("RGB"), "lab-projector-light")


def crop(tab: Any, name: str, last: str) -> None:
    """Keep a page down to an element."""
    taken = Image.open(io.BytesIO(tab.screenshot(full_page=True))).convert("RGB")
    box = tab.locator(last).first.bounding_box()
    picture(taken.crop((0, 0, taken.width, round(box["y"] + box["height"]) + 24)), name)


def picture(taken: Image.Image, name: str) -> None:
    """Write a picture."""
    path = DOCS / "images" / f"{name}.webp"
    taken.save(path, lossless=True, quality=80, method=3)  # a third of the size of PNG
    print(path.relative_to(DOCS.parent))


if __name__ == "__main__":
    main()
