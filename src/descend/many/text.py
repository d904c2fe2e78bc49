"""Many fits as text: how they ended, the first groups, how the parameters spread, and why groups failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from descend.many.fits import Fits

FIRST, FAILED = 8, 5
"""Groups that are listed, and groups whose failure is explained, at most."""
QUANTILES = {"5%": 0.05, "median": 0.5, "95%": 0.95}


def render(fits: Fits) -> str:
    """Return what a terminal shows of many fits."""
    return "\n".join(_lines(fits))


def _lines(fits: Fits) -> Iterator[str]:
    counted = ", ".join(f"{count:,} {outcome}" for outcome, count in fits.counts.items())
    yield f"{fits.model}, by {' and '.join(fits.by)}"
    yield f"  {len(fits):,} groups: {counted}, in {fits.seconds:.2g} s"
    if fits.ungrouped:
        yield f"  {fits.ungrouped:,} rows lack a value of {' or '.join(fits.by)}, and belong to no group"
    yield from (f"  {note}" for note in fits.notes)
    labels = fits.model.parameters.labels
    components = np.column_stack([part.reshape(len(fits), -1) for part in fits.parameters.values()])
    yield ""
    head = [*fits.by, *labels, "rows", "outcome"]
    rows = [
        [*map(str, key), *(_short(value) for value in components[place]), str(fits.rows[place]), fits.outcome[place]]
        for place, key in enumerate(fits.keys[:FIRST])
    ]
    yield from _table([head, *rows])
    if len(fits) > FIRST:
        yield f"  and {len(fits) - FIRST:,} more: a saved table has all of them, in Python fits.frame()"
        fitted = components[np.isfinite(components).all(axis=1)]
        yield ""
        spread = [
            [label, *(_short(np.quantile(fitted[:, place], share)) for share in QUANTILES.values())]
            for place, label in enumerate(labels)
        ]
        yield from _table([["", *QUANTILES], *(spread if len(fitted) else [])])
    if fits.failed:
        yield ""
        for key, cause in list(fits.failed.items())[:FAILED]:
            said = ", ".join(map(str, key)) if isinstance(key, tuple) else str(key)
            yield f"  {said}: {cause}"
        if len(fits.failed) > FAILED:
            yield f"  and {len(fits.failed) - FAILED:,} more groups: their causes are in the table"


def _short(value: float) -> str:
    return f"{value:.6g}" if np.isfinite(value) else "-"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
