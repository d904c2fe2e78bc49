"""Which names of a formula are data, where there is no table to ask."""

from __future__ import annotations

import re

from descend.formula.formula import names_beside_constants
from descend.formula.names import is_function, may_be_quoted
from descend.formula.syntax import formulas_in, parse_formula
from descend.formula.tree import Call, Dot, Grouped, Name, names_in, walk

USUALLY_DATA = re.compile(r"[xtz](_\w+|\d*)")


def guess_columns(text: str) -> tuple[str, ...]:
    """Say which names of a formula are data when there is no table to ask.

    These are the names on the left, those inside ``[ ]``, the x of a named curve, those in backticks that name no
    function or constant, and x, t, z with or without a number or suffix (``x1``, ``t_start``). If that leaves no
    parameter or no column the caller must be told.
    """
    if len(formula_texts := formulas_in(text)) > 1:
        return tuple(dict.fromkeys(name for formula_text in formula_texts for name in guess_columns(formula_text)))
    left, right = parse_formula(text)
    names = {name.name: None for name in names_beside_constants(left)}
    odd = (name.name for name in names_in(right) if name.quoted and not may_be_quoted(name.name))
    usual = (name.name for name in names_beside_constants(right) if USUALLY_DATA.fullmatch(name.name))
    names |= dict.fromkeys((*odd, *usual))
    for node in walk(right):
        if isinstance(node, Call) and not is_function(node.function):
            names |= {name.name: None for name in node.arguments[:1] if isinstance(name, Name)}  # the x of a curve
        if isinstance(node, Dot):
            names |= {name.name: None for item in node.items for name in names_beside_constants(item)}
        elif isinstance(node, Grouped):
            names |= {column.name: None for column in node.columns}
    return tuple(names)
