"""The gamma function, the normal distribution and their relatives as Ibis values, in arithmetic every database has.

Each keeps the digits of a double over its whole range, but where it crosses 0, as the logarithm of gamma does at 1 and
2: there it is right to 1e-14.

Sources: DLMF 5.11 (Stirling's series, for arguments raised above 10 by the recurrence), 5.5.3 (reflection); Wichura
(1988), The percentage points of the normal distribution, Appl. Statist. 37, 477-484.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from descend.formula.error_function import coefficients

if TYPE_CHECKING:
    from ibis.expr.types import FloatingValue as Value


class Arithmetic(Protocol):
    """The functions of a database that these are made of; `printers.database.DatabaseFunctions` has them."""

    def divided(self, upper: Value, lower: Value) -> Value: ...
    def exp(self, x: Value) -> Value: ...
    def log(self, x: Value) -> Value: ...
    def log1p(self, u: Value) -> Value: ...
    def sqrt(self, x: Value) -> Value: ...
    def sign(self, x: Value) -> Value: ...
    def erfc(self, x: Value) -> Value: ...
    def erf_near(self, x: Value) -> Value: ...
    def erfcx_far(self, u: Value) -> Value: ...


RAISED = 10
"""How far arguments below are raised, so that a few terms of Stirling's series are exact."""
STIRLING = (1 / 156, -691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12)
"""Of log gamma(x) - (x - 1/2) log x + x - log(2 pi)/2, in 1/x times powers of 1/x^2, the highest first."""
DIGAMMA = (1 / 12, -691 / 32760, 1 / 132, -1 / 240, 1 / 252, -1 / 120, 1 / 12)
"""Of log x - 1/(2 x) - digamma(x), in 1/x^2 times powers of 1/x^2, the highest first."""
CENTRE_UPPER = coefficients(
    "2.5090809287301226727e3 3.3430575583588128105e4 6.7265770927008700853e4 4.5921953931549871457e4 "
    "1.3731693765509461125e4 1.9715909503065514427e3 1.3314166789178437745e2 3.3871328727963666080"
)
CENTRE_LOWER = coefficients(
    "5.2264952788528545610e3 2.8729085735721942674e4 3.9307895800092710610e4 2.1213794301586595867e4 "
    "5.3941960214247511077e3 6.8718700749205790830e2 4.2313330701600911252e1 1"
)
"""Of ndtri(1/2 + q)/q in 0.180625 - q^2, up to |q| = 0.425."""
TAIL_UPPER = coefficients(
    "7.74545014278341407640e-4 2.27238449892691845833e-2 2.41780725177450611770e-1 1.27045825245236838258 "
    "3.64784832476320460504 5.76949722146069140550 4.63033784615654529590 1.42343711074968357734"
)
TAIL_LOWER = coefficients(
    "1.05075007164441684324e-9 5.47593808499534494600e-4 1.51986665636164571966e-2 1.48103976427480074590e-1 "
    "6.89767334985100004550e-1 1.67638483018380384940 2.05319162663775882187 1"
)
"""Of -ndtri(p) in r - 1.6, where r^2 = -log p, up to r = 5."""
END_UPPER = coefficients(
    "2.01033439929228813265e-7 2.71155556874348757815e-5 1.24266094738807843860e-3 2.65321895265761230930e-2 "
    "2.96560571828504891230e-1 1.78482653991729133580 5.46378491116411436990 6.65790464350110377720"
)
END_LOWER = coefficients(
    "2.04426310338993978564e-15 1.42151175831644588870e-7 1.84631831751005468180e-5 7.86869131145613259100e-4 "
    "1.48753612908506148525e-2 1.36929880922735805310e-1 5.99832206555887937690e-1 1"
)
"""Of -ndtri(p) in r - 5, beyond."""
ROOT_2, ROOT_2PI = math.sqrt(2.0), math.sqrt(2.0 * math.pi)


def literal(value: float) -> Value:
    """Return a number in double precision."""
    import ibis

    return ibis.literal(value, "float64")


def horner(coefficients: Sequence[float], u: Value) -> Value:
    """Return a polynomial in u, the highest power first."""
    value = literal(coefficients[0])
    for each in coefficients[1:]:
        value = value * u + each
    return value


def _raised(x: Value) -> tuple[Value, Value, Value]:
    """Return x > 0, raised by RAISED where it is below that; whether it was raised; and x where it was, else 1."""
    low = x < float(RAISED)
    return low.ifelse(x + float(RAISED), x), low, low.ifelse(x, literal(1.0))


def _product(x: Value) -> Value:
    product = x
    for step in range(1, RAISED):
        product = product * (x + float(step))
    return product


def _from_whole(x: Value) -> Value:
    """Return the distance of x from the nearest whole number, between -1/2 and 1/2."""
    return x - (x + 0.5).floor()


def _positive(x: Value, function: Callable[[Value], Value], reflected: Callable[[Value, Value], Value]) -> Value:
    """Return function(x) where x > 0, and reflected(x, function(1 - x)) elsewhere."""
    above = x > 0.0
    safe_x = above.ifelse(x, 1.0 - x)
    return above.ifelse(function(safe_x), reflected(above.ifelse(literal(-0.5), x), function(safe_x)))


def log_gamma(database: Arithmetic, x: Value) -> Value:
    """Return log |gamma(x)|."""

    def above(x: Value) -> Value:
        large, low, safe_x = _raised(x)
        inverse = 1.0 / large
        series = horner(STIRLING, inverse * inverse) * inverse
        stirling = (large - 0.5) * large.ln() - large + (0.5 * math.log(2.0 * math.pi)) + series
        return stirling - low.ifelse(_product(safe_x).ln(), literal(0.0))

    def below(x: Value, mirrored: Value) -> Value:
        return database.log(database.divided(literal(math.pi), (math.pi * _from_whole(x)).sin().abs())) - mirrored

    return _positive(x, above, below)


def gamma(database: Arithmetic, x: Value) -> Value:
    """Return gamma(x). It is a power of x, not an exponential of its own logarithm, which would lose digits."""

    def above(x: Value) -> Value:
        x = (x > 171.7).ifelse(literal(171.7), x)
        large, low, safe_x = _raised(x)
        inverse = 1.0 / large
        series = (horner(STIRLING, inverse * inverse) * inverse).exp()
        root = large ** (0.5 * large - 0.25) * (-0.5 * large).exp()
        return ROOT_2PI * root * (root * series) / low.ifelse(_product(safe_x), literal(1.0))

    def below(x: Value, mirrored: Value) -> Value:
        odd = ((x + 0.5).floor() * 0.5 - ((x + 0.5).floor() * 0.5).floor()) > 0.25
        sine = (math.pi * _from_whole(x)).sin()
        return database.divided(literal(math.pi), odd.ifelse(-sine, sine) * mirrored)

    gamma_value = _positive(x, above, below)
    return (x > 171.63).ifelse(literal(math.inf), gamma_value)


def digamma(database: Arithmetic, x: Value) -> Value:
    """Return the derivative of log gamma(x)."""

    def above(x: Value) -> Value:
        large, low, safe_x = _raised(x)
        inverse = 1.0 / large
        square = inverse * inverse
        raised = large.ln() - 0.5 * inverse - horner(DIGAMMA, square) * square
        steps = literal(0.0)
        for step in range(RAISED):
            steps = steps + 1.0 / (safe_x + float(step))
        return raised - low.ifelse(steps, literal(0.0))

    def below(x: Value, mirrored: Value) -> Value:
        return mirrored - database.divided(literal(math.pi), (math.pi * _from_whole(x)).tan())

    return _positive(x, above, below)


def erfcx(database: Arithmetic, x: Value) -> Value:
    """Return exp(x^2) erfc(x)."""
    size = x.abs()
    near = database.exp(x * x) * (1.0 - database.erf_near(x))
    far = database.erfcx_far(size)
    return (size <= 0.46875).ifelse(near, (x < 0.0).ifelse(2.0 * database.exp(x * x) - far, far))


def normal_cdf(database: Arithmetic, x: Value) -> Value:
    """Return the probability of less than x."""
    return 0.5 * database.erfc(x / -ROOT_2)


def _centre(q: Value) -> Value:
    r = 0.180625 - q * q
    return q * horner(CENTRE_UPPER, r) / horner(CENTRE_LOWER, r)


def _below(database: Arithmetic, p: Value) -> Value:
    """Return -ndtri(p) for p < 0.075."""
    safe_p = (p < 0.075).ifelse(p, literal(0.05))
    r = (-database.log(safe_p)).sqrt()
    tail = horner(TAIL_UPPER, r - 1.6) / horner(TAIL_LOWER, r - 1.6)
    return (r <= 5.0).ifelse(tail, horner(END_UPPER, r - 5.0) / horner(END_LOWER, r - 5.0))


def ndtri(database: Arithmetic, p: Value) -> Value:
    """Return the x below which a share p of the normal distribution lies."""
    q = p - 0.5
    central = (q.abs() <= 0.425).ifelse(q, literal(0.0))
    ends = (q < 0.0).ifelse(-_below(database, p), _below(database, 1.0 - p))
    return (q.abs() <= 0.425).ifelse(_centre(central), ends)


def erfinv(database: Arithmetic, p: Value) -> Value:
    """Return the x of which p is the error function."""
    centre = p.abs() <= 0.85
    end = _below(database, 0.5 * (1.0 - p.abs()))
    return centre.ifelse(_centre(0.5 * centre.ifelse(p, literal(0.0))), (p < 0.0).ifelse(-end, end)) / ROOT_2


def erfcinv(database: Arithmetic, p: Value) -> Value:
    """Return the x of which p is 1 minus the error function."""
    q = 0.5 - 0.5 * p
    centre = q.abs() <= 0.425
    ends = (q > 0.0).ifelse(_below(database, 0.5 * p), -_below(database, 1.0 - 0.5 * p))
    return centre.ifelse(_centre(centre.ifelse(q, literal(0.0))), ends) / ROOT_2


def asinh(database: Arithmetic, x: Value) -> Value:
    """Return the inverse of sinh."""
    size = x.abs()
    safe_size = (size > 1e8).ifelse(literal(1.0), size)
    near = database.log1p(safe_size + safe_size * safe_size / (1.0 + (1.0 + safe_size * safe_size).sqrt()))
    far = database.log((size > 1e8).ifelse(size, literal(1.0))) + math.log(2.0)
    return database.sign(x) * (size > 1e8).ifelse(far, near)


def acosh(database: Arithmetic, x: Value) -> Value:
    """Return the inverse of cosh."""
    above = (x > 1e8).ifelse(literal(0.0), x - 1.0)
    near = database.log1p(above + database.sqrt(2.0 * above + above * above))
    return (x > 1e8).ifelse(database.log((x > 1e8).ifelse(x, literal(1.0))) + math.log(2.0), near)


def atanh(database: Arithmetic, x: Value) -> Value:
    """Return the inverse of tanh."""
    return 0.5 * database.sign(x) * database.log1p(database.divided(2.0 * x.abs(), 1.0 - x.abs()))


def logit(database: Arithmetic, p: Value) -> Value:
    """Return log(p/(1 - p)); around 1/2, where that is 0, by the distance from there."""
    centre = (p > 0.3) & (p < 0.7)
    safe_p = centre.ifelse(p, literal(0.5))
    near = database.log1p((2.0 * safe_p - 1.0) / (1.0 - safe_p))
    return centre.ifelse(near, database.log(database.divided(p, 1.0 - p)))


SPECIAL: dict[str, Callable[..., Value]] = {
    **{"gamma": gamma, "lgamma": log_gamma, "digamma": digamma},
    **{"erfcx": erfcx, "normal_cdf": normal_cdf},
    **{"ndtri": ndtri, "erfinv": erfinv, "erfcinv": erfcinv},
    **{"asinh": asinh, "acosh": acosh, "atanh": atanh, "logit": logit},
}
"""By name. Most take an argument dozens of times, so a database must be able to name it."""
