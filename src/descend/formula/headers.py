"""Names in a formula that stand for a column with a unit in its name: ``t`` for ``t (s)``."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from descend.errors import FormulaError
from descend.formula.names import reserved
from descend.formula.printers.code import plain_name
from descend.formula.syntax import formulas_in, parse_formula
from descend.formula.tree import Dot, Grouped, Node, names_in, walk
from descend.table.headers import plain_names


def with_columns(text: str, columns: Sequence[str], parameters: Collection[str] = ()) -> str:
    """Return a formula in which names that lack only the unit of a column are the columns.

    A name stays a parameter if it is known to be one, if another column has it, with a unit or without, or if the
    formula names the column in full, too.

    >>> with_columns("V ~ a*exp(-k*t)", ["t (s)", "V [mV]", "k (1/s)"], ["k"])
    '`V [mV]` ~ a*exp(-k*`t (s)`)'
    """
    plain = {name: column for name, column in plain_names(columns).items() if name not in parameters}
    try:
        parts = [_replaced(part, parse_formula(part), plain) for part in formulas_in(text)]
    except FormulaError:
        return text  # whose reader says what is wrong
    return text if parts == formulas_in(text) else "; ".join(parts)


def _replaced(text: str, sides: tuple[Node, Node], plain: dict[str, str]) -> str:
    in_full = {name.name for name in names_in(*sides) if name.quoted}
    vectors = {node.name for node in walk(*sides) if isinstance(node, Dot)}
    vectors |= {node.parameter for node in walk(*sides) if isinstance(node, Grouped)}
    for name in sorted(names_in(*sides), key=lambda each: -each.start):
        column = plain.get(name.name)
        if column is None or column in in_full or name in vectors:
            continue
        if name.quoted or not reserved(name.name):
            text = f"{text[: name.start]}{plain_name(column)}{text[name.end :]}"
    return text


def shortest(column: str, columns: Sequence[str]) -> str:
    """Return the plain word that stands for a column, ``t`` for ``t (s)``; its name if none does.

    >>> shortest("t (s)", ["t (s)", "y"]), shortest("flow rate", ["flow rate"])
    ('t', 'flow rate')
    """
    words = (word for word, full in plain_names(columns).items() if full == column and word.isidentifier())
    return next((word for word in words if not reserved(word)), column)
