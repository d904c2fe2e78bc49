"""Bad input: one clear message on stderr, exit code 2, no traceback, nothing written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from descend.formula.functions import FUNCTIONS
from descend.optimizers import OPTIMIZERS

FILES: dict[str, str | bytes] = {
    "line.csv": "x,y\n0,1\n1,3\n2,5\n3,7.5\n",
    "empty.csv": "",
    "head.csv": "x,y\n",
    "binary.csv": bytes(range(256)) * 20,
    "ragged.csv": "x,y\n1,2\n3\n4,5,6\n",
    "text.csv": "x,y,site\n1,2,north\n2,3,south\n3,4,east\n",
    "null.csv": "x,y\n1,2\n2,\n3,\n",
    "nan.csv": "x,y\n1,2\n2,nan\n3,4\n",
    "inf.csv": "x,y\n1,2\n2,inf\n3,4\n",
    "one.csv": "x,y\n1,2\n",
    "constant.csv": "x,y\n1,2\n1,3\n1,4\n",
    "price.csv": "price,weight\n1,2\n2,3\n3,5\n",
}
KNOWN = ", ".join(FUNCTIONS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    monkeypatch.chdir(tmp_path)
    return tmp_path


CASES: dict[str, tuple[list[str], str]] = {
    "missing file": (["y ~ w*x", "lime.csv"], "DataError: There is no file `lime.csv`. Did you mean `line.csv`?"),
    "empty file": (["y ~ w*x", "empty.csv"], "DataError: `empty.csv` is empty. Give a file with a header and rows."),
    "header only": (
        ["y ~ w*x", "head.csv"],
        "DataError: `head.csv` has a header but no rows. Give a file with at least one row.",
    ),
    "binary file": (
        ["y ~ w*x", "binary.csv"],
        "DataError: `binary.csv` is not text: it holds NUL bytes, as binary files do. Save it as CSV, Parquet or JSON.",
    ),
    "ragged file": (
        ["y ~ w*x", "ragged.csv"],
        "DataError: Line 3 of `ragged.csv` has 1 cell, but its header has 2. "
        "Correct that line, or put cells that hold a delimiter in double quotes.",
    ),
    "text column": (
        ["y ~ w*site", "text.csv"],
        "DataError: `site` in text.csv is text: row 1 holds 'north'. Use a column of numbers, such as 0 and 1; "
        "for categories, write u[site] in a formula: a parameter for each of them.",
    ),
    "formula stops short": (
        ["y ~ w*x +", "line.csv"],
        "FormulaError: The formula stops short: something must follow here.\n    y ~ w*x +\n             ^\n"
        "Complete it, for example `y ~ w*x + b`.",
    ),
    "open bracket": (
        ["y ~ (w*x", "line.csv"],
        "FormulaError: This `(` is never closed.\n    y ~ (w*x\n        ^\nAdd `)` where it ends.",
    ),
    "unknown function": (
        ["y ~ w*foo(x)", "line.csv"],
        f"FormulaError: There is no function `foo`.\n    y ~ w*foo(x)\n          ^^^\nKnown: {KNOWN}.",
    ),
    "dunder": (
        ["y ~ w*__import__", "line.csv"],
        "FormulaError: `__import__` is not a name a formula can use: it begins with two underscores.\n"
        "    y ~ w*__import__\n          ^^^^^^^^^^\nIf it is a column, rename it.",
    ),
    "10,000 brackets": (
        ["y ~ " + "(" * 10_000 + "w*x" + ")" * 10_000, "line.csv"],
        "FormulaError: The formula is nested more than 40 deep.\n"
        f"    ...{'(' * 61}...\n{' ' * 47}^\nSimplify it, or split it into columns of the data.",
    ),
    "parameter named like a function": (
        ["y ~ a*exp(-log*x) + c", "line.csv"],
        "FormulaError: `log` is a built-in function, so it cannot be a parameter.\n"
        "    y ~ a*exp(-log*x) + c\n               ^^^\nRename it, for example `log_`.",
    ),
    "misspelt column": (
        ["price ~ a*wieght + b", "price.csv"],
        "FormulaError: `wieght` is not a column; did you mean `weight`?\n"
        "    price ~ a*wieght + b\n              ^^^^^^\n"
        "If it is a parameter, give it a start: --start wieght=1.",
    ),
    "no parameters": (
        ["y ~ x + 1", "line.csv"],
        "FormulaError: There is nothing to fit: every name here is a column or a constant.\n"
        "    y ~ x + 1\n        ^^^^^\nAdd a parameter, for example `y ~ w*x`.",
    ),
    "null": (
        ["y ~ w*x", "null.csv"],
        "DataError: In null.csv, `y` has 2 missing values, the first in row 2. "
        "Correct them, or leave such rows out with --missing drop.",
    ),
    "one row": (["y ~ w*x", "one.csv"], "DataError: one.csv has one row of data. A fit needs at least two."),
    "more parameters than rows": (
        ["y ~ a + b*x + c*x^2 + d*x^3 + f*x^4", "line.csv"],
        "DataError: 5 parameters (a, b, c, d, f) cannot be determined from 4 rows of line.csv. "
        "Give more rows, use fewer parameters, or add a penalty with --l2.",
    ),
    "constant column": (
        ["y ~ w*x + b", "constant.csv"],
        "DataError: `x` is 1 in every row of constant.csv, so the 2 parameters (w, b) cannot be told apart. "
        "Use data in which `x` varies.",
    ),
    "learning rate zero": (
        ["y ~ w*x", "line.csv", "--learning-rate", "0"],
        "ConfigError: The learning rate must be a positive number; it is 0. Use `auto` to have one chosen.",
    ),
    "learning rate negative": (
        ["y ~ w*x", "line.csv", "--learning-rate", "-0.1"],
        "ConfigError: The learning rate must be a positive number; it is -0.1. Use `auto` to have one chosen.",
    ),
    "learning rate NaN": (
        ["y ~ w*x", "line.csv", "--learning-rate", "nan"],
        "ConfigError: The learning rate must be a positive number; it is nan. Use `auto` to have one chosen.",
    ),
    "epochs negative": (
        ["y ~ w*x", "line.csv", "--epochs", "-1"],
        "ConfigError: The number of epochs must be a whole number, 0 or more; it is -1.",
    ),
    "epochs not whole": (
        ["y ~ w*x", "line.csv", "--epochs", "1.5"],
        "ConfigError: `--epochs` takes a whole number; it was given `1.5`.",
    ),
    "penalty not a number": (
        ["y ~ w*x", "line.csv", "--l2", "much"],
        "ConfigError: The l2 penalty must be a number, 0 or more, or `auto`; it is 'much'.",
    ),
    "log lines": (
        ["y ~ w*x", "line.csv", "--log-every", "0"],
        "ConfigError: The number of epochs between log lines must be a whole number, 1 or more; it is 0.",
    ),
    "start for an unknown parameter": (
        ["y ~ w*x", "line.csv", "--start", "v=0"],
        "ConfigError: There is no parameter `v` to start. Parameters: w.",
    ),
    "start without a value": (
        ["y ~ w*x", "line.csv", "--start", "w"],
        "ConfigError: `--start w` cannot be read. Write a name and a number, such as `--start w=0`.",
    ),
    "start twice": (
        ["y ~ w*x", "line.csv", "--start", "w=1", "--start", "w=2"],
        "ConfigError: `--start` gives `w` twice. Give it once.",
    ),
    "what a sigma of two sides does not go with": (
        ["y ~ w*x", "line.csv", "--sigma", "x,y", "--x-sigma", "x=0.1"],
        "ConfigError: --x-sigma does not go with a --sigma of two sides: errors of inputs go with errors of the "
        "response that are alike to both sides. Leave out one of the two.",
    ),
    "unknown optimizer": (
        ["y ~ w*x", "line.csv", "--optimizer", "adm"],
        f"ConfigError: There is no optimizer `adm`. Did you mean `adam`? Known: {', '.join(OPTIMIZERS)}.",
    ),
    "folder that is not there": (
        ["y ~ w*x", "line.csv", "--save", "models/line.json"],
        "OutputError: `models/line.json` cannot be written: the folder `models` does not exist. Create it first.",
    ),
    "output is a folder": (
        ["y ~ w*x", "line.csv", "--save", "."],
        "OutputError: `.` is a folder, so no file can be written there. Give a file name inside it.",
    ),
    "output is the data": (
        ["y ~ w*x", "*.csv", "--save", "./line.csv"],
        "OutputError: `--save` would overwrite `./line.csv`, which is to be read. Give another file.",
    ),
    "one file for two outputs": (
        ["y ~ w*x", "line.csv", "--save", "a.png", "--plot", "./a.png"],
        "OutputError: `--save` and `--plot` both write `./a.png`. Give each a file of its own.",
    ),
    "picture of no known kind": (
        ["y ~ w*x", "line.csv", "--plot", "line.bmp"],
        "OutputError: `line.bmp` cannot be drawn: its ending must be one of .png, .svg, .pdf, .eps, .jpg, .jpeg.",
    ),
}


@pytest.mark.parametrize("name", ["null.csv", "nan.csv", "inf.csv"])
def test_gaps_are_named_by_column_and_row(name: str, run: Callable[..., Any], folder: Path) -> None:
    ran = run("fit", "y ~ w*x", name)
    assert ran.code == 2
    assert ran.stderr.startswith(f"DataError: In {name}, `y` has ")
    assert "row 2" in ran.stderr


@pytest.mark.parametrize("case", CASES)
def test_one_message_and_nothing_written(case: str, run: Callable[..., Any], folder: Path) -> None:
    words, message = CASES[case]
    outputs = [] if "--save" in words or "--plot" in words else ["--save", "m.json", "--plot", "m.png"]
    before = sorted(folder.iterdir())
    ran = run("fit", *words, *outputs)
    assert ran.stderr == message + "\n"
    assert (ran.code, ran.stdout) == (2, "")
    assert sorted(folder.iterdir()) == before
    assert (folder / "line.csv").read_text() == FILES["line.csv"]


def test_a_place_that_cannot_be_written_is_refused_before_the_data_are_read(
    run: Callable[..., Any], folder: Path
) -> None:
    ran = run("fit", "y ~ w*x", "lime.csv", "--save", "nowhere/line.json")
    assert ran.stderr.startswith("OutputError: `nowhere/line.json` cannot be written")


@pytest.mark.parametrize(
    ("words", "says", "where"),
    [
        (["fit", "y ~ w*x"], "DATA", "descend fit"),
        (["fit", "y ~ w*x", "line.csv", "--epoch", "3"], "--epochs", "descend fit"),
        (["fitt"], "'fitt'", "descend"),
    ],
)
def test_wrong_usage(words: list[str], says: str, where: str, run: Callable[..., Any], folder: Path) -> None:
    ran = run(*words)
    first, second = ran.stderr.splitlines()
    assert (ran.code, ran.stdout) == (2, "")
    assert first.startswith("UsageError: ") and says in first
    assert second == f"`{where} --help` lists what it takes."


@pytest.mark.parametrize("case", ["missing file", "10,000 brackets"])
def test_in_a_process_of_its_own(case: str, run: Callable[..., Any], folder: Path) -> None:
    words, message = CASES[case]
    ran = run("fit", *words, process=True)
    assert (ran.code, ran.stdout, ran.stderr) == (2, "", message + "\n")


def test_a_bug_is_called_one(run: Callable[..., Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from descend import api

    def broken(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(api, "fit", broken)
    ran = run("fit", "y ~ w*x", "line.csv")
    assert ran.code == 1
    assert ran.stderr == (
        "ZeroDivisionError: division by zero\n"
        "This is a bug in descend. Please report it with the command that led here; "
        "DESCEND_DEBUG=1 before the command shows where it happened.\n"
    )
    monkeypatch.setenv("DESCEND_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        run("fit", "y ~ w*x", "line.csv")
