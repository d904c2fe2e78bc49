"""The units of a fit: of its columns as they are known, of its parameters and quantities as they follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from descend.descent.commenting import comment, once
from descend.descent.solution import Solution, every_parameter

if TYPE_CHECKING:
    from descend.inference.quantities.estimate import Estimated
    from descend.models import Model
    from descend.units.inference import Known, Units
    from descend.units.stated import Stated
    from descend.units.unit import Unit

Texts = Mapping[str, str | list[str | None]]


def texts_of(model: Model, stated: Stated) -> Texts:
    """Return the units of parameters and columns by name, as text."""
    known = stated.known()
    if not known.keys() & {*model.columns}:
        return {}
    from descend.problem.units import units_of_model

    found = units_of_model(model, stated)
    return {name: str(known[name]) for name in model.columns if name in known} if found is None else found.texts


@once
def _units(solution: Solution) -> Units | None:
    """Return the units of a formula, if anything is said of them."""
    if not solution.stated:
        return None
    from descend.problem.units import units_of_model

    known = solution.stated.known().keys()
    return units_of_model(solution.model, solution.stated) if known & {*solution.model.columns} else None


@comment("the units of the parameters", empty=dict)
def units_of(solution: Solution) -> Texts:
    """Return the unit of each parameter, quantity and column by name, as text: ``mV``, ``1/s``, ``1`` of a number.

    Of a vector whose components differ a list. What is not known is left out.
    """
    if not solution.stated:
        return {}
    found, texts = _units(solution), texts_of(solution.model, solution.stated)
    if found is None:
        return texts
    quantities = {name: _of_quantity(each.text, solution, found) for name, each in _quantities(solution).items()}
    return {**texts, **{name: str(unit) for name, unit in quantities.items() if unit is not None}}


@comment("the units of the formula", empty=tuple)
def unit_notes(solution: Solution) -> tuple[str, ...]:
    """Return sentences on units that do not fit, and on those that only a combination of parameters has."""
    found = _units(solution)
    if found is None:
        return ()
    from descend.problem.units import unlike_errors

    assert solution.stated is not None
    unlike = (said for _, said in unlike_errors(solution.model, solution.sigma, found, solution.stated))
    combined = "the formula does not tell the units of these parameters apart: " + ", ".join(found.open)
    return (*(fault.note for fault in found.faults), *unlike, *([combined] if found.open else ()))


def unit_of_quantity(solution: Solution, text: str) -> str | None:
    """Return the unit of an expression of the parameters; None if it is not known."""
    found = _units(solution)
    unit = None if found is None else _of_quantity(text, solution, found)
    return None if unit is None else str(unit)


def _quantities(solution: Solution) -> Mapping[str, Estimated]:
    from descend.inference.quantities.asked import quantities_of

    return quantities_of(solution)


def _of_quantity(text: str, solution: Solution, units: Units) -> Unit | None:
    from descend.inference.quantities.features import FEATURES
    from descend.parameters.components import with_components
    from descend.units.quantity import unit_of_expression

    shapes = every_parameter(solution.model)
    plain, components = with_components(text, shapes)
    known: dict[str, Known] = dict(units.parameters)
    for name, symbol in components.items():
        label = str(symbol.name)
        owner = label.partition("[")[0]
        place = shapes.labels.index(label) - shapes.slices[owner].start
        of = units.parameters.get(owner)
        known[name] = of[place % len(of)] if isinstance(of, tuple) else of
    response = units.responses[0] if len(units.responses) == 1 else None
    return unit_of_expression(plain, known, units.columns, response, FEATURES)
