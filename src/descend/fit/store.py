"""The model file: a fit as JSON. No pickle anywhere, and nothing in it is executed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from descend.descent.outcome import Outcome
from descend.errors import DataError, DescendError
from descend.fit.result import Fit
from descend.formula import read_formula
from descend.losses import LOSSES
from descend.models import FormulaModel, FunctionModel, bind
from descend.output import write_atomically
from descend.parameters import Parameters

FORMAT = 1


def save(fit: Fit, path: str | os.PathLike[str]) -> None:
    """Write ``fit`` to ``path``, in one step."""
    model = fit.model
    formula = model.formula.text if isinstance(model, FormulaModel) else None
    content = {
        "descend": version("descend"),
        "format": FORMAT,
        "formula": formula,
        "function": None if formula else model.forward.name,  # type: ignore[union-attr]
        "response": None if formula else model.response,
        "columns": dict(fit.column_types),
        "shapes": {name: None if labels is None else list(labels) for name, labels in model.parameters.shapes.items()},
        "asked": fit.asked,
        "penalised": fit.penalised,
        "covariance": None if fit.covariance is None else fit.covariance.tolist(),
        **fit.summary(),
    }
    content["loss_function"] = _loss_text(fit)
    if formula:
        content["formula"] = formula
    write_atomically(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _loss_text(fit: Fit) -> str:
    settings = ", ".join(f"{name}={value!r}" for name, value in fit.loss_function.settings.items())
    return f"{fit.loss_function.name}({settings})" if settings else fit.loss_function.name


def load(path: str | os.PathLike[str], model: Callable[..., Any] | None = None) -> Fit:
    """Read a model file.

    model: the Python function, for a fit that was made with one; a formula is in the file.

    Raises DataError if the file is missing, or is not a model file.
    """
    place = Path(path)
    try:
        content = json.loads(place.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or "format" not in content or "descend" not in content:
            raise ValueError
    except OSError as error:
        raise DataError(
            f"The model file `{place}` cannot be read: {(error.strerror or str(error)).lower()}. Check its name."
        ) from None
    except (ValueError, UnicodeDecodeError):
        raise DataError(f"`{place}` is not a model file. Give a file that `descend fit --save` wrote.") from None
    if content["format"] != FORMAT:
        raise DataError(
            f"`{place}` was written by descend {content['descend']}, in a format this version cannot read. "
            "Install a newer descend."
        )
    try:
        return _fit(content, model, place)
    except DescendError:
        raise
    except (KeyError, TypeError, ValueError):
        raise DataError(
            f"The model file `{place}` is damaged: something is missing in it. Fit and save it again."
        ) from None


def _fit(content: dict[str, Any], function: Callable[..., Any] | None, place: Path) -> Fit:
    loss = LOSSES.build(content["loss_function"])
    shapes = {name: None if labels is None else tuple(labels) for name, labels in content["shapes"].items()}
    columns = tuple(content["columns"])
    fitted: FormulaModel | FunctionModel
    if content["formula"] and content["function"] is None:
        numeric = [name for name, kind in content["columns"].items() if kind in ("number", "boolean")]
        fitted = FormulaModel(read_formula(content["formula"], columns, numeric, starts=shapes), loss)
    else:
        if function is None:
            raise DataError(
                f"`{place}` was fitted with the Python function `{content['function']}`, which is not in the file. "
                "Load it in Python: descend.load(path, model=function)."
            )
        fitted = FunctionModel(bind(function, columns), content["response"], Parameters(shapes), loss)
    theta = fitted.parameters.flat(content["parameters"])
    if not np.isfinite(theta).all():
        raise ValueError
    return Fit(
        model=fitted,
        theta=theta,
        loss=np.nan if content["loss"] is None else content["loss"],
        rows=content["rows"],
        epochs=content["epochs"],
        outcome=Outcome(content["outcome"]),
        advice=content["advice"],
        gradient=content["gradient"],
        optimizer=content["optimizer"],
        learning_rate=content["learning_rate"],
        engine=content["engine"],
        seconds=content["seconds"],
        asked=content["asked"],
        notes=tuple(content["notes"]),
        penalised=content["penalised"],
        stored=content,
    )
