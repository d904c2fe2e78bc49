"""What is shown of a fit, in one list from which the table, the page and the JSON are made."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from descend.descent.comments_on_solution import attempt
from descend.descent.outcome import Outcome
from descend.inference.covariance.standard_errors import errors_in_words
from descend.inference.intervals import NOT_AT_MINIMUM
from descend.inference.quantities.estimate import quantity_cells
from descend.report.field import Entry, Field, numbers_by_name
from descend.report.remarks import CONVENTION, MOST_JUDGED, few_digits_note
from descend.report.remarks import said as weights_of_priors
from descend.report.units import unit_notes, unit_of_label, unit_of_name
from descend.table.levels import ByGroup
from descend.table.repeated_rows import AT_ONCE, repeated_rows

if TYPE_CHECKING:
    from descend.inference.fitted import Fitted
    from descend.inference.intervals import Intervals

MOST_GROUPS = 12
"""With more groups than this, a text shows the first ones, and how the others spread."""
MOST_LISTED = 10_000
"""Most weights of a module that are listed; those of a large one are better read from the module."""


def fields(fit: Fitted, intervals: Intervals | None = None, said: Collection[str] = ()) -> list[Field]:
    """Return the fields to show of a fit, in reading order. said: notes to leave out, since the user has seen them."""
    intervals = None if fit.model.in_place else intervals
    left_out = {_sentence(note, fit.parameters) for note in (*said, NOT_AT_MINIMUM)}
    fields_shown = (field for entry in ENTRIES for field in entry.shown(fit, intervals))
    return [field for field in fields_shown if field.label != "note" or field.value not in left_out]


def summary(fit: Fitted) -> dict[str, Any]:
    """Return the fit as values for JSON; None stands for what is not finite, or does not exist."""
    return {entry.key: plain(entry.of(fit)) for entry in ENTRIES if entry.key}


def plain(value: object) -> Any:
    """Return a value in a form that JSON can hold: arrays as lists, and None for what is not finite."""
    if isinstance(value, ByGroup):
        value = value.by_label()
    if isinstance(value, Mapping):
        return {str(name): plain(plain_part) for name, plain_part in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(plain_part) for plain_part in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int) else str(value)


def _fitted(fit: Fitted, intervals: Intervals | None) -> Iterator[Field]:
    """Yield the formula with its values, and a line for each parameter; of a large module only what it is."""
    if fit.model.in_place:
        yield Field("fitted", str(fit.model), "formula")
        yield Field("parameters", f"{fit.model.parameters.size:,}", "text")
        return
    constraints, shapes = fit.constraints, fit.model.every_parameter
    values, found = [float(value) for value in shapes.flat(fit.parameters)], fit.standard_errors
    errors = [np.nan] * len(values) if found is None else shapes.flat(found).tolist()
    ends = [] if intervals is None else [_ends(intervals, shapes.labels, side) for side in (0, 1)]
    many = {name for name, labels in shapes.groups.items() if len(labels) > MOST_GROUPS}
    yield Field("fitted", fit.fitted_formula or str(fit.model), "formula")
    for label, value, error, *both in zip(shapes.labels, values, errors, *ends, strict=True):
        mark = "" if constraints is None else constraints.mark(label, fit.theta)
        cells = [value, None if np.isnan(error) else error, mark, *both]
        yield Field(label, cells, "parameter", label.partition("[")[0] in many, unit_of_label(fit, shapes, label))
    for name, cells in quantity_cells((fit if intervals is None else intervals).quantities, intervals is not None):
        yield Field(name, cells, "parameter", unit=unit_of_name(fit, name))


def _quantities(fit: Fitted, intervals: Intervals | None) -> Iterator[Field]:
    """Yield a note on each quantity whose value, error or interval is missing or open."""
    quantities_shown = (fit if intervals is None else intervals).quantities.values()
    yield from (
        Field("note", _sentence(quantity.why, fit.parameters), "note") for quantity in quantities_shown if quantity.why
    )


def _ends(intervals: Intervals, labels: Sequence[str], side: int) -> list[float | None]:
    """Return the lower (0) or upper (1) ends in the order of ``labels``; None where there is none."""
    ends = [intervals.labelled.get(label, (np.nan, np.nan))[side] for label in labels]
    return [None if np.isnan(end) else end for end in ends]


def _r_squared(fit: Fitted, intervals: Intervals | None) -> Iterator[Field]:
    if fit.r_squared is not None:
        about_zero = fit.r_squared_about_zero
        about_zero_text = "" if about_zero is None else f", {about_zero:.6g} about 0"
        yield Field("R²", f"{fit.r_squared:.6g} about the mean{about_zero_text}", "text")


def _dispersion(fit: Fitted, intervals: Intervals | None) -> Iterator[Field]:
    """Say by how much responses scatter beyond, or short of, what their distribution has them at a dispersion of 1."""
    loss, dispersion = fit.loss_function, fit.dispersion
    if dispersion is None or loss.quadratic or not loss.likelihood or dispersion == loss.known_dispersion == 1.0:
        return
    how = "given" if loss.dispersion_known else "by Pearson's chi-square"
    none = "" if loss.density else "; no distribution has it, so that there is no likelihood and no AIC"
    yield Field("dispersion", f"{dispersion:.5g}, {how}{none}", "text")


def _chi_square(fit: Fitted, intervals: Intervals | None) -> Iterator[Field]:
    if (good := fit.goodness) is not None:
        degrees = f"{good.degrees:,.6g} degree{'s' if good.degrees > 1 else ''} of freedom"
        text = f"{good.chi_square:.5g} for {degrees}, reduced {good.reduced:.4g}, p = {good.p:.2g}"
        yield Field(name_of_chi_square(fit), text, "text")


def name_of_chi_square(fit: Fitted) -> str:
    """Return what a sum of squares over their expectation is called: by Pearson's name unless errors are normal."""
    return "χ²" if fit.loss_function.quadratic or fit.loss_function.squares else "Pearson's χ²"


def _intervals(fit: Fitted, intervals: Intervals | None) -> Iterator[Field]:
    if intervals is not None:
        text = f"{intervals.level * 100:.10g}% by {intervals.method} ({intervals.convention})"
        yield Field("intervals", text, "text")


def _spread(fit: Fitted, intervals: Intervals | None) -> Iterator[Field]:
    """Say how the standard errors were found, unless in the usual way."""
    if (scatter := fit.scatter) is not None:
        yield from (Field(label, text, "text") for label, text in scatter.words())
    if (sides := fit.loss_function.deviations) is not None:
        text = f"`{sides[0]}` below and `{sides[1]}` above: standard deviations of the response, taken as known"
        yield Field("sigma", text, "text")
    if fit.sigma is not None:
        yield Field("sigma", f"`{fit.sigma}`: standard deviations of the response, taken as known", "text")
    elif fit.weights is not None and not (fit.scatter and fit.scatter.form):
        known_text = "trials of each share" if fit.loss_function.two_levels else "how many times each row counts"
        how = known_text if fit.loss_function.dispersion_known else "relative, the size of the errors is estimated"
        yield Field("weights", f"`{fit.weights}`: {how}", "text")


def _errors(fit: Fitted, intervals: Intervals | None) -> Iterator[Field]:
    usual = fit.kind_of_errors == "model" and (fit.loss_function.quadratic or not fit.loss_function.likelihood)
    if not usual and fit.standard_errors is not None:
        yield Field("errors", errors_in_words(fit.kind_of_errors, fit.loss_function, fit.clusters), "text")
    if not fit.at_minimum:
        subject = "standard errors" if intervals is None else "standard errors and intervals"
        yield Field("errors", f"{subject} hold at the minimum only, which this run did not reach", "note")


def _residuals(fit: Fitted, intervals: Intervals | None) -> Iterator[Field]:
    """Say what is wrong with the residuals, if anything; nothing for a run that is not at its minimum."""
    if fit.solution is None or fit.covariance is None or not fit.loss_function.quadratic:
        return
    warning = ""
    if fit.outcome is Outcome.CONVERGED:
        with attempt("what is off with the residuals", fit.failures):
            warning = fit.diagnostics().warning
    if warning:
        yield Field("residuals", _sentence(warning), "note")


def _repeats(fit: Fitted, intervals: Intervals | None) -> Iterator[Field]:
    """Say so if rows repeat others; for tables so large that not every fit looks for this."""
    solution = fit.solution
    if fit.model.in_place or solution is None or solution.all_rows is not None:
        return
    if AT_ONCE < fit.rows <= MOST_JUDGED:
        rows = solution.sample
        note = repeated_rows(rows.columns, (*fit.model.inputs, *rows.roles.columns), fit.model.observed(rows.columns))
        if note is not None:
            yield Field("repeats", note, "note")


def _digits(fit: Fitted, intervals: Intervals | None) -> Iterator[Field]:
    if note := few_digits_note(fit):
        yield Field("digits", note, "note")


def _priors(fit: Fitted, intervals: Intervals | None) -> Iterator[Field]:
    """Yield a line for each prior that says how much it weighs, and a note where it and the data disagree."""
    if fit.priors:
        from descend.inference.priors.weights import conflicts

        yield from (Field(label, text, "text") for label, text in weights_of_priors(fit.priors))
        yield from (Field("note", _sentence(note), "note") for note in (*conflicts(fit.priors), CONVENTION))


def _rows(fit: Fitted, intervals: Intervals | None) -> Iterator[Field]:
    """Count the rows, and those left out for a missing value if that was asked for."""
    text, solution = f"{fit.rows:,}", fit.solution
    counts = [f"{count:,} censored {side}" for side, count in fit.censored.items() if count]
    if solution is not None:
        text += f" of {solution.source}" if solution.source else ""
        if solution.table is not None and solution.call().get("missing") == "drop":
            left_out = solution.table.rows - fit.rows
            text += f"; {left_out:,} left out, where a value is missing or infinite" if left_out > 0 else ""
    yield Field("rows", ", ".join([text, *counts]), "text")


def _optimizer(fit: Fitted, intervals: Intervals | None) -> Iterator[Field]:
    rate = "" if fit.learning_rate is None else f", learning rate {fit.learning_rate:.4g}"
    yield Field("gradient", f"{fit.gradient.replace('_', ' ')}, summed by {fit.engine}", "text")
    yield Field("optimizer", fit.optimizer + rate, "text")


def _outcome(fit: Fitted, intervals: Intervals | None) -> Iterator[Field]:
    name, seconds = str(fit.outcome).replace("_", " "), fit.seconds
    duration = f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
    if fit.succeeded and fit.outcome is Outcome.EPOCHS_USED_UP:
        yield Field("outcome", f"{name}: all {fit.epochs:,} that were asked for, {duration}", "partial")
    else:
        epochs = f"{fit.epochs:,} epoch" + ("" if fit.epochs == 1 else "s")
        yield Field("outcome", f"{name} after {epochs}, {duration}", "success" if fit.succeeded else "failure")


def _cause(fit: Fitted, intervals: Intervals | None) -> Iterator[Field]:
    """Say why the run failed or fell short, with the numbers that show it."""
    diagnosis = fit.diagnosis
    if diagnosis.cause is not None:
        reason = "" if not diagnosis.sentence or diagnosis.sentence == fit.advice else f": {diagnosis.sentence}"
        yield Field("cause", f"{diagnosis.cause.words}{reason}", "failure")


def _notes(fit: Fitted, intervals: Intervals | None) -> Iterator[Field]:
    yield from (Field("note", _sentence(note, fit.parameters), "note") for note in (*fit.notes, *unit_notes(fit)))
    yield from (Field("note", _sentence(failure), "note") for failure in fit.failures)


def _sentence(note: str, names: Collection[str] = ()) -> str:
    """Begin a note with a capital letter, unless it begins with a name, whose letters must stay."""
    first = re.match(r"\w*", note)
    named = note.startswith("`") or (first is not None and first[0] in names)
    return note if named else note[:1].upper() + note[1:]


def _few_digits(fit: Fitted) -> Mapping[str, object] | None:
    shapes = fit.model.every_parameter
    return None if fit.digits is None else shapes.named(np.round(shapes.flat(fit.digits), 1))


def _bounds(fit: Fitted) -> Sequence[str]:
    bounds = None if fit.constraints is None else fit.constraints.bounds
    return [] if bounds is None else bounds.free_texts


def _listed_parameters(fit: Fitted) -> Mapping[str, object]:
    return {} if fit.model.in_place and fit.model.parameters.size > MOST_LISTED else fit.parameters


ENTRIES = [
    Entry("parameters", value=_listed_parameters, lines=_fitted),
    Entry("standard_errors"),
    Entry("quantities", value=lambda fit: {n: q.plain() for n, q in fit.quantities.items()} or None, lines=_quantities),
    Entry("units", value=lambda fit: fit.units or None),
    Entry("fixed", value=lambda fit: {} if fit.constraints is None else fit.constraints.fixed_by_user),
    Entry("references", value=lambda fit: {} if fit.constraints is None else fit.constraints.reference_values),
    Entry("ties", value=lambda fit: {} if fit.constraints is None else fit.constraints.tie_texts),
    Entry("bounds", value=_bounds),
    Entry("priors", value=lambda fit: [each.plain() for each in fit.priors] or None, lines=_priors),
    Entry("at_bound"),
    Entry("undetermined"),
    Entry("loss", lines=lambda fit, _: [Field(f"loss ({fit.loss_function.shown})", fit.loss, "number")]),
    Entry("measures", lines=lambda fit, _: numbers_by_name(fit.measures)),
    Entry("r_squared", lines=_r_squared, published="R²"),
    Entry("r_squared_about_zero"),
    Entry("chi_square", "", lambda fit: fit.goodness and fit.goodness.chi_square, _chi_square, name_of_chi_square),
    Entry("reduced_chi_square", value=lambda fit: fit.goodness and fit.goodness.reduced, published="reduced χ²"),
    Entry("chi_square_p", value=lambda fit: fit.goodness and fit.goodness.p, published="p of χ²"),
    Entry(
        "residual_standard_deviation",
        published=lambda fit: "residual standard deviation" if fit.sigma is None else "",
    ),
    Entry(
        "deviance",
        lines=lambda fit, _: (
            [] if fit.deviance is None or fit.loss_function.quadratic else [Field("deviance", fit.deviance, "number")]
        ),
    ),
    Entry("dispersion", lines=_dispersion),
    Entry("log_likelihood"),
    Entry("aic"),
    Entry("aicc", published="AICc"),
    Entry("bic"),
    Entry("", lines=_intervals),
    Entry("sigma", lines=_spread),
    Entry("scatter", value=lambda fit: None if fit.scatter is None else fit.scatter.plain()),
    Entry("x_sigma", value=lambda fit: dict(fit.model.inexact) or None),
    Entry("x_correlation", value=lambda fit: dict(fit.model.correlated) or None),
    Entry("weights"),
    Entry("outliers", value=lambda fit: None if fit.outliers is None else fit.outliers.plain()),
    Entry("penalty_path", value=lambda fit: None if fit.penalty_path is None else fit.penalty_path.plain()),
    Entry("censored", value=lambda fit: fit.censored or None),
    Entry("errors", value=lambda fit: None if fit.covariance is None else fit.kind_of_errors, lines=_errors),
    Entry("clusters", value=lambda fit: fit.clusters or None),
    Entry("", lines=_residuals),
    Entry("", lines=_repeats),
    Entry("digits", value=_few_digits, lines=_digits),
    Entry("guarantee", value=lambda fit: fit.guarantee_values),
    Entry("rows", lines=_rows, published="rows"),
    Entry("degrees_of_freedom", published="degrees of freedom"),
    Entry("gradient", lines=_optimizer),
    Entry("optimizer"),
    Entry("engine"),
    Entry("learning_rate"),
    Entry("passes"),
    Entry("epochs"),
    Entry("seconds"),
    Entry("outcome", lines=_outcome),
    Entry("cause", lines=_cause),
    Entry("evidence"),
    Entry("advice", lines=lambda fit, _: [Field("", fit.advice, "advice")]),
    Entry("formula", value=lambda fit: fit.model),
    Entry("loss_function"),
    Entry("notes", value=lambda fit: [*fit.notes, *unit_notes(fit), *fit.failures], lines=_notes),
]
"""In reading order. The notes come last, since entries above may fail, which adds a note."""
