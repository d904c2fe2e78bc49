"""`descend check`: verdicts, exit codes, and Python files of the user's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MODULE = """
import numpy as np

def forward(x, w, b):
    return w * x + b

def gradient(x, y, w, b):
    r = w * x + b - y
    return np.mean(2 * r * x), np.mean(2 * r)

def summed(x, y, w, b):
    r = w * x + b - y
    return np.sum(2 * r * x), np.mean(2 * r)

def broken(x, y, w, b):
    return w / nothing

formula = "y ~ w*x + b"
number = 3

def jac(x, w, b):
    return np.column_stack([x, np.ones_like(x)])

def turned(x, *p):
    return jac(x, *p).T
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "line.csv").write_text("x,y\n" + "".join(f"{k / 10},{k / 5 + k % 3}\n" for k in range(40)))
    (tmp_path / "mine.py").write_text(MODULE)
    (tmp_path / "bad.py").write_text("import numpy as np\n\n1 / 0\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_text_that_is_right(run: Callable[..., Any], folder: Path) -> None:
    ran = run("check", "y ~ w*x", "line.csv", "--gradient", "w = mean(2*w*x*x - 2*x*y)")
    assert ran.code == 0
    assert "The gradient is correct: proved by algebra, for all parameters and data." in ran.stdout
    assert "  w   -" in ran.stdout


def test_a_text_that_is_wrong(run: Callable[..., Any], folder: Path) -> None:
    words = ["check", "y ~ w*x + b", "line.csv", "--gradient", "w = mean(x*(w*x + b - y))", "--gradient",
             "b = mean(2*(w*x + b - y))"]  # fmt: skip
    ran = run(*words)
    assert ran.code == 1
    assert "The gradient of w is wrong." in ran.stdout
    assert "  w   2 times too small: the derivative of the square brings a factor 2. Multiply it by 2.\n" in ran.stdout
    ran = run(*words, "--json")
    found = json.loads(ran.stdout)
    assert (ran.code, found["agree"], found["proved"]) == (1, False, False)
    assert (found["parameters"]["w"]["verdict"], found["parameters"]["w"]["factor"]) == ("factor", 0.5)
    assert found["parameters"]["b"]["verdict"] == "correct"


@pytest.mark.parametrize(("name", "code", "verdict"), [("gradient", 0, "correct"), ("summed", 1, "sum_not_mean")])
@pytest.mark.parametrize("model", ["forward", "formula", None])
def test_a_python_file(
    name: str, code: int, verdict: str, model: str | None, run: Callable[..., Any], folder: Path
) -> None:
    more = ["--model", model] if model else []
    ran = run("check", f"mine.py:{name}", "line.csv", "--response", "y", "--json", *more)
    assert ran.code == code, ran.stderr
    assert json.loads(ran.stdout)["parameters"]["w"]["verdict"] == verdict


@pytest.mark.parametrize("model", ["mine.py:forward", "mine.py:formula", "y ~ w*x + b"])
def test_a_model_and_a_gradient_from_files(model: str, run: Callable[..., Any], folder: Path) -> None:
    def verdict(gradient: str) -> str:
        words = [] if model.startswith("y") else ["--response", "y"]
        ran = run("check", model, "line.csv", "--gradient", gradient, "--json", *words)
        found = json.loads(ran.stdout)["parameters"]["w"]
        assert ran.code == (found["verdict"] != "correct")
        return str(found["verdict"])

    assert verdict("mine.py:gradient") == "correct"
    assert verdict("mine.py:summed") == "sum_not_mean"
    assert verdict("mine.py:jac") == "correct"
    if model == "mine.py:forward":
        assert verdict("mine.py:turned") == "transposed"


def test_a_formula_with_a_function_from_a_file(run: Callable[..., Any], folder: Path) -> None:
    assert run("check", "y ~ w*x + b", "line.csv", "--gradient", "mine.py:gradient").code == 0
    assert run("check", "y ~ w*x + b", "line.csv", "--gradient", "mine.py:summed").code == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["y ~ w*x", "line.csv"],
            'Which gradient? Give it: --gradient "w = mean(2*x*(w*x - y))", once for each parameter.',
        ),
        (["mine.py:gradient"], "Which data? Name a file, such as line.csv."),
        (["mine.py:gradient", "line.csv"], "Which column does the function predict? Say so with --response y."),
        (
            ["mine.py:gradent", "line.csv", "--response", "y"],
            "`mine.py` has no `gradent`. Did you mean `gradient`? It has: forward, gradient, summed, broken, jac, "
            "turned.",
        ),
        (["theirs.py:gradient", "line.csv", "--response", "y"], "There is no file `theirs.py`."),
        (["bad.py:gradient", "line.csv"], "`bad.py` failed: ZeroDivisionError: division by zero (line 3)."),
        (
            ["mine.py:broken", "line.csv", "--response", "y"],
            "`broken` failed: NameError: name 'nothing' is not defined (line 16).",
        ),
        (
            ["mine.py:number", "line.csv", "--response", "y", "--gradient", "mine.py:gradient"],
            "`number` in `mine.py` is no function; it is of type int.",
        ),
        (
            ["mine.py", "line.csv", "--response", "y", "--gradient", "mine.py:gradient"],
            "`mine.py` is a Python file, and no function in it is named. Write `mine.py:NAME`.",
        ),
        (
            ["mine.py:forward", "line.csv", "--gradient", "mine.py:gradient"],
            "Which column does the function predict? Say so with --response y.",
        ),
        (
            ["y ~ w*x", "line.csv", "--gradient", "w = 1", "--model", "forward"],
            "`--model` names a model in a Python file. Write check FILE.py:GRADIENT --model NAME.",
        ),
    ],
)
def test_bad_input(words: list[str], message: str, run: Callable[..., Any], folder: Path) -> None:
    ran = run("check", *words)
    assert (ran.code, ran.stderr) == (2, f"ConfigError: {message}\n")
