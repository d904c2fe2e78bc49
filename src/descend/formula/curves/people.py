"""Perception and money."""

from __future__ import annotations

from descend.formula.curves.entry import Argument, Curve

FIELD = "Perception and finance"
GUESS = Argument("guess", "share right by guessing", "1", 0.1, 0.5)
LAPSE = Argument("lapse", "share wrong by not attending", "1", 0.0, 0.08)
MATURITY = Argument("x", "time to maturity, in years", "x", 0.25, 30.0)
PSYCHOPHYSICS = "Kingdom & Prins, Psychophysics: A Practical Introduction, 2nd ed. (2016), ch. 4"

ENTRIES = (
    Curve(
        "psychometric_logistic",
        "Logistic psychometric function",
        "guess + (1 - guess - lapse)/(1 + exp(-slope*(x - threshold)))",
        (
            Argument("x", "strength of the stimulus", "x", -4.0, 4.0),
            Argument("threshold", "strength in the middle", "x", -1.0, 1.0),
            Argument("slope", "steepness", "1/x", 1.2, 4.0),
            GUESS,
            LAPSE,
        ),
        use="share of right answers by strength of a stimulus; fix guess where it is known: guess=0.5",
        source=PSYCHOPHYSICS,
        aliases="psychometric, psychometric_function",
        y="share right",
    ),
    Curve(
        "psychometric_weibull",
        "Weibull psychometric function",
        "guess + (1 - guess - lapse)*(1 - exp(-(x/threshold)^slope))",
        (
            Argument("x", "strength of the stimulus, above 0", "x", 0.05, 5.0),
            Argument("threshold", "strength at which 63% of the rise is reached", "x", 0.5, 2.0),
            Argument("slope", "steepness", "1", 1.5, 4.0),
            GUESS,
            LAPSE,
        ),
        use="share of right answers by contrast or intensity; fix guess where it is known: guess=0.5",
        source=PSYCHOPHYSICS,
        aliases="weibull_psychometric, quick",
        y="share right",
    ),
    Curve(
        "nelson_siegel",
        "Nelson-Siegel yield curve",
        "level + (slope + curvature)*decay/x*(1 - exp(-x/decay)) - curvature*exp(-x/decay)",
        (
            MATURITY,
            Argument("level", "yield in the long run", "y", 2.0, 6.0),
            Argument("slope", "short yield less long yield", "y", -3.0, -1.0),
            Argument("curvature", "height of the hump", "y", -6.0, 6.0),
            Argument("decay", "where the hump lies", "x", 1.0, 4.0, start="0.3*step to x_span"),
        ),
        use="yields of bonds by maturity",
        source="Nelson & Siegel (1987), J. Business 60, 473-489",
        aliases="nelsonsiegel, yield_curve",
        y="yield",
    ),
    Curve(
        "hyperbolic_discount",
        "Hyperbolic discounting",
        "value/(1 + impatience*x)",
        (
            Argument("x", "delay", "x", 0.0, 365.0),
            Argument("value", "value without delay", "y", 10.0, 1000.0),
            Argument("impatience", "how fast it falls", "1/x", 0.005, 0.05),
        ),
        use="value of a reward that comes later",
        source="Mazur (1987), in Quantitative Analyses of Behavior 5, 55-73",
        aliases="discounting, mazur, hyperbolic",
        y="value",
    ),
)
