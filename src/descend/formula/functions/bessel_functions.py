"""Bessel functions of whole order, as they are and scaled by exponentials.

Each derivative is one of neighbouring orders, so that none divides by an x that may be 0. PyTorch has J and Y too, but
to six digits only at some x, so they are left out.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from sympy import Expr, Integer

from descend.formula.functions.entry import POSITIVE, beyond_numpy
from descend.formula.functions.notation import latex_call, mathml_call
from descend.formula.real_functions import RealFunction, of_order, real_function, sign

Kind = type[RealFunction]
j0: Kind = real_function("j0", lambda x: -j1(x))
j1: Kind = real_function("j1", lambda x: (j0(x) - bessel_jn(2, x)) / 2)
bessel_jn: Kind = real_function("bessel_jn", of_order, lambda n, x: (first_kind(n - 1, x) - first_kind(n + 1, x)) / 2)
y0: Kind = real_function("y0", lambda x: -y1(x))
y1: Kind = real_function("y1", lambda x: (y0(x) - bessel_yn(2, x)) / 2)
bessel_yn: Kind = real_function("bessel_yn", of_order, lambda n, x: (second_kind(n - 1, x) - second_kind(n + 1, x)) / 2)
i0: Kind = real_function("i0", lambda x: modified_first(Integer(1), x))
i1: Kind = real_function("i1", lambda x: (i0(x) + iv(2, x)) / 2)
iv: Kind = real_function("iv", of_order, lambda n, x: (modified_first(n - 1, x) + modified_first(n + 1, x)) / 2)
k0: Kind = real_function("k0", lambda x: -k1(x))
k1: Kind = real_function("k1", lambda x: -(k0(x) + kn(2, x)) / 2)
kn: Kind = real_function("kn", of_order, lambda n, x: -(modified_second(n - 1, x) + modified_second(n + 1, x)) / 2)
# The two terms of these slopes nearly cancel for a large x, so they are functions of their own.
i0e_slope: Kind = real_function("i0e_slope", lambda x: -2 * sign(x) * i0e_slope(x) - i1e(x) / x)
i1e_slope: Kind = real_function(
    "i1e_slope", lambda x: -(2 * sign(x) + 1 / x) * i1e_slope(x) + (1 / x**2 - sign(x) / x) * i1e(x)
)
k0e_slope: Kind = real_function("k0e_slope", lambda x: 2 * k0e_slope(x) + k1e(x) / x)
i0e: Kind = real_function("i0e", i0e_slope)
i1e: Kind = real_function("i1e", i1e_slope)
k0e: Kind = real_function("k0e", k0e_slope)
k1e: Kind = real_function("k1e", lambda x: -k0e_slope(x) - k1e(x) / x)


def first_kind(n: Expr, x: Expr) -> Expr:
    """Build J of order n."""
    return j0(x) if n == 0 else j1(x) if n == 1 else bessel_jn(Integer(n), x)


def second_kind(n: Expr, x: Expr) -> Expr:
    """Build Y of order n."""
    return y0(x) if n == 0 else y1(x) if n == 1 else bessel_yn(Integer(n), x)


def modified_first(n: Expr, x: Expr) -> Expr:
    """Build I of order n."""
    return i0(x) if n == 0 else i1(x) if n == 1 else iv(Integer(n), x)


def modified_second(n: Expr, x: Expr) -> Expr:
    """Build K of order n."""
    return k0(x) if n == 0 else k1(x) if n == 1 else kn(Integer(n), x)


def _scaled(symbol: str, latex_power: str, mathml_power: str) -> dict[str, Any]:
    """Return how such a function is written that is multiplied by a power of e."""
    latex, mathml = latex_call(symbol, "", ["{0}"]), mathml_call(symbol, "", ["{0}"])
    power = f"<msup><mi>e</mi><mrow>{mathml_power}</mrow></msup>"
    return {
        "latex": rf"\left(e^{{{{{latex_power}}}}} {latex}\right)",
        "mathml": f"<mrow><mo>(</mo>{power}<mo>&InvisibleTimes;</mo>{mathml}<mo>)</mo></mrow>",
    }


_falling = (r"-\left|{0}\right|", "<mo>-</mo><mo>|</mo>{0}<mo>|</mo>")
_regular = beyond_numpy
_special = partial(beyond_numpy, autograd=False)
_second = partial(_special, infinite_at_zero=True, steep_at_zero=True, domain="> 0")
_decaying = partial(_second, range=POSITIVE, falling=True, positive=True)
_above = ("", "> 0")
J0_LEAST, J1_MOST = -0.4027593957025531, 0.5818652242815965

ENTRIES = (
    _special("j0", j0, symbol="J_0", aliases=("bessel_j0", "besselj0"), range=(J0_LEAST, 1.0)),
    _special("j1", j1, symbol="J_1", aliases=("bessel_j1", "besselj1"), range=(-J1_MOST, J1_MOST)),
    _special(
        "jn",
        first_kind,
        "special.jv({0}, {1})",
        nodes=bessel_jn,
        symbol="J_{0}",
        aliases=("jv", "besselj"),
        range=(-1.0, 1.0),
    ),
    _second("y0", y0, symbol="Y_0", aliases=("bessel_y0", "bessely0")),
    _second("y1", y1, symbol="Y_1", aliases=("bessel_y1", "bessely1")),
    _special(
        "yn",
        second_kind,
        "special.yv({0}, {1})",
        nodes=bessel_yn,
        symbol="Y_{0}",
        aliases=("yv", "bessely"),
        domain=_above,
    ),
    _regular(
        "i0",
        i0,
        torch="torch.special.i0({0})",
        symbol="I_0",
        aliases=("modified_bessel_i0",),
        range=(1.0, float("inf")),
        positive=True,
    ),
    _regular("i1", i1, torch="torch.special.i1({0})", symbol="I_1", aliases=("modified_bessel_i1",), rising=True),
    _special("iv", modified_first, nodes=iv, symbol="I_{0}", aliases=("besseli",)),
    _decaying("k0", k0, torch="torch.special.modified_bessel_k0({0})", symbol="K_0", aliases=("modified_bessel_k0",)),
    _decaying("k1", k1, torch="torch.special.modified_bessel_k1({0})", symbol="K_1", aliases=("modified_bessel_k1",)),
    _special(
        "kn",
        modified_second,
        "special.kv({0}, {1})",
        nodes=kn,
        symbol="K_{0}",
        aliases=("kv", "besselk"),
        domain=_above,
        range=POSITIVE,
        positive=True,
    ),
    _regular("i0e", i0e, torch="torch.special.i0e({0})", **_scaled("I_0", *_falling), range=(0.0, 1.0), positive=True),
    _regular("i1e", i1e, torch="torch.special.i1e({0})", **_scaled("I_1", *_falling), range=(-0.22, 0.22)),
    _decaying("k0e", k0e, torch="torch.special.scaled_modified_bessel_k0({0})", **_scaled("K_0", "{0}", "{0}")),
    _decaying("k1e", k1e, torch="torch.special.scaled_modified_bessel_k1({0})", **_scaled("K_1", "{0}", "{0}")),
)
DERIVED = (
    _special("i0e_slope", i0e_slope, torch="(torch.special.i1e({0}) - torch.sign({0}) * torch.special.i0e({0}))"),
    _special("i1e_slope", i1e_slope),
    _special("k0e_slope", k0e_slope),
)
