"""Predictions of a module with several outputs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from descend.losses.classes import cells_of
from descend.models import Model

Array = NDArray[np.float64]
Cells = NDArray[np.generic]
Predicted = Cells | dict[str, Cells]
"""A prediction for each row; of several outputs by their names."""


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
