"""The examples print what the README says, follow the closed form, and agree with each other."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

from descend.api import fit

EXAMPLES = Path(__file__).parent.parent / "examples"

LOG = """\
epoch     0  loss 155.853       |gradient| 142.8       w=0
epoch    20  loss 10.8279       |gradient| 36.71       w=1.61569
epoch    40  loss 1.24593       |gradient| 9.436       w=2.031
epoch    60  loss 0.612845      |gradient| 2.425       w=2.13775
epoch    80  loss 0.571016      |gradient| 0.6234      w=2.16519
epoch   100  loss 0.568252      |gradient| 0.1602      w=2.17224
x = 7: y is about 15.21
x = 5: y is about 10.86
"""
MORE = {"by_hand": "", "autograd": "descend: w = 2.1722409669, plain PyTorch: w = 2.1722409669\n"}


@pytest.fixture(params=["by_hand", "autograd"])
def example(request, tmp_path, monkeypatch, capsys):
    """Run an example in an empty folder; gives its name, what it printed, its variables and its folder."""
    monkeypatch.chdir(tmp_path)
    variables = runpy.run_path(str(EXAMPLES / f"{request.param}.py"))
    return request.param, capsys.readouterr().out, variables, tmp_path


def test_an_example_prints_the_lesson_and_leaves_its_pictures(example):
    name, printed, _, folder = example
    assert printed == LOG + MORE[name]
    assert sorted(file.name for file in folder.iterdir()) == [f"{name}.png", f"{name}_data.png"]


def test_an_example_follows_the_closed_form_and_the_derived_gradient(example):
    _, _, variables, _ = example
    x, y = variables["data"]["x"], variables["data"]["y"]
    trace = variables["fit"].trace
    w = np.array([step.parameters["w"] for step in trace])
    best, curvature = np.mean(x * y) / np.mean(x * x), 2 * np.mean(x * x)
    np.testing.assert_array_equal(trace.epochs, np.arange(101))
    np.testing.assert_allclose(w, best * (1 - (1 - 0.001 * curvature) ** trace.epochs), rtol=0, atol=1e-12)
    # The loss of a step is that of the same w, not of the one before.
    np.testing.assert_allclose(trace.losses, [np.mean((y - at * x) ** 2) for at in w], rtol=1e-12)
    for gradient in ("derived", "w = mean(2*w*x*x - 2*x*y)", "autograd"):
        same = fit(
            "y ~ w*x", variables["data"], gradient=gradient, start={"w": 0.0},
            optimizer="gd", learning_rate=0.001, epochs=100,
        )  # fmt: skip
        np.testing.assert_allclose([step.parameters["w"] for step in same.trace], w, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["by_hand", "autograd"])
def test_an_example_fits_on_one_screen(name):
    assert len((EXAMPLES / f"{name}.py").read_text().splitlines()) <= 40


def test_the_command_line_generates_the_rows_of_the_lesson(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ["--column", "x=0:10:0.1", "--rows", "100", "--seed", "0", "--output", "line.csv"]
    assert run("generate", "y = 2*x + 2*uniform()", *options).code == 0
    ran = run(
        "fit",
        "y ~ w*x",
        "line.csv",
        "--start",
        "w=0",
        "--optimizer",
        "gd",
        "--learning-rate",
        "0.001",
        "--epochs",
        "100",
    )
    assert ran.code == 0 and ran.stdout.startswith("".join(LOG.splitlines(keepends=True)[:6]))
