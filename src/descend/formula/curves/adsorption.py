"""Adsorption isotherms."""

from __future__ import annotations

from descend.formula.curves.entry import Argument, Curve

FIELD = "Adsorption"
X = Argument("x", "pressure or concentration", "x", 0.0, 10.0)
CAPACITY = Argument("capacity", "amount adsorbed at saturation", "y", 1.0, 10.0)
AFFINITY = Argument("affinity", "affinity: one over the pressure that half fills it", "1/x", 0.5, 3.0)
ADSORPTION = "Do, Adsorption Analysis: Equilibria and Kinetics (1998)"

ENTRIES = (
    Curve(
        "langmuir",
        "Langmuir isotherm",
        "capacity*affinity*x/(1 + affinity*x)",
        (X, CAPACITY, AFFINITY),
        use="one layer on sites that are alike",
        source=f"{ADSORPTION}, ch. 2",
        aliases="langmuir_isotherm",
        y="amount adsorbed",
    ),
    Curve(
        "freundlich",
        "Freundlich isotherm",
        "coefficient*x^(1/n)",
        (
            Argument("x", "pressure or concentration", "x", 0.1, 10.0),
            Argument("coefficient", "amount at x = 1", "y/x^(1/n)", 0.5, 10.0),
            Argument("n", "intensity, above 1", "1", 1.2, 4.0),
        ),
        use="sites of many strengths, far from saturation",
        source=f"{ADSORPTION}, ch. 3",
        aliases="freundlich_isotherm",
        y="amount adsorbed",
    ),
    Curve(
        "sips",
        "Sips isotherm (Langmuir-Freundlich)",
        "capacity*(affinity*x)^n/(1 + (affinity*x)^n)",
        (X, CAPACITY, AFFINITY, Argument("n", "1 is Langmuir; below 1 sites differ", "1", 0.6, 1.6)),
        use="sites that differ, up to saturation",
        source=f"{ADSORPTION}, ch. 3",
        aliases="langmuir_freundlich",
        y="amount adsorbed",
    ),
    Curve(
        "toth",
        "Toth isotherm",
        "capacity*affinity*x/(1 + (affinity*x)^t)^(1/t)",
        (
            X,
            CAPACITY,
            Argument("affinity", "affinity at small x", "1/x", 1.0, 5.0),
            Argument("t", "1 is Langmuir; below 1 sites differ", "1", 0.5, 1.2, start="0.1 to 5"),
        ),
        use="sites that differ, right at both ends",
        source=f"{ADSORPTION}, ch. 3",
        aliases="toth_isotherm, tóth",
        y="amount adsorbed",
    ),
    Curve(
        "bet",
        "Brunauer-Emmett-Teller isotherm",
        "monolayer*c*x/((1 - x)*(1 + (c - 1)*x))",
        (
            Argument("x", "pressure over saturation pressure", "1", 0.01, 0.4),
            Argument("monolayer", "amount in one full layer", "y", 1.0, 10.0),
            Argument("c", "how much stronger the first layer is held", "1", 8.0, 60.0),
        ),
        use="several layers: area of powders by nitrogen",
        source=f"{ADSORPTION}, ch. 3",
        aliases="brunauer_emmett_teller, bet_isotherm",
        y="amount adsorbed",
    ),
    Curve(
        "redlich_peterson",
        "Redlich-Peterson isotherm",
        "coefficient*x/(1 + (x/scale)^g)",
        (
            X,
            Argument("coefficient", "slope at small x", "y/x", 1.0, 10.0),
            Argument("scale", "where it bends", "x", 0.5, 2.0),
            Argument("g", "1 is Langmuir, below 1 it goes on rising", "1", 0.6, 1.0),
        ),
        use="from Langmuir to Freundlich in one formula",
        source="Redlich & Peterson (1959), J. Phys. Chem. 63, 1024",
        aliases="redlichpeterson",
        y="amount adsorbed",
    ),
)
