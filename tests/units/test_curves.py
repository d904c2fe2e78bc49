"""The units of the parameters of every named curve follow from its formula, and are those that its entry says."""

import pytest

from descend.formula import read_formula
from descend.formula.curves.table import CURVES
from descend.formula.syntax import parse_expression
from descend.formula.tree import names_in
from descend.units.inference import infer
from descend.units.library import is_one, ratio, unit_of
from descend.units.reader import Reader
from descend.units.system import System

CURVES_ONCE = {curve.name: curve for curve in CURVES.values()}
RESPONSES = {"debye": "J/mol/K", "einstein": "J/mol/K", "nernst": "V", "manning": "m/s"}
"""Units of responses that a curve does not leave open, or has one by custom; of others mV will do."""
EMPIRICAL = {
    "spline": "its knots are plain numbers, in the unit of x",
}
"""Curves whose formula holds for numbers in one unit only, and why."""


def said(text, known):
    """Return the unit that an entry says, an expression of x, y and names of units."""
    node = parse_expression(text)
    units = {name.name: known.get(name.name) or unit_of(name.name) for name in names_in(node)}
    columns = {name: unit for name, unit in units.items() if unit is not None}
    return Reader(text, columns, System()).visit(node).unit


@pytest.mark.parametrize("name", sorted(CURVES_ONCE.keys() - EMPIRICAL.keys()))
def test_the_units_of_a_curve_are_those_of_its_entry(name):
    curve = CURVES_ONCE[name]
    x = unit_of("min" if curve.x.unit == "x" else curve.x.unit)
    formula = read_formula(f"y ~ {CURVES[name].short}", ["x", "y"])
    columns = {"x": x, "y": unit_of(RESPONSES.get(name, "mV"))}
    columns["y"] = infer(formula, {"x": x}).columns.get("y", columns["y"])
    found = infer(formula, columns)
    assert [fault.sentence for fault in found.faults] == []
    wrong = {}
    for argument in curve.parameters:
        own = found.parameters[argument.name]
        wanted = said(argument.unit, columns)
        size = None if own is None else ratio(own / wanted)
        if size is None or not is_one(size):
            wrong[argument.name] = (str(own), str(wanted))
    assert wrong == {}


@pytest.mark.parametrize("name", EMPIRICAL)
def test_a_curve_of_mere_numbers_is_a_fault(name):
    formula = read_formula(f"y ~ {CURVES[name].short}", ["x", "y"])
    assert infer(formula, {"x": unit_of("ohm"), "y": unit_of("K")}).faults
