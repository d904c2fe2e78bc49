"""`explain` with a learning rate: what the descent would do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import descend
from descend.errors import ConfigError

X = np.arange(0.0, 10.0, 0.1)
LINE = {"x": X, "y": 2.0 * X + 1.0 + 0.1 * np.sin(7.0 * X)}


def lines(*arguments: Any, **options: Any) -> list[str]:
    """Return what follows the condition."""
    text = str(descend.explain(*arguments, **options)).splitlines()
    return text[next(place for place, line in enumerate(text) if "  condition" in line) + 1 :]


def test_an_unstable_rate() -> None:
    assert lines("y ~ w*x + b", {"x": X, "y": 2.0 * X + 1.0}, learning_rate=0.05) == [
        "  curvature   largest 67.17, smallest 0.4962, condition 135",
        "  stable      gd up to a learning rate of 0.02977, at best 0.02956: 1,913 epochs to the tolerance of",
        "              1e-09",
        "  asked       0.05 is unstable: J grows 5.56-fold per epoch; it overflows float32 at epoch 49 and",
        "              float64 at epoch 411",
        "  to blame    `x` has a mean of 5 and a spread of 2.9, so it resembles the intercept; standardising",
        "              (standardize=True) brings the condition from 1.4e+02 to 1, at best 1 epoch",
    ]


def test_what_it_tells_is_what_happens() -> None:
    start = {"w": 1.0, "b": -1.0}
    told = descend.explain("y ~ w*x + b", LINE, learning_rate=0.02, tolerance=1e-6, start=start).as_dict()["descent"]
    ran = descend.fit("y ~ w*x + b", LINE, optimizer="gd", learning_rate=0.02, tolerance=1e-6, start=start)
    assert told["epochs"] == pytest.approx(ran.epochs, rel=0.01) and told["exact"]
    best = descend.fit(
        "y ~ w*x + b", LINE, optimizer="gd", learning_rate=told["best_rate"], tolerance=1e-6, start=start
    )
    assert told["epochs_at_best_rate"] == pytest.approx(best.epochs, rel=0.01)
    assert told["growth"] < 1 and told["overflow_epoch"] == {"float32": None, "float64": None}
    assert told["to_blame"] == "w" and told["epochs_standardized"] < 5 < told["epochs"]


def test_the_columns_and_the_gain_of_standardising_them() -> None:
    random = np.random.default_rng(0)
    x1, x2 = random.normal(size=200), random.normal(50_000, 9_000, 200)
    data = {"x1": x1, "x2": x2, "y": 2 * x1 + 1e-4 * x2 + random.normal(size=200)}
    found = lines("y ~ w @ [x*] + b", data, learning_rate=1e-9)
    text = " ".join(line.strip() for line in found)
    assert "to blame `x2` has values around 50,000: its curvature is 2.6e+09 times that of the others" in " ".join(
        text.split()
    )
    told = descend.explain("y ~ w @ [x*] + b", data, optimizer="gd").as_dict()["descent"]
    ran = descend.fit("y ~ w @ [x*] + b", data, optimizer="gd", standardize=True, learning_rate=0.5)
    assert told["condition"] > 1e9 and told["condition_standardized"] < 1.5
    assert told["epochs_standardized"] == pytest.approx(ran.epochs, abs=1)


def test_of_a_nonlinear_model_it_says_what_is_meant() -> None:
    data = {"x": X, "y": 3.0 * np.exp(-0.4 * X) + 0.5}
    [curvature, *_] = lines("y ~ a*exp(-b*x) + c", data, start={"a": 1.0, "b": 1.0, "c": 0.0}, optimizer="momentum")
    assert curvature.startswith("  curvature   largest 2.") and "of the parabola that J" in curvature


def test_without_a_curvature_nothing_can_be_told() -> None:
    data = {"x": X, "y": X}
    found = lines("y ~ w*x + b", data, loss="absolute", optimizer="gd")
    assert found == ["  curvature   none at the start that would tell anything about the steps"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"optimizer": "adam"},
            "What `adam` will do cannot be told from the curvature alone. Explained are: gd, momentum, nesterov.",
        ),
        (
            {"learning_rate": -1.0},
            "The learning rate must be a positive number; it is -1. Use `auto` to have one chosen.",
        ),
        ({"tolerance": 0}, "The tolerance must be a positive number; it is 0."),
        ({"start": {"v": 1.0}}, "There is no parameter `v` to start. Parameters: w, b."),
    ],
    ids=str,
)
def test_refusals(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        descend.explain("y ~ w*x + b", LINE, **options)
    assert str(error.value) == message


def test_without_data_nothing_can_be_told() -> None:
    with pytest.raises(ConfigError) as error:
        descend.explain("y ~ w*x + b", learning_rate=0.1)
    assert str(error.value) == "What a descent would do depends on the data. Give some, or leave out its options."


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "line.csv"
    rows = "".join(f"{x!r},{y!r}\n" for x, y in zip(LINE["x"].tolist(), LINE["y"].tolist(), strict=True))
    path.write_text("x,y\n" + rows)
    return path


def test_on_the_command_line(run: Callable[..., Any], file: Path) -> None:
    ran = run("explain", "y ~ w*x + b", file, "--learning-rate", "0.05", "--json")
    told = json.loads(ran.stdout)["descent"]
    assert ran.code == 0 and told["overflow_epoch"]["float64"] == pytest.approx(411, abs=3)
    assert told["largest_stable_rate"] == pytest.approx(2.0 / told["largest_curvature"])
    ran = run("explain", "y ~ w*x + b", file, "--optimizer", "adam")
    assert (ran.code, ran.stdout) == (2, "")


def test_a_fit_warns_on_stderr_and_proceeds(run: Callable[..., Any], file: Path) -> None:
    given = ["fit", "y ~ w*x + b", file, "--start", "w=0,b=0", "--optimizer", "gd", "--learning-rate", "0.05"]
    ran = run(*given)
    assert ran.code == 1 and ran.stderr.startswith(
        "Warning: learning rate 0.05 is above the largest stable rate 0.0298: J will grow 5.6-fold per epoch and "
        "overflow at epoch 4"
    )
    assert ran.stderr.count("\n") == 1
    assert run(*given, "--quiet").stderr == ""
    [note] = json.loads(run(*given, "--json").stdout)["notes"]
    assert note.startswith("learning rate 0.05 is above")


def test_a_fit_shows_the_sharpness(run: Callable[..., Any], file: Path) -> None:
    given = ["fit", "y ~ w*x + b", file, "--start", "w=0,b=0", "--optimizer", "gd", "--epochs", "10", "--sharpness"]
    shown = [line for line in run(*given).stdout.splitlines() if line.startswith("epoch ")]
    assert len(shown) == 6 and all(line.endswith("  sharpness 67.17") for line in shown)
    noted = json.loads(run(*given, "--json", "--log-every", "5").stdout)["sharpness"]
    assert [each["epoch"] for each in noted] == [0, 5, 10]
    assert noted[0]["sharpness"] == pytest.approx(67.1738, abs=1e-3)


def test_a_fit_standardizes(run: Callable[..., Any], file: Path) -> None:
    ran = json.loads(run("fit", "y ~ w*x + b", file, "--optimizer", "gd", "--standardize", "--json").stdout)
    known = descend.fit("y ~ w*x + b", LINE)
    assert ran["outcome"] == "converged" and ran["epochs"] < 50
    assert ran["parameters"]["w"] == pytest.approx(known.parameters["w"], rel=1e-6)


@pytest.mark.parametrize("optimizer", ["gd", "momentum"])
def test_a_descent_in_standardised_columns(optimizer: str) -> None:
    options: dict[str, Any] = {"optimizer": optimizer, "learning_rate": 0.1, "tolerance": 1e-6, "standardize": True}
    told = descend.explain("y ~ w*x + b", LINE, **options).as_dict()["descent"]
    ran = descend.fit("y ~ w*x + b", LINE, epochs=2000, **options)
    assert told["standardized"] and told["condition"] == pytest.approx(1.0) and told["to_blame"] is None
    assert told["epochs"] == pytest.approx(ran.epochs, rel=0.02, abs=1)
    assert ", in standardised columns" in lines("y ~ w*x + b", LINE, **options)[0]


def test_what_is_no_optimizer_is_refused_as_in_a_fit():
    data = {"x": [1.0, 2.0, 3.0], "y": [2.0, 4.1, 5.9]}
    said = []
    for verb in (descend.explain, descend.fit):
        with pytest.raises(descend.ConfigError) as caught:
            verb("y ~ w*x", data, optimizer=3)
        said.append(str(caught.value))
    assert (
        said
        == [
            "An optimizer is named by text, such as `adam(beta1=0.8)`; this is a int. "
            "Optimizers of PyTorch step PyTorch modules only."
        ]
        * 2
    )
