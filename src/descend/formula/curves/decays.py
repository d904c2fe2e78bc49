"""Decays and simple laws."""

from __future__ import annotations

from descend.formula.curves.entry import Argument, Curve

FIELD = "Decays and power laws"
X = Argument("x", "time", "x", 0.0, 10.0)
AMPLITUDE = Argument("amplitude", "value at x = 0", "y", 1.0, 100.0)
KINETICS = "Atkins & de Paula, Physical Chemistry, 10th ed. (2014), ch. 20"

ENTRIES = (
    Curve(
        "exponential_decay",
        "Exponential decay",
        "amplitude*exp(-rate*x)",
        (X, AMPLITUDE, Argument("rate", "share that decays per unit of x", "1/x", 0.15, 1.5)),
        use="what decays in proportion to itself: radioactivity, first-order reactions, fluorescence",
        source=KINETICS,
        aliases="exponential, decay, exp_decay, first_order, single_exponential, exponential_decay1",
    ),
    Curve(
        "exponential_decay2",
        "Sum of two exponential decays",
        "amplitude1*exp(-rate1*x) + amplitude2*exp(-rate2*x)",
        (
            X,
            Argument("amplitude1", "part that decays fast, at x = 0", "y", 1.0, 3.0),
            Argument("rate1", "the fast rate", "1/x", 1.5, 4.0),
            Argument("amplitude2", "part that decays slowly, at x = 0", "y", 1.0, 3.0),
            Argument("rate2", "the slow rate", "1/x", 0.05, 0.3),
        ),
        use="two kinds that decay side by side",
        source=KINETICS,
        aliases="biexponential, double_exponential",
    ),
    Curve(
        "exponential_decay3",
        "Sum of three exponential decays",
        "amplitude1*exp(-rate1*x) + amplitude2*exp(-rate2*x) + amplitude3*exp(-rate3*x)",
        (
            X,
            Argument("amplitude1", "part that decays fast, at x = 0", "y", 2.0, 4.0),
            Argument("rate1", "the fast rate", "1/x", 6.0, 10.0, start="5/x_span to 3/step"),
            Argument("amplitude2", "part that decays at a middle rate, at x = 0", "y", 2.0, 4.0),
            Argument("rate2", "the middle rate", "1/x", 0.7, 1.2, start="1/x_span to 0.5/step"),
            Argument("amplitude3", "part that decays slowly, at x = 0", "y", 2.0, 4.0),
            Argument("rate3", "the slow rate", "1/x", 0.02, 0.08, start="0.03/x_span to 3/x_span"),
        ),
        use="three kinds that decay side by side; needs data of little noise",
        source=KINETICS,
        aliases="triexponential, triple_exponential",
    ),
    Curve(
        "stretched_exponential",
        "Stretched exponential (Kohlrausch)",
        "amplitude*exp(-(x/time)^stretching)",
        (
            X,
            AMPLITUDE,
            Argument("time", "time to fall to 37%", "x", 1.0, 5.0),
            Argument("stretching", "1 is an exponential, below 1 many rates side by side", "1", 0.4, 1.2),
        ),
        use="relaxation of glasses and polymers, luminescence",
        source="Williams & Watts (1970), Trans. Faraday Soc. 66, 80-85",
        aliases="kohlrausch, kww, stretched",
    ),
    Curve(
        "exponential_rise",
        "Exponential approach to a plateau",
        "plateau*(1 - exp(-rate*x))",
        (
            X,
            Argument("plateau", "value at the end", "y", 1.0, 100.0),
            Argument("rate", "share of what is left, per unit of x", "1/x", 0.2, 1.5),
        ),
        use="what fills up in proportion to what is missing: heating, loading, learning",
        source=KINETICS,
        aliases="saturation, bounded_growth, exponential_association, monomolecular",
    ),
    Curve(
        "power_law",
        "Power law",
        "amplitude*x^exponent",
        (
            Argument("x", "size, above 0", "x", 1.0, 100.0),
            Argument("amplitude", "value at x = 1", "y/x^exponent", 0.5, 50.0),
            Argument("exponent", "change of log(y) with log(x)", "1", -2.0, 2.0),
        ),
        use="scaling: metabolism and mass, species and area, fatigue and load",
        source="West, Brown & Enquist (1997), Science 276, 122-126",
        aliases="allometric, power, scaling, species_area",
        logarithmic=True,
    ),
)
