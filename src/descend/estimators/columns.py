"""X and y of scikit-learn as the named columns of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import (
    _check_feature_names,
    _check_n_features,
    _check_y,
    _num_samples,
    check_consistent_length,
    validate_data,
)

from descend.errors import ConfigError, DataError
from descend.options.arrays_in_a_row import names_of_matrix
from descend.table.in_matrix import Cells, InMatrix

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

Array = NDArray[np.float64]
Columns = dict[str, Cells]
LINEAR = "w @ [*] + b"
PROBABILITY = f"sigmoid({LINEAR})"
"""The formulas of estimators that are given none."""


def rows_of(
    estimator: BaseEstimator, X: object, y: object, numeric: bool, reset: bool = True, least: int = 2
) -> tuple[Columns, Array]:
    """Return the columns of X by name, and y, of so many rows at least.

    reset: whether X says which columns later ones have. What is wrong is said of this estimator, by its name.
    """
    if y is None:
        raise ValueError(f"{type(estimator).__name__} requires y to be passed, but the target y is None.")
    columns = columns_of(estimator, X, reset, least)
    response: Array = _check_y(y, multi_output=False, y_numeric=numeric, estimator=estimator)
    check_consistent_length(X, response)
    return columns, response


def columns_of(estimator: BaseEstimator, X: object, reset: bool, least_rows: int = 1) -> Columns:
    """Return the columns of X by name: those of a frame by its own, one column of an array as x, several as x0, x1, ...

    A frame may hold text, dates and categories, which formulas know; an array holds numbers. What scikit-learn refuses,
    sparse matrices, missing and infinite numbers, fewer rows than ``least_rows``, is refused in its own words.
    """
    if hasattr(X, "collect") and hasattr(X, "collect_schema"):
        raise TypeError(
            "X is a LazyFrame, whose rows are not there yet. Give X.collect(), or fit where the rows lie, "
            "descend.fit(formula, X).to_estimator()."
        )
    if has_words(X):
        _check_feature_names(estimator, X, reset=reset)
        _check_n_features(estimator, X, reset=reset)
        _num_samples(X)
        return {name: X[name] for name in _names_and_types(X)[0]}  # type: ignore[index]
    return by_name(estimator, matrix_of(estimator, X, reset, least_rows))


def matrix_of(estimator: BaseEstimator, X: object, reset: bool, least_rows: int = 1) -> Array:
    """Return X as (n, k) numbers, looked at by scikit-learn."""
    matrix_checked: Array = validate_data(estimator, X, reset=reset, dtype=np.float64, ensure_min_samples=least_rows)
    return matrix_checked


def by_name(estimator: BaseEstimator, matrix: Array) -> Columns:
    """Return the columns of a matrix by name, where they lie."""
    names = names_of(estimator)
    return dict(zip(names, matrix.T, strict=True)) if matrix.flags.f_contiguous else InMatrix(names, matrix)


def names_of(estimator: BaseEstimator) -> list[str]:
    """Return the names that formulas have for the columns of X."""
    count = estimator.n_features_in_
    unnamed = names_of_matrix(count)
    return list(getattr(estimator, "feature_names_in_", unnamed))


def has_words(X: object) -> bool:
    """Return whether it is a frame, or an Arrow table, with a column that is no number."""
    return any(not _is_numeric(kind) for kind in _names_and_types(X)[1])


def _names_and_types(X: object) -> tuple[list[str], list[object]]:
    """Return the names and types of the columns of a frame; none of anything else."""
    if hasattr(X, "column_names") and hasattr(X, "schema"):  # of Arrow
        return list(X.column_names), list(X.schema.types)
    if not hasattr(X, "columns") or not hasattr(X, "dtypes") or not hasattr(X.dtypes, "__iter__"):
        return [], []
    return list(X.columns), list(X.dtypes)


def _is_numeric(kind: object) -> bool:
    numeric = getattr(kind, "is_numeric", None)  # of polars a method, of pandas' own types `_is_numeric`
    if callable(numeric):
        return bool(numeric())
    if hasattr(kind, "num_fields"):  # of Arrow
        return str(kind).startswith(("int", "uint", "float", "double", "halffloat", "bool"))
    return getattr(kind, "kind", "O") in "iufb"


def beside(columns: Columns, other_columns: Mapping[str, Cells]) -> Columns:
    """Return columns of X and others."""
    return columns.beside(other_columns) if isinstance(columns, InMatrix) else {**columns, **other_columns}


def laid_out(columns: Columns) -> Columns:
    """Return columns each in one piece."""
    return columns.laid_out(columns) if isinstance(columns, InMatrix) else columns


def free_name(columns: Columns, name_wanted: str) -> str:
    """Return a name for a column beside those of X: the wanted one where it is free."""
    while name_wanted in columns:
        name_wanted += "_"
    return name_wanted


def linear_formula(columns: Columns) -> str:
    """Return the formula that stands for none, with other names for parameters where columns have theirs."""
    return f"{free_name(columns, 'w')} @ [*] + {free_name(columns, 'b')}"


def response_name(left: str, columns: Columns) -> str:
    """Return the name that the left side of a formula gives to y. Raises DataError or ConfigError for another one."""
    response = left.strip().strip("`")
    if ";" in left:
        raise ConfigError("An estimator has one formula, as scikit-learn has one y. Fit several with descend.fit.")
    if not response.isidentifier():
        raise ConfigError(
            f"The left side `{response}` of an estimator's formula is a name for y. Transform y with "
            "scikit-learn's TransformedTargetRegressor, which transforms predictions back."
        )
    if response in columns:
        raise DataError(
            f"The formula predicts `{response}`, which is a column of X too. Leave the left side out of the formula, "
            "or the column out of X."
        )
    return response
