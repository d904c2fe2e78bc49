"""Weights that follow from the prediction, and variances with a power of it that is estimated: R's `gnls`."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import descend
from descend.cli.main import app
from descend.errors import ConfigError, DataError, FormulaError

X = np.array([0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12] * 2)
Y = np.array(
    [
        16.112,
        15.261,
        14.18,
        10.32,
        10.693,
        9.164,
        7.096,
        6.195,
        3.676,
        3.242,
        1.817,
        1.337,
        16.648,
        16.296,
        14.003,
        11.534,
        9.253,
        8.421,
        8.056,
        5.594,
        4.007,
        2.496,
        1.947,
        1.237,
    ]
)
DATA = {"x": X, "y": Y}
CURVE = "y ~ a*exp(-b*x) + c"


def slopes(fit):
    a, b, _ = fit.parameters.values()
    return np.column_stack([np.exp(-b * X), -a * X * np.exp(-b * X), np.ones_like(X)])


@pytest.mark.parametrize("role, text", [("weights", "1/prediction^2"), ("sigma", "0.1*prediction")])
def test_weights_are_those_of_the_predictions_of_the_fit_itself(role, text):
    fit = descend.fit(CURVE, DATA, **{role: text})
    predicted = fit.predict(DATA)
    pull = slopes(fit) * ((Y - predicted) / predicted**2)[:, None]
    assert np.abs(pull.sum(axis=0)).max() < 1e-9 * np.abs(pull).sum(axis=0).min()
    scale = 0.1 if role == "sigma" else np.sqrt((((Y - predicted) / predicted) ** 2).sum() / 21)
    weighted = slopes(fit) / predicted[:, None]
    covariance = scale**2 * np.linalg.inv(weighted.T @ weighted)
    assert list(fit.standard_errors.values()) == pytest.approx(np.sqrt(covariance.diagonal()), rel=1e-6)
    assert f"{role} `{text}` settled after 7 rounds of reweighting" in fit.notes


def test_a_gamma_regression_is_the_same_for_a_line():
    """Variances that grow with the square of the mean: the gamma loss has the same estimating equations."""
    fit = descend.fit("y ~ a + b*x", {"x": X, "y": 5.0 + X + 0.01 * Y}, weights="1/prediction^2")
    gamma = descend.fit("y ~ a + b*x", {"x": X, "y": 5.0 + X + 0.01 * Y}, loss="gamma")
    assert fit.parameters == pytest.approx(gamma.parameters, rel=1e-8)


def test_a_power_of_the_variance_is_that_of_gnls(tmp_path):
    """R, nlme: gnls(y ~ a*exp(-b*x) + c, d, start = list(a = 18, b = .25, c = .8), weights = varPower(),
    control = gnlsControl(tolerance = 1e-10, nlsTol = 1e-5, maxIter = 500, minScale = 1e-8))"""
    fit = descend.fit(CURVE, DATA, variance="power")
    assert fit.parameters == pytest.approx({"a": 18.93973, "b": 0.2652836, "c": 0.516002}, rel=2e-5)
    assert fit.standard_errors == pytest.approx({"a": 0.604924, "b": 0.01616426, "c": 0.200858}, rel=1e-5)
    assert fit.scatter.power == pytest.approx(0.8410028, rel=1e-5)
    assert fit.scatter.power_interval == pytest.approx((0.3855186, 1.296487), rel=1e-3)
    assert fit.residual_standard_deviation == pytest.approx(0.11565062, rel=1e-5)
    assert (fit.log_likelihood, fit.aic, fit.bic) == pytest.approx((-17.96796, 45.93592, 51.82619), rel=1e-6)
    fit.save(tmp_path / "fit.json")
    loaded = descend.load(tmp_path / "fit.json")
    assert loaded.scatter == fit.scatter
    for each in (fit, loaded):
        band, mean = (each.predict({"x": [1.0, 6.0]}, interval=kind) for kind in ("prediction", "confidence"))
        one = ((band.high - band.prediction) ** 2 - (mean.high - mean.prediction) ** 2) ** 0.5 / 2.079613844727662
        assert one == pytest.approx(0.11565076748 * band.prediction**fit.scatter.power, rel=1e-6)
        assert each.invert(5.0).standard_error == pytest.approx(
            fit.invert(5.0, sigma=0.11565076748 * 5.0**fit.scatter.power).standard_error, rel=1e-6
        )


def test_no_start_power_is_nearer_to_the_likelihood_s_maximum():
    fit = descend.fit(CURVE, DATA, variance="power")
    left, along = fit.residuals, np.log(fit.predict(DATA))

    def likelihood(power):
        return -12 * np.log((left**2 * np.exp(-2 * power * along)).sum()) - power * along.sum()

    best, step = fit.scatter.power, 1e-3
    assert likelihood(best) > max(likelihood(best - step), likelihood(best + step))
    bend = (likelihood(best - step) - 2 * likelihood(best) + likelihood(best + step)) / step**2
    assert fit.scatter.power_error == pytest.approx((-bend) ** -0.5, rel=1e-5)


def test_exponential_is_that_of_the_same_equations():
    fit = descend.fit(CURVE, DATA, variance="exponential")
    again = descend.fit(CURVE, DATA, weights=f"exp(-2*{fit.scatter.power!r}*prediction)")
    assert fit.parameters == pytest.approx(again.parameters, rel=1e-8)


def test_on_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savetxt("rows.csv", np.column_stack([X, Y]), delimiter=",", header="x,y", comments="")
    result = CliRunner().invoke(app, ["fit", CURVE, "rows.csv", "--variance", "power", "--save", "fit.json"])
    assert result.exit_code == 0, result.output
    words = " ".join(result.stdout.split())
    said = "variance standard deviation s |prediction|^p, p = 0.841 ± 0.232 (95% interval 0.3854 to 1.297)"
    assert said in words and "weights" not in words
    known = json.loads((tmp_path / "fit.json").read_text())["scatter"]
    assert known["variance"] == "power" and known["power"] == pytest.approx(0.8410022734)
    result = CliRunner().invoke(app, ["predict", "fit.json", "--at", "x=1", "--interval", "prediction"])
    assert result.exit_code == 0 and result.stdout.startswith("x,prediction,low,high\n1,")


def test_a_function_and_rows_that_are_left_out():
    data = {"x": np.append(X, [1.0, 2.0]), "y": np.append(Y, [np.nan, 3.0]), "use": np.append(np.ones(25), 0.0)}
    fit = descend.fit(
        lambda x, a, b, c: a * np.exp(-b * x) + c,
        data,
        response="y",
        sigma="0.1*prediction",
        missing="drop",
        where="use > 0",
    )
    assert fit.parameters == pytest.approx(descend.fit(CURVE, DATA, sigma="0.1*prediction").parameters)


def test_models_with_weights_of_their_own_are_compared_by_their_likelihoods():
    found = descend.compare(["y ~ a*exp(-b*x)", CURVE], DATA, variance="power")
    small, large = found.fits.values()
    assert found.tests[0].F is None
    expected = 2 * (large.log_likelihood - small.log_likelihood)
    assert pytest.approx(expected) == found.tests[0].LR


@pytest.mark.parametrize(
    "options, error, words",
    [
        (
            {"sigma": "0.1*a*prediction"},
            FormulaError,
            "`a` is not a column.\n    0.1*a*prediction\n        ^\n`sigma` is a column, or computed from columns and "
            "`prediction`, not from parameters.",
        ),
        (
            {"sigma": "0.1*predicton"},
            FormulaError,
            "`predicton` is not a column. Did you mean `prediction`?\n    0.1*predicton\n        ^^^^^^^^^\n`sigma` is "
            "a column, or computed from columns and `prediction`, not from parameters.",
        ),
        (
            {"variance": "power", "sigma": "0.1*prediction"},
            ConfigError,
            "`variance` estimates how far rows scatter, and `sigma` says so. Leave out one of the two.",
        ),
        (
            {"weights": "1/prediction", "loss": "huber"},
            ConfigError,
            "Weights that follow from the prediction go with the squared loss: the huber loss has its own. Leave out "
            "one of the two.",
        ),
        (
            {"weights": "1/prediction", "engine": "query"},
            ConfigError,
            "Weights that follow from the prediction are computed again and again of rows in memory, but these stay "
            'where they are. Leave out engine="query" and `memory_limit`, or give a column.',
        ),
        (
            {"weights": "1/prediction", "by": "x"},
            ConfigError,
            "`weights` follows from the prediction of one fit, and `by` makes many. Leave out one of the two; one "
            "fit of all groups has parameters of each, as in a[site].",
        ),
        ({"variance": "linear"}, ConfigError, "`variance` must be `power` or `exponential`, not 'linear'."),
    ],
)
def test_what_does_not_go_together_is_refused(options, error, words):
    with pytest.raises(error) as refused:
        descend.fit(CURVE, DATA, **options)
    assert str(refused.value) == words


def test_a_curve_that_crosses_zero_needs_an_error_there():
    data = {"x": X, "y": X - 5.0 + 0.1 * np.sin(9 * X)}
    fit = descend.fit("y ~ a + b*x", data, sigma="sqrt(0.1^2 + (0.05*prediction)^2)")
    assert fit.succeeded and fit.parameters["b"] == pytest.approx(1.0, abs=0.05)


def test_predictions_that_are_all_alike_show_no_power():
    with pytest.raises(DataError) as refused:
        descend.fit("y ~ c", DATA, variance="power")
    assert str(refused.value) == ("The data do not determine the power of the variance: the predictions are all alike.")


@pytest.mark.parametrize(
    "y, words",
    [
        ([1.1, 2.1, 3.1, 4.1], "The data do not determine the power of the variance: the curve meets every row."),
        (
            [1.0, 2.0, 3.0, 4.5],
            "4 rows leave 2 beside 2 parameters, too few to tell how their scatter changes. Leave out `variance`, or "
            "give more rows.",
        ),
    ],
)
def test_data_that_tell_no_power_are_refused(y, words):
    with pytest.raises(DataError) as refused:
        descend.fit("y ~ a + b*x", {"x": [1.0, 2.0, 3.0, 4.0], "y": y}, variance="power")
    assert str(refused.value) == words


def test_a_power_that_runs_away_is_told():
    with pytest.raises(DataError, match="The variance has no power that fits: p runs away"):
        descend.fit("y ~ a + b*x", {"x": np.arange(1.0, 7.0), "y": [1.0, 2.0, 3.0, 4.0, 5.0, 6.5]}, variance="power")


def test_rows_held_out_weigh_as_in_the_fit():
    found = descend.compare(["y ~ a*exp(-b*x)", CURVE], DATA, weights="1/prediction^2", folds=4)
    assert all(found.held_out[name].error > 0 for name in found.fits)


@pytest.mark.parametrize("options", [{"weights": "1/(prediction*w)^2"}, {"sigma": "0.05*prediction*w"}])
def test_weights_from_the_prediction_and_a_column_that_the_formula_has_not(options, tmp_path):
    rng = np.random.default_rng(1)
    x, w = rng.uniform(1.0, 10.0, 60), rng.choice([1.0, 3.0], 60)
    y = (2.0 + 3.0 * x) * (1.0 + 0.05 * w * rng.normal(size=60))
    w[3] = np.nan
    file = tmp_path / "rows.csv"
    np.savetxt(file, np.column_stack([x, y, w]), delimiter=",", header="x,y,w", comments="", fmt="%.17g")
    fit = descend.fit("y ~ a + b*x", str(file), missing="drop", **options)
    kept, theta = np.isfinite(w), np.array([2.0, 3.0])
    design = np.column_stack([np.ones(59), x[kept]])
    for _ in range(30):  # iteratively reweighted least squares
        omega = 1.0 / (design @ theta * w[kept]) ** 2
        theta = np.linalg.solve(design.T * omega @ design, design.T @ (omega * y[kept]))
    assert fit.rows == 59 and list(fit.parameters.values()) == pytest.approx(theta, rel=1e-7)
    (text,) = options.values()
    with pytest.raises(ConfigError) as refused:
        fit.invert(20.0)
    assert str(refused.value) == (
        f"The fit computes `{text}` for its rows, but `w` of the new measurement is not known. Give its standard "
        "deviation, sigma=0.1, or ask where the curve itself is there, mean=True."
    )
    assert fit.invert(20.0, mean=True).value == pytest.approx((20.0 - theta[0]) / theta[1])
    with pytest.raises(ConfigError, match="The spread of a further measurement is not known"):
        fit.design(between={"x": (0, 10)})
