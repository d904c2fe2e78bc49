"""The order of the parameters of a formula."""

from __future__ import annotations

import dataclasses
from functools import lru_cache

from descend.formula.formula import Formula


@lru_cache(maxsize=256)
def in_order(formula: Formula, names: tuple[str, ...]) -> Formula:
    """Return a formula with its parameters in the order of these names, as far as they occur; others follow."""
    known = formula.parameters
    wanted = [*(name for name in names if name in known), *(name for name in known if name not in names)]
    if wanted == list(known):
        return formula
    return dataclasses.replace(formula, parameters={name: known[name] for name in wanted})
