"""What a name, a number or ``w @ [x1, x2]`` consists of, for whatever mathematics is written as."""

from __future__ import annotations

import re
from typing import NamedTuple

from sympy import Expr
from sympy.core.alphabets import greeks

from descend.formula.functions import CONSTANTS
from descend.formula.symbols import Predictor, Term

LETTER = re.compile(rf"([A-Za-z]|{'|'.join(greeks)})(?:_?(\d+)|_([A-Za-z0-9]+))?")
"""A letter of either alphabet, with an index: ``x``, ``x1``, ``k_max``, ``beta_2``."""
COMPONENT = re.compile(r'`?([^`\[]+)`?\["(.*)"\]')
"""The value of a parameter for one group, as ties name it."""


class Indexed(NamedTuple):
    """A vector by its name, the group or the columns that it has as indices, and the items that it is multiplied by."""

    name: str
    indices: tuple[str, ...]
    items: tuple[Expr, ...]


def letter_of(name: str) -> tuple[str, str] | None:
    """Return the letter that a name is and its index, empty if it has none; None for a word.

    >>> letter_of("beta_2"), letter_of("k"), letter_of("price")
    (('beta', '2'), ('k', ''), None)
    """
    letter = LETTER.fullmatch(name)
    return None if letter is None else (letter[1], letter[2] or letter[3] or "")


def number_of(typed: Expr) -> tuple[str, int | None]:
    """Return the digits of a number as it was typed, and its power of ten, if it has one."""
    digits, e, exponent = typed.name.lower().partition("e")
    return digits, int(exponent) if e else None


def indexed(predictor: Expr) -> Indexed:
    """Return what stands for ``w @ [x1, x2]``, ``a[site]`` or ``a["A"]``."""
    if (component := COMPONENT.fullmatch(predictor.name)) is not None:
        return Indexed(component[1], (component[2],), ())
    term = _term_of(predictor)
    alone = term.levels is not None and term.each == (1,)
    return Indexed(term.vector, () if term.levels is None else term.levels.columns, () if alone else tuple(term.each))


def _term_of(predictor: Expr) -> Term:
    """Return what ``w @ [x1, x2]`` or ``a[site]`` stands for, read from its name, which is that text."""
    from descend.formula.build import Builder
    from descend.formula.syntax import parse_expression
    from descend.formula.tree import Dot, Grouped, names_in

    node = parse_expression(predictor.name)
    assert isinstance(node, Dot | Grouped)
    grouped = node.vector if isinstance(node, Dot) else node
    items = names_in(*(node.items if isinstance(node, Dot) else ()))
    columns = [name.name for name in items if name.quoted or name.name not in CONSTANTS]
    columns += [column.name for column in grouped.columns] if isinstance(grouped, Grouped) else []
    builder = Builder(predictor.name, columns, starts=None)
    builder.build(node)
    return builder.terms[Predictor(predictor.name)]
