"""What a fit can become in rooms that come after this one, found by name when somebody asks."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

CONVERSIONS = {"estimator": "descend.estimators.from_fit:estimator_of"}
"""What makes something else of a fit, as ``module:function`` by what it makes."""


def converted(fit: object, into: str) -> object:
    """Return what a fit becomes."""
    module, _, name = CONVERSIONS[into].partition(":")
    function: Callable[[object], object] = getattr(import_module(module), name)
    return function(fit)


class Convertible:
    """A fit, or many, that can become something else."""

    def to_estimator(self) -> BaseEstimator:
        """Return a fitted estimator of scikit-learn that predicts the same, ``FormulaRegressor`` or a classifier.

        X has the columns that the fit needs. Raises ConfigError without scikit-learn, and for a module, a function
        without a formula, several responses, and a response that is computed.
        """
        return cast("BaseEstimator", converted(self, "estimator"))
