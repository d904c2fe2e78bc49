"""Writing the model file: a fit as JSON. No pickle anywhere, and nothing in it is executed."""

from __future__ import annotations

import json
import os
from importlib.metadata import version
from typing import Any

from descend.descent.solution import every_parameter
from descend.inference.fitted import Fitted
from descend.losses import Loss
from descend.models.module import ModuleModel
from descend.output import write_atomically
from descend.report.fields import plain, summary
from descend.results.model_file import FORMAT, Content
from descend.results.weights import written_weights


def save(fit: Fitted, path: str | os.PathLike[str]) -> None:
    """Write ``fit`` to ``path``, in one step; the weights of a module go beside it."""
    if fit.model.in_place:
        model: Any = fit.model
        with written_weights(model.module, path) as weights:
            _write(path, content_of(fit) | {"module": _module_entry(model) | weights})
    else:
        _write(path, content_of(fit))


def _write(path: str | os.PathLike[str], content: Content) -> None:
    write_atomically(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def content_of(fit: Fitted) -> Content:
    """Return what a model file holds."""
    model = fit.model
    shapes = every_parameter(model).shapes
    formula = None if model.formula is None else {"formula": model.formula.text}
    return {
        "descend": version("descend"),
        "format": FORMAT,
        "function": None if model.forward is None else model.forward.name,
        "response": None if formula else model.response,
        "columns": dict(fit.column_types),
        "shapes": {name: None if labels is None else list(labels) for name, labels in shapes.items()},
        "asked": fit._asked,
        "penalised": fit.penalised,
        "covariance": plain(fit.covariance),
        "rounding": dict(fit.rounding),
        **summary(fit),
        "loss_function": _loss_text(fit.loss_function),
        **(formula or {}),
    }


def _module_entry(model: ModuleModel) -> Content:
    row_shape = None if model.row_shape is None else list(model.row_shape)
    return {"name": model.name, "inputs": list(model.inputs), "row_shape": row_shape}


def _loss_text(loss: Loss) -> str:
    settings = ", ".join(f"{name}={value!r}" for name, value in loss.settings.items())
    return f"{loss.name}({settings})" if settings else loss.name
