"""`descend fit --interval`, `--sigma`, `--errors`, and `descend predict --interval`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import descend

LINE = "y ~ w*x + b"


@pytest.fixture
def folder(tmp_path: Path, line: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = "".join(f"{x!r},{y!r},{0.5 + x!r}\n" for x, y in zip(line["x"].tolist(), line["y"].tolist(), strict=True))
    (tmp_path / "line.csv").write_text("x,y,s\n" + rows)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("method", ["t", "profile", "sandwich", "bootstrap"])
def test_json_has_the_ends(method: str, run: Callable[..., Any], folder: Path) -> None:
    ran = run("fit", LINE, "line.csv", "--interval", method, "--level", "0.9", "--resamples", "100", "--json")
    fitted = json.loads(ran.stdout)
    assert (ran.code, fitted["interval"], fitted["level"]) == (0, method, 0.9)
    expected = descend.fit(LINE, "line.csv").intervals(0.9, method, resamples=100)
    for name, (low, high) in expected.items():
        assert fitted["intervals"][name] == pytest.approx([low, high], rel=1e-6)


def test_the_table_has_the_ends(run: Callable[..., Any], folder: Path) -> None:
    ran = run("fit", LINE, "line.csv", "--sigma", "s", "--level", "0.99")
    table = ran.stdout.partition("\n\n")[2].splitlines()
    assert re.fullmatch(r" +value +std\. error +low +high", table[2])
    assert re.fullmatch(r"  w +\S+ +\S+ +\S+ +\S+", table[3])
    assert "  intervals        99% by t (normal quantile)" in table
    assert "  sigma            `s`: standard deviations of the response, taken as known" in table


def test_robust_errors(run: Callable[..., Any], folder: Path) -> None:
    ran = run("fit", LINE, "line.csv", "--errors", "sandwich", "--json")
    fitted = json.loads(ran.stdout)
    assert fitted["errors"] == "sandwich"
    assert fitted["standard_errors"] == pytest.approx(descend.fit(LINE, "line.csv", errors="sandwich").standard_errors)


def test_a_fit_is_not_lost_where_there_is_no_interval(run: Callable[..., Any], folder: Path) -> None:
    ran = run("fit", LINE, "line.csv", "--l2", "0.1", "--interval", "t", "--json")
    fitted = json.loads(ran.stdout)
    assert ran.code == 0 and "intervals" not in fitted
    assert fitted["notes"][-1].startswith("There are no standard errors: a penalty pulls the parameters away")


@pytest.mark.parametrize("interval", ["confidence", "prediction"])
def test_predictions_with_ends(interval: str, run: Callable[..., Any], folder: Path) -> None:
    run("fit", LINE, "line.csv", "--save", "line.json", "--quiet")
    (folder / "new.csv").write_text("x\n1\n20\n")
    ran = run("predict", "line.json", "new.csv", "--interval", interval, "--level", "0.8")
    header, *rows = ran.stdout.splitlines()
    assert header == "x,prediction,low,high"
    band = descend.load("line.json").predict({"x": [1.0, 20.0]}, interval=interval, level=0.8)
    expected = np.column_stack([[1, 20], band.prediction, band.low, band.high])
    np.testing.assert_allclose([[float(cell) for cell in row.split(",")] for row in rows], expected)


def test_refusals(run: Callable[..., Any], folder: Path) -> None:
    run("fit", LINE, "line.csv", "--save", "line.json", "--quiet")
    (folder / "new.csv").write_text("x,low\n1,2\n")
    assert run("predict", "line.json", "new.csv", "--interval", "confidence") == (
        2, "", "ConfigError: The data have a column `low`, as the lower end of the interval would be called. Leave it "
        "out or rename it.\n",
    )  # fmt: skip
    assert run("fit", LINE, "line.csv", "--level", "95") == (
        2, "", "ConfigError: The level must be a number between 0 and 1, such as 0.95; it is 95.0.\n",
    )  # fmt: skip
    assert run("fit", LINE, "line.csv", "--interval", "profil") == (
        2, "", "ConfigError: There is no interval by `profil`. Did you mean `profile`? "
        "Known: t, profile, bootstrap, sandwich.\n",
    )  # fmt: skip
    assert run("fit", LINE, "line.csv", "--sigma", "s", "--weights", "s").code == 2
