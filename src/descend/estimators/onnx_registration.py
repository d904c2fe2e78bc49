"""The estimators made known to skl2onnx, which writes pipelines as ONNX."""

from __future__ import annotations

from descend.errors import ConfigError
from descend.estimators.classifier import FormulaClassifier
from descend.estimators.onnx_conversion import convert, shapes
from descend.estimators.quantiles import FormulaQuantiles
from descend.estimators.regressor import FormulaRegressor


def register_onnx() -> None:
    """Make the estimators known to skl2onnx inside others, such as a VotingRegressor; alone and in pipelines they are.

    Raises ConfigError where skl2onnx is not installed.
    """
    try:
        from skl2onnx import update_registered_converter
    except ImportError:
        raise ConfigError("skl2onnx, which writes ONNX, is not installed: pip install skl2onnx.") from None
    for kind in (FormulaClassifier, FormulaQuantiles, FormulaRegressor):
        update_registered_converter(kind, f"Descend{kind.__name__}", shapes, convert)
