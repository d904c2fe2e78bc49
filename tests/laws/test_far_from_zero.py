"""A polynomial far from zero, whose powers are all but alike, is fitted to its minimum wherever the rows are summed.

A sum of squares has half the digits of what is squared, and a direction that it has lost must not pass for settled.
"""

from __future__ import annotations

import numpy as np
import pytest

import descend

CUBIC = "y ~ a + b*x + c*x^2 + d*x^3"
BY_HAND = [f"{name} = mean(2*x^{power}*(a + b*x + c*x^2 + d*x^3 - y))" for power, name in enumerate("abcd")]


def rows(middle: float, reach: float = 1.5, count: int = 60) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return rows of a noisy cubic, and the polynomial that fits them, in powers of what is added to the middle."""
    away = np.linspace(-reach, reach, count)
    x = middle + away
    y = 1.0 + 2.0 * away - 3.0 * away**2 + 0.7 * away**3 + 0.1 * np.random.default_rng(3).normal(size=count)
    return {"x": x, "y": y}, np.vander(x - middle, 4)


def a_function(x, a, b, c, d):
    return a + b * x + c * x * x + d * x * x * x


def fits(data, folder):
    """Yield the name of each way to sum, and its fit."""
    import pandas

    pandas.DataFrame(data).to_parquet(folder / "rows.parquet")
    yield "numpy", descend.fit(CUBIC, data)
    yield "torch", descend.fit(CUBIC, data, engine="torch")
    yield "query", descend.fit(CUBIC, str(folder / "rows.parquet"), engine="query")
    yield "by hand", descend.fit(CUBIC, data, gradient=BY_HAND)
    yield "by hand, query", descend.fit(CUBIC, str(folder / "rows.parquet"), engine="query", gradient=BY_HAND)
    yield "autograd", descend.fit(CUBIC, data, gradient="autograd")
    yield "autograd of a function", descend.fit(a_function, data, response="y", gradient="autograd")


@pytest.mark.parametrize("middle", [30.0, 301.5, -1000.0])
def test_every_source_and_engine_reaches_the_minimum(middle, tmp_path):
    data, powers = rows(middle)
    least = np.linalg.lstsq(powers, data["y"], rcond=None)[1][0] / len(powers)
    error = np.sqrt(np.linalg.inv(powers.T @ powers)[0, 0] * least * len(powers) / (len(powers) - 4))
    for name, fit in fits(data, tmp_path):
        assert fit.outcome == "converged", (name, fit.outcome)
        assert fit.loss == pytest.approx(least, rel=1e-4), name
        assert fit.undetermined == (), name
        assert fit.standard_errors["d"] == pytest.approx(error, rel=1e-4), name


@pytest.mark.parametrize("middle", [1e4, 1e5])
def test_none_claims_to_have_converged_away_from_the_minimum(middle, tmp_path):
    data, powers = rows(middle)
    least = np.linalg.lstsq(powers, data["y"], rcond=None)[1][0] / len(powers)
    for name, fit in fits(data, tmp_path):
        assert fit.outcome != "converged" or fit.loss == pytest.approx(least, rel=0.01) or fit.undetermined, name


def test_a_narrow_parabola_has_its_errors_in_a_database(tmp_path):
    import pandas

    x = np.linspace(0.0100005, 0.01003, 60)
    y = 1.0 + 0.1 * np.random.default_rng(216).normal(size=60)
    pandas.DataFrame({"x": x, "y": y}).to_parquet(tmp_path / "rows.parquet")
    away = np.vander((x - x.mean()) / np.ptp(x), 3)
    rest = np.linalg.lstsq(away, y, rcond=None)[1][0]
    error = np.sqrt(np.linalg.inv(away.T @ away)[0, 0] * rest / 57) / np.ptp(x) ** 2
    fit = descend.fit("y ~ a + b*x + c*x^2", str(tmp_path / "rows.parquet"), engine="query")
    assert fit.standard_errors["c"] == pytest.approx(error, rel=1e-4)


def test_a_curve_that_is_all_but_a_line_is_fitted_in_a_database(tmp_path):
    import pandas

    x = np.linspace(0.0, 1.0, 200)
    data = {"x": x, "y": 5.0 * np.exp(-1e-3 * x) + 2.0 + 1e-7 * np.random.default_rng(1).normal(size=200)}
    pandas.DataFrame(data).to_parquet(tmp_path / "rows.parquet")
    at_home = descend.fit("y ~ a*exp(-b*x) + c", data)
    fit = descend.fit("y ~ a*exp(-b*x) + c", str(tmp_path / "rows.parquet"), engine="query")
    assert (fit.outcome, at_home.outcome) == ("converged", "converged")
    assert fit.loss == pytest.approx(at_home.loss, rel=1e-7)
    assert fit.standard_errors["b"] == pytest.approx(at_home.standard_errors["b"], rel=1e-3)


@pytest.mark.parametrize("source", [None, "autograd"])
def test_profile_intervals_are_those_of_a_polynomial_about_its_middle(source):
    data, _ = rows(301.5)
    far = descend.fit(CUBIC, data, gradient=source).intervals(0.95, "profile")["d"]
    near = descend.fit(CUBIC, data | {"x": data["x"] - 301.5}).intervals(0.95, "t")["d"]
    assert far == pytest.approx(near, rel=1e-3)
