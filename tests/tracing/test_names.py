"""Parameters of a Python function may have any name, also those that mean something in formulas."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

import descend

X = np.linspace(0.2, 3.0, 40)


def awkward(x, gamma, e, log, lambda_):  # type: ignore[no-untyped-def]
    return gamma * special.gamma(x + 1) + e * np.exp(-x * log) + lambda_


def test_names_of_functions_and_constants_are_quoted_where_they_must_be(tmp_path):
    data = {"x": X, "y": awkward(X, 1.3, 2.0, 0.5, 0.1)}
    fitted = descend.fit(awkward, data, response="y", start={"gamma": 1.0, "e": 1.0, "log": 1.0, "lambda_": 0.0})
    assert fitted.parameters == pytest.approx({"gamma": 1.3, "e": 2.0, "log": 0.5, "lambda_": 0.1}, rel=1e-9)
    assert str(fitted.model) == "y ~ `gamma`*gamma(x + 1) + `e`*exp(-x*`log`) + lambda_"
    fitted.save(tmp_path / "model.json")
    assert descend.load(tmp_path / "model.json").parameters == fitted.parameters


def test_a_name_that_is_not_called_stays_as_it_is():
    def rates(x, y0, k1, beta):  # type: ignore[no-untyped-def]
        return y0 + beta * np.exp(-k1 * x)

    fitted = descend.fit(rates, {"x": X, "y": rates(X, 0.5, 2.0, 3.0)}, response="y")
    assert str(fitted.model) == "y ~ y0 + beta*exp(-k1*x)"
