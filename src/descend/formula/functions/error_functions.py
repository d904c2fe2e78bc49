"""The error function's relatives: the normal distribution, the Voigt profile, Dawson's integral."""

from __future__ import annotations

from functools import partial

import sympy
from sympy import Expr

from descend.formula.error_function import ERFC_IN_SQL
from descend.formula.functions.entry import POSITIVE, Function
from descend.formula.real_functions import RealFunction, of_order, real_function

ROOT_PI, ROOT_2PI = sympy.sqrt(sympy.pi), sympy.sqrt(2 * sympy.pi)
BY_ROOT_2 = 0.7071067811865476


def _bell(u: Expr) -> Expr:
    return sympy.exp(-(u**2) / 2) / ROOT_2PI


erfcx_slope: type[RealFunction] = real_function(
    "erfcx_slope",
    of_order,
    lambda n, x: erfcx_slope(n + 1, x),  # in this form it keeps its digits for a large x
)
erfcx = real_function("erfcx", lambda x: erfcx_slope(1, x))
erfinv: type[RealFunction] = real_function("erfinv", lambda p: ROOT_PI / 2 * sympy.exp(erfinv(p) ** 2))
# The exponentials of its square, and of that of ndtri, are written by erfcx, which is exact at both ends.
erfcinv: type[RealFunction] = real_function("erfcinv", lambda p: -ROOT_PI / 2 * erfcx(erfcinv(p)) / p)
normal_cdf = real_function("normal_cdf", _bell)
log_ndtr = real_function("log_ndtr", lambda x: sympy.sqrt(2 / sympy.pi) / erfcx(-x / sympy.sqrt(2)))
ndtri: type[RealFunction] = real_function(
    "ndtri", lambda p: sympy.sqrt(sympy.pi / 2) * erfcx(-ndtri(p) / sympy.sqrt(2)) / p
)
dawsn_slope: type[RealFunction] = real_function("dawsn_slope", of_order, lambda n, x: dawsn_slope(n + 1, x))
dawsn = real_function("dawsn", lambda x: dawsn_slope(1, x))
# V + iL is an analytic function of x + i gamma and solves the heat equation: dV/dgamma = -dL/dx, dV/dsigma = sigma V''.
voigt_slope: type[RealFunction] = real_function(
    "voigt_slope",
    of_order,
    lambda n, x, sigma, gamma: voigt_slope(n + 1, x, sigma, gamma),
    lambda n, x, sigma, gamma: sigma * voigt_slope(n + 2, x, sigma, gamma),
    lambda n, x, sigma, gamma: -voigt_dispersion(n + 1, x, sigma, gamma),
)
voigt_dispersion: type[RealFunction] = real_function(
    "voigt_dispersion",
    of_order,
    lambda n, x, sigma, gamma: voigt_dispersion(n + 1, x, sigma, gamma),
    lambda n, x, sigma, gamma: sigma * voigt_dispersion(n + 2, x, sigma, gamma),
    lambda n, x, sigma, gamma: voigt_slope(n + 1, x, sigma, gamma),
)
voigt_profile = real_function(
    "voigt_profile",
    lambda x, sigma, gamma: voigt_slope(1, x, sigma, gamma),
    lambda x, sigma, gamma: sigma * voigt_slope(2, x, sigma, gamma),
    lambda x, sigma, gamma: -voigt_dispersion(1, x, sigma, gamma),
)


def _inverse(name: str) -> str:
    return f"<mrow><msup><mi>{name}</mi><mn>-1</mn></msup><mo>(</mo>{{0}}<mo>)</mo></mrow>"


_special = partial(Function, sql=None, torch=None)
_ordered = partial(_special, orders=(0,))

ENTRIES = (
    _special(
        "erfcx",
        erfcx,
        "special.erfcx({0})",
        torch="torch.special.erfcx({0})",
        range=POSITIVE,
        falling=True,
        positive=True,
    ),
    _special(
        "erfinv",
        erfinv,
        "special.erfinv({0})",
        torch="torch.special.erfinv({0})",
        latex=r"\operatorname{{erf}}^{{-1}}\left({0}\right)",
        mathml=_inverse("erf"),
        domain="above -1 and below 1",
        rising=True,
    ),
    _special(
        "erfcinv",
        erfcinv,
        "special.erfcinv({0})",
        torch="(-torch.special.ndtri(0.5 * ({0})) / 1.4142135623730951)",
        latex=r"\operatorname{{erfc}}^{{-1}}\left({0}\right)",
        mathml=_inverse("erfc"),
        domain="above 0 and below 2",
        falling=True,
    ),
    _special(
        "normal_cdf",
        normal_cdf,
        "special.ndtr({0})",
        torch=f"0.5 * torch.erfc(({{0}}) * -{BY_ROOT_2!r})",
        sql=f"0.5 * ({ERFC_IN_SQL.replace('{0}', f'(-{BY_ROOT_2!r} * ({{0}}))')})",
        latex=r"\Phi\left({0}\right)",
        mathml="<mrow><mi>Φ</mi><mo>(</mo>{0}<mo>)</mo></mrow>",
        aliases=("ndtr", "pnorm", "normcdf"),
        range=(0.0, 1.0),
        rising=True,
        positive=True,
        query_repeats=True,
    ),
    _special(
        "log_ndtr",
        log_ndtr,
        "special.log_ndtr({0})",
        torch="torch.special.log_ndtr({0})",
        latex=r"\log \Phi\left({0}\right)",
        mathml="<mrow><mi>log</mi><mo>&InvisibleTimes;</mo><mi>Φ</mi><mo>(</mo>{0}<mo>)</mo></mrow>",
        range=(-float("inf"), 0.0),
        rising=True,
    ),
    _special(
        "ndtri",
        ndtri,
        "special.ndtri({0})",
        torch="torch.special.ndtri({0})",
        latex=r"\Phi^{{-1}}\left({0}\right)",
        mathml=_inverse("Φ"),
        aliases=("qnorm", "norminv", "probit"),
        domain="above 0 and below 1",
        rising=True,
    ),
    _special("dawsn", dawsn, "special.dawsn({0})", range=(-0.5410442246351817, 0.5410442246351817)),
    _special(
        "voigt_profile",
        voigt_profile,
        "special.voigt_profile({0}, {1}, {2})",
        latex=r"V\left({0}; {1}, {2}\right)",
        mathml="<mrow><mi>V</mi><mo>(</mo>{0}<mo>;</mo>{1}<mo>,</mo>{2}<mo>)</mo></mrow>",
        arguments=(3, 3),
        domain=("", ">= 0", ">= 0"),
        range=POSITIVE,
        positive=True,
        units="u -> 1/u",
    ),
)
DERIVED = (
    _ordered("erfcx_slope", erfcx_slope, "special.erfcx_slope({0}, {1})", arguments=(2, 2)),
    _ordered("dawsn_slope", dawsn_slope, "special.dawsn_slope({0}, {1})", arguments=(2, 2)),
    _ordered("voigt_slope", voigt_slope, "special.voigt_slope({0}, {1}, {2}, {3})", arguments=(4, 4)),
    _ordered("voigt_dispersion", voigt_dispersion, "special.voigt_dispersion({0}, {1}, {2}, {3})", arguments=(4, 4)),
)
