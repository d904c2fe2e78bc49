"""Errors in the inputs: ODRPACK's answers, exact gradients, growth into the ordinary fit, and messages."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import descend
from descend.cli.main import main
from descend.errors import ConfigError, DataError

FOLDER = Path(__file__).parent / "xerrors"
ANSWERS = json.loads((FOLDER / "answers.json").read_text())["cases"]
RANDOM = np.random.default_rng(4)
T = np.linspace(0.0, 5.0, 40)
DECAY = {
    "t": T + 0.1 * RANDOM.normal(size=40),
    "y": 3.0 * np.exp(-0.7 * T) + 0.5 + 0.05 * RANDOM.normal(size=40),
    "dt": np.full(40, 0.1),
    "dy": np.full(40, 0.05),
}


def columns(name):
    lines = [line for line in (FOLDER / name).read_text().splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    return {key: np.array([float(row[key]) for row in rows]) for key in rows[0]}


def weights(rule, data):
    """Return the weights that a rule of the answers stands for."""
    if isinstance(rule, str):
        return data[rule[3:]] ** -2.0 if rule.startswith("sd:") else data[rule]
    return np.full(len(next(iter(data.values()))), float(rule))


@pytest.mark.parametrize("case", [name for name in ANSWERS if name not in ("pearson-fixed-x", "two-responses")])
def test_parameters_errors_and_deltas_are_those_of_odrpack(case):
    known = ANSWERS[case]
    data = columns(known["data"])
    sigmas = {}
    for name in known["x"]:
        rule = known["weight_x"].get(name, 1) if isinstance(known["weight_x"], dict) else known["weight_x"]
        if name not in known["fixed_x"]:
            data[f"sd_{name}"], sigmas[name] = weights(rule, data) ** -0.5, f"sd_{name}"
    spread = {}
    if not known["implicit"]:
        rule = next(iter(known["weight_y"].values())) if isinstance(known["weight_y"], dict) else known["weight_y"]
        data["omega"] = weights(rule, data)
        data["sd"], spread = data["omega"] ** -0.5, {"weights": "omega"}
    fit = descend.fit(known["formula"], data, x_sigma=sigmas, **spread)
    assert fit.succeeded
    for name, value in known["parameters"].items():
        assert fit.parameters[name] == pytest.approx(value, rel=1e-8)
        assert fit.standard_errors[name] == pytest.approx(known["standard_errors"][name], rel=1e-6)
    total = data["omega"].sum() if spread else fit.rows
    assert fit.loss * total == pytest.approx(known["sum_of_squares"], rel=1e-8)
    for name in sigmas:
        scale = np.abs(known["delta"][name]).max()
        np.testing.assert_allclose(fit.delta[name], known["delta"][name], atol=1e-7 * scale)
    if spread:
        certain = descend.fit(known["formula"], data, x_sigma=sigmas, sigma="sd")
        for name, value in known["standard_errors_known_sigma"].items():
            assert certain.standard_errors[name] == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("formula, inputs", [("y ~ a*exp(-b*t) + c", ["t"]), ("y ~ a*t + b*t*z + c", ["t", "z"])])
def test_the_gradient_and_the_factor_are_right(formula, inputs):
    data = {**DECAY, "z": np.cos(T)}
    fit = descend.fit(formula, data, sigma="dy", x_sigma=dict.fromkeys(inputs, 0.2))
    objective = fit.solution.objective
    theta = fit.theta * 1.1
    found = objective(theta, 1).gradient
    for place in range(theta.size):
        step = np.zeros(theta.size)
        step[place] = 1e-5
        slope = (objective(theta + step, 0).loss - objective(theta - step, 0).loss) / 2e-5
        assert found[place] == pytest.approx(slope, rel=1e-6, abs=1e-9)
    point, squared = objective(theta, 3), objective(theta.copy(), 2)
    factor = point.factor[:-1, :-1]
    np.testing.assert_allclose(factor.T @ factor, squared.curvature, rtol=1e-10)
    np.testing.assert_allclose(factor.T @ point.factor[:-1, -1], squared.gradient, rtol=1e-9, atol=1e-12)


def test_exact_inputs_are_the_ordinary_fit():
    ordinary = descend.fit("y ~ a*exp(-b*t) + c", DECAY, sigma="dy")
    some = {**DECAY, "none": np.zeros(40)}
    exact = descend.fit("y ~ a*exp(-b*t) + c", some, sigma="dy", x_sigma={"t": "none"})
    for name, value in ordinary.parameters.items():
        assert exact.parameters[name] == pytest.approx(value, rel=1e-9)
        assert exact.standard_errors[name] == pytest.approx(ordinary.standard_errors[name], rel=1e-7)
    assert not exact.delta["t"].any()


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_points_that_lie_on_a_circle_exactly_have_converged(unit):
    angle = np.linspace(0.0, 6.0, 50)
    data = {"x": unit * (3.0 + 2.0 * np.cos(angle)), "y": unit * (1.0 + 2.0 * np.sin(angle))}
    fit = descend.fit("0 ~ (x - a)^2 + (y - b)^2 - r^2", data, x_sigma={"x": 0.1 * unit, "y": 0.1 * unit})
    assert fit.outcome == "converged"
    assert fit.parameters == pytest.approx({"a": 3.0 * unit, "b": unit, "r": 2.0 * unit}, rel=1e-12)


def test_a_circle_is_found_without_a_start():
    angle = np.linspace(0.0, 2.0 * np.pi, 30, endpoint=False)
    random = np.random.default_rng(0)
    x = 3.0 + 2.0 * np.cos(angle) + 0.05 * random.normal(size=30)
    y = -1.0 + 2.0 * np.sin(angle) + 0.05 * random.normal(size=30)
    fit = descend.fit("0 ~ ((x - a)^2 + (y - b)^2)/r^2 - 1", {"x": x, "y": y}, x_sigma={"x": 0.05, "y": 0.05})
    a, b, r = (abs(fit.parameters[name]) for name in "abr")
    # The points that were found lie on the circle, and J is the mean squared distance to it.
    distance = np.hypot(x - fit.parameters["a"], y - fit.parameters["b"]) - r
    assert fit.loss == pytest.approx(float((distance**2).mean()) / 0.05**2, rel=1e-6)
    assert (a, b, r) == pytest.approx((3.0, 1.0, 2.0), abs=0.05)


def test_saved_loaded_and_on_the_command_line(tmp_path, monkeypatch, capsys):
    data = tmp_path / "decay.csv"
    rows = zip(*DECAY.values(), strict=True)
    data.write_text(
        "\n".join([",".join(DECAY), *(",".join(f"{value!r}" for value in map(float, row)) for row in rows)])
    )
    arguments = ["fit", "y ~ a*exp(-b*t) + c", str(data), "--x-sigma", "t=dt", "--sigma", "dy", "--json"]
    arguments += ["--save", str(tmp_path / "model.json")]
    monkeypatch.setattr("sys.argv", ["descend", *arguments])
    assert main() == 0
    found = json.loads(capsys.readouterr().out)
    fit = descend.fit("y ~ a*exp(-b*t) + c", DECAY, sigma="dy", x_sigma={"t": 0.1})
    assert found["parameters"]["b"] == pytest.approx(fit.parameters["b"], rel=1e-8)
    assert found["x_sigma"] == {"t": "dt"}
    loaded = descend.load(tmp_path / "model.json")
    assert not loaded.model.linear and loaded.delta == {}
    np.testing.assert_allclose(loaded.predict({"t": [1.0]}), fit.predict({"t": [1.0]}), rtol=1e-8)


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"x_sigma": "x=dt"}, ConfigError, "`x_sigma` names `x`, which is no input of the formula. Inputs: t."),
        (
            {"x_sigma": "t=dx"},
            ConfigError,
            "There is no column `dx` with the standard deviations of `t`. Columns: t, y, dt, dy, low.",
        ),
        (
            {"x_sigma": "t=dt", "engine": "query"},
            ConfigError,
            'Errors of inputs are fitted to rows in memory, but these stay where they are. Leave out engine="query" '
            "and `memory_limit`, or `x_sigma`.",
        ),
        ({"x_sigma": "t=-1"}, ConfigError, "The standard deviation of `t` must be 0 or more; it is -1."),
        (
            {"x_sigma": "t"},
            ConfigError,
            'Standard deviations of inputs are given by name, such as x_sigma={"t": "dt"}, or t=0.1.',
        ),
        (
            {"x_sigma": {"t": "dt"}, "loss": "absolute"},
            ConfigError,
            "Errors of inputs go with least squares, and with robust losses such as huber and soft_l1, not with the "
            "absolute loss. Choose one of these, or leave out the errors of inputs.",
        ),
        (
            {"x_sigma": {"t": "low"}},
            DataError,
            "`low`, the standard deviation of `t`, is -0.5 in row 1 of the data. It must be 0, where the input is "
            "exact, or more.",
        ),
    ],
)
def test_wrong_errors_of_inputs_are_refused(options, error, message):
    with pytest.raises(error) as raised:
        descend.fit("y ~ a*exp(-b*t) + c", {**DECAY, "low": T - 0.5}, **options)
    assert str(raised.value) == message


def test_an_equation_without_errors_is_refused():
    with pytest.raises(ConfigError) as error:
        descend.fit("0 ~ a*t + b*y - 1", DECAY)
    assert str(error.value) == (
        "`0 ~ a*t + b*y - 1` has no response: it holds between columns, which have errors. Say how large these are, "
        'such as x_sigma={"t": 1}, or write the column to predict on the left.'
    )


def test_a_point_without_a_value_does_not_spoil_those_after_it():
    fit = descend.fit("y ~ a*exp(-b*t)", DECAY, x_sigma={"t": "dt"})
    objective, theta = fit.solution.objective, fit.theta
    before = objective(theta, 2)
    assert not np.isfinite(objective(np.array([1.0, -1000.0]), 1).loss)
    after = objective(theta, 2)
    assert after.loss == pytest.approx(before.loss, rel=1e-12)
    np.testing.assert_allclose(after.curvature, before.curvature, rtol=1e-6)


def york(x, y, sx, sy, r):
    """Return a, b and their standard errors by York, Evensen, Martinez & De Basabe (2004), Am. J. Phys. 72, 367."""
    wx, wy, b = sx**-2.0, sy**-2.0, -0.5
    alpha = np.sqrt(wx * wy)
    for _ in range(100):
        weight = wx * wy / (wx + b * b * wy - 2.0 * b * r * alpha)
        u, v = x - np.average(x, weights=weight), y - np.average(y, weights=weight)
        beta = weight * (u / wy + b * v / wx - (b * u + v) * r / alpha)
        b = (weight * beta * v).sum() / (weight * beta * u).sum()
    mean = np.average(x, weights=weight)
    true = mean + beta
    middle = np.average(true, weights=weight)
    error = 1.0 / np.sqrt((weight * (true - middle) ** 2).sum())
    a = np.average(y, weights=weight) - b * mean
    return (a, b), (np.sqrt(1.0 / weight.sum() + (middle * error) ** 2), error)


def test_correlated_errors_are_those_of_york():
    data = columns("pearson_york.csv")
    data |= {"sx": data["wx"] ** -0.5, "sy": data["wy"] ** -0.5, "r": np.linspace(-0.6, 0.7, 10)}
    fit = descend.fit("y ~ a + b*x", data, sigma="sy", x_sigma={"x": "sx"}, x_correlation={"x": "r"})
    values, errors = york(*(data[name] for name in ("x", "y", "sx", "sy", "r")))
    assert [*fit.parameters.values()] == pytest.approx(values, rel=1e-10)
    assert [*fit.standard_errors.values()] == pytest.approx(errors, rel=1e-9)
    plain = descend.fit("y ~ a + b*x", data, sigma="sy", x_sigma={"x": "sx"})
    none = descend.fit("y ~ a + b*x", data, sigma="sy", x_sigma={"x": "sx"}, x_correlation={"x": 0.0})
    assert none.parameters["b"] == pytest.approx(plain.parameters["b"], rel=1e-12)


def test_correlations_are_saved_and_drawn(tmp_path):
    data = columns("pearson_york.csv")
    data |= {"sx": data["wx"] ** -0.5, "sy": data["wy"] ** -0.5}
    fit = descend.fit("y ~ a + b*x", data, sigma="sy", x_sigma="x=sx", x_correlation="x=-0.4")
    fit.save(tmp_path / "york.json")
    fit.report(tmp_path / "york.html")
    assert dict(descend.load(tmp_path / "york.json").model.correlated) == {"x": -0.4}


@pytest.mark.parametrize(
    "x_sigma, given, words",
    [
        ("t=0.1", {"t": 1.0}, "The correlation of `t` must lie between -1 and 1; it is 1."),
        ("t=0.1", {"t": "dz"}, "There is no column `dz` with the correlations of `t`."),
        (None, {"t": 0.5}, "`x_correlation` names `t`, which has no errors: give it a standard deviation with"),
        ("t=0.1", "0.5", "Correlations are given by name, such as x_correlation={'t': 'rho'}, or t=-0.4."),
    ],
)
def test_correlations_that_cannot_be_are_told(x_sigma, given, words):
    with pytest.raises(ConfigError) as raised:
        descend.fit("y ~ a + b*t", DECAY, sigma="dy", x_sigma=x_sigma, x_correlation=given)
    assert words in str(raised.value)


def test_a_correlation_of_one_in_a_column_is_told():
    with pytest.raises(DataError, match="correlated by 1 or more in row 3 of the data"):
        rho = np.where(np.arange(40) == 2, 1.0, 0.0)
        descend.fit("y ~ a + b*t", {**DECAY, "rho": rho}, sigma="dy", x_sigma="t=0.1", x_correlation="t=rho")


def test_robust_errors_and_a_bootstrap_of_joint_responses_are_refused():
    x = np.linspace(0.0, 4.0, 20)
    data = {"x": x, "y": 3.0 * np.exp(-x) + 0.01 * np.sin(9 * x), "z": 3.0 - 3.0 * np.exp(-x)}
    fit = descend.fit(["y ~ a*exp(-b*x)", "z ~ c - a*exp(-b*x)"], data, x_sigma={"x": 0.1})
    with pytest.raises(ConfigError) as refused:
        fit.intervals(method="sandwich")
    assert str(refused.value) == (
        "The errors sandwich take each response by itself, but those of a row share its true inputs. Use model, or the "
        "method profile."
    )
    with pytest.raises(ConfigError) as refused:
        descend.fit(["y ~ a*exp(-b*x)", "z ~ c - a*exp(-b*x)"], data, x_sigma={"x": 0.1}, loss="huber")
    assert str(refused.value) == (
        "Errors of inputs of several responses are fitted by least squares, not under the huber loss. Leave out one of "
        "the two."
    )
    with pytest.raises(ConfigError, match="those of a row share its true inputs"):
        fit.quantity("a", method="bootstrap")


@pytest.mark.parametrize("sigma", [None, {"y": 0.1, "z": 0.2}])
def test_the_likelihood_of_joint_responses_counts_all_of_them(sigma):
    noise = np.random.default_rng(4).normal(size=(2, 30))
    x = np.linspace(0.0, 4.0, 30)
    data = {"x": x, "y": 3.0 * np.exp(-x) + 0.1 * noise[0], "z": 3.0 - 3.0 * np.exp(-x) + 0.2 * noise[1]}
    formulas = ["y ~ a*exp(-b*x)", "z ~ c - a*exp(-b*x)"]
    exact = descend.fit(formulas, data, sigma=sigma)
    fit = descend.fit(formulas, data, sigma=sigma, x_sigma={"x": 1e-8})  # as good as exact
    assert (fit.log_likelihood, fit.aic, fit.aicc, fit.bic) == pytest.approx(
        (exact.log_likelihood, exact.aic, exact.aicc, exact.bic)
    )
    if sigma:
        assert (fit.goodness.degrees, fit.goodness.p) == pytest.approx((57, exact.goodness.p))


def test_a_function_that_is_no_formula_is_refused():
    def line(x, a, b):
        return np.array([float(a + b * each) for each in x.tolist()])

    with pytest.raises(ConfigError) as refused:
        descend.fit(line, {"x": np.arange(9.0), "y": np.arange(9.0) ** 1.1}, response="y", x_sigma={"x": 0.5})
    assert str(refused.value) == (
        "Errors of inputs need the derivatives of the prediction by them, and `y ~ line(x, a, b)` is no formula that "
        "tells them. Write it as a formula, or leave out `x_sigma`."
    )


def test_what_is_taken_for_the_errors_of_a_response_is_told():
    told = (
        "the errors of `y` are taken as 1, in its unit, beside those in `x_sigma`; if they are not, give `sigma` or "
        "`weights`"
    )
    assert told in descend.fit("y ~ a*exp(-b*t) + c", DECAY, x_sigma="t=dt").notes
    assert told not in descend.fit("y ~ a*exp(-b*t) + c", DECAY, x_sigma="t=dt", sigma="dy").notes


def test_the_scale_of_joint_responses_is_odrpacks_and_said_to_be_large():
    rng = np.random.default_rng(0)
    t = np.linspace(0.0, 1.0, 20)
    data = {"x": t + 0.02 * rng.normal(size=20), "y": 1 + 2 * t + 0.02 * rng.normal(size=20), "z": 3 - t}
    fit = descend.fit(["y ~ a + b*x", "z ~ c + g*x"], data, x_sigma="x=1")
    assert (
        "the size of the errors is estimated from 20 rows less 4 parameters, as in ODRPACK; from all 40 responses less "
        "4 the standard errors would be 0.667 times these"
    ) in fit.notes
