"""The law that proves the inference by the fit: data in another unit change parameters by the factor of their units."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import descend
from descend.units.library import unit_of
from descend.units.values import factor

X = np.linspace(0.5, 6.0, 25)
NOISE = 0.01 * np.sin(37.0 * X)
MODELS = {
    "y ~ a*exp(-b*x) + c": (5.0 * np.exp(-0.6 * X) + 1.0, {"a": 5.0, "b": 0.6, "c": 1.0}),
    "y ~ vm*x/(km + x)": (4.0 * X / (2.0 + X), {"vm": 4.0, "km": 2.0}),
    "y ~ lo + (hi - lo)/(1 + (x/ec50)^h)": (
        1.0 + 3.0 / (1.0 + (X / 2.0) ** 2.5),
        {"lo": 1.0, "hi": 4.0, "ec50": 2.0, "h": 2.5},
    ),
    "y ~ a*sin(w*x + p) + c": (2.0 * np.sin(1.5 * X + 0.4) + 3.0, {"a": 2.0, "w": 1.5, "p": 0.4, "c": 3.0}),
    "y ~ k*x^2 + s*sqrt(x)": (0.5 * X**2 + 2.0 * np.sqrt(X), {"k": 0.5, "s": 2.0}),
    "y ~ gaussian(x)": (3.0 * np.exp(-((X - 3.0) ** 2) / 2.0), {"height": 3.0, "center": 3.0, "width": 1.0}),
    "y ~ a/(1 + exp(-(x - m)/s))": (5.0 / (1.0 + np.exp(-(X - 3.0) / 0.7)), {"a": 5.0, "m": 3.0, "s": 0.7}),
    "y ~ a*2^(-x/h)": (7.0 * 2.0 ** (-X / 1.7), {"a": 7.0, "h": 1.7}),
}


@settings(max_examples=12, deadline=None)
@given(
    formula=st.sampled_from(sorted(MODELS)),
    of_x=st.sampled_from(["ms", "min", "h", "us"]),
    of_y=st.sampled_from(["V", "uV", "kV", "mV"]),
)
def test_another_unit_of_the_data_changes_parameters_by_the_factor_of_theirs(formula, of_x, of_y):
    y, start = MODELS[formula]
    first = descend.fit(formula, {"x": X, "y": y + NOISE}, units={"x": "s", "y": "mV"}, start=start)
    scale_x, scale_y = factor(unit_of("s"), unit_of(of_x)), factor(unit_of("mV"), unit_of(of_y))
    begun = {name: f"{value} {unit}" if (unit := first.units[name]) != "1" else value for name, value in start.items()}
    data = {"x": X * scale_x, "y": (y + NOISE) * scale_y}
    other = descend.fit(formula, data, units={"x": of_x, "y": of_y}, start=begun)
    for name, value in first.parameters.items():
        scale = factor(unit_of(first.units[name]), unit_of(other.units[name]))
        assert other.parameters[name] == pytest.approx(value * scale, rel=1e-5)
        assert other.standard_errors[name] == pytest.approx(first.standard_errors[name] * scale, rel=1e-3)
