"""The learning-rate range test of formulas: closed forms, what it says, its picture, and mistakes."""

from __future__ import annotations

import json

import numpy as np
import pytest

import descend
from descend.errors import ConfigError

X = np.arange(1.0, 9.0)
LINE = {"x": X, "y": 2 * X}


def test_of_a_parabola_each_loss_follows_from_the_rates_before():
    test = descend.range_test("y ~ w*x", LINE, start={"w": 0.0})
    curvature = 2 * np.mean(X**2)  # J = mean((w - 2)^2 x^2)
    error = 2.0 * np.cumprod(1.0 - test.rates * curvature)
    assert test.curvature == pytest.approx(curvature)
    assert test.limit == pytest.approx(2 / curvature)
    falling = test.rates < 1 / curvature  # beyond, rounding grows too
    assert test.losses[falling] == pytest.approx((curvature / 2 * error**2)[falling], rel=1e-9, abs=1e-20)
    assert test.rates[0] == pytest.approx(test.limit / 1000)
    assert test.limit < test.diverged < 10 * test.limit
    assert test.first == pytest.approx(curvature / 2 * 4)


def test_momentum_has_a_limit_of_its_own_and_adam_none():
    momentum = descend.range_test("y ~ w*x", LINE, start={"w": 0.0}, optimizer="momentum(momentum=0.9)")
    adam = descend.range_test("y ~ w*x", LINE, start={"w": 0.0}, optimizer="adam")
    assert momentum.limit == pytest.approx(2 * 1.9 / momentum.curvature)
    assert adam.limit is None
    assert (adam.rates[0], adam.rates[-1]) == pytest.approx((1e-6, 10.0))
    assert str(adam).splitlines()[-1] == (
        "certain   nothing: the steps of adam do not follow from the curvature alone; those of gd are unstable beyond "
        "2/lambda_max = 0.03922"
    )


def test_standardised_columns_have_another_limit():
    data = {"x": X, "y": 2 * X + 1 + np.sin(X)}
    plain = descend.range_test("y ~ w*x + b", data, start={"w": 0.0, "b": 0.0})
    scaled = descend.range_test("y ~ w*x + b", data, start={"w": 0.0, "b": 0.0}, standardize=True)
    assert scaled.limit == pytest.approx(1.0)
    assert plain.limit < 0.05


def test_where_nothing_falls_it_says_so():
    test = descend.range_test("y ~ w*x", LINE, start={"w": 2.0 + 1e-12}, low=0.1, high=1.0)
    assert (test.steepest, test.lowest) == (None, None)
    assert str(test).splitlines()[1].startswith("fell      nowhere: the loss was ")


def test_what_it_says_and_draws(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "line.csv").write_text("x,y\n1,2\n2,4.1\n3,6\n4,7.9\n")
    done = run("range-test", "y ~ w*x", "line.csv", "--start", "w=0", "--plot", "rates.png")
    assert done.stdout.splitlines() == [
        "test      95 steps of gd over all rows, at rates from 0.000133 to 0.837",
        "fell      fastest at 0.00315, and until 0.0116: 29.81 to 0.004667",
        "diverged  at 0.837",
        "certain   beyond 0.1333 steps of gd over all rows are unstable at the start, where the largest curvature "
        "lambda_max is",
        "    15",
        "Plot drawn to rates.png",
    ]
    assert (tmp_path / "rates.png").stat().st_size > 10_000
    found = json.loads(run("range-test", "y ~ w*x", "line.csv", "--start", "w=0", "--json").stdout)
    assert found["largest_stable_rate"] == pytest.approx(2 / 15)
    assert len(found["rates"]) == len(found["losses"]) == 95


def test_the_picture_has_the_certain_rate():
    shown = descend.range_test("y ~ w*x", LINE, start={"w": 0.0}, batch_size=2).panel()
    names = [mark.name for mark in shown.marks]
    assert names[:3] == [
        "after the step, of a batch",
        "mean over the steps around",
        "stable up to 0.0392, by the curvature",
    ]
    assert names[3].startswith("falls fastest, ")
    assert shown.caption == (
        "At the start the largest curvature of the loss is 51: beyond the dashed line, steps over all rows move away "
        "from the minimum along it. Single batches curve otherwise, so over them it may begin earlier."
    )


@pytest.mark.parametrize(
    "options, message",
    [
        ({"steps": 3}, "A range test takes 10 steps at least, so `steps` cannot be 3."),
        (
            {"low": 1.0, "high": 0.1},
            "The rates of a range test rise from `low` to `high`, both positive: from 1 to 0.1 they do not.",
        ),
        (
            {"optimizer": "lbfgs"},
            "lbfgs has no learning rate to test. Take another optimizer, such as gd or adam.",
        ),
        (
            {"epochs": 5},
            "`epochs` has no part in a learning-rate range test, which takes single steps at rates that rise. Leave it "
            "out.",
        ),
        ({"clip": 1.0}, "`clip` is for training a PyTorch module, not for a formula or a function."),
    ],
)
def test_mistakes(options, message):
    with pytest.raises(ConfigError) as error:
        descend.range_test("y ~ w*x", LINE, **options)
    assert str(error.value) == message
