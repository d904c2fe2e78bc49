"""The constants that formulas know by name."""

from __future__ import annotations

import sympy
from sympy import Expr

CONSTANTS: dict[str, Expr] = {"pi": sympy.pi, "e": sympy.E, "π": sympy.pi}
