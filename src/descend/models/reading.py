"""What several kinds of models read: columns that have to be there, and the parameters that a model file names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from descend.differences.calls import Values
from descend.errors import ConfigError
from descend.formula.printers.code import plain_name
from descend.registry import closest
from descend.table import Table
from descend.table.levels import GroupLabels, Levels

Content = Mapping[str, Any]
"""What a model file holds: JSON, by key."""


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


def checked_shape(values_checked: Values, shape: tuple[int, ...]) -> Values:
    """Return an array if it has a shape; raises ConfigError else."""
    if values_checked.shape != shape:
        raise ConfigError(f"It returned shape {values_checked.shape}, not {shape}.")
    return values_checked
