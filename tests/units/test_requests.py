"""Units in a fit: from headers and from the user, values with units, and where they are shown."""

import json

import numpy as np
import pytest

import descend
from descend.errors import ConfigError, FormulaError
from descend.many.text import render

T = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
V = np.array([10.0, 6.2, 3.5, 2.3, 1.4, 0.7])
DATA = {"t": T, "V": V}
HEADERS = {"t (s)": T, "V [mV]": V}
DECAY = "V ~ a*exp(-b*t)"
OF_HEADERS = "`V [mV]` ~ a*exp(-b*`t (s)`)"
UNITS = {"t": "s", "V": "mV"}


def test_headers_say_units():
    fit = descend.fit(OF_HEADERS, HEADERS)
    assert fit.units == {"a": "mV", "b": "1/s", "V [mV]": "mV", "t (s)": "s"}


def test_what_is_no_unit_in_a_header_is_left_alone():
    fit = descend.fit("`V (raw)` ~ a*exp(-b*`t (n=3)`)", {"t (n=3)": T, "V (raw)": V})
    assert fit.units == {}
    assert not [note for note in fit.summary()["notes"] if "unit" in note]


def test_the_user_says_units():
    assert descend.fit(DECAY, DATA, units=UNITS).units == {"a": "mV", "b": "1/s", "V": "mV", "t": "s"}
    assert descend.fit(DECAY, DATA, units=["t=s", "V=mV"]).units["b"] == "1/s"


def test_a_fault_is_a_note_where_headers_say_the_units():
    fit = descend.fit("log10(`P (mmHg)`) ~ a + b*`t (s)`", {"t (s)": T, "P (mmHg)": V})
    assert "By the units in the data, `log10(`P (mmHg)`)` takes log10 of mmHg, which is no pure number" in [
        note[:1].upper() + note[1:] for note in fit.summary()["notes"]
    ]
    assert fit.units["b"] == "1/s"


def test_a_fault_is_an_error_where_the_user_says_them():
    with pytest.raises(FormulaError) as caught:
        descend.fit("V ~ a*exp(-t)", DATA, units=UNITS)
    assert str(caught.value) == (
        "This takes exp of s, which is no pure number.\n"
        "    V ~ a*exp(-t)\n"
        "          ^^^^^^^\n"
        "t is in s. Divide what is inside by something in that unit, or multiply it by a parameter, as in exp(-b*t)."
    )


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ({"t": "secnds"}, "`secnds`, given for `t`, is no unit. Did you mean `seconds`"),
        (
            {"tt": "s"},
            "`tt`, to which `units` gives a unit, is neither a column nor a parameter. Columns: t, V.",
        ),
        ("t", "The unit `t` names no column. Write a name and its unit, such as t=s."),
    ],
)
def test_units_that_make_no_sense_are_refused(units, message):
    with pytest.raises(ConfigError) as caught:
        descend.fit(DECAY, DATA, units=units)
    assert message in str(caught.value)


def test_values_with_units_are_converted():
    plain = descend.fit(DECAY, DATA, start={"a": 10.0, "b": 0.5}, bounds=["b < 2"])
    units = {"start": {"a": "0.01 V", "b": "30/min"}, "bounds": ["b < 120/min"]}
    fit = descend.fit(DECAY, DATA, units=UNITS, **units)
    assert fit.trace[0].parameters == plain.trace[0].parameters
    assert fit.summary()["bounds"] == plain.summary()["bounds"] == ["b < 2"]


def test_a_fixed_value_and_a_prior_with_units_are_converted():
    fit = descend.fit(
        "V ~ a*exp(-b*t) + c", DATA, units=UNITS, fix={"c": "0.0001 V"}, priors=["b ~ normal(30/min, 6/min)"]
    )
    plain = descend.fit("V ~ a*exp(-b*t) + c", DATA, fix={"c": 0.1}, priors=["b ~ normal(0.5, 0.1)"])
    assert fit.parameters == plain.parameters
    assert descend.fit("V ~ a*exp(-b*t) + c", DATA, units=UNITS, fix="c=0.0001 V").parameters["c"] == 0.1


def test_a_value_of_another_kind_is_refused():
    with pytest.raises(ConfigError) as caught:
        descend.fit(DECAY, DATA, units=UNITS, start={"b": "5 mV"})
    assert str(caught.value) == (
        "`start` gives `b` 5 mV, and by the formula it is in 1/s. Give it in a unit of that kind, or a plain number."
    )


def test_a_fixed_constant_with_a_unit_tells_the_unit_of_others():
    T = np.linspace(280.0, 360.0, 9)
    k = 1e10 * np.exp(-6e4 / (8.314 * T))
    fit = descend.fit(
        "log(k/k0) ~ c - E/(R*T)",
        {"T": T, "k": k, "k0": np.ones(9)},
        units={"T": "K", "k": "1/s", "k0": "1/s"},
        fix={"R": "8.314 J/mol/K"},
    )
    assert fit.units["E"] == "J/mol"
    assert fit.parameters["E"] == pytest.approx(6e4)


def test_a_saved_fit_knows_its_units(tmp_path):
    fit = descend.fit(DECAY, DATA, units=UNITS, quantities=["half_life = log(2)/b"])
    fit.save(tmp_path / "fit.json")
    assert fit.units["half_life"] == "s"
    assert descend.load(tmp_path / "fit.json").units == fit.units


@pytest.fixture
def file(tmp_path):
    place = tmp_path / "decay.csv"
    place.write_text("t,V\n" + "".join(f"{t},{v}\n" for t, v in zip(T, V, strict=True)))
    return str(place)


def test_the_command_line_says_units(file, run):
    ran = run("fit", DECAY, file, "--unit", "t=s", "--unit", "V=mV", "--start", "a=10,b=30/min", "--json")
    assert json.loads(ran.stdout)["units"] == {"a": "mV", "b": "1/s", "V": "mV", "t": "s"}


def test_the_table_has_a_column_of_units(file, run):
    ran = run("fit", DECAY, file, "--unit", "t=s", "--unit", "V=mV")
    lines = [line.split() for line in ran.stdout.splitlines()]
    assert ["value", "std.", "error", "unit"] in lines
    assert [line[-1] for line in lines if line[:1] in (["a"], ["b"])] == ["mV", "1/s"]


def test_quantities_of_pint_are_values_with_units():
    of = pytest.importorskip("pint").UnitRegistry()
    start = {"a": of.Quantity(0.01, "V"), "b": of.Quantity(30.0, "1/min")}
    fit = descend.fit(DECAY, DATA, units={"t": of.second, "V": of.Unit("mV")}, start=start)
    assert fit.trace[0].parameters == descend.fit(DECAY, DATA, start={"a": 10.0, "b": 0.5}).trace[0].parameters
    assert fit.solution.call()["start"] == {"a": "0.01 V", "b": "30.0 1/min"}


def test_errors_of_the_response_have_its_unit():
    data = {**DATA, "sd": np.full(6, 1e-4)}
    with pytest.raises(ConfigError) as caught:
        descend.fit(DECAY, data, sigma="sd", units={**UNITS, "sd": "V"})
    assert str(caught.value) == "the errors `sd` are in V, and `V` is in mV. Give both in one unit."
    fit = descend.fit("`V (mV)` ~ a*exp(-b*t)", {"t": T, "V (mV)": V, "sd (V)": np.full(6, 1e-4)}, sigma="sd (V)")
    assert "the errors `sd (V)` are in V, and `V (mV)` is in mV" in fit.summary()["notes"]


def test_errors_of_an_input_have_its_unit():
    with pytest.raises(ConfigError, match="the errors `dt` are in ms, and `t` is in s"):
        descend.fit(DECAY, {**DATA, "dt": np.full(6, 1.0)}, x_sigma={"t": "dt"}, units={**UNITS, "dt": "ms"})


def test_a_function_that_is_no_formula_takes_no_values_with_units():
    def forward(t, a, b):
        return a * np.exp(-b * float(len(t) > 0) * np.sort(t))

    with pytest.raises(ConfigError) as caught:
        descend.fit(forward, DATA, response="V", start={"a": 10.0, "b": "30/min"})
    assert str(caught.value) == (
        "`b` is given in 1/min, and the units of parameters follow from a formula, which `V ~ forward(t, a, b)` has "
        "not. Give plain numbers."
    )


def test_a_function_that_can_be_traced_has_units():
    def decay(t, a, b):
        return a * np.exp(-b * t)

    fit = descend.fit(decay, DATA, response="V", units=UNITS, start={"b": "30/min"})
    assert {name: fit.units[name] for name in "ab"} == {"a": "mV", "b": "1/s"}


def test_modules_have_no_units():
    torch = pytest.importorskip("torch")
    with pytest.raises(ConfigError, match="`units` are of columns and of the parameters of a formula"):
        descend.fit(torch.nn.Linear(1, 1), DATA, response="V", units=UNITS)


@pytest.mark.parametrize("options", [{"standardize": True, "optimizer": "gd"}, {"engine": "query"}, {"l2": 0.1}])
def test_units_stay_whatever_is_done_to_the_rows(options):
    if "engine" in options:
        pytest.importorskip("ibis")
    assert descend.fit("V ~ a + b*t", DATA, units=UNITS, **options).units["b"] == "mV/s"


def test_several_responses_and_groups():
    data = {"t": np.r_[T, T], "V": np.r_[V, V], "W": np.r_[V, 2 * V], "site": ["A"] * 6 + ["B"] * 6}
    units = {**UNITS, "W": "mA"}
    fit = descend.fit(["V ~ a*exp(-b*t)", "W ~ c*exp(-b*t)"], data, units=units)
    assert {name: fit.units[name] for name in "abc"} == {"a": "mV", "b": "1/s", "c": "mA"}
    groups = descend.fit(
        "V ~ a[site]*exp(-b*t)", data, units=units, start={"a": {"A": "0.01 V"}}, quantities=["r = a[B]/b"]
    )
    assert groups.units["a"] == "mV" and groups.units["r"] == "mV·s"


def test_models_are_compared_with_units():
    found = descend.compare([DECAY, "V ~ a/(1 + b*t)"], DATA, units=UNITS)
    assert len(found.fits) == 2
    with pytest.raises(FormulaError, match="This takes exp of s"):
        descend.compare([DECAY, "V ~ a*exp(-t)"], DATA, units=UNITS)


def test_a_fit_like_another_has_its_units(tmp_path):
    descend.fit(DECAY, DATA, units=UNITS).save(tmp_path / "fit.json")
    assert descend.fit(data=DATA, like=tmp_path / "fit.json").units["b"] == "1/s"


def test_without_pint_headers_say_nothing_and_the_option_says_what_to_install(monkeypatch):
    from descend.units import library, stated

    monkeypatch.setitem(__import__("sys").modules, "pint", None)
    monkeypatch.setattr(stated, "is_installed", lambda: False)
    library.registry.cache_clear()
    library.unit_of.cache_clear()
    try:
        assert descend.fit(OF_HEADERS, HEADERS).units == {}
        with pytest.raises(ConfigError) as caught:
            descend.fit(DECAY, DATA, units=UNITS)
        assert str(caught.value) == 'Units need Pint, which is not installed. Run: pip install "descend[units]"'
    finally:
        library.registry.cache_clear()


def test_groups_have_the_units_of_quantities_and_the_notes_of_formulas(tmp_path, run):
    rows = {"t (s)": np.tile(T, 2), "V [mV]": np.concatenate([V, 2 * V]), "site": ["p"] * 6 + ["q"] * 6}
    fits = descend.fit("V ~ a*exp(-b*t)", rows, by="site", quantities=["half_life = log(2)/b", "p = prediction(t=1)"])
    assert {name: fits.units[name] for name in ("a", "b", "half_life", "p")} == {
        "a": "mV",
        "b": "1/s",
        "half_life": "s",
        "p": "mV",
    }
    assert "half_life (s)" in render(fits, 120)
    assert next(iter(fits.records()))["units"]["half_life"] == "s"
    fits.save(tmp_path / "fits.json")
    assert descend.load(tmp_path / "fits.json").units["half_life"] == "s"
    wrong = descend.fit("V ~ a*exp(-t)", rows, by="site")
    said = "by the units in the data, `exp(-`t (s)`)` takes exp of s, which is no pure number"
    assert said in wrong.notes
    assert said in " ".join(render(wrong, 120).split())
