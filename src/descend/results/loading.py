"""Reading the model file."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from descend.descent.outcome import Outcome
from descend.descent.step import Trace
from descend.errors import DataError
from descend.formula import read_formula
from descend.losses import LOSSES, Loss
from descend.models import FormulaModel, FunctionModel, Model, bind
from descend.models.module import ModuleModel
from descend.models.module_weights import ModuleParameters
from descend.parameters import Constraints, Parameters, constrained
from descend.results.loaded import LoadedFit
from descend.results.model_file import Content, damaged, part, read_content
from descend.results.weights import load_weights


def load(path: str | os.PathLike[str], model: Callable[..., object] | None = None) -> LoadedFit:
    """Read a model file.

    model: the Python function, or a PyTorch module to load the weights into, for a fit that was made with one; a
        formula is in the file.

    Raises DataError if the file is missing, or is not a model file.
    """
    if not isinstance(path, str | os.PathLike):
        raise DataError(f"A model file is given by its path, as text; this is of type {type(path).__name__}.")
    place = Path(path)
    content = read_content(place)
    if "module" in content:
        module = _module(content, model, place)
        return restored(content, module, module.parameters.present)
    fitted = _model(content, model, place)
    with part(place, "parameters"):
        theta = fitted.parameters.flat(content["parameters"])
        if not np.isfinite(theta).all():
            raise ValueError
    covariance = content.get("covariance")
    if covariance is not None and len(covariance) != theta.size:
        raise damaged(place, "covariance", f"{theta.size} rows belong there")
    return restored(content, fitted, theta)


def _model(content: Content, function: Callable[..., object] | None, place: Path) -> Model:
    shapes = {name: None if labels is None else tuple(labels) for name, labels in content["shapes"].items()}
    columns = tuple(content["columns"])
    loss = _loss(content, place)
    if content["function"] is not None and function is None:
        raise DataError(
            f"`{place}` was fitted with the Python function `{content['function']}`, which is not in the file. "
            "Load it in Python: descend.load(path, model=function)."
        )
    with part(place, "shapes"):
        held = _constraints(content, shapes)
    if content["function"] is None:
        numeric = [name for name, kind in content["columns"].items() if kind in ("number", "boolean")]
        given = None if held is None else held.given
        with part(place, "formula"):
            formula = read_formula(content["formula"], columns, numeric, starts=shapes, given=given)
            model = FormulaModel(formula, loss, held)
        for name in model.parameters.shapes:
            if name not in shapes:
                raise damaged(place, f"shapes.{name}", "it is missing")
        return model
    if content["response"] is None or function is None:
        raise damaged(place, "response", "a text belongs there")
    forward = bind(function, columns)
    free = Parameters(shapes) if held is None else held.free
    forward = forward if held is None else replace(forward, constraints=held)
    return FunctionModel(forward, content["response"], free, loss, constraints=held)


def _loss(content: Content, place: Path) -> Loss:
    with part(place, "loss_function"):
        return LOSSES.build(content["loss_function"])


def _constraints(content: Content, shapes: Mapping[str, tuple[str, ...] | None]) -> Constraints | None:
    """Read what held parameters back; files of fits without it need not say so."""
    return constrained(Parameters(shapes), content.get("fixed"), content.get("ties"), content.get("bounds"))


def _module(content: Content, module: Any, place: Path) -> ModuleModel:
    entry = content["module"]
    if not hasattr(module, "load_state_dict"):
        raise DataError(
            f"`{place}` was fitted with the PyTorch module `{entry['name']}`, of which it holds the weights only. "
            "Make the module and load them into it, in Python: descend.load(path, model=module)."
        )
    load_weights(module, entry, place)
    parameters = ModuleParameters(module)
    parameters.write_down()
    row_shape = None if entry["row_shape"] is None else tuple(entry["row_shape"])
    loss = _loss(content, place)
    return ModuleModel(module, tuple(entry["inputs"]), content["response"], loss, parameters, row_shape)


def restored(
    content: Content,
    model: Model,
    theta: Any,
    trace: Trace | None = None,
) -> LoadedFit:
    """Return the fit that the content of a model file stands for."""
    return LoadedFit(
        content=content,
        model=model,
        theta=theta,
        loss=math.nan if content["loss"] is None else content["loss"],
        rows=content["rows"],
        passes=content.get("passes", 0.0),
        epochs=content["epochs"],
        outcome=Outcome(content["outcome"]),
        gradient=content["gradient"],
        optimizer=content["optimizer"],
        learning_rate=content["learning_rate"],
        engine=content["engine"],
        seconds=content["seconds"],
        penalised=content["penalised"],
        weights=content.get("weights"),
        sigma=content.get("sigma"),
        undetermined=tuple(content.get("undetermined", ())),
        notes=tuple(content["notes"]),
        trace=Trace() if trace is None else trace,
        _asked=content["asked"],
        _advice=content["advice"],
    )
