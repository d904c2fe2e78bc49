"""Functions of the physics of solids: those of Langevin, of magnets, and Debye, of heat."""

from __future__ import annotations

from functools import partial

from descend.formula.functions.entry import POSITIVE, Function
from descend.formula.real_functions import RealFunction, of_order, real_function

Kind = type[RealFunction]
langevin_slope: Kind = real_function("langevin_slope", of_order, lambda n, u: langevin_slope(n + 1, u))
langevin_function = real_function("langevin_function", lambda u: langevin_slope(1, u))
debye_slope: Kind = real_function("debye_slope", of_order, lambda n, u: debye_slope(n + 1, u))
debye_function = real_function("debye_function", lambda u: debye_slope(1, u))

_special = partial(Function, sql=None, torch=None)
_slope = partial(_special, arguments=(2, 2), orders=(0,))

ENTRIES = (
    _special(
        "langevin_function",
        langevin_function,
        "special.langevin_function({0})",
        latex=r"L\left({0}\right)",
        mathml="<mrow><mi>L</mi><mo>(</mo>{0}<mo>)</mo></mrow>",
        range=(-1.0, 1.0),
        rising=True,
    ),
    _special(
        "debye_function",
        debye_function,
        "special.debye_function({0})",
        latex=r"D_3\left({0}\right)",
        mathml="<mrow><msub><mi>D</mi><mn>3</mn></msub><mo>(</mo>{0}<mo>)</mo></mrow>",
        aliases=("debye3",),
        range=POSITIVE,
        falling=True,
        positive=True,
    ),
)
DERIVED = (
    _slope("langevin_slope", langevin_slope, "special.langevin_slope({0}, {1})"),
    _slope("debye_slope", debye_slope, "special.debye_slope({0}, {1})"),
)
