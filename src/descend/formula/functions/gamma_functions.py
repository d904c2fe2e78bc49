"""The gamma function's relatives, exponential integrals, and other functions defined by integrals or as inverses."""

from __future__ import annotations

from functools import partial

import sympy
from sympy import Expr

from descend.formula.functions.entry import POSITIVE, Function
from descend.formula.real_functions import RealFunction, digamma, lgamma, of_order, polygamma, real_function

Kind = type[RealFunction]
# digamma(a + b) - digamma(a), whose two terms nearly cancel where b is small.
digamma_gap: Kind = real_function(
    "digamma_gap", lambda a, b: polygamma(1, a + b) - polygamma(1, a), lambda a, b: polygamma(1, a + b)
)
beta: Kind = real_function(
    "beta", lambda a, b: -beta(a, b) * digamma_gap(a, b), lambda a, b: -beta(a, b) * digamma_gap(b, a)
)
betaln = real_function("betaln", lambda a, b: -digamma_gap(a, b), lambda a, b: -digamma_gap(b, a))
gamma_density: Kind = real_function(
    "gamma_density",
    lambda a, x: gamma_density(a, x) * (sympy.log(x) - digamma(a)),
    lambda a, x: gamma_density(a, x) * ((a - 1) / x - 1),
)


def _density_slope(n: Expr, a: Expr, x: Expr) -> Expr:
    """Return the n-th derivative of the density by a, n being 1, 2 or 3."""
    u, variance = sympy.log(x) - digamma(a), polygamma(1, a)
    polynomials = {1: u, 2: u**2 - variance, 3: u**3 - 3 * u * variance - polygamma(2, a)}
    return gamma_density(a, x) * polynomials[int(n)]


gammainc_slope: Kind = real_function(
    "gammainc_slope", of_order, lambda n, a, x: gammainc_slope(n + 1, a, x), _density_slope
)
gammainc = real_function("gammainc", lambda a, x: gammainc_slope(1, a, x), gamma_density)
gammaincc = real_function("gammaincc", lambda a, x: -gammainc_slope(1, a, x), lambda a, x: -gamma_density(a, x))


def _sign(upper: Expr) -> Expr:
    return 1 - 2 * upper


# The logarithms of gammainc (order 0) and gammaincc (order 1), and what they change by. An order of 2 n, and 1 more of
# the upper tail, stands for the n-th derivative of a tail by a, over the tail.
gamma_tail: Kind = real_function(
    "gamma_tail",
    of_order,
    lambda t, a, x: gamma_tail_slope(2 + t, a, x),
    lambda t, a, x: _sign(t) * gamma_tail_density(t, a, x),
)
gamma_tail_density: Kind = real_function(
    "gamma_tail_density",
    of_order,
    lambda t, a, x: gamma_tail_density(t, a, x) * (sympy.log(x) - digamma(a) - gamma_tail_slope(2 + t, a, x)),
    lambda t, a, x: gamma_tail_density(t, a, x) * ((a - 1) / x - 1 - _sign(t) * gamma_tail_density(t, a, x)),
)


def _tail_by_x(m: Expr, a: Expr, x: Expr) -> Expr:
    """Return the derivative by x of the n-th derivative of a tail by a, n being 1, 2 or 3, over the tail."""
    n, upper = divmod(int(m), 2)
    u, variance = sympy.log(x) - digamma(a), polygamma(1, a)
    of_density = {1: u, 2: u**2 - variance, 3: u**3 - 3 * u * variance - polygamma(2, a)}[n]
    return _sign(upper) * gamma_tail_density(upper, a, x) * (of_density - gamma_tail_slope(m, a, x))


gamma_tail_slope: Kind = real_function(
    "gamma_tail_slope",
    of_order,
    lambda m, a, x: gamma_tail_slope(m + 2, a, x) - gamma_tail_slope(2 + m % 2, a, x) * gamma_tail_slope(m, a, x),
    _tail_by_x,
)
exp1 = real_function("exp1", lambda x: -sympy.exp(-x) / x)
expi = real_function("expi", lambda x: sympy.exp(x) / x)
lambertw_slope: Kind = real_function(
    "lambertw_slope", lambda x: -(lambertw_slope(x) ** 3) * sympy.exp(lambertw(x)) * (2 + lambertw(x))
)
lambertw: Kind = real_function("lambertw", lambertw_slope)

_special = partial(Function, sql=None, torch=None)
_pair = partial(_special, arguments=(2, 2))

_portion = partial(_pair, domain=("> 0", ">= 0"), range=(0.0, 1.0), autograd=False)


def _polygamma(n: Expr, x: Expr) -> Expr:
    return digamma(x) if n == 0 else polygamma(n, x)


ENTRIES = (
    _special(
        "lgamma",
        lgamma,
        "special.gammaln({0})",
        torch="torch.lgamma({0})",
        latex=r"\log \Gamma\left({0}\right)",
        mathml="<mrow><mi>ln</mi><mo>&InvisibleTimes;</mo><mi>Γ</mi><mo>(</mo>{0}<mo>)</mo></mrow>",
        aliases=("gammaln", "loggamma", "lngamma"),
        infinite_at_zero=True,
        steep_at_zero=True,
    ),
    _special(
        "digamma",
        digamma,
        "special.digamma({0})",
        torch="torch.digamma({0})",
        latex=r"\psi\left({0}\right)",
        mathml="<mrow><mi>ψ</mi><mo>(</mo>{0}<mo>)</mo></mrow>",
        aliases=("psi",),
        infinite_at_zero=True,
        steep_at_zero=True,
    ),
    _pair(
        "polygamma",
        _polygamma,
        "special.polygamma({0}, {1})",
        torch="torch.polygamma({0}, {1})",
        nodes=polygamma,
        orders=(0,),
        latex=r"\psi^{{\left({0}\right)}}\left({1}\right)",
        mathml="<mrow><msup><mi>ψ</mi><mrow><mo>(</mo>{0}<mo>)</mo></mrow></msup><mo>(</mo>{1}<mo>)</mo></mrow>",
    ),
    _pair(
        "beta",
        beta,
        "special.beta({0}, {1})",
        torch="torch.exp(torch.lgamma({0}) + torch.lgamma({1}) - torch.lgamma(({0}) + ({1})))",
        latex=r"\operatorname{{B}}\left({0}, {1}\right)",
        mathml="<mrow><mi>B</mi><mo>(</mo>{0}<mo>,</mo>{1}<mo>)</mo></mrow>",
        domain=("> 0", "> 0"),
        range=POSITIVE,
        positive=True,
    ),
    _pair(
        "betaln",
        betaln,
        "special.betaln({0}, {1})",
        torch="(torch.lgamma({0}) + torch.lgamma({1}) - torch.lgamma(({0}) + ({1})))",
        latex=r"\log \operatorname{{B}}\left({0}, {1}\right)",
        mathml="<mrow><mi>log</mi><mo>&InvisibleTimes;</mo><mi>B</mi><mo>(</mo>{0}<mo>,</mo>{1}<mo>)</mo></mrow>",
        aliases=("lbeta",),
        domain=("> 0", "> 0"),
    ),
    # PyTorch has both, to nine digits where the order is large and near the argument.
    _portion("gammainc", gammainc, "special.gammainc({0}, {1})"),
    _portion("gammaincc", gammaincc, "special.gammaincc({0}, {1})"),
    _special(
        "exp1",
        exp1,
        "special.exp1({0})",
        latex=r"E_1\left({0}\right)",
        mathml="<mrow><msub><mi>E</mi><mn>1</mn></msub><mo>(</mo>{0}<mo>)</mo></mrow>",
        aliases=("expint",),
        domain="> 0",
        range=POSITIVE,
        falling=True,
        positive=True,
        infinite_at_zero=True,
        steep_at_zero=True,
    ),
    _special(
        "expi",
        expi,
        "special.expi({0})",
        latex=r"\operatorname{{Ei}}\left({0}\right)",
        mathml="<mrow><mi>Ei</mi><mo>(</mo>{0}<mo>)</mo></mrow>",
        domain="!= 0",
        infinite_at_zero=True,
        steep_at_zero=True,
    ),
    _special(
        "lambertw",
        lambertw,
        "np.real(special.lambertw({0}))",
        latex=r"W\left({0}\right)",
        mathml="<mrow><mi>W</mi><mo>(</mo>{0}<mo>)</mo></mrow>",
        aliases=("lambert_w",),
        domain=">= -1/e",
        range=(-1.0, float("inf")),
        rising=True,
    ),
)
DERIVED = (
    _pair(
        "digamma_gap",
        digamma_gap,
        "special.digamma_gap({0}, {1})",
        torch="(torch.digamma(({0}) + ({1})) - torch.digamma({0}))",
        positive=True,
    ),
    _pair("gamma_density", gamma_density, "special.gamma_density({0}, {1})", range=POSITIVE, positive=True),
    _special("gammainc_slope", gammainc_slope, "special.gammainc_slope({0}, {1}, {2})", arguments=(3, 3), orders=(0,)),
    _special("gamma_tail", gamma_tail, "special.gamma_tail({0}, {1}, {2})", arguments=(3, 3), orders=(0,)),
    _special(
        "gamma_tail_density",
        gamma_tail_density,
        "special.gamma_tail_density({0}, {1}, {2})",
        arguments=(3, 3),
        orders=(0,),
        range=POSITIVE,
    ),
    _special(
        "gamma_tail_slope", gamma_tail_slope, "special.gamma_tail_slope({0}, {1}, {2})", arguments=(3, 3), orders=(0,)
    ),
    _special("lambertw_slope", lambertw_slope, "special.lambertw_slope({0})", range=POSITIVE, positive=True),
)
