"""Every function of the table and its derivatives, as the code that runs, against mpmath over its whole domain.

The error is measured relative to the value: 1e-13. Functions that cross 0 away from x = 0 lose digits there to the
rounding of x alone, so that for them, as listed, a few units of rounding of x are allowed as well.
"""

from __future__ import annotations

import itertools
import math

import mpmath
import numpy as np
import pytest
import sympy
from mpmath import mpf
from tests.formula.in_mpmath import IN_MPMATH, SHORTHANDS

from descend.formula.compile import compile_expression
from descend.formula.derivative import slopes
from descend.formula.functions import DERIVED_ONLY, FUNCTIONS
from descend.formula.symbols import Parameter

RELATIVE, ROUNDINGS = 1e-13, 8 * 2.0**-53
DIGITS = {
    **dict.fromkeys(("y0", "y1", "yn", "k0", "k1", "kn", "k0e", "k1e", "k0e_slope"), 45),  # slow in mpmath
    **dict.fromkeys(
        ("expm1", "tanh", "sigmoid", "erfcx", "ndtri"), 500
    ),  # where it would round a tail to a whole number
}
"""Digits that mpmath computes with, where they are not 110."""
LEAST, MOST = 1e-290, 1e300
"""Values between these are compared; smaller ones have fewer digits, and larger ones become infinite."""


def sizes(low: float, high: float, count: int) -> list[float]:
    """Return numbers evenly spread in size, and none of them a round one."""
    return [float(f"{size:.13g}") for size in np.geomspace(low, high, count) * 1.0000123]


def both(values: list[float]) -> list[float]:
    return [0.0, *values, *(-value for value in values)]


TINY, HUGE, USUAL = sizes(1e-300, 1e-4, 12), sizes(1e3, 1e300, 12), sizes(1e-3, 700.0, 40)
POSITIVE, REAL, UP_TO_700 = TINY + USUAL + HUGE, both(TINY + USUAL + HUGE), both(TINY + USUAL)
NEAR_ONE = [1.0 - size for size in sizes(1e-15, 0.5, 20)]
UNIT = both(TINY + sizes(1e-3, 0.5, 10) + NEAR_ONE)
SHARE = [value for value in UNIT if value > 0.0] + [0.5, 0.3, 0.71]
ABOVE_ONE = [1.0 + size for size in sizes(1e-14, 1e14, 40)] + HUGE
WAVES = sizes(1e-250, 1e-3, 6) + sizes(1e-2, 1e2, 30) + sizes(1e2, 1e5, 8)
BELOW_30 = both(TINY + sizes(1e-3, 26.0, 40))
ABOVE_LOW, FROM_0 = [*(x for x in BELOW_30 if x > -25.0), *HUGE], [0.0, *WAVES]
ABOVE_END = [*POSITIVE, 0.0, *(-x / math.e for x in NEAR_ONE), *(-x for x in TINY)]
ABOVE_LOW, FROM_0 = [*(x for x in BELOW_30 if x > -25.0), *HUGE], [0.0, *WAVES]
ABOVE_END = [*POSITIVE, 0.0, *(-x / math.e for x in NEAR_ONE), *(-x for x in TINY)]
UP_TO_ENDS = [*TINY, *sizes(1e-3, 1e3, 24), *sizes(1e4, 1e15, 6)]
SCALED = sizes(1e-30, 1e-3, 4) + sizes(1e-2, 3e3, 24)
GAMMA = both(TINY + sizes(1e-3, 170.0, 40))[1:]
PAIRS = list(itertools.product([-1e200, -3.7, -1e-200, 0.0, 2e-150, 0.31, 5.1, 3e190], repeat=2))
TWO_NUMBERS = [pair for pair in PAIRS if all(pair)]
TWO_NUMBERS = [pair for pair in PAIRS if all(pair)]
SHAPES = list(itertools.product([*sizes(1e-6, 1e6, 8), 1.3, 9.7, 10.4, 31.0], repeat=2))
DENSITIES = [
    (a, a * factor) for a in [*sizes(1e-3, 1e6, 8), 9.7, 10.4] for factor in (0.3, 0.9, 0.999, 1.001, 1.2, 2.9)
]
PORTIONS = [
    *((a, a * ratio) for a in (0.013, 0.7, 1.3, 9.7, 10.3, 57.0, 310.0) for ratio in (0.03, 0.6, 0.99, 1.01, 1.5, 3.0)),
    *((a, x) for a in (0.02, 0.9) for x in (1e-12, 1e-3, 1.1, 13.0)),
]
TAILS = [*PORTIONS[::3], (57.0, 1e-6), (3.0, 2e3)]
FEW = [1.0000123e-30, *sizes(1e-3, 300.0, 9), 2345.6]
LINES = [
    (x, sigma, gamma)
    for x in (0.0, 1e-8, 0.013, 0.7, -1.9, 4.1, -23.0, 1.1e4, 3e20)
    for sigma, gamma in ((0.5, 0.3), (0.01, 2.1), (2.3, 1e-9), (1.7, 0.0), (1e-7, 1e-5), (31.0, 1e3))
]
MODERATE = [way * x for x in sizes(1e-8, 600.0, 25) for way in (1, -1)]
ORDERED = {"jn": (2, 5), "yn": (2, 5), "iv": (2, 5), "kn": (2, 5), "polygamma": (1, 3), "erfcx_slope": (1, 2)}
ORDERED |= {"gamma_tail": (0, 1), "gamma_tail_density": (0, 1), "gamma_tail_slope": (2, 3)}
ORDERED |= {"langevin_slope": (1, 2), "debye_slope": (1, 2)}
ORDERED |= {"dawsn_slope": (1, 2), "gammainc_slope": (1, 2), "voigt_slope": (1, 2), "voigt_dispersion": (1, 2)}
DOMAINS: dict[str, list] = {
    **dict.fromkeys(("log", "log10", "log2", "sqrt"), POSITIVE),
    **dict.fromkeys(("sin", "cos"), both(TINY + USUAL + sizes(1e3, 1e15, 6))),
    **dict.fromkeys(("cbrt", "atan", "asinh", "abs", "sign", "sigmoid", "softplus"), REAL),
    **dict.fromkeys(("exp", "expm1", "sinh", "cosh", "tanh", "tan", "erf", "sinc"), UP_TO_700),
    **dict.fromkeys(("asin", "acos", "atanh", "erfinv"), UNIT),
    **dict.fromkeys(("erfcx", "erfcx_slope"), ABOVE_LOW),
    **dict.fromkeys(("erfc", "normal_cdf"), BELOW_30),
    **dict.fromkeys(("dawsn", "dawsn_slope"), BELOW_30),
    **dict.fromkeys(("langevin_function", "langevin_slope", "debye_function", "debye_slope"), MODERATE),
    **dict.fromkeys(("j0", "j1", "jn"), FROM_0),
    **dict.fromkeys(("i0", "i1", "iv", "i0e", "i1e", "i0e_slope", "i1e_slope"), SCALED),
    **dict.fromkeys((name for name, digits in DIGITS.items() if digits < 50), FEW),
    **dict.fromkeys(("beta", "betaln", "digamma_gap"), SHAPES),
    **dict.fromkeys(("lambertw", "lambertw_slope"), ABOVE_END),
    **dict.fromkeys(("voigt_profile", "voigt_slope", "voigt_dispersion"), LINES),
    **dict.fromkeys(("lgamma", "digamma"), UP_TO_ENDS),
    "polygamma": sizes(1e-30, 1e12, 24),
    "log1p": [*POSITIVE, *(-x for x in SHARE)],
    "acosh": ABOVE_ONE,
    "logit": SHARE,
    "ndtri": [p for p in SHARE if p > 1e-150],
    "erfcinv": [*SHARE, *(2.0 - x for x in SHARE if x > 1e-3)],
    "log_ndtr": [x for x in BELOW_30 if abs(x) < 25.0],
    "gamma": GAMMA,
    "exp1": [x for x in UP_TO_700 if x > 0.0],
    "expi": [x for x in UP_TO_700 if x],
    "gamma_density": DENSITIES,
    "gammainc": PORTIONS,
    "gammaincc": PORTIONS,
    "gammainc_slope": PORTIONS[::3],
    **dict.fromkeys(("gamma_tail", "gamma_tail_density", "gamma_tail_slope"), TAILS),
    "hypot": PAIRS,
    **dict.fromkeys(("min", "max"), TWO_NUMBERS),
    "atan2": [pair for pair in PAIRS if 1e-150 < max(map(abs, pair)) < 1e150],
    "floor": [0.0, 0.3, -0.3, 7.9, -7.9, 1e10 + 0.5],
    "ceil": [0.0, 0.3, -0.3, 7.9, -7.9, 1e10 + 0.5],
    "mod": [(a, b) for a in (0.0, 0.3, -0.7, 7.9, -311.3) for b in (0.25, 1.7, -2.3)],
}
CROSSING = {
    **dict.fromkeys(("j0", "j1", "jn", "y0", "y1", "yn", "sinc", "tan"), "oscillates"),
    **dict.fromkeys(("gamma", "lgamma", "digamma", "polygamma"), "has zeros, or its slope has, at irrational places"),
    **dict.fromkeys(("beta", "betaln", "gamma_density"), "is 0, or flat, along curves"),
    **dict.fromkeys(("dawsn", "dawsn_slope", "expi", "i1e", "i1e_slope"), "is 0, or flat, at irrational places"),
    **dict.fromkeys(("voigt_profile", "voigt_slope", "voigt_dispersion"), "slopes are 0 along curves"),
    **dict.fromkeys(("sin", "cos"), "slopes are 0 at multiples of pi"),
    "logit": "is 0 at 1/2",
    "silu": "is flat at an irrational place",
}
"""Functions with zeros away from 0, their own or those of their slopes."""
STEPS = {"sign", "floor", "ceil"}
BRANCHED = {"where", "constant"}
NAMES = [name for name in (*FUNCTIONS, *DERIVED_ONLY) if name not in SHORTHANDS and name not in BRANCHED]


def cases(name):
    """Return the points, one a row: orders first, then the arguments."""
    rows = [row if isinstance(row, tuple) else (row,) for row in DOMAINS[name]]
    return [(order, *row) for order in ORDERED[name] for row in rows] if name in ORDERED else rows


def exactly(name, point, place=None):
    """Return the value of a function in mpmath, or its derivative by an argument; None where it has none."""
    reference, exact, small = (
        IN_MPMATH[name],
        [mpf(value) for value in point],
        mpf(10) ** -min(mpmath.mp.dps * 3 // 10, 40),
    )

    def difference(step):
        step *= abs(exact[place]) or 1
        sides = (reference(*(x + way * (at == place) for at, x in enumerate(exact))) for way in (step, -step))
        return next(sides) / (2 * step) - next(sides) / (2 * step)

    try:
        found = reference(*exact) if place is None else difference(small)
        if place is not None and not exact[place] and abs(difference(small / 2) - found) > small * abs(found):
            return None  # a kink, a step, or 0
    except (ValueError, ZeroDivisionError, ArithmeticError):
        return None
    return None if isinstance(found, mpmath.mpc) or not mpmath.isfinite(found) else found


def computed(name, place=None):
    """Return the compiled code of a function, or of its derivative by an argument, as a function of a point."""
    entry = FUNCTIONS.get(name) or DERIVED_ONLY[name]
    symbols = [Parameter(letter) for letter in "abcd"[: entry.arguments[0]]]

    def evaluate(point):
        given = [sympy.Integer(int(point[at])) if at in entry.orders else symbol for at, symbol in enumerate(symbols)]
        expression = entry.build(*given)
        if place is not None:
            expression = slopes(expression, [symbols[place]]).with_limits[symbols[place]]
        with np.errstate(all="ignore"):
            return float(compile_expression(expression, tuple(symbols))(*map(np.float64, point)))

    return evaluate


def places(name):
    entry = FUNCTIONS.get(name) or DERIVED_ONLY[name]
    return [place for place in range(entry.arguments[0]) if place not in entry.orders]


def allowed(name, point, value, place):
    """Return the largest error allowed: relative, and for functions that cross 0 that of rounded arguments."""
    error = RELATIVE * abs(value)
    if name not in CROSSING:
        return error
    for other in places(name):
        reference = exactly(name, point, other) if place is None else second(name, point, place, other)
        error += ROUNDINGS * abs(point[other] * reference) if reference is not None else 0
    return error


def second(name, point, place, other):
    """Return the derivative by two arguments, roughly."""
    step = abs(mpf(point[other])) * mpf(10) ** -12 or mpf(10) ** -12
    moved = [mpf(value) + step * (at == other) for at, value in enumerate(point)]
    ends = exactly(name, moved, place), exactly(name, point, place)
    return None if None in ends else (ends[0] - ends[1]) / step


def errors(name, place, points, relative):
    """Yield the points at which a value, or a derivative, is farther off than allowed."""
    function = computed(name, place)
    for point in points:
        expected = exactly(name, point, place)
        if expected is None or not LEAST < abs(expected) < MOST:
            continue
        got = function(point)
        error = abs(mpf(got) - expected) if math.isfinite(got) else mpmath.inf
        if error > relative * abs(expected) and error > allowed(name, point, expected, place):
            yield place, point, got, float(expected), float(error / abs(expected))


def refuse(wrong):
    assert not wrong, "\n".join(map(str, sorted(wrong, key=lambda found: -found[-1])))


@pytest.mark.parametrize("name", NAMES)
def test_values(name):
    with mpmath.workdps(DIGITS.get(name, 110)):
        refuse(list(errors(name, None, cases(name), RELATIVE)))


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name in NAMES])
def test_derivatives(name):
    with mpmath.workdps(DIGITS.get(name, 110)):
        refuse([found for place in places(name) for found in errors(name, place, cases(name), RELATIVE)])


@pytest.mark.parametrize("name", [name for name in DERIVED_ONLY if name in NAMES])
def test_second_derivatives(name):
    """Ordinary points, where rounding in a difference of two terms costs a few digits."""
    points = [point for point in cases(name) if all(0.01 < abs(value) < 30.0 for value in point)]
    with mpmath.workdps(DIGITS.get(name, 110)):
        refuse([found for place in places(name) for found in errors(name, place, points, 1e-9)])
