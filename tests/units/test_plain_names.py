"""Names that stand for columns with a unit beside them: ``t`` for ``t (s)``."""

import numpy as np
import pytest

import descend
from descend.errors import FormulaError

T = np.linspace(0.0, 8.0, 12)
DATA = {"t (s)": T, "V [mV]": 10.0 * np.exp(-0.5 * T) + 0.1 * np.cos(9 * T)}
FULL = "`V [mV]` ~ a*exp(-b*`t (s)`)"
PLAIN = "V ~ a*exp(-b*t)"


@pytest.fixture(scope="module")
def fit():
    return descend.fit(PLAIN, DATA)


def test_a_plain_name_is_the_column(fit):
    full = descend.fit(FULL, DATA)
    assert fit.parameters == full.parameters
    assert fit.units == full.units == {"a": "mV", "b": "1/s", "V [mV]": "mV", "t (s)": "s"}
    assert fit.model.formula.text == FULL


def test_units_and_values_take_the_plain_name(fit, tmp_path, run):
    assert descend.fit(PLAIN, DATA, units={"t": "min"}).units["b"] == "1/min"
    wanted = fit.predict({"t (s)": [1.5]})
    for data in ({"t": [1.5]}, {"t": ["1500 ms"]}, {"t (ms)": [1500.0]}):
        assert fit.predict(data) == pytest.approx(wanted, rel=1e-12)
    fit.save(tmp_path / "fit.json")
    assert descend.load(tmp_path / "fit.json").predict({"t": [1.5]}) == pytest.approx(wanted, rel=1e-12)
    assert float(run("predict", tmp_path / "fit.json", "--at", "t=1500ms").stdout) == pytest.approx(wanted[0])
    (tmp_path / "new.csv").write_text("t\n1.5\n")
    ran = run("predict", tmp_path / "fit.json", tmp_path / "new.csv")
    assert ran.stderr == "Note: `t` is read as `t (s)`.\n"
    assert float(ran.stdout.split(",")[-1]) == pytest.approx(wanted[0])


def test_a_plain_name_stays_a_parameter():
    """Where it is known as one, where the formula names the column too, and before brackets."""
    x = np.linspace(1.0, 4.0, 9)
    data = {"x": x, "t (s)": x**2, "k (1/s)": 3.0 * x + x**2, "site": list("abc") * 3}
    assert set(descend.fit("k ~ t*x + c*t + `t (s)`", data).parameters) == {"t", "c"}
    assert set(descend.fit("k ~ a*x + t", data, start={"t": 1.0}).parameters) == {"a", "t"}
    assert set(descend.fit("k ~ a*x + t", data, bounds={"t": (0.0, None)}).parameters) == {"a", "t"}
    assert descend.fit("k ~ k[site]*x", data).model.formula.text == "`k (1/s)` ~ k[site]*x"
    assert set(descend.fit("k ~ a*x + e", data | {"e (C)": x}).parameters) == {"a"}


def test_a_name_of_two_columns_stands_for_none():
    data = {"t (s)": T, "t (min)": T / 60.0, "y": DATA["V [mV]"]}
    with pytest.raises(FormulaError, match=r"are all parameters\. Did you mean `t \(s\)` or `t \(min\)`\? Columns"):
        descend.fit("y ~ a*exp(-b*t)", data)


def test_groups_and_several_formulas():
    site = np.repeat(["p", "q"], 6)
    data = DATA | {"U (V)": DATA["V [mV]"] / 500.0, "site (no)": site}
    both = descend.fit("V ~ a*exp(-b*t); U ~ c*exp(-b*t)", data)
    assert both.units["c"] == "V" and both.units["b"] == "1/s"
    each = descend.fit("V ~ a[site]*exp(-b*t)", data)
    assert each.model.formula.text == "`V [mV]` ~ a[`site (no)`]*exp(-b*`t (s)`)"


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (
            "V [mV] ~ a*exp(-b*t)",
            "`V [mV]` is a column whose name is no plain word.\n    V [mV] ~ a*exp(-b*`t (s)`)\n    ^^^^^^\n"
            "Put it in backticks: `V [mV]`, or leave out the unit: V.",
        ),
        (
            "W ~ a*exp(-b*t)",
            "`W` is on the left of `~` but is not a column.\n    W ~ a*exp(-b*`t (s)`)\n    ^\n"
            "Columns: `t (s)`, `V [mV]`.",
        ),
    ],
)
def test_messages(formula, message):
    with pytest.raises(FormulaError) as raised:
        descend.fit(formula, DATA)
    assert str(raised.value) == message


def test_a_logarithm_on_both_sides_leaves_the_units_as_they_are():
    x = np.linspace(280.0, 340.0, 9)
    data = {"T (K)": x, "k (1/s)": 2e11 * np.exp(-80000.0 / (8.314462618 * x)) * (1.0 + 0.01 * np.cos(x))}
    for function in ("log", "ln", "log10", "log2"):
        fit = descend.fit(f"{function}(k) ~ {function}(arrhenius(T))", data, units={"T": "K", "k": "1/s"})
        assert (fit.units["prefactor"], fit.units["energy"]) == ("1/s", "J/mol")
    with pytest.raises(FormulaError, match="This takes log of 1/s, which is no pure number"):
        descend.fit("log(k) ~ log10(arrhenius(T))", data, units={"k": "1/s"})
    with pytest.raises(FormulaError, match="This is in K, and the left side in 1/s"):
        descend.fit("log(k) ~ log(T + c)", data, units={"k": "1/s", "T": "K"})
