"""The unit of an expression of fitted parameters, such as log(2)/b."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from sympy import Integer

from descend.formula import syntax, tree
from descend.units.inference import ParameterUnit
from descend.units.reader import Reader
from descend.units.system import System
from descend.units.unit import Unit, Unknown

ALONG = ("argmax", "argmin", "root")
"""Features of the curve that are a place on it; others are values of the curve, or an area below it."""


def unit_of_expression(
    text: str,
    parameters: Mapping[str, ParameterUnit],
    columns: Mapping[str, Unit],
    response: Unit | None,
    features: Mapping[str, object],
) -> Unit | None:
    """Return the unit of an expression; None where it follows from nothing.

    parameters: the units of the names in it. columns: of the inputs. response: of the curve. features: the names of
    functions that read something off the curve.

    >>> from descend.units.library import unit_of
    >>> print(unit_of_expression("log(2)/b", {"b": unit_of("1/min")}, {}, None, {}))
    min
    """
    system = System()
    calls: dict[str, Callable[[tree.Call], Unit]] = {
        name: partial(_of_feature, name, columns, response) for name in features
    }
    reader = Reader(text, {}, system, calls=calls)
    for name, unit in parameters.items():
        if isinstance(unit, Unit):
            system.solved[Unknown(name)] = unit
    unit_amount = reader.visit(syntax.parse_expression(text))
    if unit_amount is None or reader.faults:
        return None
    unit = system.resolved(unit_amount.unit)
    return unit if unit.known else None


def _of_feature(name: str, columns: Mapping[str, Unit], response: Unit | None, call: tree.Call) -> Unit:
    first = call.arguments[0] if call.arguments else None
    unknown = Unit({Unknown(name, call.start): Integer(1)})
    along = columns.get(first.name, unknown) if isinstance(first, tree.Name) else unknown
    if name in ALONG:
        return along
    curve = unknown if response is None else response
    return curve * along if name == "area" else curve
