"""Where data say the units of their columns."""

import numpy as np
import pytest

import descend
from descend.errors import FormulaError
from descend.table import open_table

T = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
V = np.array([10.0, 6.2, 3.5, 2.3, 1.4, 0.7])
DECAY = "V ~ a*exp(-b*t)"
WANTED = {"a": "mV", "b": "1/s", "V": "mV", "t": "s"}


@pytest.mark.parametrize("units", ["s,mV", "(s),[mV]"])
def test_a_line_of_units_beneath_the_header(tmp_path, units):
    place = tmp_path / "decay.csv"
    place.write_text(f"t,V\n{units}\n" + "".join(f"{t},{v}\n" for t, v in zip(T, V, strict=True)))
    assert descend.fit(DECAY, place).units == WANTED
    assert descend.fit(DECAY, place, where="t < 5").units == WANTED
    assert descend.fit(DECAY, place, weights="1/(1 + V)").units == WANTED


@pytest.mark.parametrize("header", ["t (s),V (mV)", "t [s],V [mV]", "t / s,V / mV", "t(s),V(mV)"])
def test_headers(tmp_path, header):
    place = tmp_path / "decay.csv"
    place.write_text(f"{header}\n" + "".join(f"{t},{v}\n" for t, v in zip(T, V, strict=True)))
    t, v = (f"`{name}`" for name in header.split(","))
    assert descend.fit(f"{v} ~ a*exp(-b*{t})", place).units | {"b": "1/s"} == {
        "a": "mV",
        "b": "1/s",
        v.strip("`"): "mV",
        t.strip("`"): "s",
    }


def test_arrow_fields():
    pa = pytest.importorskip("pyarrow")
    schema = pa.schema(
        [pa.field("t", pa.float64(), metadata={"unit": "s"}), pa.field("V", pa.float64(), metadata={"units": "mV"})]
    )
    assert descend.fit(DECAY, pa.table({"t": T, "V": V}, schema=schema)).units == WANTED


def test_parquet_files(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    schema = pa.schema(
        [pa.field("t", pa.float64(), metadata={"unit": "s"}), pa.field("V", pa.float64(), metadata={"unit": "mV"})]
    )
    pq.write_table(pa.table({"t": T, "V": V}, schema=schema), tmp_path / "decay.parquet")
    assert descend.fit(DECAY, tmp_path / "decay.parquet").units == WANTED


def test_attributes_of_a_frame(tmp_path):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"t": T, "V": V})
    frame.attrs["units"] = {"t": "s", "V": "mV"}
    assert descend.fit(DECAY, frame).units == WANTED
    pytest.importorskip("pyarrow")
    frame.to_parquet(tmp_path / "decay.parquet")
    assert descend.fit(DECAY, tmp_path / "decay.parquet").units == WANTED


def test_quantities_of_pint():
    pint = pytest.importorskip("pint")
    of = pint.UnitRegistry()
    data = {"t": of.Quantity(T, "s"), "V": of.Quantity(V, "mV")}
    assert descend.fit(DECAY, data).units == WANTED
    assert open_table(data).numbers(["t"])["t"] is not None
    with pytest.raises(FormulaError, match="takes exp of s"):  # they were given, so it is an error
        descend.fit("V ~ a*exp(-t) + c", data)


def test_the_word_of_the_user_counts_for_more():
    data = {"t (s)": T, "V": V}
    fit = descend.fit("V ~ a*exp(-b*`t (s)`)", data, units={"t (s)": "ms"})
    assert fit.units["b"] == "1/ms"


def test_only_what_the_user_gave_makes_an_error():
    data = {"t": T, "P (mmHg)": V}
    fit = descend.fit("log10(`P (mmHg)`) ~ a + b*t", data, units={"t": "s"})
    assert fit.units["b"] == "1/s"
    with pytest.raises(FormulaError, match="takes log10 of mmHg"):
        descend.fit("log10(`P (mmHg)`) ~ a + b*t", data, units={"P (mmHg)": "mmHg"})


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("E (kJ/mol)", "kJ/mol"),
        ("flux [µmol m-2 s-1]", "µmol/(m²·s)"),
        ("rho (kg/m3)", "kg/m³"),
        ("T (°C)", "°C"),
        ("T (degC)", "°C"),
        ("p (mmHg)", "mmHg"),
        ("I (a.u.)", "a.u."),
        ("share (%)", "%"),
        ("k (1/s)", "1/s"),
        ("nu (cm^-1)", "1/cm"),
        ("nu (cm⁻¹)", "1/cm"),
        ("R (kΩ)", "kΩ"),
        ("x (-)", "1"),
        ("D (m²/s)", "m²/s"),
        ("c (cells/mL)", "cells/mL"),
        ("n (counts/s)", "counts/s"),
        ("A (OD)", "OD"),
        ("V (raw)", None),
        ("y (n=3)", None),
        ("y (2)", None),
        ("y (mean)", None),
        ("y (log)", None),
        ("y (no idea)", None),
        ("y ()", None),
    ],
)
def test_headers_of_laboratories(header, unit):
    x = np.arange(6.0)
    fit = descend.fit(f"`{header}` ~ a + b*x", {header: x**2, "x": x})
    assert fit.units.get(header) == unit
