"""Where to measure next: known optima, the promised error in simulations, and messages."""

import json
import math

import numpy as np
import pytest

import descend
from descend.cli.main import main
from descend.errors import ConfigError

RANDOM = np.random.default_rng(7)
X = np.linspace(0.0, 4.0, 12)
SPREAD = 0.1


def decay(x, random):
    return 3.0 * np.exp(-0.8 * x) + random.normal(0.0, SPREAD, len(x))


@pytest.fixture(scope="module")
def fit():
    return descend.fit("y ~ a*exp(-b*x)", {"x": X, "y": decay(X, RANDOM)})


def test_a_line_is_measured_at_its_ends():
    line = descend.fit("y ~ a + b*x", {"x": X, "y": 1.0 + 2.0 * X + RANDOM.normal(0.0, SPREAD, 12)})
    found = line.design({"x": (0.0, 10.0)}, "b", points=1)
    assert found.points == ({"x": 10.0},)
    # The slope's error after one more row, by the closed form sigma / sqrt(sum (x - mean)**2).
    both = np.append(X, 10.0)
    expected = line.residual_standard_deviation / math.sqrt(((both - both.mean()) ** 2).sum())
    assert found.error_then == pytest.approx(expected, rel=1e-10)
    assert found.error_now == pytest.approx(line.standard_errors["b"], rel=1e-10)


def test_a_parameter_at_its_bound_is_known():
    data = {"x": X, "y": decay(X, RANDOM) + 0.3}
    bounded = descend.fit("y ~ a*exp(-b*x) + c", data, bounds="c <= 0.2")
    fixed = descend.fit("y ~ a*exp(-b*x) + c", data, fix={"c": 0.2})
    assert bounded.at_bound == ["c"]
    for aim in ("b", None):
        found, expected = (each.design({"x": (0.0, 4.0)}, aim, points=2) for each in (bounded, fixed))
        assert found.points == expected.points
        assert found.error_then == pytest.approx(expected.error_then, rel=1e-6)


def test_all_parameters_are_d_optimal(fit):
    found = fit.design({"x": (0.0, 4.0)}, points=200)
    # For a exp(-b x) the D-optimal design has two places, 0 and 1/b, in equal parts: many new rows follow it.
    places, counts = np.unique([round(point["x"], 6) for point in found.points], return_counts=True)
    assert places[0] == 0.0 and places[-1] == pytest.approx(1.0 / fit.parameters["b"], abs=0.03)
    assert len(places) <= 3 and counts[0] == pytest.approx(100, abs=12)


def test_the_promised_error_is_met_and_beats_even_places(fit):
    found = fit.design({"x": (0.0, 4.0)}, "b", points=6, sigma=SPREAD)
    chosen, even = np.array([point["x"] for point in found.points]), np.linspace(0.0, 4.0, 6)
    errors = {}
    for name, more in (("chosen", chosen), ("even", even)):
        random, values = np.random.default_rng(11), []
        for _ in range(500):
            x = np.append(X, more)
            again = descend.fit("y ~ a*exp(-b*x)", {"x": x, "y": decay(x, random)}, start=fit.parameters)
            values.append(again.parameters["b"])
        errors[name] = float(np.std(values))
    # What is promised rests on the spread that this one fit estimated, so it is compared with the true spread.
    promised = found.error_then
    scale = SPREAD / fit.residual_standard_deviation
    exact = fit.estimates().covariance * scale**2
    slopes = np.column_stack(
        [np.exp(-fit.parameters["b"] * chosen), -fit.parameters["a"] * chosen * np.exp(-fit.parameters["b"] * chosen)]
    )
    known = math.sqrt(np.linalg.inv(np.linalg.inv(exact) + slopes.T @ slopes / SPREAD**2)[1, 1])
    assert promised == pytest.approx(known, rel=0.3)
    assert errors["chosen"] == pytest.approx(known, rel=0.1)
    assert errors["chosen"] < errors["even"]


def test_quantities_other_inputs_and_the_command_line(tmp_path, monkeypatch, capsys, fit):
    found = fit.design({"x": (0.0, 4.0)}, "log(2)/b", points=2)
    assert found.error_now == pytest.approx(fit.quantity("log(2)/b").standard_error)
    assert found.error_then < found.error_now
    fit.save(tmp_path / "model.json")
    arguments = ["design", tmp_path / "model.json", "--between", "x=0:4", "--for", "b", "--points", "3"]
    monkeypatch.setattr("sys.argv", ["descend", *map(str, arguments), "--json", "--plot", str(tmp_path / "design.png")])
    assert main() == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["for"] == "b" and len(plain["points"]) == 3
    assert plain["standard_error_then"] < plain["standard_error_now"]
    assert (tmp_path / "design.png").stat().st_size > 10_000
    monkeypatch.setattr("sys.argv", ["descend", *map(str, arguments)])
    assert main() == 0
    assert capsys.readouterr().out.startswith("Measure at\n")


@pytest.mark.parametrize(
    "between, options, message",
    [
        ({"z": (0.0, 1.0)}, {}, "`z` is no input of the model that can vary. Inputs: x."),
        ({"x": (1.0, 1.0)}, {}, "The range of `x` from 1 to 1 is empty."),
        ({"x": (0.0, 1.0)}, {"points": 0}, "The number of points must be a whole number, 1 or more; it is 0."),
        ({}, {}, "Give each input a range, `between`, or a value, `at`: `x` has neither."),
    ],
)
def test_wrong_designs_are_refused(fit, between, options, message):
    with pytest.raises(ConfigError) as error:
        fit.design(between, **options)
    assert str(error.value) == message
