"""Names in a formula that stand for a column with a unit in its name: ``t`` for ``t (s)``."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from descend.errors import FormulaError
from descend.formula.functions import reserved
from descend.formula.printers.code import plain_name
from descend.formula.syntax import ASSIGNED, formulas_in, parse_assignment, parse_expression, parse_formula
from descend.formula.tree import Dot, Grouped, names_in, walk
from descend.table.headers import alike, plain_names


def with_columns(text: str, columns: Sequence[str], parameters: Collection[str] | None = None) -> str:
    """Return a formula, an equation or an expression in which names that lack but the unit of a column are the columns.

    A name stays a parameter if it is known to be one, if another column has it without a unit, or if the formula names
    the column in full, too. Where the parameters are known, a name that may be either of several columns is refused.

    >>> with_columns("V ~ a*exp(-k*t)", ["t (s)", "V [mV]", "k (1/s)"], ["k"])
    '`V [mV]` ~ a*exp(-k*`t (s)`)'
    >>> with_columns("0.1*t + dy", ["t (s)", "dy (mV)"])
    '0.1*`t (s)` + `dy (mV)`'
    """
    parameter_names = frozenset(parameters or ())
    plain = {name: column for name, column in plain_names(columns).items() if name not in parameter_names}
    try:
        trees = [(formula_text, _trees(formula_text)) for formula_text in formulas_in(text)]
    except FormulaError:
        return text  # whose reader says what is wrong
    if parameters is not None:
        _refuse_either(trees, {name: those for name, those in alike(columns).items() if name not in parameter_names})
    formula_texts = [_replaced(formula_text, tree, plain) for formula_text, tree in trees]
    return text if formula_texts == formulas_in(text) else "; ".join(formula_texts)


def _refuse_either(texts: Sequence[tuple[str, tuple[object, ...]]], either: Mapping[str, Sequence[str]]) -> None:
    """Refuse a name that may be either of several columns, unless one of them is named in full. Raises FormulaError."""
    for _, trees in texts:
        names = tuple(names_in(*trees))
        quoted = {name.name for name in names if name.quoted}
        for name in names:
            those = either.get(name.name, ())
            if those and not name.quoted and not quoted & set(those):
                columns = " or ".join(f"`{column}`" for column in those)
                raise FormulaError(
                    f"`{name.name}` may be {columns}: only the unit tells these columns apart. Write the whole name of "
                    f"the one you mean, in backticks; if {name.name} is a parameter, give it another name.",
                )


def _trees(text: str) -> tuple[object, ...]:
    """Return the trees of a formula, an equation or an expression."""
    if "~" in text:
        return parse_formula(text)
    return parse_assignment(text)[1:] if ASSIGNED.search(text) else (parse_expression(text),)


def _replaced(text: str, trees: tuple[object, ...], plain: dict[str, str]) -> str:
    in_full = {name.name for name in names_in(*trees) if name.quoted}
    vectors = {node.name for node in walk(*trees) if isinstance(node, Dot)}
    vectors |= {node.parameter for node in walk(*trees) if isinstance(node, Grouped)}
    for name in sorted(names_in(*trees), key=lambda each: -each.start):
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
