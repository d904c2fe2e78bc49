"""A fit as a list of fields: what to show, before any choice of how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from descend.fit import Fit


@dataclass(frozen=True)
class Field:
    """One thing to show.

    kind: ``formula``, ``parameter`` (value: number, standard error or None, and what holds it back, such as
        ``fixed``, or an empty text), ``number``, ``text``,
        ``success``, ``partial`` or ``failure`` (how the run ended), ``advice``, or ``note``.
    """

    label: str
    value: Any
    kind: str


def fields(fit: Fit) -> list[Field]:
    """Return what there is to show of a fit, in reading order."""
    held = fit.constraints
    labels = fit.model.parameters.labels if held is None else held.whole.labels
    values = [float(value) for value in (fit.theta if held is None else held.whole.flat(fit.parameters))]
    errors = fit.standard_errors
    flat = [None] * len(values) if errors is None else [
        None if np.isnan(error) else error for error in np.hstack([errors[name] for name in fit.parameters]).tolist()
    ]  # fmt: skip
    marks = ["" if held is None else held.mark(label, fit.theta) for label in labels]
    shown = [Field("fitted", fit.fitted_formula or str(fit.model), "formula")]
    shown += [Field(label, pair, "parameter") for label, *pair in zip(labels, values, flat, marks, strict=True)]
    shown.append(Field(f"loss ({fit.loss_function})", fit.loss, "number"))
    if fit.r_squared is not None:
        shown.append(Field("R²", fit.r_squared, "number"))
    source = fit.evidence.source if fit.evidence is not None else ""
    return [
        *shown,
        Field("rows", f"{fit.rows:,}" + (f" of {source}" if source else ""), "text"),
        Field("gradient", f"{fit.gradient.replace('_', ' ')}, summed by {fit.engine}", "text"),
        Field("optimizer", _optimizer(fit), "text"),
        _outcome(fit),
        Field("", fit.advice, "advice"),
        *(Field("note", _sentence(note), "note") for note in fit.notes),
    ]


def _outcome(fit: Fit) -> Field:
    name = str(fit.outcome).replace("_", " ")
    if fit.succeeded and fit.outcome != "converged":
        return Field("outcome", f"{name}: all {fit.epochs:,} that were asked for, {_duration(fit.seconds)}", "partial")
    epochs = f"{fit.epochs:,} epoch" + ("" if fit.epochs == 1 else "s")
    return Field(
        "outcome", f"{name} after {epochs}, {_duration(fit.seconds)}", "success" if fit.succeeded else "failure"
    )


def _optimizer(fit: Fit) -> str:
    rate = "" if fit.learning_rate is None else f", learning rate {fit.learning_rate:.4g}"
    return fit.optimizer + rate


def _sentence(note: str) -> str:
    return note if note.startswith("`") or note[:1].isupper() else note[:1].upper() + note[1:]


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
