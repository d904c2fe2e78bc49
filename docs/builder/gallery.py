"""The gallery: every script of examples/gallery runs, and its page shows picture, code and what it printed."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from pages import ROOT, DiffersError, environment

SCRIPTS = sorted((ROOT / "examples" / "gallery").glob("*.py"))
ABOUT = (
    "Every picture was made by its script while this page was built. The data are real, and each page says whose; only "
    "the ten million rows are made up."
)


class Example(NamedTuple):
    """A script that has run: its name, its docstring in parts, its code, what it printed, and its picture."""

    name: str
    title: str
    text: str
    code: str
    printed: str
    picture: bytes

    @property
    def page(self) -> str:
        """Its page, in Markdown."""
        return (
            f"# {self.title}\n\n{self.text}\n\n![{self.title}]({self.name}.png)\n\n```py\n{self.code}\n```\n\n"
            f"```text\n{self.printed}```\n\n[The script](../../examples/gallery/{self.name}.py)\n"
        )

    @property
    def card(self) -> str:
        """Its card on the page of all, in Markdown."""
        return f"-   [![]({self.name}.png)<br>**{self.title}**]({self.name}.md)\n"


def run(script: Path) -> Example:
    """Run a script in a folder with the data. Raises DiffersError if it fails or makes no picture of its name."""
    text = script.read_text(encoding="utf-8")
    tree = ast.parse(text)
    title, _, said = (ast.get_docstring(tree) or "").partition("\n\n")
    with tempfile.TemporaryDirectory() as folder:
        for path in (ROOT / "examples" / "data").glob("*.csv"):
            shutil.copy(path, folder)
        done = subprocess.run(
            [sys.executable, "-W", "error", str(script)], cwd=folder, env=environment(), text=True, encoding="utf-8",
            capture_output=True, check=False,
        )  # fmt: skip
        picture = Path(folder, f"{script.stem}.png")
        if done.returncode or not picture.is_file():
            raise DiffersError(f"{script.name} failed, or made no {picture.name}:\n{done.stdout}{done.stderr}")
        code = text[text.index('"""', 3) + 3 :].strip()
        return Example(script.stem, title, said, code, done.stdout, picture.read_bytes())


def examples() -> list[Example]:
    """Run all scripts, as many at a time as there are processors."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(run, SCRIPTS))


def index(shown: list[Example]) -> str:
    """Return the page of all examples."""
    cards = "\n".join(example.card for example in shown)
    return f'# Gallery\n\n{ABOUT}\n\n<div class="grid cards" markdown>\n\n{cards}\n</div>\n'
