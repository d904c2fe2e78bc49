"""A formula of the probability of a class as a classifier."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _num_samples, check_is_fitted

from descend.errors import ConfigError
from descend.estimators.columns import LINEAR, PROBABILITY, columns_of, has_words, matrix_of, rows_of
from descend.estimators.constructor import with_options
from descend.estimators.estimator import FormulaEstimator
from descend.losses import LOSSES
from descend.losses.multinomial import Multinomial
from descend.table.table import label

Array = NDArray[np.float64]
LEAST = 2.0**-53
"""Probabilities nearer to 0 or 1 than this have no finite log-odds but by the linear predictor."""
L2_WHERE_OPEN = 1e-9
"""So many parameters tell all rows apart without error, which leaves scores no maximum; this penalty gives them one."""
TINY = np.finfo(np.float64).tiny


@with_options(formula=PROBABILITY, by=None, loss="logistic")
class FormulaClassifier(ClassifierMixin, FormulaEstimator):  # type: ignore[misc]
    """A formula of a probability as a classifier of two classes, or of scores of several; classes may be words.

    formula: of the probability of the second class in ``classes_``, as for `FormulaRegressor`; with a guessing rate,
        ``g + (1 - g)*sigmoid(a + b*x)``, for instance, under ``loss="bernoulli"``. Under ``loss="multinomial"``, of
        the score of each class but the first, with parameters of its own; three or more classes are fitted by it
        where neither formula nor loss is given, with the scores ``w @ [*] + b``.
    All other parameters are the options of ``descend.fit``.

    The probabilities of K classes are exp(s_k) / sum of exp(s_j), as LogisticRegression's, but s_1 = 0, where its
    scores sum to 0: coefficients are differences from the first class, ``coef_ - coef_[0]`` of its. Without a penalty
    the probabilities are the same. A penalty draws these differences to 0, not the scores of all classes alike, so that
    those of two classes agree with it, and those of more do not quite.

    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]])
    >>> estimator = FormulaClassifier().fit(X, ["no", "no", "yes", "no", "yes", "yes"])
    >>> estimator.predict([[0.0], [9.0]])
    array(['no', 'yes'], dtype='<U3')
    """

    classes_: NDArray[np.generic]

    def fit(self, X: object, y: object, sample_weight: object = None, *, groups: object = None) -> Self:
        """Fit the formula.

        X: (n, k) array or frame. y: (n,) two or more classes, numbers or words. sample_weight: relative weights of
        rows. groups: as for `FormulaRegressor`.
        """
        columns, classes_given = rows_of(self, X, y, numeric=False)
        check_classification_targets(classes_given)
        self.classes_, codes = np.unique(classes_given, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("Classifier can't train when only one class is present.")
        of_rows = {"weights": sample_weight, "groups": groups}
        if not self._has_scores():
            return self._fit(columns, codes.astype(np.float64), of_rows)
        if self.by is not None:
            raise ConfigError("The scores of several classes are not fitted by groups yet. Leave `by` out.")
        words = names_of_classes(self.classes_)
        loss = str(Multinomial().of_levels(words.tolist()))
        formula = LINEAR if self.formula == PROBABILITY else None
        return self._fit(columns, words[codes], of_rows, formula=formula, loss=loss)

    def _l2_where_open(self) -> float:
        return L2_WHERE_OPEN if self._has_scores() else 0.0

    def _has_scores(self) -> bool:
        """Return whether each class but the first has a score. Raises ConfigError for a formula that has none."""
        loss = LOSSES.build(self.loss)
        if loss.per_class:
            return True
        if loss.of_classes:
            raise ConfigError(
                f"A FormulaClassifier has no {loss.name} loss, as scikit-learn's classes have no order. Use "
                f'descend.fit(formula, (X, y), loss="{loss.name}").'
            )
        if len(self.classes_) == 2:
            return False
        if self.formula != PROBABILITY or not loss.two_levels:
            raise ConfigError(
                f"There are {len(self.classes_)} classes, and under the {loss.name} loss `{self.formula}` is the "
                'probability of one of two. Choose loss="multinomial", under which the formula is the score of each '
                f"class, such as {LINEAR!r}."
            )
        return True

    def predict_proba(self, X: object) -> Array:
        """Return the probability of each class in each row of X, (n, K), in the order of ``classes_``.

        A formula that leaves the range of probabilities, as ``w @ [*] + b`` may, is cut off at 0 and 1.
        """
        if not self._of_scores:
            second = np.clip(self._predicted(X), 0.0, 1.0)  # beyond which a straight line of them may lead
            return np.column_stack([1.0 - second, second])
        if self._line.scores is not None and not has_words(X):
            return np.asarray(softmax(self._scores(X), axis=1))
        probabilities: Array = self.fit_.predict(columns_of(self, X, reset=False), probabilities=True).astype(
            np.float64
        )
        return (
            probabilities
            if len(probabilities) == (count := _num_samples(X))
            else np.repeat(probabilities[:1], count, axis=0)
        )

    def decision_function(self, X: object) -> Array:
        """Return the log-odds of the second class in each row of X, (n,); above 0 it is the likelier one.

        Of three and more classes, (n, K): the log-odds of each from the first one, largest of the likeliest.
        """
        if self._of_scores:
            scores = self._scores(X)
            return scores if len(self.classes_) > 2 else scores[:, 1]
        if self._line.prediction is not None and self._line.prediction.in_log_odds:
            return self._line.prediction.score(matrix_of(self, X, reset=False))
        second = np.clip(self._predicted(X), LEAST, 1.0 - LEAST)
        return np.asarray(np.log(second) - np.log1p(-second))

    def _scores(self, X: object) -> Array:
        if self._line.scores is not None and not has_words(X):
            coefficients, intercepts = self._line.scores
            scores: Array = matrix_of(self, X, reset=False) @ coefficients.T
            scores += intercepts
            return scores
        shares = np.log(np.maximum(self.predict_proba(X), TINY))
        return np.asarray(shares - shares[:, :1])

    def predict(self, X: object) -> NDArray[np.generic]:
        """Return the likelier class in each row of X, (n,)."""
        if self._of_scores:
            return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])
        class_numbers = (self._predicted(X) > 0.5).astype(int)
        return np.asarray(self.classes_[class_numbers])

    @property
    def coef_(self) -> Array:
        """A coefficient for each column of X, (k,); of three and more classes, (K, k), 0 for the first."""
        if not self._of_scores:
            return super().coef_
        coefficients = self._of_scores_of_line()[0]
        return coefficients if len(self.classes_) > 2 else coefficients[1]

    @property
    def intercept_(self) -> float | Array:  # type: ignore[override]
        """The linear predictor where all columns are 0; of three and more classes, (K,), 0 for the first."""
        if not self._of_scores:
            return super().intercept_
        intercepts = self._of_scores_of_line()[1]
        return intercepts if len(self.classes_) > 2 else float(intercepts[1])

    def _of_scores_of_line(self) -> tuple[Array, Array]:
        if (scores_of_line := self._line.scores) is None:
            raise AttributeError(f"`{self.formula}` is not linear in the columns of X; see `parameters_`.")
        return scores_of_line

    @property
    def _of_scores(self) -> bool:
        check_is_fitted(self)
        return hasattr(self, "fit_") and self.fit_.model.per_class

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = True
        return tags


def names_of_classes(classes: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return what the classes are called in the names of parameters: as they are, or, where unclear, their places.

    >>> names_of_classes(np.array([1.0, 2.0, 3.5])), names_of_classes(np.array(["", "a", "b"]))
    (array(['1', '2', '3.5'], dtype='<U3'), array(['0', '1', '2'], dtype='<U1'))
    """
    names = [label(each) for each in classes.tolist()]
    clear = len(set(names)) == len(names) and all(name and name == name.strip() for name in names)
    return np.array(names if clear else [str(class_number) for class_number in range(len(names))])
