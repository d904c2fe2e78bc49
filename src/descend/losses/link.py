"""Finds the argument of a loss's link function in a formula whose outermost function is that link."""

from __future__ import annotations

from functools import lru_cache

import sympy
from sympy import Expr

from descend.formula.functions import NAMES


@lru_cache(maxsize=128)
def log_odds(probability: Expr) -> Expr | None:
    """Return u where the outermost function of a formula is sigmoid(u), however written; None elsewhere.

    1 / (1 + exp(-u)), exp(u) / (1 + exp(u)), 1 - sigmoid(-u) and (1 + tanh(u/2)) / 2 are sigmoid(u).
    """
    if NAMES.get(probability.func) == "sigmoid":
        return probability.args[0]
    if probability.is_Add and len(probability.args) == 2:
        constant, summand = probability.as_coeff_Add()
        factor, inner = summand.as_coeff_Mul()
        if (constant, factor) == (1, -1) and inner.is_Function:
            turned = log_odds(inner)
            return None if turned is None else -turned
        if constant == sympy.Rational(1, 2) and abs(factor) == constant and NAMES.get(inner.func) == "tanh":
            return 4 * factor * inner.args[0]
        return None
    above, below = probability.as_numer_denom() if probability.is_Mul or probability.is_Pow else (probability, None)
    if below is None or not below.is_Add:
        return None
    # SymPy clears exp(-u) from a denominator, so it multiplies the numerator too.
    odds, against = _exponent(above), _exponent(below - above)
    return None if odds is None or against is None else odds - against


def _exponent(value: Expr) -> Expr | None:
    """Return v where a value is exp(v); None elsewhere."""
    if value == 1:
        return sympy.Integer(0)
    return value.args[0] if NAMES.get(value.func) == "exp" else None
