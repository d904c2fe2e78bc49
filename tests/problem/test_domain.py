"""Where a formula has no value: a search recovers by shorter steps, and what no step can mend is pointed at."""

from __future__ import annotations

import numpy as np
import pytest

from descend import ConfigError, DataError, fit

X = np.linspace(1.0, 5.0, 40)
NOISE = 0.01 * np.sin(37.0 * X)


@pytest.mark.parametrize("optimizer", ["levenberg_marquardt", "newton", "lbfgs"])
@pytest.mark.parametrize(
    ("formula", "y", "start", "expected"),
    [
        ("y ~ log(a*x - b)", np.log(2.0 * X - 1.9) + NOISE, {"a": 9.0, "b": 1.0}, {"a": 2.0, "b": 1.9}),
        ("y ~ k*sqrt(c - x)", 2.0 * np.sqrt(5.2 - X) + NOISE, {"k": 1.0, "c": 40.0}, {"k": 2.0, "c": 5.2}),
        ("y ~ a*x^b", 3.0 * X**2.5 * (1.0 + NOISE), {"a": 1.0, "b": 6.0}, {"a": 3.0, "b": 2.5}),
    ],
)
def test_a_step_out_of_the_domain_is_shortened(formula, y, start, expected, optimizer):
    fitted = fit(formula, {"x": X, "y": y}, start=start, optimizer=optimizer)
    assert fitted.outcome == "converged"
    assert fitted.parameters == pytest.approx(expected, rel=0.05)


def test_a_power_that_overflows_on_the_way_is_recovered():
    x = np.linspace(1.0, 1000.0, 40)
    fitted = fit("y ~ a*x^b", {"x": x, "y": 2.0 * x**1.5}, start={"a": 1.0, "b": 40.0})
    assert fitted.parameters == pytest.approx({"a": 2.0, "b": 1.5}, rel=1e-6)


def test_data_for_which_a_part_has_no_value_are_named_with_row_and_part():
    with pytest.raises(DataError) as error:
        fit("y ~ a*log(x - 2) + b", {"x": X[::-1], "y": X})
    assert str(error.value) == (
        "`log(x - 2)` is nan in row 31 (x = 1.92308), whatever the parameters. "
        "Leave such rows out with `where`, or change the formula."
    )


def test_an_item_of_a_vector_is_a_part_too():
    with pytest.raises(DataError) as error:
        fit("y ~ w @ [1/x, x] + b", {"x": X - 1.0, "y": X})
    assert str(error.value) == (
        "`1/x` is inf in row 1 (x = 0), whatever the parameters. "
        "Leave such rows out with `where`, or change the formula."
    )


def test_a_start_outside_the_domain_is_named_with_row_part_and_values():
    with pytest.raises(ConfigError) as error:
        fit("y ~ a*log(b*x - 4)", {"x": X, "y": X}, start={"a": 1.0, "b": 1.0})
    assert str(error.value) == (
        "The prediction is nan in row 1 (x = 1) at the start (a=1  b=1): `log(b*x - 4)` is nan there, "
        "so the loss is not finite. Give other starting values with `start`."
    )


def test_a_start_without_a_derivative_is_told_with_parameter_and_row():
    with pytest.raises(ConfigError) as error:
        fit("y ~ a*sqrt(abs(x - m))", {"x": np.arange(1.0, 9.0), "y": np.arange(8.0)}, start={"a": 1.0, "m": 2.0})
    assert str(error.value) == (
        "The derivative of the prediction by `m` has no value in row 2 (x = 2) at the start (a=1  m=2), though the "
        "loss is finite. Give other starting values with `start`, or leave such rows out with `where`."
    )


@pytest.mark.parametrize(("b", "row", "value"), [(60.0, 61, "2.21827e+156"), (35.4, 101, "5.49853e+153")])
@pytest.mark.parametrize("engine", ["auto", "query"])
def test_a_start_whose_squares_overflow_is_told_with_row_and_part(b, row, value, engine):
    x = np.linspace(0.0, 10.0, 101)
    with pytest.raises(ConfigError) as error:
        fit("y ~ a*exp(b*x)", {"x": x, "y": x}, start={"a": 1.0, "b": b}, engine=engine)
    assert str(error.value) == (
        f"The prediction is {value} in row {row} (x = {x[row - 1]:g}) at the start (a=1  b={b:g}): `exp(b*x)` is "
        f"{value} there, so large that the loss is not finite. Give other starting values with `start`."
    )


@pytest.mark.parametrize(
    ("y", "said"),
    [
        ([2.0, -3.0, 1.0, -1.0], "2 rows of the data, the first of them row 2, where it is nan (y = -3)"),
        ([2.0, 3.0, 0.0, 1.0], "row 3 of the data, where it is -inf (y = 0)"),
    ],
)
def test_a_response_without_a_value_is_told_with_what_made_it(y, said):
    with pytest.raises(DataError) as error:
        fit("log(y) ~ a*x", {"x": X[:4], "y": y})
    assert str(error.value) == (
        f"`log(y)` is not finite in {said}. Leave such rows out with `where`, or change the left side of the formula."
    )


@pytest.mark.parametrize("formula", ["y ~ t*(a + b*x)", "y ~ a*t + b*(x*t)"])
def test_rates_on_the_scale_of_the_counts_start_on_that_scale(formula):
    # A start of 1 predicts three hundred times what was counted, from where a descent ran into the edge of J.
    rng = np.random.default_rng(1)
    x, t = rng.uniform(20.0, 70.0, 200), rng.integers(1, 500, 200).astype(float)
    rows = {"x": x, "t": t, "y": rng.poisson(t * (0.03 + 0.0026 * x))}
    found = fit(formula, rows, loss="poisson")
    near = fit(formula, rows, loss="poisson", start={"a": 0.03, "b": 0.0026})
    assert found.outcome == near.outcome == "converged"
    assert found.parameters == pytest.approx(near.parameters, rel=1e-8)
