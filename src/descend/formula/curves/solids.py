"""Solids, magnets and molecules."""

from __future__ import annotations

from descend.formula.curves.entry import Argument, Curve

FIELD = "Solids, magnets and molecules"
KELVIN = Argument("x", "absolute temperature", "K", 10.0, 400.0)
ATOMS = Argument("atoms", "atoms per formula unit", "1", 1.0, 5.0)
GAS = Argument("gas_constant", "molar gas constant", "J/mol/K", 8.314, 8.314, default="8.314462618")
FIELD_STRENGTH = Argument("x", "magnetic field", "x", -5.0, 5.0)
SATURATION = Argument("saturation", "magnetisation of all moments in line", "y", 1.0, 100.0)
VOLUME = Argument("x", "volume of the cell", "x", 60.0, 100.0)
ENERGY = Argument("energy", "energy at the minimum", "y", -60.0, -10.0)
V0 = Argument("v0", "volume at the minimum", "x", 72.0, 85.0, start="x_min to x_max")
B0 = Argument("b0", "bulk modulus there", "y/x", 0.3, 1.5)
B1 = Argument("b1", "its derivative by pressure", "1", 3.0, 6.0, start="1.5 to 12")
SOLIDS = "Ashcroft & Mermin, Solid State Physics (1976)"

ENTRIES = (
    Curve(
        "debye",
        "Debye heat capacity",
        "3*gas_constant*atoms*(4*debye_function(theta/x) - 3*theta/x/expm1(theta/x))",
        (KELVIN, ATOMS, Argument("theta", "Debye temperature", "K", 150.0, 700.0, start="0.1*x_max to 10*x_max"), GAS),
        use="heat capacity of a crystal at constant volume",
        source=f"{SOLIDS}, ch. 23",
        aliases="debye_heat_capacity, debye_model",
        y="heat capacity",
    ),
    Curve(
        "einstein",
        "Einstein heat capacity",
        "3*gas_constant*atoms*(theta/(2*x)/sinh(theta/(2*x)))^2",
        (
            KELVIN,
            ATOMS,
            Argument("theta", "Einstein temperature", "K", 120.0, 600.0, start="0.1*x_max to 10*x_max"),
            GAS,
        ),
        use="heat capacity of vibrations of one frequency",
        source=f"{SOLIDS}, ch. 23",
        aliases="einstein_heat_capacity",
        y="heat capacity",
    ),
    Curve(
        "langevin",
        "Langevin paramagnet",
        "saturation*langevin_function(x/scale)",
        (
            FIELD_STRENGTH,
            SATURATION,
            Argument("scale", "field at which the moments turn: k T over the moment", "x", 0.4, 1.5),
        ),
        use="magnetisation of large moments: superparamagnetic particles, dipoles in a field",
        source=f"{SOLIDS}, ch. 31",
        aliases="superparamagnet, langevin_magnetization",
        y="magnetisation",
    ),
    Curve(
        "brillouin",
        "Brillouin paramagnet",
        "saturation*((2*spin + 1)/(2*spin)*langevin_function((2*spin + 1)/(2*spin)*x/scale)"
        " - langevin_function(x/scale/(2*spin))/(2*spin))",
        (
            FIELD_STRENGTH,
            SATURATION,
            Argument("scale", "field at which the moments turn: k T over the largest moment", "x", 0.4, 1.5),
            Argument("spin", "angular momentum J; 1/2 if left out", "1", 0.5, 0.5, default="0.5"),
        ),
        use="magnetisation of atoms or ions, such as Gd with spin=3.5",
        source=f"{SOLIDS}, ch. 31",
        aliases="brillouin_function, paramagnet",
        y="magnetisation",
    ),
    Curve(
        "curie_weiss",
        "Curie-Weiss law",
        "curie/(x - weiss)",
        (
            Argument("x", "absolute temperature", "K", 50.0, 300.0),
            Argument("curie", "Curie constant", "y*K", 1.0, 10.0),
            Argument("weiss", "Weiss temperature", "K", -60.0, 30.0, start="-x_max to x_min"),
        ),
        use="susceptibility above the ordering temperature",
        source=f"{SOLIDS}, ch. 33",
        aliases="curie, curie_law",
        y="susceptibility",
    ),
    Curve(
        "fermi",
        "Fermi distribution",
        "height/(1 + exp((x - level)/width))",
        (
            Argument("x", "energy", "x", -0.5, 0.5),
            Argument("height", "value far below the level", "y", 1.0, 100.0),
            Argument("level", "Fermi level", "x", -0.2, 0.2),
            Argument("width", "k T", "x", 0.02, 0.1),
        ),
        use="occupation of states; the edge in photoelectron spectra; a step that falls",
        source=f"{SOLIDS}, ch. 2",
        aliases="fermi_dirac, fermi_edge",
        y="occupation",
    ),
    Curve(
        "morse",
        "Morse potential",
        "depth*(exp(-2*steepness*(x - distance)) - 2*exp(-steepness*(x - distance)))",
        (
            Argument("x", "distance of the atoms", "x", 0.6, 3.0),
            Argument("depth", "depth of the minimum", "y", 1.0, 6.0),
            Argument("steepness", "steepness", "1/x", 1.2, 2.5),
            Argument("distance", "distance at the minimum", "x", 0.9, 1.3),
        ),
        use="energy of two atoms that form a bond; 0 where they are far apart",
        source="Morse (1929), Phys. Rev. 34, 57-64",
        aliases="morse_potential",
        y="energy",
    ),
    Curve(
        "lennard_jones",
        "Lennard-Jones potential",
        "4*depth*((diameter/x)^12 - (diameter/x)^6)",
        (
            Argument("x", "distance of the atoms", "x", 3.3, 8.0),
            Argument("depth", "depth of the minimum", "y", 0.1, 2.0),
            Argument("diameter", "distance at which the energy is 0", "x", 3.0, 3.7, start="0.3*x_min to x_max"),
        ),
        use="energy of two atoms without a bond",
        source=f"{SOLIDS}, ch. 20",
        aliases="lj, lennardjones, lennard_jones_12_6, 12_6",
        y="energy",
    ),
    Curve(
        "birch_murnaghan",
        "Birch-Murnaghan equation of state",
        "energy + 9/16*v0*b0*(((v0/x)^(2/3) - 1)^3*b1 + ((v0/x)^(2/3) - 1)^2*(6 - 4*(v0/x)^(2/3)))",
        (VOLUME, ENERGY, V0, B0, B1),
        use="energy of a crystal by its volume, from calculations",
        source="Birch (1947), Phys. Rev. 71, 809-824",
        aliases="birch, bm, equation_of_state, eos",
        y="energy",
    ),
    Curve(
        "murnaghan",
        "Murnaghan equation of state",
        "energy + b0*x/b1*((v0/x)^b1/(b1 - 1) + 1) - b0*v0/(b1 - 1)",
        (VOLUME, ENERGY, V0, B0, B1),
        use="energy of a crystal by its volume, near the minimum",
        source="Murnaghan (1944), Proc. Natl. Acad. Sci. 30, 244-247",
        aliases="murnaghan_eos",
        y="energy",
    ),
)
