"""Levenberg-Marquardt: as many digits as the rows hold, in any unit, for every loss."""

from __future__ import annotations

from itertools import pairwise

import mpmath
import numpy as np
import pytest
import scipy.optimize
from hypothesis import example, given
from hypothesis import strategies as st
from tests.optimizers import problems

import descend
from descend.losses import LOSSES
from descend.optimizers import OPTIMIZERS

LM = OPTIMIZERS["levenberg_marquardt"]
random = np.random.default_rng


def digits(found, expected):
    """Significant decimal digits of the worst component."""
    error = np.max(np.abs(np.asarray(found) - expected) / np.abs(expected))
    return -np.log10(max(error, 1e-16))


def polynomial(degree, low, high, seed):
    """Powers of x, a noisy polynomial of them, and its least-squares coefficients computed with 80 digits."""
    x = np.linspace(low, high, 82)
    design = np.stack([x**k for k in range(degree + 1)], axis=1)
    y = design @ (1.0 + np.arange(degree + 1)) / design.max() + 1e-3 * random(seed).normal(size=82)
    with mpmath.workdps(80):
        X = mpmath.matrix([[mpmath.mpf(float(value)) ** k for k in range(degree + 1)] for value in x])
        exact = mpmath.lu_solve(X.T * X, X.T * mpmath.matrix(y.tolist()))
        return x, y, design, np.array([float(value) for value in exact])


@pytest.mark.parametrize(("degree", "low", "high"), [(2, 0.0, 1.0), (5, 0.0, 20.0), (10, -8.8, -3.1)])
def test_a_polynomial_keeps_the_digits_of_orthogonal_factorization(degree, low, high):
    # The last is like NIST's Filip: its design has condition 5e9 even in good units, and 1e15 as it stands.
    powers = ", ".join(f"x^{k}" for k in range(1, degree + 1))
    ours, theirs = [], []
    for seed in range(8):
        x, y, design, exact = polynomial(degree, low, high, seed)
        fit = descend.fit(f"y ~ b + w @ [{powers}]", {"x": x, "y": y})
        assert fit.optimizer == "levenberg_marquardt" and fit.outcome == "converged" and fit.epochs < 10
        ours.append(digits([fit.parameters["b"], *fit.parameters["w"]], exact))
        scale = np.linalg.norm(design, axis=0)
        theirs.append(digits(np.linalg.lstsq(design / scale, y, rcond=None)[0] / scale, exact))
    assert np.mean(ours) >= min(np.mean(theirs) - 0.5, 11)


def test_one_step_ends_at_the_minimum_of_a_linear_problem():
    X = random(1).normal(size=(50, 4))
    y = random(2).normal(size=50)
    run = problems.run(LM(damping=1e-12), problems.linear(X, y), np.zeros(4), steps=1)
    np.testing.assert_allclose(run.last.theta, np.linalg.lstsq(X, y, rcond=None)[0], rtol=1e-9)


@pytest.mark.parametrize("start", [(1.0, 1.0, 0.0), (0.0, 0.0, 0.0), (10.0, 10.0, -5.0), (100.0, 0.01, 0.0)])
def test_exponential_decay_is_fitted_to_rounding(start):
    x = np.linspace(0.0, 4.0, 100)
    y = 2.5 * np.exp(-1.3 * x) + 0.5 + 0.05 * random(1).normal(size=100)
    judge = scipy.optimize.least_squares(
        lambda t: t[0] * np.exp(-t[1] * x) + t[2] - y, [2.5, 1.3, 0.5], xtol=1e-15, ftol=1e-15
    )
    run = problems.run("levenberg_marquardt", problems.exponential(), start, steps=60)
    np.testing.assert_allclose(run.last.theta, judge.x, rtol=1e-7)


@given(start=st.tuples(st.floats(-5, 5), st.floats(-5, 5)))
def test_rosenbrock_from_anywhere(start):
    run = problems.run("levenberg_marquardt", problems.ROSENBROCK, start, steps=200)
    np.testing.assert_allclose(run.last.theta, [1.0, 1.0], rtol=1e-10)
    losses = [problems.ROSENBROCK(theta)[0] for theta in run.thetas]
    assert all(after <= before * (1 + 1e-9) + 1e-28 for before, after in pairwise(losses))


@given(x_unit=st.integers(-12, 12), y_unit=st.integers(-12, 12))
@example(x_unit=-12, y_unit=12)
@example(x_unit=12, y_unit=12)
def test_units_change_nothing_but_the_units(x_unit, y_unit):
    x = np.linspace(0.0, 4.0, 40)
    y = 2.5 * np.exp(-1.3 * x) + 0.5 + 0.05 * random(1).normal(size=40)
    small, large = 10.0**x_unit, 10.0**y_unit
    start = {"a": large, "b": 1.0 / small, "c": 0.0}
    fit = descend.fit("y ~ a*exp(-b*x) + c", {"x": x * small, "y": y * large}, start=start)
    plain = descend.fit("y ~ a*exp(-b*x) + c", {"x": x, "y": y}, start={"a": 1.0, "b": 1.0, "c": 0.0})
    assert fit.outcome == "converged" and fit.from_start is None
    scaled = np.array([fit.parameters["a"] / large, fit.parameters["b"] * small, fit.parameters["c"] / large])
    np.testing.assert_allclose(scaled, list(plain.parameters.values()), rtol=1e-8)


def test_a_location_far_from_zero_converges():
    # 2 weeks of seconds since 1970: theta has 9 digits before its first one that matters.
    t = 1.7e9 + np.arange(0.0, 1.2e6, 6e3)
    y = 3.0 * np.exp(-(((t - 1.7005e9) / 5e4) ** 2)) + 0.01 * random(0).normal(size=t.size)
    fit = descend.fit("y ~ a*exp(-((t - m)/s)^2)", {"t": t, "y": y})
    assert fit.outcome == "converged"
    assert fit.parameters["m"] == pytest.approx(1.7005e9, abs=500)
    assert fit.parameters["s"] == pytest.approx(5e4, rel=0.01)


@pytest.mark.parametrize(
    ("formula", "truth"),
    [
        ("y ~ a*exp(-b*x) + c", (2.5, 1.3, 0.5)),
        ("y ~ a*x/(b + x)", (3.0, 0.7)),
        ("y ~ a*exp(-((x - b)/c)^2)", (2.0, 1.5, 0.4)),
        ("y ~ a*x + b", (3.0, -2.0)),
    ],
)
def test_a_perfect_fit_converges_to_the_truth(formula, truth):
    x = np.linspace(0.1, 4.0, 60)
    names = dict(zip("abc", truth, strict=False))
    y = descend.generate(formula.replace("~", "=").format(), {"x": x} | {k: np.full(60, v) for k, v in names.items()})
    fit = descend.fit(formula, {"x": x, "y": y["y"]}, start={name: value * 1.3 for name, value in names.items()})
    np.testing.assert_allclose(list(fit.parameters.values()), truth, rtol=1e-12)
    assert fit.outcome == "converged" and fit.loss < 1e-28


def test_ridge_regression_is_that_of_the_textbook():
    X = random(3).normal(size=(80, 3))
    y = X @ [1.0, -2.0, 0.5] + 3.0 + 0.1 * random(4).normal(size=80)
    columns = {"x1": X[:, 0], "x2": X[:, 1], "x3": X[:, 2], "y": y}
    fit = descend.fit("y ~ w @ [x*] + b", columns, l2=0.1)
    # J = |X w + b - y|**2 / n + l2 |w|**2: the intercept is not penalised.
    design = np.column_stack([X, np.ones(80)])
    exact = np.linalg.solve(design.T @ design / 80 + 0.1 * np.diag([1, 1, 1, 0]), design.T @ y / 80)
    np.testing.assert_allclose([*fit.parameters["w"], fit.parameters["b"]], exact, rtol=1e-10)
    assert fit.optimizer == "levenberg_marquardt" and fit.outcome == "converged"


def test_a_penalty_lets_more_parameters_than_rows_be_fitted():
    X = random(5).normal(size=(6, 10))
    columns = {f"x{k}": X[:, k] for k in range(10)} | {"y": X[:, 0]}
    fit = descend.fit("y ~ w @ [x*]", columns, l2=0.01)
    exact = np.linalg.solve(X.T @ X / 6 + 0.01 * np.eye(10), X.T @ X[:, 0] / 6)
    np.testing.assert_allclose(fit.parameters["w"], exact, rtol=1e-8)


SMOOTH = {
    "poisson": ("y ~ exp(a + b*x)", [0.0, 0.0], lambda a, b, x: np.exp(a + b * x)),
    "logistic": ("y ~ sigmoid(a + b*x)", [0.0, 0.0], lambda a, b, x: a + b * x),
    "huber(delta=0.3)": ("y ~ a*exp(b*x)", [1.0, 0.5], lambda a, b, x: a * np.exp(b * x)),
    "log_cosh": ("y ~ a*exp(b*x)", [1.0, 0.5], lambda a, b, x: a * np.exp(b * x)),
}


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("weighted", [False, True])
def test_every_smooth_loss_reaches_its_minimum(name, weighted):
    formula, start, predict = SMOOTH[name]
    rng = random(6)
    x = rng.uniform(-1.0, 2.0, 150)
    y = {
        "poisson": lambda: rng.poisson(np.exp(0.5 + 0.8 * x)).astype(float),
        "logistic": lambda: (rng.random(150) < 1 / (1 + np.exp(-0.5 - 1.5 * x))).astype(float),
    }.get(name, lambda: 2.0 * np.exp(0.7 * x) + 0.3 * rng.standard_cauchy(150))()
    omega = rng.uniform(0.1, 3.0, 150) if weighted else np.ones(150)
    loss = LOSSES.build(name)

    def gradient(theta):
        slope = omega * loss.slope(predict(*theta, x), y)
        steps = 1e-6 * np.eye(2)
        return [slope @ (predict(*(theta + h), x) - predict(*(theta - h), x)) / 2e-6 / omega.sum() for h in steps]

    fit = descend.fit(
        formula, {"x": x, "y": y, "omega": omega}, loss=name, weights="omega", start=dict(zip("ab", start, strict=True))
    )
    judge = scipy.optimize.root(gradient, list(fit.parameters.values()), tol=1e-12)
    assert fit.outcome == "converged"
    np.testing.assert_allclose(list(fit.parameters.values()), judge.x, rtol=1e-6)
    np.testing.assert_allclose(gradient(np.array(list(fit.parameters.values()))), 0.0, atol=1e-8)


@pytest.mark.parametrize("quantile", [0.5, 0.9])
def test_quantile_regression_reaches_the_minimum_of_the_linear_program(quantile):
    rng = random(7)
    x = rng.uniform(0.0, 10.0, 120)
    y = 2.0 * x + 1.0 + rng.standard_cauchy(120)
    # min q u + (1 - q) v  with  a x + b + u - v = y,  u, v >= 0
    cost = np.r_[0, 0, np.full(120, quantile), np.full(120, 1 - quantile)] / 120
    equations = np.hstack([np.column_stack([x, np.ones(120)]), np.eye(120), -np.eye(120)])
    bounds = [(None, None)] * 2 + [(0, None)] * 240
    judge = scipy.optimize.linprog(cost, A_eq=equations, b_eq=y, bounds=bounds)
    fit = descend.fit("y ~ a*x + b", {"x": x, "y": y}, loss=f"pinball(quantile={quantile})")
    assert fit.loss == pytest.approx(judge.fun, rel=1e-5)
    np.testing.assert_allclose(list(fit.parameters.values()), judge.x[:2], atol=0.02)
    assert fit.outcome == "converged"


def test_parameters_that_cannot_be_told_apart_still_get_a_fit():
    x = np.linspace(1.0, 2.0, 20)
    objective = problems.least_squares(lambda a, b: a * b * x - 3 * x, lambda a, b: [b * x, a * x])
    run = problems.run("levenberg_marquardt", objective, [1.0, 1.0], steps=50)
    assert np.prod(run.last.theta) == pytest.approx(3.0, rel=1e-12)


def test_a_step_into_a_place_without_influence_is_no_error():
    # a*(exp(-b*x) - exp(-c*x)) has no Jacobian left where b = c.
    rng = random(0)
    x = np.linspace(0.0, 10.0, 200)
    y = 2.0 * (np.exp(-0.3 * x) - np.exp(-2.0 * x))
    for _ in range(5):
        noisy = y + 0.01 * rng.normal(size=200)
        fit = descend.fit("y ~ a*(exp(-b*x) - exp(-c*x))", {"x": x, "y": noisy})
        a, *rates = fit.parameters.values()
        np.testing.assert_allclose([abs(a), *sorted(rates)], [2.0, 0.3, 2.0], rtol=0.1)


@pytest.mark.parametrize("start", [(1.2, 0.3, 5.6, 5.5, 6.5, 7.6), (0.5, 0.7, 3.6, 4.2, 4.0, 6.3)])
def test_three_exponentials_without_noise(start):
    # Lanczos (1956), Applied Analysis, p. 272: J'J is so ill-conditioned on the way that it leads no further.
    x = np.arange(24) * 0.05
    truth = np.array([0.0951, 1.0, 0.8607, 3.0, 1.5576, 5.0])
    y = sum(truth[k] * np.exp(-truth[k + 1] * x) for k in (0, 2, 4))
    fit = descend.fit(
        "y ~ b1*exp(-b2*x) + b3*exp(-b4*x) + b5*exp(-b6*x)",
        {"x": x, "y": y},
        start={f"b{k + 1}": value for k, value in enumerate(start)},
        optimizer="levenberg_marquardt",
    )
    assert fit.outcome == "converged"
    np.testing.assert_allclose(list(fit.parameters.values()), truth, rtol=1e-7)


def test_overflow_on_the_way_means_a_shorter_step():
    x = np.linspace(0.0, 10.0, 50)
    objective = problems.least_squares(lambda a: np.exp(a * x) - np.exp(0.5 * x), lambda a: [x * np.exp(a * x)])
    run = problems.run("levenberg_marquardt", objective, [-5.0], steps=100)
    np.testing.assert_allclose(run.last.theta, [0.5], rtol=1e-9)


@pytest.mark.parametrize(
    ("objective", "start"),
    [
        (problems.quadratic(np.eye(2), [1.0, 2.0]), [5.0, 5.0]),
        (problems.exponential(), [1.0, 1.0, 0.0]),
        (problems.ROSENBROCK, [0.0, 0.0]),
    ],
)
def test_returns_the_same_theta_where_it_can_go_no_further(objective, start):
    run = problems.run("levenberg_marquardt", objective, start, steps=100)
    assert len(run.thetas) < 100
    theta, _ = LM().step(run.last, run.state)
    assert theta is run.last.theta


def test_all_engines_and_gradients_end_in_the_same_place(line):
    data = {"x": line["x"], "y": 3.0 * np.exp(-0.4 * line["x"]) + 0.1 * line["y"]}
    start = {"a": 1.0, "b": 1.0, "c": 0.0}
    by_hand = (
        "a = mean(2*(a*exp(-b*x) + c - y)*exp(-b*x)); b = mean(-2*a*x*(a*exp(-b*x) + c - y)*exp(-b*x)); "
        "c = mean(2*(a*exp(-b*x) + c - y))"
    )
    ways = [{}, {"engine": "torch"}, {"gradient": "autograd"}, {"gradient": by_hand}]
    fits = [descend.fit("y ~ a*exp(-b*x) + c", data, start=start, **way) for way in ways]
    assert {str(fit.outcome) for fit in fits} == {"converged"}
    for fit in fits[1:]:
        np.testing.assert_allclose(list(fit.parameters.values()), list(fits[0].parameters.values()), rtol=1e-8)


@pytest.mark.parametrize("bend", [0.6, 0.8])
def test_the_last_digits_do_not_take_long_where_residuals_are_large(bend):
    # Near the minimum, theta = 0, a Gauss-Newton step leaves the share ``bend`` of the error: 0.8**130 is 1e-13.
    objective = problems.least_squares(
        lambda t: np.array([t, 1.0 + bend * t**2 / 2.0]), lambda t: [np.array([1.0, bend * t])]
    )
    run = problems.run("levenberg_marquardt", objective, [0.1], steps=45)
    assert abs(run.last.theta[0]) < 1e-14


@pytest.mark.parametrize("engine", ["numpy", "moments"])
@pytest.mark.parametrize("start", [None, {"a": 0.0, "c": 0.0}, {"a": 50.0, "c": 1.0}], ids=str)
def test_collinear_columns_are_not_followed_into_the_distance(engine, start):
    """Of all minima of the loss none far away is taken for the rounding it gains: unasked, it is the shortest."""
    x = np.arange(1.0, 11.0)
    fit = descend.fit("y ~ a*x + c*z", {"x": x, "z": 2 * x, "y": 3 * x + x % 3}, start=start, engine=engine)
    slope = np.dot(x, 3 * x + x % 3) / np.dot(x, x)
    assert fit.outcome == "converged" and fit.parameters["a"] + 2 * fit.parameters["c"] == pytest.approx(slope)
    assert abs(fit.parameters["a"]) < 60 and abs(fit.parameters["c"]) < 60
    if start is None:
        assert fit.theta == pytest.approx(slope * np.array([0.2, 0.4]))


@pytest.mark.parametrize("scale", [1.0, 1e6, 1e-6])
def test_brown_and_dennis_reach_their_last_digits(scale):
    """Residuals so large that Gauss-Newton steps do not shrink: More, Garbow & Hillstrom (1981), problem 16."""
    t = np.arange(1, 21) / 5.0
    formula = f"z ~ {scale**0.5!r}*((a + t*b - exp(t))^2 + (c + d*sin(t) - cos(t))^2)"
    fit = descend.fit(formula, {"t": t, "z": np.zeros(20)}, start={"a": 25, "b": 5, "c": -5, "d": -1})
    assert fit.outcome == "converged"
    assert 20 * fit.loss / scale == pytest.approx(85822.2016263563, rel=1e-13)
    found, exact = fit.parameters, {"a": -11.59443990, "b": 13.20363005, "c": -0.40343949, "d": 0.23677877}
    assert all(found[name] == pytest.approx(value, rel=1e-7) for name, value in exact.items())
    assert min(fit.digits.values()) > 9.0


def test_a_parameter_that_once_mattered_far_more_still_moves_at_the_end():
    """Meyer's thermistor from the far start: on the way b1 is 1e-50, and the column of its derivatives 1e54 long."""
    y = [34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872]
    data = {"x": np.arange(50.0, 130.0, 5.0), "y": np.array(y, dtype=float)}
    fit = descend.fit("y ~ b1*exp(b2/(x + b3))", data, start={"b1": 2.0, "b2": 4e5, "b3": 2.5e4})
    certified = [5.6096364710e-03, 6.1813463463e03, 3.4522363462e02]  # NIST, StRD, MGH10
    assert fit.outcome == "converged"
    assert digits(fit.theta, certified) > 10
