"""Columns with a unit in their name, which options call by the plain word as formulas do."""

from __future__ import annotations

import numpy as np
import pytest

import descend

T = np.linspace(0.1, 4.0, 30)
DATA = {
    "t (s)": T,
    "y (V)": 2.0 * np.exp(-0.5 * T) + 0.02 * np.cos(9.0 * T),
    "dy (V)": 0.02 + 0.01 * T,
    "dt (s)": np.full(30, 0.01),
}
FORMULA = "y ~ a*exp(-b*t)"


@pytest.mark.parametrize(
    ("plain", "full"),
    [
        ({"sigma": "dy"}, {"sigma": "dy (V)"}),
        ({"weights": "dy"}, {"weights": "dy (V)"}),
        ({"x_sigma": {"t": "dt"}, "sigma": "dy"}, {"x_sigma": {"t (s)": "dt (s)"}, "sigma": "dy (V)"}),
        ({"x_sigma": "t=dt", "sigma": "dy"}, {"x_sigma": {"t (s)": "dt (s)"}, "sigma": "dy (V)"}),
        ({"x_sigma": ["t=0.01"], "sigma": "dy"}, {"x_sigma": {"t (s)": 0.01}, "sigma": "dy (V)"}),
    ],
)
def test_a_plain_word_stands_for_the_column_with_its_unit(plain, full):
    one, other = (descend.fit(FORMULA, DATA, **options) for options in (plain, full))
    assert one.parameters == other.parameters and one.standard_errors == other.standard_errors


def test_a_column_of_that_very_name_goes_first():
    fit = descend.fit(FORMULA, DATA | {"dy": np.full(30, 1.0)}, sigma="dy")
    assert fit.parameters == descend.fit(FORMULA, DATA, sigma=1.0).parameters
