"""Classes without an order, against nnet::multinom, scikit-learn and the logistic loss."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from sklearn.linear_model import LogisticRegression
from typer.testing import CliRunner

import descend
from descend.cli.main import app
from descend.engines.numpy_engine import NumpyEngine
from descend.errors import ConfigError, DataError
from descend.gradients.per_class import ClassesKernel

HOUSING = Path(__file__).parent / "data" / "housing.csv"
REFERENCE = {"Sat": "Low", "Infl": "Low", "Type": "Tower", "Cont": "Low"}
ORDER = ["High", "Medium"], ["Apartment", "Atrium", "Terrace"]
# nnet::multinom(Sat ~ Infl + Type + Cont, weights = Freq, data = housing), refined in 40-digit arithmetic
EXPECTED = {
    "Medium": {
        "b": (-0.419228741179258, 0.172934532849832),
        "i": {"Medium": (0.446395892821583, 0.141557310271145), "High": (0.664935327711437, 0.18633752484163)},
        "t": {
            "Apartment": (-0.435688699088006, 0.172532867487839),
            "Atrium": (0.131370302469821, 0.223106712144935),
            "Terrace": (-0.666570457635314, 0.206253329228166),
        },
        "c": {"High": (0.360851882643292, 0.13239755266715)},
    },
    "High": {
        "b": (-0.138742758995362, 0.1592295684673),
        "i": {"Medium": (0.734863219262883, 0.136937975874708), "High": (1.61263106611786, 0.167131709557612)},
        "t": {
            "Apartment": (-0.735631740100151, 0.155271430411459),
            "Atrium": (-0.407978086327931, 0.211496621679088),
            "Terrace": (-1.41232768420721, 0.200149438491627),
        },
        "c": {"High": (0.481827002622119, 0.124137065397058)},
    },
}


def housing(**options):
    formula = "Sat ~ b + i[Infl] + t[Type] + c[Cont]"
    return descend.fit(formula, HOUSING, loss="multinomial", weights="Freq", reference=REFERENCE, **options)


def labelled(fit):
    values = dict(zip(fit.model.parameters.labels, fit.theta.tolist(), strict=True))
    errors = np.sqrt(np.diag(fit.covariance))
    return values, dict(zip(fit.model.parameters.labels, errors.tolist(), strict=True))


def test_housing_as_multinom():
    fit = housing()
    values, errors = labelled(fit)
    for of_class, parameters in EXPECTED.items():
        for name, each in parameters.items():
            for level, (value, error) in each.items() if isinstance(each, dict) else [(None, each)]:
                label = f"{name}[{of_class}]" if level is None else f"{name}[{of_class}, {level}]"
                assert values[label] == pytest.approx(value, rel=1e-8)
                assert errors[label] == pytest.approx(error, rel=1e-6)
    assert fit.parameters["b"]["Medium"] == values["b[Medium]"]
    assert fit.deviance == pytest.approx(3470.08386634112, rel=1e-12)
    assert fit.aic == pytest.approx(3470.08386634112 + 28.0, rel=1e-12)


def flowers(count=300, classes=3):
    random = np.random.default_rng(3)
    x = random.normal(size=(count, 2))
    scores = np.column_stack([np.zeros(count), 0.5 + x[:, 0], *([-x[:, 1]] * (classes - 2))])
    place = (scores + random.gumbel(size=scores.shape)).argmax(axis=1)
    return {"x1": x[:, 0], "x2": x[:, 1], "y": np.array(["ant", "bee", "cat"])[place], "place": place}


def test_words_are_classes_and_coefficients_those_of_scikit_learn(tmp_path):
    data = flowers()
    fit = descend.fit("y ~ w @ [x1, x2] + b", data, loss="multinomial")
    x = np.column_stack([data["x1"], data["x2"]])
    other = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(x, data["y"])
    mine = np.array([fit.parameters["w"]["bee"], fit.parameters["w"]["cat"]])
    np.testing.assert_allclose(mine, other.coef_[1:] - other.coef_[0], atol=1e-5)
    np.testing.assert_allclose(fit.predict(data, probabilities=True), other.predict_proba(x), atol=1e-5)
    assert (fit.predict(data) == other.predict(x)).all()
    assert "the classes of `y` are `ant`, `bee`, `cat`" in fit.notes
    fit.save(tmp_path / "fit.json")
    loaded = descend.load(tmp_path / "fit.json")
    np.testing.assert_array_equal(loaded.predict(data, probabilities=True), fit.predict(data, probabilities=True))
    np.testing.assert_array_equal(loaded.standard_errors["w"]["cat"], fit.standard_errors["w"]["cat"])
    numbers = descend.fit("place ~ w @ [x1, x2] + b", data, loss="multinomial")
    assert numbers.predict({"x1": [5.0], "x2": [0.0]}).tolist() == [1]
    assert numbers.parameters["b"][2] == pytest.approx(fit.parameters["b"]["cat"], rel=1e-9)
    turned = descend.fit("y ~ w @ [x1, x2] + b", data, loss="multinomial", reference="y=cat")
    assert turned.parameters["b"]["ant"] == pytest.approx(-fit.parameters["b"]["cat"], rel=1e-7)


def test_two_classes_are_the_logistic_loss():
    data = flowers()
    two = {name: column[data["y"] != "cat"] for name, column in data.items()}
    fit = descend.fit("y ~ a + b*x1", two, loss="multinomial")
    other = descend.fit("y ~ a + b*x1", two, loss="logistic")
    for name in "ab":
        assert fit.parameters[name]["bee"] == pytest.approx(other.parameters[name], rel=1e-7)
        assert fit.standard_errors[name]["bee"] == pytest.approx(other.standard_errors[name], rel=1e-6)
    assert fit.aic == pytest.approx(other.aic, rel=1e-10)


@pytest.mark.parametrize("formula", ["y ~ w @ [x1, x2] + b", "y ~ a*exp(b*x1) + c"])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_sums_are_derivatives_of_each_other(formula, weighted):
    data = flowers()
    columns = {name: data[name] for name in ("x1", "x2")} | {"y": data["place"].astype(float)}
    columns["omega"] = np.linspace(0.5, 2.0, 300)
    fit = descend.fit(formula, columns, loss="multinomial", weights="omega" if weighted else None)
    model, loss = fit.model, fit.loss_function
    engine = NumpyEngine(ClassesKernel(model), fit.solution.problem.rows)
    theta = np.random.default_rng(1).normal(0.0, 0.5, model.parameters.size)
    found = engine.evaluate(theta, 2)
    omega = columns["omega"] if weighted else np.ones(300)
    chances = loss.probabilities(model.scores(theta, columns), {})
    assert found.loss == pytest.approx(-(omega @ np.log(chances[np.arange(300), data["place"]])), rel=1e-12)
    numeric = approx_fprime(theta, lambda theta: engine.evaluate(theta, 0).loss, 1e-6)
    np.testing.assert_allclose(found.gradient, numeric, rtol=1e-4, atol=1e-3)
    if model.linear:
        second = approx_fprime(theta, lambda theta: engine.evaluate(theta, 1).gradient, 1e-6)
        np.testing.assert_allclose(found.curvature, second, rtol=1e-4, atol=1e-3)
    upper = engine.evaluate(theta, 3).factor
    np.testing.assert_allclose(upper[:, :-1].T @ upper[:, :-1], found.curvature, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(upper[:, :-1].T @ upper[:, -1], found.gradient, rtol=1e-7, atol=1e-7)


def test_groups_queries_penalties_and_profiles():
    data = flowers()
    plain = descend.fit("y ~ a + b*x1", data, loss="multinomial")
    streamed = descend.fit("y ~ a + b*x1", data, loss="multinomial", engine="query")
    np.testing.assert_allclose(streamed.theta, plain.theta, rtol=1e-6)
    groups = descend.fit("y ~ a + b*x1", {**data, "g": np.arange(300) // 150}, by="g", loss="multinomial")
    half = descend.fit("y ~ a + b*x1", {name: column[:150] for name, column in data.items()}, loss="multinomial")
    assert groups[0].parameters["b"]["cat"] == pytest.approx(half.parameters["b"]["cat"], rel=1e-6)
    drawn = descend.fit("y ~ a + b*x1", data, loss="multinomial", l2=1e3)
    assert abs(drawn.parameters["b"]["bee"]) < 1e-2
    shares = np.array([(data["y"] == each).mean() for each in ("ant", "bee")])
    assert drawn.parameters["a"]["bee"] == pytest.approx(np.log(shares[1] / shares[0]), abs=1e-2)  # not drawn to 0
    low, high = plain.intervals(method="profile")["b"]
    assert low["bee"] < plain.parameters["b"]["bee"] < high["bee"]


def test_starts_are_one_for_each_class_or_one_for_all():
    x, y = np.arange(30.0), np.tile(["a", "b", "c"], 10)
    for start, begins in (([1.0, 2.0], [1.0, 2.0]), (3.0, [3.0, 3.0])):
        fit = descend.fit("y ~ a + b*x", {"x": x, "y": y}, loss="multinomial", start={"a": start, "b": 0.0}, epochs=0)
        assert list(fit.trace[0].theta) == [*begins, 0.0, 0.0]


@pytest.mark.parametrize("loss", ["multinomial", "ordinal"])
def test_separated_classes_are_told(loss):
    x, y = np.arange(30.0), np.repeat([1, 2, 3], 10)
    formula = "y ~ b*x" if loss == "ordinal" else "y ~ a + b*x"
    fit = descend.fit(formula, {"x": x, "y": y}, loss=loss)
    assert fit.outcome == "stalled"
    assert fit.advice.startswith("The data are separated: as ")
    y[[9, 10, 19, 20]] = [2, 1, 3, 2]
    assert descend.fit(formula, {"x": x, "y": y}, loss=loss).outcome == "converged"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"fix": {"a": 0.0}},
            "Under the multinomial loss each parameter of the formula stands for one of each class, and `fix` holds "
            "none of these yet. Leave it out, or draw all towards 0 with `l2`.",
        ),
        (
            {"errors": "sandwich"},
            "The multinomial loss has parameters of its own, which no sandwich errors are known for. Use model.",
        ),
        ({"reference": "y=dog"}, "`y` has no level `dog` to be the reference. It holds `ant`, `bee` and `cat`."),
    ],
)
def test_what_does_not_go_with_it_is_refused(options, message):
    with pytest.raises(ConfigError) as caught:
        descend.fit("y ~ a + b*x1", flowers(), loss="multinomial", **options)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (
            "squared",
            'The squared loss needs a column of numbers; classes are fitted by loss="multinomial" or, if they have an '
            'order, loss="ordinal".',
        ),
        (
            "logistic",
            "It has more than two levels (`ant`, `bee`, `cat`), and the logistic loss is for two. Use "
            'loss="multinomial" or, if they have an order, loss="ordinal"; or keep the rows of '
            "two of them with `where`.",
        ),
    ],
)
def test_words_under_a_loss_of_numbers_name_the_losses_of_classes(loss, message):
    with pytest.raises(DataError) as caught:
        descend.fit("y ~ a + b*x1", flowers(), loss=loss)
    assert str(caught.value).endswith(message)


@pytest.mark.parametrize("formula", ["y ~ a + b*x1", "y ~ w @ [x1, x2] + a", "y ~ a[site] + b*x1"])
def test_a_fit_starts_where_another_ended(formula):
    data = {**flowers(), "site": np.array(["north", "south"])[np.arange(300) % 2]}
    fit = descend.fit(formula, data, loss="multinomial")
    by_label = dict(zip(fit.model.parameters.labels, fit.theta.tolist(), strict=True))
    lists = {name: [by_label[label] for label in by_label if label.startswith(f"{name}[")] for name in fit.parameters}
    for start in (fit.parameters, by_label, lists):
        again = descend.fit(formula, data, loss="multinomial", start=start, optimizer="gd", epochs=0)
        np.testing.assert_array_equal(again.theta, fit.theta)


@pytest.mark.parametrize(
    ("start", "begun"),
    [({"w": [1.0, 2.0]}, [1.0, 2.0, 1.0, 2.0]), ({"w": 3.0}, [3.0] * 4), ({"w": [1.0, 2.0, 3.0, 4.0]}, [1, 2, 3, 4])],
)
def test_a_start_of_one_class_is_that_of_each(start, begun):
    options = {"loss": "multinomial", "start": {**start, "b": 0.5}, "optimizer": "gd", "epochs": 0}
    fit = descend.fit("y ~ w @ [x1, x2] + b", flowers(), **options)
    np.testing.assert_array_equal(fit.theta, [*begun, 0.5, 0.5])


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (
            {"a": [1.0, 2.0, 3.0]},
            "The start of `a` must be one number or 2 numbers, one for each of bee, cat; it has shape (3,).",
        ),
        ({"a": "high"}, "The start of `a` must be a number; it is 'high'."),
        ({"q": 1.0}, "There is no parameter `q` to start. Parameters: a, b."),
    ],
)
def test_a_start_that_fits_no_class_is_refused(start, message):
    with pytest.raises(ConfigError) as caught:
        descend.fit("y ~ a + b*x1", flowers(), loss="multinomial", start=start)
    assert str(caught.value) == message


def test_a_run_has_no_one_curve_to_animate():
    with pytest.raises(ConfigError) as caught:
        _ = descend.fit("y ~ a + b*x1", flowers(), loss="multinomial").animate().film
    assert str(caught.value) == (
        "The multinomial loss predicts classes, which have no one curve to animate. Ask for probabilities=True."
    )


def test_the_command_line(tmp_path):
    saved = str(tmp_path / "fit.json")
    options = ["--loss", "multinomial", "--weights", "Freq", "--save", saved, "--json"]
    result = CliRunner().invoke(app, ["fit", "Sat ~ b + t[Type]", str(HOUSING), *options])
    assert result.exit_code == 0, result.output
    assert set(json.loads(result.stdout)["parameters"]["b"]) == {"Low", "Medium"}
    result = CliRunner().invoke(app, ["predict", saved, "--at", "Type=Tower", "--probabilities"])
    cells = result.stdout.splitlines()[1].split(",")
    assert cells[1] in ("Low", "High")
    assert sum(map(float, cells[2:])) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("formula", "shown"),
    [("y ~ sigmoid(a + b*x)", "sigmoid(a + b*x)"), ("y ~ 1/(1 + exp(-a - b*x))", "1/(exp(-a - b*x) + 1)")],
)
def test_a_probability_in_place_of_a_score_is_refused(formula, shown):
    data = {"x": np.arange(9.0), "y": np.array(["a", "b", "c"] * 3)}
    with pytest.raises(descend.ConfigError) as caught:
        descend.fit(formula, data, loss="multinomial")
    assert str(caught.value) == (
        "Under the multinomial loss the formula is a score of each class, any number, of which probabilities are made; "
        f"`{shown}` stays between 0 and 1, so that no class could be likely. Write `a + b*x`."
    )


def test_classes_called_nan_and_inf_are_words():
    x = np.linspace(-2.0, 2.0, 60)
    classes = np.where(x + np.sin(9.0 * x) > 0.0, "nan", "inf")
    fit = descend.fit("y ~ w*x + b", {"x": x, "y": classes}, loss="multinomial")
    assert fit.predict({"x": [-2.0, 2.0]}).tolist() == ["inf", "nan"]
    assert "then 'inf' else 'nan' end" in fit.export("sql")
