"""The lab under a hand on its sliders, in a browser: from a move to the new frame painted.

    python benchmarks/lab_slider.py [--moves 50] [--problem valley]... [FORMULA DATA]

The rate slider asks the server for a new descent, the epoch slider nobody. The frame is there with the last change of
the figures, the player and the equations, once the browser has painted it; the words follow when the hand rests. No
move comes before all that of the last is over, and no rate twice. It fails where one frame in twenty takes longer than
a tenth of a second. With FORMULA and DATA it says instead how long that file takes:
from the command to the address, and from opening the page to its first picture.

It needs Playwright, and a Chromium: that of $CHROMIUM, or /usr/bin/chromium.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

SLOWEST = 100.0
QUIET = 250
"""Milliseconds without a change after which a move is over."""
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WATCH = """() => {
    const moved = window.moved = { began: 0, frame: 0, words: 0 };
    document.addEventListener("input", () => { moved.began = performance.now(); }, true);
    for (const [what, places] of [["frame", ".card.figure .graph, .player, #equations"], ["words", "#told, #ruler"]]) {
        const painted = new MessageChannel();
        painted.port1.onmessage = () => { moved[what] = performance.now(); };
        const seen = new MutationObserver(() => requestAnimationFrame(() => painted.port2.postMessage(0)));
        for (const place of document.querySelectorAll(places)) {
            seen.observe(place, { subtree: true, childList: true, characterData: true, attributeFilter: ["d", "cx"] });
        }
    }
}"""
MOVED = f"""() => {{
    const {{ began, frame, words }} = window.moved, now = performance.now();
    return frame > began && now - frame > {QUIET} && now - words > {QUIET} ? frame - began : null;
}}"""
LINK = "document.getElementById('told').dataset.link"


@contextmanager
def running(*words: str) -> Iterator[tuple[subprocess.Popen[str], str, float]]:
    """Start a lab: its process, its address, and the seconds it took to listen."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "descend", "lab", *words, "--no-browser", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as lab:
        assert lab.stderr is not None
        found = re.search(r"http://\S+", line := lab.stderr.readline())
        assert found is not None, line + lab.stderr.read()
        seconds = time.perf_counter() - began
        threading.Thread(target=lab.stderr.read, daemon=True).start()
        yield lab, found[0], seconds
        lab.terminate()


def opened(browser: Any, address: str) -> tuple[Any, float]:
    """Open a page: itself, and the seconds to its first picture."""
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    began = time.perf_counter()
    tab.goto(address)
    tab.wait_for_selector("#data-figure .main-svg")
    tab.wait_for_selector(".card.data .moving path")
    return tab, time.perf_counter() - began


def moves(tab: Any, slider: str, values: list[str]) -> list[float]:
    """Move a slider to each value: milliseconds of each move."""
    times = []
    for value in values:
        before = tab.evaluate(LINK)
        tab.locator(slider).fill(value)
        end = time.monotonic() + 20.0
        while (taken := tab.evaluate(MOVED)) is None or (slider == "#rate" and tab.evaluate(LINK) == before):
            assert time.monotonic() < end, f"{slider} at {value} changed nothing"
            tab.wait_for_timeout(20)
        times.append(float(taken))
    return sorted(times)


def main() -> int:
    """Move both sliders on each problem, or open a file, and print what it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file", nargs="*", metavar="FORMULA DATA")
    parser.add_argument("--moves", type=int, default=50)
    parser.add_argument("--problem", action="append")
    options = parser.parse_args()
    chosen = random.Random(0)
    failed = False
    with running(*options.file) as (lab, address, seconds), sync_playwright() as play:
        place = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = play.chromium.launch(executable_path=place if Path(place).exists() else None, args=FLAGS)
        if options.file:
            tab, first = opened(browser, address)
            print(f"{options.file[1]}: address after {seconds:.1f} s, first picture {first:.1f} s later")
            print(tab.locator(".note").all_text_contents())
            return 0
        for problem in options.problem or ["line", "valley"]:
            tab, first = opened(browser, f"{address}?problem={problem}")
            tab.wait_for_timeout(2 * QUIET)
            tab.evaluate(WATCH)
            low, high = (float(tab.locator("#rate").get_attribute(end)) for end in ("min", "max"))
            rates = [f"{chosen.uniform(low + 2.0, high - 0.5):.4f}" for _ in range(options.moves)]
            frames = [str(chosen.randrange(1 + place % 2, 99, 2)) for place in range(options.moves)]
            for slider, values in (("#rate", rates), ("#frame-slider", frames)):
                times = moves(tab, slider, values)
                slowest = times[int(0.95 * len(times))]
                failed |= slowest > SLOWEST
                print(f"{problem}, {slider}: {len(times)} moves, median {times[len(times) // 2]:.0f} ms, "
                      f"95th percentile {slowest:.0f} ms, slowest {times[-1]:.0f} ms")  # fmt: skip
        browser.close()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
