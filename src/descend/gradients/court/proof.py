"""A gradient given as text, proved equal to the derived one by algebra.

Both are sums over rows; they are equal for all data if their summands are equal. The difference is brought to a
normal form: functions in terms of exp, log, sin and cos, everything over one denominator, powers multiplied out.
Where it has branches (abs, min, max, where), each case is proved by itself; places where two cases meet are left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache

import sympy
from sympy import Eq, Expr, Integer, Ne
from sympy.core.relational import Relational

from descend.errors import DescendError
from descend.formula.derivative import derivatives
from descend.formula.real_functions import absolute, log2, log10, maximum, minimum, sigmoid, sign, softplus, where
from descend.formula.row_code import COUNT
from descend.formula.symbols import Predictor
from descend.gradients.derived import Program, row_sum
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE

MOST_TO_EXPAND, MOST_AT_ONCE = 250, 60
"""Beyond this many operations, multiplying out takes too long; then nothing is proved."""
MOST_CASES = 12
Interval = tuple[float, float]


@lru_cache(maxsize=128)
def proved(program: Program, thorough: bool = True) -> bool:
    """Whether algebra shows the gradient by hand of ``program`` to be the derived one; False if it cannot tell.

    thorough: whether to do more than multiply out, which may take a second.

    >>> from descend.formula import read_formula
    >>> from descend.gradients.by_hand import by_hand
    >>> from descend.losses import Squared
    >>> formula = read_formula("y ~ w*x", ["x", "y"])
    >>> [proved(by_hand(formula, Squared(), (text,), ("x", "y")))
    ...  for text in ("w = mean(2*w*x*x - 2*x*y)", "w = mean(w*x*x - 2*x*y)")]
    [True, False]
    """
    if program.by_hand is None:
        return True
    try:
        return all(
            _under_one_sum(slope_given, right, thorough)
            for slope_given, right in zip(program.by_hand, contributions(program), strict=True)
        )
    except (DescendError, RecursionError, ValueError, TypeError, NotImplementedError, AttributeError):
        return False  # SymPy gave up


def contributions(program: Program) -> list[Expr]:
    """Return, for each component, the expression whose mean over rows is its derivative."""
    slope = program.loss.expressions[1].xreplace({RESIDUAL: PREDICTION - RESPONSE})
    slope = slope.xreplace({PREDICTION: program.score, RESPONSE: program.formula.response})
    slopes_of_score = derivatives(program.score, program.formula.unknowns)
    found: list[Expr] = [Integer(0)] * program.parameters.size
    for symbol, part in slopes_of_score.items():
        if isinstance(symbol, Predictor):
            term = program.formula.terms[symbol]
            begin = program.parameters.slices[term.vector].start
            for number, item in enumerate(term.items):
                found[begin + number] += slope * part * item
        else:
            found[program.parameters.slices[symbol.name].start] += slope * part
    return found


def _under_one_sum(slope_given: Expr, right: Expr, thorough: bool) -> bool:
    """Whether ``slope_given``, made of sums over rows, is the mean of ``right``."""
    sums = {inner: sympy.Dummy(real=True) for inner in slope_given.atoms(row_sum)}
    outside = slope_given.xreplace(sums)
    inside_sum: Expr = outside.xreplace(dict.fromkeys(sums.values(), Integer(0)))
    for inner, symbol in sums.items():
        factor = outside.diff(symbol)
        if factor.free_symbols & set(sums.values()):
            return False
        inside_sum += COUNT * factor * inner.args[0]
    difference = inside_sum - right
    if not _small(difference, MOST_TO_EXPAND if thorough else MOST_AT_ONCE):
        return False
    return bool(sympy.expand(difference) == 0 or (thorough and _vanishes(difference, {}, [0])))


def _small(expression: Expr, most: int) -> bool:
    return bool(expression.count_ops() <= most)


def _vanishes(expression: Expr, intervals_known: Mapping[Expr, Interval], cases: list[int]) -> bool:
    """Whether an expression is zero, case by case. known: intervals in which some expressions lie."""
    expression = _plain(expression)
    switch = _innermost_switch(expression)
    if switch is None:
        cases[0] += 1
        return cases[0] <= MOST_CASES and _zero(expression)
    if isinstance(switch, Eq | Ne):
        case_of_switch = sympy.false if isinstance(switch, Eq) else sympy.true
        return _vanishes(_replaced(expression, switch, case_of_switch), intervals_known, cases)
    at = switch.args[0] if isinstance(switch, sign) else switch.gts - switch.lts
    base, limit, upwards = _threshold(at)
    low, high = intervals_known.get(base, (-math.inf, math.inf))
    for above, interval in ((False, (low, min(high, limit))), (True, (max(low, limit), high))):
        if interval[0] >= interval[1]:
            continue
        positive = above == upwards
        value = Integer(1 if positive else -1) if isinstance(switch, sign) else sympy.true if positive else sympy.false
        if not _vanishes(_replaced(expression, switch, value), {**intervals_known, base: interval}, cases):
            return False
    return True


def _plain(expression: Expr) -> Expr:
    """Rewrite an expression in terms of fewer functions."""
    rules: dict[type, Callable[..., Expr]] = {
        softplus: lambda u: sympy.log(1 + sympy.exp(u)),
        sigmoid: lambda u: 1 / (1 + sympy.exp(-u)),
        log10: lambda u: sympy.log(u) / sympy.log(10),
        log2: lambda u: sympy.log(u) / sympy.log(2),
        absolute: lambda u: u * sign(u),
        sympy.Abs: lambda u: u * sign(u),
        sympy.sign: sign,
        maximum: lambda u, v: where(u > v, u, v),
        minimum: lambda u, v: where(u < v, u, v),
        sympy.tanh: lambda u: (1 - sympy.exp(-2 * u)) / (1 + sympy.exp(-2 * u)),
        sympy.sinh: lambda u: (sympy.exp(u) - sympy.exp(-u)) / 2,
        sympy.cosh: lambda u: (sympy.exp(u) + sympy.exp(-u)) / 2,
        sympy.tan: lambda u: sympy.sin(u) / sympy.cos(u),
    }
    for function, rule in rules.items():
        if expression.has(function):
            expression = expression.replace(function, rule)
    return expression


def _innermost_switch(expression: Expr) -> Expr | None:
    for node in sympy.postorder_traversal(expression):
        if isinstance(node, sign | Relational):
            return node
    return None


def _replaced(expression: Expr, switch: Expr, value: Expr) -> Expr:
    """Set a condition to a value, and its opposite accordingly."""
    swaps = {switch: value}
    if isinstance(switch, Relational):
        swaps |= {switch.reversed: value, switch.negated: sympy.Not(value), switch.negated.reversed: sympy.Not(value)}
    result = expression.xreplace(swaps)
    return result.replace(where, where)  # so that decided branches disappear


def _threshold(at: Expr) -> tuple[Expr, float, bool]:
    """Write ``at > 0`` as ``base > limit`` (or ``<``, if not upwards) with a base that no number is added to."""
    constant, terms = sympy.expand(at).as_coeff_Add()
    factor, base = terms.primitive() if terms.is_Add else terms.as_coeff_Mul()
    if base.could_extract_minus_sign():
        factor, base = -factor, -base
    if base.is_number:
        raise ValueError("a condition that no row changes")
    return sympy.expand(base), float(-constant / factor), bool(factor > 0)


def _zero(expression: Expr) -> bool:
    if expression == 0:
        return True
    if not _small(expression, MOST_TO_EXPAND):
        return False
    if _expanded(expression) == 0:
        return True
    top = sympy.fraction(sympy.together(expression))[0]
    return bool(_small(top, MOST_TO_EXPAND) and _expanded(top) == 0)


def _expanded(expression: Expr) -> Expr:
    expanded = sympy.expand(sympy.expand_log(sympy.expand(expression), force=True))
    if expanded.has(sympy.cos):
        expanded = sympy.expand(expanded.replace(_is_cosine_power, _without_cosines))
    return expanded


def _is_cosine_power(node: Expr) -> bool:
    return bool(node.is_Pow and node.base.func is sympy.cos and node.exp.is_Integer and node.exp >= 2)


def _without_cosines(node: Expr) -> Expr:
    squares, odd = divmod(int(node.exp), 2)
    return (1 - sympy.sin(node.base.args[0]) ** 2) ** squares * node.base**odd
