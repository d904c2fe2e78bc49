"""Operators that are written as calls, as NumPy and SQL have them: power(x, 2) is x^2."""

from __future__ import annotations

from descend.formula.syntax import AND, COMPARISON, OR, PRODUCT, SUM
from descend.formula.tree import Call, Chain, Node, Power, Prefix

PAIRS = {
    **{"add": (SUM, "+"), "subtract": (SUM, "-"), "multiply": (PRODUCT, "*")},
    **dict.fromkeys(("divide", "true_divide"), (PRODUCT, "/")),
    **{"less": (COMPARISON, "<"), "less_equal": (COMPARISON, "<="), "equal": (COMPARISON, "==")},
    **{"greater": (COMPARISON, ">"), "greater_equal": (COMPARISON, ">="), "not_equal": (COMPARISON, "!=")},
    **{"logical_and": (AND, "and"), "logical_or": (OR, "or")},
}
"""The rank and the sign of each operator."""
POWERS = ("pow", "power", "float_power")
PREFIXES = {"negative": "-", "logical_not": "not"}
OPERANDS = {**dict.fromkeys((*PAIRS, *POWERS), 2), **dict.fromkeys(PREFIXES, 1)}
"""How many operands each takes, by the name of the call."""


def as_operation(node: Node) -> Node:
    """Return the operation that a call stands for; any other node as it is.

    >>> from descend.formula.syntax import parse_expression
    >>> type(as_operation(parse_expression("power(x, 2)"))).__name__
    'Power'
    """
    if not isinstance(node, Call) or OPERANDS.get(node.function) != len(node.arguments):
        return node
    if node.function in POWERS:
        return Power(node.start, node.end, *node.arguments)
    if node.function in PREFIXES:
        return Prefix(node.start, node.end, PREFIXES[node.function], node.arguments[0])
    rank, operator = PAIRS[node.function]
    return Chain(node.start, node.end, rank, node.arguments, (operator,))
