"""Random problems: every engine and gradient source ends where NumPy with the derived gradient does."""

from __future__ import annotations

import numpy as np
import pandas
import pytest
from tests.laws.random_cases import MORE_SEEDS, SEEDS, Case, assert_alike, assert_same_parameters, case

import descend


def by_hand(problem: Case) -> list[str]:
    read = descend.derive(problem.formula, problem.data, loss=problem.options["loss"])
    return [line.removeprefix("dJ/d") for line in read.code("text").splitlines()]


def check(problem: Case, folder) -> None:
    file = str(folder / "rows.parquet")
    pandas.DataFrame(problem.data).to_parquet(file)
    first = problem.fit()
    others = {
        "torch": problem.fit(engine="torch"),
        "autograd": problem.fit(gradient="autograd"),
        "query": problem.fit(file, engine="query"),
        "by hand": problem.fit(gradient=by_hand(problem)),
    }
    if problem.curve.linear and problem.loss == "squared":
        others["moments"] = problem.fit(engine="moments")
    for name, other in others.items():
        print(name, problem.formula, problem.options)
        assert_alike(first, other)
        assert_same_parameters(first.parameters, other.parameters, first.standard_errors)
        np.testing.assert_allclose(
            list(other.standard_errors.values()), list(first.standard_errors.values()), rtol=1e-4
        )


@pytest.mark.parametrize("seed", SEEDS)
def test_engines_and_sources_agree(seed, tmp_path):
    check(case(seed), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", MORE_SEEDS)
def test_engines_and_sources_agree_on_more(seed, tmp_path):
    check(case(seed), tmp_path)


def stepwise(seed: int, folder) -> None:
    """Compare runs of a few first-order steps in batches: repeated, taken up again, and by PyTorch."""
    random = np.random.default_rng(seed)
    problem = case(seed, losses=("squared", "huber"))
    size = np.abs(problem.data["y"]).max()
    problem = problem.in_units(1.0 / size, 1.0 / problem.data["x"].max())
    how = {
        "start": {name: value * random.uniform(0.9, 1.1) for name, value in problem.truth.items()},
        "optimizer": str(random.choice(["gd", "momentum", "nesterov", "adam", "adagrad", "rmsprop"])),
        "schedule": str(random.choice(["constant", "cosine", "warmup"])),
        "batch_size": int(random.integers(5, 60)), "epochs": 8, "learning_rate": 1e-3, "l2": 0.01, "seed": seed,
    }  # fmt: skip
    whole, again = problem.fit(**how), problem.fit(**how)
    np.testing.assert_array_equal(again.theta, whole.theta)
    np.testing.assert_allclose(problem.fit(engine="torch", **how).theta, whole.theta, rtol=1e-9)
    path = str(folder / "run.json")

    def halt(step) -> None:
        if step.epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        problem.fit(checkpoint=path, on_step=halt, **how)
    resumed = problem.fit(checkpoint=path, resume=True, **how)
    np.testing.assert_array_equal(resumed.theta, whole.theta)
    assert (resumed.epochs, resumed.loss) == (whole.epochs, whole.loss)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_is_the_same_repeated_resumed_and_by_pytorch(seed, tmp_path):
    stepwise(seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", MORE_SEEDS)
def test_more_runs_are_the_same_repeated_resumed_and_by_pytorch(seed, tmp_path):
    stepwise(seed, tmp_path)
