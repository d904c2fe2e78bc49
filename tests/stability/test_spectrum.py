"""What the curvature says before the first step, held against what runs then do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import descend
from descend.descent.beginning import Beginning
from descend.optimizers import OPTIMIZERS
from descend.options.request import Request
from descend.problem.posing import pose
from descend.stability import spectrum
from descend.stability.culprit import culprit_of, standardised
from descend.stability.lanczos import lanczos
from descend.stability.spectrum import DENSE
from descend.starts.choice_of_start import begin
from descend.table import open_table

FAMILY = ["gd", "momentum", "momentum(momentum=0.5)", "nesterov", "nesterov(momentum=0.3)"]
FORMULA = "y ~ w @ [x*] + b"


def quadratic(seed: int) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return a table and a start: one to five columns of unlike sizes, far from 0 or not, with little noise or much."""
    random = np.random.default_rng(seed)
    count = random.integers(1, 6)
    X = random.normal(size=(150, count)) * 10 ** random.uniform(-0.7, 0.5, size=count)
    X += random.normal(size=count) * random.integers(0, 2)
    y = X @ random.normal(size=count) + 3.0 + random.choice([0.0, 0.1, 1.0]) * random.normal(size=150)
    data = {f"x{place}": column for place, column in enumerate(X.T)} | {"y": y}
    return data, {"w": random.normal(size=count), "b": 0.5}


def began(formula: str, data: dict[str, Any], **options: Any) -> Beginning:
    request = Request(model=formula, **options)
    return begin(pose(request, open_table(data)), request)


def posed(seed: int) -> Beginning:
    data, start = quadratic(seed)
    return began(FORMULA, data, start=start)


def spectrum_of(beginning: Beginning) -> Any:
    return spectrum.spectrum_of(beginning.problem, beginning.first)


@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize("seed", range(3))
def test_the_stable_limit_is_that_of_actual_runs(name: str, seed: int) -> None:
    data, start = quadratic(seed)
    limit = spectrum_of(posed(seed)).stable_limit(OPTIMIZERS.build(name))

    def grows(rate: float) -> bool:
        fitted = descend.fit(FORMULA, data, start=start, optimizer=name, learning_rate=rate, epochs=600)
        return bool(fitted.trace[-1].loss > fitted.trace[0].loss)

    low, high = 0.9 * limit, 1.1 * limit
    assert grows(high) and not grows(low)
    for _ in range(4):
        middle = (low + high) / 2.0
        low, high = (low, middle) if grows(middle) else (middle, high)
    assert limit == pytest.approx((low + high) / 2.0, rel=0.02)


@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize("seed", range(5))
def test_the_predicted_epochs_are_those_of_actual_runs(name: str, seed: int) -> None:
    data, start = quadratic(seed)
    optimizer, random = OPTIMIZERS.build(name), np.random.default_rng(seed)
    found = spectrum_of(posed(seed))
    tolerance = float(10 ** random.uniform(-7, -3))
    rate = random.uniform(0.1, 0.97) * found.stable_limit(optimizer)
    predicted = found.epochs_to(tolerance, rate, optimizer)
    fitted = descend.fit(FORMULA, data, start=start, optimizer=name, learning_rate=rate, tolerance=tolerance)
    if fitted.outcome == "converged":
        assert predicted == pytest.approx(fitted.epochs, rel=0.01, abs=1)
    else:
        assert predicted > fitted.epochs


@pytest.mark.parametrize("options", [{"l2": 0.1}, {"weights": "x0"}], ids=str)
def test_penalties_and_weights_belong_to_the_curvature(options: dict[str, Any]) -> None:
    data, _ = quadratic(0)
    data["x0"] = np.abs(data["x0"])
    gd = OPTIMIZERS.build("gd")
    found = spectrum_of(began("y ~ w*x1 + b", data, start={"w": 1.0, "b": 0.0}, **options))
    rate = found.best_rate(gd)
    fitted = descend.fit(
        "y ~ w*x1 + b", data, start={"w": 1.0, "b": 0.0}, optimizer="gd", learning_rate=rate, tolerance=1e-6, **options
    )
    assert found.exact and found.epochs_to(1e-6, rate, gd) == pytest.approx(fitted.epochs, abs=1)


@pytest.mark.parametrize("name", FAMILY)
def test_no_rate_is_better_than_the_best(name: str) -> None:
    found, optimizer = spectrum_of(posed(3)), OPTIMIZERS.build(name)
    best = found.best_rate(optimizer)
    others = np.linspace(0.01, 0.999, 200) * found.stable_limit(optimizer)
    assert found.growth(best, optimizer) <= min(found.growth(rate, optimizer) for rate in others) + 1e-9


@pytest.mark.parametrize("name", FAMILY)
def test_an_unstable_run_grows_and_overflows_as_predicted(name: str) -> None:
    optimizer, problem = OPTIMIZERS.build(name), posed(1)
    found = spectrum_of(problem)
    rate = 1.3 * found.stable_limit(optimizer)
    theta, state, losses = problem.first.theta, optimizer.init(problem.first.theta), []
    with np.errstate(all="ignore"):
        while not losses or np.isfinite(losses[-1]):
            point = problem.problem.objective(theta)
            point.rate = rate
            losses.append(point.loss)
            theta, state = optimizer.step(point, state)
    growth = found.growth(rate, optimizer)
    # The run itself sums over rows before it divides by their number, so it overflows a little earlier.
    assert found.overflow_epoch(rate, optimizer) == pytest.approx(len(losses) - 1, abs=1 + 6 / np.log(growth))
    assert losses[60] / losses[59] == pytest.approx(growth**2, rel=1e-3)
    single = next(epoch for epoch, loss in enumerate(losses) if loss > float(np.finfo(np.float32).max))
    assert found.overflow_epoch(rate, optimizer, "float32") == pytest.approx(single, abs=1)
    assert found.overflow_epoch(0.5 * rate, optimizer) is None and found.epochs_to(1e-6, rate, optimizer) is None


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(FAMILY), st.floats(0.001, 5.0))
def test_the_closed_form_is_the_recurrence(name: str, x: float) -> None:
    optimizer = OPTIMIZERS.build(name)
    from types import SimpleNamespace

    theta, state, walked = np.ones(1), optimizer.init(np.ones(1)), []
    for _ in range(40):
        walked.append(float(theta[0]))
        evaluation: Any = SimpleNamespace(theta=theta, gradient=x * theta, rate=1.0, proximal=False)
        theta, state = optimizer.step(evaluation, state)
    told = optimizer.recurrence.modes(np.array([x])).left(np.arange(40.0))[:, 0]
    assert told == pytest.approx(walked, rel=1e-6, abs=1e-7 * max(1.0, np.abs(walked).max()))
    limit = optimizer.largest_stable_rate(1.0)
    assert (optimizer.recurrence.radius(x) > 1.0) == (x > limit) or x == pytest.approx(limit)


def test_other_optimizers_follow_no_such_law() -> None:
    found, adam = spectrum_of(posed(0)), OPTIMIZERS.build("adam")
    assert (found.stable_limit(adam), found.best_rate(adam), found.growth(0.1, adam)) == (None, None, None)
    assert found.epochs_to(1e-6, 0.1, adam) is None and found.overflow_epoch(0.1, adam) is None


def test_a_column_of_another_size_is_to_blame() -> None:
    random = np.random.default_rng(0)
    data = {"x1": random.normal(size=200), "x2": random.normal(50_000, 9_000, 200), "y": random.normal(size=200)}
    found = spectrum_of(began("y ~ w1*x1 + w2*x2 + b", data))
    assert (culprit_of(found).kind, culprit_of(found).label, culprit_of(found).column) == ("scale", "w2", "x2")
    assert str(culprit_of(found)) == "`x2` has values around 50,000: its curvature is 2.6e+09 times that of the others"
    assert found.condition > 1e9 and standardised(found).condition < 2
    few = spectrum_of(began("y ~ w1*x1 + w2*x2", data | {"x2": data["x2"] * 1e-10}))
    assert str(culprit_of(few)) == "`x2` has values around 5e-06: its curvature is 2.7e-11 times that of the others"


def test_a_column_far_from_zero_resembles_the_intercept() -> None:
    x = np.linspace(9.0, 11.0, 50)
    data = {"x": x / 10.0, "y": x}
    found = spectrum_of(began("y ~ w*x + b", data))
    assert str(culprit_of(found)) == "`x` has a mean of 1 and a spread of 0.059, so it resembles the intercept"
    assert found.condition > 1000 and standardised(found).condition == pytest.approx(1)


def test_nothing_is_to_blame_where_all_is_well() -> None:
    random = np.random.default_rng(0)
    data = {"x1": random.normal(size=200), "x2": random.normal(size=200), "y": random.normal(size=200)}
    assert culprit_of(spectrum_of(began("y ~ w1*x1 + w2*x2 + b", data))) is None


def test_many_parameters_go_without_all_eigenvalues() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(900, DENSE + 20))
    data = {f"x{place}": column for place, column in enumerate(X.T)} | {"y": X @ random.normal(size=DENSE + 20)}
    problem = began("y ~ w @ [x*]", data)
    found, gd = spectrum_of(problem), OPTIMIZERS.build("gd")
    values = np.linalg.eigvalsh(problem.first.curvature)
    assert not found.complete and found.largest == pytest.approx(values[-1], rel=1e-6)
    rate = 0.8 * found.stable_limit(gd)
    fitted = descend.fit("y ~ w @ [x*]", data, optimizer="gd", learning_rate=rate, tolerance=1e-6)
    assert found.epochs_to(1e-6, rate, gd) == pytest.approx(fitted.epochs, rel=0.05)


def test_lanczos_ends_early_in_a_small_space() -> None:
    matrix = np.diag([1.0, 2.0, 3.0, 4.0])
    values, vectors = lanczos(lambda vector: matrix @ vector, np.array([1.0, 0.0, 1.0, 0.0]))
    assert values == pytest.approx([1.0, 3.0]) and vectors.shape == (4, 2)
    assert np.isnan(lanczos(lambda vector: np.full(4, np.nan), np.ones(4))[0]).all()


def test_no_curvature_no_spectrum() -> None:
    problem = posed(0)
    problem.first.curvature = np.zeros((2, 2))
    assert spectrum.spectrum_at(problem.first, ()) is None
    problem.first.curvature = None
    assert spectrum.spectrum_at(problem.first, ()) is None


def test_a_module_has_the_spectrum_of_its_formula() -> None:
    torch = pytest.importorskip("torch")
    from descend.training.posing import pose_module

    data, _ = quadratic(4)
    inputs = [name for name in data if name != "y"]
    module = torch.nn.Linear(len(inputs), 1, dtype=torch.float64)
    request = Request(response="y", inputs=inputs, optimizer="gd", learning_rate=0.1)
    problem, request = pose_module(module, data, request)
    found, known = spectrum_of(begin(problem, request)), spectrum_of(posed(4))
    assert found.largest == pytest.approx(known.largest, rel=2e-3)


def test_of_equally_fast_rates_with_momentum_the_middle_is_named():
    x = np.linspace(0.0, 5.0, 40)
    found = spectrum_of(began("y ~ w*x", {"x": x, "y": 2.0 * x}, start={"w": 0.0}))
    largest = 2.0 * float(x @ x) / len(x)
    # The roots are complex, and so of one size, between (1 - sqrt(m))^2 and (1 + sqrt(m))^2 over the curvature.
    assert found.best_rate(OPTIMIZERS.build("momentum(momentum=0.81)")) == pytest.approx(
        (1.0 - 0.81) / largest, rel=1e-6
    )
