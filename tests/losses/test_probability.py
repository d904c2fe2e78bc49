"""Formulas that are a probability under the logistic loss: told as such, and fitted by their own likelihood."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, ndtr

import descend
from descend.formula import read_formula
from descend.losses import Bernoulli, Logistic
from descend.losses.link import log_odds
from descend.losses.probability import taken_for

COLUMNS = ("x", "d", "y")
SHARE, RATE = (0.0, 1.0), (0.0, np.inf)
PROBABILITIES = {
    "c + (1 - c)*sigmoid(a + b*x)": {"c": SHARE},
    "c + (u - c)*sigmoid(a + b*x)": {"c": SHARE, "u": SHARE},
    "g + (1 - g - l)*sigmoid(a + b*x)": {"g": SHARE, "l": SHARE},
    "0.25 + 0.75/(1 + exp(-1.7*a*(x - b)))": {},
    "0.5*(1 + erf((a + b*x)/sqrt(2)))": {},
    "0.5 + 0.5*(1 - exp(-(d/k)^s))": {},
    "1 - exp(-exp(a + b*x))": {},
    "exp(-exp(a + b*x))": {},
    "1/2 + atan(a + b*x)/pi": {},
    "d^h/(d^h + k^h)": {},
    "1/(1 + (d/k)^h)": {},
    "a*exp(-((x - m)/s)^2)": {"a": SHARE},
    "0.5 + 0.5*sin(a*x + p)": {},
    "c + (1 - c)*sigmoid(w @ [x, d])": {"c": SHARE},
    "1 - exp(-k*d)": {"k": RATE},
    "c + (1 - c)*(1 - exp(-k*d))": {"c": SHARE, "k": RATE},
    "2^(-d/h)": {"h": RATE},
    "1 - (1 + d/b)^(-a)": {"a": RATE, "b": RATE},
}
LOG_ODDS = [
    "a + b*x", "a*x", "w @ [x, d] + b", "a + b*x + c*x^2", "1 - a*x", "exp(a + b*x)", "a*exp(-b*x)", "a*log(d) + b",
    "a*(1 - exp(-b*x))", "a*x/(k + x)", "a*sin(b*x + p) + c", "a*tanh(b*x)", "c + b*sigmoid(a + x)", "a*sigmoid(x)",
]  # fmt: skip
SIGMOIDS = {
    "sigmoid(a + b*x)": "a + b*x",
    "1/(1 + exp(-(a + b*x)))": "a + b*x",
    "exp(a + b*x)/(1 + exp(a + b*x))": "a + b*x",
    "1 - sigmoid(a + b*x)": "-a - b*x",
    "0.5*(1 + tanh(a + b*x))": "2*a + 2*b*x",
    "(1 + exp(b*(x - c)))^(-1)": "-b*(-c + x)",
}


def expression(text: str):
    return read_formula(f"y ~ {text}", COLUMNS).expression


@pytest.mark.parametrize("text", PROBABILITIES)
def test_what_stays_between_0_and_1_is_a_probability(text):
    loss, bounds = taken_for(Logistic(), expression(text))
    assert loss == Bernoulli()
    assert {symbol.name: ends for symbol, ends in bounds.items()} == PROBABILITIES[text]


@pytest.mark.parametrize("text", LOG_ODDS)
def test_what_can_leave_it_gives_log_odds(text):
    assert taken_for(Logistic(), expression(text)) == (Logistic(), {})


@pytest.mark.parametrize("text", SIGMOIDS)
def test_what_ends_in_a_sigmoid_gives_the_log_odds_inside_it(text):
    assert str(log_odds(expression(text))) == SIGMOIDS[text]
    assert taken_for(Logistic(), expression(text)) == (Logistic(), {})


def test_rates_are_told_from_columns_that_are_never_negative():
    loss, _ = taken_for(Logistic(), expression("1 - exp(-k*x)"), negative=lambda column: column.name == "x")
    assert loss == Logistic()


def test_bounds_make_a_probability_of_what_could_be_either():
    data = {"x": np.linspace(0, 5, 200)}
    data["y"] = outcomes(1, 0.8 * (1 - np.exp(-data["x"])))
    either = descend.fit("y ~ a*(1 - exp(-b*x))", data, loss="logistic")
    assert either.loss_function == Logistic()
    assert either.notes[1] == (
        "the formula is taken for the log-odds of `y`, as it can leave the range from 0 to 1; if it is the "
        "probability itself, choose the bernoulli loss"
    )
    bounded = descend.fit("y ~ a*(1 - exp(-b*x))", data, loss="logistic", bounds=["0 <= a <= 1", "b >= 0"])
    chosen = descend.fit("y ~ a*(1 - exp(-b*x))", data, loss="bernoulli")
    assert bounded.loss_function == Bernoulli()
    np.testing.assert_allclose(bounded.theta, chosen.theta, rtol=1e-6)
    np.testing.assert_allclose(bounded.theta, likeliest(lambda t, x: t[0] * -np.expm1(-t[1] * x), data, [0.8, 1.0]),
                               rtol=1e-5)  # fmt: skip


def outcomes(seed: int, probability: np.ndarray) -> np.ndarray:
    return (np.random.default_rng(seed).random(probability.size) < probability).astype(float)


def likeliest(curve, data, begin):
    """The most likely parameters, by SciPy."""
    column = next(values for name, values in data.items() if name != "y")

    def cost(theta):
        with np.errstate(all="ignore"):
            p = curve(theta, column)
            value = -np.mean(np.where(data["y"] > 0, np.log(p), np.log1p(-p)))
        return value if np.isfinite(value) else 1e9

    options = {"xatol": 1e-10, "fatol": 1e-15, "maxiter": 10_000, "maxfev": 10_000}
    return minimize(cost, begin, method="Nelder-Mead", options=options).x


X, DOSE = np.linspace(-3, 3, 400), np.repeat([0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0], 60)
CURVES = {
    "y ~ c + (1 - c)*sigmoid(a + b*x)": (X, lambda t, x: t[0] + (1 - t[0]) * expit(t[1] + t[2] * x), [0.2, 0.4, 1.7]),
    "y ~ 0.5*(1 + erf((x - m)/(s*sqrt(2))))": (X, lambda t, x: ndtr((x - t[0]) / t[1]), [0.4, 1.2]),
    "y ~ 1 - exp(-exp(a + b*x))": (X, lambda t, x: -np.expm1(-np.exp(t[0] + t[1] * x)), [-0.3, 0.8]),
    "y ~ c + (1 - c)*(1 - exp(-k*x))": (DOSE, lambda t, x: t[0] - (1 - t[0]) * np.expm1(-t[1] * x), [0.1, 0.4]),
    "y ~ x^h/(x^h + k^h)": (DOSE, lambda t, x: x ** t[0] / (x ** t[0] + t[1] ** t[0]), [1.5, 1.8]),
}


@pytest.mark.parametrize("text", CURVES)
def test_the_fit_is_the_most_likely_one(text, tmp_path):
    x, curve, truth = CURVES[text]
    data = {"x": x, "y": outcomes(7, curve(np.array(truth), x))}
    fit = descend.fit(text, data, loss="logistic")
    assert fit.outcome == "converged"
    assert "is taken for the probability of `y`, not for its log-odds" in fit.notes[1]
    np.testing.assert_allclose(fit.theta, likeliest(curve, data, truth), rtol=2e-5)
    np.testing.assert_allclose(fit.predict(data), curve(fit.theta, x), rtol=1e-12)
    band = fit.predict(data, interval="confidence")
    assert np.nanmin(band.low) >= 0 and np.nanmax(band.high) <= 1
    for options in ({"gradient": "autograd"}, {"optimizer": "lbfgs"}, {"optimizer": "adam"}):
        again = descend.fit(text, data, loss="logistic", **options)
        assert again.loss == pytest.approx(fit.loss, rel=1e-12)
    path = tmp_path / "model.json"
    fit.save(path)
    loaded = descend.load(path)
    assert loaded.loss_function == Bernoulli()
    np.testing.assert_array_equal(loaded.predict(data), fit.predict(data))


def test_probabilities_at_the_edge_cost_nothing_where_they_are_right_and_everything_where_not():
    loss, p = Bernoulli(), np.array([0.0, 1.0, 0.0, 1.0, -0.1, 1.1])
    y = np.array([0.0, 1.0, 1.0, 0.0, 0.0, 1.0])
    with np.errstate(all="ignore"):
        assert loss.value(p, y).tolist() == [0, 0, np.inf, np.inf, np.inf, np.inf]
    assert np.isfinite(loss.slope(p[:2], y[:2])).all() and np.isfinite(loss.weight(p, y)).all()


def test_a_line_under_the_loss_of_probabilities_is_told_to_stay_between_0_and_1():
    data = {"x": np.arange(10.0), "y": outcomes(0, np.full(10, 0.5))}
    with pytest.raises(descend.DescendError) as raised:
        descend.fit("y ~ a + b*x", data, loss="bernoulli", start={"a": 2.0, "b": 0.0})
    assert str(raised.value) == (
        "The prediction is 2 in row 1 (x = 0) at the start (a=2  b=0), so the loss is not finite. Keep the formula "
        "between 0 and 1, as in `y ~ c + (1 - c)*sigmoid(a + b*x)`, or give other starting values with `start`."
    )


def test_derive_takes_it_for_the_probability_too():
    text = descend.derive("y ~ 1 - exp(-exp(a + b*x))", loss="logistic", columns=["x", "y"])
    assert text.loss == Bernoulli()
