"""An estimator, or a pipeline that scales its columns first, as SQL."""

from __future__ import annotations

from collections.abc import Sequence

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from descend.errors import ConfigError
from descend.estimators.columns import names_of
from descend.estimators.estimator import FormulaEstimator
from descend.estimators.quantiles import FormulaQuantiles
from descend.estimators.sql_columns import Cell, cells_after, selected
from descend.formula.printers.code import quoted
from descend.options.arrays_in_a_row import names_of_matrix
from descend.results.class_query import query_of_classes
from descend.results.export import exported
from descend.results.query import qualified, transpiled

SCALED = "scaled"


def to_sql(estimator: BaseEstimator, *, table: str = "data", name: str = "prediction", dialect: str = "duckdb") -> str:
    """Return a query that predicts with a fitted estimator, or a pipeline that transforms columns first.

    table: whose columns are those of X, ``x0``, ``x1``, ... of an array. name: of the new column. dialect: of SQL. Of a
    classifier of two classes it is the probability of the second one, as the formula has it; of more it is the
    likeliest class, beside columns ``name_class`` with the probability of each, and ``score_class``, its log-odds from
    the first. Scaled columns stand beside those of the table, or in their place where they have the same names.

    A category that the fit did not see is none of those of a OneHotEncoder, which scikit-learn may refuse.

    Raises ConfigError for steps other than StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler, OneHotEncoder,
    PolynomialFeatures, selections of columns, a ColumnTransformer of these and ``"passthrough"``, and for what a fit
    cannot be exported.

    >>> import numpy as np
    >>> from descend.estimators import FormulaRegressor
    >>> X = np.arange(6.0).reshape(-1, 1)
    >>> print(to_sql(FormulaRegressor("a*x").fit(X, 2 * X[:, 0])).strip())
    select *, 2.0e0*cast("x" as double) as "prediction" from "data"
    """
    steps = [step for _, step in estimator.steps] if isinstance(estimator, Pipeline) else [estimator]
    *scalers, last = [step for step in steps if step is not None and not isinstance(step, str)]
    if isinstance(last, FormulaQuantiles):
        raise ConfigError("Each quantile has a formula of its own; export one of them, `to_sql(estimators_[0])`.")
    if not isinstance(last, FormulaEstimator):
        raise ConfigError(
            f"The last step, {type(last).__name__}, is no estimator of descend, so there is no formula to write as SQL."
        )
    check_is_fitted(last)
    if not hasattr(last, "fit_"):
        raise ConfigError("Each group has a fit of its own; export one of them, `fits_[group].export('sql')`.")
    if not scalers:
        return _query(last, table, name, dialect)
    columns = names_of(last)
    names_given = names_before(scalers[0], columns)
    cells = [Cell(quoted(name), given=True) for name in names_given]
    for scaler in scalers:
        names = list(getattr(scaler, "feature_names_in_", names_of_matrix(len(cells))))
        cells = cells_after(scaler, names, cells)
    inner = transpiled(f"select {selected(columns, cells, names_given)} from {qualified(table)}", dialect).strip()
    outer = _query(last, SCALED, name, dialect)
    first = f"with {SCALED} as ({inner})"
    # The query of classes begins with a table of its own, which reads this one.
    return f"{first}, {outer[len('with ') :]}" if outer.lower().startswith("with ") else f"{first} {outer}"


def _query(estimator: FormulaEstimator, table: str, name: str, dialect: str) -> str:
    """Return the query of an estimator without steps before it."""
    fit = estimator.fit_
    if fit.model.per_class:
        return query_of_classes(fit, estimator.classes_.tolist(), table, name, dialect)
    return exported(fit, "sql", table=table, name=name, dialect=dialect)


def names_before(first: BaseEstimator, columns: Sequence[str]) -> list[str]:
    """Return what the columns are called that the first step takes; of an array x0, x1, ..."""
    count = getattr(first, "n_features_in_", len(columns))
    return list(getattr(first, "feature_names_in_", [f"x{column_number}" for column_number in range(count)]))
