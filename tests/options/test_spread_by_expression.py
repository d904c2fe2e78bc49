"""Weights and standard deviations as expressions of columns."""

import numpy as np
import pytest

import descend
from descend.errors import FormulaError

X = np.linspace(1.0, 5.0, 30)
DATA = {"x": X, "y": 3.0 * np.exp(-0.5 * X) * (1.0 + 0.05 * np.random.default_rng(0).normal(size=30))}


@pytest.mark.parametrize(
    "role, text, values", [("weights", "1/y^2", DATA["y"] ** -2.0), ("sigma", "0.05*y", 0.05 * DATA["y"])]
)
def test_they_are_what_a_column_of_the_same_values_is(role, text, values, tmp_path):
    known = descend.fit("y ~ a*exp(-b*x)", {**DATA, "given": values}, **{role: "given"})
    path = tmp_path / "rows.csv"
    path.write_text(
        "x,y\n" + "\n".join(f"{x!r},{y!r}" for x, y in zip(*map(np.ndarray.tolist, DATA.values()), strict=True))
    )
    for data in (DATA, path):
        found = descend.fit("y ~ a*exp(-b*x)", data, **{role: text})
        assert found.parameters == pytest.approx(known.parameters, rel=1e-10)
        assert found.standard_errors == pytest.approx(known.standard_errors, rel=1e-8)
        assert getattr(found, role) == text


def test_an_unknown_column_is_pointed_at():
    with pytest.raises(FormulaError) as error:
        descend.fit("y ~ a*exp(-b*x)", DATA, sigma="0.05*z")
    assert str(error.value) == (
        "`z` is not a column.\n    0.05*z\n         ^\n`sigma` is a column, or computed from columns alone."
    )
