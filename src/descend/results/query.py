"""A prediction as a query: names of tables, numbers with all their digits, other dialects."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.errors import ConfigError
from descend.formula.printers import groups
from descend.formula.printers.code import OR, POWER, SQL, Language, Writer, quoted
from descend.formula.symbols import Column, Parameter
from descend.models import SymbolicModel
from descend.registry import closest
from descend.results.dialects import DIALECTS, spoken
from descend.table.levels import Levels

Array = NDArray[np.float64]

QUALIFIED = re.compile(r"(?!.*\.(csv|tsv|txt|jsonl?|ndjson|parquet|gz|zst)$)[^\W\d]\w*(\.[^\W\d]\w*){1,2}")
"""A table name with its schema, and perhaps its database; the name of a file has a point too, but is one name."""


def qualified(table: str) -> str:
    """Quote the name of a table for SQL; plain names joined by points are a schema and its table.

    >>> print(qualified("orders"), qualified("sales.orders"), qualified("a.csv"))
    "orders" "sales"."orders" "a.csv"
    """
    return ".".join(map(quoted, table.split(".") if QUALIFIED.fullmatch(table) else [table]))


def predicting(model: SymbolicModel, theta: Array, dialect: str) -> str:
    """Return what computes the prediction in a query. Raises ConfigError for an unknown dialect."""
    if dialect not in DIALECTS:
        raise ConfigError(
            f"There is no SQL dialect `{dialect}`.{closest(dialect, DIALECTS)} Known: {', '.join(sorted(DIALECTS))}."
        )
    # Cast to doubles whatever the table holds: whole numbers would be divided as integers, and overflow.
    plain, levels = inputs_of(model)
    columns: dict[Expr, str] = {Column(column): f"cast({quoted(column)} as double)" for column in plain}
    columns |= {Column(each.name): groups.choice(each, [f"{k}e0" for k in range(len(each))]) for each in levels}
    values_in_sql = dict(zip(components(model), map(literal, theta.tolist()), strict=True))
    return written(model, SQL, values_in_sql, columns, dialect)


def transpiled(query: str, dialect: str) -> str:
    """Return a query of DuckDB in another dialect. Raises ConfigError where what translates it is not installed."""
    if dialect == "duckdb":
        return query
    try:
        import sqlglot
    except ImportError:
        raise ConfigError(
            "SQL of other dialects than duckdb is written with the package sqlglot, which is not installed: "
            "pip install sqlglot."
        ) from None
    return str(sqlglot.transpile(query, read="duckdb", write=dialect)[0])


def literal(value: float) -> str:
    """Write a number with all its digits, so that SQL reads it in double precision."""
    return bracketed(value, "" if "e" in repr(value) else "e0")


def bracketed(value: float, end: str = "") -> str:
    """Write a number with all its digits, in brackets if it is below 0; end: what follows it."""
    return f"({value!r}{end})" if value < 0 else f"{value!r}{end}"


def inputs_of(model: SymbolicModel) -> tuple[tuple[str, ...], tuple[Levels, ...]]:
    """Return the columns of numbers that prediction needs, and the groups."""
    levels = model.formula.levels
    return tuple(name for name in model.inputs if name not in {each.name for each in levels}), levels


def components(model: SymbolicModel) -> list[Expr | tuple[str, int]]:
    """Return one key per component of theta: a scalar's symbol, or the vector's name and the place in it."""
    return [
        key
        for name, labels in model.parameters.shapes.items()
        for key in ([Parameter(name)] if labels is None else [(name, component) for component in range(len(labels))])
    ]


def written(
    model: SymbolicModel,
    language: Language,
    values: dict[Expr | tuple[str, int], str],
    columns: dict[Expr, str],
    dialect: str = "",
) -> str:
    """Write the prediction with the given texts for parameters (``values``) and for columns (``columns``)."""
    names = columns | {symbol: text for symbol, text in values.items() if not isinstance(symbol, tuple)}

    def write(expression: Expr, inside: int = OR) -> str:
        return Writer(language, names).write(spoken(expression, dialect) if dialect else expression, inside)

    for predictor, term in model.formula.terms.items():
        if term.levels is None:
            products = (f"{values[term.vector, k]}*{write(item, POWER)}" for k, item in enumerate(term.items))
        else:
            each = [values[term.vector, k] for k in range(len(term.labels))]
            each_row = groups.values_in_rows(term, each, language, columns[Column(term.levels.name)])
            pairs = zip(each_row, term.each, strict=True)
            products = (value if item == 1 else f"{value}*{write(item, POWER)}" for value, item in pairs)
        names[predictor] = f"({' + '.join(products)})"
    return write(model.formula.as_typed(model.prediction))
