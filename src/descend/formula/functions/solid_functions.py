"""Functions of the physics of solids: those of Langevin, of magnets, and Debye, of heat."""

from __future__ import annotations

from descend.formula.functions.entry import POSITIVE, beyond_numpy
from descend.formula.real_functions import RealFunction, of_order, real_function

Kind = type[RealFunction]
langevin_slope: Kind = real_function("langevin_slope", of_order, lambda n, u: langevin_slope(n + 1, u))
langevin_function = real_function("langevin_function", lambda u: langevin_slope(1, u))
debye_slope: Kind = real_function("debye_slope", of_order, lambda n, u: debye_slope(n + 1, u))
debye_function = real_function("debye_function", lambda u: debye_slope(1, u))

ENTRIES = (
    beyond_numpy("langevin_function", langevin_function, symbol="L", range=(-1.0, 1.0), rising=True),
    beyond_numpy(
        "debye_function", debye_function, symbol="D_3", aliases=("debye3",), range=POSITIVE, falling=True, positive=True
    ),
)
DERIVED = (beyond_numpy("langevin_slope", langevin_slope), beyond_numpy("debye_slope", debye_slope))
