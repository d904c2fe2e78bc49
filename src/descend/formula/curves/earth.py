"""Water, soil and flow."""

from __future__ import annotations

from descend.formula.curves.entry import Argument, Curve

FIELD = "Soil, water and flow"
SUCTION = Argument("x", "suction: pressure head below 0, as a positive number", "x", 1.0, 10000.0)
RESIDUAL = Argument("residual", "water content when dry", "y", 0.03, 0.1)
SATURATED = Argument("saturated", "water content when full", "y", 0.35, 0.5)
SHEAR = Argument("x", "shear rate", "x", 0.1, 1000.0)
RHEOLOGY = "Barnes, Hutton & Walters, An Introduction to Rheology (1989), ch. 2"

ENTRIES = (
    Curve(
        "van_genuchten",
        "Van Genuchten retention",
        "residual + (saturated - residual)/(1 + (alpha*x)^n)^(1 - 1/n)",
        (
            SUCTION,
            RESIDUAL,
            SATURATED,
            Argument("alpha", "one over the suction at which pores empty", "1/x", 0.005, 0.05),
            Argument("n", "spread of the pore sizes, above 1", "1", 1.4, 3.0, start="1.05 to 8"),
        ),
        use="water content of a soil by suction",
        source="van Genuchten (1980), Soil Sci. Soc. Am. J. 44, 892-898",
        aliases="vangenuchten, water_retention, retention_curve",
        y="water content",
    ),
    Curve(
        "brooks_corey",
        "Brooks-Corey retention",
        "residual + (saturated - residual)*min(entry/x, 1)^index",
        (
            SUCTION,
            RESIDUAL,
            SATURATED,
            Argument("entry", "suction at which air enters", "x", 8.0, 60.0, start="x_min to x_max"),
            Argument("index", "spread of the pore sizes", "1", 0.4, 2.0, start="0.05 to 8"),
        ),
        use="water content of a soil by suction, with a sharp entry of air",
        source="Brooks & Corey (1964), Colorado State Univ. Hydrology Paper 3",
        aliases="brookscorey",
        y="water content",
    ),
    Curve(
        "manning",
        "Manning equation",
        "sqrt(slope)/roughness*x^(2/3)",
        (
            Argument("x", "hydraulic radius, in metres", "m", 0.1, 3.0),
            Argument("roughness", "Manning's n", "x^(2/3)/y", 0.01, 0.1),
            Argument("slope", "slope of the channel", "1", 0.001, 0.001, default="0.001"),
        ),
        use="mean speed of water in a channel, in metres per second",
        source="Chow, Open-Channel Hydraulics (1959), ch. 5",
        aliases="manning_equation, gauckler_manning, open_channel",
        y="speed",
    ),
    Curve(
        "horton",
        "Horton infiltration",
        "final + (initial - final)*exp(-decay*x)",
        (
            Argument("x", "time since the rain began", "x", 0.0, 5.0),
            Argument("final", "rate in the end", "y", 5.0, 20.0),
            Argument("initial", "rate at first", "y", 40.0, 120.0),
            Argument("decay", "how fast it falls", "1/x", 0.8, 3.0),
        ),
        use="rate at which rain enters a soil; decay to a level that is not 0",
        source="Horton (1941), Soil Sci. Soc. Am. Proc. 5, 399-417",
        aliases="infiltration, newton_cooling, decay_to_level",
        y="rate",
    ),
    Curve(
        "theis",
        "Theis drawdown",
        "drawdown*exp1(delay/x)",
        (
            Argument("x", "time since pumping began", "x", 0.1, 100.0),
            Argument("drawdown", "pumping rate over 4 pi times the transmissivity", "y", 0.1, 2.0),
            Argument("delay", "squared distance times storage, over 4 times the transmissivity", "x", 0.2, 5.0),
        ),
        use="level of ground water near a well that is pumped",
        source="Theis (1935), Trans. AGU 16, 519-524",
        aliases="theis_equation, well_function",
        y="drawdown",
    ),
    Curve(
        "herschel_bulkley",
        "Herschel-Bulkley fluid",
        "yield_stress + consistency*x^index",
        (
            SHEAR,
            Argument("yield_stress", "stress below which it does not flow", "y", 5.0, 30.0),
            Argument("consistency", "consistency: stress above that at x = 1", "y/x^index", 1.0, 10.0),
            Argument("index", "below 1 it thins as it is sheared", "1", 0.3, 0.9),
        ),
        use="stress of pastes, muds and gels by shear rate",
        source=RHEOLOGY,
        aliases="bingham, yield_stress_fluid",
        y="stress",
    ),
    Curve(
        "carreau",
        "Carreau fluid",
        "infinite + (zero - infinite)*(1 + (time*x)^2)^((index - 1)/2)",
        (
            Argument("x", "shear rate", "x", 0.01, 1000.0),
            Argument("zero", "viscosity at rest", "y", 10.0, 100.0),
            Argument("infinite", "viscosity at great shear rates", "y", 0.1, 1.0),
            Argument("time", "one over the shear rate at which it thins", "1/x", 0.3, 5.0),
            Argument("index", "slope between is index - 1", "1", 0.2, 0.6),
        ),
        use="viscosity of polymers by shear rate",
        source=RHEOLOGY,
        aliases="carreau_yasuda, cross",
        y="viscosity",
        logarithmic=True,
    ),
)
