"""What SQL writes of the cells of a column: as text, as what words count as, and as exact numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from descend.table.database import literal
from descend.table.table import EXACT, Coding, Label

LONG = frozenset(("BIGINT", "UBIGINT", "HUGEINT", "UHUGEINT", "BIGNUM"))
"""Types of whole numbers that may have more digits than a float."""


def as_label(column: str, sql_type: str) -> str:
    """Return the SQL of a column as text, as `table.label` writes its cells."""
    text = f"CAST({column} AS VARCHAR)"
    if sql_type == "BOOLEAN":
        # Not a cast: DuckDB pushes that into its CSV reader, and so returns the word as it is written.
        return f"CASE {column} WHEN true THEN 'true' WHEN false THEN 'false' END"
    if sql_type not in ("DOUBLE", "FLOAT"):
        return text
    integer = f"{column} = floor({column}) AND abs({column}) < 1e15"
    return f"CASE WHEN {integer} THEN CAST(CAST({column} AS BIGINT) AS VARCHAR) ELSE {text} END"


def as_counted(text: str, counted: Mapping[str, float]) -> str:
    """Return the SQL of words, given as SQL, as the numbers that they count as."""
    cases = " ".join(f"WHEN {literal(word)} THEN {number!r}::DOUBLE" for word, number in counted.items())
    return f"CASE {text} {cases} END"


def coded(coding: Coding, cells: Mapping[str, str]) -> str:
    """Return the SQL of the numbers of a coding as doubles: null where a cell is missing, -1 for what has none.

    cells: each column as SQL: a double, or text that is null where it is empty.
    """
    columns = [cells[name] for name in coding.columns]
    columns_complete = " AND ".join(f"{column} IS NOT NULL" for column in columns)
    cases = (
        " AND ".join(f"{column} = {_cell(cell)}" for column, cell in zip(columns, key, strict=True))
        for key in coding.keys
    )
    whens = " ".join(f"WHEN {case} THEN {case_number}e0" for case_number, case in enumerate(cases))
    return f"CASE {whens} WHEN {columns_complete} THEN -1e0 END"


def _cell(cell: Label) -> str:
    return literal(cell) if isinstance(cell, str) else f"CAST('{float(cell)!r}' AS DOUBLE)"


def exact_up_to(sql_type: str) -> float:
    """Return the magnitude up to which float64 has every number of an SQL type; infinity for floats."""
    if decimals := re.match(r"DECIMAL\(\d+,(\d+)\)", sql_type):
        return EXACT / 10.0 ** int(decimals[1])
    return EXACT if sql_type in LONG else math.inf


def exact_cells(
    name: str,
    column: str,
    exact: str,
    types: Mapping[str, str],
    relation: Callable[[Mapping[str, str]], str],
    typed: bool,
) -> tuple[str, str]:
    """Return the relation that has the exact cells of a column, called ``exact``, and where float64 rounds one of them.

    column: what it is called in SQL. types: those as which columns are read, unless the source has its own, is typed.
    """
    if typed:
        sql_type, relation_read, digits = types[name], relation(types), column
    else:  # read as text, from which the column is made as it was read before
        sql_type, relation_read = "HUGEINT", relation({**types, name: "VARCHAR"})
        integer = f"regexp_full_match({column}, '\\s*[+-]?\\d+\\s*')"
        digits = f"CASE WHEN {integer} THEN TRY_CAST({column} AS HUGEINT) END"
    replaced = f"TRY_CAST({column} AS {types[name]}) AS {column}"
    as_float = f"TRY_CAST(CAST({exact} AS DOUBLE) AS {sql_type})"
    condition = f"{exact} IS NOT NULL AND {as_float} IS DISTINCT FROM {exact}"
    return f"(SELECT * REPLACE ({replaced}), {digits} AS {exact} FROM {relation_read})", condition
