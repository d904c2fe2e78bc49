"""Names in a formula that were probably meant for columns."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence

from descend.errors import FormulaError
from descend.formula.formula import unquoted
from descend.formula.printers.code import plain_name
from descend.formula.redundancy import redundancies
from descend.formula.trade_off import joined
from descend.models.contract import Model, SymbolicModel
from descend.registry import closest
from descend.table import Table
from descend.table.table import listing

ALIKE = 0.6
"""One name may be meant for another if their similarity, which is at most 1, is at least this."""
SHOWN = 12
VARIABLES = frozenset("xtzuXTZU")
"""What an input is often called, and a parameter hardly."""


def mistaken_columns(model: Model, table: Table, given: Collection[str]) -> tuple[str, ...]:
    """Name the parameters that the expression cannot tell from others and whose names nearly match a column's.

    A similar name may well be a parameter; if it also leaves others undetermined, it hardly is.
    given: names that the user said something about as parameters.
    """
    if model.formula is None:
        return ()
    involved = dict.fromkeys(label for each in redundancies(model.formula) for label in each.parameters)
    mistaken = [name for name in involved if name not in given and any(_alike(name, column) for column in table.names)]
    if not mistaken:
        return ()
    columns = ", ".join(table.names[:SHOWN]) + (", ..." if len(table.names) > SHOWN else "")
    are, each = ("is not a column", "a parameter") if len(mistaken) == 1 else ("are not columns", "parameters")
    note = f"{joined(mistaken)} {are} of {table.source} ({columns}), and so taken for {each}"
    bare = next((plain_name(name) for name in table.names if unquoted(model.formula.text, [name])), None)
    return (note if bare is None else f"{note}; if the column is meant, put it in backticks: {bare}",)


def _alike(name: str, column: str) -> bool:
    """Return whether names differ in a letter or two, or only in their number, as x3 and x1 do."""
    name, column = name.casefold(), column.casefold()
    if re.match(rf"{re.escape(name)}[^\w]", column):
        return True  # without its unit
    stem = name.rstrip("0123456789_")
    if stem and stem == column.rstrip("0123456789_"):
        return True
    return len(name) > 2 and difflib.SequenceMatcher(None, name, column).ratio() >= ALIKE


def refuse_no_column(model: SymbolicModel, table: Table) -> None:
    """Refuse several parameters without a column: they form one constant, and one is probably a misspelt column."""
    names = tuple(model.parameters.shapes)
    column_names = [name for name in table.names if name not in model.response_columns]
    bare = unquoted(model.formula.text, column_names)
    if bare is not None:
        raise bare
    meant = next(filter(None, (closest(name, column_names) for name in names)), "") or _meant(names, column_names)
    right = model.formula.text.rpartition("~")[2].strip()  # as it was typed, while the response may be a full name
    raise FormulaError(
        f"The right side, `{right}`, uses no column of the data: {joined(names)} are all parameters."
        f"{meant} "
        f"Columns: {listing(column_names) or 'none but the response'}."
    )


def _meant(names: Collection[str], columns: Sequence[str]) -> str:
    """Ask for the column of which a name is one of several words, or for the only one in place of an `x` or `t`."""
    for name in names:
        for column in columns:
            if name in re.split(r"\W+", column):
                return f" Did you mean {_in_formula(column)} for {name}?"
    variables = [name for name in names if name in VARIABLES]
    if len(columns) == len(variables) == 1:
        return f" Did you mean {_in_formula(columns[0])} for {variables[0]}?"
    return ""


def _in_formula(column: str) -> str:
    """Write a column as a formula names it, and say so where that takes backticks."""
    plain = plain_name(column)
    return f"{plain}, in backticks," if plain.startswith("`") else f"`{plain}`"
