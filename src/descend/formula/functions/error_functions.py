"""The error function's relatives: the normal distribution, the Voigt profile, Dawson's integral."""

from __future__ import annotations

import sympy
from sympy import Expr

from descend.formula.error_function import ERFC_IN_SQL
from descend.formula.functions.entry import POSITIVE, beyond_numpy
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


ENTRIES = (
    beyond_numpy("erfcx", erfcx, torch="torch.special.erfcx({0})", range=POSITIVE, falling=True, positive=True),
    beyond_numpy(
        "erfinv", erfinv, torch="torch.special.erfinv({0})", symbol="erf^-1", domain="above -1 and below 1", rising=True
    ),
    beyond_numpy(
        "erfcinv",
        erfcinv,
        torch="(-torch.special.ndtri(0.5 * ({0})) / 1.4142135623730951)",
        symbol="erfc^-1",
        domain="above 0 and below 2",
        falling=True,
    ),
    beyond_numpy(
        "normal_cdf",
        normal_cdf,
        "special.ndtr({0})",
        torch=f"0.5 * torch.erfc(({{0}}) * -{BY_ROOT_2!r})",
        sql=f"0.5 * ({ERFC_IN_SQL.replace('{0}', f'(-{BY_ROOT_2!r} * ({{0}}))')})",
        symbol="Φ",
        aliases=("ndtr", "pnorm", "normcdf"),
        range=(0.0, 1.0),
        rising=True,
        positive=True,
        query_repeats=True,
    ),
    beyond_numpy(
        "log_ndtr",
        log_ndtr,
        torch="torch.special.log_ndtr({0})",
        symbol="log Φ",
        range=(-float("inf"), 0.0),
        rising=True,
    ),
    beyond_numpy(
        "ndtri",
        ndtri,
        torch="torch.special.ndtri({0})",
        symbol="Φ^-1",
        aliases=("qnorm", "norminv", "probit"),
        domain="above 0 and below 1",
        rising=True,
    ),
    beyond_numpy("dawsn", dawsn, range=(-0.5410442246351817, 0.5410442246351817)),
    beyond_numpy(
        "voigt_profile",
        voigt_profile,
        latex=r"V\left({0}; {1}, {2}\right)",
        mathml="<mrow><mi>V</mi><mo>(</mo>{0}<mo>;</mo>{1}<mo>,</mo>{2}<mo>)</mo></mrow>",
        domain=("", ">= 0", ">= 0"),
        range=POSITIVE,
        positive=True,
        units="u -> 1/u",
    ),
)
DERIVED = tuple(beyond_numpy(each.__name__, each) for each in (erfcx_slope, dawsn_slope, voigt_slope, voigt_dispersion))
