"""Several quantiles of a response that do not cross, as a regressor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.metrics import d2_pinball_score
from sklearn.utils.validation import check_is_fitted

from descend.errors import ConfigError
from descend.estimators.columns import LINEAR, columns_of, rows_of
from descend.estimators.constructor import with_options
from descend.estimators.estimator import OfOnnx
from descend.estimators.regressor import FormulaRegressor
from descend.losses.pinball import Pinball

Array = NDArray[np.float64]


@with_options("loss", formula=LINEAR, quantiles=(0.1, 0.5, 0.9), by=None)
class FormulaQuantiles(RegressorMixin, OfOnnx):  # type: ignore[misc]
    """Curves that given shares of the responses lie below, by any formula, with parameters of their own each.

    Each is the fit of the pinball loss. Where they cross, the predictions of a row are put in order, which leaves
    curves that do not cross alone and brings the others nearer to the true ones, whatever the formula.

    formula: as for `FormulaRegressor`. quantiles: increasing, each above 0 and below 1. by and the options of
    ``descend.fit``, but for ``loss``, likewise.

    Attributes of a fitted one: ``quantiles_``, (q,); ``estimators_``, a `FormulaRegressor` for each; ``coef_``, (q, k),
    and ``intercept_``, (q,), where the formula is linear; ``parameters_``, by quantile; ``crossed_``, the share of the
    rows it was fitted to where curves crossed before they were put in order.

    Source: Koenker & Bassett (1978), Econometrica 46, 33-50; Chernozhukov, Fernandez-Val & Galichon (2010),
    Econometrica 78, 1093-1125.

    >>> x = np.linspace(0.0, 1.0, 60)
    >>> estimator = FormulaQuantiles(quantiles=(0.25, 0.75)).fit(x[:, None], x * (1.0 + np.tile([0.0, 1.0, 2.0], 20)))
    >>> estimator.predict_quantiles([[0.5]]).round(2)
    array([[0.5, 1.5]])
    """

    quantiles: Sequence[float]

    def fit(self, X: object, y: object, sample_weight: object = None) -> Self:
        """Fit the formula once for each quantile.

        X: (n, k) array or frame. y: (n,). sample_weight: relative weights of rows.
        """
        quantiles = _checked(self.quantiles)
        rows_of(self, X, y, numeric=True)
        options = {key: value for key, value in self.get_params(deep=False).items() if key != "quantiles"}
        estimators = []
        for quantile in quantiles:
            loss = Pinball(quantile)
            estimators.append(FormulaRegressor(**options, loss=loss).fit(X, y, sample_weight))
        self.quantiles_, self.estimators_ = np.array(quantiles), estimators
        self.crossed_ = float((np.diff(self._each(X), axis=1) < 0.0).any(axis=1).mean())
        return self

    def predict_quantiles(self, X: object) -> Array:
        """Return all quantiles in each row of X, (n, q), none below the one before."""
        return np.sort(self._each(X), axis=1)

    def predict(self, X: object) -> Array:
        """Return the quantile nearest to the median in each row of X, (n,)."""
        quantiles = self.predict_quantiles(X)
        return np.asarray(quantiles[:, np.abs(self.quantiles_ - 0.5).argmin()])

    def score(self, X: object, y: object, sample_weight: object = None) -> float:
        """Return the share of the pinball loss of constant quantiles that the formula saves, the mean over all.

        1 is the best, 0 that of constants (see ``sklearn.metrics.d2_pinball_score``).
        """
        quantiles = self.predict_quantiles(X)
        scores = [
            d2_pinball_score(y, predicted, sample_weight=sample_weight, alpha=quantile)
            for quantile, predicted in zip(self.quantiles_, quantiles.T, strict=True)
        ]
        return float(np.mean(scores))

    @property
    def parameters_(self) -> Mapping[float, Mapping[str, object]]:
        """The parameters by name, of each quantile."""
        return {float(tau): each.parameters_ for tau, each in zip(self.quantiles_, self._fitted, strict=True)}

    @property
    def coef_(self) -> Array:
        """A coefficient for each quantile and column of X, (q, k)."""
        return np.array([each.coef_ for each in self._fitted])

    @property
    def intercept_(self) -> Array:
        """The linear predictors where all columns are 0, (q,)."""
        return np.array([each.intercept_ for each in self._fitted])

    @property
    def _fitted(self) -> list[FormulaRegressor]:
        check_is_fitted(self)
        return self.estimators_

    def _each(self, X: object) -> Array:
        fitted = self._fitted
        columns_of(self, X, reset=False)  # so that what is wrong is said of this estimator
        return np.column_stack([each.predict(X) for each in fitted])


def _checked(quantiles: object) -> list[float]:
    """Return the quantiles as numbers. Raises ConfigError where they are none, or in another order."""
    try:
        quantiles_checked = np.asarray(quantiles, dtype=np.float64)
    except (TypeError, ValueError):
        quantiles_checked = np.empty(0)
    if (
        quantiles_checked.ndim != 1
        or not quantiles_checked.size
        or not ((quantiles_checked > 0.0) & (quantiles_checked < 1.0)).all()
        or (np.diff(quantiles_checked) <= 0.0).any()
    ):
        raise ConfigError(
            "The quantiles are increasing numbers, each above 0 and below 1, such as (0.1, 0.5, 0.9); they are "
            f"{quantiles!r}."
        )
    return [float(each) for each in quantiles_checked]
