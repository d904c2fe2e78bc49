"""The gamma function and its relatives, exponential integrals, and others defined by integrals or as inverses."""

from __future__ import annotations

from functools import partial

import sympy
from sympy import Expr

from descend.formula.functions.entry import POSITIVE, Function, beyond_numpy
from descend.formula.real_functions import RealFunction, of_order, real_function

Kind = type[RealFunction]
polygamma: Kind = real_function("polygamma", of_order, lambda n, x: polygamma(n + 1, x))
digamma = real_function("digamma", lambda x: polygamma(1, x))
lgamma = real_function("lgamma", digamma)  # occurs in densities
gamma: Kind = real_function("gamma", lambda x: gamma(x) * digamma(x))
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

GAMMA_IN_TORCH = "(lambda v: torch.exp(torch.lgamma(v)) * (1 - 2 * ((v < 0) & (torch.floor(v) % 2 == 1))))({0})"
"""PyTorch has the logarithm only; the sign of gamma(v) alternates between the negative whole numbers."""
_singular = partial(beyond_numpy, infinite_at_zero=True, steep_at_zero=True)
_portion = partial(beyond_numpy, domain=("> 0", ">= 0"), range=(0.0, 1.0), autograd=False)


def _polygamma(n: Expr, x: Expr) -> Expr:
    return digamma(x) if n == 0 else polygamma(n, x)


ENTRIES = (
    Function("gamma", gamma, torch=GAMMA_IN_TORCH, library="special", symbol="Γ", aliases=("tgamma",)),
    _singular(
        "lgamma",
        lgamma,
        "special.gammaln({0})",
        torch="torch.lgamma({0})",
        symbol="log Γ",
        aliases=("gammaln", "loggamma", "lngamma"),
    ),
    _singular("digamma", digamma, torch="torch.digamma({0})", symbol="ψ", aliases=("psi",)),
    beyond_numpy("polygamma", _polygamma, torch="torch.polygamma({0}, {1})", symbol="ψ^({0})", nodes=polygamma),
    beyond_numpy(
        "beta",
        beta,
        torch="torch.exp(torch.lgamma({0}) + torch.lgamma({1}) - torch.lgamma(({0}) + ({1})))",
        symbol="B",
        domain=("> 0", "> 0"),
        range=POSITIVE,
        positive=True,
    ),
    beyond_numpy(
        "betaln",
        betaln,
        torch="(torch.lgamma({0}) + torch.lgamma({1}) - torch.lgamma(({0}) + ({1})))",
        symbol="log B",
        aliases=("lbeta",),
        domain=("> 0", "> 0"),
    ),
    # PyTorch has both, to nine digits where the order is large and near the argument.
    _portion("gammainc", gammainc),
    _portion("gammaincc", gammaincc),
    _singular(
        "exp1", exp1, symbol="E_1", aliases=("expint",), domain="> 0", range=POSITIVE, falling=True, positive=True
    ),
    _singular("expi", expi, symbol="Ei", domain="!= 0"),
    beyond_numpy(
        "lambertw",
        lambertw,
        "np.real(special.lambertw({0}))",
        symbol="W",
        aliases=("lambert_w",),
        domain=">= -1/e",
        range=(-1.0, float("inf")),
        rising=True,
    ),
)
DERIVED = (
    beyond_numpy(
        "digamma_gap", digamma_gap, torch="(torch.digamma(({0}) + ({1})) - torch.digamma({0}))", positive=True
    ),
    beyond_numpy("gamma_density", gamma_density, range=POSITIVE, positive=True),
    beyond_numpy("gammainc_slope", gammainc_slope),
    beyond_numpy("gamma_tail", gamma_tail),
    beyond_numpy("gamma_tail_density", gamma_tail_density, range=POSITIVE),
    beyond_numpy("gamma_tail_slope", gamma_tail_slope),
    beyond_numpy("lambertw_slope", lambertw_slope, range=POSITIVE, positive=True),
)
