"""Standard deviations below and above the response: the split normal likelihood, in memory and in the database."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import chi2
from typer.testing import CliRunner

import descend
from descend.cli.main import app
from descend.errors import ConfigError, DataError

CURVE = "y ~ a*exp(-b*x) + c"


def rows(seed=2, count=60):
    rng = np.random.default_rng(seed)
    x, low, high = np.linspace(0, 4, count), rng.uniform(0.05, 0.2, count), rng.uniform(0.1, 0.5, count)
    size = np.abs(rng.normal(size=count))
    below = rng.uniform(size=count) < high / (low + high)  # y lies below the curve as far as it may be too low
    y = 3 * np.exp(-0.7 * x) + 1 + np.where(below, -size * high, size * low)
    return {"x": x, "y": y, "lo": low, "hi": high}


DATA = rows()


def minus_log_likelihood(theta):
    residual = theta[0] * np.exp(-theta[1] * DATA["x"]) + theta[2] - DATA["y"]
    size = np.where(residual > 0, DATA["hi"], DATA["lo"])
    return 0.5 * ((residual / size) ** 2).sum() - np.log(np.sqrt(2 / np.pi) / (DATA["lo"] + DATA["hi"])).sum()


@pytest.mark.parametrize("engine", ["auto", "query"])
def test_it_is_the_likelihood_of_a_split_normal_distribution(engine):
    known = minimize(
        minus_log_likelihood,
        [3, 0.7, 1],
        method="Nelder-Mead",
        options={"xatol": 1e-10, "fatol": 1e-13, "maxiter": 9999},
    )
    fit = descend.fit(CURVE, DATA, sigma=("lo", "hi"), engine=engine)
    assert list(fit.parameters.values()) == pytest.approx(known.x, rel=1e-5)
    assert fit.log_likelihood == pytest.approx(-known.fun)
    assert fit.aic == pytest.approx(6 + 2 * known.fun)
    a, b, _ = fit.parameters.values()
    x, above = DATA["x"], fit.predict(DATA) > DATA["y"]
    slopes = np.column_stack([np.exp(-b * x), -a * x * np.exp(-b * x), np.ones_like(x)])
    weighted = slopes / np.where(above, DATA["hi"], DATA["lo"])[:, None]
    errors = np.sqrt(np.linalg.inv(weighted.T @ weighted).diagonal())
    assert list(fit.standard_errors.values()) == pytest.approx(errors, rel=1e-6)


def test_chi_square_is_that_of_the_side_that_counts(tmp_path):
    fit = descend.fit(CURVE, DATA, sigma="lo,hi")
    left = fit.predict(DATA) - DATA["y"]
    expected = ((left / np.where(left > 0, DATA["hi"], DATA["lo"])) ** 2).sum()
    assert fit.goodness.chi_square == pytest.approx(expected)
    assert fit.goodness.p == pytest.approx(chi2.sf(expected, 57))
    fit.save(tmp_path / "fit.json")
    loaded = descend.load(tmp_path / "fit.json")
    assert loaded.standard_errors == fit.standard_errors and loaded.loss_function == fit.loss_function
    assert loaded.predict({"x": [1.0]}, interval="confidence").low == pytest.approx(
        fit.predict({"x": [1.0]}, interval="confidence").low
    )


def test_a_single_row_far_above_counts_by_its_lower_error():
    """5 (+2, -1): 7 is as likely as 4."""
    data = {"y": [5.0, 5.0], "low": [1.0, 1.0], "high": [2.0, 2.0]}
    fit = descend.fit("y ~ a", {**data, "y": [4.0, 7.0]}, sigma="low,high")
    # (a - 4)/2 pulls down by 1/4 each unit, (7 - a)/1 up by 1: a = (4/4 + 7)/(1/4 + 1)
    assert fit.parameters["a"] == pytest.approx(6.4)


@given(st.integers(0, 10_000))
def test_equal_sides_are_a_column_of_sigmas(seed):
    data = rows(seed, 20)
    one, other = descend.fit("y ~ a + b*x", data, sigma=("lo", "lo")), descend.fit("y ~ a + b*x", data, sigma="lo")
    assert one.parameters == pytest.approx(other.parameters, rel=1e-7)
    assert one.standard_errors == pytest.approx(other.standard_errors, rel=1e-7)
    assert one.aic == pytest.approx(other.aic) and one.goodness.chi_square == pytest.approx(other.goodness.chi_square)


def test_sides_may_be_numbers_expressions_and_arrays():
    named = descend.fit(CURVE, {**DATA, "l": 0.1 * DATA["y"], "h": np.full(60, 0.3)}, sigma=("l", "h"))
    values = (0.1 * DATA["y"], np.full(60, 0.3))
    for sigma in (("0.1*y", 0.3), "0.1*y,0.3", values, np.array(values), list(values)):
        assert descend.fit(CURVE, DATA, sigma=sigma).parameters == pytest.approx(named.parameters)


def test_a_function_and_each_group():
    known = descend.fit(CURVE, DATA, sigma="lo,hi")
    traced = descend.fit(lambda x, a, b, c: a * np.exp(-b * x) + c, DATA, response="y", sigma="lo,hi")
    assert traced.parameters == pytest.approx(known.parameters)
    group = (np.arange(60) % 2).astype(float)
    fits = descend.fit(CURVE, {**DATA, "g": group}, sigma="lo,hi", by="g")
    alone = descend.fit(CURVE, {name: values[group == 1] for name, values in DATA.items()}, sigma="lo,hi")
    assert fits[1].parameters == pytest.approx(alone.parameters, rel=1e-6)


def test_intervals_by_profile_are_where_chi_square_rises():
    fit = descend.fit(CURVE, DATA, sigma="lo,hi")
    for end in fit.intervals(method="profile")["b"]:
        held = descend.fit(CURVE, DATA, sigma="lo,hi", fix={"b": end})
        assert 60 * (held.loss - fit.loss) == pytest.approx(1.959963984540054**2, rel=1e-4)


def test_on_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savetxt("rows.csv", np.column_stack([*DATA.values()]), delimiter=",", header=",".join(DATA), comments="")
    result = CliRunner().invoke(
        app,
        ["fit", CURVE, "rows.csv", "--sigma", "lo,hi", "--save", "fit.json", "--report", "fit.html", "--plot", "f.svg"],
    )
    assert result.exit_code == 0, result.output
    said = " ".join(result.stdout.split())
    assert "sigma `lo` below and `hi` above: standard deviations of the response, taken as known" in said
    assert json.loads((tmp_path / "fit.json").read_text())["loss_function"] == "asymmetric(low='lo', high='hi')"
    assert "sigma=&quot;lo,hi&quot;" in (tmp_path / "fit.html").read_text()


@pytest.mark.parametrize(
    "options, error, words",
    [
        (
            {"sigma": "lo,hi,x"},
            ConfigError,
            "`lo,hi,x` names 3 standard deviations. Give one, or one below and one above the response, such as "
            "`low,high`.",
        ),
        (
            {"sigma": "lo,zz"},
            ConfigError,
            "There is no column `zz` to take as what the asymmetric loss reads. Columns: x, y, lo, hi.",
        ),
        (
            {"sigma": "lo,hi", "weights": "x"},
            ConfigError,
            "`weights` does not go with a `sigma` of two sides: both say how far each row is trusted. Leave out one of "
            "the two.",
        ),
        (
            {"sigma": "lo,hi", "loss": "huber"},
            ConfigError,
            "`sigma` has two sides, standard deviations of normal errors, but the huber loss has errors of another "
            "kind. Use the squared loss.",
        ),
        (
            {"sigma": "lo,x"},
            DataError,
            "The sigma `x` is 0 in row 1 of the data. Standard deviations must be above 0, to both sides. Leave such "
            "rows out with `where`, or correct them.",
        ),
    ],
)
def test_what_cannot_be_is_refused(options, error, words):
    with pytest.raises(error) as refused:
        descend.fit("y ~ a + b*x", DATA, **options)
    assert str(refused.value) == words


def test_commas_in_an_expression_and_of_several_responses_are_no_sides():
    one = descend.fit(CURVE, DATA, sigma="max(0.05, abs(lo))")
    assert one.parameters == pytest.approx(descend.fit(CURVE, DATA, sigma=np.maximum(0.05, DATA["lo"])).parameters)
    formulas = ["y ~ a*exp(-b*x) + c", "z ~ a*x"]
    data = DATA | {"z": 3 * DATA["x"] + DATA["y"]}
    by_text, by_name = (descend.fit(formulas, data, sigma=sigma) for sigma in ("y=lo, z=0.5", {"y": "lo", "z": 0.5}))
    assert by_text.standard_errors == pytest.approx(by_name.standard_errors)


def test_new_measurements_lie_in_prediction_intervals_as_often_as_they_say(tmp_path):
    """The interval of known parameters is that of the split normal distribution; of estimated ones it is wider."""
    rng = np.random.default_rng(5)
    x, low, high = rng.uniform(0, 5, 4000), 0.2, 0.6
    up, size = rng.random(4000) < low / (low + high), np.abs(rng.normal(size=4000))
    data = {"x": x, "y": 1 + 2 * x + np.where(up, low * size, -high * size)}
    data |= {"lo": np.full(4000, low), "hi": np.full(4000, high)}
    fit = descend.fit("y ~ a + b*x", data, sigma=("lo", "hi"))
    found = fit.predict(data, interval="prediction")
    inside = (found.low < data["y"]) & (data["y"] < found.high)
    assert inside.mean() == pytest.approx(0.95, abs=0.01)
    assert (data["y"] < found.low).mean() == pytest.approx(0.025, abs=0.008)
    fit.save(tmp_path / "sides.json")
    again = descend.load(tmp_path / "sides.json").predict(data, interval="prediction")
    np.testing.assert_allclose(again.low, found.low, rtol=1e-9)
    numbers = descend.fit("y ~ a + b*x", data, sigma="0.2,0.6").predict({"x": [1.0]}, interval="prediction")
    one = fit.predict({"x": [1.0], "lo": [0.2], "hi": [0.6]}, interval="prediction")
    assert (numbers.low[0], numbers.high[0]) == pytest.approx((one.low[0], one.high[0]), rel=1e-6)
    with pytest.raises(ConfigError) as refused:
        fit.predict({"x": [1.0]}, interval="prediction")
    assert str(refused.value) == (
        "A prediction interval needs the standard deviations to both sides of each new row, and there is no `lo`, with "
        "which the model was fitted. Add it, or ask for a confidence interval."
    )
