"""Several formulas of several responses, fitted together: SciPy's and ODRPACK's answers, and what a user holds."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize
from typer.testing import CliRunner

import descend
from descend.cli.main import app
from descend.errors import ConfigError, DataError, FormulaError

FOLDER = Path(__file__).parent.parent / "inference" / "xerrors"
RANDOM = np.random.default_rng(0)
T = np.linspace(0.0, 5.0, 30)
DECAY = {
    "t": T,
    "mother": 3.0 * np.exp(-0.7 * T) + 0.05 * RANDOM.normal(size=30),
    "daughter": 3.0 * (1.0 - np.exp(-0.7 * T)) + 0.2 * RANDOM.normal(size=30),
}
FORMULAS = ["mother ~ a*exp(-k*t)", "daughter ~ a*(1 - exp(-k*t))"]
SIGMA = {"mother": 0.05, "daughter": 0.2}


@pytest.fixture(scope="module")
def fit():
    return descend.fit(FORMULAS, DECAY, sigma=SIGMA)


def both(x, a, k):
    return np.concatenate([a * np.exp(-k * T), a * (1.0 - np.exp(-k * T))])


def test_parameters_and_errors_are_those_of_scipy_on_both_responses_in_a_row(fit):
    y = np.concatenate([DECAY["mother"], DECAY["daughter"]])
    found, covariance = optimize.curve_fit(
        both, np.zeros(60), y, [1.0, 1.0], sigma=np.repeat([0.05, 0.2], 30), absolute_sigma=True, xtol=1e-14, ftol=1e-14
    )
    np.testing.assert_allclose(fit.theta, found, rtol=1e-8)
    np.testing.assert_allclose([*fit.standard_errors.values()], np.sqrt(np.diag(covariance)), rtol=1e-5)
    assert fit.rows == 60
    assert fit.fitted_formula.startswith("mother ~ 3.0")
    assert "; daughter ~ 3.0" in fit.fitted_formula


def test_without_sigma_both_count_alike_and_a_note_says_so():
    fit = descend.fit("; ".join(FORMULAS), DECAY)
    y = np.concatenate([DECAY["mother"], DECAY["daughter"]])
    np.testing.assert_allclose(fit.theta, optimize.curve_fit(both, np.zeros(60), y, [1.0, 1.0])[0], rtol=1e-6)
    assert any(
        note == "`mother` and `daughter` count alike, each in its unit; where these differ, give `sigma` by response"
        for note in fit.notes
    )


def test_a_prediction_has_a_column_for_each_response(fit):
    a, k = fit.parameters["a"], fit.parameters["k"]
    times = np.array([0.0, 1.0, 2.0])
    expected = np.column_stack([a * np.exp(-k * times), a * (1.0 - np.exp(-k * times))])
    np.testing.assert_allclose(fit.predict({"t": times}), expected, rtol=1e-14)
    np.testing.assert_allclose(fit.predict(times), expected, rtol=1e-14)
    band = fit.predict({"t": times}, interval="prediction")
    assert band.low.shape == (3, 2)
    assert (band.high - band.low)[2, 0] < (band.high - band.low)[2, 1]  # each has its sigma


def test_a_quantity_a_question_and_the_file_know_the_responses(fit, tmp_path):
    assert fit.quantity("prediction(t=1, equation=daughter)").value == pytest.approx(fit.predict([1.0])[0, 1])
    fit.save(tmp_path / "both.json")
    loaded = descend.load(tmp_path / "both.json")
    np.testing.assert_array_equal(loaded.predict([1.0, 2.0]), fit.predict([1.0, 2.0]))
    assert set(json.loads((tmp_path / "both.json").read_text())["columns"]) == {"t", "mother", "daughter"}


def test_groups_missing_values_and_a_larger_model():
    sites = {name: np.tile(column, 2) for name, column in DECAY.items()} | {"site": np.repeat(["u", "v"], 30)}
    sites["mother"] = sites["mother"] * np.repeat([1.0, 2.0], 30)
    sites["daughter"] = sites["daughter"] * np.repeat([1.0, 2.0], 30)
    by_site = descend.fit([each.replace("a*", "a[site]*") for each in FORMULAS], sites)
    assert by_site.parameters["a"]["v"] == pytest.approx(2.0 * by_site.parameters["a"]["u"], rel=1e-2)
    gaps = {**DECAY, "daughter": np.where(T[3] == T, np.nan, DECAY["daughter"])}
    with pytest.raises(DataError, match="`mother, daughter` has a missing value in row 4"):
        descend.fit(FORMULAS, gaps)
    assert descend.fit(FORMULAS, gaps, missing="drop").rows == 59
    larger = "mother ~ a*exp(-k*t); daughter ~ c*(1 - exp(-k*t))"
    compared = descend.compare(["; ".join(FORMULAS), larger], DECAY)
    assert [(test.small, test.large) for test in compared.tests] == [("; ".join(FORMULAS), larger)]


def test_errors_in_x_of_two_responses_are_those_of_odrpack():
    known = json.loads((FOLDER / "answers.json").read_text())["cases"]["two-responses"]
    rows = list(csv.DictReader((FOLDER / known["data"].split("/")[-1]).read_text().splitlines()))
    data = {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
    fit = descend.fit(known["formula"], data, x_sigma={"x": 1.0})
    certain = descend.fit(known["formula"], data, x_sigma={"x": 1.0}, sigma={"y1": 1.0, "y2": 1.0})
    for name, value in known["parameters"].items():
        assert fit.parameters[name] == pytest.approx(value, rel=1e-9)
        assert fit.standard_errors[name] == pytest.approx(known["standard_errors"][name], rel=1e-7)
        assert certain.standard_errors[name] == pytest.approx(known["standard_errors_known_sigma"][name], rel=1e-7)
    assert fit.loss * fit.rows == pytest.approx(known["sum_of_squares"], rel=1e-10)
    np.testing.assert_allclose(fit.delta["x"], known["delta"]["x"], atol=1e-9)


def test_one_response_missing_leaves_the_other_with_the_same_delta():
    gaps = {**DECAY, "daughter": np.where(T > 2.0, np.nan, DECAY["daughter"])}
    fit = descend.fit(FORMULAS, gaps, sigma=SIGMA, x_sigma={"t": 0.05}, missing="drop")
    objective, theta = fit.solution.objective, fit.theta * 1.05
    slopes = [
        (objective(theta + step, 0).loss - objective(theta - step, 0).loss) / 2e-5 for step in 1e-5 * np.eye(theta.size)
    ]
    np.testing.assert_allclose(objective(theta, 1).gradient, slopes, rtol=1e-6)
    point, squared = objective(theta, 3), objective(theta.copy(), 2)
    factor = point.factor[:-1, :-1]
    np.testing.assert_allclose(factor.T @ factor, squared.curvature, rtol=1e-10)
    np.testing.assert_allclose(factor.T @ point.factor[:-1, -1], squared.gradient, rtol=1e-9, atol=1e-12)
    assert fit.delta["t"].shape == (30,)


@pytest.mark.parametrize(
    "formulas, options, error, words",
    [
        (
            ["mother ~ a*exp(-k*t)", "mother ~ b*t"],
            {},
            FormulaError,
            "`mother` is the response of two formulas. Each formula needs a response of its own.",
        ),
        (FORMULAS, {"sigma": {"mother": 0.1}}, ConfigError, "`mother=0.1` says nothing of `daughter`."),
        (
            FORMULAS,
            {"sigma": {"mother": 0.1, "daugther": 0.1}},
            ConfigError,
            "`daugther` of `mother=0.1, daugther=0.1` is no response. Did you mean `daughter`?",
        ),
        (
            FORMULAS,
            {"sigma": (0.1, 0.2)},
            ConfigError,
            "`sigma` of two values is that below and above one response, and there are several. Give each response a "
            "column or a number, such as y1=s1, y2=0.1.",
        ),
        (FORMULAS, {"engine": "query"}, ConfigError, "Several formulas are fitted to rows in memory"),
        (FORMULAS, {"by": "t"}, ConfigError, "Several formulas are fitted to all rows together"),
        ("mother ~ a*exp(-k*t); t", {}, FormulaError, "A formula needs a `~` between the response and the expression."),
        (
            ["mother ~ a*exp(-k*t)", "dauhgter ~ a*t"],
            {},
            FormulaError,
            "dauhgter ~ a*t\n    ^^^^^^^^\nColumns: t, mother, daughter.",
        ),
    ],
)
def test_mistakes_are_told(formulas, options, error, words):
    with pytest.raises(error) as raised:
        descend.fit(formulas, DECAY, **options)
    assert words in str(raised.value)


def test_a_column_called_equation_is_refused():
    with pytest.raises(ConfigError, match="`equation` is a column of the data, and tells which of several formulas"):
        descend.fit(FORMULAS, {**DECAY, "equation": np.arange(30.0)})


def test_the_command_line_fits_predicts_and_draws(tmp_path):
    table = tmp_path / "decay.csv"
    rows = zip(*(column.tolist() for column in DECAY.values()), strict=True)
    table.write_text("\n".join([",".join(DECAY), *(",".join(map(str, row)) for row in rows)]))
    model = str(tmp_path / "both.json")
    text, sigma = "; ".join(FORMULAS), "mother=0.05,daughter=0.2"

    def run(*arguments):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    found = json.loads(run("fit", text, str(table), "--sigma", sigma, "--save", model, "--quiet", "--json"))
    predicted = json.loads(run("predict", model, "--at", "t=0,1", "--json"))
    assert predicted["prediction of mother"][0] == pytest.approx(found["parameters"]["a"])
    assert predicted["prediction of daughter"][0] == pytest.approx(0.0)
    assert predicted["rows"] == 2
    band = json.loads(run("predict", model, "--at", "t=1", "--interval", "prediction", "--json"))
    assert band["low of daughter"][0] < band["prediction of daughter"][0] < band["high of daughter"][0]
    run("plot", model, str(table), "--output", str(tmp_path / "both.svg"), "--quiet")
    assert "daughter" in (tmp_path / "both.svg").read_text()


def test_how_far_each_response_scatters_is_said_in_several_ways(tmp_path):
    t = np.linspace(0.0, 4.0, 12)
    data = {"t": t, "y": 3 * np.exp(-t) + 0.02 * np.sin(7 * t), "z": 1 + t + 0.1 * np.cos(9 * t), "s": 0.02 + 0.0 * t}
    formulas = ["y ~ a*exp(-b*t)", "z ~ c + d*t"]
    usual = descend.fit(formulas, data, sigma={"y": "s", "z": 0.1})
    assert descend.fit(formulas, data, sigma=["s", 0.1]).standard_errors == pytest.approx(usual.standard_errors)
    weighted = descend.fit(formulas, data, weights={"y": "1/s^2", "z": "max(1/0.1^2, 0)"})
    assert weighted.parameters == pytest.approx(usual.parameters, rel=1e-8)
    path = tmp_path / "two.csv"
    path.write_text("t,y,z,s\n" + "".join(f"{a},{b},{c},{d}\n" for a, b, c, d in zip(*data.values(), strict=True)))
    command = ["fit", "; ".join(formulas), str(path), "--json", "--sigma", "y=s"]
    found = json.loads(CliRunner().invoke(app, [*command, "--sigma=z=0.1"]).stdout)
    assert found["standard_errors"] == pytest.approx(usual.standard_errors)
    twice = CliRunner().invoke(app, ["fit", "y ~ a*t", str(path), "--sigma", "s", "--sigma", "t"])
    assert str(twice.exception) == "`--sigma` is given twice, as s and t. Give it once."
    with pytest.raises(ConfigError) as refused:
        descend.fit(formulas, data, sigma={"y": ("s", "t"), "z": "s"})
    assert str(refused.value) == (
        "`sigma` of `y` has two sides, s and t, which go with one response alone, and there are several. Give each "
        "response a column or a number, such as y1=s1, y2=0.1."
    )
