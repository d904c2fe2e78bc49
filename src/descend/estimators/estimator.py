"""What the estimators have in common: from X, y and the constructor's parameters to a fit, and back to predictions."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import _check_sample_weight, _num_samples, check_is_fitted

from descend.api import fit_request
from descend.descent.solution import starts_at
from descend.errors import ConfigError, DataError
from descend.estimators.columns import (
    LINEAR,
    PROBABILITY,
    Columns,
    beside,
    columns_of,
    free_name,
    has_words,
    laid_out,
    linear_formula,
    matrix_of,
    names_of,
    response_name,
)
from descend.estimators.constructor import options_of
from descend.estimators.held_out_groups import groups_as_words, held_out_by
from descend.estimators.linear import LinearPart, LinearPrediction
from descend.estimators.parameter_words import AS_PARAMETERS
from descend.losses import LEAST_SQUARES, LOSSES
from descend.many import Fits
from descend.options.arguments import read_request
from descend.options.request import Request
from descend.results import Fit
from descend.wording import speaking

Array = NDArray[np.float64]


class OfOnnx(BaseEstimator):  # type: ignore[misc]
    """What skl2onnx asks of an estimator that it does not know."""

    def onnx_shape_calculator(self) -> Callable[..., None]:
        """Return what says of which shapes the outputs are in a graph of ONNX."""
        from descend.estimators.onnx_conversion import shapes

        return shapes

    def onnx_converter(self) -> Callable[..., None]:
        """Return what writes the estimator as nodes of ONNX."""
        from descend.estimators.onnx_conversion import convert

        return convert


class FormulaEstimator(OfOnnx):
    """A formula as an estimator. Subclasses say what y is.

    Attributes of a fitted one: ``fit_``, the fit (``fits_``, if ``by`` names groups); ``parameters_``,
    ``standard_errors_``, by name; ``coef_``, ``intercept_``, if the formula is linear in the columns of X;
    ``n_features_in_``, ``feature_names_in_``, ``n_iter_``.
    """

    formula: str
    by: str | list[str] | None
    exposure: object
    fit_: Fit
    fits_: Fits

    def _fit(
        self, columns: Columns, y: NDArray[np.generic], of_rows: Mapping[str, object], **changed: str | None
    ) -> Self:
        """Fit to y; see `_request`."""
        for name in ("fit_", "fits_", "_batches"):
            self.__dict__.pop(name, None)
        with speaking(AS_PARAMETERS):
            request, columns_known = self._request(columns, y, of_rows, **changed)
            try:
                fit_found = fit_request(request)
            except DataError:
                # What rows leave open is no error to scikit-learn, whose users expect the shortest of equal answers.
                fit_found = fit_request(shortest(request.but(bare=True, l2=request.l2 or self._l2_where_open())))
            else:
                warn_where_unconverged(fit_found)
        return self.holding(fit_found, columns_known)

    def _request(
        self, columns: Columns, y: NDArray[np.generic], of_rows: Mapping[str, object], **changed: str | None
    ) -> tuple[Request, dict[str, float]]:
        """Return what a fit to y asks for, and the columns that predictions need and X lacks, with their values.

        of_rows: what ``fit`` was given with a value for each row, by option. changed: the formula and options that
        replace those of the constructor, where they are not None.
        """
        options_given = {name: value for name, value in changed.items() if value is not None}
        formula = options_given.pop("formula", self.formula)
        if not isinstance(formula, str):
            raise ConfigError(f"The formula of an estimator is text, such as {LINEAR!r}; it is {formula!r}.")
        left, sign, right = formula.rpartition("~")
        response = response_name(left, columns) if sign else free_name(columns, "y")
        if right.strip() in (LINEAR, PROBABILITY):
            right = right.replace(LINEAR, linear_formula(columns))
        if self.by is not None:  # groups are taken apart column by column
            columns = laid_out(columns)
        table, options = beside(columns, {response: y}), options_of(self) | options_given
        columns_known: dict[str, float] = {}
        for option, values in of_rows.items():
            if option == "groups" and values is not None:
                name = free_name(table, option)
                table[name] = groups_as_words(values, len(y))
                options |= held_out_by(name, options)
            elif values is not None:
                name = free_name(table, option)
                columns_known |= {name: 1.0} if option == "exposure" else {}
                table[name] = _check_sample_weight(values, y) if option == "weights" else np.asarray(values)
                options[option] = name
        return read_request(f"{response} ~ {right.strip()}", table, (), options | {"by": self.by}), columns_known

    def holding(self, fit_found: Fit | Fits, columns_known: dict[str, float]) -> Self:
        """Take a fit as what it is fitted to. known: columns that the fit needs and X lacks, with their values."""
        self._known = columns_known
        self._line = LinearPart(fit_found, names_of(self), columns_known, self.exposure)
        if isinstance(fit_found, Fits):
            self.fits_ = fit_found
        else:
            self.fit_ = fit_found
            self.n_iter_ = max(1, fit_found.epochs)
        return self

    def _l2_where_open(self) -> float:
        """Return the penalty that chooses between equally good answers, where a fit alone would choose none."""
        return 0.0

    @property
    def _found(self) -> Fit | Fits:
        check_is_fitted(self)
        return self.fits_ if hasattr(self, "fits_") else self.fit_

    def __sklearn_is_fitted__(self) -> bool:
        return "fit_" in self.__dict__ or "fits_" in self.__dict__

    def _predicted(self, X: object) -> Array:
        fit_found = self._found
        if (linear := self._line.prediction) is not None and not has_words(X):
            with np.errstate(all="ignore"):
                return linear.predict(matrix_of(self, X, reset=False))
        count = _num_samples(X)
        columns_known = {name: np.full(count, value) for name, value in self._known.items()}
        columns = columns_of(self, X, reset=False)
        with speaking(AS_PARAMETERS):
            predicted = fit_found.predict(beside(columns, columns_known))
        return predicted if len(predicted) == count else np.full(count, float(predicted[0]))

    @property
    def parameters_(self) -> Mapping[str, object]:
        """The parameters by name: a number, an array for a vector, a mapping for one of groups; of `by` a row each."""
        return self._found.parameters

    @property
    def standard_errors_(self) -> Mapping[str, object] | None:
        """The standard errors of the parameters, likewise; None under a penalty, which pulls by an unknown amount.

        Those of a formula, columns or a penalty that were chosen by the same rows, as by ``GridSearchCV``, are
        conditional on this choice, and too small: it is not counted in them. For honest ones keep other rows for them.
        """
        return self._found.standard_errors

    @property
    def coef_(self) -> Array:
        """A coefficient for each column of X, (k,): 1 of an offset, and 0 of an exposure, which is taken as 1."""
        return self._of_line().coefficients

    @property
    def intercept_(self) -> float:
        """The linear predictor where all columns are 0."""
        return self._of_line().intercept

    def _of_line(self) -> LinearPrediction:
        check_is_fitted(self)
        if hasattr(self, "fits_"):
            raise AttributeError("Each group has coefficients of its own; see `parameters_`, or `fits_[group]`.")
        if (linear := self._line.line) is None:
            raise AttributeError(f"`{self.formula}` is not linear in the columns of X; see `parameters_`.")
        return linear


def warn_where_unconverged(fit_found: Fit | Fits) -> None:
    """Warn, as scikit-learn does, of a fit that ended before it converged, with what to do about it.

    Not of classes that are separated: there is no best fit of them, but one that predicts, and ``fit_`` tells it.
    """
    if isinstance(fit_found, Fits):
        if fit_found.failed:
            group, why = next(iter(fit_found.failed.items()))
            text = f"{len(fit_found.failed):,} of {len(fit_found):,} groups were not fitted, such as {group}: {why}"
            warnings.warn(text, ConvergenceWarning, stacklevel=4)
    elif not fit_found.succeeded and (fit_found.solution is None or fit_found.solution.endless is None):
        warnings.warn(fit_found.advice, ConvergenceWarning, stacklevel=4)


def shortest(request: Request) -> Request:
    """Return a request that begins at the least squares under a loss with kinks: near the shortest of equal answers.

    Elsewhere steps along the curvature from 0 lead there; those of a loss with kinks depend on how rows are counted.
    """
    if request.start or request.by is not None or not LOSSES.build(request.loss).kinked:
        return request
    squared_fit = fit_request(request.but(loss=LEAST_SQUARES))
    assert isinstance(squared_fit, Fit)
    return request.but(start=starts_at(squared_fit.model, squared_fit.theta))
