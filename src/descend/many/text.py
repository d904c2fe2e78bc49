"""Many fits as text: how they ended and why, the first groups, and how the parameters spread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from descend.many.reasons_of_failure import NAMED, examples, reasons, words
from descend.parameters import DIGITS, digits_of
from descend.report.text import WIDTH, aligned, folded, table, width
from descend.report.units import label_with_unit
from descend.table.levels import said

if TYPE_CHECKING:
    from descend.many.fitted import FittedGroups

FIRST, REASONS = 8, 6
"""Groups that are listed, and reasons for failing, at most."""
QUANTILES = {"5%": 0.05, "median": 0.5, "95%": 0.95}
INDENT = "  "
FEWEST = 2
"""Parameters that a table has at least, however narrow the terminal."""


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
    some = range(min(len(fits), FIRST))
    names = [[name, *(str(fits.keys[group][key_number]) for group in some)] for key_number, name in enumerate(fits.by)]
    numbers, intervals = [], {} if level is None else fits.intervals(level)
    for label, (values, errors) in fits.estimates().items():
        cells = [_number(value) for value in values[: len(some)]]
        digits = [digits_of(cell, error) for cell, error in zip(cells, errors[: len(some)].tolist(), strict=True)]
        numbers.append([label_with_unit(fits, fits.model.parameters, label), *_column(cells, digits)])
        for word, ends in zip(("low", "high"), intervals.get(label, ()), strict=False):
            numbers.append([word, *_column([_number(end) for end in ends[: len(some)]], digits)])
    remaining = [["rows", *(f"{fits.rows[group]:,}" for group in some)]]
    if np.isfinite(fits.r_squared).any():
        remaining.insert(0, ["R²", *_column([_number(fits.r_squared[group]) for group in some], 4)])
    ended = ["outcome", *(words(fits.outcome[group]) for group in some)]
    columns_shown = _fitting(names, numbers, [*remaining, ended], most)
    yield from _table(
        [*names, *numbers[:columns_shown], *remaining, ended],
        left={*range(len(names)), len(names) + columns_shown + len(remaining)},
    )
    if columns_shown < len(numbers):
        columns_words = "parameters and quantities" if fits.quantities else "parameters"
        yield f"{INDENT}and {len(numbers) - columns_shown} more {columns_words}, in the table that is saved"
    for name, each in fits.quantities.items():
        if each.why:
            group = min(each.why)
            lacking = f"{name} is not known in {len(each.why):,} of {len(fits):,} groups"
            text = f"{INDENT}{lacking}, such as {said(fits.keys[group])}: {each.why[group]}"
            yield from folded(text, most, INDENT).split("\n")


def _fitting(names: list[list[str]], numbers: list[list[str]], remaining: list[list[str]], most: int) -> int:
    """Return how many columns of numbers fit into a line beside the others."""
    size = sum(max(map(width, column)) + len(INDENT) for column in (*names, *remaining))
    columns_shown = 0
    for column in numbers:
        size += max(map(width, column)) + len(INDENT)
        if size > most and columns_shown >= FEWEST:
            break
        columns_shown += 1
    return columns_shown


def _spread(fits: FittedGroups) -> Iterator[str]:
    """Yield how the parameters and R2 of the fitted groups spread."""
    columns = {label: values for label, (values, _) in fits.estimates().items()}
    if np.isfinite(fits.r_squared).any():
        columns["R²"] = fits.r_squared
    rows = []
    for label, values in columns.items():
        finite_values = values[np.isfinite(values)]
        if len(finite_values):
            rows.append([label, *(f"{np.quantile(finite_values, share):.4g}" for share in QUANTILES.values())])
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


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _column(values: Sequence[float | None], digits: int | Sequence[int] = DIGITS) -> list[str]:
    return [text if text.strip() else "-" for text in aligned(values, digits)]


def _table(columns: Sequence[Sequence[str]], left: set[int]) -> Iterator[str]:
    return (INDENT + line for line in table(columns, left, INDENT))
