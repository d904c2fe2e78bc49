"""Bounds: the minimum within them, held against SciPy, and what a user is told."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares, lsq_linear, nnls

import descend
from descend.errors import ConfigError, FormulaError
from descend.optimizers.bounded_least_squares import bounded_least_squares

DECAY = "y ~ a*exp(-b*x) + c"


def regression(rows: int = 60, size: int = 6, seed: int = 0) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(rows, size))
    y = matrix @ random.normal(size=size) + random.normal(size=rows)
    return matrix, {f"x{k}": matrix[:, k] for k in range(size)} | {"y": y}


def decay(noise: float = 0.1) -> dict[str, np.ndarray]:
    x = np.linspace(0.0, 5.0, 50)
    return {"x": x, "y": 3 * np.exp(-0.7 * x) + 0.5 + noise * np.random.default_rng(1).normal(size=50)}


def by_scipy(data: dict[str, np.ndarray], low: list[float], high: list[float]) -> Any:
    x, y = data["x"], data["y"]
    middle = np.clip([1.0, 1.0, 0.2], np.nextafter(low, np.inf), np.nextafter(high, -np.inf))
    return least_squares(
        lambda t: t[0] * np.exp(-t[1] * x) + t[2] - y, middle, bounds=(low, high), xtol=1e-15, ftol=1e-15, gtol=1e-14
    )


@given(seed=st.integers(0, 10_000), size=st.integers(1, 8), share=st.floats(0.0, 3.0))
@settings(max_examples=60)
def test_bounded_least_squares_agrees_with_scipy(seed, size, share):
    random = np.random.default_rng(seed)
    matrix, right = random.normal(size=(size + 3, size)), random.normal(size=size + 3)
    low, high = -share * random.uniform(size=size), random.uniform(size=size)
    move = bounded_least_squares(matrix, right, low, high)
    expected = lsq_linear(matrix, -right, (low, high), method="bvls", tol=1e-14).x if share else None
    assert ((low <= move) & (move <= high)).all()
    if expected is not None:
        np.testing.assert_allclose(move, expected, atol=1e-9)


def test_bounded_least_squares_of_columns_that_repeat_each_other():
    matrix = np.array([[1.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
    move = bounded_least_squares(matrix, np.array([-3.0, -3.0, 1.0]), np.zeros(2), np.full(2, 2.0))
    assert move.sum() == pytest.approx(3.0)


@pytest.mark.parametrize(("optimizer", "digits"), [(None, 12), ("gd", 8), ("momentum", 8)])
def test_non_negative_least_squares(optimizer, digits):
    matrix, data = regression()
    fit = descend.fit("y ~ w @ [x*]", data, bounds=["w >= 0"], optimizer=optimizer)
    expected = nnls(matrix, data["y"])[0]
    assert fit.outcome == "converged"
    np.testing.assert_allclose(fit.parameters["w"], expected, atol=10.0**-digits)
    assert fit.at_bound == [f"w[x{k}]" for k in np.flatnonzero(expected == 0)] != []
    assert (fit.parameters["w"] >= 0).all()


def test_one_component_of_a_vector():
    matrix, data = regression()
    free = descend.fit("y ~ w @ [x*]", data).parameters["w"]
    place = int(np.argmin(free))
    fit = descend.fit("y ~ w @ [x*]", data, bounds=[f"w[x{place}] > 0"])
    low = np.full(6, -np.inf)
    low[place] = 0.0
    np.testing.assert_allclose(fit.parameters["w"], lsq_linear(matrix, data["y"], (low, np.inf)).x, atol=1e-9)
    assert fit.at_bound == [f"w[x{place}]"]


@pytest.mark.parametrize("engine", ["numpy", "torch"])
@pytest.mark.parametrize(
    ("bounds", "low", "high", "at_bound"),
    [
        (["c <= 0.3"], [-np.inf] * 3, [np.inf, np.inf, 0.3], ["c"]),
        (["0<=c<=0.3", "b > 1"], [-np.inf, 1.0, 0.0], [np.inf, np.inf, 0.3], ["b", "c"]),
        ({"a": (None, 2.5)}, [-np.inf] * 3, [2.5, np.inf, np.inf], ["a"]),
        ({"a": (0, 10), "b": (0, None)}, [0.0, 0.0, -np.inf], [10.0, np.inf, np.inf], []),
    ],
)
def test_box_agrees_with_scipy(bounds, low, high, at_bound, engine):
    data = decay()
    fit = descend.fit(DECAY, data, bounds=bounds, engine=engine)
    expected = by_scipy(data, low, high)
    assert fit.outcome == "converged"
    assert fit.loss <= 2 * expected.cost / 50 * (1 + 1e-12)
    np.testing.assert_allclose(fit.theta, expected.x, rtol=1e-6)
    assert sorted(fit.at_bound) == at_bound


def test_from_a_start_on_the_far_side_and_one_at_the_bound():
    data = decay()
    for start in ({"a": -5.0, "b": 4.0, "c": 0.3}, {"a": 1.0, "b": 1.0, "c": 0.0}):
        fit = descend.fit(DECAY, data, bounds=["0 <= c <= 0.3"], start=start)
        np.testing.assert_allclose(fit.theta, by_scipy(data, [-np.inf, -np.inf, 0], [np.inf, np.inf, 0.3]).x, rtol=1e-6)


def test_bounds_that_bind_nothing_change_nothing():
    free, bounded = (descend.fit(DECAY, decay(), bounds=bounds) for bounds in (None, ["-100 < a < 100", "b > 0"]))
    np.testing.assert_allclose(bounded.theta, free.theta, rtol=1e-9)
    for name, error in free.standard_errors.items():
        assert bounded.standard_errors[name] == pytest.approx(error, rel=1e-6)
    assert bounded.at_bound == []


def test_standard_errors_are_those_with_the_parameter_held():
    data = decay()
    bounded = descend.fit(DECAY, data, bounds=["c <= 0.3"])
    fixed = descend.fit(DECAY, data, fix={"c": 0.3})
    for name in ("a", "b"):
        assert bounded.standard_errors[name] == pytest.approx(fixed.standard_errors[name], rel=1e-5)
    assert np.isnan(bounded.standard_errors["c"])
    assert bounded.summary()["standard_errors"]["c"] is None
    assert bounded.notes[-1] == (
        "`c` is at its bound 0.3; it has no standard error, and those of the others are with it held there"
    )


def test_l1_penalty_and_bounds_together():
    """Of orthogonal columns, each component is the soft threshold of x'y/n, then moved into its bounds."""
    matrix, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(40, 3)))
    matrix *= np.sqrt(40)
    y = matrix @ np.array([1.0, -1.0, 0.1]) + 0.01 * np.random.default_rng(4).normal(size=40)
    data = {"y": y} | {f"x{k}": matrix[:, k] for k in range(3)}
    fit = descend.fit("y ~ w @ [x*]", data, l1=0.4, bounds=["w >= -0.5"])
    plain = matrix.T @ y / 40
    soft = np.sign(plain) * np.maximum(np.abs(plain) - 0.2, 0.0)
    np.testing.assert_allclose(fit.parameters["w"], np.maximum(soft, -0.5), atol=1e-8)


def test_a_bound_where_the_formula_is_not_finite_is_never_reached():
    x = np.linspace(0.1, 5.0, 40)
    seen: list[float] = []
    for optimizer in (None, "gd"):
        fit = descend.fit(
            "y ~ a*log(b*x)",
            {"x": x, "y": 0.8 * np.log(1e-3 * x)},
            bounds=["b > 0"],
            start={"a": 1.0, "b": 5.0},
            optimizer=optimizer,
            epochs=200,
            on_step=lambda step: seen.append(step.theta[1]),
        )
        assert np.isfinite(fit.loss)
    assert min(seen) > 0.0
    assert descend.fit("y ~ a*log(b*x)", {"x": x, "y": 0.8 * np.log(1e-3 * x)}, bounds=["b>0"]).parameters == (
        pytest.approx({"a": 0.8, "b": 1e-3})
    )


def test_automatic_starts_stay_inside():
    seen: list[np.ndarray] = []
    bounds = {"a": (2, 4), "b": (0.1, 3), "c": (0, None)}
    descend.fit(DECAY, decay(), bounds=bounds, on_step=lambda step: seen.append(step.theta))
    assert all((theta >= [2, 0.1, 0]).all() and (theta <= [4, 3, np.inf]).all() for theta in seen)


def test_numbers_may_be_expressions():
    x = np.linspace(0.0, 6.0, 60)
    fit = descend.fit("y ~ sin(x + p)", {"x": x, "y": np.sin(x + 4.0)}, bounds=["0 <= p < 2*pi"])
    assert fit.parameters["p"] == pytest.approx(4.0)


def test_model_file_keeps_bounds(tmp_path):
    fit = descend.fit(DECAY, decay(), bounds=["0 <= c < 0.3", "b > 0"])
    fit.save(tmp_path / "model.json")
    content = json.loads((tmp_path / "model.json").read_text())
    assert (content["bounds"], content["at_bound"]) == (["b > 0", "0 <= c < 0.3"], ["c"])
    loaded = descend.load(tmp_path / "model.json")
    assert loaded.at_bound == ["c"]
    assert loaded.summary() == fit.summary()
    np.testing.assert_array_equal(loaded.predict({"x": [1.0, 2.0]}), fit.predict({"x": [1.0, 2.0]}))


MESSAGES = [
    ({"bounds": ["b > 0", "b < -1"]}, "The bounds 0 < b < -1 leave no room for `b`. Give the smaller number first."),
    ({"bounds": ["b>=1", "b<=1"]}, "The bounds 1 <= b <= 1 leave no room for `b`. To hold it at 1, fix it."),
    (
        {"bounds": ["q > 0"]},
        "`q` is neither a number nor a parameter of the model.\n    q > 0\n    ^\nParameters: a, b, c.",
    ),
    (
        {"bounds": ["b"]},
        'A bound compares one parameter with one or two numbers.\n    b\n    ^\nWrite it as "b > 0" or "0 <= c <= 1".',
    ),
    (
        {"bounds": ["0 < b > 1"]},
        'Both sides bound it from below.\n    0 < b > 1\n          ^\nWrite it as "b > 0" or "0 <= c <= 1".',
    ),
    ({"bounds": ["b >"]}, 'Something is missing here.\n    b >\n       ^\nWrite it as "b > 0" or "0 <= c <= 1".'),
    (
        {"bounds": {"b": 3}},
        "The bounds of `b` must be two numbers, None where there is none, such as (0, None); they are 3.",
    ),
    ({"bounds": {"zz": (0, 1)}}, "There is no parameter `zz` to bound. Parameters: a, b, c."),
    (
        {"bounds": ["b > 0"], "start": {"b": 0}},
        "The start of `b` is 0, outside its bounds b > 0. Give a start inside them, or leave it out to have one "
        "chosen.",
    ),
    (
        {"bounds": ["0 <= c <= 1"], "start": {"c": -2}},
        "The start of `c` is -2, outside its bounds 0 <= c <= 1. Give a start inside them, or leave it out to have one "
        "chosen.",
    ),
    (
        {"bounds": ["b > 0"], "optimizer": "adam"},
        "The optimizer `adam` cannot keep within bounds (b > 0): cut short at a bound, its steps need not lead to the "
        "minimum. Use one of: gd, momentum, levenberg_marquardt, vertex.",
    ),
]


@pytest.mark.parametrize(("options", "message"), MESSAGES)
def test_messages(options, message):
    with pytest.raises((ConfigError, FormulaError)) as error:
        descend.fit(DECAY, decay(), **options)
    assert str(error.value) == message


def test_a_bound_that_does_not_matter_changes_no_verdict():
    # A date in days, known to many digits, whose gradient is never small beside its size.
    t = 2459000 + np.linspace(0, 3, 120)
    y = 1 - 0.02 * np.exp(-(((t - 2459001.12345) / 0.05) ** 2))
    y = y + 0.0005 * np.random.default_rng(22).normal(size=120)
    fits = [
        descend.fit("y ~ c - d*exp(-((t-m)/w)^2)", {"t": t, "y": y}, bounds=bounds)
        for bounds in (None, ["w > 0.01"], ["c > 0", "w < 1"], ["w >= 0.06"])
    ]
    assert [fit.outcome for fit in fits] == ["converged"] * 4
    assert fits[1].loss == pytest.approx(fits[0].loss) == fits[2].loss
    assert fits[3].parameters["w"] == 0.06


@pytest.mark.parametrize(
    "options",
    [
        {"loss": "huber"},
        {"loss": "tukey"},
        {"weights": "1/prediction^2"},
        {"priors": ["b ~ normal(2, 0.1)"]},
        {"x_sigma": {"x": 0.1}},
        {"rounded": 0.5},
    ],
)
def test_a_fit_in_several_rounds_goes_on_from_a_strict_bound(options):
    x = np.repeat([0.5, 1.0, 2.0, 4.0, 8.0, 16.0], 5)
    y = (3.0 + 2.0 * x) * (1.0 + 0.08 * np.random.default_rng(3).normal(size=x.size))
    strict, closed = (
        descend.fit("y ~ a + b*x", {"x": x, "y": y}, bounds=[bound], **options) for bound in ("a > 4", "a >= 4")
    )
    assert strict.outcome == closed.outcome == "converged"
    assert strict.parameters["a"] == 4.0
    assert strict.parameters["b"] == pytest.approx(closed.parameters["b"], rel=1e-6)
