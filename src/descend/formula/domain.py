"""Where an expression has no value: logarithms and roots of negative numbers, divisions by zero."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr

from descend.formula.compile import compile_expression
from descend.formula.formula import Formula
from descend.formula.functions import log2, log10, sigmoid, softplus
from descend.formula.printers.code import as_text
from descend.formula.symbols import Parameter, Predictor

Array = NDArray[np.float64]
LOGARITHMS = (sympy.log, log10, log2)
ARCS = (sympy.asin, sympy.acos)


@dataclass(frozen=True)
class Limit:
    """A condition that an argument must satisfy for ``expression``, a function of it, to have a value.

    relation: ``> 0``, ``>= 0``, ``!= 0`` or ``between -1 and 1``.
    """

    expression: Expr
    argument: Expr
    relation: str

    @property
    def of_data_alone(self) -> bool:
        return not self.argument.atoms(Parameter, Predictor)

    def broken(self, values: Array) -> NDArray[np.bool_]:
        """Say where values of the argument break the condition."""
        with np.errstate(invalid="ignore"):
            kept: NDArray[np.bool_] = {
                "> 0": values > 0.0,
                ">= 0": values >= 0.0,
                "!= 0": values != 0.0,
                "between -1 and 1": np.abs(values) <= 1.0,
            }[self.relation]
        return ~kept

    @property
    def opposite(self) -> str:
        """What is so where the condition does not hold."""
        words = {"> 0": "<= 0", ">= 0": "< 0", "!= 0": "0", "between -1 and 1": "not between -1 and 1"}
        return words[self.relation]

    def __str__(self) -> str:
        be = "be " if self.relation.startswith("between") else ""
        return f"{as_text(self.expression)} needs {as_text(self.argument)} {'to ' if be else ''}{be}{self.relation}"


@lru_cache(maxsize=128)
def limits(formula: Formula) -> tuple[Limit, ...]:
    """Return what both sides of a formula demand of their arguments, less what holds for all numbers, inside first."""
    sides = [formula.response, *(item for term in formula.terms.values() for item in term.items), formula.expression]
    found: dict[tuple[Expr, str], Limit] = {}
    for side in sides:
        for node in sympy.postorder_traversal(side):
            for argument, relation in _demands(node):
                if not _always(argument, relation):
                    found.setdefault((argument, relation), Limit(node, argument, relation))
    strict = {argument for argument, relation in found if relation == "> 0"}
    return tuple(limit for limit in found.values() if limit.relation == "> 0" or limit.argument not in strict)


def _demands(node: Expr) -> Iterator[tuple[Expr, str]]:
    if node.func in LOGARITHMS:
        yield node.args[0], "> 0"
    elif node.func in ARCS:
        yield node.args[0], "between -1 and 1"
    elif node.is_Pow and not node.base.is_number:
        if not node.exp.is_number or (node.exp.is_negative and not node.exp.is_integer):
            yield node.base, "> 0"
        elif not node.exp.is_integer:
            yield node.base, ">= 0"
        elif node.exp.is_negative:
            yield node.base, "!= 0"


def _always(argument: Expr, relation: str) -> bool:
    if argument.is_number or argument.func in (sigmoid, softplus):
        return True
    if relation == "> 0":
        return bool(argument.is_positive)
    return bool(argument.is_nonnegative if relation == ">= 0" else argument.is_zero is False and relation == "!= 0")


def innermost_failure(
    expression: Expr, values: Mapping[Expr, float], largest: float = math.inf
) -> tuple[Expr, float] | None:
    """Return the smallest part of ``expression`` that is not below ``largest`` in size at ``values``, and its value."""
    symbols = tuple(values)
    for node in sympy.postorder_traversal(expression):
        if isinstance(node, Expr) and node.args:
            with np.errstate(all="ignore"):
                value = float(compile_expression(node, symbols)(*map(np.float64, values.values())))
            if not abs(value) < largest:
                return node, value
    return None
