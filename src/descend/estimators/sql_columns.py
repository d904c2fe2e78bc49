"""What transformers of scikit-learn make of the columns of a table, as SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils.validation import check_is_fitted

from descend.errors import ConfigError
from descend.formula.printers.code import quoted


@dataclass(frozen=True)
class Cell:
    """A column as SQL. given: whether it is one of the table as it is, which may hold words."""

    text: str
    given: bool = False

    @property
    def number(self) -> str:
        """The column as a number, in double precision."""
        return f"cast({self.text} as double)" if self.given else self.text


def cells_after(step: object, names: Sequence[str], cells: list[Cell]) -> list[Cell]:
    """Return the columns after a fitted step of a pipeline. names: what the step calls those before it.

    Raises ConfigError for a step that cannot be written as SQL.

    >>> step = StandardScaler().fit([[1.0], [3.0]])
    >>> cells_after(step, ["x"], [Cell('"x"', given=True)])
    [Cell(text='(1.0*cast("x" as double) + -2.0)', given=False)]
    """
    if step is None or step == "passthrough":
        return cells
    if isinstance(step, Pipeline):
        for _, each in step.steps:
            cells = cells_after(each, _names(each, names), cells)
        return cells
    if isinstance(step, ColumnTransformer):
        check_is_fitted(step)
        steps: list[Cell] = []
        for _, each, columns in step.transformers_:
            placed = [] if isinstance(each, str) and each == "drop" else _places(columns, names)
            steps += cells_after(each, [names[k] for k in placed], [cells[k] for k in placed]) if placed else []
        return steps
    if isinstance(step, FunctionTransformer) and step.func is None:
        return cells
    if isinstance(step, SelectorMixin):
        return [cell for cell, cell_kept in zip(cells, step.get_support(), strict=True) if cell_kept]
    if isinstance(step, PolynomialFeatures):
        check_is_fitted(step)
        return [_product(cells, powers) for powers in step.powers_.tolist()]
    if isinstance(step, OneHotEncoder) and step.min_frequency is None and step.max_categories is None:
        return _one_hot(step, cells)
    return _scaled(step, cells)


def _names(step: object, names: Sequence[str]) -> list[str]:
    return list(getattr(step, "feature_names_in_", names))


def _places(columns: object, names: Sequence[str]) -> list[int]:
    """Return the places of the columns that a part of a ColumnTransformer takes: names, places, a mask or a slice."""
    if isinstance(columns, str):
        return [names.index(columns)]
    if not isinstance(columns, slice):
        listed = list(np.atleast_1d(np.asarray(columns, dtype=object)))
        if listed and all(isinstance(each, str) for each in listed):
            return [names.index(each) for each in listed]
        columns = np.array(listed, dtype=bool if any(isinstance(each, bool | np.bool_) for each in listed) else int)
    column_places: list[int] = np.arange(len(names))[columns].tolist()
    return column_places


def _product(cells: list[Cell], powers: list[int]) -> Cell:
    """Return the product of powers of columns; 1 where all of them are 0."""
    factors = [cell.number for cell, power in zip(cells, powers, strict=True) for _ in range(power)]
    return Cell("*".join(factors) or "1e0")


def _one_hot(step: OneHotEncoder, cells: list[Cell]) -> list[Cell]:
    """Return a column of 0 and 1 for each category; of one that was not there in the fit, all are 0."""
    check_is_fitted(step)
    one_hot_cells = []
    for column_number, (cell, categories) in enumerate(zip(cells, step.categories_, strict=True)):
        dropped = None if step.drop_idx_ is None else step.drop_idx_[column_number]
        for number, category in enumerate(categories.tolist()):
            if number != dropped:
                one_hot_cells.append(Cell(f"case when {_same(cell, category)} then 1e0 else 0e0 end"))
    return one_hot_cells


def _same(cell: Cell, category: object) -> str:
    if isinstance(category, str):
        return f"{cell.text} = '" + category.replace("'", "''") + "'"
    if isinstance(category, bool):
        return cell.text if category else f"not {cell.text}"
    if isinstance(category, int | float) and category == category:
        return f"{cell.number} = {float(category)!r}"
    raise ConfigError(
        f"A OneHotEncoder has the category {category!r}, which is neither a word nor a number, so that it cannot be "
        "written as SQL. Fill such cells in beforehand."
    )


def _scaled(step: object, cells: list[Cell]) -> list[Cell]:
    """Return the columns after a scaler that makes m x + b of each column x."""
    count = len(cells)
    if isinstance(step, StandardScaler):
        check_is_fitted(step)
        scale = np.ones(count) if step.scale_ is None else 1.0 / step.scale_
        shift = np.zeros(count) if not step.with_mean else -step.mean_ * scale
    elif isinstance(step, RobustScaler):
        check_is_fitted(step)
        scale = np.ones(count) if step.scale_ is None else 1.0 / step.scale_
        shift = np.zeros(count) if step.center_ is None else -step.center_ * scale
    elif isinstance(step, MaxAbsScaler) and not getattr(step, "clip", False):
        check_is_fitted(step)
        shift, scale = np.zeros(count), 1.0 / step.scale_
    elif isinstance(step, MinMaxScaler) and not step.clip:
        check_is_fitted(step)
        shift, scale = step.min_, step.scale_
    else:
        name = type(step).__name__ if isinstance(step, BaseEstimator) else str(step)
        raise ConfigError(
            f"A {name} before the estimator cannot be written as SQL. StandardScaler, MinMaxScaler without clip, "
            "MaxAbsScaler, RobustScaler, OneHotEncoder of all categories, PolynomialFeatures, selections of columns, "
            "ColumnTransformer and passthrough can."
        )
    return [
        Cell(f"({float(m)!r}*{cell.number} + {float(b)!r})") for cell, m, b in zip(cells, scale, shift, strict=True)
    ]


def selected(columns: Sequence[str], cells: Sequence[Cell], cells_given: Sequence[str]) -> str:
    """Return what to select: all columns of the table, unless names clash, and those that the estimator takes."""
    items = [f"{cell.text} as {quoted(name)}" for name, cell in zip(columns, cells, strict=True)]
    return ", ".join([*(() if set(cells_given) & set(columns) else ("*",)), *items])
