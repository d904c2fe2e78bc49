"""Estimators as graphs of ONNX: what skl2onnx asks them for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError
from descend.estimators.columns import names_of
from descend.estimators.onnx_expression import Columns, Writer
from descend.estimators.onnx_graph import Graph, Value
from descend.results import Fit

if TYPE_CHECKING:
    from skl2onnx.common._container import ModelComponentContainer
    from skl2onnx.common._topology import Operator, Scope


def shapes(operator: Operator) -> None:
    """Say of which types and shapes the outputs are: the prediction, or label and probabilities."""
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType, StringTensorType

    rows = operator.inputs[0].get_first_dimension()
    numbers = DoubleTensorType if _double(operator) else FloatTensorType
    if not hasattr(operator.raw_operator, "classes_"):
        operator.outputs[0].set_type(numbers([rows, 1]))
        return
    classes = labels_of(operator.raw_operator.classes_)
    words = classes.dtype.kind == "U"
    operator.outputs[0].set_type((StringTensorType if words else Int64TensorType)([rows]))
    operator.outputs[1].set_type(numbers([rows, len(classes)]))


def convert(scope: Scope, operator: Operator, container: ModelComponentContainer) -> None:
    """Add the nodes that compute the outputs. Raises ConfigError for what ONNX has no operators for."""
    estimator = operator.raw_operator
    graph = Graph(scope, container, _double(operator))
    outputs = [each.full_name for each in operator.outputs]
    if hasattr(estimator, "quantiles_"):
        fits = [each.fit_ for each in estimator.estimators_ if hasattr(each, "fit_")]
        if len(fits) < len(estimator.estimators_):
            refuse_groups()
        columns = Columns(graph, operator.inputs, names_of(estimator), {})
        each = [Writer(columns, fit.model, fit.theta).prediction() for fit in fits]
        _in_order(graph, each, int(np.abs(estimator.quantiles_ - 0.5).argmin()), outputs[0])
        return
    if hasattr(estimator, "fits_"):
        refuse_groups()
    fit: Fit = estimator.fit_
    columns = Columns(graph, operator.inputs, names_of(estimator), estimator._known)
    if not hasattr(estimator, "classes_"):
        graph.node("Identity", Writer(columns, fit.model, fit.theta).prediction().name, output=outputs[0])
        return
    classes = labels_of(estimator.classes_)
    class_places, probabilities = _of_classes(columns, fit)
    names = graph.words(classes.tolist()) if classes.dtype.kind == "U" else graph.integers(classes.tolist())
    label = graph.node("Gather", names, class_places, axis=0)
    graph.node("Reshape", label, graph.integers([-1]), output=outputs[0])
    graph.node("Identity", probabilities, output=outputs[1])


def labels_of(classes: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return classes as ONNX has them: words, or whole numbers. Raises ConfigError for other numbers.

    >>> labels_of(np.array([False, True])), labels_of(np.array([1.0, 3.0]))
    (array([0, 1]), array([1, 3]))
    """
    if classes.dtype.kind in "OUS":
        return classes.astype(str)
    integers = classes.astype(np.int64)
    if not np.array_equal(integers, classes.astype(np.float64)):
        raise ConfigError("The labels of ONNX are words or whole numbers, and these classes are neither.")
    return integers


def _of_classes(columns: Columns, fit: Fit) -> tuple[str, str]:
    """Return the place of the likeliest class and the probabilities of all, (rows, K)."""
    from onnx import TensorProto

    graph = columns.graph
    if not fit.model.per_class:
        second = Writer(columns, fit.model, fit.theta).prediction()
        if not fit.loss_function.two_levels:  # whose predictions may leave the range of probabilities
            second = second.call("Max", 0.0).call("Min", 1.0)
        both = graph.node("Concat", (1.0 - second).name, second.name, axis=1)
        return graph.node("Cast", (second > 0.5).name, to=TensorProto.INT64), both
    each = [Writer(columns, model, theta).prediction() for model, theta in fit.model.of_each_class(fit.theta)]
    scores = graph.node("Concat", (0.0 * each[0]).name, *(score.name for score in each), axis=1)
    probabilities = graph.node("Softmax", scores, axis=1)
    return graph.node("ArgMax", probabilities, axis=1, keepdims=0), probabilities


def _in_order(graph: Graph, quantiles: Sequence[Value], place_of_class: int, output: str) -> None:
    """Put the quantiles of each row in order, and return one of them."""
    every = graph.node("Concat", *(each.name for each in quantiles), axis=1)
    ordered, class_places = (graph.scope.get_unique_variable_name(name) for name in ("ordered", "places"))
    name = graph.scope.get_unique_operator_name("TopK")
    inputs = [every, graph.integers([len(quantiles)])]
    graph.container.add_node("TopK", inputs, [ordered, class_places], name=name, axis=1, largest=0, sorted=1)
    graph.node("Gather", ordered, graph.integers([place_of_class]), axis=1, output=output)


def _double(operator: Operator) -> bool:
    return any("Double" in type(each.type).__name__ for each in operator.inputs)


def refuse_groups() -> NoReturn:
    """Raise ConfigError for an estimator with a fit for each group."""
    raise ConfigError(
        "Each group has a fit of its own; make an estimator of one of them, `fits_[group].to_estimator()`."
    )
