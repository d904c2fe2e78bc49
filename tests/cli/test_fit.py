"""`descend fit`: what it prints, writes and returns."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

LESSON = ["--start", "w=0", "--optimizer", "gd", "--learning-rate", "0.001", "--epochs", "100"]
BY_HAND = ["--gradient", "w = mean(2*w*x*x - 2*x*y)"]


@pytest.fixture
def folder(tmp_path: Path, line: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = "".join(f"{x!r},{y!r}\n" for x, y in zip(line["x"].tolist(), line["y"].tolist(), strict=True))
    (tmp_path / "line.csv").write_text("x,y\n" + rows)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def logged(text: str) -> list[tuple[int, float, float]]:
    """Return epoch, loss and w of each log line."""
    lines = re.findall(r"^epoch +(\d+)  loss (\S+) +\|gradient\| \S+ +w=(\S+)$", text, re.MULTILINE)
    return [(int(epoch), float(loss), float(w)) for epoch, loss, w in lines]


@pytest.mark.parametrize("gradient", [BY_HAND, [], ["--gradient", "autograd"]], ids=["by_hand", "derived", "autograd"])
def test_the_lesson(gradient: list[str], run: Callable[..., Any], folder: Path, line: dict[str, np.ndarray]) -> None:
    if "autograd" in gradient:
        pytest.importorskip("torch")
    ran = run("fit", "y ~ w*x", "line.csv", *LESSON, *gradient)
    assert (ran.code, ran.stderr) == (0, "")
    x, y = line["x"], line["y"]
    best, bend = np.mean(x * y) / np.mean(x * x), 2 * np.mean(x * x)
    log = logged(ran.stdout)
    assert [epoch for epoch, _, _ in log] == [0, 20, 40, 60, 80, 100]
    for epoch, loss, w in log:
        exact = best * (1 - (1 - 0.001 * bend) ** epoch)
        assert w == pytest.approx(exact, rel=1e-5)
        # The loss is that of the w beside it, not of another epoch.
        assert loss == pytest.approx(np.mean((exact * x - y) ** 2), rel=1e-5)


def test_what_a_person_reads(run: Callable[..., Any], folder: Path) -> None:
    ran = run("fit", "y ~ w*x", "line.csv", *LESSON)
    report = re.sub(r"[\d.e-]+ m?s$", "0 ms", ran.stdout.partition("\n\n")[2], flags=re.MULTILINE)
    assert report == (
        "y ~ 2.172*x\n"
        "\n"
        "        value   std. error\n"
        "  w   2.17224       0.0132\n"
        "\n"
        "  loss (squared)   0.568252\n"
        "  R²               0.983731 about the mean, 0.996354 about 0\n"
        "  errors           standard errors hold at the minimum only, which this run did not reach\n"
        "  digits           `w` is known to about 2 digits at this stopping point, to at least 2 by strong\n"
        "                   convexity\n"
        "  rows             100 of line.csv\n"
        "  gradient         derived, summed by moments\n"
        "  optimizer        gd, learning rate 0.001\n"
        "  outcome          epochs used up: all 100 that were asked for, 0 ms\n"
        "                   The epochs ran out before the gradient reached zero: give more epochs or a larger\n"
        "                   rate.\n"
    )


def test_without_options_it_converges_and_says_how(run: Callable[..., Any], folder: Path) -> None:
    ran = run("fit", "y ~ w*x + b", "line.csv")
    assert ran.code == 0
    assert "  outcome          converged after " in ran.stdout
    assert re.search(r"^  note             Optimizer \w+, chosen because ", ran.stdout, re.MULTILINE)


def test_json_is_one_object_on_stdout(run: Callable[..., Any], folder: Path) -> None:
    ran = run("fit", "y ~ w*x + b", "line.csv", "--json")
    fitted = json.loads(ran.stdout)
    assert {
        "parameters", "standard_errors", "loss", "rows", "epochs", "outcome", "advice", "gradient", "optimizer",
        "engine", "seconds",
    } <= set(fitted)  # fmt: skip
    assert fitted["outcome"] == "converged"
    assert list(fitted["parameters"]) == ["w", "b"]
    assert ran.stderr.startswith("epoch     0  loss ")


def test_quiet_prints_nothing_and_writes_all(run: Callable[..., Any], folder: Path) -> None:
    ran = run("fit", "y ~ w*x", "line.csv", "--quiet", "--save", "line.json")
    assert ran == (0, "", "")
    assert json.loads((folder / "line.json").read_text())["formula"] == "y ~ w*x"


def test_files_are_written_and_said_so(run: Callable[..., Any], folder: Path) -> None:
    ran = run("fit", "y ~ w*x", "line.csv", "--save", "line.json", "--plot", "line.png")
    assert ran.stdout.endswith("Model saved to line.json\nPlot drawn to line.png\n")
    assert (folder / "line.png").read_bytes().startswith(b"\x89PNG")


def test_a_diverging_run_fails_with_its_last_finite_parameters(run: Callable[..., Any], folder: Path) -> None:
    words = ["fit", "y ~ w*x", "line.csv", "--start", "w=0", "--optimizer", "gd", "--learning-rate", "0.05"]
    ran = run(*words, "--epochs", "1000", "--json", "--save", "line.json")
    fitted = json.loads(ran.stdout, parse_constant=lambda constant: pytest.fail(f"{constant} is not JSON"))
    assert (ran.code, fitted["outcome"]) == (1, "diverged")
    assert np.isfinite(fitted["parameters"]["w"]) and fitted["epochs"] < 100
    assert "The largest stable rate at the start is 0.0305 (2/lambda_max with lambda_max = 65.67)." in fitted["advice"]
    table = run(*words)
    assert table.code == 1
    assert "outcome          diverged after" in table.stdout


def test_starts_in_one_text_and_for_vectors(run: Callable[..., Any], folder: Path) -> None:
    ran = run("fit", "y ~ w @ [x, x^2] + b", "line.csv", "--start", "w=1,2,b=3", "--epochs", "0", "--json")
    assert json.loads(ran.stdout)["parameters"] == {"w": [1.0, 2.0], "b": 3.0}


def test_several_files_are_one_table(run: Callable[..., Any], folder: Path) -> None:
    (folder / "more.csv").write_text("x,y\n1,2\n2,4\n")
    assert json.loads(run("fit", "y ~ w*x", "line.csv", "more.csv", "--json").stdout)["rows"] == 102
    assert json.loads(run("fit", "y ~ w*x", "*.csv", "--json").stdout)["rows"] == 102


@pytest.mark.parametrize(
    ("epochs", "every", "expected"),
    [
        (100, None, [0, 20, 40, 60, 80]),
        (3, None, [0, 1, 2]),
        (100, 50, [0, 50]),
        (None, None, [0, 1, 2, 5, 10, 20, 50]),
        (None, 40, [0, 40, 80]),
    ],
)
def test_when_it_logs(epochs: int | None, every: int | None, expected: list[int]) -> None:
    from itertools import takewhile

    from descend.descent.step import due_epochs

    assert list(takewhile(lambda epoch: epoch < (epochs or 100), due_epochs(epochs, every))) == expected


def test_the_live_line_shows_how_near_to_instability_a_run_is(monkeypatch: pytest.MonkeyPatch) -> None:
    from descend.cli.terminal import Live
    from descend.descent import Step

    states: list[str] = []

    class Shown:
        task_ids = (0,)

        def update(self, task: int, *, state: str, **more: Any) -> None:
            states.append(state)

    live = Live(None)
    monkeypatch.setattr(live, "_started", Shown)
    for epoch, sharpness in ((0, 57.0), (1, None)):
        step = Step(epoch, np.zeros(1), 4.0, 3.0, 0.01, 10.0 * (epoch + 1), None, None)
        step.sharpness = sharpness
        live(step)
    assert states == ["loss 4  |gradient| 3  rate 0.01  rate*curvature 0.57"] * 2


def test_rows_stay_in_their_file(run: Callable[..., Any], folder: Path) -> None:
    pytest.importorskip("ibis")
    ran = run("fit", "y ~ w*x + b", "line.csv", "--engine", "query", "--memory-limit", "512MB", "--json")
    told = json.loads(ran.stdout)
    assert (ran.code, told["engine"], told["rows"], told["outcome"]) == (0, "query", 100, "converged")


def test_a_memory_limit_that_is_none(run: Callable[..., Any], folder: Path) -> None:
    ran = run("fit", "y ~ w*x + b", "line.csv", "--memory-limit", "little")
    assert ran.code == 2
    assert "ConfigError: The memory limit must be a size such as `1GiB` or `500MB`; it is 'little'." in ran.stderr


def test_a_run_is_written_as_an_animation(run: Callable[..., Any], folder: Path) -> None:
    ran = run("fit", "y ~ w*x", "line.csv", *LESSON, "--animate", "run.html", "-q")
    assert (ran.code, ran.stdout, ran.stderr) == (0, "", "")
    assert "epoch 100 · loss" in Path("run.html").read_text(encoding="utf-8")
    ran = run("fit", "y ~ w*x", "line.csv", *LESSON, "--animate", "run.webm")
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr == "OutputError: `run.webm` cannot be animated: its ending must be one of .html, .gif, .mp4.\n"
    assert not Path("run.webm").exists()


def test_rows_are_held_out(run: Callable[..., Any], folder: Path, line: dict[str, np.ndarray]) -> None:
    ran = run("fit", "y ~ w*x", "line.csv", *LESSON, "--validation", "0.2")
    assert ran.code == 0 and re.search(r"^epoch +100  .* validation loss \S+$", ran.stdout, re.MULTILINE)
    assert "validation on 20 of 100 rows, drawn with seed 0" in ran.stdout.lower()
    options = ["--validation", "line.csv", "--patience", "5", "--keep", "best", "--json", "--save", "line.json"]
    ran = run("fit", "y ~ w*x", "line.csv", *LESSON, *options)
    told = json.loads(ran.stdout)
    assert ran.code == 0 and told["measures"]["validation_loss"] == pytest.approx(told["loss"])
    assert json.loads((folder / "line.json").read_text())["measures"] == told["measures"]
    ran = run("fit", "y ~ w*x", "line.csv", "--validation", "lines.csv")
    assert (ran.code, ran.stdout) == (2, "") and "There is no file `lines.csv`. Did you mean `line.csv`?" in ran.stderr
    ran = run("fit", "y ~ w*x", "line.csv", "--patience", "5")
    assert ran.code == 2 and (
        "--patience counts epochs without a lower validation loss, so give --validation, such as 0.2." in ran.stderr
    )
