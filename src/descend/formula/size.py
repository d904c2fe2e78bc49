"""Formulas that nobody can wait for are refused at once, with their size."""

from __future__ import annotations

from sympy import Add, Expr, Mul

from descend.errors import FormulaError
from descend.formula.symbols import Parameter, Predictor
from descend.formula.tokens import SIMPLIFY

MOST_NONLINEAR = 100
"""Parameters that do not enter linearly: derivatives, starts and what trades off take time with their square."""
MOST_FACTORS = 100
"""Factors of one product that hold parameters: each is a term of every derivative."""


def refuse_size(expression: Expr) -> None:
    """Raise FormulaError where an expression has too many nonlinear parameters, or too long a product of them.

    A vector ``w @ [...]`` counts once, however many components it has.
    """
    nonlinear = _nonlinear(expression)
    if len(nonlinear) > MOST_NONLINEAR:
        raise FormulaError(
            f"The formula has {len(nonlinear):,} parameters that do not enter linearly; at most {MOST_NONLINEAR} can "
            "be fitted in reasonable time. Use fewer, a vector `w @ [x1, x2]` where they are coefficients, or a "
            "PyTorch module."
        )
    longest = max((_factors(product) for product in expression.atoms(Mul)), default=0)
    if longest > MOST_FACTORS:
        raise FormulaError(
            f"The formula multiplies {longest:,} factors with parameters; at most {MOST_FACTORS} can be fitted in "
            f"reasonable time. {SIMPLIFY}"
        )


def _nonlinear(expression: Expr) -> set[Expr]:
    """Return the unknowns that stand anywhere but as a factor of a term."""
    if expression.is_Function and len(expression.args) == 1:
        return _nonlinear(expression.args[0])  # a link, such as that of `exp(a + b*x)`
    found: set[Expr] = set()
    for term in Add.make_args(expression):
        for factor in Mul.make_args(term):
            if not factor.is_Symbol:
                found |= factor.atoms(Parameter, Predictor)
    return found


def _factors(product: Expr) -> int:
    if len(product.args) <= MOST_FACTORS:
        return 0
    return sum(bool(factor.atoms(Parameter, Predictor)) for factor in product.args)
