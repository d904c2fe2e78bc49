"""Drugs in the body."""

from __future__ import annotations

from descend.formula.curves.entry import Argument, Curve

FIELD = "Pharmacokinetics"
X = Argument("x", "time since the dose", "x", 0.1, 36.0)
DOSE = Argument("dose", "dose; the volume is per unit of it", "1", 1.0, 1.0, default="1")
VOLUME = Argument("volume", "volume of distribution, over the dose", "1/y", 0.01, 0.1)
ELIMINATION = Argument("elimination", "rate of elimination", "1/x", 0.08, 0.3)
ABSORPTION = Argument("absorption", "rate of absorption", "1/x", 0.8, 2.5)
FAST = Argument("fast", "rate of distribution", "1/x", 1.0, 3.0)
SLOW = Argument("slow", "rate of elimination", "1/x", 0.05, 0.2)
DRUGS = "Gibaldi & Perrier, Pharmacokinetics, 2nd ed. (1982)"

ENTRIES = (
    Curve(
        "one_compartment",
        "One compartment, dose into the vein",
        "dose/volume*exp(-elimination*x)",
        (X, VOLUME, ELIMINATION, DOSE),
        use="concentration of a drug after an injection into a vein",
        source=f"{DRUGS}, ch. 1",
        aliases="one_compartment_iv, iv_bolus, bolus",
        y="concentration",
    ),
    Curve(
        "one_compartment_oral",
        "One compartment with absorption",
        "dose/volume*absorption/(absorption - elimination)*(exp(-elimination*x) - exp(-absorption*x))",
        (X, VOLUME, ABSORPTION, ELIMINATION, DOSE),
        use="concentration of a drug that was swallowed, or put into muscle",
        source=f"{DRUGS}, ch. 1",
        aliases="one_compartment_absorption, oral, first_order_absorption",
        y="concentration",
    ),
    Curve(
        "two_compartment",
        "Two compartments, dose into the vein",
        "initial1*exp(-fast*x) + initial2*exp(-slow*x)",
        (
            X,
            Argument("initial1", "concentration that is distributed, at x = 0", "y", 20.0, 80.0),
            FAST,
            Argument("initial2", "concentration that is eliminated, at x = 0", "y", 10.0, 40.0),
            SLOW,
        ),
        use="concentration of a drug that first spreads into tissue",
        source=f"{DRUGS}, ch. 2",
        aliases="two_compartment_iv",
        y="concentration",
    ),
    Curve(
        "two_compartment_oral",
        "Two compartments with absorption",
        "initial1*exp(-fast*x) + initial2*exp(-slow*x) - (initial1 + initial2)*exp(-absorption*x)",
        (
            X,
            Argument("initial1", "concentration that is distributed, drawn back to x = 0", "y", 60.0, 150.0),
            Argument("fast", "rate of distribution", "1/x", 0.5, 0.9),
            Argument("initial2", "concentration that is eliminated, drawn back to x = 0", "y", 20.0, 50.0),
            Argument("slow", "rate of elimination", "1/x", 0.03, 0.1),
            Argument("absorption", "rate of absorption", "1/x", 2.0, 4.0),
        ),
        use="concentration of a drug that was swallowed, and first spreads into tissue",
        source=f"{DRUGS}, ch. 2",
        aliases="two_compartment_absorption",
        y="concentration",
    ),
    Curve(
        "bateman",
        "Bateman: decay of what decays into it",
        "amount*formation/(formation - decay)*(exp(-decay*x) - exp(-formation*x))",
        (
            Argument("x", "time", "x", 0.0, 20.0),
            Argument("amount", "amount of the parent at x = 0", "y", 10.0, 100.0),
            Argument("formation", "rate of decay of the parent", "1/x", 0.5, 2.0),
            Argument("decay", "rate of decay of the product", "1/x", 0.08, 0.3),
        ),
        use="the middle of a chain of decays or reactions",
        source="Bateman (1910), Proc. Cambridge Philos. Soc. 15, 423-427",
        aliases="bateman_function, decay_chain, consecutive_reactions",
        y="amount",
    ),
)
