"""Right formulas, each with the units that its parameters have; wrong ones, each with the part and what is wrong."""

import pytest

from descend.errors import FormulaError
from descend.formula import read_formula
from descend.units.inference import infer
from descend.units.library import unit_of


def units(formula, columns, known):
    """Infer the units of a formula from those of columns, of which some may have none."""
    given = {name: unit_of(text) for name, text in known.items()}
    assert None not in given.values()
    return infer(read_formula(formula, [*columns.split(), *known]), given)


RIGHT = [
    # decay, growth, and what belongs to them
    ("V ~ a*exp(-b*t) + c", {"t": "s", "V": "mV"}, {"a": "mV", "b": "1/s", "c": "mV"}),
    ("V ~ a*exp(-t/tau)", {"t": "min", "V": "mV"}, {"a": "mV", "tau": "min"}),
    ("V ~ a*2^(-t/h)", {"t": "d", "V": "Bq"}, {"a": "Bq", "h": "d"}),
    ("V ~ a*exp(-(t/tau)^beta)", {"t": "s", "V": "mV"}, {"tau": "s", "beta": "1", "a": "mV"}),
    ("N ~ K/(1 + exp(-r*(t - t0)))", {"t": "h", "N": "g/L"}, {"K": "g/L", "r": "1/h", "t0": "h"}),
    ("N ~ K*exp(-exp(-r*(t - t0)))", {"t": "h", "N": "cells/mL"}, {"K": "cells/mL", "r": "1/h", "t0": "h"}),
    # kinetics and binding
    ("v ~ Vm*s/(Km + s)", {"s": "mM", "v": "mM/min"}, {"Vm": "mM/min", "Km": "mM"}),
    ("v ~ Vm*s/(Km + s + s^2/Ki)", {"s": "mM", "v": "mM/min"}, {"Vm": "mM/min", "Km": "mM", "Ki": "mM"}),
    ("v ~ Vm*s^n/(k^n + s^n)", {"s": "mM", "v": "mM/min"}, {"Vm": "mM/min", "k": "mM", "n": "1"}),
    ("r ~ lo + (hi - lo)/(1 + (x/ec50)^hill)", {"x": "nM", "r": "%"}, {"lo": "%", "ec50": "nM", "hill": "1"}),
    ("r ~ hi*(x/ec50)^hill", {"x": "nM", "r": "mV"}, {"hi": "mV", "ec50": "nM", "hill": "1"}),
    ("q ~ K*c^(1/n)", {"c": "mM", "q": "mg/g"}, {"K": "mg/(g·mM^(1/n))", "n": "1"}),
    ("q ~ qm*K*c/(1 + K*c)", {"c": "mg/L", "q": "mg/g"}, {"qm": "mg/g", "K": "L/mg"}),
    # waves and peaks
    ("y ~ a*sin(w*t + p) + c", {"t": "s", "y": "m"}, {"a": "m", "w": "rad/s", "p": "rad", "c": "m"}),
    ("y ~ a*cos(2*pi*f*t)", {"t": "s", "y": "m"}, {"a": "m", "f": "1/s"}),
    ("y ~ a*sin(2*pi*t/period)", {"t": "s", "y": "m"}, {"a": "m", "period": "s"}),
    ("y ~ a*sin(x*pi/180)", {"x": "deg", "y": "m"}, {"a": "m"}),
    ("y ~ a*cos(x*pi/180 + p)^2", {"x": "deg", "y": "m"}, {"a": "m", "p": "rad"}),
    ("y ~ a*cos(p - pi/180*x)", {"x": "deg", "y": "m"}, {"a": "m", "p": "rad"}),
    ("y ~ a*sind(x - x0)", {"x": "deg", "y": "m"}, {"a": "m", "x0": "deg"}),
    ("y ~ a*exp(-((x - m)/s)^2) + c", {"x": "nm", "y": "a.u."}, {"a": "a.u.", "m": "nm", "s": "nm"}),
    ("y ~ a/(s*sqrt(2*pi))*exp(-(x - m)^2/(2*s^2))", {"x": "nm", "y": "mV"}, {"a": "mV·nm", "m": "nm", "s": "nm"}),
    ("y ~ a*voigt_profile(x - m, s, g)", {"x": "eV", "y": "Hz"}, {"a": "Hz·eV", "m": "eV", "s": "eV", "g": "eV"}),
    # physics and chemistry
    ("k ~ A*exp(-B/T)", {"T": "K", "k": "1/s"}, {"A": "1/s", "B": "K"}),
    ("k ~ A*exp(-B/(T + 273.15))", {"T": "degC", "k": "1/s"}, {"A": "1/s", "B": "K"}),
    ("R ~ R0*(1 + alpha*(T - T0))", {"T": "degC", "R": "ohm"}, {"R0": "ohm", "alpha": "1/°C", "T0": "°C"}),
    ("s ~ v*t + g*t^2/2", {"t": "s", "s": "m"}, {"v": "m/s", "g": "m/s²"}),
    ("T ~ 2*pi*sqrt(l/g)", {"l": "m", "T": "s"}, {"g": "m/s²"}),
    ("I ~ I0*(exp(V/(n*Vt)) - 1)", {"V": "V", "I": "mA", "Vt": "V"}, {"I0": "mA", "n": "1"}),
    ("h ~ r + (s - r)/(1 + (a*x)^n)^(1 - 1/n)", {"x": "cm", "h": "cm3/cm3"}, {"r": "1", "a": "1/cm", "n": "1"}),
    ("p ~ a*V^(-gamma_)", {"p": "kPa", "V": "L"}, {"a": "kPa·L^gamma_", "gamma_": "1"}),
    # forms of the language
    ("y ~ w @ [x, z] + b", {"x": "m", "z": "kg", "y": "N"}, {"w": ["N/m", "N/kg"], "b": "N"}),
    ("y ~ w @ [x, x^2]", {"x": "m", "y": "N"}, {"w": ["N/m", "N/m²"]}),
    ("y ~ a[site]*exp(-k*t)", {"t": "h", "y": "mg L-1"}, {"a": "mg/L", "k": "1/h"}),
    ("y ~ where(t < t0, a, b*(t - t0))", {"t": "s", "y": "m"}, {"t0": "s", "a": "m", "b": "m/s"}),
    ("y ~ max(0, a + b*t)", {"t": "s", "y": "m"}, {"a": "m", "b": "m/s"}),
    ("y ~ abs(t - t0)*b", {"t": "s", "y": "m"}, {"t0": "s", "b": "m/s"}),
    ("y/1000 ~ a*t", {"t": "s", "y": "m"}, {"a": "m/s"}),
    ("sqrt(y) ~ a + b*t", {"t": "s", "y": "m^2"}, {"a": "m", "b": "m/s"}),
    ("log(y/z) ~ a + b*t", {"t": "s", "y": "m", "z": "m"}, {"a": "1", "b": "1/s"}),
    ("0 ~ (x - a)^2 + (y - b)^2 - r^2", {"x": "mm", "y": "mm"}, {"a": "mm", "b": "mm", "r": "mm"}),
    # the same dimension at another scale
    ("y ~ a*u + b*t", {"u": "ms", "t": "s", "y": "mV"}, {"a": "mV/ms", "b": "mV/s"}),
    ("y ~ a*(u/1000 + t)", {"u": "ms", "t": "s", "y": "mV"}, {"a": "mV/s"}),
    ("y ~ 100*exp(-b*t)", {"t": "s", "y": "%"}, {"b": "1/s"}),
    ("W ~ F*d + W0", {"F": "N", "d": "m", "W": "J"}, {"W0": "J"}),
    # constants, curves and units of other kinds
    ("k ~ arrhenius(T + 273.15)", {"T": "degC", "k": "1/s"}, {"prefactor": "1/s", "energy": "J/mol"}),
    ("P ~ antoine(T)", {"T": "degC", "P": "mmHg"}, {"a": "1", "b": "°C", "c": "°C"}),
    ("T ~ steinhart_hart(R)", {"R": "ohm", "T": "K"}, {"a": "1/K", "b": "1/K", "c": "1/K"}),
    ("E ~ nernst(c/c0)", {"c": "mM", "E": "V"}, {"standard": "V", "electrons": "1", "c0": "mM"}),
    ("q ~ bet(p/100)", {"p": "%", "q": "mmol/g"}, {"monolayer": "mmol/g", "c": "1"}),
    ("E ~ E0 + S*log10(c/c0)", {"c": "mM", "E": "mV"}, {"E0": "mV", "S": "mV", "c0": "mM"}),
    ("L ~ L0 + 20*log10(p/p0)", {"p": "Pa", "L": "dB"}, {"p0": "Pa"}),
    ("P ~ a*10^(L/10)", {"L": "dB", "P": "W"}, {"a": "W"}),
    ("price ~ a*exp(r*t)", {"t": "year", "price": "EUR"}, {"a": "EUR", "r": "1/year"}),
    ("y ~ level + slope*(1 - exp(-m/tau))/(m/tau)", {"m": "month", "y": "%"}, {"slope": "%", "tau": "month"}),
    ("C ~ D*ka/(V*(ka - ke))*(exp(-ke*t) - exp(-ka*t))", {"t": "h", "C": "mg/L", "D": "mg"}, {"V": "L", "ke": "1/h"}),
    ("q ~ C*L*h^1.5", {"h": "m", "L": "m", "q": "m^3/s"}, {"C": "m^(0.5)/s"}),
    ("T ~ Ta + (T0 - Ta)*exp(-k*t)", {"t": "min", "T": "degC"}, {"Ta": "°C", "T0": "°C", "k": "1/min"}),
    ("F ~ k*abs(x)^n*sign(x)", {"x": "mm", "F": "N"}, {"k": "N/mm^n", "n": "1"}),
    ("y ~ clip(a*x, lo, hi)", {"x": "m", "y": "N"}, {"a": "N/m", "lo": "N", "hi": "N"}),
    ("theta ~ atan2(x, z) + p", {"x": "m", "z": "m", "theta": "rad"}, {"p": "rad"}),
    ("n ~ exp(a + b*x)", {"x": "km", "n": "count"}, {"a": "1", "b": "1/km"}),
    ("pH ~ pKa + log10(x/z)", {"x": "mM", "z": "mM", "pH": "1"}, {"pKa": "1"}),
    ("A ~ eps*c*l", {"c": "mol/L", "l": "cm", "A": "1"}, {"eps": "L/(mol·cm)"}),
    ("V ~ (a + b*t)/(1 + c*t + d*t^2)", {"t": "s", "V": "mV"}, {"a": "mV", "b": "mV/s", "c": "1/s", "d": "1/s²"}),
    ("V ~ sqrt(a^2 + (b*t)^2)", {"t": "s", "V": "mV"}, {"a": "mV", "b": "mV/s"}),
]


@pytest.mark.parametrize(("formula", "known", "wanted"), RIGHT, ids=[each[0] for each in RIGHT])
def test_the_units_of_the_parameters_follow(formula, known, wanted):
    found = units(formula, "site", known)
    assert [fault.sentence for fault in found.faults] == []
    assert {name: found.texts[name] for name in wanted} == wanted


WRONG = [
    ("V ~ a + t", {"t": "s", "V": "mV"}, "adds mV and s", "a + t"),
    ("V ~ a*x - t", {"t": "s", "x": "m", "V": "mV"}, "subtracts s from mV", "a*x - t"),
    ("V ~ t*exp(-x/a)", {"t": "s", "x": "m", "V": "mV"}, "is in s, and the left side in mV", "t*exp(-x/a)"),
    ("V ~ a*exp(-t)", {"t": "s", "V": "mV"}, "takes exp of s, which is no pure number", "exp(-t)"),
    ("V ~ a*exp(3*t)", {"t": "s", "V": "mV"}, "takes exp of s, which is no pure number", "exp(3*t)"),
    ("V ~ a*log(t)", {"t": "s", "V": "mV"}, "takes log of s, which is no pure number", "log(t)"),
    ("log10(P) ~ A - B/T", {"P": "mmHg", "T": "K"}, "takes log10 of mmHg, which is no pure number", "log10(P)"),
    ("V ~ a*exp(-b*t) + b", {"t": "s", "V": "mV"}, "adds mV and 1/s", "a*exp(-b*t) + b"),
    ("V ~ a*exp(-b*t) + b*t", {"t": "s", "V": "mV"}, "adds mV and a pure number", "a*exp(-b*t) + b*t"),
    ("V ~ a*(x + t)", {"x": "m", "t": "s", "V": "mV"}, "adds m and s", "x + t"),
    ("V ~ a/(1 + x)", {"x": "m", "V": "mV"}, "adds a pure number and m", "1 + x"),
    ("V ~ a*x/(k + x) + k", {"x": "mM", "V": "mV"}, "adds mV and mM", "a*x/(k + x) + k"),
    ("V ~ a*(u + t)", {"u": "ms", "t": "s", "V": "mV"}, "adds ms and s, which differ by a factor of 1000", "u + t"),
    ("V ~ a*sin(x)", {"x": "deg", "V": "mV"}, "takes sin of deg, and not of an angle in radians", "sin(x)"),
    ("V ~ a*sin(t)", {"t": "s", "V": "mV"}, "takes sin of s, and not of an angle in radians", "sin(t)"),
    ("V ~ a*2^t", {"t": "s", "V": "mV"}, "is an exponent in s, which is no pure number", "t"),
    ("V ~ where(t > x, a, b)", {"t": "s", "x": "m", "V": "mV"}, "compares s with m", "t > x"),
    ("V ~ a*where(t > 0, t, x)", {"t": "s", "x": "m", "V": "mV"}, "chooses between s and m", "t, x"),
    ("V ~ a*max(t, x)", {"t": "s", "x": "m", "V": "mV"}, "compares s with m", "t, x"),
    ("V ~ a*hypot(t, x)", {"t": "s", "x": "m", "V": "mV"}, "compares s with m", "t, x"),
    ("V ~ exp(a + b*t)", {"t": "s", "V": "mV"}, "is a pure number, and the left side in mV", "exp(a + b*t)"),
    ("V ~ a*(T + U)", {"T": "degC", "U": "K", "V": "mV"}, "adds °C and K", "T + U"),
    ("V ~ a*erf(t)", {"t": "s", "V": "mV"}, "takes erf of s, which is no pure number", "erf(t)"),
    ("V ~ a*sigmoid(t/x)", {"t": "s", "x": "m", "V": "mV"}, "takes sigmoid of s/m, which is no pure number", None),
    ("V ~ a + 2*(b + t)*x", {"t": "s", "x": "m", "V": "mV"}, "adds mV and m·s", "a + 2*(b + t)*x"),
    # constants, curves and units of other kinds
    ("k ~ arrhenius(T)", {"T": "degC", "k": "1/s"}, "is in °C, and `arrhenius` takes it in K", "T"),
    ("k ~ arrhenius(t)", {"t": "s", "k": "1/s"}, "is in s, and `arrhenius` takes it in K", "t"),
    ("k ~ A*exp(-B/T)", {"T": "degC", "k": "1/s"}, "is divided by, and is in °C", "T"),
    ("k ~ A*exp(-B*T^(-1))", {"T": "degF", "k": "1/s"}, "is divided by, and is in °F", "T"),
    ("I ~ diode(U)", {"U": "mV", "I": "mA"}, "is in mV, and `diode` takes it in V", "U"),
    ("B ~ planck(l)", {"l": "nm", "B": "W/m^3"}, "is in nm, and `planck` takes it in um", "l"),
    ("T ~ steinhart_hart(R)", {"R": "kohm", "T": "K"}, "is in kohm, and `steinhart_hart` takes it in ohm", "R"),
    ("E ~ nernst(c)", {"c": "mM", "E": "V"}, "takes log of mM, which is no pure number", "nernst(c)"),
    ("E ~ nernst(c)", {"c": "1", "E": "mV"}, "adds mV and J/C, which differ by a factor of 1000", "nernst(c)"),
    (
        "q ~ bet(p)",
        {"p": "%", "q": "mmol/g"},
        "subtracts % from a pure number, which differ by a factor of 100",
        "bet(p)",
    ),
    ("E ~ E0 + S*log10(c)", {"c": "mM", "E": "mV"}, "takes log10 of mM, which is no pure number", "log10(c)"),
    ("y ~ a*cos(2*pi*t/24)", {"t": "h", "y": "m"}, "takes cos of h, and not of an angle in radians", None),
    ("I ~ a*cosd(x)", {"x": "rad", "I": "W"}, "takes cosd of rad, and not of an angle in degrees", "cosd(x)"),
    ("V ~ sin(a*t) + b", {"t": "s", "V": "mV"}, "is a pure number, and the left side in mV", "sin(a*t)"),
    ("V ~ t^a", {"t": "s", "V": "mV"}, "is in s^a, and the left side in mV", "t^a"),
    ("V ~ sqrt(a + t)", {"t": "s", "V": "mV"}, "is in s^(0.5), and the left side in mV", "sqrt(a + t)"),
    ("V ~ a + 5", {"t": "s", "V": "mV"}, "adds mV and a pure number", "a + 5"),
    ("V ~ a/(b + t) + t", {"t": "s", "V": "mV"}, "adds mV and s", "a/(b + t) + t"),
    ("p ~ 100*exp(a + b*x)", {"x": "km", "p": "EUR"}, "is a pure number, and the left side in EUR", None),
    ("p ~ a*(u + v)", {"u": "EUR", "v": "USD", "p": "EUR"}, "adds EUR and USD", "u + v"),
    ("d ~ a + L", {"L": "dB", "d": "mW"}, "adds mW and dB", "a + L"),
    (
        "s ~ sigmoid(a + b*x)",
        {"x": "mg/kg", "s": "%"},
        "is a pure number, and the left side in %, which differ by a factor of 100",
        "sigmoid(a + b*x)",
    ),
]


@pytest.mark.parametrize(("formula", "known", "sentence", "part"), WRONG, ids=[each[0] for each in WRONG])
def test_what_cannot_be_right_is_pointed_at(formula, known, sentence, part):
    found = units(formula, "", known)
    fault = found.faults[0]
    assert fault.sentence == sentence
    shown = formula[fault.start : fault.end]
    assert part is None or shown == part
    error = fault.error(found.columns)
    assert isinstance(error, FormulaError)
    assert str(error).startswith(f"This {sentence}.\n    {formula}\n    {' ' * fault.start}{'^' * len(shown)}\n")


def test_what_only_a_product_has_is_said_of_the_product():
    found = units("V ~ a*b*exp(-k*t)", "", {"t": "s", "V": "mV"})
    assert found.texts == {"k": "1/s", "V": "mV", "t": "s"}
    assert found.open == ("a·b is in mV",)


def test_of_a_response_without_a_unit_nothing_is_claimed():
    found = units("V ~ a*exp(-b*t) + c", "V", {"t": "s"})
    assert found.texts == {"b": "1/s", "t": "s"}
    assert found.open == ()


def test_the_unit_of_a_column_follows_too():
    assert units("V ~ x + a*t", "x", {"t": "s", "V": "mV"}).texts["x"] == "mV"


def test_formulas_that_share_parameters_share_their_units():
    found = units("y ~ a*exp(-b*t); z ~ c*exp(-b*t)", "", {"t": "s", "y": "mV", "z": "mA"})
    assert found.texts == {"a": "mV", "b": "1/s", "c": "mA", "t": "s", "y": "mV", "z": "mA"}


def test_what_ties_say_counts():
    formula = read_formula("y ~ a*x + b*z", ["x", "y", "z"])
    known = {"x": unit_of("m"), "y": unit_of("N")}
    assert infer(formula, known, {"b": "2*a"}).texts == {"a": "N/m", "b": "N/m", "z": "m", "x": "m", "y": "N"}


def test_a_constant_with_a_unit_tells_the_others():
    formula = read_formula("k ~ A*exp(-E/(R*T))", ["k", "T"])
    known = {"T": unit_of("K"), "k": unit_of("1/s")}
    assert infer(formula, known).open == ("E/R is in K",)
    assert infer(formula, known, None, {"R": unit_of("J/mol/K")}).texts["E"] == "J/mol"
