"""The parameters that a model file names, with the groups of those that have a value for each group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from descend.table.levels import GroupLabels, Levels


def shapes_of(content: Mapping[str, Any]) -> dict[str, tuple[str, ...] | None]:
    """Return the shapes of all parameters that a model file names."""
    groups = content.get("groups", {})
    return {
        name: _labels_per_group(groups[name]) if name in groups else None if labels is None else tuple(labels)
        for name, labels in content["shapes"].items()
    }


def _labels_per_group(entry: Mapping[str, Any]) -> GroupLabels:
    levels = Levels(tuple(entry["columns"]), tuple(map(tuple, entry["keys"])))
    return GroupLabels(levels, tuple(entry["parts"]))
