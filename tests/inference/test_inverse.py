"""Inverse prediction: R's answers, Fieller's interval, and what is said where there is no single value."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

import descend
from descend.cli.main import main
from descend.errors import ConfigError

FOLDER = Path(__file__).parent / "inverse"
ANSWERS = json.loads((FOLDER / "answers.json").read_text())["cases"]
PARABOLA = {"x": [0.0, 1, 2, 3, 4, 5], "y": [1.0, 0.1, -0.2, 0.3, 1.1, 1.9]}


@pytest.mark.parametrize("case", ANSWERS)
def test_values_and_intervals_are_those_of_r(case, tmp_path):
    known = ANSWERS[case]
    fit = descend.fit(known["formula"], FOLDER / known["data"])
    fit.save(tmp_path / "model.json")
    for each in (fit, descend.load(tmp_path / "model.json")):
        for question in known["inverse"]:
            asked = {"level": question["level"], "mean": question["mean"]}
            found = each.invert(question["y0"], **asked)
            assert found.x == found.value == pytest.approx(question["estimate"], rel=1e-7)
            assert found.standard_error == pytest.approx(question["standard_error"], rel=1e-4)
            limits = [math.inf if end is None else end for end in question["inversion"]]
            assert found.interval == pytest.approx(limits, rel=1e-4)
            wald = each.invert(question["y0"], interval="wald", **asked)
            assert wald.interval == pytest.approx(question["wald"], rel=1e-4)


def test_what_is_outside_the_data_or_open_is_told():
    fit = descend.fit(ANSWERS["DNase1"]["formula"], FOLDER / ANSWERS["DNase1"]["data"])
    found = fit.invert(2.2)
    assert found.interval[1] == math.inf and found.plain()["interval"][1] is None
    assert (
        found.why == "conc = 74.7401 is outside the data; `conc` has no upper end: responses further out are as likely"
    )
    nothing = fit.invert(5.0)
    assert math.isnan(nothing.value)
    assert nothing.why.startswith("no value of `conc` gives 5: the curve goes from ")


def test_several_values_are_listed_and_a_range_chooses_one():
    fit = descend.fit("y ~ a + b*x + c*x^2", PARABOLA)
    assert fit.invert(0.5).why == "0.5 is reached more than once, at x = 0.489086 and 3.51867: `between` chooses one"
    low = fit.invert(0.5, between=(0.0, 2.0))
    assert low.value == pytest.approx(0.489086, rel=1e-5) and low.why == ""


def test_a_flat_line_has_no_ends_as_fieller_says():
    rng = np.random.default_rng(1)
    x = np.linspace(0.0, 1.0, 8)
    fit = descend.fit("y ~ a + b*x", {"x": x, "y": 1.0 + 0.05 * x + rng.normal(0.0, 0.2, 8)})
    found = fit.invert(1.0)
    assert found.interval == (-math.inf, math.inf)


def test_known_errors_need_that_of_the_new_measurement():
    x = np.linspace(0.0, 5.0, 12)
    fit = descend.fit("y ~ a + b*x", {"x": x, "y": 1.0 + 2.0 * x, "s": np.full(12, 0.1)}, sigma="s")
    with pytest.raises(ConfigError) as error:
        fit.invert(5.0)
    assert str(error.value) == (
        "The fit knows the errors of its rows from the column `s`, but not that of the new measurement. Give it, "
        "sigma=0.1, or ask where the curve itself is there, mean=True."
    )
    slope, at = 2.0, 2.0
    curve = fit.predict({"x": [at]}, interval="confidence")
    error = float(curve.high[0] - curve.prediction[0]) / 1.959963984540054
    assert fit.invert(5.0, mean=True).standard_error == pytest.approx(error / slope, rel=1e-6)
    both = fit.invert([5.0, 5.0], sigma=0.3)
    assert both.standard_error == pytest.approx(math.hypot(error, 0.3 / math.sqrt(2.0)) / slope, rel=1e-6)


def test_other_inputs_are_given():
    rng = np.random.default_rng(0)
    x, z = rng.uniform(0.0, 5.0, (2, 40))
    fit = descend.fit("y ~ a + b*x + c*z", {"x": x, "z": z, "y": 1.0 + 2.0 * x - z + rng.normal(0.0, 0.1, 40)})
    a, b, c = (fit.parameters[name] for name in "abc")
    assert fit.invert(4.0, at={"z": 2.0}).value == pytest.approx((4.0 - a - 2.0 * c) / b)
    assert fit.invert(4.0, input="z", at={"x": 3.0}).value == pytest.approx((4.0 - a - 3.0 * b) / c)
    for options, message in (
        ({}, "Say which input to solve for: `x` and `z` are left."),
        ({"input": "x"}, "Give each other input a value, `at`: `z` is left."),
        ({"input": "w"}, "`w` is no input of the model. Inputs: x, z."),
        ({"input": "x", "at": {"x": 1.0}}, "`x` is both what is asked for and given. Leave out one of the two."),
    ):
        with pytest.raises(ConfigError) as error:
            fit.invert(4.0, **options)
        assert str(error.value) == message
    with pytest.raises(ConfigError) as error:
        fit.invert("high", at={"z": 2.0})
    assert str(error.value) == "A response is a number, or a list of replicates of one sample; it is 'high'."


def test_the_command_line(tmp_path, monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["descend", *map(str, arguments)])
        code = main()
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    known, model = ANSWERS["nasturtium"], tmp_path / "curve.json"
    descend.fit(known["formula"], FOLDER / known["data"]).save(model)
    code, out, _ = run("invert", model, "--response", "309,296,419", "--response", "1000")
    assert code == 0 and out == (
        "309, 296, 419:  conc = 2.26385 ± 0.288,  95% inversion interval 1.76732 to 2.9795\n"
        "1000:  no value of `conc` gives 1000: the curve goes from 2.02104e-06 to 897.863\n"
    )
    (tmp_path / "new.csv").write_text("weight\n300\n400\n")
    code, out, _ = run("invert", model, "--response", tmp_path / "new.csv", "--interval", "wald", "--json")
    found = json.loads(out)
    assert [each["response"] for each in found] == [300.0, 400.0]
    assert set(found[0]) >= {"response", "x", "standard_error", "interval"}
    for arguments, message in (
        (["--response", "abc"], "`--response` takes numbers, such as 309,296,419, or a file; it was given `abc`."),
        (["--response", "3", "--between", "5"], "`--between` takes two numbers, such as 0:20; it was given `5`."),
        (["--response", "3", "--at", "z"], "`--at` takes names with a value, such as z=7; it was given `z`."),
        (
            ["--response", "3", "--interval", "t"],
            "There is no interval `t` of an inverse prediction. Known: inversion, wald.",
        ),
    ):
        code, out, err = run("invert", model, *arguments)
        assert (code, out, err) == (2, "", f"ConfigError: {message}\n")


def test_doses_of_a_logistic_fit_are_compared_on_its_log_odds():
    random = np.random.default_rng(3)
    x = random.uniform(0.0, 5.0, 60)
    y = (random.random(60) < 1.0 / (1.0 + np.exp(3.75 - 1.5 * x))).astype(float)
    fit = descend.fit("y ~ sigmoid(a + b*x)", {"x": x, "y": y}, loss="logistic")
    found = fit.invert(0.9, mean=True)
    a, b, covariance = fit.parameters["a"], fit.parameters["b"], fit.covariance
    # Fieller's theorem for (log 9 - a)/b.
    t, c = 1.959963984540054, math.log(9.0)
    p = [b * b - t * t * covariance[1, 1], 2.0 * b * (a - c) - 2.0 * t * t * covariance[0, 1]]
    p.append((a - c) ** 2 - t * t * covariance[0, 0])
    assert found.interval == pytest.approx(sorted(np.roots(p).real), rel=1e-8)
    with pytest.raises(ConfigError) as error:
        fit.invert(0.9, mean=True, between=(5.0, 3.0))
    assert str(error.value) == "The range from 5 to 3 is empty."


def test_an_end_where_the_curve_ceases_to_have_a_value_is_told():
    x = np.linspace(0.0, 5.0, 40)
    fit = descend.fit("y ~ a*sqrt(x) + c", {"x": x, "y": 2.0 * np.sqrt(x) + 1.0 + 0.4 * np.sin(30.0 * x)})
    found = fit.invert(float(fit.predict({"x": [0.02]})[0]))
    assert found.interval[0] == 0.0 and float(found) == pytest.approx(0.02)
    assert found.why == "the lower end of `x`, 0, is where the curve ceases to have a value"
