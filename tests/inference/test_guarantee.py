"""What strong convexity guarantees: bounds that hold against the true minimum, and are not much too wide near it."""

from __future__ import annotations

import numpy as np
import pytest

import descend

RANDOM = np.random.default_rng(0)
X, Z = RANDOM.normal(size=(2, 200))
LINEAR = 0.5 + X - 2.0 * Z
DATA = {
    "squared": LINEAR + RANDOM.normal(size=200),
    "logistic": (RANDOM.uniform(size=200) < 1.0 / (1.0 + np.exp(-LINEAR))).astype(float),
    "huber(delta=1)": LINEAR + RANDOM.standard_t(2, size=200),
    "log_cosh": LINEAR + RANDOM.standard_t(2, size=200),
    "poisson": RANDOM.poisson(np.exp(0.2 * LINEAR)).astype(float),
}
START = {"k": 0.0, "a": 0.0, "b": 0.0}


def fitted(loss, **options):
    formula = "y ~ exp(k + a*x + b*z)" if loss == "poisson" else "y ~ k + a*x + b*z"
    return descend.fit(formula, {"x": X, "z": Z, "y": DATA[loss]}, loss=loss, **options)


@pytest.mark.parametrize("loss", list(DATA))
@pytest.mark.parametrize("l2", [0.0, 0.05])
def test_the_bounds_hold_wherever_a_run_stops(loss, l2):
    best = fitted(loss, l2=l2)
    told, rate = 0, 1.0 if loss == "logistic" else 0.1
    for epochs in (1, 5, 20, 40, 80, 160, 320, 640):
        fit = fitted(loss, l2=l2, start=START, optimizer="gd", learning_rate=rate, epochs=epochs)
        found = fit.guarantee
        if found is None:
            continue
        told += 1
        error = np.abs(fit.theta - best.theta)
        assert (error <= found.distance * (1.0 + 1e-9) + 1e-12).all()
        assert fit.loss - best.loss <= found.loss_gap * (1.0 + 1e-9) + 1e-14
        away = error > 1e-9
        if epochs == 160 and away.any():  # close by the bound is no more than some times the truth
            assert (found.distance[away] <= 30.0 * error.max()).all()
    assert told >= 2 and best.guarantee is not None
    assert min(best.guarantee.digits.values()) > 6.0


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_at_the_minimum_many_digits_are_certain_and_fewer_than_are_claimed(loss):
    fit = fitted(loss)
    for name, digits in fit.guarantee.digits.items():
        assert 6.0 < digits <= fit.digits[name] + 0.5
    assert fit.summary()["guarantee"]["by"] == "strong convexity"


def test_there_is_none_where_nothing_is_known():
    x = np.linspace(0.1, 4.0, 50)
    data = {"x": x, "y": np.exp(-x)}
    assert descend.fit("y ~ a*exp(-b*x)", data).guarantee is None
    assert descend.fit("y ~ a*x + b", data, loss="cauchy(scale=1)").guarantee is None
    assert descend.fit("y ~ a*x + b", data, l1=0.01).guarantee is None
    assert descend.fit("y ~ a*x + b", data, bounds=["a > 0"]).guarantee is None


def test_the_report_says_what_is_certain():
    from descend.report.fields import fields

    fit = fitted("logistic", start=START, optimizer="gd", learning_rate=0.5, epochs=200)
    (note,) = [each.value for each in fields(fit) if each.label == "digits"]
    assert note.endswith("by strong convexity") and ", to at least " in note


def test_the_model_file_keeps_it(tmp_path):
    fit = fitted("squared")
    fit.save(tmp_path / "fit.json")
    assert descend.load(tmp_path / "fit.json").summary()["guarantee"] == fit.summary()["guarantee"]
