"""A fit as a fitted estimator: ``fit.to_estimator()``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError
from descend.estimators.classifier import FormulaClassifier
from descend.estimators.constructor import LEFT_OUT
from descend.estimators.estimator import FormulaEstimator
from descend.estimators.regressor import FormulaRegressor
from descend.losses.classes import cells_of
from descend.many import Fits
from descend.models import Model
from descend.options.arrays_in_a_row import names_of_matrix
from descend.options.option import Values
from descend.options.request import OPTIONS
from descend.results import Fit
from descend.results.request_again import call_of
from descend.results.request_content import request_content


def estimator_of(fit: Fit | Fits) -> FormulaEstimator:
    """Return a fitted estimator that predicts what a fit does, of X with the columns that it needs, in their order.

    Its parameters are the formula and the options of the fit, so that a clone can be fitted to other rows, where
    weights are the ``sample_weight``. A fit of classes, or of 0 and 1, becomes a classifier.

    Raises ConfigError for what no estimator could be: a module, a function without a formula, several responses, a
    response that is computed, and classes in an order.

    >>> import descend
    >>> line = descend.fit("y ~ a + b*x", {"x": [1.0, 2.0, 3.0, 4.0], "y": [2.1, 3.9, 6.1, 7.9]})
    >>> estimator_of(line).predict([[5.0]]).round(3)
    array([9.9])
    """
    model = fit.model
    refuse_others(model)
    kind = FormulaClassifier if model.loss.two_levels or model.loss.of_classes else FormulaRegressor
    call: Values = request_content(fit.call) if isinstance(fit, Fits) else call_of(fit, "the fit")[0]
    options = {key: value for key, value in call.items() if key in OPTIONS and key not in LEFT_OUT}
    options = {"loss": str(model.loss)} | options
    by = list(fit.by) if isinstance(fit, Fits) else None
    fitted_estimator: FormulaEstimator = kind(_formula_of(model, call.get("model")), **options, by=by)
    if isinstance(fitted_estimator, FormulaClassifier):
        fitted_estimator.classes_ = _classes_of(fit)
    inputs = dict.fromkeys(name for each in model.codings for name in each.columns)
    plain = [name for name in model.needed_inputs if name not in {each.name for each in model.codings}]
    names = list(dict.fromkeys([*plain, *inputs, *(by or ())]))
    fitted_estimator.n_features_in_ = len(names)
    if names != list(names_of_matrix(len(names))):
        fitted_estimator.feature_names_in_ = np.array(names, dtype=object)
    return fitted_estimator.holding(fit, {})


def refuse_others(model: Model) -> None:
    """Raise ConfigError for a model that no estimator could have."""
    one = model.of_one_class
    if one is None:
        instead = "skorch makes one of a module" if model.in_place else "write it as a formula"
        raise ConfigError(f"An estimator is made of a formula, and this model is a {model.kind}: {instead}.")
    if one.formula.parts:
        raise ConfigError(
            f"An estimator predicts one response, and this fit has {len(one.formula.parts)}. Fit each of them by "
            "itself."
        )
    if model.response not in model.response_columns:
        raise ConfigError(
            f"An estimator predicts a column, and this fit `{model.response}`. Transform it with scikit-learn's "
            "TransformedTargetRegressor, around a FormulaRegressor of the right side."
        )
    if model.loss.of_classes and not model.per_class:
        raise ConfigError(
            f"A FormulaClassifier has no {model.loss.name} loss, as scikit-learn's classes have no order. Predict with "
            "the fit itself."
        )


def _formula_of(model: Model, model_given: object) -> str:
    """Return the formula as it was typed, or that of a function that was traced; without a left side that has spaces.

    The formula of the model may differ from what was typed: an exposure, which is an option, stands in it.
    """
    text = model_given if isinstance(model_given, str) else str(model)
    left, sign, right = text.rpartition("~")
    return text if sign and left.strip().isidentifier() else right.strip()


def _classes_of(fit: Fit | Fits) -> NDArray[np.generic]:
    """Return the classes in the order of their probabilities: words, or numbers where all of them are some."""
    if fit.model.per_class:
        return np.array(cells_of(fit.model.loss.classes))
    levels = {} if isinstance(fit, Fits) else fit.response_levels
    words = sorted(levels, key=lambda word: levels[word])
    if not words:
        return np.array([0.0, 1.0])
    return np.array([False, True] if words == ["false", "true"] else words)
