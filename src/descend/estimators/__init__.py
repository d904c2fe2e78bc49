"""Estimators for scikit-learn: a formula in pipelines, cross-validation and searches over options.

Each is a shell around ``descend.fit``: the rows and columns of ``X`` become a table, the fit is ``fit_``, and what it
found is told in scikit-learn's words, ``coef_``, ``predict_proba``, ``score``.
"""

from descend.errors import ConfigError

try:
    import sklearn  # noqa: F401
except ModuleNotFoundError as error:
    raise ConfigError(
        'scikit-learn is not installed, and the estimators need it. Install it with: pip install "descend[sklearn]".'
    ) from error

from descend.estimators.classifier import FormulaClassifier
from descend.estimators.export import to_sql
from descend.estimators.onnx_registration import register_onnx
from descend.estimators.quantiles import FormulaQuantiles
from descend.estimators.regressor import FormulaRegressor

__all__ = ["FormulaClassifier", "FormulaQuantiles", "FormulaRegressor", "register_onnx", "to_sql"]
