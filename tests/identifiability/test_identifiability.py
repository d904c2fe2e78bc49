"""What the data leave undetermined is said, in words that name it; what they determine is never doubted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from descend import fit
from descend.errors import DataError

X = np.linspace(0.1, 4.0, 50)
NOISE = 0.01 * np.random.default_rng(0).normal(size=50)
Y = 2.0 * np.exp(0.5 - 0.3 * X) + NOISE


def doubts(fitted) -> list[str]:
    return [note for note in fitted.notes if "trade off" in note or "told apart" in note or "influence" in note]


def test_a_redundant_formula_is_fitted_and_its_redundancy_noted_once():
    fitted = fit("y ~ a*exp(b + c*x)", {"x": X, "y": Y})
    assert doubts(fitted) == [
        'a and b trade off: only a*exp(b) is determined. Drop b, or fix it with fix={"b": 0}.',
    ]
    assert fitted.undetermined == ("a", "b")
    assert fitted.outcome == "converged"
    values = fitted.parameters
    assert values["a"] * np.exp(values["b"]) == pytest.approx(2.0 * np.exp(0.5), rel=0.01)


def test_a_combination_that_only_these_data_leave_open_is_found_and_verified():
    """The column k never changes, so b is known only together with a."""
    fitted = fit("y ~ a*exp(b*k) + c*x", {"x": X, "y": Y, "k": np.full(50, 3.0)})
    assert doubts(fitted) == ["a and b trade off: only a*exp(3*b) is determined by these data."]
    assert fitted.undetermined == ("a", "b")


def test_columns_that_are_almost_multiples_of_each_other():
    z = 2.0 * X + 1e-5 * np.sin(40.0 * X)
    fitted = fit("y ~ w @ [x, z] + b", {"x": X, "z": z, "y": Y})
    assert doubts(fitted) == [
        "w[x] and w[z] cannot be told apart by these data: their columns are almost multiples of each other."
    ]
    assert fitted.undetermined == ()


def test_a_curve_seen_only_where_it_is_straight():
    """a*x/(b + x) with all x far below b is a/b*x."""
    x = np.linspace(1.0, 2.0, 40)
    y = 3.0 * x + 0.05 * np.random.default_rng(1).normal(size=40)
    fitted = fit("y ~ a*x/(b + x)", {"x": x, "y": y}, start={"a": 3e5, "b": 1e5})
    assert doubts(fitted) == ["a and b trade off: only a/b is determined by these data."]
    assert fitted.parameters["a"] / fitted.parameters["b"] == pytest.approx(3.0, rel=0.02)


def test_a_parameter_without_influence_is_named():
    fitted = fit("y ~ a*x*where(x < 100, 1, b)", {"x": X, "y": Y}, start={"a": 1.0, "b": 1.0})
    assert doubts(fitted) == [
        "b has no influence on any prediction here, so these data do not determine it. "
        "Start elsewhere, or remove it from the formula."
    ]


@pytest.mark.parametrize("expression", ["a*exp(-b*x) + c", "a + b*x", "a*x/(b + x)", "w @ [x, x^2, x^3] + b"])
def test_data_without_any_residual_are_no_cause_for_doubt(expression):
    y = {"a*exp(-b*x) + c": 2 * np.exp(-X) + 1, "a*x/(b + x)": 2 * X / (1 + X)}.get(expression, 1 + 2 * X)
    fitted = fit(f"y ~ {expression}", {"x": X, "y": y})
    assert doubts(fitted) == []
    assert fitted.undetermined == ()


def test_ill_conditioned_but_determined_is_no_cause_for_doubt():
    """A polynomial of degree 10 over a narrow range, as in NIST's Filip."""
    x = np.linspace(-9.0, -3.0, 82)
    y = np.polynomial.polynomial.polyval(x / 6.0 + 1.0, [0.8, 0.1, 0.3, -0.2, 0.1, 0.5, 0.3, 0.2, -0.1, 0.1, 0.05])
    formula = "y ~ " + " + ".join(["c0", *(f"c{k}*x^{k}" for k in range(1, 11))])
    fitted = fit(formula, {"x": x, "y": y + 1e-8 * np.random.default_rng(2).normal(size=82)})
    assert doubts(fitted) == []


def test_a_measured_curve_is_no_cause_for_doubt():
    data = Path(__file__).parents[2] / "examples" / "data" / "chwirut2.csv"
    fitted = fit("response ~ exp(-b1*distance)/(b2 + b3*distance)", data, start={"b1": 0.1, "b2": 0.01, "b3": 0.02})
    assert doubts(fitted) == []


def test_a_penalty_settles_it():
    fitted = fit("y ~ (a + b)*x", {"x": X, "y": Y}, l2=0.01)
    assert doubts(fitted) == []


def yearly(seed: int, sorts: int, slope: float) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    year = np.round(2010 + np.linspace(0, 10, 40), 2)
    others = {f"z{place}": np.round(random.normal(size=40), 3) for place in range(1, sorts + 1)}
    return {"year": year, **others, "y": slope * (year - 2015) + 0.6 * random.normal(size=40)}


@pytest.mark.parametrize("slope", [0.4, 0.0])
@pytest.mark.parametrize("sorts", [0, 1, 4, 8])
def test_columns_far_from_zero_are_told_apart(sorts, slope):
    """A year column is nearly a multiple of 1; but its slope is determined like any, and so is that of noise."""
    formula = "y ~ a + b*year" + "".join(f" + c{place}*z{place}" for place in range(1, sorts + 1))
    for seed in range(5):
        fitted = fit(formula, yearly(seed, sorts, slope))
        assert not [note for note in fitted.notes if "told apart" in note or "correlated" in note]


@pytest.mark.parametrize(("formula", "loss"), [("exp(a + b*t)", "poisson"), ("sigmoid(a + b*t)", "logistic")])
def test_so_are_those_under_a_link(formula, loss):
    random = np.random.default_rng(0)
    t = np.linspace(2000.0, 2020.0, 60)
    y = random.poisson(5.0 * np.exp((t - 2010.0) / 10.0)) if loss == "poisson" else random.random(60) < 0.5
    fitted = fit(f"y ~ {formula}", {"t": t, "y": y.astype(float)}, loss=loss)
    assert not [note for note in fitted.notes if "told apart" in note or "correlated" in note]


def test_longley_is_determined():
    """Its parameters have |t| of 4 and more for three of six, says NIST; nothing in it cannot be told apart."""
    rows = np.array([
        [83.0, 234289, 2356, 1590, 107608, 1947, 60323], [88.5, 259426, 2325, 1456, 108632, 1948, 61122],
        [88.2, 258054, 3682, 1616, 109773, 1949, 60171], [89.5, 284599, 3351, 1650, 110929, 1950, 61187],
        [96.2, 328975, 2099, 3099, 112075, 1951, 63221], [98.1, 346999, 1932, 3594, 113270, 1952, 63639],
        [99.0, 365385, 1870, 3547, 115094, 1953, 64989], [100.0, 363112, 3578, 3350, 116219, 1954, 63761],
        [101.2, 397469, 2904, 3048, 117388, 1955, 66019], [104.6, 419180, 2822, 2857, 118734, 1956, 67857],
        [108.4, 442769, 2936, 2798, 120445, 1957, 68169], [110.8, 444546, 4681, 2637, 121950, 1958, 66513],
        [112.6, 482704, 3813, 2552, 123366, 1959, 68655], [114.2, 502601, 3931, 2514, 125368, 1960, 69564],
        [115.7, 518173, 4806, 2572, 127852, 1961, 69331], [116.9, 554894, 4007, 2827, 130081, 1962, 70551],
    ])  # fmt: skip
    data = dict(zip(("x1", "x2", "x3", "x4", "x5", "x6", "y"), rows.T, strict=True))
    fitted = fit("y ~ b0 + b1*x1 + b2*x2 + b3*x3 + b4*x4 + b5*x5 + b6*x6", data)
    assert doubts(fitted) == []
    assert fitted.parameters["b6"] / fitted.standard_errors["b6"] == pytest.approx(4.016, abs=1e-3)


def test_a_high_correlation_is_remarked():
    random = np.random.default_rng(0)
    x = random.normal(size=60)
    z = x + 0.01 * random.normal(size=60)
    fitted = fit("y ~ a + b*x + c*z", {"x": x, "z": z, "y": 1 + 2 * x + 3 * z + 0.1 * random.normal(size=60)})
    assert fitted.correlation is not None
    correlation = fitted.correlation[1, 2]
    assert -0.99995 < correlation < -0.9999
    assert [note for note in fitted.notes if "correlated" in note] == [
        "b and c are correlated -0.999937: only a combination of them is known well, and the standard error of each is "
        "89 times that if the other were known."
    ]
    assert 1 / np.sqrt(1 - correlation**2) == pytest.approx(89, rel=0.01)


def test_a_high_correlation_of_what_is_known_well_is_not():
    x = np.linspace(1.0, 2.0, 40)
    z = x + 1e-3 * np.sin(40.0 * x)
    fitted = fit("y ~ a + b*x + c*z", {"x": x, "z": z, "y": 1 + 2 * x + 3 * z + 1e-7 * np.cos(99 * x)})
    assert not [note for note in fitted.notes if "correlated" in note]


def test_what_is_so_small_that_its_square_is_zero_is_not_called_zero():
    x = np.linspace(1.0, 2.0, 20)
    said = "at most, so small that its square is 0 in floating point. Measure it in another unit."
    with pytest.raises(DataError) as caught:
        fit("y ~ a*x + b", {"x": x * 1e-200, "y": x})
    assert str(caught.value) == f"What `a` is multiplied by is 2e-200 {said.replace('most', 'most in the data')}"
    with pytest.raises(DataError) as caught:
        fit("y ~ a*x + b", {"x": x, "y": x * 1e-200})
    assert str(caught.value) == f"`y` of the data is 2e-200 {said}"


@pytest.mark.parametrize("formula", ["y ~ b*exp(-(x - t))", "y ~ b*exp(-(x - t)) + c"])
def test_what_trades_off_is_seen_at_a_start_where_the_curvature_overflows(formula):
    fitted = fit(formula, {"x": 2.5 * X, "y": np.where(X < 1.6, 2.0, 5.0 * np.exp(4.0 - 2.5 * X)) + NOISE})
    assert fitted.outcome == "converged"
    assert doubts(fitted) == [
        'b and t trade off: only b*exp(t) is determined. Drop t, or fix it with fix={"t": 0}.',
    ]


def step(x, a, b, t):
    return np.where(x < t, a, b)


def test_a_place_where_a_function_jumps_is_found_and_said_to_have_no_gradient():
    x = np.linspace(0.0, 10.0, 80)
    y = np.where(x < 4.4, 1.0, 3.0) + np.random.default_rng(0).normal(0.0, 0.3, 80)
    fitted = fit(step, {"x": x, "y": y}, response="y")
    best = min(np.var(y[:k]) * k + np.var(y[k:]) * (80 - k) for k in range(1, 80)) / 80
    assert fitted.loss == pytest.approx(best, rel=1e-9) and fitted.undetermined == ("t",)
    said = (
        "t moves predictions in jumps alone, which no gradient sees: it stays where the search or the start left it, "
        "without an error. Make the switch smooth, for example 1/(1 + np.exp((x - t)/width)), or fix it."
    )
    assert said in fitted.notes and fitted.advice == f"The descent is on a plateau: {said}"
    assert not [note for note in fitted.notes if "no influence" in note]
