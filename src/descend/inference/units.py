"""The units of a fit: of its columns as they are known, of its parameters and quantities as they follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from descend.descent.comments_on_solution import comment
from descend.descent.solution import Solution

if TYPE_CHECKING:
    from descend.models import Model
    from descend.units.inference import ParameterUnit, Units
    from descend.units.stated import Stated
    from descend.units.unit import Unit

Texts = Mapping[str, str | list[str | None]]


def texts_of(model: Model, stated: Stated, quantities: Mapping[str, str]) -> Texts:
    """Return the units of parameters, columns and quantities by name, as text. quantities: their expressions, by name.

    Of a vector whose components differ a list. What is not known is left out.
    """
    units_of_model = _of_model(model, stated)
    if units_of_model is None:
        stated_units = stated.known()
        return {name: str(stated_units[name]) for name in model.columns if name in stated_units}
    of_quantities = {name: _of_quantity(text, model, units_of_model) for name, text in quantities.items()}
    return {**units_of_model.texts, **{name: str(unit) for name, unit in of_quantities.items() if unit is not None}}


def notes_of(model: Model, stated: Stated, sigma: str | None) -> tuple[str, ...]:
    """Return sentences on units that do not fit, and on those that only a combination of parameters has."""
    units_of_model = _of_model(model, stated)
    if units_of_model is None:
        return ()
    from descend.problem.units import unlike_errors

    unlike = (unit_sentence for _, unit_sentence in unlike_errors(model, sigma, units_of_model, stated))
    combined = "the formula does not tell the units of these parameters apart: " + ", ".join(units_of_model.open)
    return (*(fault.note for fault in units_of_model.faults), *unlike, *([combined] if units_of_model.open else ()))


def _of_model(model: Model, stated: Stated) -> Units | None:
    """Return the units of a formula, if anything is said of those of its columns."""
    if not stated.known().keys() & {*model.columns}:
        return None
    from descend.problem.units import units_of_model

    return units_of_model(model, stated)


@comment("the units of the parameters", empty=dict)
def units_of(solution: Solution) -> Texts:
    """Return the unit of each parameter, quantity and column by name, as text: ``mV``, ``1/s``, ``1`` of a number.

    Of a vector whose components differ a list. What is not known is left out.
    """
    if not solution.stated:
        return {}
    from descend.inference.quantities.quantities_asked import quantities_of

    quantities = {name: each.text for name, each in quantities_of(solution).items()}
    return texts_of(solution.model, solution.stated, quantities)


@comment("the units of the formula", empty=tuple)
def unit_notes(solution: Solution) -> tuple[str, ...]:
    """Return what there is to say of the units of a formula (see `notes_of`)."""
    return notes_of(solution.model, solution.stated, solution.sigma) if solution.stated else ()


def _of_quantity(text: str, model: Model, units: Units) -> Unit | None:
    from descend.inference.quantities.features import FEATURES
    from descend.parameters.components import with_components
    from descend.units.quantity import unit_of_expression

    shapes = model.every_parameter
    plain, components = with_components(text, shapes)
    units_known: dict[str, ParameterUnit] = dict(units.parameters)
    for name, symbol in components.items():
        label = str(symbol.name)
        owner = label.partition("[")[0]
        component = shapes.labels.index(label) - shapes.slices[owner].start
        of = units.parameters.get(owner)
        units_known[name] = of[component % len(of)] if isinstance(of, tuple) else of
    response = units.responses[0] if len(units.responses) == 1 else None
    return unit_of_expression(plain, units_known, units.columns, response, FEATURES)
