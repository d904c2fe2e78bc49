"""Values given for some components of a parameter: by label, ``a[A]``, or by group, ``{"a": {"A": 1.0}}``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from descend.errors import ConfigError
from descend.parameters.components import parts_of
from descend.parameters.vector import Parameters
from descend.registry import closest
from descend.table.levels import GroupLabels, said

NAMED = 8
"""Groups that a message names, at most."""


def component(text: str, parameters: Parameters) -> str:
    """Return the name of the parameter or the label of the component that a text means.

    A label is written as tables show it, ``a[A]`` or ``a[A, 3]``, the name of a group in double quotes or without.
    A text that means none is returned as it is. Raises ConfigError for a group that the parameter has not.

    >>> from descend.table.levels import Levels
    >>> parameters = Parameters({"a": GroupLabels(Levels(("site", "day"), (("A", 3), ("B", 1)))), "k": None})
    >>> component('a["A",3]', parameters), component("k", parameters)
    ('a[A, 3]', 'k')
    """
    if text in parameters.shapes or text in parameters.labels:
        return text
    name, bracket, inside = text.partition("[")
    name = name.strip().strip("`")
    labels = parameters.shapes.get(name)
    if not (bracket and labels is not None and inside.rstrip().endswith("]")):
        return text
    inside = inside.rstrip().removesuffix("]").strip()
    label = inside if inside in labels else {parts_of(one): one for one in labels}.get(parts_of(inside))
    if label is not None:
        return f"{name}[{label}]"
    if name in parameters.groups:
        raise no_group(name, inside, parameters.groups[name])
    return text


def no_group(name: str, text: str, labels: GroupLabels) -> ConfigError:
    """Return the error for a group that a parameter has not."""
    some = ", ".join(f"`{name}[{label}]`" for label in labels[:NAMED])
    more = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
    return ConfigError(
        f"`{name}` has no group `{text}`.{closest(text, labels)} It has {some}{more}. A group is written as here; "
        'if its name holds brackets or commas, in double quotes: a["x, y"].'
    )


def spelled_out(values: Mapping[str, object], parameters: Parameters) -> dict[str, object]:
    """Return values by parameter or by label of a component, where some may be given by group.

    >>> from descend.table.levels import Levels
    >>> parameters = Parameters({"a": GroupLabels(Levels(("site",), (("A",), ("B",)))), "k": None})
    >>> spelled_out({"a": {"A": 1.0, "B": 2.0}, "k": 3.0}, parameters)
    {'a[A]': 1.0, 'a[B]': 2.0, 'k': 3.0}
    """
    values_by_label: dict[str, object] = {}
    for text, value in values.items():
        name = component(text, parameters)
        if not isinstance(value, Mapping):
            values_by_label[name] = value
        elif name in parameters.groups:
            values_by_label |= _of_groups(name, value, parameters.groups[name])
        else:
            values_by_label |= {component(f"{name}[{label}]", parameters): one for label, one in value.items()}
    return values_by_label


def _of_groups(name: str, values: Mapping[object, object], labels: GroupLabels) -> dict[str, object]:
    """Return the values of groups by label of each component; keys are those of ``fit.parameters``, or labels."""
    keys = dict(zip(labels.keys, labels.levels.labels, strict=True))
    values_by_label: dict[str, object] = {}
    for key, value in values.items():
        label = keys.get(key) if isinstance(key, str | int | float | tuple) else None
        label = label or next((group_label for group_label in labels.levels.labels if group_label == str(key)), None)
        if label is None:
            raise no_group(name, said(key) if isinstance(key, tuple) else str(key), labels)
        parts = [f"{name}[{label}, {label_part}]" for label_part in labels.parts] or [f"{name}[{label}]"]
        values_listed = [*value] if isinstance(value, list | np.ndarray) else []
        each: list[object] = values_listed if len(values_listed) == len(parts) > 1 else [value] * len(parts)
        values_by_label |= zip(parts, each, strict=True)
    return values_by_label


def by_parameter(values: Mapping[str, object], parameters: Parameters) -> dict[str, object]:
    """Return starting values by parameter, where some are given by component.

    Groups that are given none start at the mean of the others. Raises ConfigError for a vector of which a component is
    given none.
    """
    values_by_parameter: dict[str, object] = {}
    some: dict[str, dict[str, object]] = {}
    for label, value in spelled_out(values, parameters).items():
        name = label.partition("[")[0]
        if label in parameters.shapes or label not in parameters.labels:
            values_by_parameter[label] = value
        else:
            some.setdefault(name, {})[label] = Parameters({label: None}).checked(label, value)
    for name, value_given in some.items():
        if name in values_by_parameter:
            raise ConfigError(
                f"`{next(iter(value_given))}` is started by itself and with all of `{name}`. Leave out one."
            )
        labels = parameters.labels[parameters.slices[name]]
        missing = [label for label in labels if label not in value_given]
        if missing and name not in parameters.groups:
            raise ConfigError(
                f"`{name}` is given a start for some components, but not for `{missing[0]}`. Give it one."
            )
        mean = float(np.mean([float(value) for value in value_given.values()]))  # type: ignore[arg-type]
        values_by_parameter[name] = np.array([value_given.get(label, mean) for label in labels], dtype=np.float64)
    return values_by_parameter
