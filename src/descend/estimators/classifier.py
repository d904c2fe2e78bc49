"""A formula of the probability of a class as a classifier."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted

from descend.estimators.columns import matrix_of
from descend.estimators.constructor import with_options
from descend.estimators.estimator import FormulaEstimator

Array = NDArray[np.float64]
LEAST = 2.0**-53
"""Probabilities nearer to 0 or 1 than this have no finite log-odds but by the linear predictor."""


@with_options(formula="sigmoid(w @ [*] + b)", by=None, loss="logistic")
class FormulaClassifier(ClassifierMixin, FormulaEstimator):  # type: ignore[misc]
    """A formula of a probability as a classifier of two classes, which may be words.

    formula: of the probability of the second class in ``classes_``, as for `FormulaRegressor`; with a guessing rate,
        ``g + (1 - g)*sigmoid(a + b*x)``, for instance, under ``loss="bernoulli"``.
    All other parameters are the options of ``descend.fit``.

    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]])
    >>> estimator = FormulaClassifier().fit(X, ["no", "no", "yes", "no", "yes", "yes"])
    >>> estimator.predict([[0.0], [9.0]])
    array(['no', 'yes'], dtype='<U3')
    """

    classes_: NDArray[np.generic]

    def fit(self, X: object, y: object, sample_weight: object = None) -> Self:
        """Fit the formula.

        X: (n, k) array or frame. y: (n,) two classes, numbers or words. sample_weight: relative weights of rows.
        """
        columns, given = self._read(X, y, numeric=False)
        check_classification_targets(given)
        kind = type_of_target(given, input_name="y", raise_unknown=True)
        if kind != "binary":
            raise ValueError(f"Only binary classification is supported. The type of the target is {kind}.")
        self.classes_, codes = np.unique(given, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("Classifier can't train when only one class is present.")
        return self._fit(columns, codes.astype(np.float64), {"weights": sample_weight})

    def predict_proba(self, X: object) -> Array:
        """Return the probability of each class in each row of X, (n, 2), in the order of ``classes_``."""
        second = self._predicted(X)
        return np.column_stack([1.0 - second, second])

    def decision_function(self, X: object) -> Array:
        """Return the log-odds of the second class in each row of X, (n,); above 0 it is the likelier one."""
        check_is_fitted(self)
        if self._line.prediction is not None and self._line.prediction.in_log_odds:
            return self._line.prediction.score(matrix_of(self, X, reset=False))
        second = np.clip(self._predicted(X), LEAST, 1.0 - LEAST)
        return np.asarray(np.log(second) - np.log1p(-second))

    def predict(self, X: object) -> NDArray[np.generic]:
        """Return the likelier class in each row of X, (n,)."""
        places = (self._predicted(X) > 0.5).astype(int)
        return np.asarray(self.classes_[places])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags
