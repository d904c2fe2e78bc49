"""erf and erfc by rational approximations, for databases, few of which have them.

Source: Cody (1969), Rational Chebyshev approximations for the error function, Math. Comput. 23, 631-637.
"""

from __future__ import annotations

from collections.abc import Sequence

ONE_BY_ROOT_PI = 0.5641895835477563


def coefficients(text: str) -> tuple[float, ...]:
    """Return the coefficients of a polynomial, as they are listed."""
    return tuple(map(float, text.split()))


# Numerators and denominators, highest powers first, to full double precision:
# of erf(x)/x in x^2 up to 0.46875,
ERF_UPPER = coefficients(
    "1.85777706184603153e-1 3.16112374387056560 1.13864154151050156e2 3.77485237685302021e2 3.20937758913846947e3"
)
ERF_LOWER = coefficients("1.0 2.36012909523441209e1 2.44024637934444173e2 1.28261652607737228e3 2.84423683343917062e3")
# of erfc(x) exp(x^2) in x up to 4,
ERFC_UPPER = coefficients(
    "2.15311535474403846e-8 5.64188496988670089e-1 8.88314979438837594 6.61191906371416295e1 2.98635138197400131e2 "
    "8.81952221241769090e2 1.71204761263407058e3 2.05107837782607147e3 1.23033935479799725e3"
)
ERFC_LOWER = coefficients(
    "1.0 1.57449261107098347e1 1.17693950891312499e2 5.37181101862009858e2 1.62138957456669019e3 "
    "3.29079923573345963e3 4.36261909014324716e3 3.43936767414372164e3 1.23033935480374942e3"
)
# and beyond that, in 1/x^2, of the difference from 1/sqrt(pi).
FAR_UPPER = coefficients(
    "1.63153871373020978e-2 3.05326634961232344e-1 3.60344899949804439e-1 1.25781726111229246e-1 "
    "1.60837851487422766e-2 6.58749161529837803e-4"
)
FAR_LOWER = coefficients(
    "1.0 2.56852019228982242 1.87295284992346725 5.27905102951428412e-1 6.05183413124413191e-2 2.33520497626869185e-3"
)


def _horner(coefficients: Sequence[float], u: str) -> str:
    text = repr(coefficients[0])
    for each in coefficients[1:]:
        text = f"({text} * {u} + {each!r})"
    return text


def _in_sql(complement: bool) -> str:
    """Write erf, or its complement erfc, of ``{0}`` in SQL."""
    u = "abs({0})"
    square = f"({u} * {u})"
    small = f"({{0}}) * {_horner(ERF_UPPER, square)} / {_horner(ERF_LOWER, square)}"
    cut = f"(floor({u} * 16.0) / 16.0)"
    bell = f"exp(-{cut} * {cut}) * exp(-({u} - {cut}) * ({u} + {cut}))"
    middle = f"{bell} * {_horner(ERFC_UPPER, u)} / {_horner(ERFC_LOWER, u)}"
    inverse = f"(1.0 / {square})"
    lacking = f"{inverse} * {_horner(FAR_UPPER, inverse)} / {_horner(FAR_LOWER, inverse)}"
    far = f"{bell} * ({ONE_BY_ROOT_PI!r} - {lacking}) / {u}"
    tail = f"case when {u} > 26.5 then 0.0 when {u} > 4.0 then {far} else {middle} end"
    if complement:
        return f"case when {u} <= 0.46875 then 1.0 - {small} when {{0}} < 0.0 then 2.0 - {tail} else {tail} end"
    return f"case when {u} <= 0.46875 then {small} else sign({{0}}) * (1.0 - {tail}) end"


ERF_IN_SQL, ERFC_IN_SQL = _in_sql(complement=False), _in_sql(complement=True)
