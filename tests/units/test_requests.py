"""Units in a fit: from headers and from the user, values with units, and where they are shown."""

import json

import numpy as np
import pytest

import descend
from descend.errors import ConfigError, FormulaError

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
            "`tt`, to which --unit gives a unit, is neither a column nor a parameter. Columns: t, V.",
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
        "--start gives `b` 5 mV, and by the formula it is in 1/s. Give it in a unit of that kind, or a plain number."
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
