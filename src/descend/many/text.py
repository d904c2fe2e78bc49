"""Many fits as text: how they ended and why, the first groups, and how the parameters spread."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from descend.many.reasons_of_failure import NAMED, examples, reasons, words
from descend.many.result_columns import Array, Column, Kind, shown
from descend.parameters import DIGITS, digits_of
from descend.report.text import WIDTH, aligned, folded, table, width
from descend.table.levels import said

if TYPE_CHECKING:
    from descend.many.fitted import FittedGroups

FIRST, REASONS = 8, 6
"""Groups that are listed, and reasons for failing, at most."""
QUANTILES = {"5%": 0.05, "median": 0.5, "95%": 0.95}
NOUNS = ("parameter", "parameters"), ("parameter or quantity", "parameters and quantities")
INDENT = "  "
FEWEST = 2
"""Columns of parameters that a table has at least, however narrow the terminal."""


def render(fits: FittedGroups, columns: int | None = None, level: float | None = None) -> str:
    """Return what a terminal shows of many fits. columns: the length of its lines, if that is known.

    level: of the t intervals of the parameters, if they are asked for.
    """
    return "\n".join(line.rstrip() for line in _lines(fits, max(columns or WIDTH, WIDTH // 2), level))


def counted(fits: FittedGroups) -> str:
    """Say how many groups there are, how they ended, and how fast."""
    ended = ", ".join(f"{count:,} {words(outcome)}" for outcome, count in fits.counts.items())
    rate = len(fits) / fits.seconds if fits.seconds > 0.0 else 0.0
    speed = f" ({rate:,.0f} a second)" if len(fits) > 1 and rate >= 1.0 else ""
    groups = f"{len(fits):,} group{'' if len(fits) == 1 else 's'}"
    return f"{groups}: {ended}, in {fits.seconds:.2g} s{speed}"


def _lines(fits: FittedGroups, most: int, level: float | None) -> Iterator[str]:
    yield f"{fits.model}, by {' and '.join(fits.by)}"
    yield INDENT + counted(fits)
    if fits.ungrouped:
        rows, they = ("1 row lacks", "belongs") if fits.ungrouped == 1 else (f"{fits.ungrouped:,} rows lack", "belong")
        yield f"{INDENT}{rows} a value of {' or '.join(fits.by)}, and {they} to no group"
    for note in fits.notes:
        yield from folded(f"{INDENT}{note}", most, INDENT).split("\n")
    yield ""
    yield from _groups(fits, most, level)
    if level is not None:
        yield f"{INDENT}{100.0 * level:g}% t intervals beside the parameters"
    if len(fits) > FIRST:
        yield f"{INDENT}and {len(fits) - FIRST:,} more: a saved table has all of them, in Python fits.frame()"
        yield ""
        yield from _spread(fits)
    if not fits.succeeded:
        yield ""
        yield from _reasons(fits, most)


def _groups(fits: FittedGroups, most: int, level: float | None) -> Iterator[str]:
    """Yield a table of the first groups, with as many parameters as fit, each with its interval if it has one."""
    every = shown(fits)
    names = [_written(column) for column in every if column.kind is Kind.KEY]
    numbers, intervals = [], {} if level is None else fits.intervals(level)
    for column in (column for column in every if column.kind is Kind.ESTIMATE):
        cells = _first(column.numbers)
        digits = [digits_of(cell, error) for cell, error in zip(cells, column.errors[:FIRST].tolist(), strict=True)]
        numbers.append([[column.head, *_column(cells, digits)]])
        for word, ends in zip(("low", "high"), intervals.get(column.title, ()), strict=False):
            numbers[-1].append([word, *_column(_first(ends), digits)])
    remaining = [_written(column) for column in every if Kind.ESTIMATE < column.kind < Kind.SENTENCE]
    estimates_shown = _fitting(names, numbers, remaining, most)
    columns = [*names, *(column for each in numbers[:estimates_shown] for column in each), *remaining]
    yield from _table(columns, left={*range(len(names)), len(columns) - 1})
    if estimates_left := len(numbers) - estimates_shown:
        one, several = NOUNS[bool(fits.quantities)]
        yield f"{INDENT}and {estimates_left} more {one if estimates_left == 1 else several}, in the table that is saved"
    for name, each in fits.quantities.items():
        if each.why:
            group = min(each.why)
            lacking = f"{name} is not known in {len(each.why):,} of {len(fits):,} groups"
            text = f"{INDENT}{lacking}, such as {said(fits.keys[group])}: {each.why[group]}"
            yield from folded(text, most, INDENT).split("\n")


def _fitting(names: list[list[str]], numbers: list[list[list[str]]], remaining: list[list[str]], most: int) -> int:
    """Return how many estimates, each with the ends of its interval, fit into a line beside the other columns."""

    def size(columns: Sequence[Sequence[str]]) -> int:
        return sum(max(map(width, column)) + len(INDENT) for column in columns)

    columns_shown, room = 0, most - size([*names, *remaining])
    for place, columns in enumerate(numbers):
        room -= size(columns)
        if room < 0 and columns_shown >= FEWEST:
            return place
        columns_shown += len(columns)
    return len(numbers)


def _spread(fits: FittedGroups) -> Iterator[str]:
    """Yield how the parameters and R2 of the fitted groups spread."""
    rows = []
    for column in (column for column in shown(fits) if column.kind in (Kind.ESTIMATE, Kind.MEASURE)):
        finite_values = column.numbers[np.isfinite(column.numbers)]
        if len(finite_values):
            rows.append([column.title, *(f"{np.quantile(finite_values, share):.4g}" for share in QUANTILES.values())])
    yield from _table(list(map(list, zip(["", *QUANTILES], *rows, strict=True))), left={0})


def _reasons(fits: FittedGroups, most: int) -> Iterator[str]:
    """Yield why groups failed, each reason once, with its first sentence in full."""
    reasons_found = reasons(fits)
    size = max(len(f"{len(reason.groups):,} {words(reason.outcome)}") for reason in reasons_found[:REASONS])
    for reason in reasons_found[:REASONS]:
        begin = f"{len(reason.groups):,} {words(reason.outcome)}".ljust(size)
        such = "such as " if len(reason.groups) > NAMED else ""
        text = f"{such}{examples(fits, reason)}: {' '.join(reason.sentence.split())}"
        within = len(INDENT) + size + 2
        yield f"{INDENT}{begin}  {folded(text, max(most - within, 30)).replace(chr(10), chr(10) + ' ' * within)}"
    if len(reasons_found) > REASONS:
        remaining = sum(len(reason.groups) for reason in reasons_found[REASONS:])
        yield f"{INDENT}{remaining:,} more for other reasons: the table that is saved has each group's"


def _written(column: Column) -> list[str]:
    """Return the head of a column and its first cells."""
    if column.kind is Kind.MEASURE:
        return [column.head, *_column(_first(column.numbers), 4)]
    if column.kind is Kind.COUNT:
        return [column.head, *(f"{value:,}" for value in column.values[:FIRST])]
    return [column.head, *(words(str(v)) if column.kind is Kind.WORD else str(v) for v in column.values[:FIRST])]


def _first(values: Array) -> list[float | None]:
    """Return the first numbers, and None for those that there are not."""
    return [value if math.isfinite(value) else None for value in values[:FIRST].tolist()]


def _column(values: Sequence[float | None], digits: int | Sequence[int] = DIGITS) -> list[str]:
    return [text if text.strip() else "-" for text in aligned(values, digits)]


def _table(columns: Sequence[Sequence[str]], left: set[int]) -> Iterator[str]:
    return (INDENT + line for line in table(columns, left, INDENT))
