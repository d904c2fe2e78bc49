"""Classes with an order, against MASS::polr and the definition."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime
from scipy.special import expit
from scipy.stats import logistic, norm
from typer.testing import CliRunner

import descend
from descend.cli.main import app
from descend.errors import ConfigError, DataError
from descend.losses import LOSSES

HOUSING = Path(__file__).parent / "data" / "housing.csv"
FORMULA = "Sat ~ i[Infl] + t[Type] + c[Cont]"
LEVELS = 'ordinal(levels="Low, Medium, High")'
REFERENCE = {"Infl": "Low", "Type": "Tower", "Cont": "Low"}

# MASS::polr(Sat ~ Infl + Type + Cont, weights = Freq, data = housing, Hess = TRUE), refined in 40-digit arithmetic
LOGIT = {
    "i[Medium]": (0.566393737905927, 0.104652781364007),
    "i[High]": (1.28881911037226, 0.127156144567739),
    "t[Apartment]": (-0.572350002041979, 0.119238008596592),
    "t[Atrium]": (-0.36618637068895, 0.155173332018792),
    "t[Terrace]": (-1.0910146589696, 0.15148601856096),
    "c[High]": (0.36028400456913, 0.0955357950023712),
    "cut1": (-0.496135138197093, 0.124847242877451),
    "cut2": (0.690708259263148, 0.125471937849649),
}
# the same with method = "probit"
PROBIT = {
    "i[Medium]": (0.346422760645764, 0.0641370592917628),
    "i[High]": (0.782914641873771, 0.0764262027699847),
    "t[Apartment]": (-0.347536745223986, 0.0722909292723461),
    "t[Atrium]": (-0.217887532891855, 0.0947660672350143),
    "t[Terrace]": (-0.664173494083668, 0.0918000388835957),
    "c[High]": (0.222385828475714, 0.0581226680995408),
    "cut1": (-0.299827919547548, 0.0761537322367849),
    "cut2": (0.4267208362162, 0.0764043361374475),
}


def housing(method="logit", **options):
    loss = f'ordinal(levels="Low, Medium, High", method={method})'
    return descend.fit(FORMULA, HOUSING, loss=loss, weights="Freq", reference=REFERENCE, **options)


def flat(values):
    found = {}
    for name, value in values.items():
        found |= {f"{name}[{key}]": each for key, each in value.items()} if isinstance(value, dict) else {name: value}
    return found


@pytest.mark.parametrize(
    ("method", "expected", "deviance"), [("logit", LOGIT, 3479.14929905895), ("probit", PROBIT, 3479.68884256414)]
)
def test_housing_as_polr(method, expected, deviance):
    fit = housing(method)
    values, errors = flat(fit.parameters), flat(fit.standard_errors)
    assert {name: values[name] for name in expected} == pytest.approx(
        {n: v for n, (v, _) in expected.items()}, rel=1e-8
    )
    assert {name: errors[name] for name in expected} == pytest.approx(
        {n: e for n, (_, e) in expected.items()}, rel=1e-6
    )
    assert fit.deviance == pytest.approx(deviance, rel=1e-12)
    assert fit.aic == pytest.approx(deviance + 16.0, rel=1e-12)
    assert "the classes of `Sat` are `Low` < `Medium` < `High`" in fit.notes


def test_probabilities_and_classes(tmp_path):
    fit = housing()
    rows = {"Infl": ["Low", "High"], "Type": ["Tower", "Atrium"], "Cont": ["Low", "Low"]}
    # predict(polr(...), type = "probs")
    expected = [[0.3784494, 0.2876751, 0.3338755], [0.1948548, 0.2474226, 0.5577226]]
    np.testing.assert_allclose(fit.predict(rows, probabilities=True), expected, atol=1e-6)
    assert fit.predict(rows).tolist() == ["Low", "High"]
    fit.save(tmp_path / "fit.json")
    loaded = descend.load(tmp_path / "fit.json")
    assert loaded.predict(rows).tolist() == ["Low", "High"]
    np.testing.assert_array_equal(loaded.predict(rows, probabilities=True), fit.predict(rows, probabilities=True))
    assert loaded.loss_function.classes == ("Low", "Medium", "High")
    assert (loaded.aic, loaded.deviance) == (fit.aic, fit.deviance)


def ratings(count=400, method="logit"):
    random = np.random.default_rng(4)
    x = random.normal(size=count)
    noise = random.logistic(size=count) if method == "logit" else random.normal(size=count)
    return {"x": x, "y": np.digitize(1.5 * x + noise, [-2.0, -0.5, 0.5, 2.5]) + 1}


def cost(theta, data, up_to):
    ends = np.concatenate([[-np.inf], theta[1:], [np.inf]])
    place = data["y"] - 1
    return -np.log(up_to(ends[place + 1] - theta[0] * data["x"]) - up_to(ends[place] - theta[0] * data["x"])).mean()


@pytest.mark.parametrize(("method", "up_to"), [("logit", expit), ("probit", norm.cdf)])
@pytest.mark.parametrize("engine", ["auto", "query"])
def test_numbers_have_an_order(method, up_to, engine):
    data = ratings(method=method)
    fit = descend.fit("y ~ b*x", data, loss=f"ordinal(method={method})", engine=engine)
    assert list(fit.parameters) == ["b", "cut1", "cut2", "cut3", "cut4"]
    theta = np.array(list(fit.parameters.values()))
    assert fit.loss == pytest.approx(cost(theta, data, up_to), rel=1e-12)
    np.testing.assert_allclose(approx_fprime(theta, cost, 1e-7, data, up_to), 0.0, atol=1e-6)
    assert fit.predict({"x": [-3.0, 3.0]}).tolist() == [1, 5]


def test_ordered_categories_keep_their_order_and_false_comes_before_true():
    data = ratings()
    words = pd.Categorical.from_codes(data["y"] - 1, ["e", "d", "c", "b", "a"], ordered=True)
    fit = descend.fit("y ~ b*x", pd.DataFrame({"x": data["x"], "y": words}), loss="ordinal")
    assert fit.loss_function.classes == ("e", "d", "c", "b", "a")
    assert fit.parameters["b"] == pytest.approx(descend.fit("y ~ b*x", data, loss="ordinal").parameters["b"], rel=1e-9)
    high = data["y"] > 2
    two = descend.fit("y ~ b*x", {"x": data["x"], "y": high}, loss="ordinal")
    logistic = descend.fit("y ~ a + b*x", {"x": data["x"], "y": high}, loss="logistic")
    assert two.parameters["b"] == pytest.approx(logistic.parameters["b"], rel=1e-8)
    assert two.parameters["cut1"] == pytest.approx(-logistic.parameters["a"], rel=1e-8)


@pytest.mark.parametrize("method", ["logit", "probit"])
def test_no_digit_is_lost_far_from_the_data(method):
    loss = LOSSES.build(f'ordinal(levels="a, b, c", method={method})').given({}, {"cut1": -0.5, "cut2": 0.5})
    far, y = np.array([60.0, -60.0, 30.0, -30.0]), np.array([0.0, 2.0, 1.0, 1.0])
    distribution = logistic if method == "logit" else norm
    ends = [distribution.logcdf(-60.5), distribution.logcdf(-60.5)]
    with np.errstate(all="ignore"):  # of branches that are not taken
        value, slope, weight = loss.value(far, y), loss.slope(far, y), loss.weight(far, y)
    np.testing.assert_allclose(value[:2], np.negative(ends), rtol=1e-12)
    assert value[2] == pytest.approx(value[3], rel=1e-12)
    assert np.isfinite(slope).all()
    assert np.isfinite(weight).all()


def test_profile_intervals_are_near_those_of_the_errors():
    fit = descend.fit("y ~ b*x", ratings(), loss="ordinal")
    profile, wald = fit.intervals(method="profile"), fit.intervals()
    for name in fit.parameters:
        assert profile[name] == pytest.approx(wald[name], rel=0.1, abs=0.02)


def test_each_group_has_cutpoints_of_its_own():
    data = ratings()
    site = np.where(np.arange(400) < 200, "A", "B")
    fits = descend.fit("y ~ b*x", {**data, "site": site}, by="site", loss="ordinal")
    alone = descend.fit("y ~ b*x", {name: column[:200] for name, column in data.items()}, loss="ordinal")
    assert fits["A"].parameters == pytest.approx(alone.parameters, rel=1e-6)


@pytest.mark.parametrize(
    ("formula", "loss", "message"),
    [
        (
            FORMULA, "ordinal",
            "`Sat` holds words, which have no order by themselves: `High`, `Low`, `Medium`. Give it, from the lowest "
            'to the highest: loss=\'ordinal(levels="Low, Medium, High")\'.',
        ),
        (
            "Sat ~ b + i[Infl]", LEVELS,
            "`b` is added to the prediction in every row, which `cut1` and `cut2` of the ordinal loss stand for "
            "already. Leave `b` out of the formula.",
        ),
        (
            FORMULA, 'ordinal(levels="Low, High")',
            "`Sat` holds `Medium`, which is none of the levels `Low` and `High`. Add it to them, or leave such rows "
            "out with `where`.",
        ),
        (
            FORMULA, 'ordinal(levels="Low")',
            "The levels of the ordinal loss are two or more different classes with commas between them, such as "
            "ordinal(levels=\"low, medium, high\"); they are 'Low'.",
        ),
        (
            "log(Freq) ~ i[Infl]", "ordinal",
            "The ordinal loss is of classes, with which `log(Freq)` cannot compute. Write a column on the left.",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_fitted_is_told(formula, loss, message):
    with pytest.raises((ConfigError, DataError)) as caught:
        descend.fit(formula, HOUSING, loss=loss)
    assert str(caught.value) == message


def test_the_cutpoints_that_stand_for_an_intercept_are_listed():
    with pytest.raises(ConfigError) as caught:
        descend.fit("y ~ a + b*x", {"x": np.arange(8.0), "y": [0, 1, 2, 3, 0, 1, 2, 3]}, loss="ordinal")
    assert str(caught.value) == (
        "`a` is added to the prediction in every row, which `cut1`, `cut2` and `cut3` of the ordinal loss stand for "
        "already. Leave `a` out of the formula."
    )


def test_a_class_has_no_interval_and_a_number_no_probability():
    rows = {"x": [1.0]}
    with pytest.raises(ConfigError) as caught:
        descend.fit("y ~ b*x", ratings(), loss="ordinal").predict(rows, interval="confidence")
    assert str(caught.value) == (
        "The ordinal loss predicts classes, which have no confidence interval. Ask for probabilities=True."
    )
    with pytest.raises(ConfigError) as caught:
        descend.fit("y ~ b*x", ratings(), loss="ordinal", outliers="list")
    assert str(caught.value) == "The ordinal loss predicts classes, which have no outliers. Ask for probabilities=True."
    with pytest.raises(ConfigError) as caught:
        descend.fit("y ~ b*x", ratings()).predict(rows, probabilities=True)
    assert str(caught.value) == (
        "The squared loss is of numbers, not of classes each of which has a probability. Leave out `probabilities`."
    )


@pytest.mark.parametrize(
    ("asked", "lacking"),
    [
        (lambda fit: fit.residuals, "no residuals"),
        (lambda fit: fit.influence(), "no residuals, and so no leverage and no Cook's distance"),
        (lambda fit: fit.quantity("prediction(x=3)"), "no curve of which `prediction` is read off"),
        (lambda fit: fit.export("latex"), "no one number to export"),
        (lambda fit: fit.invert(1.0, mean=True), "no response to solve for"),
        (lambda fit: fit.design({"x": (0, 5)}, sigma=1.0), "no standard deviation by which to plan measurements"),
    ],
)
@pytest.mark.parametrize("loss", ["ordinal", "multinomial"])
def test_what_numbers_have_and_classes_have_not_is_refused(loss, asked, lacking):
    with pytest.raises(ConfigError) as caught:
        asked(descend.fit("y ~ b*x", ratings(), loss=loss))
    assert str(caught.value) == f"The {loss} loss predicts classes, which have {lacking}. Ask for probabilities=True."


def test_the_command_line(tmp_path):
    run = CliRunner().invoke
    saved, output = str(tmp_path / "fit.json"), str(tmp_path / "new.csv")
    options = ["--loss", LEVELS, "--weights", "Freq", "--save", saved, "--json"]
    result = run(app, ["fit", FORMULA, str(HOUSING), *options])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["deviance"] == pytest.approx(3479.14929905895)
    result = run(app, ["predict", saved, str(HOUSING), "--probabilities", "--output", output])
    assert result.exit_code == 0, result.output
    new = pd.read_csv(output)
    assert new["prediction"][0] == "Low"
    assert new["probability of Low"][0] == pytest.approx(0.3784494, abs=1e-6)
    result = run(app, ["predict", saved, "--at", "Infl=Low,Type=Tower,Cont=Low", "--probabilities"])
    assert result.stdout == (
        "Infl,Type,Cont,prediction,probability of Low,probability of Medium,probability of High\n"
        "Low,Tower,Low,Low,0.3784493546,0.2876751094,0.333875536\n"
    )
