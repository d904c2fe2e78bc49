"""The absolute and pinball losses end at the vertex that is their minimum, and only there is called converged."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

from descend import ConfigError, fit

QUANTILES = {"absolute": 0.5, "pinball(quantile=0.1)": 0.1, "pinball(quantile=0.75)": 0.75}


def spread(seed, rows=60):
    rng = np.random.default_rng(seed)
    x, z = rng.uniform(0.0, 10.0, rows), rng.normal(size=rows)
    return {"x": x, "z": z, "y": 3.0 + 2.0 * x - 1.5 * z + rng.standard_t(2, size=rows) * (1.0 + 0.3 * x)}


def least(data, loss, weights=None, l1=0.0, low=-np.inf):
    """The least J of c + a*x + b*z with b >= low by a linear program in u, v >= 0 with y - X theta = u - v."""
    x, z, y = (data[name] for name in "xzy")
    share = np.ones(len(y)) if weights is None else weights
    share, columns = share / share.sum(), np.column_stack([np.ones_like(x), x, z])
    scale = 2.0 if loss == "absolute" else 1.0
    under, over = scale * QUANTILES[loss], scale * (1.0 - QUANTILES[loss])
    cost = np.r_[0.0, 0.0, 0.0, 0.0, l1, l1, under * share, over * share]  # c, a, b, then the sizes of a and b
    eye = np.eye(len(y))
    sizes = [[0, 1, 0, 0, -1, 0], [0, -1, 0, 0, -1, 0], [0, 0, 1, 0, 0, -1], [0, 0, -1, 0, 0, -1]]
    found = linprog(
        np.delete(cost, 3),
        A_ub=np.hstack([np.delete(np.array(sizes, float), 3, axis=1), np.zeros((4, 2 * len(y)))]),
        b_ub=np.zeros(4),
        A_eq=np.hstack([columns, np.zeros((len(y), 2)), eye, -eye]),
        b_eq=y,
        bounds=[(None, None)] * 2 + [(low, None)] + [(0, None)] * (2 + 2 * len(y)),
    )
    return found.fun


@pytest.mark.parametrize("loss", QUANTILES)
@pytest.mark.parametrize("unit", [1e-9, 1e-3, 1.0, 1e3, 1e9])
def test_a_line_ends_at_its_vertex_in_any_unit(loss, unit):
    data = spread(1)
    fitted = fit("y ~ a*x + b*z + c", {**data, "y": unit * data["y"]}, loss=loss)
    assert fitted.outcome == "converged"
    assert fitted.loss == pytest.approx(unit * least(data, loss), rel=1e-9)
    zeros = np.abs(fitted.predict(data) - unit * data["y"]) <= 1e-12 * unit * np.abs(data["y"])
    assert zeros.sum() == 3
    assert fitted.trace[-1].gradient_norm < 1e-12


@pytest.mark.parametrize("loss", QUANTILES)
def test_weights_count(loss):
    data = {**spread(2), "w": np.arange(60.0) % 4}
    fitted = fit("y ~ a*x + b*z + c", data, loss=loss, weights="w")
    assert fitted.outcome == "converged"
    assert fitted.loss == pytest.approx(least(data, loss, data["w"]), rel=1e-9)


@pytest.mark.parametrize("loss", QUANTILES)
@pytest.mark.parametrize("low", [-100.0, -1.0])
def test_a_bound_is_kept_and_one_far_away_changes_nothing(loss, low):
    data = spread(3)
    fitted = fit("y ~ a*x + b*z + c", data, loss=loss, bounds=[f"b > {low}"])
    assert fitted.outcome == "converged"
    assert fitted.loss == pytest.approx(least(data, loss, low=low), rel=1e-9)
    assert fitted.parameters["b"] >= low


@pytest.mark.parametrize("loss", QUANTILES)
@pytest.mark.parametrize("l1", [0.01, 0.5])
def test_an_l1_penalty_is_one_more_kink(loss, l1):
    data = spread(4)
    fitted = fit("y ~ a*x + b*z + c", data, loss=loss, l1=l1)
    assert fitted.outcome == "converged" and fitted.optimizer == "vertex"
    assert fitted.loss == pytest.approx(least(data, loss, l1=l1), rel=1e-9)


def test_an_l2_penalty_ends_where_its_pull_and_the_rows_balance():
    data = spread(5)
    fitted = fit("y ~ a*x + b*z + c", data, loss="absolute", l2=0.1)

    def cost(theta):
        residual = theta[0] * data["x"] + theta[1] * data["z"] + theta[2] - data["y"]
        return np.abs(residual).mean() + 0.1 * (theta[0] ** 2 + theta[1] ** 2)

    theirs = minimize(cost, fitted.theta, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-13})
    assert fitted.outcome == "converged"
    assert fitted.loss <= theirs.fun + 1e-10


def test_ties_and_fixed_parameters_are_kept():
    data = spread(6)
    tied = fit("y ~ a*x + b*z + c", data, loss="absolute", ties=["c = 2*a"], fix={"b": -1.5})
    once = fit("y + 1.5*z ~ a*(x + 2)", data, loss="absolute")
    assert tied.outcome == once.outcome == "converged"
    assert tied.loss == pytest.approx(once.loss, rel=1e-12)


@pytest.mark.parametrize("loss", QUANTILES)
def test_a_curve_ends_where_no_direction_leads_down(loss):
    rng = np.random.default_rng(7)
    x = np.linspace(0.0, 4.0, 40)
    y = 3.0 * np.exp(-0.8 * x) + 1.0 + 0.1 * rng.standard_t(2, size=40)
    fitted = fit("y ~ a*exp(-b*x) + c", {"x": x, "y": y}, loss=loss)
    assert fitted.outcome == "converged"
    for direction in rng.normal(size=(200, 3)):
        step = 1e-6 * direction / np.linalg.norm(direction)
        a, b, c = fitted.theta + step
        assert fitted.loss_function.value(a * np.exp(-b * x) + c, y).mean() > fitted.loss


def test_a_curve_with_fewer_zeros_than_parameters_ends_at_its_bowl():
    """The rows |w**2 - y| of y = -2, -1, 3: two pull w to 0 and none is zero there."""
    data = {"x": np.ones(3), "y": np.array([-2.0, -1.0, 3.0])}
    fitted = fit("y ~ (w - 1)^2*x", data, loss="absolute", start={"w": 1.7})
    assert fitted.outcome == "converged"
    assert fitted.parameters["w"] == pytest.approx(1.0, abs=1e-6)


def test_repeated_rows_and_whole_numbers_are_no_obstacle():
    x = np.repeat(np.arange(6.0), 10)
    y = np.round(2.0 * x + np.random.default_rng(8).normal(size=60))
    fitted = fit("y ~ a*x + b", {"x": x, "y": y}, loss="absolute")
    assert fitted.outcome == "converged"
    assert fitted.loss == pytest.approx(least({"x": x, "z": np.zeros(60), "y": y}, "absolute"), rel=1e-9)


def test_perfect_data_are_fitted_perfectly():
    x = np.linspace(0.0, 1.0, 30)
    fitted = fit("y ~ a*x + b", {"x": x, "y": 2.0 * x + 1.0}, loss="absolute")
    assert fitted.outcome == "converged"
    assert fitted.theta == pytest.approx([2.0, 1.0], rel=1e-12)


def test_many_rows_take_the_rows_near_the_vertex_only():
    data = spread(9, 20_000)
    fitted = fit("y ~ a*x + b*z + c", data, loss="absolute")
    assert fitted.outcome == "converged"
    assert (np.abs(fitted.predict(data) - data["y"]) < 1e-10).sum() == 3
    assert fitted.trace[-1].gradient_norm < 1e-12


def test_standardised_columns_lead_to_the_same_vertex():
    data = spread(10)
    plain, scaled = (fit("y ~ a*x + b*z + c", data, loss="absolute", standardize=on) for on in (False, True))
    assert scaled.outcome == "converged"
    assert scaled.loss == pytest.approx(plain.loss, rel=1e-12)


def test_a_start_at_the_vertex_in_standardised_columns_has_converged():
    data = spread(9)
    best = fit("y ~ a*x + b*z + c", data, loss="absolute")
    again = fit("y ~ a*x + b*z + c", data, loss="absolute", standardize=True, start=best.parameters)
    assert again.outcome == "converged"
    assert again.loss == pytest.approx(best.loss, rel=1e-12)


def test_an_l1_penalty_of_a_smooth_loss_is_not_for_it():
    with pytest.raises(ConfigError) as refusal:
        fit("y ~ a*x + b", spread(11), optimizer="vertex", l1=0.1)
    assert str(refusal.value).startswith("The optimizer `vertex` cannot follow an l1 penalty")


@pytest.mark.parametrize("formula", ["y ~ a*x^b + c", "y ~ a*x/(b + x) + c", "y ~ exp(a*x + b)"])
def test_where_only_rounding_is_left_the_run_ends(formula):
    rng = np.random.default_rng(7)
    for _ in range(4):
        x = rng.uniform(0.05, 3.0, 120)
        y = 0.2 * x**0.7 + 1.0 + 1e-3 * rng.normal(size=120)
        fitted = fit(formula, {"x": x, "y": y}, loss="absolute")
        assert fitted.outcome == "converged"
        assert fitted.epochs < 200


def test_a_bent_valley_is_not_crept_along():
    rng = np.random.default_rng(11)
    x = rng.uniform(0.05, 3.0, 400)
    data = {"x": x, "y": 1.2 / (1.5 + x**2) + 0.3 * rng.normal(size=400), "w": rng.choice([0.3, 0.7, 2.0], 400)}
    fitted = fit("y ~ a/(b + x^2)", data, loss="absolute", weights="w")
    assert fitted.outcome == "converged"
    assert fitted.epochs < 60
