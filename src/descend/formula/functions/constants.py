"""The constants that formulas know by name."""

from __future__ import annotations

import sympy
from sympy import Expr

CONSTANTS: dict[str, Expr] = {"pi": sympy.pi, "e": sympy.E, "π": sympy.pi}


def not_a_parameter(name: str, role: str) -> str:
    """Say that a name given for a parameter is that of a constant; an empty text if it is not.

    >>> not_a_parameter("e", "started")
    '`e` is a constant in formulas, 2.71828, so it cannot be started. Give the parameter another name, such as `e_`.'
    """
    if name not in CONSTANTS:
        return ""
    return (
        f"`{name}` is a constant in formulas, {float(CONSTANTS[name]):.6g}, so it cannot be {role}. "
        f"Give the parameter another name, such as `{'p' if name == 'π' else name}_`."
    )
