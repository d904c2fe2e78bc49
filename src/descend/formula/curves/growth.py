"""Growth of organisms, populations and markets."""

from __future__ import annotations

from descend.formula.curves.entry import Argument, Curve

FIELD = "Growth"
X = Argument("x", "time or age", "x", 0.0, 20.0)
CAPACITY = Argument("capacity", "size at the end", "y", 10.0, 1000.0)
RATE = Argument("rate", "relative rate of growth", "1/x", 0.3, 1.2)
MIDPOINT = Argument("midpoint", "time of fastest growth", "x", 5.0, 12.0)
GROWTH = "Seber & Wild, Nonlinear Regression (1989), ch. 7"

ENTRIES = (
    Curve(
        "logistic_growth",
        "Logistic growth",
        "capacity/(1 + exp(-rate*(x - midpoint)))",
        (X, CAPACITY, RATE, MIDPOINT),
        use="populations that fill a limited space, symmetric about the midpoint",
        source=GROWTH,
        aliases="logistic, verhulst, s_curve, logistic_curve",
        y="size",
    ),
    Curve(
        "gompertz",
        "Gompertz growth",
        "capacity*exp(-exp(-rate*(x - midpoint)))",
        (X, CAPACITY, RATE, Argument("midpoint", "time of fastest growth", "x", 3.0, 9.0)),
        use="growth that slows down early: tumours, animals, plants",
        source=GROWTH,
        aliases="gompertz_growth",
        y="size",
    ),
    Curve(
        "richards",
        "Richards growth",
        "capacity/(1 + shape*exp(-rate*(x - midpoint)))^(1/shape)",
        (
            X,
            CAPACITY,
            RATE,
            MIDPOINT,
            Argument("shape", "1 is logistic, near 0 Gompertz", "1", 0.5, 2.0, start="0.05 to 10"),
        ),
        use="growth whose fastest moment may come early or late",
        source="Richards (1959), J. Exp. Bot. 10, 290-301",
        aliases="generalized_logistic, generalised_logistic, richards_growth",
        y="size",
    ),
    Curve(
        "von_bertalanffy",
        "Von Bertalanffy growth in length",
        "length*(1 - exp(-rate*(x - birth)))",
        (
            Argument("x", "age", "x", 1.0, 15.0),
            Argument("length", "length at the end", "y", 20.0, 150.0),
            Argument("rate", "rate of approach to it", "1/x", 0.15, 0.6),
            Argument("birth", "age at which the length would be 0", "x", -2.0, 0.5),
        ),
        use="length of fish and other animals by age",
        source="von Bertalanffy (1938), Human Biology 10, 181-213",
        aliases="bertalanffy, vbgf, vbgm",
        y="length",
    ),
    Curve(
        "weibull_growth",
        "Weibull growth",
        "capacity*(1 - exp(-(x/scale)^shape))",
        (
            X,
            CAPACITY,
            Argument("scale", "time to reach 63%", "x", 5.0, 10.0),
            Argument("shape", "above 1 it starts slowly", "1", 0.8, 3.0),
        ),
        use="growth, germination, release of drugs, share failed by a time",
        source="Yang, Kozak & Smith (1978), Can. J. For. Res. 8, 424-431",
        aliases="weibull, weibull_cdf, weibull_release",
        y="size",
    ),
    Curve(
        "hubbert",
        "Hubbert peak",
        "total*rate/4*sech(rate*(x - peak)/2)^2",
        (
            Argument("x", "year", "x", 1950.0, 2020.0),
            Argument("total", "total amount under the curve", "y*x", 500.0, 5000.0),
            Argument("rate", "relative rate of growth at the beginning", "1/x", 0.08, 0.25),
            Argument("peak", "year of the maximum", "x", 1970.0, 2000.0),
        ),
        use="production of a resource that runs out; the rate of a logistic growth",
        source="Hubbert (1982), NBS Special Publ. 631, 16-141",
        aliases="hubbert_peak, peak_oil",
        y="production",
    ),
    Curve(
        "bass",
        "Bass diffusion",
        "market*(1 - exp(-(innovation + imitation)*x))/(1 + imitation/innovation*exp(-(innovation + imitation)*x))",
        (
            X,
            Argument("market", "number who will adopt in the end", "y", 100.0, 10000.0),
            Argument(
                "innovation", "rate of adoption on one's own", "1/x", 0.01, 0.05, start="0.001/x_span to 10/x_span"
            ),
            Argument("imitation", "rate of adoption from others", "1/x", 0.3, 0.7, start="0.5/x_span to 50/x_span"),
        ),
        use="how many have adopted a new product by a time",
        source="Bass (1969), Management Science 15, 215-227",
        aliases="bass_diffusion, adoption",
        y="adopters",
    ),
)
