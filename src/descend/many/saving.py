"""The file of many fits: their model once, and what came of each group. JSON, or Parquet for very many."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from descend.descent.outcome import Outcome
from descend.many.correlations import names_of
from descend.many.outcomes import REFUSED
from descend.many.result_columns import apart, table_of
from descend.output import write_atomically
from descend.report.fields import plain
from descend.results.model_file import FORMAT, Content
from descend.results.saving import content_of, groups_of, loss_text
from descend.table.writing import PARQUET, refuse_unknown_ending, write_columns

if TYPE_CHECKING:
    from descend.many.fitted import FittedGroups

FEW = 300
"""Up to so many groups, a file in JSON holds of each all that a model file does."""
FROM_ARRAYS = ("parameters", "standard_errors", "loss", "r_squared", "quantities", "rows", "outcome")
"""What the arrays of many fits hold of each group, to the last digit."""
KEY = "descend"
"""The name under which Parquet keeps the model."""


def save(fits: FittedGroups, path: str | os.PathLike[str]) -> None:
    """Write many fits (see ``Fits.save``)."""
    ending = refuse_unknown_ending(path).suffix.lower()
    if ending == ".json":
        write_atomically(path, "".join(_text(fits)))
        return
    if ending != PARQUET:
        write_columns(path, table_of(fits))
        return
    table, correlations = table_of(fits), fits.correlations().T
    table |= {apart(name, table): values for name, values in fits.inference().items()}
    pairs = names_of(fits.model.parameters.labels) if len(correlations) else []
    table |= dict(zip(pairs, correlations, strict=True))
    write_columns(path, table, {KEY: json.dumps(head(fits), ensure_ascii=False)})


def head(fits: FittedGroups) -> Content:
    """Return what all groups share: the model, its columns, and how it was fitted."""
    model, constraints, call, quantities = fits.model, fits.model.constraints, fits.call, fits.quantities
    bounds = model.bounds
    shapes = model.every_parameter.shapes
    return {
        "descend": version("descend"),
        "format": FORMAT,
        "by": {name: fits.column_types[name] for name in fits.by},
        **({"formula": None, "function": None, "response": None} | model.entry()),
        "columns": {name: fits.column_types[name] for name in model.columns},
        "shapes": {name: None if labels is None else list(labels) for name, labels in shapes.items()},
        "levels": groups_of(model.every_parameter).get("groups", {}),
        "fixed": {} if constraints is None else plain(constraints.fixed_by_user),
        "references": {} if constraints is None else constraints.reference_values,
        "ties": {} if constraints is None else dict(constraints.tie_texts),
        "bounds": [] if bounds is None else list(bounds.free_texts),
        "loss_function": loss_text(model.loss),
        "weights": fits.weights,
        "sigma": fits.sigma,
        "asked": call.get("epochs") is not None,
        "penalised": bool(call.get("l1") or call.get("l2")),
        **(
            {"quantities": {name: {"expression": each.text} for name, each in quantities.items()}} if quantities else {}
        ),
        **({"units": plain(fits.units)} if fits.units else {}),
        "seconds": fits.seconds,
        "ungrouped": fits.ungrouped,
        "gradient": "derived" if model.symbolic is not None else "numeric",
        "optimizer": "levenberg_marquardt",
        "engine": "batch",
    }


def _text(fits: FittedGroups) -> Iterator[str]:
    """Yield the file in pieces: the head, and a line for each group."""
    shared = head(fits)
    shared_json = json.dumps(shared, indent=2, ensure_ascii=False, allow_nan=False)
    yield shared_json.removesuffix("\n}") + ',\n  "groups": ['
    separator = "\n"
    for record in _records(fits, shared):
        yield f"{separator}    {json.dumps(record, ensure_ascii=False, allow_nan=False)}"
        separator = ",\n"
    yield "\n  ]\n}\n"


def _records(fits: FittedGroups, shared: Mapping[str, object]) -> Iterator[Content]:
    few = len(fits) <= FEW
    more, correlations = ({}, np.empty(0)) if few else (fits.inference(), fits.correlations())
    for group, (key, light) in enumerate(zip(fits.keys, fits.records(), strict=True)):
        record: Content = {"group": list(key), "rows": light["rows"], "outcome": light["outcome"]}
        if light["outcome"] != REFUSED:
            content = content_of(fits[key]) if few else {name: plain(values[group]) for name, values in more.items()}
            content |= {name: light[name] for name in FROM_ARRAYS if name in light}
            if correlations.size and np.isfinite(correlations[group]).all():
                content["correlations"] = correlations[group].tolist()
            record |= {
                name: value
                for name, value in content.items()
                if name != "cause" and not (name in shared and shared[name] == value)
            }
        yield record | ({"reason": fits.cause(group)} if light["cause"] else {})


def content_of_group(shared: Content, record: Content) -> Content:
    """Return the content of the model file of one group, from that of the file of many."""
    outcome = Outcome(record["outcome"])
    defaults: Content = {
        "epochs": 0,
        "learning_rate": None,
        "notes": [],
        "advice": record.get("reason") or outcome.advice(),
    }
    return defaults | shared | record
