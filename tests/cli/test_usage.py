"""Commands that are wrong themselves: what is said, and what is suggested."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import descend

Run = Callable[..., Any]


@pytest.fixture
def data(tmp_path: Path, line: dict[str, np.ndarray]) -> Path:
    path = tmp_path / "line.csv"
    np.savetxt(path, np.column_stack([line["x"], line["y"]]), delimiter=",", header="x,y", comments="")
    return path


@pytest.mark.parametrize(
    ("verb", "given", "meant"),
    [
        ("fit", "--lr", "--learning-rate"),
        ("fit", "--iterations", "--epochs"),
        ("fit", "--max-iter", "--epochs"),
        ("fit", "--max_iter", "--epochs"),
        ("fit", "--loss-function", "--loss"),
        ("fit", "--family", "--loss"),
        ("fit", "--group", "--by"),
        ("fit", "--learning_rate", "--learning-rate"),
        ("fit", "--optimzer", "--optimizer"),
        ("fit", "-o", "--save"),
        ("predict", "-o", "--output"),
        ("compare", "--optimizer", "--optimizers"),
    ],
)
def test_an_option_called_otherwise_elsewhere_is_suggested(verb: str, given: str, meant: str, run: Run) -> None:
    ran = run(verb, "y ~ w*x", "line.csv", given, "0.1")
    assert (ran.code, ran.stdout, ran.stderr) == (
        2,
        "",
        f"UsageError: There is no option `{given}`. Did you mean `{meant}`?\n"
        f"`descend {verb} --help` lists what it takes.\n",
    )


def test_nothing_is_suggested_at_random(run: Run) -> None:
    for given in ("--foo", "-x"):
        ran = run("fit", "y ~ w*x", "line.csv", given, "1")
        assert ran.stderr.startswith(f"UsageError: There is no option `{given}`.\n")


def test_a_command_without_a_verb_shows_the_help(run: Run) -> None:
    ran = run()
    assert ran.code == 2
    assert (ran.stdout + ran.stderr).startswith("Usage: descend [OPTIONS] COMMAND [ARGS]...\n")
    assert "lists what it takes" not in ran.stdout + ran.stderr


@pytest.mark.parametrize("given", ["w=1 b=-500", "w=1; b=-500", "w = 1 b = -500"])
def test_starting_values_without_commas_are_told_where_commas_go(given: str, run: Run) -> None:
    ran = run("fit", "y ~ w*x + b", "line.csv", "--start", given)
    assert (ran.code, ran.stdout, ran.stderr) == (
        2,
        "",
        f"ConfigError: `--start {given}` cannot be read. Put commas between: `--start w=1,b=-500`.\n",
    )


def test_formula_and_data_in_each_others_place(run: Run) -> None:
    ran = run("fit", "line.csv", "y ~ w*x")
    assert (ran.code, ran.stderr) == (
        2,
        "ConfigError: The formula comes first, then the data: give `y ~ w*x` before `line.csv`.\n",
    )


def test_every_suggestion_is_an_option_of_some_verb() -> None:
    import typer.main

    from descend.cli.main import app
    from descend.cli.usage import OF_COMMANDS

    verbs = typer.main.get_command(app).commands.values()  # type: ignore[attr-defined]
    options = {option for verb in verbs for parameter in verb.params for option in parameter.opts}
    assert set(OF_COMMANDS) <= options


def test_a_warning_is_printed_once(run: Run, data: Path) -> None:
    ran = run("fit", "y ~ w*x", data, "--learning-rate", "0.1", "--epochs", "3", "--start", "w=0")
    warning = "earning rate 0.1 is above the largest stable rate"
    assert (ran.stderr.count(warning), ran.stdout.count(warning)) == (1, 0)
    ran = run("fit", "y ~ w*x", data, "--learning-rate", "0.1", "--epochs", "3", "--start", "w=0", "--json")
    assert (ran.stderr.count(warning), ran.stdout.count(warning)) == (1, 1)


@pytest.mark.parametrize(
    ("option", "given", "meant"),
    [
        ("--loss", "mse", "squared"),
        ("--loss", "MAE", "absolute"),
        ("--loss", "bce", "logistic"),
        ("--optimizer", "sgd", "gd"),
        ("--optimizer", "LM", "levenberg_marquardt"),
        ("--optimizer", "L-BFGS", "lbfgs"),
    ],
)
def test_a_part_called_otherwise_elsewhere_is_suggested(
    option: str, given: str, meant: str, run: Run, data: Path
) -> None:
    ran = run("fit", "y ~ w*x", data, option, given)
    assert ran.code == 2
    assert f"There is no {option[2:]} `{given}`. Did you mean `{meant}`? Known: " in ran.stderr


def test_no_alias_of_a_part_is_the_name_of_another() -> None:
    from descend.losses import LOSSES
    from descend.optimizers import OPTIMIZERS

    for registry in (LOSSES, OPTIMIZERS):
        assert not {name for part in registry for name in registry[part].aliases.split()} & {*registry}


def test_a_column_named_without_its_unit(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("t [min],c (mol)\n0,1\n1,0.5\n2,0.3\n")
    assert "converged" in run("fit", "c ~ a*exp(-k*t)", tmp_path / "t.csv").stdout
    ran = run("fit", "C ~ a*exp(-k*t)", tmp_path / "t.csv")
    assert "`C` is on the left of `~` but is not a column. Did you mean `c (mol)`?" in ran.stderr


def test_values_that_cannot_be_read_are_told_with_an_example_of_values(run: Run, data: Path, tmp_path: Path) -> None:
    assert run("fit", "y ~ w*x", data, "--save", tmp_path / "model.json").code == 0
    ran = run("predict", tmp_path / "model.json", "--at", "x=0:5:1")
    assert (ran.code, ran.stderr) == (
        2,
        "ConfigError: `--at x=0:5:1` cannot be read. Write a name and a number, such as `--at x=7,5`.\n",
    )


def test_the_name_of_a_quasi_family_leads_to_its_loss(run: Run, data: Path) -> None:
    ran = run("fit", "y ~ w*x", data, "--loss", "quasipoisson")
    assert ran.stderr.startswith("ConfigError: There is no loss `quasipoisson`. Did you mean `poisson`? Known:")


def test_python_and_the_command_line_each_spell_options_their_own_way(run: Run, data: Path) -> None:
    from descend.options.request import OPTIONS
    from descend.wording import COMMAND_LINE, spell

    for key, option in OPTIONS.items():
        assert spell(key) == f"`{key}`" and spell(key, "a b") == f'{key}="a b"'
        assert COMMAND_LINE.spell(key, "a b") == f'{option.spelled} "a b"'
    asked = "Resume from which run? Name its file with "
    assert run("fit", "y ~ w*x", data, "--resume").stderr == f"ConfigError: {asked}--checkpoint.\n"
    with pytest.raises(descend.ConfigError) as refused:
        descend.fit("y ~ w*x", data, resume=True)
    assert str(refused.value) == f"{asked}`checkpoint`."
