"""An estimator, or a pipeline that scales its columns first, as SQL."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils.validation import check_is_fitted

from descend.errors import ConfigError
from descend.estimators.columns import names_of
from descend.estimators.estimator import FormulaEstimator
from descend.formula.printers.code import quoted
from descend.results.export import exported, qualified, transpiled

Array = NDArray[np.float64]
SCALED = "scaled"


def to_sql(estimator: BaseEstimator, *, table: str = "data", name: str = "prediction", dialect: str = "duckdb") -> str:
    """Return a query that predicts with a fitted estimator, or a pipeline of scalers and an estimator.

    table: whose columns are those of X, ``x0``, ``x1``, ... of an array. name: of the new column. dialect: of SQL. Of a
    classifier it is the probability of the second class. Scaled columns stand beside those of the table, or in their
    place where they have the same names.

    Raises ConfigError for steps other than StandardScaler, MinMaxScaler and ``"passthrough"``, and what a fit cannot be
    exported for.

    >>> import numpy as np
    >>> from descend.estimators import FormulaRegressor
    >>> X = np.arange(6.0).reshape(-1, 1)
    >>> print(to_sql(FormulaRegressor("a*x").fit(X, 2 * X[:, 0])).strip())
    select *, 2.0e0*cast("x" as double) as "prediction" from "data"
    """
    steps = [step for _, step in estimator.steps] if isinstance(estimator, Pipeline) else [estimator]
    *scalers, last = [step for step in steps if step is not None and not isinstance(step, str)]
    if not isinstance(last, FormulaEstimator):
        raise ConfigError(
            f"The last step, {type(last).__name__}, is no estimator of descend, so there is no formula to write as SQL."
        )
    check_is_fitted(last)
    if not hasattr(last, "fit_"):
        raise ConfigError("Each group has a fit of its own; export one of them, `fits_[group].export('sql')`.")
    if not scalers:
        return exported(last.fit_, "sql", table=table, name=name, dialect=dialect)
    columns = names_of(last)
    shift, scale = np.zeros(len(columns)), np.ones(len(columns))
    for scaler in scalers:
        own_shift, own_scale = _affine(scaler, len(columns))
        shift, scale = shift * own_scale + own_shift, scale * own_scale
    given = list(getattr(scalers[0], "feature_names_in_", [f"x{place}" for place in range(len(columns))]))
    inner = transpiled(f"select {_scaled(given, columns, shift, scale)} from {qualified(table)}", dialect).strip()
    outer = exported(last.fit_, "sql", table=SCALED, name=name, dialect=dialect)
    return f"with {SCALED} as ({inner}) {outer}"


def _affine(scaler: BaseEstimator, count: int) -> tuple[Array, Array]:
    """Return b and m of a scaler that makes m x + b of each column x."""
    check_is_fitted(scaler)
    if isinstance(scaler, StandardScaler):
        scale = np.ones(count) if scaler.scale_ is None else 1.0 / scaler.scale_
        return (np.zeros(count) if not scaler.with_mean else -scaler.mean_ * scale), scale
    if isinstance(scaler, MinMaxScaler) and not scaler.clip:
        return scaler.min_, scaler.scale_
    raise ConfigError(
        f"A {type(scaler).__name__} before the estimator cannot be written as SQL. StandardScaler and MinMaxScaler can."
    )


def _scaled(given: Sequence[str], columns: Sequence[str], shift: Array, scale: Array) -> str:
    apart = not set(given) & set(columns)
    items = [
        f"{float(m)!r}*cast({quoted(old)} as double) + {float(b)!r} as {quoted(new)}"
        for old, new, m, b in zip(given, columns, scale, shift, strict=True)
    ]
    return ", ".join([*(["*"] if apart else []), *items])
