"""Every command and Python block of the README runs and prints what the README shows; its tables are complete."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from descend.api import fit
from descend.formula.functions import CONSTANTS, FUNCTIONS
from descend.losses import LOSSES
from descend.optimizers import OPTIMIZERS, SCHEDULES

ROOT = Path(__file__).parent.parent
PAGES = ["README.md", "README.zh-CN.md"]
BREAK = "-- next block --"
INSTALLING = re.compile(r"^(make|source|pip) ")


class Block(NamedTuple):
    """A fenced block of a page."""

    language: str
    text: str


def page_text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[Block]:
    return [Block(*found) for found in re.findall(r"^```(\w+)\n(.*?)^```$", page_text(page), re.M | re.S)]


def section(page: str, heading: str) -> str:
    """Return the part of a page under the heading that begins with ``heading``."""
    return page_text(page).split(f"\n## {heading}", 1)[1].split("\n## ", 1)[0]


def test_the_two_commands_come_first():
    for page in PAGES:
        first = blocks(page)[0].text
        assert [line.split("#")[0].strip() for line in first.splitlines()] == ["make demo", "make test"]


@pytest.mark.slow
def test_the_commands_and_the_python_blocks_do_what_the_page_shows(tmp_path):
    """The commands run in order in one folder, the Python blocks in one process."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "NO_COLOR": "1", "COLUMNS": "120"}

    def output_of(*command: str) -> str:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "encoding": "utf-8"}
        done = subprocess.run(command, cwd=tmp_path, env=environment, **pipes)
        assert done.returncode == 0, done.stdout
        return done.stdout

    page = blocks("README.md")[2:]
    script = f"print({BREAK!r})\n".join(text for language, text in page if language == "python")
    printed = iter(output_of(sys.executable, "-W", "error", "-c", script).split(BREAK))
    output = ""
    for language, text in page:
        if language == "text":
            expect_lines(output, text)
        elif language == "python":
            output = next(printed)
        elif not INSTALLING.match(text):
            output = output_of("bash", "-euo", "pipefail", "-c", text)
    assert {"line.csv", "line.json", "line.png", "scatter.png", "plane.png", "losses.png"} <= set(os.listdir(tmp_path))


def expect_lines(output: str, shown: str) -> None:
    """Each shown line stands in the output, after the one before it."""
    place = 0
    for line in shown.splitlines():
        found = output.find(line.strip(), place)
        assert found >= 0, f"{line!r} is not, or not in this order, in:\n{output}"
        place = found + len(line.strip())


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


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("heading", "registry"), [(("Losses", "损失"), LOSSES), (("Optimizers", "优化器"), OPTIMIZERS)]
)
def test_the_tables_hold_every_part_with_its_settings(page, heading, registry):
    part = section(page, heading[PAGES.index(page)])
    rows = re.findall(r"^\| `(\w+)(?:\((.*?)\))?` \|", part, re.M)
    assert [name for name, _ in rows] == list(registry)
    for name, settings in rows:
        assert registry.build(f"{name}({settings})") == registry.build(name)
        fields = [field.name for field in dataclasses.fields(registry[name])]
        assert re.findall(r"(\w+)=", settings) == fields


@pytest.mark.parametrize("page", PAGES)
def test_every_schedule_function_and_constant_is_listed(page):
    text = page_text(page)
    for name in SCHEDULES:
        assert re.search(rf"`{name}(\(.*?\))?`", text), name
    listed = re.search(r"^(?:Functions: |函数：)(.*?)(?:Constants: |常数：)(.*?)\n\n", text, re.M | re.S)
    assert sorted(re.findall(r"`(\w+)`", listed[1])) == sorted(FUNCTIONS)
    assert re.findall(r"`(\w+)`", listed[2]) == [name for name in CONSTANTS if name.isascii()]


def test_the_chinese_page_shows_the_same_blocks():
    def bare(block: Block) -> str:
        return re.sub(r" *# .*", "", block.text)

    assert [bare(block) for block in blocks("README.zh-CN.md")] == [bare(block) for block in blocks("README.md")]


@pytest.mark.parametrize("page", [*PAGES, "CHANGELOG.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page_text(page)):
        assert target.startswith("https://") or (ROOT / target).exists(), target
