"""Predictions of one of several classes, and of the probability of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.descent.solution import named
from descend.inference.prediction import refuse_not_finite
from descend.losses import Loss
from descend.losses.classes import cells_of
from descend.models import Model

if TYPE_CHECKING:
    from descend.inference.predicted_outputs import Predicted

Array = NDArray[np.float64]


def predicted_classes(model: Model, theta: Array, data: object, missing: str, probabilities: bool) -> Predicted:
    """Return the likeliest class of each row of some data, or the probability of each class, (rows, K)."""
    if model.loss.outputs or model.loss.of_places:
        from descend.inference.predicted_outputs import predicted_outputs

        return predicted_outputs(model, theta, data, missing, probabilities)
    columns = model.inputs_of(data, missing)
    found = probabilities_of(model, theta, columns)
    refuse_not_finite(model, theta, columns, found.sum(axis=1))
    return found if probabilities else likeliest(model.loss, found)


def probabilities_of(model: Model, theta: Array, columns: Mapping[str, Array]) -> Array:
    """Return the probability of each class in each row, (rows, K), in the order of ``loss.classes``."""
    with np.errstate(all="ignore"):
        return model.loss.probabilities(model.scores(theta, columns), named(model, theta))


def likeliest(loss: Loss, probabilities: Array) -> NDArray[np.generic]:
    """Return the class of the largest probability in each row: words, or numbers where all classes are numbers."""
    cells = cells_of(loss.classes)
    labels: NDArray[np.generic] = np.array(cells, dtype=object if isinstance(cells[0], str) else None)
    likeliest_labels: NDArray[np.generic] = labels[probabilities.argmax(axis=1)]
    return likeliest_labels
