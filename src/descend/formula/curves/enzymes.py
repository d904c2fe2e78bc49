"""Enzymes, binding and response to doses."""

from __future__ import annotations

from descend.formula.curves.entry import Argument, Curve

FIELD = "Enzymes, binding and doses"
SUBSTRATE = Argument("x", "concentration of the substrate", "x", 0.1, 50.0)
DOSE = Argument("x", "dose or concentration", "x", 0.01, 100.0)
VMAX = Argument("vmax", "rate at saturation", "y", 10.0, 200.0)
KM = Argument("km", "concentration at half of it", "x", 1.0, 10.0)
LOWER = Argument("lower", "response at very large doses", "y", 0.0, 20.0)
UPPER = Argument("upper", "response at dose 0", "y", 60.0, 120.0)
EC50 = Argument("ec50", "dose at which half of the effect is reached", "x", 0.3, 3.0)
SLOPE = Argument("slope", "steepness; above 0 where the response falls from upper", "1", 0.8, 2.5)
ENZYMES = "Cornish-Bowden, Fundamentals of Enzyme Kinetics, 4th ed. (2012)"
DOSES = "Ritz, Jensen, Gerhard & Streibig, Dose-Response Analysis Using R (2019)"

ENTRIES = (
    Curve(
        "michaelis_menten",
        "Michaelis-Menten kinetics",
        "vmax*x/(km + x)",
        (SUBSTRATE, VMAX, KM),
        use="rate of an enzyme by its substrate; binding to one kind of site",
        source=f"{ENZYMES}, ch. 2",
        aliases="mm, michaelis, menten, michaelismenten, one_site_binding, hyperbola",
        y="rate",
    ),
    Curve(
        "haldane",
        "Haldane: inhibition by the substrate",
        "vmax*x/(km + x + x^2/ki)",
        (SUBSTRATE, VMAX, KM, Argument("ki", "concentration at which the substrate inhibits", "x", 5.0, 40.0)),
        use="enzymes and microbes that too much substrate slows down",
        source=f"{ENZYMES}, ch. 6",
        aliases="substrate_inhibition, andrews",
        y="rate",
    ),
    Curve(
        "hill",
        "Hill equation",
        "top*x^n/(half^n + x^n)",
        (
            DOSE,
            Argument("top", "response at saturation", "y", 10.0, 200.0),
            Argument("half", "concentration at half of it", "x", 0.3, 3.0),
            Argument("n", "Hill coefficient: cooperativity", "1", 0.8, 3.0),
        ),
        use="cooperative binding, such as oxygen to haemoglobin; contrast response of neurons",
        source=f"{ENZYMES}, ch. 12",
        aliases="hill_equation, naka_rushton, sigmoid_emax",
        y="response",
    ),
    Curve(
        "logistic3",
        "Three-parameter logistic",
        "upper/(1 + (x/ec50)^slope)",
        (DOSE, UPPER, EC50, SLOPE),
        use="response that falls to 0 as the dose grows, or rises from it where slope is below 0",
        source=f"{DOSES}, ch. 2",
        aliases="3pl, three_pl, pl3, ll3, log_logistic3",
        y="response",
    ),
    Curve(
        "logistic4",
        "Four-parameter logistic",
        "lower + (upper - lower)/(1 + (x/ec50)^slope)",
        (DOSE, LOWER, UPPER, EC50, SLOPE),
        use="dose and response between two plateaus: immunoassays, bioassays, toxicology",
        source=f"{DOSES}, ch. 2",
        aliases="4pl, four_pl, pl4, ll4, log_logistic, logistic_dose_response, elisa, dose_response",
        y="response",
    ),
    Curve(
        "logistic5",
        "Five-parameter logistic",
        "lower + (upper - lower)/(1 + (x/ec50)^slope)^asymmetry",
        (
            DOSE,
            LOWER,
            UPPER,
            Argument("ec50", "dose in the middle of the steep part", "x", 0.3, 3.0),
            SLOPE,
            Argument("asymmetry", "1 is symmetric over the logarithm of the dose", "1", 0.5, 2.0, start="0.1 to 10"),
        ),
        use="dose and response with unlike bends at the two plateaus",
        source="Gottschalk & Dunn (2005), Anal. Biochem. 343, 54-65",
        aliases="5pl, five_pl, pl5, ll5",
        y="response",
    ),
    Curve(
        "brain_cousens",
        "Brain-Cousens: hormesis",
        "lower + (upper - lower + hormesis*x)/(1 + (x/ec50)^slope)",
        (
            DOSE,
            LOWER,
            UPPER,
            EC50,
            Argument("slope", "steepness, above 1", "1", 2.0, 4.0),
            Argument("hormesis", "rise of the response at small doses", "y/x", 10.0, 60.0),
        ),
        use="a response that small doses raise and large ones lower",
        source="Brain & Cousens (1989), Weed Research 29, 93-96",
        aliases="braincousens, bc5, hormetic",
        y="response",
    ),
    Curve(
        "emax",
        "Emax model",
        "baseline + emax*x/(ec50 + x)",
        (
            Argument("x", "concentration of the drug", "x", 0.0, 100.0),
            Argument("baseline", "effect without the drug", "y", 0.0, 20.0),
            Argument("emax", "largest change of the effect", "y", 50.0, 150.0),
            Argument("ec50", "concentration at half of it", "x", 3.0, 30.0),
        ),
        use="effect of a drug by its concentration",
        source="Gabrielsson & Weiner, Pharmacokinetic and Pharmacodynamic Data Analysis, 5th ed. (2016), ch. 3",
        aliases="e_max, emax_model",
        y="effect",
    ),
    Curve(
        "monod",
        "Monod growth",
        "maximum*x/(half + x)",
        (
            Argument("x", "concentration of the nutrient", "x", 0.0, 10.0),
            Argument("maximum", "rate of growth with enough of it", "y", 0.2, 2.0),
            Argument("half", "concentration at half of that rate", "x", 0.3, 3.0),
        ),
        use="growth rate of microbes by the nutrient that is scarce",
        source="Monod (1949), Annu. Rev. Microbiol. 3, 371-394",
        aliases="monod_growth",
        y="growth rate",
    ),
    Curve(
        "boltzmann",
        "Boltzmann sigmoid",
        "lower + (upper - lower)/(1 + exp((midpoint - x)/slope))",
        (
            Argument("x", "voltage or temperature", "x", -100.0, 60.0),
            Argument("lower", "response at small x", "y", 0.0, 10.0),
            Argument("upper", "response at large x", "y", 50.0, 120.0),
            Argument("midpoint", "x at half of the change", "x", -50.0, 10.0),
            Argument("slope", "width of the change", "x", 5.0, 15.0),
        ),
        use="opening of ion channels by voltage, melting of proteins by temperature",
        source="Hille, Ion Channels of Excitable Membranes, 3rd ed. (2001), ch. 2",
        aliases="boltzmann_sigmoid, sigmoidal, melting_curve, activation",
        y="response",
    ),
)
