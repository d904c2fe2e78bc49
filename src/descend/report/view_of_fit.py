"""The input of all panels of a fit: the fit, and as many of its rows as a picture can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from descend.descent.outcome import Outcome
from descend.errors import ConfigError, DataError
from descend.inference.fitted import Fitted
from descend.models import Model
from descend.report.units import unit_of_name, with_unit
from descend.table.levels import Levels, said
from descend.table.rows import Rows

Array = NDArray[np.float64]
Columns = Mapping[str, Any]
"""Columns by name: arrays, or the tensors that a module takes."""

MOST_POINTS = 5_000
"""More points would only cover each other; of more rows a random sample is drawn."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """What a model predicts for a picture, and which of these predictions are drawn.

    columns: what it is given. places: indices of the rows drawn among these; None if all are.
    """

    columns: Columns
    places: NDArray[np.intp] | None = None

    def of(self, values: Array) -> Array:
        """Return those values that belong to rows that are drawn."""
        return values if self.places is None else values[self.places]

    def predict(self, model: Model, theta: Any) -> Array:
        """Return the predictions that are drawn; NaN or infinite where there is none."""
        with np.errstate(all="ignore"):
            return self.of(model.predict(theta, self.columns))


@dataclass(frozen=True, eq=False)
class Group:
    """Rows that share the values of the columns by which parameters differ.

    name: these values. codes: the number of the group, by the columns that hold it. rows: places among the rows drawn.
    """

    name: str
    codes: Mapping[str, float]
    rows: NDArray[np.intp]


def groups_of(levels: Sequence[Levels], columns: Mapping[str, ArrayLike]) -> list[Group]:
    """Return the groups of rows; of several sets of levels, each combination that occurs."""
    if not levels:
        return []
    codes = np.stack([np.asarray(columns[each.name], dtype=np.float64) for each in levels])
    rows_with_codes = np.flatnonzero(np.isfinite(codes).all(axis=0))
    combinations, inverse = np.unique(codes[:, rows_with_codes], axis=1, return_inverse=True)
    order = np.argsort(np.ravel(inverse), kind="stable")
    rows_of_groups = np.split(
        rows_with_codes[order], np.cumsum(np.bincount(np.ravel(inverse), minlength=combinations.shape[1]))[:-1]
    )
    groups = []
    for combination, rows in zip(combinations.T.tolist(), rows_of_groups, strict=True):
        values: dict[str, object] = {}
        for each, code in zip(levels, combination, strict=True):
            values |= zip(each.columns, each.keys[int(code)], strict=True)
        names = {each.name: code for each, code in zip(levels, combination, strict=True)}
        groups.append(Group(said(tuple(values.values())), names, rows))  # type: ignore[arg-type]
    return groups


@dataclass(frozen=True, eq=False)
class View:
    """A fit, and the rows to draw.

    everything: the columns of all rows. columns: of the rows drawn. chosen: indices of these among all rows; None if
    all are drawn. sampled: a sentence on that. observed: whether the response is among the columns. held_out: the same
    of rows that are held out of the fit, if there are any.
    """

    fit: Fitted
    everything: Columns
    columns: Columns
    chosen: NDArray[np.intp] | None
    sampled: str
    observed: bool
    held_out: View | None = None

    @cached_property
    def levels(self) -> tuple[Levels, ...]:
        """The groups that parameters belong to: their numbers are columns, but nothing to draw against."""
        return tuple(coding for coding in self.fit.model.codings if isinstance(coding, Levels))

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns that the prediction follows from, without those that tell groups apart."""
        level_names = {levels.name for levels in self.levels}
        return tuple(name for name in self.fit.model.inputs if name not in level_names)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that are predicted; empty where numbers are."""
        return self.fit.loss_function.classes

    @property
    def tensors(self) -> bool:
        """Whether the rows are not columns but tensors, or whatever else a module takes."""
        return not self.inputs and not self.fit.model.response_columns

    @property
    def one(self) -> bool:
        """Whether the prediction is one curve: it has one input, or none, and is the same in each group."""
        return len(self.inputs) <= 1 and not self.tensors and not self.levels

    @property
    def plane(self) -> bool:
        """Whether the model is an implicit curve in the plane of two columns."""
        return not self.fit.model.response_columns and len(self.inputs) == 2 and not self.levels

    @property
    def curves(self) -> bool:
        """Whether the prediction is a curve in each group."""
        return bool(self.levels) and len(self.inputs) <= 1 and self.observed

    @cached_property
    def groups(self) -> list[Group]:
        """The groups whose rows are drawn, in order; none where classes are predicted, which are no curve."""
        return [] if self.classes else groups_of(self.levels, self.columns)

    @cached_property
    def x(self) -> Array:
        """The one input, or row numbers if there is none."""
        if self.inputs:
            return np.asarray(self.columns[self.inputs[0]])
        rows = len(next(iter(self.columns.values())))
        return np.asarray(np.arange(rows) if self.chosen is None else self.chosen, dtype=np.float64) + 1.0

    @cached_property
    def y(self) -> Array:
        with np.errstate(all="ignore"):
            return self.fit.model.observed(self.columns)

    def drawn(self, some: NDArray[np.intp] | None = None) -> Drawn:
        """Return what is predicted for the rows drawn, or for some of them: all rows, unless one alone will do."""
        if not self.fit.model.rowwise:
            if some is not None and self.chosen is not None:
                some = self.chosen[some]
            return Drawn(self.everything, self.chosen if some is None else some)
        if some is None:
            return Drawn(self.columns)
        return Drawn({name: np.asarray(self.columns[name])[some] for name in self.fit.model.inputs})

    def line(self, x: Array, grid: Array, most: int = MOST_POINTS) -> tuple[Array, Drawn]:
        """Return where a line of predictions has its points, and what is predicted there.

        On a grid if the prediction of a row depends on that row alone; else at the rows drawn, in order of x, which is
        where they lie on the axis. most: of so many rows.
        """
        if self.fit.model.rowwise:
            return grid, Drawn({self.inputs[0] if self.inputs else "": grid})
        rows_drawn = ordered(x, most)
        return x[rows_drawn], self.drawn(rows_drawn)

    @cached_property
    def predicted(self) -> Array:
        return self.drawn().predict(self.fit.model, self.fit.theta)

    @cached_property
    def residuals(self) -> Array:
        """Observed less predicted."""
        return self.y - self.predicted

    @cached_property
    def whitened(self) -> Array | None:
        """The residuals that know nothing of each other, where rows have a known covariance and all are drawn."""
        solution = self.fit.solution
        whitening = None if solution is None else solution.sample.whitening
        if solution is None or whitening is None or len(self.residuals) != solution.rows:
            return None
        omega = solution.sample.omega
        whitened: Array = whitening.of(self.residuals if omega is None else np.sqrt(omega) * self.residuals)
        return whitened

    @property
    def response(self) -> str:
        """The formula's left side, or the column that it is."""
        return self.fit.model.response

    def axis(self, name: str) -> str:
        """Return a column, or the left side, as an axis is labelled: with its unit, if that is known."""
        return with_unit(self.fit, name)

    def in_unit(self, words: str) -> str:
        """Return words for what has the unit of the response, with that."""
        unit = unit_of_name(self.fit, self.response)
        return f"{words} ({unit})" if unit else words


def view(fit: Fitted, columns: Mapping[str, object] | None = None) -> View:
    """Choose the rows to draw: from the fit's own data, or from ``columns``.

    Raises ConfigError if the fit was loaded from a file, so that it has no data, and DataError if a column is missing.
    """
    held: View | None = None
    if columns is None:
        if fit.solution is None:
            raise ConfigError(
                "This fit was loaded from a file, without its data. Use plot_model(fit, columns) to draw it over some."
            )
        columns, rows_held = fit.solution.columns, columns_held_out(fit)
        if rows_held is not None and all(name in rows_held for name in fit.model.inputs):
            held = View(fit, rows_held, *sample(rows_held), True)
    model, inputs = fit.model, fit.model.inputs
    tensors = not inputs and not model.response_columns
    single_input = len(inputs) <= 1 and not tensors
    observed = all(name in columns for name in model.response_columns)
    needed = tuple(columns) if tensors else (*inputs, *(model.response_columns if observed or not single_input else ()))
    for name in needed:
        if name not in columns:
            raise DataError(
                f"There is no column `{name}` in the data, which the picture of `{model}` needs. "
                f"Columns: {', '.join(columns)}."
            )
    aside = (*spread_columns(fit), *fit.loss_function.own_columns)
    further = () if tensors else (name for name in aside if name in columns)
    everything = {name: column(columns[name]) for name in dict.fromkeys((*needed, *further))}
    return View(fit, everything, *sample(everything), observed, held)


def columns_held_out(fit: Fitted) -> Columns | None:
    """Return the columns of the rows that are held out of a fit; None without any, or where they are not in memory."""
    if fit.solution is None:
        return None
    problem = fit.solution.problem
    held = problem.held_out if problem.validation is None else getattr(problem.validation.engine, "rows", None)
    return held.columns if isinstance(held, Rows) and held.columns else None


def spread_columns(fit: Fitted) -> tuple[str, ...]:
    """Return the columns that say how far rows may be from where they were measured, and how much they count."""
    both = (*fit.model.inexact.values(), *fit.model.correlated.values())
    of_inputs = (column_name for column_name in both if isinstance(column_name, str))
    return (*names_of(fit.sigma or fit.loss_function.deviations), *of_inputs, *((fit.weights,) if fit.weights else ()))


def names_of(sigma: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the columns with standard deviations of the response: one, or one below and one above; none if unknown."""
    return () if sigma is None else (sigma,) if isinstance(sigma, str) else tuple(sigma)


def ordered(x: Array, most: int) -> NDArray[np.intp]:
    """Return the indices of finite values in ascending order; of more than ``most``, evenly spaced ones."""
    finite_rows = np.flatnonzero(np.isfinite(x))
    rows_in_order = finite_rows[np.argsort(x[finite_rows], kind="stable")]
    if len(rows_in_order) > most:
        rows_in_order = rows_in_order[np.linspace(0, len(rows_in_order) - 1, most).astype(np.intp)]
    return rows_in_order


def sample(columns: Columns) -> tuple[Columns, NDArray[np.intp] | None, str]:
    """Return at most MOST_POINTS rows, their indices (None if all), and a sentence if some rows are left out."""
    columns = {name: column(values) for name, values in columns.items()}
    total = len(next(iter(columns.values())))
    if total <= MOST_POINTS:
        return dict(columns), None, ""
    rows_chosen = np.sort(np.random.default_rng(0).choice(total, MOST_POINTS, replace=False))
    columns_drawn = {name: values[rows_chosen] for name, values in columns.items()}
    return columns_drawn, rows_chosen, f"{MOST_POINTS:,} of {total:,} rows drawn, chosen at random."


def column(values: object) -> Any:
    """Return a column as float64; tensors of more than one dimension, and several together, stay as they are."""
    if hasattr(values, "parts"):
        return values
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    return values if getattr(values, "ndim", 1) > 1 else np.asarray(values, dtype=np.float64)


def ended(fit: Fitted) -> str:
    """Say in a few words how a run ended."""
    epochs = f"{fit.epochs:,} epoch{'' if fit.epochs == 1 else 's'}"
    if fit.outcome is Outcome.EPOCHS_USED_UP:
        return f"not converged, {epochs} used up"
    return f"{str(fit.outcome).replace('_', ' ')} after {epochs}"


def rows(count: int) -> str:
    """Write a number of rows: ``1 row``, ``5,000 rows``."""
    return f"{count:,} row{'' if count == 1 else 's'}"
