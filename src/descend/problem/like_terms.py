"""Like terms that changed places: of a sum such as a*exp(-b*x) + c*exp(-d*x), in which either can be the first."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from descend.formula.structure import interchangeable, linear_unknowns
from descend.models import FormulaModel, Model

Array = NDArray[np.float64]


def changed_places(model: Model, given: Collection[str], start: Array, end: Array) -> str | None:
    """Say so if like terms, ordered one way by the starting values that were given, ended in another order.

    They are ordered by the first of their parameters that does not enter linearly.
    """
    if not isinstance(model, FormulaModel) or not given:
        return None
    linear = linear_unknowns(model.formula)
    for group in interchangeable(model.formula):
        leader = next((place for place, symbol in enumerate(group[0]) if symbol not in linear), 0)
        names = [own[leader].name for own in group]
        if not set(names) <= set(given):
            continue
        places = [model.parameters.slices[name].start for name in names]
        before, after = start[places], end[places]
        if len(set(before.tolist())) < len(places) or (np.argsort(before) == np.argsort(after)).all():
            continue
        terms = " and ".join("(" + ", ".join(symbol.name for symbol in own) + ")" for own in group)
        were, are = (
            " < ".join(names[place] for place in np.argsort(values, kind="stable")) for values in (before, after)
        )
        return (
            f"like terms changed places: {terms} can stand for each other, and where the start had {were}, the fit has "
            f"{are}"
        )
    return None
