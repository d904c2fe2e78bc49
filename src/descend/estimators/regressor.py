"""A formula as a regressor."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin

from descend.errors import ConfigError
from descend.estimators.columns import LINEAR, rows_of
from descend.estimators.constructor import with_options
from descend.estimators.estimator import FormulaEstimator
from descend.estimators.where_moments import WhereMoments
from descend.results.batches import Batches, fit_batch
from descend.table import open_table

Array = NDArray[np.float64]


@with_options(formula=LINEAR, by=None)
class FormulaRegressor(RegressorMixin, FormulaEstimator):  # type: ignore[misc]
    """A formula as a regressor: linear, saturating, periodic, with parameters for each group.

    formula: of the columns of X, ``[*]`` being all of them that are numbers. Of an array the one column is ``x``,
        several are ``x0``, ``x1``, ...; of a frame they have their own names. A left side, ``"rate ~ ..."``, names
        the response in messages and files.
    by: columns of X: one fit for each group of rows, ``fits_``.
    All other parameters are the options of ``descend.fit``; those that name columns name columns of X.

    >>> import numpy as np
    >>> X = np.linspace(0, 5, 40).reshape(-1, 1)
    >>> y = 3 * np.exp(-0.7 * X[:, 0]) + 1
    >>> estimator = FormulaRegressor("a*exp(-b*x) + c").fit(X, y)
    >>> {name: round(value, 6) for name, value in estimator.parameters_.items()}
    {'a': 3.0, 'b': 0.7, 'c': 1.0}
    >>> estimator.predict([[0.0]]).round(6)
    array([4.])
    """

    def fit(
        self,
        X: object,
        y: object,
        sample_weight: object = None,
        *,
        sigma: object = None,
        exposure: object = None,
        groups: object = None,
    ) -> Self:
        """Fit the formula.

        X: (n, k) array or frame. y: (n,). sample_weight: relative weights of rows; 2 is the same as the row twice.
        sigma: known standard deviations of y, in its unit. exposure: of counts; predictions are for an
        exposure of 1. groups: of rows that are held out together where a penalty is chosen, ``l2="auto"``. The last
        three reach an estimator within a pipeline or a search by metadata routing, ``set_fit_request(sigma=True)``.
        """
        columns, response = rows_of(self, X, y, numeric=True)
        of_rows = {"weights": sample_weight, "sigma": sigma, "exposure": exposure, "groups": groups}
        return self._fit(columns, response, of_rows)

    @WhereMoments
    def partial_fit(self, X: object, y: object, sample_weight: object = None, *, sigma: object = None) -> Self:
        """Fit these rows and all before, those of ``fit`` too, as one fit of them would: of each its moments are kept.

        For the squared loss and formulas that are linear in their parameters, with bounds and penalties that are
        numbers. ``fit_`` knows parameters, errors and criteria, but no rows: no residuals and no pictures.

        Where the options need the rows there is no such method, and the AttributeError says why.

        >>> X = np.arange(6.0)[:, None]
        >>> estimator = FormulaRegressor("a*x + c").partial_fit(X[:3], 2.0 * X[:3, 0] + 1.0)
        >>> estimator = estimator.partial_fit(X[3:], [7.0, 9.0, 11.0])
        >>> estimator.fit_.rows, estimator.predict([[10.0]]).round(6)
        (6, array([21.]))
        """
        before = self._before()
        columns, response = rows_of(self, X, y, numeric=True, reset=before is None, least=1)
        request, columns_known = self._request(columns, response, {"weights": sample_weight, "sigma": sigma})
        batch_fit, self._batches = fit_batch(request, open_table(request.data), before)
        return self.holding(batch_fit, columns_known)

    def _before(self) -> Batches | None:
        """Return the moments of the rows before; None if there are none. Raises ConfigError for a fit without rows."""
        if not self.__sklearn_is_fitted__() or "_batches" in self.__dict__:
            return self.__dict__.get("_batches")
        if (fit_before := self.__dict__.get("fit_")) is None or fit_before.solution is None:
            raise ConfigError("This estimator holds a fit whose rows are not there to go on from. Clone it first.")
        return Batches.of(fit_before.solution.problem)

    def predict(self, X: object) -> Array:
        """Return the prediction for each row of X, (n,)."""
        return self._predicted(X)
