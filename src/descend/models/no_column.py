"""A formula whose right side uses no column."""

from __future__ import annotations

from descend.errors import FormulaError
from descend.formula.formula import unquoted
from descend.formula.trade_off import joined
from descend.models.contract import SymbolicModel
from descend.registry import closest
from descend.table import Table
from descend.table.table import listing


def refuse_no_column(model: SymbolicModel, table: Table) -> None:
    """Refuse several parameters without a column: they form one constant, and one is probably a misspelt column."""
    names = tuple(model.parameters.shapes)
    column_names = [name for name in table.names if name not in model.response_columns]
    bare = unquoted(model.formula.text, column_names)
    if bare is not None:
        raise bare
    meant = next(filter(None, (closest(name, column_names) for name in names)), "")
    raise FormulaError(
        f"The right side of `{model.formula.text}` uses no column of the data: {joined(names)} are all parameters."
        f"{meant} "
        f"Columns: {listing(column_names) or 'none but the response'}."
    )
