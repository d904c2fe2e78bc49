"""Names that mean something else than the user thinks: constants, and columns that are misspelt."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import descend
from descend.errors import ConfigError

X = np.linspace(0.0, 3.0, 30)
DECAY = {"x": X, "y": 2.0 * np.exp(-0.8 * X) + 0.1}
TWO = {"x1": X, "x2": np.sin(X), "y": X + np.sin(X)}


@pytest.mark.parametrize(
    ("given", "role"),
    [
        ({"start": {"e": 1.0}}, "started"),
        ({"fix": {"e": 1.0}}, "fixed"),
        ({"bounds": ["e > 0"]}, "bounded"),
        ({"bounds": ["0 <= e <= 1"]}, "bounded"),
        ({"bounds": {"e": (0, None)}}, "bounded"),
    ],
)
def test_a_constant_is_no_parameter(given: Any, role: str) -> None:
    with pytest.raises(ConfigError) as caught:
        descend.fit("y ~ a*exp(-b*x) + e", DECAY, **given)
    assert str(caught.value) == (
        f"`e` is a constant in formulas, 2.71828, so it cannot be {role}. "
        "Give the parameter another name, such as `e_`, or put it in backticks in the formula."
    )


def test_a_constant_in_a_bound_is_a_number() -> None:
    fitted = descend.fit("y ~ a*exp(-b*x) + c", DECAY, bounds=["b < pi", "a < 2*e"])
    assert fitted.parameters["b"] == pytest.approx(0.8)


def test_explain_lists_constants() -> None:
    explained = descend.explain("y ~ a*sin(2*pi*x) + e")
    assert "  constants   pi = 3.14159, e = 2.71828\n" in str(explained)
    assert explained.as_dict()["constants"] == {"pi": np.pi, "e": np.e}
    assert "constants" not in str(descend.explain("y ~ a*exp(-b*x)"))


def test_a_misspelt_column_beside_a_parameter_is_told_first() -> None:
    notes = descend.fit("y ~ a*x1 + b*x3", TWO).notes
    place = notes.index("x3 is not a column of the data (x1, x2, y), and so taken for a parameter")
    assert notes[place + 1].startswith("b and x3 trade off: only b*x3 is determined.")


@pytest.mark.parametrize(("formula", "start"), [("y ~ a*x1 + b*k", {}), ("y ~ a*x1 + b*x3", {"x3": 1.0})])
def test_a_parameter_is_not_taken_for_one(formula: str, start: Any) -> None:
    notes = descend.fit(formula, TWO, start=start).notes
    assert not any("not a column" in note for note in notes)
