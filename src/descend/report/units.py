"""The units of a fit as they are shown: beside values, and along axes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from descend.parameters import Parameters

if TYPE_CHECKING:
    from descend.inference.fitted import Fitted

NUMBER = "1"
"""The unit of a pure number, which is shown nowhere but in the JSON."""


class WithUnits(Protocol):
    """A fit, or many, with units by name."""

    @property
    def units(self) -> Mapping[str, object]: ...


def unit_of_name(fit: WithUnits, name: str) -> str:
    """Return the unit of a parameter, quantity or column as it stands beside a value; empty if none is shown."""
    unit = fit.units.get(name)
    return unit if isinstance(unit, str) and unit != NUMBER else ""


def unit_of_label(fit: WithUnits, shapes: Parameters, label: str) -> str:
    """Return the unit of a component, ``w[x2]``, as it stands beside its value; empty if there is none to show."""
    name = label if label in shapes.shapes else label.partition("[")[0]
    unit = fit.units.get(name)
    if isinstance(unit, list):
        component = shapes.labels.index(label) - shapes.slices[name].start
        unit = unit[component % len(unit)]
    return unit if isinstance(unit, str) and unit != NUMBER else ""


def label_with_unit(fit: WithUnits, shapes: Parameters, label: str) -> str:
    """Return the head of a column of values of a component: ``k (1/s)``."""
    unit = unit_of_label(fit, shapes, label)
    return f"{label} ({unit})" if unit else label


def unit_notes(fit: Fitted) -> tuple[str, ...]:
    """Return what there is to say of the units of the formula; those of a loaded fit are among its notes."""
    from descend.inference.units import unit_notes as notes_of

    return () if fit.solution is None else notes_of(fit.solution)


def with_unit(fit: WithUnits, name: str) -> str:
    """Return a column or left side as an axis is labelled: ``t (s)``; a name that says its unit stays as it is."""
    unit = unit_of_name(fit, name)
    if not unit:
        return name
    from descend.table.headers import beside

    return name if beside(name) else f"{name} ({unit})"
