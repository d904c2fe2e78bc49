"""Reading the model file."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from descend.descent.outcome import Outcome
from descend.descent.step import Trace
from descend.errors import DataError
from descend.losses import LOSSES, Loss
from descend.models import Model, kind_of, kinds
from descend.models.module import ModuleModel
from descend.models.reading import shapes_of
from descend.parameters import Parameters, constrained
from descend.registry import closest
from descend.results.loaded import LoadedFit
from descend.results.model_file import Content, damaged, part, read_content
from descend.results.weights import load_weights
from descend.wording import worded

if TYPE_CHECKING:
    from torch.nn import Module


def load(path: str | os.PathLike[str], model: Callable[..., object] | None = None) -> LoadedFit:
    """Read a model file.

    model: the Python function, or the PyTorch module that takes the weights, if the fit was made with one; a formula is
    in the file.

    Raises DataError if the file is missing or is not a model file.
    """
    if not isinstance(path, str | os.PathLike):
        raise DataError(f"A model file is given by its path, as text; this is of type {type(path).__name__}.")
    model_path = Path(path)
    content = read_content(model_path)
    kind = kind_saved(content, model, model_path)
    if kind.in_place:
        load_weights(cast("Module", model), content["module"], model_path)
        module = cast(ModuleModel, kind.restored(content, model, _loss_of_module(content, model_path), None))
        return restored(content, module, module.parameters.present)
    fitted = model_saved(content, kind, model, model_path)
    with part(model_path, "parameters"):
        values, constraints = content["parameters"], fitted.constraints
        theta = fitted.parameters.flat(values if constraints is None else constraints.reduced(values))
        if not np.isfinite(theta).all():
            raise ValueError
    covariance = content.get("covariance")
    size = len(covariance) if isinstance(covariance, list) else theta.size
    if isinstance(covariance, dict):
        from descend.inference.covariance.arrow import restored as restored_arrow

        with part(model_path, "covariance"):
            size = len(restored_arrow(covariance))
    if size != theta.size:
        raise damaged(model_path, "covariance", f"{theta.size} rows belong there")
    for name, rows in content.get("combinations", {}).items():
        if {len(row) for row in rows} != {theta.size} or (name == "covariance" and len(rows) != theta.size):
            raise damaged(model_path, f"combinations.{name}", f"{theta.size} numbers a row belong there")
    return restored(content, fitted, theta)


def kind_saved(content: Content, model_given: object, model_path: Path) -> type[Model]:
    """Return the class of the saved model; the file may hold a mere description in place of a formula.

    Raises DataError if the file does not hold all of the model, and ``model_given`` is not the rest.
    """
    kinds_saved = [kind for kind in kinds() if kind.saved_as is not None and content.get(kind.saved_as) is not None]
    kind = min(kinds_saved, key=lambda kind: kind.saved_as == "formula", default=kind_of(""))
    written = content.get("formula")
    if kind.saved_as == "formula" and isinstance(written, str) and "~" not in written:  # what describes another kind
        raise _from_outside(model_path, "a kind of model that")
    needed = kind.needed(content)
    if needed is not None and not kind.takes(model_given):
        raise DataError(f"`{model_path}` was fitted with {needed}")
    if needed is not None:
        other_kind = kind.unlike(str(content["function"]), list(content["shapes"]), model_given)
        if other_kind is not None:
            raise DataError(f"`{model_path}` was fitted with {other_kind}")
    return kind


def model_saved(content: Content, kind: type[Model], model_given: object, model_path: Path) -> Model:
    """Return the model that a file describes. Raises DataError where the file is damaged."""
    with part(model_path, "shapes"):  # a file need not say that no parameter was fixed, tied or bounded
        shapes = shapes_of(content)
        references = content.get("references") or {}
        fixed = {name: value for name, value in (content.get("fixed") or {}).items() if name not in references}
        constraints = constrained(Parameters(shapes), fixed, content.get("ties"), content.get("bounds"), (), references)
    loss = _loss(content, model_path)
    if kind.saved_as != "formula" and content["response"] is None:
        raise damaged(model_path, "response", "a text belongs there")
    with part(model_path, str(kind.saved_as)):
        if content.get("per_class") is not None:
            from descend.models.per_class import PerClassModel

            return PerClassModel.of_content(content, kind, model_given, loss)
        model = kind.restored(content, model_given, loss, constraints)
    for name in model.parameters.shapes:
        if name not in shapes:
            raise damaged(model_path, f"shapes.{name}", "it is missing")
    return model


def _from_outside(model_path: Path, part_of_fit: str) -> DataError:
    remedy = worded("registering", "Import the module that registers it, and load the file again")
    return DataError(f"`{model_path}` was fitted with {part_of_fit} is none of descend's own. {remedy}.")


def _loss(content: Content, model_path: Path) -> Loss:
    name = str(content["loss_function"]).partition("(")[0]
    if name.isidentifier() and name not in {*LOSSES, *LOSSES.around} and not closest(name, LOSSES):
        raise _from_outside(model_path, f"the loss `{name}`, which")
    with part(model_path, "loss_function"):
        return LOSSES.build(content["loss_function"])


def _loss_of_module(content: Content, model_path: Path) -> Loss:
    from descend.losses.of_modules import OF_MODULES, written_loss

    text = str(content["loss_function"])
    if text.partition("(")[0] not in OF_MODULES:
        return _loss(content, model_path)
    with part(model_path, "loss_function"):
        return written_loss(text)


def restored(
    content: Content,
    model: Model,
    theta: object,
    trace: Trace | None = None,
) -> LoadedFit:
    """Return the fit whose model file has this content."""
    return LoadedFit(
        _content=content,
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
        _epochs_given=content["asked"],
    )
