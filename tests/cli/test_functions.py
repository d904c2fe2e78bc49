"""Models that are functions in Python files: `descend fit model.py:peak peak.csv --response y`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import descend

MODULE = """
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from neighbour import offset
from scipy.integrate import solve_ivp

@dataclass
class Settings:
    steps: int = 3

def decay(x, a, b):
    return a * np.exp(-b * x) + offset

def jac(x, a, b):
    return np.column_stack([np.exp(-b * x), -a * x * np.exp(-b * x)])

def negative(x, *p):
    return -jac(x, *p)

def solved(x, a, b):
    found = solve_ivp(lambda t, y: -b * y, (0, x.max()), [a], t_eval=x, rtol=1e-10, atol=1e-12)
    return found.y[0]

def failing(x, a, b):
    return a * x + nothing

number = 3
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    x = np.linspace(0, 5, 40)
    y = 3 * np.exp(-0.7 * x) + 0.01 * np.cos(9 * x)
    rows = zip(x.tolist(), y.tolist(), strict=True)
    (tmp_path / "decay.csv").write_text("x,y\n" + "".join(f"{one},{other}\n" for one, other in rows))
    (tmp_path / "model.py").write_text(MODULE)
    (tmp_path / "neighbour.py").write_text("offset = 0.0\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def right(folder: Path) -> Any:
    return descend.fit("y ~ a*exp(-b*x)", "decay.csv")


def test_a_traced_function_needs_no_file_to_predict(run: Callable[..., Any], folder: Path, right: Any) -> None:
    ran = run("fit", "model.py:decay", "decay.csv", "--response", "y", "--save", "decay.json", "--json")
    assert ran.code == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["parameters"] == pytest.approx(right.parameters)
    assert found["standard_errors"] == pytest.approx(right.standard_errors)
    assert (found["formula"], found["gradient"]) == ("y ~ a*exp(-b*x)", "derived")
    (folder / "model.py").unlink()
    assert float(run("predict", "decay.json", "--at", "x=1").stdout.split(",")[-1]) == pytest.approx(
        right.predict({"x": [1.0]})[0]
    )


def test_one_that_is_no_formula_is_named_to_predict(run: Callable[..., Any], folder: Path, right: Any) -> None:
    ran = run("fit", "model.py:solved", "decay.csv", "--response", "y", "--save", "decay.json", "--json")
    assert ran.code == 0, ran.stderr
    assert json.loads(ran.stdout)["parameters"] == pytest.approx(right.parameters, rel=1e-5)
    ran = run("predict", "decay.json", "decay.csv")
    assert (ran.code, ran.stderr) == (
        2,
        "DataError: `decay.json` was fitted with the Python function `solved`, which is not in the file. Name it: "
        "--model FILE.py:solved.\n",
    )
    ran = run("predict", "decay.json", "decay.csv", "--model", "model.py:solved", "--json")
    assert ran.code == 0, ran.stderr
    assert json.loads(ran.stdout)["prediction"] == pytest.approx(right.predict("decay.csv"), rel=1e-4)
    assert run("plot", "decay.json", "decay.csv", "--model", "model.py:solved", "--output", "decay.png").code == 0
    ran = run("predict", "decay.json", "decay.csv", "--model", "solved")
    assert ran.stderr == "ConfigError: `--model solved` names no function. Write --model FILE.py:NAME.\n"


def test_a_jacobian_from_a_file(run: Callable[..., Any], folder: Path, right: Any) -> None:
    words = ["fit", "model.py:decay", "decay.csv", "--response", "y", "--json", "--gradient"]
    found = json.loads(run(*words, "model.py:jac").stdout)
    assert found["gradient"] == "by_hand" and found["parameters"] == pytest.approx(right.parameters)
    found = json.loads(run(*words, "model.py:negative").stdout)
    assert found["notes"][-1] == (
        "the Jacobian by hand of a and b is wrong: it has the wrong sign, as that of the residual y - prediction. Put "
        "a minus before it. The fit used it as it is."
    )
    assert json.loads(run(*words, "numeric").stdout)["gradient"] == "numeric"


def test_optimizers_are_compared(run: Callable[..., Any], folder: Path, right: Any) -> None:
    ran = run("compare", "model.py:decay", "decay.csv", "--response", "y", "--optimizers", "lbfgs,newton", "--json")
    assert ran.code == 0, ran.stderr
    found = json.loads(ran.stdout)["optimizers"]
    for name in ("lbfgs", "newton"):
        assert found[name]["parameters"] == pytest.approx(right.parameters, rel=1e-5)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["model.py:decay", "decay.csv"], "Which column does the function predict? Say so with --response y."),
        (
            ["model.py:decoy", "decay.csv", "--response", "y"],
            "`model.py` has no `decoy`. Did you mean `decay`? It has: Settings, decay, jac, negative, solved, failing.",
        ),
        (["modle.py:decay", "decay.csv", "--response", "y"], "There is no file `modle.py`."),
        (
            ["model.py:number", "decay.csv", "--response", "y"],
            "`number` in `model.py` is no function; it is of type int.",
        ),
        (
            ["model.py", "decay.csv", "--response", "y"],
            "`model.py` is a Python file, and no function in it is named. Write `model.py:NAME`.",
        ),
        (
            ["model.py:failing", "decay.csv", "--response", "y"],
            "`failing` raised NameError: name 'nothing' is not defined.",
        ),
        (
            ["model.py:decay", "decay.csv", "--response", "y", "--gradient", "model.py:jack"],
            "`model.py` has no `jack`. Did you mean `jac`? It has: Settings, decay, jac, negative, solved, failing.",
        ),
    ],
)
def test_bad_input(words: list[str], message: str, run: Callable[..., Any], folder: Path) -> None:
    for verb in ("fit", "compare"):
        ran = run(verb, *words)
        assert (ran.code, ran.stderr) == (2, f"ConfigError: {message}\n")


def test_the_help_says_that_the_file_is_run(run: Callable[..., Any]) -> None:
    said = " ".join(run("fit", "--help").stdout.split())
    assert "Its file is run, as Python runs it: name only files you trust." in said


PARTS = """
from dataclasses import dataclass

from descend.losses import LOSSES, Loss


@LOSSES.register
@dataclass(frozen=True)
class Quartic(Loss):
    name = "quartic"
    value_text = "r^4"
    slope_text = "4*r^3"
    weight_text = "12*r^2"
"""


def imported(value: str, *words: str) -> tuple[int, str]:
    """Run a command in another process, with a value of DESCEND_IMPORT."""
    command = [sys.executable, "-m", "descend", *words]
    environment = {**os.environ, "DESCEND_IMPORT": value}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    return ran.returncode, ran.stderr


def test_parts_from_outside_are_imported_before_a_command(folder: Path) -> None:
    Path("mine.py").write_text(PARTS)
    fit = ("fit", "y ~ a*exp(-b*x)", "decay.csv", "--loss", "quartic", "--save", "m.json", "--quiet")
    for value in ("mine.py", "mine", " mine , neighbour.py"):
        assert imported(value, *fit) == (0, ""), value
    predict = ("predict", "m.json", "decay.csv", "--output", "p.csv")
    assert imported("mine", *predict)[0] == 0
    content = json.loads(Path("m.json").read_text())
    Path("kind.json").write_text(json.dumps({**content, "formula": "Waves(period=7)"}))
    for file, part in (("m.json", "the loss `quartic`, which"), ("kind.json", "a kind of model that")):
        assert imported("", "predict", file, "decay.csv") == (
            2,
            f"DataError: `{file}` was fitted with {part} is none of descend's own. Name the module or file that "
            "registers it in DESCEND_IMPORT, as in DESCEND_IMPORT=mine.py, and run the command again.\n",
        )
    Path("faulty.py").write_text("\nwrong = 1 / 0\n")
    for value, said in (
        ("other.py", "There is no file `other.py`."),
        ("other", "There is no module `other`. Name one, or a Python file."),
        ("faulty.py", "`faulty.py` failed: ZeroDivisionError: division by zero (line 2)."),
        ("faulty", "`faulty` failed: ZeroDivisionError: division by zero."),
    ):
        assert imported(value, *predict) == (2, f"ConfigError: DESCEND_IMPORT={value}: {said}\n")
