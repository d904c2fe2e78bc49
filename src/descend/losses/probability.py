"""Whether a formula gives a probability or log-odds, judged by the range in which it stays."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping

from sympy import Expr

from descend.formula.domain import interval
from descend.formula.functions import POSITIVE, REAL, Interval
from descend.formula.symbols import Column, Parameter, number
from descend.losses.contract import Loss
from descend.losses.link import log_odds

ROUNDING = 1e-12
"""By how much constants such as 0.3333 and 0.6667 may add up to more than 1."""
MOST_SHARES = 8
"""With more linear parameters than this, not every combination of 0 and 1 is tried."""


def taken_for(
    loss: Loss,
    formula: Expr,
    bounds: Mapping[Expr, Interval] | None = None,
    negative: Callable[[Column], bool] = lambda column: False,
) -> tuple[Loss, Mapping[Parameter, Interval]]:
    """Return the loss by which a formula is fitted, and the bounds within which that makes sense.

    A loss with a link works on the score. A formula that is the probability itself, and whose outermost function is not
    the link, is fitted by the loss of the probability. bounds, negative: see ``probability``.
    """
    if log_odds(formula) is not None:
        return loss.of_score, {}
    if loss.of_mean == loss == loss.of_score:
        return loss, {}
    within = probability(formula, bounds or {}, negative)
    return (loss, {}) if within is None else (loss.of_mean, within)


def probability(
    expression: Expr, bounds: Mapping[Expr, Interval], negative: Callable[[Column], bool]
) -> dict[Parameter, Interval] | None:
    """Return the bounds within which a formula is a probability: between 0 and 1 in every row; None if it is not one.

    A parameter in which the formula is linear is a share and lies between 0 and 1; the formula then lies between its
    values at 0 and at 1. If it stays between 0 and 1 only for positive values of other parameters, and would not be 0
    without shares, those parameters are taken to be positive, as rates are in 1 - exp(-k*x).

    bounds: existing bounds of parameters. negative: whether a column is below 0 in some row.
    """
    parameters = sorted(expression.atoms(Parameter), key=str)
    slopes = {symbol: expression.diff(symbol) for symbol in parameters}
    shares = [symbol for symbol, slope in slopes.items() if symbol not in slope.free_symbols]
    none = dict.fromkeys(shares, 0)
    if len(shares) > MOST_SHARES or not expression.free_symbols - expression.atoms(Column):
        return None
    anchored = not shares or expression.xreplace(none) != 0
    if len(shares) == len(parameters) and not anchored:
        return None  # a sum of parameters times columns is a line
    within = {symbol: bounds.get(symbol, REAL) for symbol in parameters}
    ends = {symbol: (max(within[symbol][0], 0.0), min(within[symbol][1], 1.0)) for symbol in shares}
    corners = [
        expression.xreplace({symbol: number(end) for symbol, end in zip(ends, corner, strict=True)})
        for corner in itertools.product(*ends.values())
    ]
    if all(_between(corner, within) for corner in corners):
        return ends
    signs = {column: POSITIVE for column in expression.atoms(Column) if not negative(column)}
    if all(_between(corner, within | signs) for corner in corners):
        return ends
    rates = {symbol: (max(low, 0.0), high) for symbol, (low, high) in within.items() if symbol not in ends}
    if not anchored or not all(_between(corner, within | rates | signs) for corner in corners):
        return None
    for symbol in tuple(rates):
        without = {other_symbol: rate for other_symbol, rate in rates.items() if other_symbol != symbol}
        if all(_between(corner, within | without | signs) for corner in corners):
            rates = without
    return ends | rates


def _between(expression: Expr, intervals_known: Mapping[Expr, Interval]) -> bool:
    low, high = interval(expression, intervals_known)
    return low >= -ROUNDING and high <= 1.0 + ROUNDING and math.isfinite(low + high)
