"""The estimators made known to skl2onnx, which writes pipelines as ONNX."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from descend.errors import ConfigError
from descend.estimators.classifier import FormulaClassifier
from descend.estimators.columns import names_of
from descend.estimators.estimator import FormulaEstimator
from descend.estimators.onnx_conversion import convert, refuse_groups, shapes
from descend.estimators.quantiles import FormulaQuantiles
from descend.estimators.regressor import FormulaRegressor


def register_onnx() -> None:
    """Make the estimators known to skl2onnx inside others, such as a VotingRegressor; alone and in pipelines they are.

    Raises ConfigError where skl2onnx is not installed.
    """
    skl2onnx = _import_skl2onnx()
    for kind in (FormulaClassifier, FormulaQuantiles, FormulaRegressor):
        skl2onnx.update_registered_converter(kind, f"Descend{kind.__name__}", shapes, convert)


def onnx_of(estimator: FormulaEstimator) -> bytes:
    """Return a fitted estimator as ONNX, in double precision; each column of X is an input of its own, (rows, 1).

    Raises ConfigError where skl2onnx is not installed, and for what ONNX has no operators for.
    """
    skl2onnx = _import_skl2onnx()
    if not hasattr(estimator, "fit_"):
        refuse_groups()
    kinds = estimator.fit_.column_types
    types = skl2onnx.common.data_types
    inputs = [
        (name, (types.StringTensorType if kinds.get(name) == "text" else types.DoubleTensorType)([None, 1]))
        for name in names_of(estimator)
    ]
    onnx_model: bytes = skl2onnx.convert_sklearn(estimator, initial_types=inputs).SerializeToString()
    return onnx_model


def _import_skl2onnx() -> ModuleType:
    try:
        return import_module("skl2onnx")
    except ImportError:
        raise ConfigError("skl2onnx, which writes ONNX, is not installed: pip install skl2onnx.") from None
