"""What several kinds of models read: columns that have to be there, options, and what a model file names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from descend.differences.calls import Values
from descend.errors import ConfigError
from descend.formula.printers.code import plain_name
from descend.parameters import Constraints, Parameters, constrained
from descend.parameters.constraints import refuse_starts
from descend.registry import closest
from descend.table import Table
from descend.table.levels import GroupLabels, Levels

Content = Mapping[str, Any]
"""What a model file holds: JSON, by key."""


class Options(Protocol):
    """What the user asked for: the options of a fit by key."""

    def __getitem__(self, key: str) -> Any: ...


def known_column(name: str, table: Table, role: str) -> None:
    """Refuse a name that is no column of the table."""
    if name not in table.names:
        columns_listed = ", ".join(plain_name(column) for column in table.names[:12])
        raise ConfigError(
            f"There is no column `{name}` to take as {role}.{closest(name, table.names)} Columns: {columns_listed}."
        )


def shapes_of(content: Content) -> dict[str, tuple[str, ...] | None]:
    """Return the shapes of all parameters that a model file names."""
    groups = {
        name: GroupLabels(Levels(tuple(entry["columns"]), tuple(map(tuple, entry["keys"]))), tuple(entry["parts"]))
        for name, entry in content.get("groups", {}).items()
    }
    return {
        name: groups[name] if name in groups else None if labels is None else tuple(labels)
        for name, labels in content["shapes"].items()
    }


def groups_entry(parameters: Parameters) -> dict[str, object]:
    """Return what a model file holds of those parameters that have a value for each group, by name."""
    return {
        name: {"columns": labels.levels.columns, "keys": labels.levels.keys, "parts": labels.parts}
        for name, labels in parameters.groups.items()
    }


def checked_shape(values_checked: Values, shape: tuple[int, ...]) -> Values:
    """Return an array if it has a shape; raises ConfigError else."""
    if values_checked.shape != shape:
        raise ConfigError(f"It returned shape {values_checked.shape}, not {shape}.")
    return values_checked


def held_back(
    parameters: Parameters,
    table: Table,
    options: Options,
    start: Mapping[str, object],
    references: Mapping[str, float] | None = None,
) -> Constraints | None:
    """Return the constraints that the user put on the parameters, and the references beside them, if any."""
    constraints = constrained(parameters, options["fix"], options["ties"], options["bounds"], table.names, references)
    if constraints is not None:
        refuse_starts(constraints, start)
    return constraints
