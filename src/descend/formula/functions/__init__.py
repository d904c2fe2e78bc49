"""The functions a formula may call: one entry each, with everything that other modules need to know of it.

SymPy's own function class is used where its derivative is right for real numbers. Only the elementary functions are
read at once; see `table.read_rarer`.
"""

from descend.formula.functions import elementary
from descend.formula.functions.entry import POSITIVE, REAL, Bend, Function, Interval
from descend.formula.functions.evaluation import constant_call, imports, special
from descend.formula.functions.table import (
    ALIASES,
    CONSTANTS,
    DERIVED_ONLY,
    FUNCTIONS,
    NAMES,
    entry_of,
    function_named,
    register,
    reserved,
)

register(*elementary.ENTRIES)
register(*elementary.DERIVED, table=DERIVED_ONLY)

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
