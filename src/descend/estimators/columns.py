"""X and y of scikit-learn as the named columns of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import _check_feature_names, _check_n_features, _num_samples, validate_data

from descend.errors import DataError

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

Columns = dict[str, NDArray[np.generic]]


def columns_of(estimator: BaseEstimator, X: object, reset: bool) -> Columns:
    """Return the columns of X by name: those of a frame by its own, one column of an array as x, several as x0, x1, ...

    A frame may hold text, dates and categories, which formulas know; an array holds numbers. What scikit-learn refuses,
    sparse matrices, missing and infinite numbers, is refused in its own words.
    """
    if _has_words(X):
        _check_feature_names(estimator, X, reset=reset)
        _check_n_features(estimator, X, reset=reset)
        _num_samples(X)
        return {name: X[name] for name in X.columns}  # type: ignore[attr-defined, index]
    numbers = validate_data(estimator, X, reset=reset, dtype=np.float64, order="F", ensure_min_samples=2 if reset else 1)
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        count = numbers.shape[1]
        names = ["x"] if count == 1 else [f"x{position}" for position in range(count)]
    return cast(Columns, dict(zip(names, numbers.T, strict=True)))


def _has_words(X: object) -> bool:
    """Return whether it is a frame with a column that is no number."""
    if not hasattr(X, "columns") or not hasattr(X, "dtypes"):
        return False
    types = X.dtypes
    kinds = list(types) if hasattr(types, "__iter__") else []
    return any(not _is_numeric(kind) for kind in kinds)


def _is_numeric(kind: object) -> bool:
    numeric = getattr(kind, "is_numeric", None)  # of polars a method, of pandas' own types `_is_numeric`
    if callable(numeric):
        return bool(numeric())
    return getattr(kind, "kind", "O") in "iufb"


def free_name(columns: Columns, wanted: str) -> str:
    """Return a name for a column beside those of X: the wanted one where it is free."""
    while wanted in columns:
        wanted += "_"
    return wanted


def refuse_taken(columns: Columns, response: str) -> None:
    """Raise DataError where the formula predicts a column of X."""
    if response in columns:
        raise DataError(
            f"The formula predicts `{response}`, which is a column of X too. Leave the left side out of the formula, "
            "or the column out of X."
        )
