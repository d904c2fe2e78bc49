"""The verbs beside fit: generate, derive, predict, plot, compare."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

GENERATE = ["generate", "y = 2*x + 2*uniform()", "--column", "x=0:10:0.1", "--rows", "100", "--seed", "0"]


@pytest.fixture
def folder(tmp_path: Path, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the textbook rows, and a model of them with w = 2 and b = 1 exactly."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exact.csv").write_text("id,x,y\n1,0,1\n2,1,3\n3,2,5\n4,3,7\n")
    assert run("fit", "y ~ w*x + b", "exact.csv", "--save", "exact.json").code == 0
    assert run(*GENERATE, "--output", "line.csv").stdout == "100 rows of x, y written to line.csv\n"
    return tmp_path


def test_generate_prints_csv_unless_told_where(run: Callable[..., Any], folder: Path) -> None:
    printed = run(*GENERATE)
    assert printed.code == 0
    assert printed.stdout == (folder / "line.csv").read_text()
    lines = printed.stdout.splitlines()
    assert len(lines) == 101 and lines[0] == "x,y" and lines[4].startswith("0.3,")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["y = x", "--column", "x"],
            "`--column x` cannot be read. Write a name and a range, such as --column x=0:10:0.1.",
        ),
        (["y = x", "--column", "x=0:1", "--column", "x=0:1"], "`--column` gives `x` twice. Give it once."),
        (["y = 1"], "How many rows? Give --rows 100, or a column such as x=0:10:0.1."),
    ],
)
def test_generate_refuses(words: list[str], message: str, run: Callable[..., Any]) -> None:
    ran = run("generate", *words)
    assert (ran.code, ran.stderr) == (2, f"ConfigError: {message}\n")


def test_derive(run: Callable[..., Any], folder: Path) -> None:
    whole = run("derive", "y ~ w*x")
    assert whole.code == 0
    assert "dJ/dw = mean(2*x*(w*x - y))" in whole.stdout
    assert run("derive", "y ~ w*x", "--in", "numpy").stdout == "dw = np.mean(2*x*(w*x - y))\n"
    assert json.loads(run("derive", "y ~ w*x", "--json").stdout)["gradient"]["w"]["numpy"] == "np.mean(2*x*(w*x - y))"
    # `id` is data only to those who know the table.
    assert "dJ/did" not in run("derive", "y ~ w*id", "exact.csv").stdout
    assert "dJ/did" in run("derive", "y ~ w*x*id").stdout
    assert "dJ/did" not in run("derive", "y ~ w*x*id", "--columns", "y,x,id").stdout
    assert run("derive", "y ~ w*x", "--in", "fortran").stderr == (
        "ConfigError: There is no language `fortran`. Known: text, latex, numpy, torch, sql.\n"
    )


def test_predict_at_values(run: Callable[..., Any], folder: Path) -> None:
    assert run("predict", "exact.json", "--at", "x=7").stdout == "x,prediction\n7,15\n"
    assert run("predict", "exact.json", "--at", "x=7,5").stdout == "x,prediction\n7,15\n5,11\n"
    ran = run("predict", "exact.json", "--at", "x=7", "--json")
    assert json.loads(ran.stdout)["prediction"] == [pytest.approx(15.0)]
    assert run("predict", "exact.json", "--at", "t=7").stderr == (
        "ConfigError: `--at` gives `t`, which the model does not use. Its inputs: x.\n"
    )
    assert run("predict", "exact.json").stderr == (
        "ConfigError: Predict for which rows? Give either data, such as new.csv, or values, such as --at x=7.\n"
    )


def test_predict_keeps_every_column_as_it_is(run: Callable[..., Any], folder: Path) -> None:
    # Whole numbers, a gap in a column the model does not need, quotes, Chinese.
    (folder / "new.csv").write_text('id,x,站点,z\n1001,7,"甲,乙",\n2,5,"say ""hi""",0.5\n')
    run("predict", "exact.json", "new.csv", "--output", "out.csv")
    lines = (folder / "out.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "id,x,站点,z,prediction"
    assert lines[1].startswith('1001,7,"甲,乙",,1')
    assert lines[2].startswith('2,5,"say ""hi""",0.5,1')
    assert [round(float(line.rsplit(",", 1)[1]), 6) for line in lines[1:]] == [15, 11]


def test_predict_keeps_numbers_that_no_float_holds(run: Callable[..., Any], folder: Path) -> None:
    import numpy as np

    from descend.table.writing import write_columns

    write_columns("new.parquet", {"id": np.array([2**53 + 1, 5]), "x": np.array([7.0, 5.0])})
    assert run("predict", "exact.json", "new.parquet").stdout.splitlines()[1].startswith("9007199254740993,7,1")


def test_predict_leaves_out_what_it_is_told_to(run: Callable[..., Any], folder: Path) -> None:
    (folder / "new.csv").write_text("x,site\n7,a\n,b\n5,c\n1,d\n")
    refused = run("predict", "exact.json", "new.csv")
    assert (refused.code, refused.stdout) == (2, "")
    assert "`x` has a missing value in row 2" in refused.stderr
    kept = run("predict", "exact.json", "new.csv", "--missing", "drop", "--where", "site <> 'd'")
    assert [line.split(",")[1] for line in kept.stdout.splitlines()] == ["site", "a", "c"]


def test_predict_does_not_overwrite_a_column_or_its_input(run: Callable[..., Any], folder: Path) -> None:
    (folder / "new.csv").write_text("x,prediction\n7,0\n")
    assert run("predict", "exact.json", "new.csv").stderr == (
        "ConfigError: The data have a column `prediction` already. Name the predictions otherwise, with --as.\n"
    )
    assert run("predict", "exact.json", "new.csv", "--as", "ours").stdout.startswith("x,prediction,ours\n7,0,1")
    assert run("predict", "exact.json", "line.csv", "--output", "line.csv").stderr == (
        "OutputError: `--output` would overwrite `line.csv`, which is to be read. Give another file.\n"
    )


def test_predict_says_when_the_model_is_no_good(run: Callable[..., Any], folder: Path) -> None:
    run("fit", "y ~ w*x", "line.csv", "--optimizer", "gd", "--learning-rate", "1", "--save", "bad.json")
    ran = run("predict", "bad.json", "--at", "x=1")
    assert ran.stderr.startswith("Note: the run of this model ended as diverged. The loss went from ")


def test_plot(run: Callable[..., Any], folder: Path) -> None:
    assert run("plot", "line.csv", "--x", "x", "--y", "y", "--output", "scatter.png") == (
        0,
        "Plot drawn to scatter.png\n",
        "",
    )
    assert run("plot", "exact.json", "line.csv", "--output", "model.svg").code == 0
    assert (folder / "scatter.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (folder / "model.svg").read_text()
    assert run("plot", "line.csv", "--output", "a.png").stderr == (
        "ConfigError: What is to be drawn of `line.csv`? Give two of its columns, as in --x x --y y, "
        "or a model file and data, as in `descend plot line.json line.csv`.\n"
    )
    assert run("plot", "line.csv", "--x", "x", "--output", "a.png").stderr == (
        "ConfigError: A plot of two columns needs both --x and --y.\n"
    )
    assert not (folder / "a.png").exists()


def test_compare(run: Callable[..., Any], folder: Path) -> None:
    words = ["compare", "y ~ w*x + b", "exact.csv", "--optimizers", "gd,adam(beta1=0.8, beta2=0.99),lbfgs"]
    ran = run(*words, "--plot", "losses.png")
    head, *rows = ran.stdout.partition("\n\n")[0].splitlines()
    assert head.split() == ["optimizer", "epochs", "loss", "seconds", "outcome", "parameters"]
    assert [row.split("  ")[0] for row in rows] == ["gd", "adam(beta1=0.8, beta2=0.99)", "lbfgs"]
    assert all("converged" in row and "w=2" in row for row in rows)
    assert ran.code == 0 and (folder / "losses.png").exists()
    fits = json.loads(run(*words, "--json").stdout)["optimizers"]
    assert fits["lbfgs"]["parameters"]["w"] == pytest.approx(2.0)


def test_compare_fails_if_one_fails(run: Callable[..., Any], folder: Path) -> None:
    ran = run("compare", "y ~ w*x", "line.csv", "--optimizers", "gd,lbfgs", "--learning-rate", "0.05")
    assert ran.code == 1
    assert "\ngd: The loss went from " in ran.stdout


def test_compare_names_a_misspelt_optimizer_before_any_has_run(run: Callable[..., Any], folder: Path) -> None:
    ran = run("compare", "y ~ w*x", "line.csv", "--optimizers", "gd,adm")
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.startswith("ConfigError: There is no optimizer `adm`. Did you mean `adam`?")


def test_help_names_everything_in_the_registries(run: Callable[..., Any]) -> None:
    from descend.losses import LOSSES
    from descend.optimizers import OPTIMIZERS, SCHEDULES

    words = " ".join(run("fit", "--help").stdout.split())
    for name in (*LOSSES, *OPTIMIZERS, *SCHEDULES):
        assert name in words, name


def test_version(run: Callable[..., Any]) -> None:
    from importlib.metadata import version

    assert run("--version") == (0, f"descend {version('descend')}\n", "")
