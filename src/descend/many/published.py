"""Many fits as a published table: a row for each group, with its key, its parameters and how good its fit is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from descend.many.reasons_of_failure import words
from descend.many.result_columns import Column, Kind, shown
from descend.report.published.cells import Cell, Estimate, Number, Published, convention

if TYPE_CHECKING:
    from descend.many.fitted import FittedGroups


def published(fits: FittedGroups, errors: str) -> Published:
    """Return the table before a format writes it; how each fit ended is shown if one failed."""
    columns = [column for column in shown(fits) if column.kind < Kind.WORD + (not fits.succeeded)]
    rows = list(map(list, zip(*map(_cells, columns), strict=True)))
    caption = f"{fits.model}, by {' and '.join(fits.by)}"
    heads = [column.title for column in columns]
    return Published(heads, [rows], caption, [f"Model: {caption}", convention(errors)])


def _cells(column: Column) -> list[Cell]:
    if column.kind is Kind.ESTIMATE:
        return list(map(Estimate, column.numbers.tolist(), column.errors.tolist()))
    if column.kind is Kind.MEASURE:
        return [Number(value) if math.isfinite(value) else None for value in column.numbers.tolist()]
    if column.kind is Kind.COUNT:
        return [Number(int(value)) for value in column.numbers]
    return [words(str(value)) if column.kind is Kind.WORD else str(value) for value in column.values]
