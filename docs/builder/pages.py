"""The blocks of a page, run in the order in which they stand, and held against what the page shows of them.

In a fenced block, `sh` is a command line and `python` a part of one program, whose blocks share their names; a `text`
block shows lines that the block before it prints, in this order. In `console`, lines after `$` are commands, and others
what they print. A block inside an HTML comment runs, but is not seen. All run in one folder, which has the data of
examples/ and no more; what installs is left out.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
INSTALLING = re.compile(r"^(make|source|pip|git clone|python3? -m (venv|pip)) ")
CHILD = """
import contextlib, io, json, sys, traceback
names = {"__name__": "__main__"}
for line in sys.stdin:
    said, code = io.StringIO(), json.loads(line)
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            exec(compile(code, "<page>", "exec"), names)
            failed = False
        except BaseException:
            traceback.print_exc()
            failed = True
    print(json.dumps([failed, said.getvalue()]), flush=True)
"""
"""The process of the Python blocks: it takes a block a line, and answers with whether it failed and what it printed."""


class DiffersError(Exception):
    """A block failed, or does not print what the page shows."""


class Block(NamedTuple):
    """A fenced block of a page."""

    language: str
    text: str

    @property
    def bare(self) -> str:
        """Its text without remarks, which may be in another language."""
        return re.sub(r" *# .*", "", self.text)


def blocks(text: str) -> list[Block]:
    """Return all fenced blocks, those in comments too."""
    return [Block(*found) for found in re.findall(r"^```(\w*)[^\n]*\n(.*?)^```$", text, re.M | re.S)]


def environment() -> dict[str, str]:
    """Return the environment of a program on a page: this Python and this checkout, plain text, pictures to files."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    sources = os.pathsep.join([str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])])
    plain = {"NO_COLOR": "1", "COLUMNS": "120", "MPLBACKEND": "agg", "PYTHONIOENCODING": "utf-8"}
    return os.environ | plain | {"PATH": programs, "PYTHONPATH": sources}


def run(page: str, folder: Path) -> None:
    """Run the blocks of a page in a folder. Raises DiffersError."""
    pipes = {"cwd": folder, "env": environment(), "text": True, "encoding": "utf-8"}
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **pipes
    ) as python:
        output = ""
        for language, text in blocks(page):
            if language == "text":
                expect_lines(output, text)
            elif language == "python":
                python.stdin.write(f"{json.dumps(text)}\n")
                python.stdin.flush()
                failed, output = json.loads(python.stdout.readline())
                if failed:
                    raise DiffersError(f"This Python block failed:\n{text}\n{output}")
            elif language in ("sh", "console"):
                for command, shown in commands(language, text):
                    output = "" if INSTALLING.match(command) else output_of(command, pipes)
                    expect_lines(output, shown)
        python.stdin.close()


def commands(language: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield commands with what is shown of their output: a script as a whole, a session command by command."""
    if language == "sh":
        yield text, ""
        return
    for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
        lines = part.splitlines()
        last = next(number for number, line in enumerate(lines) if not line.endswith("\\"))
        yield "\n".join(lines[: last + 1]), "\n".join(lines[last + 1 :])


def output_of(command: str, pipes: dict[str, Any]) -> str:
    """Run a command line and return what it prints. Raises DiffersError if it fails."""
    words = ["bash", "-euo", "pipefail", "-c", command]
    done = subprocess.run(words, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **pipes)
    if done.returncode:
        raise DiffersError(f"This command ended with exit code {done.returncode}:\n{command}\n{done.stdout}")
    return done.stdout


def expect_lines(output: str, shown: str) -> None:
    """Each shown line stands in the output, after the one before it; a line of `...` stands for any."""
    place = 0
    for line in shown.splitlines():
        if line.strip() == "...":
            continue
        found = output.find(line.strip(), place)
        if found < 0:
            raise DiffersError(f"{line!r} is not, or not in this order, in:\n{output}")
        place = found + len(line.strip())


def made_by(text: str, names: set[str]) -> dict[str, bytes]:
    """Run a page in a folder of its own, and return the files of these names that it made. Raises DiffersError."""
    with tempfile.TemporaryDirectory() as folder:
        for path in (ROOT / "examples" / "data").iterdir():
            if path.name in text:
                shutil.copy(path, folder)
        run(text, Path(folder))
        return {name: path.read_bytes() for name in names if (path := Path(folder, name)).is_file()}


def main(names: list[str]) -> int:
    """Run pages, all of docs/ if none is named, and print which differ."""
    failed = 0
    for path in [Path(name) for name in names] or sorted((ROOT / "docs").rglob("*.md")):
        said = "ok"
        try:
            text = path.read_text(encoding="utf-8")
            made_by(text.partition("## ")[2] if path.stem.startswith("README") else text, set())
        except DiffersError as error:
            said, failed = f"DIFFERS\n{error}\n", failed + 1
        print(f"{path}: {said}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
