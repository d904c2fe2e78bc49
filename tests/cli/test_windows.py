"""What Windows has otherwise: encodings, signals, modules, paths, files that another program holds open."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import descend
from descend.wording import command_line

ROOT = Path(__file__).resolve().parents[2]
LACKING = """
import os, signal, sys
for name in ("SIGHUP", "SIGALRM", "SIGKILL", "SIGPIPE", "SIGUSR1", "pthread_kill", "setitimer"):
    if hasattr(signal, name):
        delattr(signal, name)
for name in ("fork", "forkpty", "getuid", "geteuid", "getgid"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("resource", "fcntl", "pwd", "grp", "termios"):
    sys.modules[name] = None
"""
"""What a Python on Windows does not have, as sitecustomize."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    x = np.linspace(0.0, 4.0, 30)
    table = np.column_stack([x, 2.0 * np.exp(-x) + 0.01 * np.sin(9.0 * x)])
    np.savetxt(tmp_path / "my data.csv", table, delimiter=",", header="x,y", comments="", newline="\r\n")
    (tmp_path / "lacking").mkdir()
    (tmp_path / "lacking" / "sitecustomize.py").write_text(LACKING)
    return tmp_path


def descend_there(folder: Path, *words: str, encoding: str = "cp1252") -> subprocess.CompletedProcess[bytes]:
    """Run the command without what Windows lacks, where the console has this encoding."""
    paths = os.pathsep.join([str(folder / "lacking"), str(ROOT / "src")])
    environment = os.environ | {"PYTHONPATH": paths, "PYTHONUTF8": "0", "PYTHONIOENCODING": encoding, "COLUMNS": "120"}
    command = [sys.executable, "-m", "descend", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=300)


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "cp932"])
def test_a_fit_with_all_that_is_written(folder: Path, encoding: str) -> None:
    files = ["--save", "m.json", "--plot", "p.png", "--report", "r.html", "--checkpoint", "c.json"]
    done = descend_there(folder, "fit", "y ~ α*exp(-b*x)", "my data.csv", *files, encoding=encoding)
    said, told = done.stdout.decode(encoding), done.stderr.decode(encoding)
    assert done.returncode == 0, told
    assert "converged" in said and ("R²" in said or "R^2" in said)
    if encoding == "cp1252":  # which has no Greek
        assert "\\u03b1" in said and "Note: the encoding of this terminal" in told
    assert all((folder / name).is_file() for name in files[1::2] if name != "c.json")
    assert "α" in (folder / "m.json").read_text(encoding="utf-8") and "α" in (folder / "r.html").read_text("utf-8")
    predicted = descend_there(folder, "predict", "m.json", "my data.csv", encoding=encoding)
    assert predicted.returncode == 0 and predicted.stdout.startswith(b"x,y,prediction")


def test_the_command_that_repeats_a_fit_is_one_of_its_shell() -> None:
    words = [
        "descend",
        "fit",
        "y ~ a*exp(-b*x)",
        r"C:\my data\new.csv",
        r"D:\x.csv",
        "--bound",
        "a>0",
        "--where",
        'k="q"',
    ]
    assert command_line(words, windows=True) == (
        r'descend fit "y ~ a*exp(-b*x)" "C:\my data\new.csv" D:\x.csv --bound "a>0" --where "k=\"q\""'
    )
    assert command_line(words[:3], windows=False) == "descend fit 'y ~ a*exp(-b*x)'"


def test_a_file_that_another_program_holds_open(run: Callable[..., Any], folder: Path, monkeypatch: Any) -> None:
    def held(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied", str(target))

    fit = descend.fit("y ~ a*exp(-b*x)", folder / "my data.csv")
    (folder / "m.json").write_text("old")
    monkeypatch.setattr(Path, "replace", held)
    with pytest.raises(descend.OutputError) as refused:
        fit.save(folder / "m.json")
    assert str(refused.value) == (
        f"`{folder / 'm.json'}` cannot be written: permission denied. Close what has it open, or choose another place."
    )
    assert (folder / "m.json").read_text() == "old" and not list(folder.glob(".descend-*"))
