"""Classes of rows that are given as tensors: labels as numbers or words, or the probabilities of all classes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError, DataError
from descend.losses import Loss
from descend.models.module import ModuleModel
from descend.models.together import several
from descend.table.table import listing
from descend.training.engine import ModuleEngine

if TYPE_CHECKING:
    from torch import Tensor

    from descend.losses.cross_entropy import CrossEntropy
    from descend.losses.several import Several

Array = NDArray[np.float64]
SUM = 1e-3
"""How far the probabilities of a row may add up to something else than 1."""


def has_places(given: object) -> bool:
    """Whether rows have a class for each of several places, (n, ...): whole numbers that are not one-hot classes.

    >>> has_places(np.zeros((5, 4, 4), int)), has_places(np.eye(3, dtype=int)), has_places([0, 1, 1])
    (True, False, False)
    """
    y = np.asarray(given.detach().cpu() if hasattr(given, "detach") else given)
    if y.dtype.kind not in "iu" or y.ndim < 2 or y[0].size < 2:
        return False
    one_hot = y.ndim == 2 and y.min() >= 0 and bool((y.sum(axis=1) == 1).all())
    return not one_hot


def read_classes(given: object, loss: Loss) -> tuple[Loss, Array, NDArray[np.floating] | None]:
    """Return the loss of the classes of a response, their places in each row, and probabilities if these are given.

    given: (n,) or (n, 1) words, whose classes are in the order of the alphabet, or whole numbers, which are places
        from 0 as for PyTorch; or (n, K) probabilities, whose class is the likeliest.

    Raises DataError for what is none of these.
    """
    if hasattr(given, "detach"):
        given = given.detach().cpu().numpy()
    y = np.asarray(given)
    if y.ndim == 2 and y.shape[1] > 1:
        return loss, *_probabilities(y)
    y = y.reshape(-1)
    if y.dtype.kind in "OUS":
        names = [str(each) for each in y]
        known = loss.classes or tuple(sorted(set(names)))
        places = {name: float(place) for place, name in enumerate(known)}
        for row, name in enumerate(names):
            if name not in places:
                raise DataError(f"y is `{name}` in row {row + 1}, which is none of the levels {listing(known, 'and')}.")
        if len(known) < 2:
            raise DataError(f"y is `{known[0]}` in every row, so that there is nothing to tell apart.")
        return loss.of_levels(known), np.array([places[name] for name in names]), None
    if y.dtype.kind == "f":
        raise DataError(
            f"y holds decimal numbers ({y.dtype}), the first of them {y[0]:g}. The {loss.name} loss needs classes: "
            "whole numbers from 0, or words. If they are classes, give y.long(); for numbers, use another loss."
        )
    return loss, y.astype(np.float64), None


def _probabilities(y: NDArray[np.generic]) -> tuple[Array, Array]:
    if y.dtype.kind != "f":
        raise DataError(
            f"y has shape {y.shape} and holds whole numbers ({y.dtype}), as one-hot classes do. Give the class of each "
            "row, y.argmax(1), or probabilities as decimal numbers, y.float()."
        )
    shares = y.astype(np.float64)
    sums = shares.sum(axis=1)
    bad = (np.abs(sums - 1.0) > SUM) | (shares < 0.0).any(axis=1)
    if bad.any():
        row = int(bad.argmax())
        raise DataError(
            f"y has shape {y.shape}, so its rows are probabilities of {y.shape[1]} classes, 0 or more, which add up to "
            f"1; those of row {row + 1} add up to {sums[row]:g}."
        )
    return shares.argmax(axis=1).astype(np.float64), shares


def settled_classes(model: ModuleModel, engine: ModuleEngine, output: Tensor) -> tuple[ModuleModel, ModuleEngine]:
    """Return the model whose loss knows all classes, as many as the module has outputs, and rows weighted by them.

    Raises DataError or ConfigError where outputs and classes do not match.
    """
    heads, ys = several(output), several(engine.y)
    if heads is not None and ys is not None and model.loss.outputs:
        loss = cast("Several", model.loss)
        each = zip(loss.outputs.items(), heads, ys, strict=True)
        losses = {
            name: _settled(own, scores, y, f"{model.name}, output {name}", engine.streamed) if own.of_classes else own
            for (name, own), scores, y in each
        }
        return replace(model, loss=loss.of(losses, loss.shapes)), engine
    if not model.loss.of_classes:
        return model, engine
    model = replace(model, loss=_settled(model.loss, output, engine.y, model.name, engine.streamed))
    return model, weighed(engine, model)


def _settled(given: Loss, output: Tensor, y: Tensor, name: str, streamed: bool) -> Loss:
    """Return a loss that knows all classes. y: (n,) places, or (n, K) probabilities."""
    outputs, loss = int(output.shape[1]), cast("CrossEntropy", given)
    codes = (y if y.ndim == 1 else y.argmax(dim=1)).cpu().numpy().astype(np.float64)
    low, high = int(codes.min()), int(codes.max())
    if y.ndim == 2 and y.shape[1] != outputs:
        raise ConfigError(
            f"`{name}` has {outputs} outputs, but y has the probabilities of {y.shape[1]} classes. Let it "
            "have an output for each."
        )
    if not loss.classes:
        if low < 0 or high >= outputs:
            why = (
                "the classes count from 0. Subtract 1"
                if (low, high) == (1, outputs)
                else (
                    f"they must be between 0 and {outputs - 1}. Give the module an output for each class, or correct "
                    "them"
                )
            )
            raise DataError(f"y holds classes {low} to {high}, and `{name}` has {outputs} outputs: {why}.")
        loss = loss.of_levels([str(place) for place in range(outputs)])
    if len(loss.classes) != outputs:
        raise ConfigError(
            f"`{name}` has {outputs} outputs, but there are {len(loss.classes)} classes: "
            f"{', '.join(loss.classes[:6])}{', ...' if len(loss.classes) > 6 else ''}. Let it have an output for each."
        )
    if streamed and loss.class_weights == "balanced":
        raise ConfigError(
            "class_weights=balanced counts the rows of each class, and these are passed rather than read. Give "
            'numbers, such as cross_entropy(class_weights="1, 2").'
        )
    return loss.weighing(codes)


def weighed(engine: ModuleEngine, model: ModuleModel) -> ModuleEngine:
    """Return rows weighted by their classes, where these have weights."""
    weights = getattr(model.loss, "weights_of_classes", ())
    if not weights or engine.streamed or engine.y.ndim != 1:
        return engine
    each = np.asarray(weights)[engine.rows.y.astype(np.intp)]
    omega = each if engine.rows.omega is None else each * engine.rows.omega
    return replace(engine, rows=replace(engine.rows, omega=omega), omega=model.placed(omega))
