"""Every function of the table as a function of mpmath numbers, written independently of the library."""

from __future__ import annotations

from collections.abc import Callable

import mpmath
from mpmath import mp, mpf


def erfcx(x: mpf) -> mpf:
    return mpmath.exp(x * x) * mpmath.erfc(x)


def faddeeva(z: mpmath.mpc) -> mpmath.mpc:
    return mpmath.exp(-z * z) * mpmath.erfc(-1j * z)


def faddeeva_slope(n: int, z: mpmath.mpc) -> mpmath.mpc:
    """Return the n-th derivative of w by its recurrence, with as many more digits as that loses."""
    with mpmath.extradps(10 + int(2 * (n + 1) * max(0.0, float(mpmath.log10(abs(z) + 1))))):
        before, value = faddeeva(z), 2j / mpmath.sqrt(mp.pi) - 2 * z * faddeeva(z)
        for order in range(1, n):
            before, value = value, -2 * z * value - 2 * order * before
        return value if n else before


def voigt_slope(n: mpf, x: mpf, sigma: mpf, gamma: mpf) -> mpmath.mpc:
    scale = sigma * mpmath.sqrt(2)
    return faddeeva_slope(int(n), mpmath.mpc(x, gamma) / scale) / (mpmath.sqrt(mp.pi) * scale ** (int(n) + 1))


def lambertw(x: mpf) -> mpf:
    if x < -1 / mp.e:
        raise ValueError
    return mpmath.lambertw(x).real


def betaln(a: mpf, b: mpf) -> mpf:
    return mpmath.loggamma(a) + mpmath.loggamma(b) - mpmath.loggamma(a + b)


def portion(a: mpf, x: mpf) -> mpf:
    """Return gammainc, above its mean without the 1 that swallows its derivatives."""
    if x < a + 1:
        return mpmath.gammainc(a, 0, x, regularized=True)
    return 1 - mpmath.gammainc(a, x, mpmath.inf, regularized=True)


def gamma_tail(upper: mpf, a: mpf, x: mpf) -> mpf:
    return mpmath.gammainc(a, x, mpmath.inf, regularized=True) if upper else portion(a, x)


def langevin(u: mpf) -> mpf:
    if abs(u) > mpf("0.1"):
        return mpmath.coth(u) - 1 / u
    terms = (mpmath.bernoulli(2 * k) * (2 * u) ** (2 * k) / u / mpmath.factorial(2 * k) for k in range(1, 50))
    return sum(terms) if u else mpf(0)


def debye(u: mpf) -> mpf:
    if u < 0:
        return debye(-u) - 3 * u / 4
    if u < mpf("0.1"):
        terms = (mpmath.bernoulli(k) * u**k / (k + 3) / mpmath.factorial(k) for k in range(80))
        return 3 * sum(terms)
    ends = (mpmath.polylog(n, mpmath.exp(-u)).real for n in (2, 3, 4))
    two, three, four = ends
    integral = mp.pi**4 / 15 + u**3 * mpmath.log(-mpmath.expm1(-u)) - 3 * u**2 * two - 6 * u * three - 6 * four
    return 3 * integral / u**3


def cbrt(x: mpf) -> mpf:
    return mpmath.sign(x) * mpmath.cbrt(abs(x))


IN_MPMATH: dict[str, Callable[..., mpf]] = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "log10": mpmath.log10,
    "log2": lambda x: mpmath.log(x, 2),
    "sqrt": mpmath.sqrt,
    "log1p": mpmath.log1p,
    "expm1": mpmath.expm1,
    "cbrt": cbrt,
    "hypot": mpmath.hypot,
    "sinc": mpmath.sincpi,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "asin": mpmath.asin,
    "acos": mpmath.acos,
    "atan": mpmath.atan,
    "atan2": mpmath.atan2,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "tanh": mpmath.tanh,
    "asinh": mpmath.asinh,
    "acosh": mpmath.acosh,
    "atanh": mpmath.atanh,
    "logit": lambda p: mpmath.log(p / (1 - p)),
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "abs": abs,
    "min": min,
    "max": max,
    "erf": mpmath.erf,
    "erfc": mpmath.erfc,
    "gamma": mpmath.gamma,
    "sign": mpmath.sign,
    "floor": mpmath.floor,
    "ceil": mpmath.ceil,
    "mod": lambda a, b: a - b * mpmath.floor(a / b),
    "erfcx": erfcx,
    "erfcx_slope": lambda n, x: (mpmath.mpc(0, 1) ** int(n) * faddeeva_slope(int(n), mpmath.mpc(0, x))).real,
    "erfinv": mpmath.erfinv,
    "erfcinv": lambda p: -mpmath.erfinv(p - 1),
    "normal_cdf": mpmath.ncdf,
    "log_ndtr": lambda x: mpmath.log1p(-mpmath.ncdf(-x)) if x > 0 else mpmath.log(mpmath.ncdf(x)),
    "ndtri": lambda p: mpmath.sqrt(2) * mpmath.erfinv(2 * p - 1),
    "dawsn": lambda x: mpmath.sqrt(mp.pi) / 2 * faddeeva_slope(0, mpmath.mpc(x, 0)).imag,
    "dawsn_slope": lambda n, x: mpmath.sqrt(mp.pi) / 2 * faddeeva_slope(int(n), mpmath.mpc(x, 0)).imag,
    "voigt_profile": lambda x, sigma, gamma: voigt_slope(0, x, sigma, gamma).real,
    "voigt_slope": lambda n, x, sigma, gamma: voigt_slope(n, x, sigma, gamma).real,
    "voigt_dispersion": lambda n, x, sigma, gamma: voigt_slope(n, x, sigma, gamma).imag,
    "lgamma": lambda x: mpmath.log(abs(mpmath.gamma(x))) if abs(x) < 1e4 else mpmath.loggamma(x),
    "digamma": mpmath.digamma,
    "polygamma": lambda n, x: mpmath.polygamma(int(n), x),
    "beta": lambda a, b: mpmath.exp(betaln(a, b)),
    "betaln": betaln,
    "digamma_gap": lambda a, b: mpmath.digamma(a + b) - mpmath.digamma(a),
    "gamma_density": lambda a, x: mpmath.exp((a - 1) * mpmath.log(x) - x - mpmath.loggamma(a)),
    "gammainc": portion,
    "gammaincc": lambda a, x: mpmath.gammainc(a, x, mpmath.inf, regularized=True),
    "gammainc_slope": lambda n, a, x: mpmath.diff(lambda shape: portion(shape, x), a, int(n)),
    "gamma_tail": lambda t, a, x: mpmath.log(gamma_tail(t, a, x)),
    "gamma_tail_density": lambda t, a, x: (
        mpmath.exp((a - 1) * mpmath.log(x) - x - mpmath.loggamma(a)) / gamma_tail(t, a, x)
    ),
    "gamma_tail_slope": lambda m, a, x: (
        mpmath.diff(lambda shape: gamma_tail(int(m) % 2, shape, x), a, int(m) // 2) / gamma_tail(int(m) % 2, a, x)
    ),
    "exp1": mpmath.e1,
    "expi": mpmath.ei,
    "lambertw": lambertw,
    "lambertw_slope": lambda x: 1 / (x + mpmath.exp(lambertw(x))),
    "j0": lambda x: mpmath.besselj(0, x),
    "j1": lambda x: mpmath.besselj(1, x),
    "jn": lambda n, x: mpmath.besselj(int(n), x),
    "y0": lambda x: mpmath.bessely(0, x),
    "y1": lambda x: mpmath.bessely(1, x),
    "yn": lambda n, x: mpmath.bessely(int(n), x),
    "i0": lambda x: mpmath.besseli(0, x),
    "i1": lambda x: mpmath.besseli(1, x),
    "iv": lambda n, x: mpmath.besseli(int(n), x),
    "k0": lambda x: mpmath.besselk(0, x),
    "k1": lambda x: mpmath.besselk(1, x),
    "kn": lambda n, x: mpmath.besselk(int(n), x),
    "i0e": lambda x: mpmath.besseli(0, x) * mpmath.exp(-abs(x)),
    "i1e": lambda x: mpmath.besseli(1, x) * mpmath.exp(-abs(x)),
    "k0e": lambda x: mpmath.besselk(0, x) * mpmath.exp(x),
    "k1e": lambda x: mpmath.besselk(1, x) * mpmath.exp(x),
    "i0e_slope": lambda x: mpmath.sign(x) * (mpmath.besseli(1, abs(x)) - mpmath.besseli(0, x)) * mpmath.exp(-abs(x)),
    "i1e_slope": lambda x: (
        mpmath.exp(-abs(x)) * (mpmath.besseli(0, x) - mpmath.besseli(1, x) / x - mpmath.besseli(1, abs(x)))
    ),
    "k0e_slope": lambda x: (mpmath.besselk(0, x) - mpmath.besselk(1, x)) * mpmath.exp(x),
    "langevin_function": langevin,
    "langevin_slope": lambda n, u: mpmath.diff(langevin, u, int(n)),
    "debye_function": debye,
    "debye_slope": lambda n, u: mpmath.diff(debye, u, int(n)),
    "constant": lambda x: x,
}
SHORTHANDS: dict[str, Callable[..., mpf]] = {
    "square": lambda u: u * u,
    "reciprocal": lambda u: 1 / u,
    "exp10": lambda u: mpf(10) ** u,
    "exp2": lambda u: mpf(2) ** u,
    "normal_pdf": mpmath.npdf,
    "xlogy": lambda a, b: a * mpmath.log(b) if a else mpf(0),
    "sec": mpmath.sec,
    "csc": mpmath.csc,
    "cot": mpmath.cot,
    "sech": mpmath.sech,
    "csch": mpmath.csch,
    "coth": mpmath.coth,
    "radians": mpmath.radians,
    "degrees": mpmath.degrees,
    "sind": lambda u: mpmath.sin(mpmath.radians(u)),
    "cosd": lambda u: mpmath.cos(mpmath.radians(u)),
    "tand": lambda u: mpmath.tan(mpmath.radians(u)),
    "relu": lambda u: max(u, mpf(0)),
    "silu": lambda u: u / (1 + mpmath.exp(-u)),
    "logsigmoid": lambda u: -mpmath.log1p(mpmath.exp(-u)),
    "clip": lambda u, low, high: min(max(u, low), high),
    "logaddexp": lambda a, b: mpmath.log(mpmath.exp(a) + mpmath.exp(b)),
    "heaviside": lambda u: (1 + mpmath.sign(u)) / 2,
}
"""Functions that are short for a combination of others."""
