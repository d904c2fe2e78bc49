"""Bad rows: a few rows far from all others, without which the same run would have gone well or ended elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.diagnosis.case import MOST_PARAMETERS, Array, Case
from descend.diagnosis.cause import Cause, Diagnosis, Evidence
from descend.diagnosis.mistyped_values import Suspects, suspects
from descend.diagnosis.progress import losses, went_well
from descend.wording import spell, worded

CURVED = 3.0
"""How many times the bad rows must raise the largest curvature of a run that was merely slow."""
DRAGGED = 0.1
"""Some rows have dragged the fit away if the loss of all others rises above its lowest by at least this share."""


@dataclass(frozen=True)
class Apart:
    """The rows that stand apart in some column, and the rows that are left."""

    suspects_of_columns: Sequence[Suspects]
    bad: NDArray[np.intp]
    others: NDArray[np.intp]

    @property
    def worst(self) -> Suspects:
        return max(self.suspects_of_columns, key=lambda each: each.distance)

    @property
    def certain(self) -> bool:
        return any(each.certain for each in self.suspects_of_columns)


def bad_rows(case: Case) -> Diagnosis | None:
    """Leave out the rows that stand apart and see whether the run then goes well, or ends somewhere else."""
    distant_rows = standing_apart(case)
    if distant_rows is None:
        return None
    if _better_without(case, distant_rows.others):
        return _diagnosis(case, distant_rows, f"without {_these(distant_rows)} the same run goes well")
    pull = _pull(case, distant_rows) if distant_rows.certain and not case.diverged else None
    return None if pull is None else _diagnosis(case, distant_rows, _dragged(distant_rows, *pull))


def taken_along(case: Case) -> Diagnosis | None:
    """Look for rows that spoil a run that ended well: because of them, the fit does not suit the other rows.

    If they may be genuine, or hardly moved the fit, this is a warning without a cause.
    """
    rows = standing_apart(case)
    if rows is None:
        return None
    pull = _pull(case, rows)
    if pull is None and not rows.certain:
        return None
    blamed = _diagnosis(case, rows, f"{_these(rows)} hardly moved the fit" if pull is None else _dragged(rows, *pull))
    if rows.certain and pull is not None:
        return blamed
    advice = f"{case.run.advice} But {blamed.sentence} {blamed.advice}"
    return Diagnosis(None, blamed.evidence, blamed.sentence, advice)


def standing_apart(case: Case) -> Apart | None:
    """Return the rows that stand apart in any column, if more than half of the rows are left."""
    count = case.rows
    omega = case.problem.rows.omega
    counts = np.ones(count, dtype=bool) if omega is None or len(omega) != count else omega > 0.0
    suspected_rows = []
    for name, values in case.columns.items():
        if len(values) == count and (each := suspects(name, values)) is not None and counts[each.rows].any():
            suspected_rows.append(each)
    if not suspected_rows:
        return None
    bad = np.unique(np.concatenate([each.rows for each in suspected_rows]))
    rows_left = np.setdiff1d(np.arange(count), bad)
    return Apart(suspected_rows, bad, rows_left) if len(rows_left) >= max(2, count // 2) else None


def _diagnosis(case: Case, distant_rows: Apart, why: str) -> Diagnosis:
    worst, bad = distant_rows.worst, distant_rows.bad
    rows_named = ", ".join(f"{row + 1:,}" for row in worst.rows[:5]) + (" ..." if len(worst.rows) > 5 else "")
    values = ", ".join(f"{value:.6g}" for value in dict.fromkeys(worst.values[:5].tolist()))
    plural = "s" if len(worst.rows) > 1 else ""
    remaining = np.delete(case.columns[worst.column], worst.rows)
    where, rows_around = f"row{plural} {rows_named}", "all other rows"
    if case.sampled:
        where, rows_around = f"{len(worst.rows):,} of {case.rows:,} rows of a sample", "its other rows"
    sentence = (
        f"`{worst.column}` is {values} in {where}, while {rows_around} lie between {remaining.min():.6g} and "
        f"{remaining.max():.6g}; {why}."
    )
    evidence: Evidence = {
        "column": worst.column,
        "rows": None if case.sampled else [int(row) + 1 for row in worst.rows[:20]],
        "values": [float(value) for value in worst.values[:20]],
        "count": len(bad),
        "others_min": float(remaining.min()),
        "others_max": float(remaining.max()),
    }
    conditions = " AND ".join(
        _condition(each, np.delete(case.columns[each.column], each.rows)) for each in distant_rows.suspects_of_columns
    )
    return Diagnosis(
        Cause.BAD_ROWS,
        evidence,
        sentence,
        f"Correct {_these(distant_rows)}, or leave {_them(distant_rows)} out"
        + worded("keeping", ": " + spell("where", conditions), conditions=conditions)
        + ".",
    )


def _these(distant_rows: Apart) -> str:
    return "these rows" if len(distant_rows.bad) > 1 else "this row"


def _them(distant_rows: Apart) -> str:
    return "them" if len(distant_rows.bad) > 1 else "it"


def _dragged(distant_rows: Apart, with_them: float, without: float) -> str:
    return f"without {_these(distant_rows)} the loss over all others falls from {with_them:.4g} to {without:.4g}"


def _condition(worst: Suspects, remaining: Array) -> str:
    name = worst.column if worst.column.isidentifier() else f'"{worst.column}"'
    if len(set(worst.values.tolist())) == 1:
        return f"{name} <> {worst.values[0]:.6g}"
    sides = [f"{name} >= {remaining.min():.6g}"] if worst.values.min() < remaining.min() else []
    sides += [f"{name} <= {remaining.max():.6g}"] if worst.values.max() > remaining.max() else []
    return " AND ".join(sides)


def _better_without(case: Case, rows_left: NDArray[np.intp]) -> bool:
    case_without = case.on(rows_left)
    if case.diverged:
        return went_well(case.trial(objective=case_without, epochs=max(50, 2 * case.epochs)))
    with_all, without = case.largest_at_start, case.largest_curvature(case.start, case_without)
    if with_all is None or without is None or with_all < CURVED * without:
        return False
    for rate in (case.rate, "auto"):
        steps = case.trial(objective=case_without, rate=rate)
        if went_well(steps) and case.settled(steps, case_without):
            return True
    return False


def _pull(case: Case, distant_rows: Apart) -> tuple[float, float] | None:
    """Return the other rows' loss at the fit to all rows, and its lowest value; None if they hardly differ."""
    case_without = case.on(distant_rows.others)
    if case.model.in_place or case.objective.has_l1 or case.last.size > MOST_PARAMETERS:
        minimum_without = case.trial(case.last, batch_size=None)[-1].theta  # as much effort as over the others below
        reached = case.trial(case.last, objective=case_without, batch_size=None)
        if case.model.in_place:  # the bad rows may have saturated the module, so also try from the start
            reached += case.trial(objective=case_without)
    else:
        minimum_without = case.minimum(case.last, case.objective)
        reached = case.gauss_newton(minimum_without, case_without)
    with_them = float(case_without(minimum_without, 0).loss)
    without = min(losses(reached), default=math.inf)
    if not math.isfinite(with_them) or with_them - without <= DRAGGED * abs(without):
        return None
    return with_them, without
