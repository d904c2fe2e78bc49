"""The functions a formula may call: one entry each, with everything that other modules need to know of it.

SymPy's own function class is used where its derivative is right for real numbers.
"""

from descend.formula.functions import (
    bessel_functions,
    elementary,
    error_functions,
    gamma_functions,
    shorthands,
    solid_functions,
    steps,
)
from descend.formula.functions.constants import CONSTANTS
from descend.formula.functions.entry import POSITIVE, REAL, Bend, Function, Interval
from descend.formula.functions.evaluation import constant_call, imports, special
from descend.formula.functions.table import (
    ALIASES,
    DERIVED_ONLY,
    FUNCTIONS,
    NAMES,
    entry_of,
    function_named,
    register,
    reserved,
)

register(
    *elementary.ENTRIES,
    *steps.ENTRIES,
    *error_functions.ENTRIES,
    *gamma_functions.ENTRIES,
    *bessel_functions.ENTRIES,
    *solid_functions.ENTRIES,
    *shorthands.ENTRIES,
)
register(
    *elementary.DERIVED,
    *error_functions.DERIVED,
    *gamma_functions.DERIVED,
    *bessel_functions.DERIVED,
    *solid_functions.DERIVED,
    table=DERIVED_ONLY,
)

__all__ = [
    "ALIASES",
    "CONSTANTS",
    "DERIVED_ONLY",
    "FUNCTIONS",
    "NAMES",
    "POSITIVE",
    "REAL",
    "Bend",
    "Function",
    "Interval",
    "constant_call",
    "entry_of",
    "function_named",
    "imports",
    "register",
    "reserved",
    "special",
]
