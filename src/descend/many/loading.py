"""Reading the file of many fits: JSON, or Parquet that keeps the model beside its table."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from descend.descent.outcome import Outcome
from descend.errors import DataError
from descend.many.correlations import are_kept, correlated, covariance_of, names_of
from descend.many.fits import Fits
from descend.many.fitted import INFERENCE
from descend.many.groups import Groups
from descend.many.outcomes import LONGEST_WORD, REFUSED, Outcomes
from descend.many.quantified import Quantified, columns_of
from descend.many.result_columns import STATISTICS, apart
from descend.many.saving import KEY, content_of_group
from descend.models import Model
from descend.results import Fit
from descend.results.loading import kind_saved, model_saved, restored
from descend.results.loading import load as load_one
from descend.results.model_file import (
    COUNT,
    FORMAT,
    QUANTITIES,
    REQUIRED,
    VALUES,
    Check,
    Content,
    damaged,
    how_saved,
    named,
    one_of,
)
from descend.table import Table, open_table
from descend.table.levels import Label
from descend.table.writing import texts_beside

Array = NDArray[np.float64]
MAGIC = b"PAR1"
BEGINNING = 4096
"""Bytes in which a file of many fits in JSON names the columns of its groups."""
HEAD: Mapping[str, Check] = {
    "by": named(one_of("the kind of a column", "number", "text", "boolean", "time", "other")),
    **{name: REQUIRED[name] for name in ("columns", "shapes", "loss_function", "seconds", "gradient", "asked")},
    "ungrouped": COUNT,
}
GROUP: Mapping[str, Check] = {"rows": COUNT, "outcome": one_of("how a group ends", REFUSED, *map(str, Outcome))}


@dataclass(frozen=True)
class Saved:
    """A file of many fits: what all groups share, what came of each, and what more a file has on few of them."""

    model: Model
    groups: Groups
    head: Content
    outcomes: Outcomes
    records: Sequence[Content] = ()

    @property
    def call(self) -> Mapping[str, object]:
        """Nothing: the file does not say how to repeat the fits."""
        return {}

    @property
    def weights(self) -> str | None:
        """The column of row weights, if there is one."""
        return self.head.get("weights")

    @property
    def sigma(self) -> str | None:
        """The column of known standard deviations of the response, if there is one."""
        return self.head.get("sigma")

    @property
    def column_types(self) -> Mapping[str, str]:
        """The kind of each column that the model reads, or that tells groups apart."""
        types: dict[str, str] = {**self.head["columns"], **self.head["by"]}
        return types

    @property
    def unreadable(self) -> Mapping[int, str]:
        """None: the number of rows in the file is 0 there already."""
        return {}

    @property
    def quantities(self) -> Mapping[str, str]:
        """The quantities of each group, by name, as texts."""
        return {name: each["expression"] for name, each in (self.head.get("quantities") or {}).items()}

    @property
    def units(self) -> Mapping[str, object]:
        """The units of parameters and columns by name, where they are known."""
        return self.head.get("units") or {}

    def alone(self, group: int, start: Mapping[str, object] | None = None) -> Fit:
        """Return the fit of one group, as from a model file."""
        outcomes, parameters = self.outcomes, self.model.parameters
        record = {
            "rows": int(self.groups.sizes[group]),
            "loss": float(outcomes.loss[group]),
            "r_squared": float(outcomes.r_squared[group]) if np.isfinite(outcomes.r_squared[group]) else None,
            "outcome": str(outcomes.outcome[group]),
            "reason": outcomes.cause.get(group),
            "standard_errors": parameters.named(outcomes.errors[group]),
            "quantities": {name: each.of(group, name).plain() for name, each in outcomes.quantities.items()},
            **self._inference(group),
        }
        more = self.records[group] if self.records else {}
        return restored(content_of_group(self.head, record | more), self.model, outcomes.parameters[group])

    def _inference(self, group: int) -> Content:
        """Return covariance, degrees of freedom, dispersion and criteria of a group, as far as they are known."""
        outcomes = self.outcomes
        degrees, dispersion = float(outcomes.degrees[group]), float(outcomes.dispersion[group])
        inferred: Content = {} if math.isnan(degrees) else {"degrees_of_freedom": degrees}
        if not math.isnan(dispersion):
            inferred |= {"dispersion": dispersion}
            inferred |= {"residual_standard_deviation": math.sqrt(dispersion)} if self.model.loss.quadratic else {}
        inferred |= {
            name: float(value)
            for name, value in zip(INFERENCE[2:], outcomes.criteria[group], strict=True)
            if not math.isnan(value)
        }
        if outcomes.correlations is not None:
            covariance = covariance_of(outcomes.errors[group], outcomes.correlations[group])
            inferred |= {} if covariance is None else {"covariance": covariance.tolist()}
        return inferred

    def rows_of(self, group: int) -> None:
        """Return None: the rows are not in the file."""


def load(path: str | os.PathLike[str], model: Callable[..., object] | None = None) -> Fit | Fits:
    """Read a file that ``Fit.save`` or ``Fits.save`` wrote, and return a `Fit`, or the `Fits` of all groups.

    model: the Python function, or the PyTorch module that takes the weights, if the fit was made with one; a formula is
    in the file.

    Raises DataError if the file is missing or is not a model file.
    """
    many = load_fits(path, model)
    return load_one(path, model) if many is None else many


def many_in_file(path: str, fits: Fits) -> str:
    """Say that a file holds many fits where one is needed, and how to make a file of one."""
    key = ", ".join(map(repr, fits.keys[0]))
    return (
        f"`{path}` holds the fits of {len(fits):,} groups. Save that of one group, in Python: "
        f'descend.load("{path}")[{key}].save("one.json").'
    )


def load_fits(path: object, model: object = None) -> Fits | None:
    """Read a file of many fits; None if it is another kind of file.

    model: the Python function, if the fits were made with one. Raises DataError if the file is damaged.
    """
    if not isinstance(path, str | os.PathLike):
        return None
    fits_path = Path(path)
    try:
        with fits_path.open("rb") as file:
            beginning = file.read(BEGINNING)
    except OSError:
        return None  # which loading a model file then tells
    if beginning.startswith(MAGIC):
        return _of_parquet(fits_path, model)
    if b'"by"' not in beginning:
        return None
    try:
        content = json.loads(fits_path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise DataError(f"`{fits_path}` is not a model file. {how_saved()}.") from None
    if not isinstance(content, dict) or "by" not in content:
        return None
    records = content.pop("groups", None)
    _check(content, HEAD, fits_path)
    if not isinstance(records, list):
        raise damaged(fits_path, "groups", "a list belongs there")
    return _restored(content, records, model, fits_path)


def _check(content: Content, checks: Mapping[str, Check], fits_path: Path, within: str = "") -> None:
    if not within and content.get("format") != FORMAT:
        raise DataError(
            f"`{fits_path}` was written by descend {content.get('descend')}, in a format this version cannot read. "
            "Install a newer descend."
        )
    for name, check in {**checks, **{name: QUANTITIES for name in ("quantities",) if name in content}}.items():
        if name not in content:
            raise damaged(fits_path, within + name, "it is missing")
        if wrong := check(content[name]):
            key_part, _, belongs = wrong.partition(" ")
            raise damaged(fits_path, within + name + key_part, f"{belongs} belongs there")


def _model(head: Content, model_given: object, fits_path: Path) -> Model:
    """Return the model that all groups share; its levels go by another name here, where groups are the fits."""
    content = {**head, "groups": head.get("levels", {})}
    return model_saved(content, kind_saved(content, model_given, fits_path), model_given, fits_path)


def _restored(head: Content, records: list[object], model_given: object, fits_path: Path) -> Fits:
    model = _model(head, model_given, fits_path)
    outcomes, size = Outcomes.none(len(records), model.parameters.size), model.parameters.size
    outcomes.correlations = np.full((len(records), size * (size - 1) // 2), np.nan)
    keys: list[tuple[Label, ...]] = []
    records_saved: list[Content] = []
    for group, record in enumerate(records):
        within = f"groups[{group}]."
        key = record.get("group") if isinstance(record, dict) else None
        if not isinstance(record, dict) or not isinstance(key, list) or len(key) != len(head["by"]):
            raise damaged(fits_path, f"{within}group", f"{len(head['by'])} values belong there")
        keys.append(tuple(key))
        _check(record, GROUP, fits_path, within)
        records_saved.append(record)
        _keep(record, group, outcomes, model, fits_path)
    ends = np.cumsum([0, *(int(record["rows"]) for record in records_saved)])
    groups = Groups(tuple(head["by"]), keys, np.empty(0, dtype=np.intp), ends, int(head["ungrouped"]))
    return Fits(Saved(model, groups, head, outcomes, records_saved), outcomes, float(head["seconds"]))


def _keep(record: Content, group: int, outcomes: Outcomes, model: Model, fits_path: Path) -> None:
    """Put one record into the arrays."""
    outcomes.outcome[group] = record["outcome"]
    if record.get("reason"):
        outcomes.cause[group] = str(record["reason"])
    if record["outcome"] == REFUSED:
        return
    within = f"groups[{group}]."
    for name, each in (record.get("quantities") or {}).items():
        numbers = (each.get("value"), each.get("standard_error"), *(each.get("interval") or (None, None)))
        outcomes.quantity(name, str(each["expression"])).put(group, numbers, str(each.get("why") or ""))
    if wrong := named(VALUES)(record.get("parameters")):
        raise damaged(fits_path, f"{within}parameters{wrong.partition(' ')[0]}", "numbers belong there")
    outcomes.parameters[group] = _flat(record["parameters"], model, f"{within}parameters", fits_path)
    if record.get("standard_errors"):
        outcomes.errors[group] = _flat(record["standard_errors"], model, f"{within}standard_errors", fits_path)
    arrays = {"loss": outcomes.loss, "r_squared": outcomes.r_squared}
    arrays |= dict(zip(INFERENCE, (outcomes.degrees, outcomes.dispersion, *outcomes.criteria.T), strict=True))
    assert outcomes.correlations is not None
    correlations, covariance = record.get("correlations"), record.get("covariance")
    if correlations is None and isinstance(covariance, list):
        matrix = np.array(covariance, dtype=np.float64)
        correlations = correlated(matrix)[np.triu_indices(len(matrix), 1)]
    if correlations is not None and len(correlations) == outcomes.correlations.shape[1]:
        outcomes.correlations[group] = correlations
    for name, values in arrays.items():
        value = record.get(name)
        values[group] = np.nan if value is None else value
    if model.loss.quadratic and (deviation := record.get("residual_standard_deviation")) is not None:
        outcomes.dispersion[group] = deviation**2


def _flat(values_saved: Mapping[str, object], model: Model, where: str, fits_path: Path) -> Array:
    parameters, constraints = model.parameters, model.constraints
    values = values_saved if constraints is None else constraints.reduced(values_saved)
    for name, labels in parameters.shapes.items():
        if name not in values:
            raise damaged(fits_path, f"{where}.{name}", "it is missing")
        value = values[name]
        if labels is not None and value is not None and np.shape(np.asarray(value)) != (len(labels),):
            raise damaged(fits_path, f"{where}.{name}", f"{len(labels)} numbers belong there")
    sizes = {name: 1 if labels is None else len(labels) for name, labels in parameters.shapes.items()}
    value_parts = [np.broadcast_to(np.array(values[name], dtype=np.float64), (size,)) for name, size in sizes.items()]
    return np.concatenate(value_parts)


def _of_parquet(fits_path: Path, model_given: object) -> Fits:
    """Read a table in Parquet that keeps the model beside it."""
    entries = texts_beside(fits_path)
    if KEY not in entries:
        raise DataError(f"`{fits_path}` is a table without a model. {how_saved()}: .json, or .parquet of many fits.")
    head: Content = json.loads(entries[KEY])
    _check(head, HEAD, fits_path)
    model = _model(head, model_given, fits_path)
    table, by = open_table(fits_path), tuple(head["by"])
    labels, free = model.every_parameter.labels, model.parameters
    quantities = columns_of({name: Quantified.none("", 0) for name in head.get("quantities") or {}})
    in_use = {*by, *labels, *(f"{label} std. error" for label in labels), *quantities}
    own_names = {name: apart(name, in_use) for name in (*(each.name for each in STATISTICS), *INFERENCE)}
    numbers = table.with_gaps([*labels, *(f"{label} std. error" for label in labels), *list(own_names.values())[:3]])
    outcomes = Outcomes.none(table.rows, free.size)
    for component, label in enumerate(free.labels):
        outcomes.parameters[:, component] = numbers[label]
        outcomes.errors[:, component] = numbers[f"{label} std. error"]
    _read_quantities(table, head, outcomes)
    saved = [own_names[name] for name in INFERENCE if own_names[name] in table.names]  # files of old lack some
    inference = table.with_gaps(saved)
    unknown = np.full(table.rows, np.nan)
    outcomes.degrees, outcomes.dispersion, *criteria = (inference.get(own_names[name], unknown) for name in INFERENCE)
    outcomes.criteria = np.column_stack(criteria)
    pairs = names_of(free.labels) if are_kept(free.size, table.rows) else []
    if saved and set(pairs) <= set(table.names):  # of one parameter there are none to read
        each = table.with_gaps(pairs)
        outcomes.correlations = np.column_stack([each[name] for name in pairs] or [np.empty((table.rows, 0))])
    outcomes.loss[:], outcomes.r_squared[:] = numbers[own_names["loss"]], numbers[own_names["r_squared"]]
    outcomes.outcome[:] = table.text(own_names["outcome"]).astype(LONGEST_WORD)
    causes = table.text(own_names["cause"]).tolist()
    outcomes.cause |= {group: str(cause) for group, cause in enumerate(causes) if cause}
    keys = list(zip(*(_labels(table, name, head["by"][name]) for name in by), strict=True))
    ends = np.concatenate([[0], np.cumsum(numbers[own_names["rows"]])]).astype(np.intp)
    groups = Groups(by, keys, np.empty(0, dtype=np.intp), ends, int(head["ungrouped"]))
    return Fits(Saved(model, groups, head, outcomes), outcomes, float(head["seconds"]))


def _read_quantities(table: Table, head: Content, outcomes: Outcomes) -> None:
    """Read the columns of quantities; files of old lack the ends of their intervals."""
    for name, each in (head.get("quantities") or {}).items():
        quantity_saved = outcomes.quantity(name, each["expression"])
        numbers = table.with_gaps((name, f"{name} std. error"))
        quantity_saved.value[:], quantity_saved.standard_error[:] = numbers[name], numbers[f"{name} std. error"]
        if f"{name} low" in table.names:
            ends = table.with_gaps((f"{name} low", f"{name} high"))
            quantity_saved.low[:], quantity_saved.high[:] = ends[f"{name} low"], ends[f"{name} high"]
        if f"{name} why" in table.names:
            reasons = enumerate(table.text(f"{name} why").tolist())
            quantity_saved.why |= {group: str(why) for group, why in reasons if why}


def _labels(table: Table, name: str, kind: str) -> list[Label]:
    """Return the values of a column that tells groups apart, as they were."""
    if kind not in ("number", "boolean"):
        return list(map(str, table.text(name).tolist()))
    cells = table.with_gaps((name,))[name]
    if kind == "boolean":
        return [bool(cell) for cell in cells.tolist()]
    integers = bool((cells == np.floor(cells)).all())
    return list(map(int, cells.tolist())) if integers else cells.tolist()
