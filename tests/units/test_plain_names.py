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
    assert float(run("predict", tmp_path / "fit.json", "--at", "t=1500ms").stdout.split(",")[-1]) == pytest.approx(
        wanted[0]
    )
    (tmp_path / "new.csv").write_text("t\n1.5\n")
    ran = run("predict", tmp_path / "fit.json", tmp_path / "new.csv")
    assert ran.stderr == "Note: `t` is read as `t (s)`.\n"
    assert ran.stdout.startswith("t,prediction\n1.5,")  # the column as it is called there, and that alone
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
    with pytest.raises(FormulaError, match=r"`t` may be `t \(s\)` or `t \(min\)`: only the unit tells"):
        descend.fit("y ~ a*exp(-b*t)", data)


def test_groups_and_several_formulas():
    site = np.repeat(["p", "q"], 6)
    data = DATA | {"U (V)": DATA["V [mV]"] / 500.0, "site (no)": site}
    both = descend.fit("V ~ a*exp(-b*t); U ~ c*exp(-b*t)", data)
    assert both.units["c"] == "V" and both.units["b"] == "1/s"
    each = descend.fit("V ~ a[site]*exp(-b*t)", data)
    assert each.model.formula.text == "`V [mV]` ~ a[`site (no)`]*exp(-b*`t (s)`)"


@pytest.mark.parametrize(("formula", "by"), [(PLAIN, "g"), ("V ~ a[g]*exp(-b*t)", None)], ids=["fits", "one fit"])
def test_groups_whose_names_begin_with_zeros_are_found_in_other_units(tmp_path, run, formula, by):
    rows = [f"{t},{v},{g}" for g in ("01", "02") for t, v in zip(*DATA.values(), strict=True)]
    (tmp_path / "old.csv").write_text("\n".join(["t (s),V [mV],g", *rows]))
    (tmp_path / "new.csv").write_text("t (min),g\n0.05,02\n")
    each = descend.fit(formula, str(tmp_path / "old.csv"), by=by)
    wanted = each.predict({"t": [3.0], "g": ["02"]})
    assert each.predict(str(tmp_path / "new.csv")) == pytest.approx(wanted, rel=1e-12)
    each.save(tmp_path / "each.json")
    for options in ((), ("--missing", "drop")):
        ran = run("predict", tmp_path / "each.json", tmp_path / "new.csv", *options)
        assert ran.stdout.startswith("t (min),g,prediction\n0.05,02,"), ran.stdout + ran.stderr
        assert float(ran.stdout.split(",")[-1]) == pytest.approx(wanted[0])


def test_heads_of_many_fits_say_units_of_vectors_too():
    data = DATA | {"x (m)": np.cos(T), "g": np.repeat(["p", "q"], 6)}
    each = descend.fit("V ~ w @ [t, x] + b", data, by="g")
    heads = each._repr_html_().partition("</thead>")[0]
    for head in ("w[`t (s)`] (mV/s)", "w[`x (m)`] (mV/m)", "b (mV)"):
        assert f">{head}</th>" in heads and head in each.summary()


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


SITE = np.repeat(["p", "q"], 12)
BOTH = np.concatenate([T, T])
ROWS = {
    "t (s)": BOTH,
    "V [mV]": 10.0 * np.exp(-0.5 * BOTH) + 0.1 * np.cos(9 * BOTH) + (SITE == "q"),
    "dV (mV)": 0.1 + 0.01 * BOTH,
    "dt (s)": 0.05 + 0.0 * BOTH,
    "k (kg)": 1.0 + BOTH,
    "site (no)": SITE,
    "N (count)": np.round(3.0 + BOTH),
    "E (h)": 2.0 + BOTH,
    "m (count)": 20.0 + 0.0 * BOTH,
    "hits (count)": np.round(20.0 / (1.0 + np.exp(4.0 - BOTH))),
    "state (code)": np.where(BOTH > 6.0, "left", "none"),
}
COUNTS = "N ~ exp(a + b*t)"
OPTIONS = [
    (PLAIN, {"where": "t < 5 AND site IN ('p') and \"V [mV]\" > 0"}, {"where": '"t (s)" < 5 and "site (no)" = \'p\''}),
    (PLAIN, {"sigma": "dV"}, {"sigma": "dV (mV)"}),
    (PLAIN, {"sigma": "0.1 + 0.05*V + dV"}, {"sigma": "0.1 + 0.05*`V [mV]` + `dV (mV)`"}),
    (PLAIN, {"sigma": "dV,0.3"}, {"sigma": "dV (mV),0.3"}),
    (PLAIN, {"weights": "k"}, {"weights": "k (kg)"}),
    (PLAIN, {"weights": "1/(1 + t)^2"}, {"weights": "1/(1 + `t (s)`)^2"}),
    (PLAIN, {"x_sigma": "t=dt", "sigma": "dV"}, {"x_sigma": {"t (s)": "dt (s)"}, "sigma": "dV (mV)"}),
    (PLAIN, {"censored": "state"}, {"censored": "state (code)"}),
    (PLAIN, {"errors": "cluster(site)"}, {"errors": "cluster(`site (no)`)"}),
    (COUNTS, {"loss": "poisson", "exposure": "E"}, {"loss": "poisson", "exposure": "E (h)"}),
    (COUNTS, {"loss": "poisson", "offset": "log(E)"}, {"loss": "poisson", "offset": "log(`E (h)`)"}),
    ("hits/m ~ sigmoid(a + b*t)", {"trials": "m"}, {"trials": "m (count)"}),
    ("V ~ u[site] + b*t + c", {"reference": "site=q"}, {"reference": {"site (no)": "q"}}),
    ("V ~ a + b*t", {"gradient": "a = mean(2*(a + b*t - V)); b = mean(2*t*(a + b*t - V))"}, {"gradient": "derived"}),
]


@pytest.mark.parametrize(("formula", "plain", "full"), OPTIONS)
def test_options_take_the_plain_name(formula, plain, full):
    found, wanted = descend.fit(formula, ROWS, **plain), descend.fit(formula, ROWS, **full)
    assert found.parameters["b"] == pytest.approx(wanted.parameters["b"], rel=1e-6)
    assert found.standard_errors["b"] == pytest.approx(wanted.standard_errors["b"], rel=1e-5)


@pytest.mark.parametrize(("formula", "plain", "full"), [each for each in OPTIONS[:11] if "errors" not in each[1]])
def test_groups_take_the_plain_name(formula, plain, full):
    found = descend.fit(formula, ROWS, by="site", **plain)
    wanted = descend.fit(formula, ROWS, by="site (no)", **full)
    assert found.by == ("site (no)",)
    assert found["p"].parameters["b"] == pytest.approx(wanted["p"].parameters["b"], rel=1e-6)


@pytest.mark.parametrize("engine", ["auto", "query"])
def test_files_take_the_plain_name(tmp_path, engine):
    pd = pytest.importorskip("pandas")
    pd.DataFrame(ROWS).to_parquet(tmp_path / "rows.parquet")
    data, options = tmp_path / "rows.parquet", {"where": "t < 5", "weights": "1/(1 + t)"}
    found = descend.fit(PLAIN, data, engine=engine, **options)
    wanted = descend.fit(PLAIN, ROWS, **options)
    assert found.parameters["b"] == pytest.approx(wanted.parameters["b"], rel=1e-6)


def test_functions_and_quantities_take_the_plain_name():
    wanted = descend.fit(PLAIN, DATA)

    def decay(t, a, b):
        return a * np.exp(-b * t)

    def opaque(t, a, b):
        return np.array([a * np.exp(-b * each) for each in t.tolist()])

    for function in (decay, opaque):
        found = descend.fit(function, DATA, response="V")
        assert found.parameters["b"] == pytest.approx(wanted.parameters["b"], rel=1e-6)
        assert found.predict({"t": [1.5]}) == pytest.approx(wanted.predict({"t": [1.5]}), rel=1e-6)
    jacobian = descend.fit(PLAIN, DATA, gradient=lambda t, a, b: np.array([np.exp(-b * t), -a * t * np.exp(-b * t)]).T)
    assert jacobian.parameters["b"] == pytest.approx(wanted.parameters["b"], rel=1e-6)
    assert wanted.quantity("prediction(t=1.5)").value == pytest.approx(wanted.predict({"t": [1.5]})[0])
    assert wanted.quantity("root(t, 0, 8, level=5)").value == pytest.approx(
        np.log(wanted.parameters["a"] / 5) / wanted.parameters["b"]
    )


def test_new_rows_take_the_plain_name(tmp_path, run):
    """Also the columns of groups, and those that say how far rows scatter."""
    fits = descend.fit(PLAIN, ROWS, by="site", sigma="0.1 + 0.05*V")
    new = {"site": ["p", "q"], "t": [1.0, 2.0], "V": [6.0, 4.0]}
    wanted = fits.predict({"site (no)": ["p", "q"], "t (s)": [1.0, 2.0]})
    assert fits.predict(new) == pytest.approx(wanted, rel=1e-12)
    fits.save(tmp_path / "fits.json")
    (tmp_path / "new.csv").write_text("site,t (ms)\np,1000\nq,2000\n")
    ran = run("predict", tmp_path / "fits.json", tmp_path / "new.csv")
    assert [float(line.split(",")[-1]) for line in ran.stdout.splitlines()[1:]] == pytest.approx(wanted)
    notes = ["Note: `t (ms)` is converted from ms to s.", "Note: `site` is read as `site (no)`."]
    assert ran.stderr.splitlines() == notes
    at = run("predict", tmp_path / "fits.json", "--at", "site=q,t=2000ms").stdout
    assert float(at.split(",")[-1]) == pytest.approx(wanted[1])
    one = descend.fit(PLAIN, ROWS, sigma="0.1 + 0.05*V")
    band = one.predict(new, interval="prediction")
    assert band.low == pytest.approx(
        one.predict({"t (s)": [1.0, 2.0], "V [mV]": [6.0, 4.0]}, interval="prediction").low
    )
    assert one.invert(5.0).value == pytest.approx(one.invert("0.005 V").value)


def test_commands_take_the_plain_name(tmp_path, run):
    lines = zip(ROWS["t (s)"], ROWS["V [mV]"], ROWS["k (kg)"], SITE, strict=True)
    rows = "".join(f"{t},{v},{k},{site}\n" for t, v, k, site in lines)
    (tmp_path / "rows.csv").write_text("t (s),V [mV],k (kg),site (no)\n" + rows)
    data, model, page = tmp_path / "rows.csv", tmp_path / "fit.json", tmp_path / "fit.html"
    options = ("--weights", "1/k", "--where", "t < 7")
    run("fit", PLAIN, data, *options, "--save", model, "--report", page)
    assert "--weights 1/k --where &#x27;t &lt; 7&#x27;" in page.read_text(encoding="utf-8")
    run("plot", data, "--x", "t", "--y", "V", "--output", tmp_path / "plot.png")
    gradient = ("--gradient", "a = mean(2*(a + b*t - V))", "--gradient", "b = mean(2*t*(a + b*t - V))")
    assert "proved by algebra" in run("check", "V ~ a + b*t", data, *gradient, "--weights", "k").stdout
    compared = run("compare", PLAIN, data, "--against", "V ~ a + b*t", "--fold-by", "site", "--folds", "2")
    assert "AIC" in compared.stdout


def test_words_of_a_condition_are_no_columns():
    data = {"IS (A)": T, "V [mV]": DATA["V [mV]"], "t (s)": T, "log (x)": T}
    found = descend.fit(PLAIN, data, where="t IS NOT NULL AND \"IS\" < 6 and log(t + 1) < 9 and 't' <> 'V'")
    assert found.rows == int((T < 6).sum())


def test_a_name_that_only_units_tell_apart_is_refused():
    data = {"t (s)": [60.0, 120.0, 180.0], "t (min)": [1.0, 2.0, 3.0], "y": [1.0, 2.0, 3.0], "x": [2.0, 1.0, 3.0]}
    with pytest.raises(FormulaError) as refusal:
        descend.fit("y ~ a*t + b*x", data)
    assert str(refusal.value) == (
        "`t` may be `t (s)` or `t (min)`: only the unit tells these columns apart. Write the whole name of the one you "
        "mean, in backticks; if t is a parameter, give it another name."
    )
    assert descend.fit("y ~ a*`t (s)`", data).parameters["a"] == pytest.approx(1 / 60)
    assert descend.fit("y ~ t*x", data, start={"t": 1.0}).parameters["t"] == pytest.approx(13 / 14)
