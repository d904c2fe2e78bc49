"""Fixtures and settings that every room's tests share."""

from __future__ import annotations

import os

# pytest-xdist already uses every core; threads of NumPy and PyTorch on top of it only get in the way.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

# A shell lets what it runs in the background ignore Ctrl-C, which is tested here.
signal.signal(signal.SIGINT, signal.default_int_handler)

CHROMIUM = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]

# The fixtures here hold nothing that one example could spoil for the next.
settings.register_profile(
    "here", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.register_profile("ci", parent=settings.get_profile("here"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture
def line() -> dict[str, np.ndarray]:
    """The textbook rows: x = 0, 0.1, ..., 9.9 and y = 2x + 2 uniform(0, 1)."""
    x = np.arange(100) / 10
    return {"x": x, "y": 2 * x + 2 * np.random.default_rng(0).uniform(size=100)}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    place = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if place is None:
        pytest.skip("there is no Chromium: install it, or name it in $CHROMIUM")
    with playwright.sync_playwright() as play:
        running = play.chromium.launch(executable_path=place, args=CHROMIUM)
        yield running
        running.close()


class Ran(NamedTuple):
    """How a command line ended and what it said."""

    code: int
    stdout: str
    stderr: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Run `descend` with these arguments: in this process, or with ``process=True`` in one of its own."""
    # Messages are compared word for word, so their lines must not depend on the terminal.
    for name, value in {"COLUMNS": "120", "NO_COLOR": "1", "TERM": "dumb"}.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str | Path, process: bool = False, timeout: float = 60) -> Ran:
        words = [str(argument) for argument in arguments]
        if process:
            command = [sys.executable, "-c", "import sys; from descend.cli.main import main; sys.exit(main())", *words]
            done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)
            return Ran(done.returncode, done.stdout, done.stderr)
        from descend.cli.main import main

        monkeypatch.setattr(sys, "argv", ["descend", *words])
        capsys.readouterr()
        try:
            code = main()
        except SystemExit as end:
            code = end.code
        code = code if isinstance(code, int) else int(code is not None)
        return Ran(code, *capsys.readouterr())

    return run
