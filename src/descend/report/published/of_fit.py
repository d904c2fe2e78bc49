"""The published table of a fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from descend.descent.outcome import Outcome
from descend.errors import ConfigError
from descend.inference.scatter_of_rows import FORMS
from descend.parameters import FIXED
from descend.report.fields import ENTRIES
from descend.report.published.cells import Cell, Estimate, Interval, Measure, Name, Number, Published, convention

if TYPE_CHECKING:
    from descend.inference.fitted import Fitted
    from descend.inference.intervals import Intervals

QUANTITY = "= "
"""What the note of a quantity begins with, before its expression."""


def of_fit(fit: Fitted, intervals: Intervals | None, errors: str) -> Published:
    """Return the parameters of a fit with their errors and intervals, its quantities, and how good it is.

    Raises ConfigError for a module that is trained in place, whose parameters have no names that a table could list.
    """
    if fit.model.in_place:
        raise ConfigError(
            f"A table lists parameters by name, and the {fit.model.parameters.size:,} of {fit.model} are weights of a "
            "module. Report its loss instead."
        )
    first = next(entry for entry in ENTRIES if entry.key == "parameters")
    parameter_fields = [field for field in first.shown(fit, intervals) if field.kind == "parameter"]
    marked, measured = any(field.value[2] for field in parameter_fields), any(field.unit for field in parameter_fields)
    ends_of = [] if intervals is None else [f"{intervals.level * 100:.10g}% interval"]
    heads = ["parameter", "value", *ends_of, *(["unit"] if measured else []), *(["note"] if marked else [])]
    parameters: list[list[Cell]] = []
    quantities: list[list[Cell]] = []
    for field in parameter_fields:
        value, error, mark, *ends = field.value
        estimate = Estimate(value, error, exact=mark == FIXED)
        row: list[Cell] = [Name(field.label), estimate]
        if intervals is not None:
            row.append(None if None in ends else Interval(ends[0], ends[1], estimate))
        if measured:
            row.append(Measure(field.unit) if field.unit else None)
        if marked:
            row.append(mark.removeprefix(QUANTITY))
        (quantities if mark.startswith(QUANTITY) else parameters).append(row)
    if (scatter := fit.scatter) is not None and scatter.form:
        power = Estimate(scatter.power, scatter.power_error)
        ends = [] if intervals is None else [Interval(*scatter.power_interval, power)]
        quantities.append(["power of the variance", power, *ends, *([FORMS[scatter.form]] if marked else [])])
    numbers = [number for entry in ENTRIES for number in entry.in_print(fit)]
    statistics = [[name, Number(value), *[None] * (len(heads) - 2)] for name, value in numbers]
    return Published(heads, [parameters, quantities, statistics], _caption(fit), _notes(fit, intervals, errors))


def _share(share: float | None) -> str:
    return "" if share is None else f", {100.0 * share:.3g}% of the information"


def _caption(fit: Fitted) -> str:
    source = "" if fit.solution is None or not fit.solution.source else f" of {fit.solution.source}"
    return f"{fit.model}, {fit.rows:,} rows{source}"


def _notes(fit: Fitted, intervals: Intervals | None, errors: str) -> list[str]:
    notes = [f"Model: {fit.model}"]
    if fit.standard_errors is not None:
        kind = "" if fit.kind_of_errors == "model" else f" ({fit.kind_of_errors})"
        notes.append(convention(errors) + kind)
    if intervals is not None:
        notes.append(f"Intervals: {intervals.method}, {intervals.convention}")
    notes += [f"Prior: {each.text}{_share(each.share)}" for each in fit.priors]
    if fit.scatter is not None and fit.scatter.form:
        notes.append(f"Standard deviation of a row: {FORMS[fit.scatter.form]}")
    if fit.outcome is not Outcome.CONVERGED:
        notes.append(f"The run did not reach a minimum: {str(fit.outcome).replace('_', ' ')}")
    return notes
