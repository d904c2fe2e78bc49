"""Laws of parameters with a value for each group: the same model written with indicator columns gives the same fit."""

from __future__ import annotations

import numpy as np
import pytest
from tests.laws.ranges import PLAIN

import descend
from descend.losses import LOSSES
from descend.optimizers import OPTIMIZERS

LEVELS = ("A", "B", "C")
GROUPED = "y ~ a[site]*exp(-k*x) + c"
BY_HAND = "y ~ a @ [in_a, in_b, in_c]*exp(-k*x) + c"
START = {"a": 0.5, "k": 0.5, "c": 0.3}


def rows(count: int = 90, seed: int = 1) -> dict[str, object]:
    rng = np.random.default_rng(seed)
    site = rng.integers(0, 3, count)
    x = rng.uniform(0.0, 3.0, count)
    mean = np.array([1.0, 2.0, 0.5])[site] * np.exp(-0.7 * x) + 0.4
    indicators = {f"in_{'abc'[k]}": (site == k).astype(float) for k in range(3)}
    return {"x": x, "mean": mean, "site": [LEVELS[k] for k in site], "u": rng.uniform(size=count), **indicators}


def response(loss: str, data: dict[str, object]) -> np.ndarray:
    """Return a response that the loss has a value for."""
    mean, u = np.asarray(data["mean"]), np.asarray(data["u"])
    domain = LOSSES.build(loss).response_domain
    if domain.high <= 1.0:
        return (u < 1.0 / (1.0 + np.exp(-mean))).astype(float)
    return np.round(4.0 * mean * (0.5 + u)) if loss == "poisson" else mean * (0.75 + 0.5 * u)


def values_of(fit: descend.Fit) -> np.ndarray:
    return fit.model.parameters.flat(fit.parameters)


@pytest.mark.parametrize("loss", [*PLAIN])
def test_every_loss_fits_groups_as_indicators(loss):
    data = rows()
    data["y"] = response(loss, data)
    groups, indicators = (
        descend.fit(formula, data, loss=loss, start=START, epochs=12) for formula in (GROUPED, BY_HAND)
    )
    assert groups.loss == pytest.approx(indicators.loss, rel=1e-9)
    assert values_of(groups) == pytest.approx(values_of(indicators), rel=1e-6)
    if groups.covariance is not None and indicators.covariance is not None:
        assert np.asarray(groups.covariance) == pytest.approx(np.asarray(indicators.covariance), rel=1e-5, abs=1e-12)


@pytest.mark.parametrize("optimizer", [*OPTIMIZERS])
def test_every_optimizer_steps_as_with_indicators(optimizer):
    data = rows()
    data["y"] = response("squared", data)
    groups, indicators = (
        descend.fit(formula, data, start=START, optimizer=optimizer, epochs=8) for formula in (GROUPED, BY_HAND)
    )
    assert [step.loss for step in groups.trace] == pytest.approx([step.loss for step in indicators.trace], rel=1e-9)
    assert values_of(groups) == pytest.approx(values_of(indicators), rel=1e-8)


@pytest.mark.parametrize("engine", ["numpy", "torch", "query"])
def test_every_engine_sums_groups_as_indicators(engine):
    data = rows()
    data["y"] = response("squared", data)
    groups, indicators = (descend.fit(formula, data, start=START, engine=engine) for formula in (GROUPED, BY_HAND))
    assert values_of(groups) == pytest.approx(values_of(indicators), rel=1e-9)


def test_moments_of_groups_are_those_of_indicators():
    data = rows()
    data["y"] = response("squared", data)
    groups = descend.fit("y ~ a[site] + b*x", data, engine="moments")
    indicators = descend.fit("y ~ a @ [in_a, in_b, in_c] + b*x", data, engine="moments")
    assert values_of(groups) == pytest.approx(values_of(indicators), rel=1e-10)


def test_the_order_of_the_rows_does_not_matter():
    data = rows()
    data["y"] = response("squared", data)
    order = np.random.default_rng(2).permutation(len(data["site"]))
    mixed = {name: [column[place] for place in order] for name, column in data.items()}
    first, second = (descend.fit(GROUPED, each) for each in (data, mixed))
    assert first.parameters["a"] == pytest.approx(second.parameters["a"], rel=1e-8)
    assert list(first.parameters["a"]) == list(second.parameters["a"]) == list(LEVELS)
