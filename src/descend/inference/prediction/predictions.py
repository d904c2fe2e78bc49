"""Predictions of new rows: of the mean, of classes and their probabilities, and of a module with several outputs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from descend.errors import DataError
from descend.formula import as_text
from descend.losses import Loss
from descend.losses.classes import cells_of
from descend.models import Model
from descend.problem.preflight import smallest_failure
from descend.wording import using

Array = NDArray[np.float64]
Cells = NDArray[np.generic]
Predicted = Cells | dict[str, Cells]
"""A prediction for each row; of several outputs by their names."""
MOST_VALUES = 6
"""Most inputs of a row that a message lists."""


def predicted_rows(model: Model, theta: Array, data: object, missing: str) -> Predicted:
    """Return the prediction for each row of data. Raises DataError for a row without a value."""
    if model.loss.outputs or model.loss.any_outputs:
        return predicted_outputs(model, theta, data, missing, False)
    columns = model.inputs_of(data, missing)
    predicted = model.predict(theta, columns)
    refuse_not_finite(model, theta, columns, predicted)
    return model.side_by_side(predicted, data)


def refuse_not_finite(model: Model, theta: Array, columns: Mapping[str, Array], prediction: Array) -> None:
    """Refuse a row in which the model has no value. Raises DataError naming row, subexpression and values."""
    bad = ~np.isfinite(prediction)
    if not bad.any():
        return
    row = int(bad.argmax())
    symbolic = model.symbolic
    failure = None if symbolic is None else smallest_failure(symbolic, theta, columns, row)
    cause = f": `{as_text(failure[0])}` is {failure[1]:g} there" if failure is not None else ""
    raise DataError(
        f"The prediction is {prediction[row]:g} in row {row + 1}{values_of_row(model, columns, row)}{cause}. "
        f"Leave such rows out{using('where')}."
    )


def values_of_row(model: Model, columns: Mapping[str, Array], row: int) -> str:
    """Write the inputs of a row, in brackets."""
    values = model.at_row(columns, row, MOST_VALUES)
    return f" ({values})" if values else ""


def predicted_classes(model: Model, theta: Array, data: object, missing: str, probabilities: bool) -> Predicted:
    """Return the likeliest class of each row of some data, or the probability of each class, (rows, K)."""
    if model.loss.outputs or model.loss.of_places:
        return predicted_outputs(model, theta, data, missing, probabilities)
    columns = model.inputs_of(data, missing)
    shares = probabilities_of(model, theta, columns)
    refuse_not_finite(model, theta, columns, shares.sum(axis=1))
    return shares if probabilities else likeliest(model.loss, shares)


def probabilities_of(model: Model, theta: Array, columns: Mapping[str, Array]) -> Array:
    """Return the probability of each class in each row, (rows, K), in the order of ``loss.classes``."""
    with np.errstate(all="ignore"):
        return model.loss.probabilities(model.scores(theta, columns), model.complete(theta))


def likeliest(loss: Loss, probabilities: Array) -> NDArray[np.generic]:
    """Return the class of the largest probability in each row: words, or numbers where all classes are numbers."""
    cells = cells_of(loss.classes)
    labels: NDArray[np.generic] = np.array(cells, dtype=object if isinstance(cells[0], str) else None)
    likeliest_labels: NDArray[np.generic] = labels[probabilities.argmax(axis=1)]
    return likeliest_labels


def predicted_outputs(model: Model, theta: Array, data: object, missing: str, probabilities: bool) -> Predicted:
    """Return the prediction of each output by its name: of classes the likeliest, or the probability of each.

    Of a class for each of several places, (n, ...), these are whole numbers (n, ...) and probabilities (n, K, ...).
    Where there is but one output, it is returned itself.
    """
    predicted: dict[str, Cells] = {}
    for name, score in model.scores_of_outputs(theta, model.inputs_of(data, missing)).items():
        loss = model.loss if not name and model.loss.of_places else model.loss.outputs.get(name)
        if loss is None or not (loss.of_classes or loss.of_places):
            mean = score if loss is None else loss.mean(score)
            predicted[name] = mean[:, 0] if mean.ndim == 2 and mean.shape[1] == 1 else mean
            continue
        shares = loss.probabilities(score, {})
        if probabilities:
            predicted[name] = shares
        else:
            likeliest = shares.argmax(axis=1)
            predicted[name] = likeliest if loss.of_places else np.array(cells_of(loss.classes))[likeliest]
    return predicted.get("", predicted)
