"""Ecology, fisheries and economics of time."""

from __future__ import annotations

from descend.formula.curves.entry import Argument, Curve

FIELD = "Ecology and fisheries"
PREY = Argument("x", "density of the prey", "x", 0.0, 100.0)
ATTACK = Argument("attack", "rate of attack", "y/x", 0.3, 1.5)
HANDLING = Argument("handling", "time to handle one prey", "1/y", 0.02, 0.1)
SPAWNERS = Argument("x", "spawners", "x", 1.0, 200.0)
HOLLING = "Holling (1959), Can. Entomol. 91, 385-398"
FISH = "Quinn & Deriso, Quantitative Fish Dynamics (1999), ch. 3"

ENTRIES = (
    Curve(
        "holling1",
        "Holling type I: rise to a ceiling",
        "min(attack*x, ceiling)",
        (PREY, ATTACK, Argument("ceiling", "most prey eaten", "y", 15.0, 25.0, start="0.4*y_max to 1.2*y_max")),
        use="prey eaten by filter feeders",
        source=HOLLING,
        aliases="holling_1, type_1_functional_response",
        y="prey eaten",
    ),
    Curve(
        "holling2",
        "Holling type II",
        "attack*x/(1 + attack*handling*x)",
        (PREY, ATTACK, HANDLING),
        use="prey eaten by a predator that handles one after the other",
        source=HOLLING,
        aliases="holling, holling_2, disc_equation, functional_response",
        y="prey eaten",
    ),
    Curve(
        "holling3",
        "Holling type III",
        "attack*x^2/(1 + attack*handling*x^2)",
        (PREY, Argument("attack", "rate of attack, over the density", "y/x^2", 0.005, 0.05), HANDLING),
        use="prey eaten by a predator that learns or switches",
        source=HOLLING,
        aliases="holling_3",
        y="prey eaten",
    ),
    Curve(
        "ricker",
        "Ricker recruitment",
        "productivity*x*exp(-crowding*x)",
        (
            SPAWNERS,
            Argument("productivity", "recruits per spawner where there are few", "y/x", 1.0, 8.0),
            Argument("crowding", "how fast that falls with spawners", "1/x", 0.008, 0.04),
        ),
        use="recruits of fish by spawners, with too many spawners in each other's way",
        source=FISH,
        aliases="ricker_recruitment, stock_recruitment",
        y="recruits",
    ),
    Curve(
        "beverton_holt",
        "Beverton-Holt recruitment",
        "productivity*x/(1 + crowding*x)",
        (
            SPAWNERS,
            Argument("productivity", "recruits per spawner where there are few", "y/x", 1.0, 8.0),
            Argument("crowding", "how fast that falls with spawners", "1/x", 0.02, 0.1),
        ),
        use="recruits of fish by spawners, up to a plateau",
        source=FISH,
        aliases="bevertonholt",
        y="recruits",
    ),
)
