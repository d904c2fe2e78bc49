"""Electrodes, sensors and fluorescence."""

from __future__ import annotations

from descend.formula.curves.entry import Argument, Curve

FIELD = "Electrochemistry, sensors and fluorescence"
GAS = Argument("gas_constant", "molar gas constant", "J/mol/K", 8.314, 8.314, default="8.314462618")
FARADAY = Argument("faraday", "Faraday's constant", "C/mol", 96485.0, 96485.0, default="96485.33212")
TEMPERATURE = Argument("temperature", "absolute temperature", "K", 298.15, 298.15, default="298.15")
ELECTRODES = "Bard & Faulkner, Electrochemical Methods, 2nd ed. (2001)"
FLUORESCENCE = "Lakowicz, Principles of Fluorescence Spectroscopy, 3rd ed. (2006)"

ENTRIES = (
    Curve(
        "nernst",
        "Nernst equation",
        "standard + gas_constant*temperature/(electrons*faraday)*log(x)",
        (
            Argument("x", "ratio of activities, oxidised over reduced", "1", 1e-4, 10.0),
            Argument("standard", "standard potential", "V", -0.5, 1.5),
            Argument("electrons", "electrons that are exchanged", "1", 0.8, 2.5),
            TEMPERATURE,
            GAS,
            FARADAY,
        ),
        use="potential of an electrode; a pH electrode",
        source=f"{ELECTRODES}, ch. 2",
        aliases="nernst_equation",
        y="potential",
    ),
    Curve(
        "tafel",
        "Tafel equation",
        "slope*log10(x/exchange)",
        (
            Argument("x", "current density", "x", 0.1, 100.0),
            Argument("slope", "overpotential per decade of current", "y", 0.03, 0.15),
            Argument("exchange", "exchange current density", "x", 0.001, 0.05, start="1e-8*x_min to x_max"),
        ),
        use="overpotential by current, far from equilibrium",
        source=f"{ELECTRODES}, ch. 3",
        aliases="tafel_equation",
        y="overpotential",
    ),
    Curve(
        "butler_volmer",
        "Butler-Volmer equation",
        "exchange*(exp((1 - transfer)*faraday*x/(gas_constant*temperature))"
        " - exp(-transfer*faraday*x/(gas_constant*temperature)))",
        (
            Argument("x", "overpotential", "V", -0.15, 0.15),
            Argument("exchange", "exchange current", "y", 0.1, 10.0),
            Argument("transfer", "transfer coefficient, from 0 to 1", "1", 0.3, 0.7, start="0 to 1"),
            TEMPERATURE,
            GAS,
            FARADAY,
        ),
        use="current of an electrode by overpotential, of one electron",
        source=f"{ELECTRODES}, ch. 3",
        aliases="butlervolmer, erdey_gruz_volmer",
        y="current",
    ),
    Curve(
        "steinhart_hart",
        "Steinhart-Hart equation",
        "1/(a + b*log(x/unit) + c*log(x/unit)^3)",
        (
            Argument("x", "resistance of the thermistor", "ohm", 500.0, 50000.0),
            Argument("a", "first coefficient", "1/y", 1.0e-3, 1.3e-3),
            Argument("b", "second coefficient", "1/y", 2.2e-4, 2.6e-4),
            Argument("c", "third coefficient", "1/y", 8e-8, 2e-7),
            Argument("unit", "the unit of the resistance, of which logarithms are taken", "ohm", 1.0, 1.0, default="1"),
        ),
        use="absolute temperature by the resistance of a thermistor",
        source="Steinhart & Hart (1968), Deep-Sea Res. 15, 497-503",
        aliases="thermistor, steinhart",
        y="temperature",
    ),
    Curve(
        "stern_volmer",
        "Stern-Volmer quenching",
        "unquenched/(1 + quenching*x)",
        (
            Argument("x", "concentration of the quencher", "x", 0.0, 0.5),
            Argument("unquenched", "intensity or lifetime without it", "y", 50.0, 1000.0),
            Argument("quenching", "Stern-Volmer constant", "1/x", 3.0, 50.0),
        ),
        use="fluorescence that a second substance quenches",
        source=f"{FLUORESCENCE}, ch. 8",
        aliases="sternvolmer, quenching",
        y="intensity",
    ),
    Curve(
        "forster",
        "Foerster energy transfer",
        "1/(1 + (x/radius)^6)",
        (
            Argument("x", "distance of donor and acceptor", "x", 1.0, 10.0),
            Argument("radius", "Foerster radius: half of the energy is transferred", "x", 3.0, 7.0),
        ),
        use="efficiency of energy transfer between two dyes",
        source=f"{FLUORESCENCE}, ch. 13",
        aliases="förster, foerster, fret",
        y="efficiency",
    ),
)
