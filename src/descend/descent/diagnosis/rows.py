"""Bad rows: a few rows far beyond all others, without which the same run would have gone well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.descent.diagnosis.case import Array, Case, went_well
from descend.descent.diagnosis.cause import Cause, Diagnosis

FAR = 15.0
"""Robust standard deviations from the median from which on a value may be no measurement at all, ..."""
GAP = 4.0
"""... if it is this many times further away than the next that is left: heavy tails have no such gap."""
FEW, SENTINELS = 0.1, 0.3
"""Share of the rows that may be bad; more where all of them hold the same value, a placeholder."""
CURVED = 3.0
"""How many times the bad rows must raise the largest curvature of a run that was merely slow."""


@dataclass(frozen=True)
class Suspects:
    """Rows (from 0) in which a column is far beyond its other values."""

    column: str
    rows: NDArray[np.intp]
    values: Array
    distance: float


def bad_rows(case: Case) -> Diagnosis | None:
    """Leave out the rows that stand apart and see whether the run then goes well."""
    found = [each for each in (suspects(name, values) for name, values in case.columns.items()) if each is not None]
    if not found:
        return None
    bad = np.unique(np.concatenate([each.rows for each in found]))
    count = case.objective.rows
    kept = np.setdiff1d(np.arange(count), bad)
    if len(kept) < max(2, count // 2) or not _better_without(case, kept):
        return None
    worst = max(found, key=lambda each: each.distance)
    listed = ", ".join(f"{row + 1:,}" for row in worst.rows[:5]) + (" ..." if len(worst.rows) > 5 else "")
    values = ", ".join(f"{value:.6g}" for value in dict.fromkeys(worst.values[:5].tolist()))
    plural = "s" if len(worst.rows) > 1 else ""
    rest = np.delete(case.columns[worst.column], worst.rows)
    sentence = (
        f"`{worst.column}` is {values} in row{plural} {listed}, while all other rows lie between {rest.min():.6g} and "
        f"{rest.max():.6g}; without {'these rows' if len(bad) > 1 else 'this row'} the same run goes well."
    )
    evidence: dict[str, Any] = {
        "column": worst.column,
        "rows": [int(row) + 1 for row in worst.rows[:20]],
        "values": [float(value) for value in worst.values[:20]],
        "count": len(bad),
        "others_min": float(rest.min()),
        "others_max": float(rest.max()),
    }
    advice = f"Correct {'these rows' if len(bad) > 1 else 'this row'}, or leave them out: {_condition(worst, rest)}."
    return Diagnosis(Cause.BAD_ROWS, evidence, sentence, advice)


def _condition(worst: Suspects, rest: Array) -> str:
    name = worst.column if worst.column.isidentifier() else f'"{worst.column}"'
    if len(set(worst.values.tolist())) == 1:
        return f"--where '{name} <> {worst.values[0]:.6g}'"
    side = f"{name} <= {rest.max():.6g}" if worst.values.min() > rest.max() else f"{name} >= {rest.min():.6g}"
    return f"--where '{side}'"


def suspects(name: str, values: Array) -> Suspects | None:
    """Return the rows of a column that stand apart from the others: far away, across a gap, and few."""
    middle = float(np.median(values))
    away = np.abs(values - middle)
    spread = 1.4826 * float(np.median(away))
    if spread <= 0.0:
        low, high = np.quantile(values, (0.05, 0.95))
        spread = float(high - low) / 3.29 or max(abs(middle), 1.0)
    order = np.argsort(-away, kind="stable")
    far = away[order] / spread
    most = int(SENTINELS * len(values))
    for count in range(min(most, int((far >= FAR).sum())), 0, -1):
        rows = order[:count]
        few = count <= max(1, int(FEW * len(values))) or np.unique(values[rows]).size == 1
        if few and far[count - 1] >= GAP * max(float(far[count]), 1.0):
            rows = np.sort(rows)
            return Suspects(name, rows, values[rows], float(far[0]))
    return None


def _better_without(case: Case, kept: NDArray[np.intp]) -> bool:
    others = case.on(kept)
    if case.diverged:
        return went_well(case.trial(objective=others, epochs=max(50, 2 * case.epochs)))
    whole, less = case.largest_at_start, case.largest_curvature(case.start, others)
    if whole is None or less is None or whole < CURVED * less:
        return False
    for rate in (case.rate, "auto"):
        steps = case.trial(objective=others, rate=rate)
        if went_well(steps) and case.settled(steps, others):
            return True
    return False
