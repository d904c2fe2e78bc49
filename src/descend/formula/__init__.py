"""Formula text to expressions of columns and parameters, their derivatives, and their spelling in other languages."""

from descend.formula.equations import guess_columns, read_formula
from descend.formula.formula import Formula
from descend.formula.printers.code import as_text

__all__ = ["Formula", "as_text", "guess_columns", "read_formula"]
