"""`--watch`: a picture in the terminal, moving on a terminal and still elsewhere."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("plotext", reason="plotext is not installed")
LESSON = [
    "fit",
    "y ~ w*x",
    "line.csv",
    "--start",
    "w=0",
    "--optimizer",
    "gd",
    "--learning-rate",
    "0.001",
    "--epochs",
    "100",
]


@pytest.fixture
def folder(tmp_path: Path, line: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = "".join(f"{x!r},{y!r}\n" for x, y in zip(line["x"].tolist(), line["y"].tolist(), strict=True))
    (tmp_path / "line.csv").write_text("x,y\n" + rows)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_in_a_pipe_the_end_is_drawn_once_without_codes(run: Callable[..., Any], folder: Path) -> None:
    ran = run(*LESSON, "--watch")
    assert (ran.code, ran.stderr) == (0, "")
    assert "\x1b" not in ran.stdout and ran.stdout.count("┌") == 2
    assert ran.stdout.count("epoch 100 loss 0.568252") == 1
    assert "⠁" in ran.stdout or "⢀" in ran.stdout
    assert "w   2.17224" in ran.stdout


def test_with_json_the_picture_goes_to_stderr(run: Callable[..., Any], folder: Path) -> None:
    ran = run(*LESSON, "--watch", "--json")
    assert ran.stdout.startswith("{") and "epoch 100 loss 0.568252" in ran.stderr


def test_several_inputs_are_drawn_as_predicted_against_observed(run: Callable[..., Any], folder: Path) -> None:
    rows = "".join(f"{a},{b},{a - 2 * b}\n" for a, b in np.random.default_rng(0).normal(size=(50, 2)).tolist())
    Path("plane.csv").write_text("a,b,y\n" + rows)
    ran = run("fit", "y ~ w @ [a, b]", "plane.csv", "--watch")
    assert ran.code == 0 and "predicted against observed" in ran.stdout


@pytest.mark.parametrize(("more", "other"), [(["--quiet"], "--quiet"), (["--log-every", "5"], "--log-every")])
def test_it_takes_the_place_of_the_log(run: Callable[..., Any], folder: Path, more: list[str], other: str) -> None:
    ran = run(*LESSON, "--watch", *more)
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr == (
        f"ConfigError: `--watch` draws in the place of the log, so it does not go with `{other}`. Drop one of them.\n"
    )


def test_without_plotext_it_says_what_to_install(
    run: Callable[..., Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "plotext", None)
    ran = run(*LESSON, "--watch")
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr == (
        'ConfigError: `--watch` draws with plotext, which is not installed: pip install "descend[watch]".\n'
    )


@pytest.mark.slow
def test_on_a_terminal_a_run_that_was_over_at_once_is_shown_again(folder: Path) -> None:
    master, slave = pty.openpty()
    place = {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
    command = [sys.executable, "-m", "descend", *LESSON, "--watch"]
    with subprocess.Popen(command, stdout=slave, stderr=slave, stdin=slave, env=os.environ | place) as process:
        os.close(slave)
        seen = b""
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:  # the other end is gone
                break
            if not part:
                break
            seen += part
    os.close(master)
    text = seen.decode(errors="replace")
    assert process.returncode == 0
    assert text.count("epoch 100 loss") >= 1 and len({part[:4] for part in text.split("epoch ")[1:]}) > 20
    assert "\x1b[" in text and "2.17224" in text
