"""Narrow terminals, and terminals that do not have every letter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from descend.cli.letters import Letters


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    t = 2_459_000 + np.linspace(0.0, 3.0, 120)
    y = 1.0 - 0.02 * np.exp(-(((t - 2_459_001.12345) / 0.05) ** 2)) + 0.0005 * np.cos(40.0 * t**2)
    rows = np.column_stack([t, y, np.full(120, 0.0005)])
    np.savetxt("transit.csv", rows, fmt="%.10f", delimiter=",", header="t,y,s", comments="")
    np.savetxt("line.csv", [[1, 2.1], [2, 3.9], [3, 6.2], [4, 7.8]], delimiter=",", header="x,y", comments="")
    return tmp_path


COMMANDS = [
    ["fit", "y ~ c - d*exp(-((t-m)/w)^2)", "transit.csv", "--level", "0.9", "--sigma", "s", "--bound", "w>0.01"],
    ["fit", "y ~ w*x + b", "line.csv", "--loss", "huber(delta=1.5)", "--fix", "b=0"],
    [
        "check",
        "y ~ w*x + b",
        "line.csv",
        "--gradient",
        "w = mean(x*(w*x + b - y))",
        "--gradient",
        "b = mean(2*(w*x+b-y))",
    ],
    ["compare", "y ~ w*x + b", "line.csv", "--optimizers", "gd,lbfgs"],
    ["explain", "y ~ a*exp(b + c*x)", "line.csv"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
@pytest.mark.parametrize("columns", [10, 40, 60])
def test_tables_fit_a_narrow_terminal(run, folder, monkeypatch, words, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    told = run(*words).stdout
    long = [line for line in told.splitlines() if len(line) > max(columns, 40) and " ~ " not in line]
    assert told.count("\n") >= 4 and not long
    if "transit.csv" in words:
        assert "value        2459001.12" in told or "m   2459001.12" in told


def test_a_file_gets_the_whole_table(run, folder, monkeypatch):
    monkeypatch.delenv("COLUMNS")
    told = run(*COMMANDS[0]).stdout
    assert any("std. error" in line and "high" in line for line in told.splitlines())


def described(words: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "descend", *words]
    return subprocess.run(
        command, capture_output=True, env=os.environ | environment, encoding="ascii", timeout=60, errors="replace"
    )


def test_letters_that_a_terminal_lacks_are_told_of(folder):
    done = described(["fit", "y ~ α*x + b", "line.csv"], PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and "\\u03b1" in done.stdout and "R^2" in done.stdout
    assert done.stderr.strip() == (
        "Note: the encoding of this terminal, ascii, lacks letters, written here by their codes: \\u03b1. To see them, "
        "set PYTHONIOENCODING=utf-8, or a UTF-8 locale such as LC_ALL=C.UTF-8."
    )
    assert described(["fit", "y ~ a*x + b", "line.csv"], PYTHONIOENCODING="ascii").stderr == ""


def test_a_formula_that_the_locale_cannot_read_is_told_so(folder):
    done = described(["fit", "y ~ α*x + b", "line.csv"], LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")
    assert done.returncode == 2 and done.stderr.strip() == (
        "FormulaError: The formula has letters that the locale of this terminal, which is not UTF-8, cannot read. Set "
        "a UTF-8 locale, such as LC_ALL=C.UTF-8, or write them in Latin letters."
    )


def test_only_so_many_letters_are_named(capsys):
    letters = Letters()
    error = UnicodeEncodeError("ascii", "αβγδεζη²", 0, 8, "no letter")
    assert letters.replaced(error) == ("\\u03b1\\u03b2\\u03b3\\u03b4\\u03b5\\u03b6\\u03b7^2", 8)
    letters.tell()
    assert "\\u03b5 and 2 more." in capsys.readouterr().err
