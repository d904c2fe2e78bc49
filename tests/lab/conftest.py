"""One lab for the tests in a browser, and pages of it that complain of nothing and ask nobody else."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.lab.pages import Page


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("dash", reason="the extra `lab` is not installed")
    code = "import sys; from descend.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "lab", "--no-browser", "--port", "0"]
    log = tmp_path_factory.mktemp("lab") / "log.txt"
    with log.open("w") as file, subprocess.Popen(command, stderr=file) as running:
        while not (found := re.search(r"http://\S+", log.read_text())):
            assert running.poll() is None, log.read_text()
            time.sleep(0.05)
        yield found[0]
        running.terminate()
    assert "Traceback" not in log.read_text()


@pytest.fixture
def opened(browser: Any, address: str) -> Iterator[Any]:
    pages: list[Page] = []

    def opened(query: str = "", **options: Any) -> Page:
        pages.append(Page(browser, address, query, **options))
        return pages[-1]

    yield opened
    for page in pages:
        assert page.complaints == [] and page.elsewhere == []
        page.context.close()
