"""Which of the functions that formulas call the dialects of SQL have, and how to write the others."""

from __future__ import annotations

import math

import sympy
from sympy import Expr, Integer

from descend.errors import ConfigError
from descend.formula.functions import NAMES, entry_of
from descend.formula.functions.gamma_functions import gamma
from descend.formula.real_functions import log2, log10, maximum, minimum, sigmoid, softplus, where
from descend.formula.symbols import number

DIALECTS = {"bigquery", "clickhouse", "databricks", "duckdb", "mysql", "oracle", "postgres", "redshift", "snowflake",
            "spark", "sqlite", "trino", "tsql"}  # fmt: skip
WITHOUT_HYPERBOLIC = {"mysql", "redshift", "tsql"}
LACKING: dict[type[Expr], set[str]] = {
    gamma: DIALECTS - {"duckdb"},
    sympy.sinh: WITHOUT_HYPERBOLIC,
    sympy.cosh: WITHOUT_HYPERBOLIC,
    sympy.tanh: WITHOUT_HYPERBOLIC,
    softplus: WITHOUT_HYPERBOLIC | {"oracle", "trino"},
}
"""Dialects that lack a function. For softplus, they lack the atanh to write it with."""
SINCE = {(gamma, "postgres"): "before version 18"}

STRICT = {"postgres", "redshift"}
"""Dialects in which a result too small or too large for a double is an error."""
FAR = Integer(650)
"""Beyond this, exp would leave the range of a double: exp(-650) is 5e-283."""


def spoken(expression: Expr, dialect: str) -> Expr:
    """Return an expression rewritten with functions that a dialect has.

    Raises ConfigError where it lacks one. Source: the manuals of the databases.
    """
    for subexpression in sympy.preorder_traversal(expression):
        function = entry_of(subexpression)
        if function is not None and function.sql is None:
            raise ConfigError(
                f"The model calls `{function.name}`, a function that SQL lacks. "
                "Export it to python or torch, or predict with descend."
            )
        if dialect in LACKING.get(subexpression.func, ()):
            version = f" {SINCE[subexpression.func, dialect]}" if (subexpression.func, dialect) in SINCE else ""
            raise ConfigError(
                f"The model calls `{NAMES[subexpression.func]}`, a function that the SQL of {dialect} lacks{version}. "
                "Export it to python or torch, or predict with descend."
            )
    if dialect == "duckdb":
        return expression
    # Not every dialect has pi, or a logarithm to any base in double precision; all have ln.
    for logarithm, base in ((log10, 10.0), (log2, 2.0)):
        scale = number(1.0 / math.log(base))
        expression = expression.replace(logarithm, lambda inside, scale=scale: sympy.log(inside) * scale)
    expression = expression.xreplace({sympy.pi: number(math.pi)})
    return _within_range(expression) if dialect in STRICT else expression


def _within_range(expression: Expr) -> Expr:
    """Keep the arguments of exp and its relatives in range: a result too small to matter becomes 0."""
    rules = {
        sigmoid: lambda u: sigmoid(minimum(maximum(u, -FAR), FAR)),
        softplus: lambda u: softplus(minimum(maximum(u, -FAR), FAR)) + maximum(u - FAR, Integer(0)),
        sympy.exp: lambda u: where(u < -FAR, Integer(0), sympy.exp(u)) if u.free_symbols else sympy.exp(u),
    }
    for function, rule in rules.items():
        expression = expression.replace(function, rule)
    return expression
