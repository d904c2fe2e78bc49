"""A fit as a list of fields: what to show, before any choice of how."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from descend.descent.commenting import attempt
from descend.inference.covariance import sandwich_kind
from descend.inference.intervals import NOT_AT_MINIMUM
from descend.problem.repeated_rows import AT_ONCE, repeated_rows

if TYPE_CHECKING:
    from descend.inference.fitted import Fitted
    from descend.inference.intervals import Intervals

FEW_DIGITS = 4
"""Digits of a parameter below which the table says how few they are."""
MOST_NAMED = 3
MOST_JUDGED = 1_000_000
"""Rows up to which digits are judged unasked: beyond, that takes longer than the fit."""


@dataclass(frozen=True)
class Field:
    """One thing to show.

    kind: ``formula``, ``parameter`` (value: number, standard error or None, what holds it back, such as ``fixed``, or
        an empty text, and the ends of its interval if asked for), ``number``, ``text``, ``success``, ``partial`` or
        ``failure`` (how the run ended), ``advice``, or ``note``.
    """

    label: str
    value: Any
    kind: str


def fields(fit: Fitted, intervals: Intervals | None = None, told: Collection[str] = ()) -> list[Field]:
    """Return what there is to show of a fit, in reading order. told: notes to leave out, said already."""
    if fit.model.in_place:  # its weights are read from the module itself
        size = Field("parameters", f"{fit.model.parameters.size:,}", "text")
        return [Field("fitted", str(fit.model), "formula"), size, *_rest(fit, None, told)]
    held = fit.constraints
    labels = fit.model.parameters.labels if held is None else held.parameters.labels
    values = [float(value) for value in (fit.theta if held is None else held.parameters.flat(fit.parameters))]
    errors = fit.standard_errors
    flat = [None] * len(values) if errors is None else [
        None if np.isnan(error) else error for error in np.hstack([errors[name] for name in fit.parameters]).tolist()
    ]  # fmt: skip
    marks = ["" if held is None else held.mark(label, fit.theta) for label in labels]
    shown = [Field("fitted", fit.fitted_formula or str(fit.model), "formula")]
    ends = [] if intervals is None else [_ends(intervals, labels, 0), _ends(intervals, labels, 1)]
    shown += [
        Field(label, numbers, "parameter") for label, *numbers in zip(labels, values, flat, marks, *ends, strict=True)
    ]
    return [*shown, *_rest(fit, intervals, [*told, NOT_AT_MINIMUM])]


def _rest(fit: Fitted, intervals: Intervals | None, told: Collection[str]) -> list[Field]:
    """Return what follows the parameters: how good the fit is, and how it was made."""
    shown = [Field(f"loss ({fit.loss_function})", fit.loss, "number")]
    shown += _goodness(fit)
    shown += _spread(fit, intervals)
    shown += _residuals(fit)
    shown += [] if fit.model.in_place else _repeats(fit)
    shown += _digits(fit)
    source = fit.solution.source if fit.solution is not None else ""
    return [
        *shown,
        Field("rows", f"{fit.rows:,}" + (f" of {source}" if source else "") + _left_out(fit), "text"),
        Field("gradient", f"{fit.gradient.replace('_', ' ')}, summed by {fit.engine}", "text"),
        Field("optimizer", _optimizer(fit), "text"),
        _outcome(fit),
        *_cause(fit),
        Field("", fit.advice, "advice"),
        *(Field("note", _sentence(note, fit.parameters), "note") for note in fit.notes if note not in told),
        *(Field("note", _sentence(failure), "note") for failure in fit.failures),
    ]


def _goodness(fit: Fitted) -> list[Field]:
    """Say how well the fit describes the data, by what is usual for its loss."""
    shown = []
    if fit.r_squared is not None:
        about_zero = fit.r_squared_about_zero
        other = "" if about_zero is None else f", {about_zero:.6g} about 0"
        shown.append(Field("R²", f"{fit.r_squared:.6g} about the mean{other}", "text"))
    if fit.goodness is not None:
        good = fit.goodness
        name = "χ²" if fit.sigma is not None else "Pearson's χ²"
        told = f"{good.chi_square:.5g} for {good.degrees:,} degree{'s' if good.degrees > 1 else ''} of freedom"
        shown.append(Field(name, f"{told}, reduced {good.reduced:.4g}, p = {good.p:.2g}", "text"))
    if fit.deviance is not None and not fit.loss_function.quadratic:
        shown.append(Field("deviance", fit.deviance, "number"))
    if fit.loss_function.dispersion == "estimated" and not fit.loss_function.quadratic and fit.dispersion is not None:
        shown.append(Field("dispersion", fit.dispersion, "number"))
    return shown


def _left_out(fit: Fitted) -> str:
    """Say how many rows were left out because a value is missing in them, if that was asked for."""
    table = None if fit.solution is None else fit.solution.table
    if fit.solution is None or table is None or fit.solution.call().get("missing") != "drop":
        return ""
    count = table.rows - fit.rows
    return f"; {count:,} left out, where a value is missing" if count > 0 else ""


def _spread(fit: Fitted, intervals: Intervals | None) -> list[Field]:
    """Say what the standard errors and intervals rest on, where it is not the usual."""
    shown = []
    if intervals is not None:
        shown.append(
            Field("intervals", f"{intervals.level * 100:.10g}% by {intervals.method} ({intervals.convention})", "text")
        )
    if fit.sigma is not None:
        shown.append(Field("sigma", f"`{fit.sigma}`: standard deviations of the response, taken as known", "text"))
    elif fit.weights is not None:
        shown.append(Field("weights", f"`{fit.weights}`: relative, the size of the errors is estimated", "text"))
    if fit.kind_of_errors == "sandwich" and fit.standard_errors is not None:
        kind = sandwich_kind(fit.loss_function)
        shown.append(Field("errors", f"sandwich ({kind}): robust against unlike residuals", "text"))
    if not fit.at_minimum:
        what = "standard errors" if intervals is None else "standard errors and intervals"
        shown.append(Field("errors", f"{what} hold at the minimum only, which this run did not reach", "note"))
    return shown


def _residuals(fit: Fitted) -> list[Field]:
    """Say what is off with the residuals, if anything; nothing of a run that is not at its minimum."""
    if fit.solution is None or fit.covariance is None or not fit.loss_function.quadratic:
        return []
    if str(fit.outcome) != "converged":
        return []
    warning = ""
    with attempt("what is off with the residuals", fit.failures):
        warning = fit.diagnostics().warning
    return [Field("residuals", _sentence(warning), "note")] if warning else []


def _repeats(fit: Fitted) -> list[Field]:
    """Say so if rows repeat others, where they are too many for every fit to look at."""
    kept = fit.solution
    if kept is None or kept.all_rows is not None or not AT_ONCE < fit.rows <= MOST_JUDGED:
        return []
    spread = [name for name in (fit.sigma, fit.weights) if name is not None]
    told = repeated_rows(kept.columns, (*fit.model.inputs, *spread), fit.model.observed(kept.columns))
    return [] if told is None else [Field("repeats", told, "note")]


def _digits(fit: Fitted) -> list[Field]:
    """Say which parameters the run stopped too early for, if any; those that no run could tell are told elsewhere."""
    if fit.rows > MOST_JUDGED or fit.digits is None or fit.model.in_place:
        return []
    whole = fit.model.parameters if fit.constraints is None else fit.constraints.parameters
    low = [
        (label, int(number))
        for label, number in zip(whole.labels, whole.flat(fit.digits).tolist(), strict=True)
        if number < FEW_DIGITS and label not in fit.undetermined and fit.rounding.get(label, 0.0) is not None
    ]
    if not low:
        return []
    labels, fewest = [f"`{label}`" for label, _ in low], min(number for _, number in low)
    if len(labels) > MOST_NAMED:
        labels[MOST_NAMED:] = [f"{len(labels) - MOST_NAMED} more"]
    they = " and ".join(part for part in (", ".join(labels[:-1]), labels[-1]) if part)
    are = "is" if len(low) == 1 else "are"
    known = f"known to about {fewest} digit{'s' if fewest > 1 else ''}" if fewest else "not known to a single digit"
    told = f"{they} {are} {known} at this stopping point"
    return [Field("digits", told + _at_least(fit, [label for label, _ in low]), "note")]


def _at_least(fit: Fitted, labels: Sequence[str]) -> str:
    """Say what strong convexity guarantees of the parameters that are known to few digits, if anything."""
    found = fit.guarantee
    if found is None or fit.model.in_place:
        return ""
    flat = dict(zip(fit.model.parameters.labels, fit.model.parameters.flat(found.digits).tolist(), strict=True))
    fewest = int(min(flat[label] for label in labels))
    return f", to at least {fewest} by strong convexity" if fewest else ""


def _outcome(fit: Fitted) -> Field:
    name = str(fit.outcome).replace("_", " ")
    if fit.succeeded and fit.outcome != "converged":
        return Field("outcome", f"{name}: all {fit.epochs:,} that were asked for, {_duration(fit.seconds)}", "partial")
    epochs = f"{fit.epochs:,} epoch" + ("" if fit.epochs == 1 else "s")
    return Field(
        "outcome", f"{name} after {epochs}, {_duration(fit.seconds)}", "success" if fit.succeeded else "failure"
    )


def _cause(fit: Fitted) -> list[Field]:
    """Say why the run failed or fell short, with the numbers that show it."""
    found = fit.diagnosis
    if found.cause is None:
        return []
    told = "" if not found.sentence or found.sentence == fit.advice else f": {found.sentence}"
    return [Field("cause", f"{found.cause.words}{told}", "failure")]


def _ends(intervals: Intervals, labels: Sequence[str], side: int) -> list[float | None]:
    """Return the lower (0) or upper (1) ends in the order of ``labels``; None where there is none."""
    ends = [intervals.labelled.get(label, (np.nan, np.nan))[side] for label in labels]
    return [None if np.isnan(end) else end for end in ends]


def _optimizer(fit: Fitted) -> str:
    rate = "" if fit.learning_rate is None else f", learning rate {fit.learning_rate:.4g}"
    return fit.optimizer + rate


def _sentence(note: str, names: Collection[str] = ()) -> str:
    """Begin with a capital letter, unless it begins with a name, of which each letter counts."""
    first = re.match(r"\w*", note)
    named = note.startswith("`") or (first is not None and first[0] in names)
    return note if named else note[:1].upper() + note[1:]


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
