"""Random problems: J, its minimum, the errors, predictions and derivatives are what plain NumPy and SciPy compute."""

from __future__ import annotations

import re
from collections.abc import Mapping

import duckdb
import numpy as np
import pandas
import pytest
import torch
from scipy import optimize
from tests.laws.random_cases import MORE_SEEDS, SEEDS, Case, assert_alike, assert_same_parameters, case

import descend


def flat(parameters: Mapping[str, float]) -> np.ndarray:
    return np.array(list(parameters.values()))


def is_lowest(problem: Case) -> None:
    """J is that of its definition, and SciPy finds none lower from there."""
    fit = problem.fit()
    assert fit.outcome == "converged"
    names, best, errors = list(fit.parameters), flat(fit.parameters), flat(fit.standard_errors)
    mine = problem.mean_loss(fit.parameters)
    size = float(np.average(np.abs(problem.data["y"]), weights=problem.omega))
    rounding = 1e-14 * (size if problem.loss == "poisson" else size * np.sqrt(abs(mine)))
    assert fit.loss == pytest.approx(mine, rel=1e-10, abs=10.0 * rounding)

    def moved(step: np.ndarray) -> float:
        with np.errstate(all="ignore"):
            value = problem.mean_loss(dict(zip(names, best + step * errors, strict=True))) / abs(mine)
        return value if np.isfinite(value) else 1e30

    found = optimize.minimize(moved, np.zeros(len(best)), method="Nelder-Mead", options={"fatol": 1e-14})
    assert found.fun * abs(mine) >= mine - 1e-9 * abs(mine) - 10.0 * rounding


def has_its_errors(problem: Case) -> None:
    """Standard errors of least squares are those of the tangent, by central differences."""
    fit = problem.fit(errors="model")
    best, names = flat(fit.parameters), list(fit.parameters)
    steps = np.diag(1e-4 * np.abs(best))

    def at(theta: np.ndarray) -> np.ndarray:
        return problem.predicted(dict(zip(names, theta, strict=True)))

    jacobian = np.stack([(at(best + h) - at(best - h)) / (2.0 * h.max()) for h in steps], axis=1)
    root = np.sqrt(problem.omega)
    rest = root * (problem.data["y"] - at(best))
    scale = np.sqrt(np.square(jacobian * root[:, None]).sum(axis=0))
    inverse = np.linalg.inv((jacobian * root[:, None] / scale).T @ (jacobian * root[:, None] / scale))
    expected = np.sqrt(inverse.diagonal() * (rest @ rest) / (len(rest) - len(best))) / scale
    np.testing.assert_allclose(flat(fit.standard_errors), expected, rtol=1e-4)
    low, high = (fit.predict(problem.data, interval="confidence") for _ in range(2))
    assert (low.low <= high.high).all()


def keeps_to_its_constraints(problem: Case) -> None:
    """A fixed value, a bound out of the way and a tie end where the same written out does."""
    fit = problem.fit()
    names = list(fit.parameters)
    if len(names) < 2:
        return
    first, second = names[:2]
    best, far = fit.parameters[first], 60.0 * fit.standard_errors[first]
    bounded = problem.fit(bounds={first: (best - far, best + far)})
    assert_alike(fit, bounded)
    fixed = problem.fit(fix={first: best})
    assert_alike(fit, fixed)
    written = problem.fit(formula=re.sub(rf"\b{first}\b", f"({best!r})", problem.formula))
    assert_same_parameters(fixed.standard_errors | {first: 0.0}, written.standard_errors | {first: 0.0},
                           fixed.standard_errors | {first: 0.0})  # fmt: skip
    times = float(f"{fit.parameters[second] / best:.12g}")
    tied = problem.fit(ties=[f"{second} = {times!r}*{first}"])
    assert_alike(fit, tied, rel=1e-6)


def says_the_same_elsewhere(problem: Case, folder) -> None:
    """A model that was saved, or exported as SQL, Python or PyTorch, predicts what the fit does."""
    fit = problem.fit()
    new = {"x": np.linspace(problem.data["x"].min(), problem.data["x"].max(), 40)}
    expected = problem.predicted(fit.parameters, new["x"])
    size = 1e-11 * np.abs(expected).max()
    fit.save(folder / "model.json")
    loaded = descend.load(folder / "model.json")
    np.testing.assert_array_equal(loaded.predict(new), fit.predict(new))
    assert (str(loaded.outcome), loaded.loss, loaded.notes) == (str(fit.outcome), fit.loss, fit.notes)
    connection = duckdb.connect()
    connection.register("data", pandas.DataFrame(new))
    space: dict = {}
    exec(fit.export("python"), space)
    exec(fit.export("torch"), space)
    module = next(each for each in space.values() if isinstance(each, type) and issubclass(each, torch.nn.Module))()
    said = {
        "fit": fit.predict(new),
        "sql": connection.sql(fit.export("sql")).fetchnumpy()["prediction"],
        "python": space["predict"](**new),
        "torch": module(torch.tensor(new["x"])).detach().numpy(),
    }
    for name, values in said.items():
        np.testing.assert_allclose(np.broadcast_to(values, (40,)), expected, rtol=1e-11, atol=size, err_msg=name)


def is_derived(problem: Case) -> None:
    """The derivatives printed as NumPy, PyTorch and SQL are those by differences."""
    read = descend.derive(problem.formula, problem.data, loss=problem.options["loss"])
    at = {name: problem.truth[name] * 1.03 for name in read.formula.parameters}
    plain = Case(problem.curve, problem.truth, problem.data, problem.loss, problem.setting, None)
    expected = []
    for name, value in at.items():
        step = 1e-5 * abs(value)
        up, down = (plain.mean_loss(at | {name: value + way * step}) for way in (1.0, -1.0))
        expected.append((up - down) / (2.0 * step))
    space = {"np": np, **problem.data, **at}
    exec(read.code("numpy"), space)
    tensors = {name: torch.tensor(column, dtype=torch.float64) for name, column in (problem.data | at).items()}
    inside = {"torch": torch, **tensors}
    exec(read.code("torch"), inside)
    connection = duckdb.connect()
    connection.register("data", pandas.DataFrame(problem.data))
    sql = read.code("sql")
    row = connection.execute(sql, {name: value for name, value in at.items() if f"${name}" in sql}).fetchone()
    mine = [float(space[f"d{name}"]) for name in at]
    scale = np.abs(np.array(mine) * flat(at))
    np.testing.assert_allclose(mine * flat(at), expected * flat(at), rtol=1e-4, atol=1e-5 * scale.max())
    np.testing.assert_allclose([float(inside[f"d{name}"]) for name in at], mine, rtol=1e-9)
    np.testing.assert_allclose(np.array(row, dtype=float), mine, rtol=1e-9)


def check(seed: int, folder) -> None:
    problem = case(seed)
    is_lowest(problem)
    keeps_to_its_constraints(problem)
    says_the_same_elsewhere(problem, folder)
    is_derived(case(seed, most=100))
    has_its_errors(case(seed, losses=("squared",)))


@pytest.mark.parametrize("seed", SEEDS)
def test_answers_are_those_computed_anew(seed, tmp_path):
    check(seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", MORE_SEEDS)
def test_more_answers_are_those_computed_anew(seed, tmp_path):
    check(seed, tmp_path)
