"""Queries of Ibis as SQL of one database: doubles as it writes them, numbers left open, and cursors over its rows."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from descend.errors import ConfigError, DataError
from descend.wording import spell, using

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.sql import SQLBackend
    from sqlglot import Expression

NUMBERS = itertools.count(1)
PLAIN_DOUBLES = frozenset({"duckdb", "sqlite", "pyspark", "databricks", "mysql", "bigquery"})
"""Databases that read a number with an exponent as a double; others take it for a decimal unless it is cast."""


def import_ibis(purpose: str = "the engine `query`", extra: str = "descend[query]") -> Any:
    """Import Ibis, or say how to install it, with what else the purpose needs."""
    try:
        import ibis
    except ImportError:
        raise ConfigError(
            f'Ibis is not installed, and {purpose} needs it. Install it with: pip install "{extra}".'
        ) from None
    return ibis


def as_sql(backend: SQLBackend, expression: ir.Table, binding: str = "") -> str:
    """Return an Ibis table as SQL of its database, every number in it a double.

    Calls of the function ``binding``, if one is named, become their argument between two NUL characters.
    """
    ibis = import_ibis()
    from sqlglot import expressions

    # Nested SELECTs: fused into one, a named column would be written out at each use.
    with _set(ibis.options.sql, "fuse_selects", False):
        tree = backend.compiler.to_sqlglot(expression)
    double = expressions.DataType.build("double")
    plain = backend.name in PLAIN_DOUBLES

    def doubled(node: Expression) -> Expression:
        if isinstance(node, expressions.Anonymous) and node.name.casefold() == binding.casefold() != "":
            return expressions.Var(this=f"\0{node.expressions[0].this}\0")
        if isinstance(node, expressions.Literal) and not node.is_string and not node.this.isdigit():
            exact = expressions.Literal.number(node.this if "e" in node.this.casefold() else f"{node.this}e0")
            return exact if plain else expressions.Cast(this=exact, to=double.copy())
        return node

    text: str = tree.copy().transform(doubled, copy=False).sql(dialect=backend.dialect, copy=False)
    return text


def as_number(backend: SQLBackend, value: float) -> str:
    """Write a finite number as a double in the SQL of this database, in brackets if it is negative."""
    text = exponent(value)
    if backend.name not in PLAIN_DOUBLES:
        return f"CAST({text} AS DOUBLE PRECISION)" if backend.name == "postgres" else f"CAST({text} AS DOUBLE)"
    return f"({text})" if text.startswith("-") else text


def exponent(value: float) -> str:
    """Write a number exactly, with an exponent, without which some databases take it for a decimal.

    >>> exponent(7.125), exponent(-1e-300)
    ('7.125e0', '-1e-300')
    """
    text = repr(float(value))
    return text if "e" in text else f"{text}e0"


@contextlib.contextmanager
def cursor_of(backend: SQLBackend, sql: str, query_values: Sequence[object] = ()) -> Iterator[Any]:
    """Run a query whose rows stay at the server until they are fetched. given: its parameters, of Postgres."""
    if backend.name == "pyspark":
        from descend.table.spark import PartitionCursor

        yield PartitionCursor(backend.raw_sql(sql))
        return
    if backend.name != "postgres":
        with contextlib.closing(backend.raw_sql(sql)) as cursor:
            yield cursor
        return
    # A cursor without a name would bring all rows here at once.
    with backend.con.transaction(), backend.con.cursor(name=f"descend_{next(NUMBERS)}", binary=True) as cursor:
        cursor.execute(sql, query_values or None)
        yield cursor


@contextlib.contextmanager
def _set(options: object, name: str, value: object) -> Iterator[None]:
    before = getattr(options, name)
    setattr(options, name, value)
    try:
        yield
    finally:
        setattr(options, name, before)


def reason(error: Exception) -> str:
    """Return what DuckDB says in one line, without the kind of error and its own advice."""
    first = str(error).split("\n", 1)[0].strip()
    kind, colon, sentence = first.partition(" Error: ")
    message = (sentence if colon and " " not in kind.strip().removeprefix("Invalid ") else first).rstrip(".! ")
    # The sentence becomes part of another, so it loses its capital; words all in capitals stay.
    return message[:1].lower() + message[1:] if message[1:2].islower() or message[1:2] == " " else message


def not_computed(backend: SQLBackend, subject: str, error: Exception) -> DataError:
    """Return the error for what a database could not compute, in its own words. subject: what that is."""
    if re.search(r"out of memory|not enough memory", str(error), re.IGNORECASE):
        return DataError(
            f"The database ({backend.name}) has too little memory for {subject}. Give it more, "
            f"{spell('memory_limit', '1GiB')}, or fewer rows,{using('where')}."
        )
    return DataError(
        f"The database ({backend.name}) could not compute {subject}: {reason(error)}. Check that it is there, and fit "
        "again."
    )
