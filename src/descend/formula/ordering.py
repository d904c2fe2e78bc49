"""The order of the parameters of a formula."""

from __future__ import annotations

import dataclasses
from functools import lru_cache

from descend.formula.formula import Formula


@lru_cache(maxsize=256)
def in_order(formula: Formula, names: tuple[str, ...]) -> Formula:
    """Return a formula with its parameters in the order of these names, as far as they occur; others follow."""
    parameters = formula.parameters
    order = [*(name for name in names if name in parameters), *(name for name in parameters if name not in names)]
    if order == list(parameters):
        return formula
    return dataclasses.replace(formula, parameters={name: parameters[name] for name in order})
