"""Named curves that bring constants along: what they are of is in the units of these."""

from __future__ import annotations

from sympy import Integer

from descend.formula.curves.writing_out import Written
from descend.formula.tree import Number, walk
from descend.units.fault import in_words
from descend.units.library import is_one, offset_of, ratio, unit_of
from descend.units.reader import Reader
from descend.units.unit import Unit, Unknown

OWN = ("", "1", "x", "y")
"""Units of arguments that are those of the data, or of mere numbers."""
CONVERT_IT = "Convert it, in the data or by a number in the formula, or give the curve its constants in that unit."
KELVIN = "Write `{} + 273.15`."


def with_constants(reader: Reader, curve_written: Written) -> None:
    """Take note that numbers among the arguments of a curve are pure, and that x is in the unit of its constants.

    Of ``arrhenius(T)``, whose gas constant is in J/mol/K, T is in K. Not of a curve whose constants were given.
    """
    if not any(isinstance(node, Number) and node.unit not in OWN for node in walk(curve_written.value)):
        return
    for argument in curve_written.curve.parameters:
        if argument.unit == "1" and argument.name in curve_written.own:
            reader.system.add(Unit({Unknown(curve_written.own[argument.name]): Integer(1)}))
    unit_wanted = None if curve_written.curve.x.unit in OWN else unit_of(curve_written.curve.x.unit)
    amount = reader.visit(curve_written.x)
    if amount is None or unit_wanted is None:
        return
    unit = reader.system.resolved(amount.unit)
    size = ratio(unit / unit_wanted) if unit.known else 1.0
    offset = offset_of(unit)
    if offset is not None or size is None or not (is_one(size) or amount.converts(1.0 / size)):
        celsius = offset is not None and offset[0].name == "degree_Celsius"
        hint = KELVIN.format(reader.text[curve_written.x.start : curve_written.x.end]) if celsius else CONVERT_IT
        sentence = f"is {in_words(unit)}, and `{curve_written.curve.name}` takes it in {unit_wanted}"
        reader.fail(curve_written.x, curve_written.x, sentence, hint)
