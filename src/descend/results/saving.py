"""Writing the model file: a fit as JSON. No pickle anywhere, and nothing in it is executed."""

from __future__ import annotations

import json
import os
from importlib.metadata import version
from typing import cast

import numpy as np

from descend.inference.fitted import Fitted
from descend.losses import Loss
from descend.models.module import ModuleModel
from descend.models.reading import groups_entry
from descend.output import write_atomically
from descend.parameters import Parameters
from descend.report.fields import plain, summary
from descend.results.model_file import FORMAT, Content
from descend.results.weights import written_weights


def save(fit: Fitted, path: str | os.PathLike[str]) -> None:
    """Write ``fit`` to ``path`` atomically; the weights of a module go into a file beside it."""
    content = content_of(fit)
    if fit.model.in_place:
        with written_weights(cast(ModuleModel, fit.model).module, path) as weights:
            _write(path, content | {"module": content["module"] | weights})
    else:
        _write(path, content)


def _write(path: str | os.PathLike[str], content: Content) -> None:
    write_atomically(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def content_of(fit: Fitted) -> Content:
    """Return the content of the model file of a fit."""
    entry, shapes = (
        {"formula": None, "function": None, "response": None} | fit.model.entry(),
        fit.model.every_parameter,
    )
    return {
        "descend": version("descend"),
        "format": FORMAT,
        "columns": dict(fit.column_types),
        **({"response_levels": fit.response_levels} if fit.response_levels else {}),
        "shapes": {name: None if labels is None else list(labels) for name, labels in shapes.shapes.items()},
        **groups_of(shapes),
        "asked": fit._epochs_given,
        "penalised": fit.penalised,
        "covariance": _covariance(fit),
        **_combinations(fit),
        "rounding": dict(fit.rounding),
        "ranges": plain(fit.ranges),
        **summary(fit),
        **_request(fit),
        "loss_function": loss_text(fit.loss_function),
        **{name: value for name, value in entry.items() if name != "formula" or value},
    }


def _request(fit: Fitted) -> Content:
    """Return the request as far as a file can hold it, for fits like this one; none of a module."""
    if fit.model.in_place:
        return {}
    if fit.solution is None:
        request_saved = getattr(fit, "_content", {}).get("request")
        return {} if request_saved is None else {"request": request_saved}
    from descend.results.request_content import request_content

    return {"request": request_content(fit.solution.call())}


def groups_of(shapes: Parameters) -> Content:
    """Return which groups the parameters with a value for each of them have, if there are any."""
    groups_saved = groups_entry(shapes)
    return {"groups": groups_saved} if groups_saved else {}


def _covariance(fit: Fitted) -> object:
    """Return the covariance as lists, or None."""
    covariance = fit.covariance
    if covariance is None or isinstance(covariance, np.ndarray):
        return plain(covariance)
    from descend.inference.covariance.arrow import as_content

    return as_content(covariance)


def _combinations(fit: Fitted) -> Content:
    """Return what the data say of redundant parameters together, if any are redundant."""
    combinations = fit.estimates().combinations if fit.undetermined else None
    if combinations is None:
        return {}
    return {"combinations": {name: plain(getattr(combinations, name)) for name in ("directions", "covariance")}}


def loss_text(loss: Loss) -> str:
    """Return a loss with its settings as text, which builds it again."""
    settings = ", ".join(f"{name}={value!r}" for name, value in loss.settings.items())
    return f"{loss.registered}({settings})" if settings else loss.registered
