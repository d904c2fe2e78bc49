"""Named curves: templates over the formula language, one entry each, written out where a formula is read."""

from descend.formula.curves.entry import FEATURES, Argument, Curve, Setting
from descend.formula.curves.registering import check, register
from descend.formula.curves.table import CURVES, curve_named, curves_found, fields, nearest

__all__ = [
    "CURVES",
    "FEATURES",
    "Argument",
    "Curve",
    "Setting",
    "check",
    "curve_named",
    "curves_found",
    "fields",
    "nearest",
    "register",
]
