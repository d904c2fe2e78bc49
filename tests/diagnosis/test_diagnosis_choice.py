"""Where two causes could be named, the one is whose remedy helps: each is tried."""

from __future__ import annotations

import math

import numpy as np

import descend

RNG = np.random.default_rng(0)
X = RNG.uniform(0.0, 3.0, 200)
FLAT = {"a": 0.0, "b": 0.0}


def fit(y, loss="squared", rate=0.5, **more):
    return descend.fit("y ~ a + b*x", {"x": 10.0 * X, "y": y}, loss=loss, start=FLAT, optimizer="gd",
                       learning_rate=rate, **more)  # fmt: skip


def test_a_rate_beyond_the_limit_is_to_blame_where_a_smaller_one_serves():
    found = fit(20.0 * X + 3.0)
    assert found.cause == "rate_too_large"
    smaller = fit(20.0 * X + 3.0, rate=0.5 * found.evidence["largest_stable_rate"], epochs=2000)
    assert smaller.cause is None


def test_a_column_is_to_blame_where_half_the_limit_does_not_serve():
    found = fit(20.0 * X, loss="huber(delta=1)")
    assert found.cause == "unscaled_column"
    assert found.diagnosis.sentence.endswith("; the rate 0.5 is 2.03 times the largest stable one.")
    assert found.advice.endswith("As it is, the largest stable rate at the start is 0.246.")
    assert fit(20.0 * X, loss="huber(delta=1)", rate=0.12).cause is not None
    assert fit(20.0 * X, loss="huber(delta=1)", standardize=True).outcome == "converged"


def test_a_logarithm_that_kept_its_value_is_not_to_blame():
    y = 2.0 * np.exp(-0.8 * X) + 0.5
    found = descend.fit("y ~ log(a + b*x)", {"x": X, "y": y}, start={"a": 1.0, "b": 0.0}, optimizer="gd",
                        learning_rate=2.0)  # fmt: skip
    assert all(math.isfinite(step.loss) for step in found.trace)
    assert found.cause == "rate_too_large"
